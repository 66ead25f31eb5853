"""The view model of a leaderboard: what every format shows, and nothing about how it looks.

Promises: plain frozen values that serialise as JSON; proportions lie in [0, 1], and NaN stands for 'no data'.
Does not: read files or compute figures (`reports.tables`).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

#: The metric that orders the rows.
HEADLINE = "execution"

#: What is shown where there is no figure.
NO_FIGURE = "\N{EN DASH}"

#: Statuses that count as a wrong answer, and those that leave the item out of n.
SCORED_ZERO = ("invalid", "timeout", "limit", "refused", "multiple", "empty", "no_sql", "truncated")
EXCLUDED = ("error", "gold_error")
FAILURES = SCORED_ZERO + EXCLUDED


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One figure: a mean over `n` items with its 95% Wilson interval. `excluded` answers had no value."""

    value: float
    n: int
    low: float
    high: float
    excluded: int = 0

    @property
    def known(self) -> bool:
        """Whether there is a figure to show."""
        return not math.isnan(self.value)


NO_DATA = Cell(value=math.nan, n=0, low=math.nan, high=math.nan)


@dataclass(frozen=True, slots=True, kw_only=True)
class Dataset:
    """What a table was measured on. A text that the manifest does not give is ''."""

    name: str
    fingerprint: str
    dialect: str
    licence: str
    note: str
    n: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """One line of a run's provenance, ready to show."""

    label: str
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One run. Counts are None where the run folder holds nothing to count."""

    model: str
    run_id: str
    complete: bool
    examples: int | None  # promised by the manifest
    generated: int
    scored: int  # distinct examples with a score of the metric `failures_from`, whatever its status
    cells: Mapping[str, Cell]
    slices: Mapping[str, Cell]
    failures: Mapping[str, int] | None
    failures_from: str | None
    cut_by_length: int | None
    facts: tuple[Fact, ...]

    @property
    def headline(self) -> Cell:
        """The figure that orders the rows."""
        return self.cell(HEADLINE)

    def cell(self, column: str) -> Cell:
        """The figure of one column; `NO_DATA` where the run has none."""
        return self.cells.get(column, NO_DATA)

    def slice(self, complexity: str) -> Cell:
        """The headline metric over the items of one complexity; `NO_DATA` where the run has none."""
        return self.slices.get(complexity, NO_DATA)


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """All runs on one dataset, best first."""

    dataset: Dataset
    columns: tuple[str, ...]
    complexities: tuple[str, ...]
    rows: tuple[Row, ...]
    warnings: tuple[str, ...]

    @property
    def has_headline(self) -> bool:
        """Whether any run has the headline metric."""
        return HEADLINE in self.columns


@dataclass(frozen=True, slots=True, kw_only=True)
class Board:
    """One table a dataset fingerprint, ordered by the dataset's name."""

    tables: tuple[Table, ...]
