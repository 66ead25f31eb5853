"""What the equivalence scores of a run say beyond their mean: what is proved, what is open, what a search refuted.

Promises: right answers by execution are proved, undecided or refuted, each counted once; a run scored without the
metric, or a stranger's malformed evidence, gives no figure and no error.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from reports.figures import Equivalence, Refuted, Result
from reports.reading import Decided
from reports.slices import mean_cell

SHOWN_ROWS, CELL_CHARS, SETUP_CHARS = 10, 80, 4_000


def equivalence_of(decided: Decided, n: int) -> Equivalence | None:
    """The figures over n items; None where no score of the run holds a verdict."""
    if not decided.said:
        return None
    return Equivalence(
        proved=mean_cell(decided.proved, n),
        not_refuted=mean_cell(decided.not_refuted, n),
        undecided=decided.undecided,
        refuted=decided.refuted,
        examples=tuple(_refuted(*example) for example in decided.examples),
    )


def _refuted(example_id: str, sample: int, counterexample: Mapping[str, Any]) -> Refuted:
    setup = str(counterexample.get("setup_sql", ""))
    return Refuted(
        example_id=example_id,
        sample=sample,
        setup_sql=setup if len(setup) <= SETUP_CHARS else setup[:SETUP_CHARS] + "…",
        gold=_result(counterexample.get("gold")),
        prediction=_result(counterexample.get("prediction")),
    )


def _result(grid: Any) -> Result:
    """A result as texts; what is no result is an empty one."""
    given = grid if isinstance(grid, Mapping) else {}
    columns, rows = _list(given.get("columns")), _list(given.get("rows"))
    shown = tuple(tuple(map(_cell, _list(row))) for row in rows[:SHOWN_ROWS])
    return Result(columns=tuple(str(name)[:CELL_CHARS] for name in columns), rows=shown, count=len(rows))


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _cell(value: Any) -> str:
    """A value as SQL writes it."""
    if value is None:
        return "NULL"
    text = str(value)
    cut = text if len(text) <= CELL_CHARS else text[: CELL_CHARS - 1] + "…"
    return "'" + cut.replace("'", "''") + "'" if isinstance(value, str) else cut
