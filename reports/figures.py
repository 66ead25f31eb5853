"""The figures of one run, as every format shows them, and nothing about how they look.

Promises: plain frozen values that serialise as JSON; proportions lie in [0, 1], and NaN stands for 'no data'.
Does not: know of other runs (`reports.board`).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

#: (step, value) of a quantity of a training.
Curve = tuple[tuple[int, float], ...]

#: What is shown where there is no figure.
NO_FIGURE = "\N{EN DASH}"


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
class Fact:
    """One line of a run's provenance, ready to show."""

    label: str
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Rank:
    """The ranks that the data leave open to a run, 1 being the top."""

    best: int
    worst: int

    def __str__(self) -> str:
        return str(self.best) if self.best == self.worst else f"{self.best}-{self.worst}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """What the answers took. Totals are None, means NaN, where no answer says; `priced` of `answers` have a cost."""

    answers: int
    prompt_tokens: int | None
    mean_prompt_tokens: float
    completion_tokens: int | None
    mean_completion_tokens: float
    mean_seconds: float
    p90_seconds: float
    cost_usd: float | None
    priced: int

    @property
    def known(self) -> bool:
        """Whether there is any figure to show."""
        totals = (self.prompt_tokens, self.completion_tokens, self.cost_usd)
        return any(total is not None for total in totals) or not math.isnan(self.mean_seconds)


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorCount:
    """Wrong answers of one category: as their main error, among others, and a few examples of the former."""

    main: int
    any: int
    examples: tuple[str, ...]


NO_ERRORS = ErrorCount(main=0, any=0, examples=())


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """The first rows of a result as texts, and how many there are."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Refuted:
    """An answer that is right on the given database, and a generated one on which it is wrong."""

    example_id: str
    sample: int
    setup_sql: str
    gold: Result
    prediction: Result


@dataclass(frozen=True, slots=True, kw_only=True)
class Equivalence:
    """Beyond the given database: the shares proved and not refuted (between them lies what is undecided), and answers.

    `refuted` counts those that execution calls right and a generated database does not; a few of them are `examples`.
    """

    proved: Cell
    not_refuted: Cell
    undecided: int
    refuted: int
    examples: tuple[Refuted, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Adapter:
    """What a page says of an adapter. `steps` and `checked` are (step, loss): in training, and on held-out rows."""

    facts: tuple[Fact, ...]
    steps: Curve
    checked: Curve


@dataclass(frozen=True, slots=True, kw_only=True)
class Chance:
    """What another seed moves: `draws` answers to each item, of one run's samples or of runs that differ in `seeds`.

    `chance` is the standard deviation of a single draw's headline on the same items (95% from `low` to `high`), `items`
    the one that other items would bring, both as proportions. `pass_at` (by k) and `majority` are of samples alone.
    Intervals of cells know of clusters here.
    """

    model: str
    run_ids: tuple[str, ...]
    draws: int
    mean: Cell
    chance: float
    low: float
    high: float
    items: float
    seeds: tuple[str, ...] = ()
    pass_at: Mapping[str, Cell] = field(default_factory=dict)
    majority: Cell | None = None
