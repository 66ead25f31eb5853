"""The view model of a leaderboard: what every format shows, and nothing about how it looks.

Promises: plain frozen values that serialise as JSON; proportions lie in [0, 1], and NaN stands for 'no data'.
Does not: read files or compute figures (`reports.tables`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

from benchmark.health import BlanketScore
from judges.measure import RunCalibration
from reports.figures import (
    NO_DATA,
    NO_ERRORS,
    Adapter,
    Cell,
    Chance,
    Equivalence,
    ErrorCount,
    Fact,
    Rank,
    Usage,
)

#: The metric that orders the rows, where any run of a table has it.
HEADLINE = "execution"

#: How the column of a judge begins.
JUDGED = "judge: "

#: Statuses that count as a wrong answer, and those that leave the item out of n.
SCORED_ZERO = ("invalid", "timeout", "limit", "refused", "multiple", "empty", "no_sql", "truncated")
EXCLUDED = ("error", "gold_error")
FAILURES = SCORED_ZERO + EXCLUDED


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
class Row:
    """One run. Counts are None where the run folder holds nothing to count; `rank` where the run cannot be ranked."""

    model: str
    run_id: str
    complete: bool
    examples: int | None  # promised by the manifest
    generated: int
    scored: int  # distinct examples with a score of the metric `failures_from`, whatever its status
    headline_column: str
    rank: Rank | None
    cells: Mapping[str, Cell]
    slices: Mapping[str, Mapping[str, Cell]]  # tag -> value -> the headline metric over those items
    failures: Mapping[str, int] | None
    failures_from: str | None
    cut_by_length: int | None
    errors: Mapping[str, ErrorCount]
    equivalence: Equivalence | None
    usage: Usage
    differing: tuple[Fact, ...]  # this run's value of each setting in which the table's runs differ
    facts: tuple[Fact, ...]
    calibration: RunCalibration | None = None  # of the verdicts that the run holds
    adapter: Adapter | None = None
    clean: Cell | None = None  # the headline on the items that no training item is like; None where nothing is known
    seen: int = 0  # items that the training may have shown to the model

    @property
    def headline(self) -> Cell:
        """The figure that orders the rows."""
        return self.cell(self.headline_column)

    def cell(self, column: str) -> Cell:
        """The figure of one column; `NO_DATA` where the run has none."""
        return self.cells.get(column, NO_DATA)

    def slice(self, tag: str, value: str) -> Cell:
        """The headline metric over the items with that tag's value; `NO_DATA` where the run has none."""
        return self.slices.get(tag, {}).get(value, NO_DATA)

    def error(self, category: str) -> ErrorCount:
        """The wrong answers of a category; zero where there is none."""
        return self.errors.get(category, NO_ERRORS)


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOut:
    """Items of one status that leave the headline for every model alike, with a few of them. `fails`: no score either.

    A status is one of `benchmark.health`; `examples` are ids.
    """

    status: str
    meaning: str
    count: int
    fails: bool
    examples: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Slicing:
    """A tag and its values, in the order to show them. `shown`: on the page, else in the data files only."""

    tag: str
    values: tuple[str, ...]
    shown: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """Two ranked runs: the headline of the upper minus the lower, on the items of the ranking.

    `p_value` is Holm's over all pairs of the table. Everything but the difference is NaN where it cannot be had.
    """

    upper: str  # run ids
    lower: str
    difference: float
    low: float
    high: float
    p_value: float
    separated: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranking:
    """What the ranks rest on: items that all ranked runs have a value for, in clusters. `unranked` are run ids."""

    items: int
    clusters: int
    by_item: bool  # all items share one group, so each is its own cluster
    draws: int
    unranked: tuple[str, ...]
    pairs: tuple[Pair, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """An answer, by its run and example."""

    run_id: str
    example_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Combination:
    """How many answers got this combination of verdicts (None: no verdict), with a few of them."""

    verdicts: tuple[bool | None, ...]
    count: int
    examples: tuple[Answered, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Disagreement:
    """All scored answers of a table by what each of `columns` says about them, most frequent first."""

    columns: tuple[str, ...]
    combinations: tuple[Combination, ...]

    @property
    def answers(self) -> int:
        """How many answers there are."""
        return sum(combination.count for combination in self.combinations)

    @property
    def agreed(self) -> int:
        """How many have two or more verdicts, all of them the same."""
        return self._counted(1)

    @property
    def disagreed(self) -> int:
        """How many have verdicts that differ."""
        return self._counted(2)

    def _counted(self, different: int) -> int:
        said = [(c.count, [v for v in c.verdicts if v is not None]) for c in self.combinations]
        return sum(count for count, verdicts in said if len(verdicts) > 1 and len(set(verdicts)) == different)


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """All runs on one dataset, best first."""

    dataset: Dataset
    headline: str | None  # the column that orders the rows; None without any column
    columns: tuple[str, ...]
    slicings: tuple[Slicing, ...]
    errors: tuple[str, ...]  # categories that any run has, in their order
    ranking: Ranking | None
    disagreement: Disagreement | None
    rows: tuple[Row, ...]
    warnings: tuple[str, ...]
    left_out: tuple[LeftOut, ...] = ()
    blanket: tuple[BlanketScore, ...] = ()  # what writes that know nothing of the question score on items that write
    chance: tuple[Chance, ...] = ()  # of runs with several samples an item, and of runs that only seeds tell apart

    @property
    def shown_errors(self) -> tuple[str, ...]:
        """The categories that are the main error of any answer."""
        return tuple(name for name in self.errors if any(row.error(name).main for row in self.rows))

    @property
    def any_usage(self) -> bool:
        """Whether any run says what its answers took."""
        return any(row.usage.known for row in self.rows)

    @property
    def any_equivalence(self) -> bool:
        """Whether any run was scored for equivalence."""
        return any(row.equivalence is not None for row in self.rows)

    @property
    def ranked(self) -> tuple[Row, ...]:
        """The rows that have a rank."""
        return tuple(row for row in self.rows if row.rank is not None)

    def pair(self, one: Row, other: Row) -> Pair | None:
        """What separates two rows; None where they were not compared."""
        wanted = {one.run_id, other.run_id}
        pairs = self.ranking.pairs if self.ranking else ()
        return next((pair for pair in pairs if {pair.upper, pair.lower} == wanted), None)

    def neighbours(self) -> tuple[tuple[Row, Row, Pair], ...]:
        """Each two ranked rows that follow one another, with what separates them."""
        found = ((a, b, self.pair(a, b)) for a, b in pairwise(self.ranked))
        return tuple((a, b, pair) for a, b, pair in found if pair is not None)

    @property
    def shown_slicings(self) -> tuple[Slicing, ...]:
        """The slicings for a page."""
        return tuple(slicing for slicing in self.slicings if slicing.shown)


@dataclass(frozen=True, slots=True, kw_only=True)
class Board:
    """One table a dataset fingerprint, ordered by the dataset's name."""

    tables: tuple[Table, ...]
