"""The leaderboard as data: flat tables for CSV and Parquet, and JSON of the whole view model.

Promises: a figure that cannot be had is an empty field or null; no CSV field can act as a spreadsheet formula; the same
board gives the same bytes.
"""

from __future__ import annotations

import csv
import io
import math
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from reports.board import FAILURES, Board, Combination, Disagreement, Row, Table
from reports.figures import Cell

SCHEMA_VERSION = 5
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")
Value = str | int | float | bool | None

_OF_DATASET = {"dataset": "VARCHAR", "fingerprint": "VARCHAR"}
_OF_RUN = {**_OF_DATASET, "model": "VARCHAR", "run_id": "VARCHAR", "complete": "BOOLEAN"}
_FIGURE = {"value": "DOUBLE", "low": "DOUBLE", "high": "DOUBLE", "n": "BIGINT", "excluded": "BIGINT"}
_EQUIVALENCE = {"proved": "DOUBLE", "not_refuted": "DOUBLE", "undecided": "BIGINT", "refuted": "BIGINT"}
_CHANCE = {
    "draws": "BIGINT",
    "mean": "DOUBLE",
    "mean_low": "DOUBLE",
    "mean_high": "DOUBLE",
    "n": "BIGINT",
    **dict.fromkeys(("chance", "chance_low", "chance_high", "items", "majority"), "DOUBLE"),
    "pass_at": "VARCHAR",
}
_USAGE = {
    "answers": "BIGINT",
    "prompt_tokens": "BIGINT",
    "mean_prompt_tokens": "DOUBLE",
    "completion_tokens": "BIGINT",
    "mean_completion_tokens": "DOUBLE",
    "mean_seconds": "DOUBLE",
    "p90_seconds": "DOUBLE",
    "cost_usd": "DOUBLE",
    "priced": "BIGINT",
}


@dataclass(frozen=True, slots=True)
class Flat:
    """A table of plain values. `columns` are names with their DuckDB types."""

    name: str
    columns: dict[str, str]
    rows: list[list[Value]]


def flat_tables(board: Board) -> tuple[Flat, ...]:
    """The board as six tables: figures, runs, pairs of runs, what chance moves, combinations of verdicts, errors."""
    figure = {**_OF_RUN, "column": "VARCHAR", "tag": "VARCHAR", "tag_value": "VARCHAR", **_FIGURE}
    failures = dict.fromkeys((*FAILURES, "hit_token_limit"), "BIGINT")
    rank = {"rank_best": "BIGINT", "rank_worst": "BIGINT", "headline": "VARCHAR"}
    runs = {
        **_OF_RUN,
        **rank,
        **_FIGURE,
        "generated": "BIGINT",
        "scored": "BIGINT",
        **failures,
        **_EQUIVALENCE,
        **_USAGE,
    }
    difference = dict.fromkeys(("difference", "low", "high", "p_value"), "DOUBLE")
    pairs = {**_OF_DATASET, "upper": "VARCHAR", "lower": "VARCHAR", **difference, "separated": "BOOLEAN"}
    chance = {**_OF_DATASET, "model": "VARCHAR", "run_ids": "VARCHAR", "seeds": "VARCHAR", **_CHANCE}
    based_on = {"items": "BIGINT", "clusters": "BIGINT"}
    said = {**_OF_DATASET, "verdicts": "VARCHAR", "answers": "BIGINT", "examples": "VARCHAR"}
    errors = {**_OF_RUN, "category": "VARCHAR", "main": "BIGINT", "any": "BIGINT", "examples": "VARCHAR"}
    return (
        Flat("leaderboard", figure, [line for table in board.tables for line in _figures(table)]),
        Flat("runs", runs, [_run_line(table, row) for table in board.tables for row in table.rows]),
        Flat("pairs", {**pairs, **based_on}, [line for table in board.tables for line in _pairs(table)]),
        Flat("chance", chance, [line for table in board.tables for line in _chance(table)]),
        Flat("disagreement", said, [line for table in board.tables for line in _combinations(table)]),
        Flat("errors", errors, [line for table in board.tables for line in _errors(table)]),
    )


def render_json(board: Board) -> bytes:
    """The board as indented JSON with sorted keys; NaN becomes null."""
    body = msgspec.json.encode({"schema_version": SCHEMA_VERSION, "tables": board.tables}, order="sorted")
    return msgspec.json.format(body, indent=2) + b"\n"


