"""Runs as one flat table, a row an answer: what was asked, said and extracted, and what metrics and judges found.

Promises: the same runs give the same rows in the same order (by run, then by the run's own order of items), whatever
order they are named in; texts are not held in memory, and a score takes some bytes; the file appears when it is whole.
Does not: score, or leave out an answer that failed. CSV cells that a spreadsheet would take for a formula get an
apostrophe before them; Parquet and JSON lines hold every text as it is.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Literal

import msgspec

from benchmark.answers import Answers
from benchmark.errors import UsageError
from benchmark.extract import extract
from benchmark.store import RunFolder, replacing
from benchmark.types import Example, Generation, RunManifest, Score
from reports.exports import inert
from reports.reading import EQUIVALENCE
from reports.tables import required, told_apart

Format = Literal["parquet", "csv", "jsonl"]
Row = tuple[str | int | float | None, ...]
Type = Literal["VARCHAR", "BIGINT", "DOUBLE"]

FORMATS: tuple[Format, ...] = ("parquet", "csv", "jsonl")
#: Rows that are handed over at once.
BATCH = 1_000
VARCHAR: Type = "VARCHAR"
FIRST: dict[str, Type] = {
    "run_id": "VARCHAR",
    "model": "VARCHAR",
    "example_id": "VARCHAR",
    "sample": "BIGINT",
    "question": "VARCHAR",
    "group": "VARCHAR",
}
LAST: dict[str, Type] = {
    "gold": "VARCHAR",
    "text": "VARCHAR",
    "sql": "VARCHAR",
    "extraction": "VARCHAR",
    "finish_reason": "VARCHAR",
    "prompt_tokens": "BIGINT",
    "completion_tokens": "BIGINT",
    "seconds": "DOUBLE",
    "cost_usd": "DOUBLE",
    "error": "VARCHAR",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Which columns the table has: tags, metrics and judges of all runs, by name."""

    runs: tuple[tuple[RunManifest, RunFolder], ...]
    tags: tuple[str, ...]
    metrics: tuple[str, ...]
    judges: tuple[str, ...]

    @property
    def columns(self) -> dict[str, Type]:
        """Columns with their types, in order."""
        found: dict[str, Type] = {**FIRST, **dict.fromkeys((f"tag.{tag}" for tag in self.tags), VARCHAR), **LAST}
        for metric in self.metrics:
            found |= {f"score.{metric}": "DOUBLE", f"status.{metric}": "VARCHAR"}
            if metric == EQUIVALENCE:
                found |= {f"verdict.{metric}": VARCHAR}
        return {**found, **dict.fromkeys((f"judge.{judge}" for judge in self.judges), VARCHAR)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Exported:
    """What was written."""

    file: str
    rows: int
    columns: tuple[str, ...]


def export(runs: Sequence[RunFolder], out: Path, kind: str | None = None) -> Exported:
    """Write the table of some runs; the kind is that of the file's ending unless it is given. Raises UsageError."""
    kind = kind or out.suffix.removeprefix(".").lower()
    if kind not in WRITERS:
        raise UsageError(f"cannot tell what to write to {out}", f"Give --to, one of {', '.join(WRITERS)}.")
    if out.is_dir():
        raise UsageError(f"{out} is a folder", "Give the path of a file.")
    plan = make_plan(runs)
    out.parent.mkdir(parents=True, exist_ok=True)
    written = WRITERS[kind](out, plan.columns, rows(plan))
    return Exported(file=str(out), rows=written, columns=tuple(plan.columns))


def make_plan(runs: Sequence[RunFolder]) -> Plan:
    """Look at what columns the runs need. A folder that is named twice counts once."""
    folders = {run.path.resolve(): run for run in runs}
    ordered = told_apart([(run.manifest(), run) for _, run in sorted(folders.items())])
    found = [run for _, run in ordered]
    return Plan(
        runs=tuple(ordered),
        tags=tuple(sorted({tag for run in found for example in run.iter_examples() for tag in example.tags})),
        metrics=tuple(sorted({score.metric for run in found for score in run.iter_scores()})),
        judges=tuple(sorted({verdict.judge for run in found for verdict in run.verdicts()})),
    )


def rows(plan: Plan) -> Iterator[Row]:
    """The rows, in the order of `plan.columns`."""
    for manifest, run in plan.runs:
        model = str(required(manifest, "model", "spec"))
        positions = {example.id: place for place, example in enumerate(run.iter_examples())}
        scores = {(s.example_id, s.sample, s.metric): _said(s) for s in run.iter_scores()}
        labels = {(v.example_id, v.sample, v.judge): v.label for v in run.verdicts()}
        with Answers(run.path / "generations.jsonl", positions) as answers:
            for example in run.iter_examples():
                for generation in answers.of(example.id):
                    yield (
                        *(manifest.run_id, model, example.id, generation.sample, example.question, example.group),
                        *(example.tags.get(tag) for tag in plan.tags),
                        *_answer(example, generation),
                        *_found(plan, (example.id, generation.sample), scores, labels),
                    )


def _answer(example: Example, generation: Generation) -> Row:
    """The columns of LAST."""
    found = extract(example.id, generation.text, generation.finish_reason)
    error = generation.error
    return (
        example.golds[0] if example.golds else None,
        generation.text,
        found.sql,
        found.status,
        generation.finish_reason,
        generation.prompt_tokens,
        generation.completion_tokens,
        generation.timing.seconds if generation.timing else None,
        generation.cost_usd,
        f"{error.type}: {error.message}" if error else None,
    )


def _found(
    plan: Plan,
    answer: tuple[str, int],
    scores: Mapping[tuple[str, int, str], tuple[str | float | None, ...]],
    labels: Mapping[tuple[str, int, str], str | None],
) -> Iterator[str | float | None]:
    """What metrics and judges said of an answer; None where they said nothing."""
    for metric in plan.metrics:
        yield from scores.get((*answer, metric), (None,) * (3 if metric == EQUIVALENCE else 2))
    for judge in plan.judges:
        yield labels.get((*answer, judge))


def _said(score: Score) -> tuple[str | float | None, ...]:
    """The columns of a score: its value, its status and, for equivalence, its verdict."""
    if score.metric != EQUIVALENCE:
        return score.value, score.status
    verdict = score.evidence.get("verdict")
    return score.value, score.status, None if verdict is None else str(verdict)


def write_jsonl(out: Path, columns: Mapping[str, Type], rows: Iterable[Row]) -> int:
    """JSON lines with every column in every line; the number of rows."""
    written = 0
    with replacing(out) as handle:
        for row in rows:
            written += 1
            handle.write(msgspec.json.encode(dict(zip(columns, row, strict=True))) + b"\n")
    return written


def write_csv(out: Path, columns: Mapping[str, Type], rows: Iterable[Row]) -> int:
    """CSV in UTF-8 with a header, an empty cell for what is missing; the number of rows."""
    written = 0
    with replacing(out) as handle:
        text = io.TextIOWrapper(handle, encoding="utf-8", newline="", write_through=True)
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(map(inert, columns))
        for row in rows:
            written += 1
            writer.writerow([inert(cell) if isinstance(cell, str) else cell for cell in row])
        text.detach()
    return written


def write_parquet(out: Path, columns: Mapping[str, Type], rows: Iterable[Row]) -> int:
    """Parquet with zstd; the number of rows. Columns that differ in case only are told apart by a number."""
    import tempfile

    import duckdb

    names = _told_apart(columns)
    declared = ", ".join(f"{_quoted(name)} {kind}" for name, kind in zip(names, columns.values(), strict=True))
    unnested = ", ".join(f"unnest(?::{kind}[])" for kind in columns.values())
    written, source = 0, iter(rows)
    with (
        tempfile.TemporaryDirectory(prefix="sqlgauge-") as folder,
        replacing(out) as handle,
        duckdb.connect(str(Path(folder) / "answers.duckdb"), config={"threads": 1}) as connection,
    ):
        connection.execute(f"CREATE TABLE answers ({declared})")
        while batch := list(islice(source, BATCH)):  # the types are ours, and values are parameters
            columns_of_batch = [list(column) for column in zip(*batch, strict=True)]
            connection.execute(f"INSERT INTO answers SELECT {unnested}", columns_of_batch)
            written += len(batch)
        connection.execute("COPY answers TO ? (FORMAT parquet, COMPRESSION zstd)", [handle.name])
    return written


WRITERS: dict[str, Callable[[Path, Mapping[str, Type], Iterable[Row]], int]] = {
    "parquet": write_parquet,
    "csv": write_csv,
    "jsonl": write_jsonl,
}


def _told_apart(names: Iterable[str]) -> list[str]:
    """The names, with a number after those that equal an earlier one but for case: DuckDB takes them for one.

    >>> _told_apart(["tag.a", "tag.A", "tag.b"])
    ['tag.a', 'tag.A_2', 'tag.b']
    """
    found: dict[str, str] = {}
    for name in names:
        number, free = 1, name
        while free.lower() in found:
            number += 1
            free = f"{name}_{number}"
        found[free.lower()] = free
    return list(found.values())


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
