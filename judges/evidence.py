"""What was seen of gold and prediction: both results on the given database, and a database that tells them apart.

Promises: a value is one JSON value, so that no row can pass for two or for a heading; what is cut is said.
Does not: judge; a rubric that shows results tells its judge most of what execution found.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from benchmark.extract import extract
from benchmark.metrics.base import has_database
from benchmark.side_by_side import Result, results
from benchmark.store import RunFolder
from benchmark.types import Example, Score

#: Rows of a result, and characters of a cell, that are shown.
ROWS, CELL = 20, 200
NO_RESULTS = "Neither was run: there are no results to show."


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """Results on the given database (None: not run), and the `counterexample` of an equivalence score."""

    gold: Result | None = None
    prediction: Result | None = None
    counterexample: Mapping[str, Any] | None = None


def gather(folder: RunFolder, workers: int | None = None) -> dict[tuple[str, int], Evidence]:
    """The evidence on each of a run's answers, by example id and sample.

    Both queries run again in the sandbox, for scores keep no rows that agree; counterexamples are those of the scores.
    """
    examples = {example.id: example for example in folder.iter_examples()}
    refuted = {(score.example_id, score.sample): _counterexample(score) for score in folder.iter_scores()
               if score.metric == "equivalence"}  # fmt: skip
    asked: list[tuple[tuple[str, int], Example, str]] = []
    for one in folder.generations():
        sql = extract(one.example_id, one.text, one.finish_reason).sql if one.error is None else None
        if sql is not None and has_database(examples[one.example_id]):
            asked.append(((one.example_id, one.sample), examples[one.example_id], sql))
    shown = results(((example, sql) for _, example, sql in asked), workers, ROWS)
    return {
        key: Evidence(gold=found.get(example.golds[0]), prediction=found.get(sql), counterexample=refuted.get(key))
        for (key, example, sql), found in zip(asked, shown, strict=True)
    }


def blocks(evidence: Evidence | None, *, swapped: bool) -> list[tuple[str, str]]:
    """Headings of ours, each with the untrusted text under it; query A is the gold unless `swapped`."""
    if evidence is None or (evidence.prediction is None and evidence.counterexample is None):
        return [("Results:", NO_RESULTS)]
    found: list[tuple[str, str]] = []
    if evidence.gold is not None and evidence.prediction is not None:
        pair = (evidence.gold, evidence.prediction)
        for name, result in zip("AB", reversed(pair) if swapped else pair, strict=True):
            found.append((f"Query {name} on the given database{_count(result.rows)}:", _result(result)))
    counterexample = evidence.counterexample
    if counterexample is not None and counterexample.get("setup_sql"):
        found.append(("A database on which they differ:", str(counterexample["setup_sql"])))
        sides = ("prediction", "gold") if swapped else ("gold", "prediction")
        for name, side in zip("AB", sides, strict=True):
            found.append((f"Query {name} on that database:", _grid(counterexample.get(side))))
    return found or [("Results:", NO_RESULTS)]


def _counterexample(score: Score) -> Mapping[str, Any] | None:
    found = score.evidence.get("counterexample")
    return found if isinstance(found, Mapping) and "setup_sql" in found else None


def _count(rows: int | None) -> str:
    return "" if rows is None else f", {rows} row{'' if rows == 1 else 's'}, the first {min(rows, ROWS)} of them"


def _result(result: Result) -> str:
    return result.problem or _lines(result.first_rows)


def _grid(grid: object) -> str:
    given = grid if isinstance(grid, Mapping) else {}
    return "columns " + _line(given.get("columns") or []) + "\n" + _lines(given.get("rows") or [])


def _lines(rows: Sequence[Sequence[object]]) -> str:
    more = [f"... and {len(rows) - ROWS} more"] if len(rows) > ROWS else []
    return "\n".join([*map(_line, rows[:ROWS]), *more]) or "(no rows)"


def _line(row: Sequence[object]) -> str:
    return json.dumps([_cell(cell) for cell in row], ensure_ascii=False, default=str)


def _cell(cell: object) -> object:
    if not isinstance(cell, str) or len(cell) <= CELL:
        return cell
    return f"{cell[:CELL]}... ({len(cell):,} characters)"