def render_csv(flat: Flat) -> bytes:
    """A flat table as UTF-8 CSV with a header."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(flat.columns)
    writer.writerows([_field(value) for value in row] for row in flat.rows)
    return out.getvalue().encode()


def render_parquet(flat: Flat) -> bytes:
    """A flat table as Parquet; NaN becomes null."""
    import duckdb

    lists = [[_known(row[place]) for row in flat.rows] for place in range(len(flat.columns))]
    selected = ", ".join(
        f'unnest(${n}::{kind}[]) AS "{name}"' for n, (name, kind) in enumerate(flat.columns.items(), 1)
    )
    with tempfile.TemporaryDirectory(prefix="sqlgauge-") as folder, duckdb.connect(":memory:") as connection:
        connection.execute("SET threads = 1")  # one thread writes the rows in one order
        connection.execute(f"CREATE TABLE flat AS SELECT {selected}", lists)
        path = Path(folder) / "flat.parquet"
        connection.execute(f"COPY flat TO '{path}' (FORMAT parquet)")
        return path.read_bytes()


def parquet_rows(body: bytes) -> list[tuple[object, ...]]:
    """The rows of a Parquet file, its column names first: what two files of different writers are compared by."""
    import duckdb

    with tempfile.TemporaryDirectory(prefix="sqlgauge-") as folder, duckdb.connect(":memory:") as connection:
        path = Path(folder) / "flat.parquet"
        path.write_bytes(body)
        try:
            cursor = connection.execute("SELECT * FROM read_parquet(?)", [str(path)])
        except duckdb.Error:
            return []
        return [tuple(column[0] for column in cursor.description or ()), *cursor.fetchall()]


def _figures(table: Table) -> Iterator[list[Value]]:
    for row in table.rows:
        for column in table.columns:
            yield [*_run(table, row), column, "", "", *_numbers(row.cell(column))]
        for slicing in table.slicings:
            for value in slicing.values:
                cell = _numbers(row.slice(slicing.tag, value))
                yield [*_run(table, row), row.headline_column, slicing.tag, value, *cell]


def _run_line(table: Table, row: Row) -> list[Value]:
    ranks: list[Value] = [row.rank.best, row.rank.worst] if row.rank else [None, None]
    failures = [row.failures[status] if row.failures else None for status in FAILURES]
    used: list[Value] = [getattr(row.usage, name) for name in _USAGE]
    figure: list[Value] = [row.headline_column, *_numbers(row.headline), row.generated, row.scored]
    return [*_run(table, row), *ranks, *figure, *failures, row.cut_by_length, *_equivalence(row), *used]


def _equivalence(row: Row) -> list[Value]:
    found = row.equivalence
    if found is None:
        return [None] * len(_EQUIVALENCE)
    return [found.proved.value, found.not_refuted.value, found.undecided, found.refuted]


def _pairs(table: Table) -> Iterator[list[Value]]:
    for pair in table.ranking.pairs if table.ranking else ():
        assert table.ranking
        numbers: list[Value] = [pair.difference, pair.low, pair.high, pair.p_value, pair.separated]
        based_on: list[Value] = [table.ranking.items, table.ranking.clusters]
        yield [*_dataset(table), pair.upper, pair.lower, *numbers, *based_on]


def _chance(table: Table) -> Iterator[list[Value]]:
    for one in table.chance:
        passed = msgspec.json.encode({k: cell.value for k, cell in one.pass_at.items()}).decode()
        mean: list[Value] = [one.draws, one.mean.value, one.mean.low, one.mean.high, one.mean.n]
        spread: list[Value] = [one.chance, one.low, one.high, one.items]
        majority = None if one.majority is None else one.majority.value
        named = [one.model, _joined(one.run_ids), _joined(one.seeds)]
        yield [*_dataset(table), *named, *mean, *spread, majority, passed]


def _joined(names: Sequence[str]) -> str:
    return msgspec.json.encode(names).decode()


def _combinations(table: Table) -> Iterator[list[Value]]:
    found = table.disagreement
    for combination in found.combinations if found else ():
        assert found
        examples = "; ".join(f"{answer.run_id} {answer.example_id}" for answer in combination.examples)
        yield [*_dataset(table), _said(found, combination), combination.count, examples]


def _said(found: Disagreement, combination: Combination) -> str:
    words = {None: "none", True: "right", False: "wrong"}
    named = zip(found.columns, combination.verdicts, strict=True)
    return "; ".join(f"{column} {words[verdict]}" for column, verdict in named)


def _errors(table: Table) -> Iterator[list[Value]]:
    for row in table.rows:
        for name in table.errors:
            found = row.error(name)
            yield [*_run(table, row), name, found.main, found.any, "; ".join(found.examples)]


def _dataset(table: Table) -> list[Value]:
    return [table.dataset.name, table.dataset.fingerprint]


def _run(table: Table, row: Row) -> list[Value]:
    return [*_dataset(table), row.model, row.run_id, row.complete]


def _numbers(cell: Cell) -> Sequence[Value]:
    return [cell.value, cell.low, cell.high, cell.n, cell.excluded]


def _known(value: Value) -> Value:
    return None if isinstance(value, float) and math.isnan(value) else value


def _field(value: Value) -> str:
    """A value as a CSV field."""
    known = _known(value)
    if known is None:
        return ""
    if isinstance(known, bool):
        return str(known).lower()
    return f"{known:.6g}" if isinstance(known, float) else inert(known) if isinstance(known, str) else str(known)


def inert(value: str) -> str:
    """Foreign text that no spreadsheet takes for a formula."""
    return "'" + value if value.startswith(FORMULA_STARTS) else value
