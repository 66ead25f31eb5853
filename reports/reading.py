"""Run folders as arrays: what each run's files say about each item, read as streams.

Promises: memory grows by some bytes a score, not by its evidence; the last answer of a retried item counts.
Does not: turn values into figures (`reports.slices`, `reports.tables`).
"""

from __future__ import annotations

import math
from array import array
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from benchmark.errors import UsageError
from benchmark.extract import extract
from benchmark.health import Health
from benchmark.samples import Sampled, sampled
from benchmark.store import RunFolder
from benchmark.types import EXTERNAL, NO_VALUE, Example, Generation, RunManifest, Score
from judges.measure import RunCalibration, read_calibration
from reports.adapters import read_adapter
from reports.board import HEADLINE, JUDGED
from reports.figures import Adapter, Usage

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

METRIC_ORDER = ("exact", "exact_ws", "ast", "execution", "equivalence", "components", "efficiency")
#: What is no share of right answers, and orders rows only where there is nothing else.
PARTIAL = ("components", "efficiency")
EQUIVALENCE = "equivalence"
JUDGE_PREFIX = JUDGED
SHOWN_REFUTED = 3


@dataclass(slots=True)
class Items:
    """The items of a table by their place, which is the order in which the runs name them first."""

    places: dict[str, int] = field(default_factory=dict)
    groups: list[str] = field(default_factory=list)
    tags: list[Mapping[str, str]] = field(default_factory=list)
    golds: list[tuple[str, ...]] = field(default_factory=list)
    dialects: list[str] = field(default_factory=list)

    def add(self, examples: Iterable[Example]) -> None:
        """Take the examples that are not known yet."""
        for example in examples:
            if example.id not in self.places:
                self._append(example.id, example.group, example.tags, example.golds, example.dialect)

    def place(self, example_id: str) -> int:
        """An item's place; one that no run has an example of is its own group and has no tags."""
        if example_id not in self.places:
            self._append(example_id, example_id, {}, (), "")
        return self.places[example_id]

    def _append(self, key: str, group: str, tags: Mapping[str, str], golds: tuple[str, ...], dialect: str) -> None:
        self.places[key] = len(self.places)
        self.groups.append(group)
        self.tags.append(tags)
        self.golds.append(golds)
        self.dialects.append(dialect)

    @property
    def ids(self) -> list[str]:
        return list(self.places)


@dataclass(slots=True)
class Column:
    """One metric or judge of a run: a value an answer, NaN where it has none, and how the answers ended."""

    places: array[int] = field(default_factory=lambda: array("q"))
    samples: array[int] = field(default_factory=lambda: array("q"))
    values: array[float] = field(default_factory=lambda: array("d"))
    statuses: Counter[str] = field(default_factory=Counter)

    def add(self, place: int, sample: int, value: float | None, status: str = "ok") -> None:
        self.places.append(place)
        self.samples.append(sample)
        self.values.append(math.nan if value is None else value)
        self.statuses[status] += 1

    def arrays(self) -> tuple[IntArray, IntArray, FloatArray]:
        """Places, samples and values, each of shape (answers,)."""
        return np.array(self.places, np.int64), np.array(self.samples, np.int64), np.array(self.values, np.float64)

    def without(self, left_out: Collection[int]) -> Column:
        """The same answers but for those to some items; how answers ended is still told of all."""
        if not left_out:
            return self
        found = Column(statuses=self.statuses)
        for place, sample, value in zip(self.places, self.samples, self.values, strict=True):
            if place not in left_out:
                found.places.append(place)
                found.samples.append(sample)
                found.values.append(value)
        return found

    def by_item(self, n: int) -> FloatArray:
        """The mean value of each of n items over its answers, shape (n,); NaN for an item without any value.

        Several answers to one item are not independent, so their mean is one observation.
        """
        places, _, values = self.arrays()
        known = ~np.isnan(values)
        counts = np.bincount(places[known], minlength=n)
        sums = np.bincount(places[known], weights=values[known], minlength=n)
        with np.errstate(invalid="ignore"):
            means: FloatArray = sums / counts
        return means


class Wrong(NamedTuple):
    """A wrong answer: its item, the SQL in it, and how that ended."""

    place: int
    sql: str | None
    status: str
    reason: str


@dataclass(slots=True)
class Decided:
    """What equivalence scores say beyond their values; of the refuted answers the first few by id are kept."""

    proved: Column = field(default_factory=Column)
    not_refuted: Column = field(default_factory=Column)
    said: int = 0
    undecided: int = 0
    refuted: int = 0
    examples: list[tuple[str, int, Mapping[str, Any]]] = field(default_factory=list)

    def add(self, place: int, score: Score, value: float | None) -> None:
        verdict, counterexample = score.evidence.get("verdict"), score.evidence.get("counterexample")
        self.said += verdict is not None
        self.undecided += verdict == "undecided"
        self.proved.add(place, score.sample, None if value is None else float(verdict == "equivalent"), score.status)
        self.not_refuted.add(place, score.sample, value, score.status)
        if isinstance(counterexample, Mapping) and counterexample.get("database") == "generated":
            self.refuted += 1
            self.examples.append((score.example_id, score.sample, counterexample))
            self.examples.sort(key=lambda example: example[:2])
            del self.examples[SHOWN_REFUTED:]


@dataclass(frozen=True, slots=True, kw_only=True)
class RunData:
    """What a table needs of one run."""

    manifest: RunManifest
    columns: Mapping[str, Column]
    generated: int
    cut_by_length: int | None
    usage: Usage
    wrong: Sequence[Wrong]  # what execution (or else an external verdict) calls wrong
    decided: Decided
    calibration: RunCalibration | None
    adapter: Adapter | None
    health: Mapping[str, Health]
    seen: frozenset[int]  # places of items that the model's training may have shown to it; with `known_overlap`
    known_overlap: bool
    sampled: Sequence[Sampled]  # answers by execution, where there are several to an item
    training: Mapping[str, Any]  # the identity of the adapter's training; empty without an adapter of ours


def read_run(run: RunFolder, manifest: RunManifest, items: Items) -> RunData:
    """Read one run's files; `items` learns of its examples. Raises UsageError for a value outside [0, 1]."""
    items.add(run.iter_examples())
    columns: dict[str, Column] = defaultdict(Column)
    decided = Decided()
    wrong: dict[str, dict[tuple[str, int], tuple[str, str]]] = defaultdict(dict)
    for score in run.iter_scores():
        _check_value(run, score)
        value = None if score.status in NO_VALUE else score.value
        columns[score.metric].add(items.place(score.example_id), score.sample, value, score.status)
        if score.metric == EQUIVALENCE:
            decided.add(items.place(score.example_id), score, value)
        if value == 0 and score.metric.startswith((HEADLINE, EXTERNAL)):
            reason = str(score.evidence.get("reason", ""))
            wrong[score.metric][score.example_id, score.sample] = score.status, reason
    for verdict in run.verdicts():
        label = None if verdict.label is None else float(verdict.label == "correct")  # 'unsure' is not
        columns[JUDGE_PREFIX + verdict.judge].add(items.place(verdict.example_id), verdict.sample, label)
    generations, overlaps, adapter = run.generations(), run.contamination(), run.adapter()
    training = (adapter or {}).get("manifest", {}).get("identity")
    return RunData(
        manifest=manifest,
        columns={name: columns[name] for name in sorted(columns, key=column_order)},
        generated=len({generation.example_id for generation in generations}),
        cut_by_length=sum(g.finish_reason == "length" for g in generations) if generations else None,
        usage=usage(generations),
        wrong=wrong_answers(generations, wrong[headline_of(columns) or HEADLINE], items),
        decided=decided,
        calibration=read_calibration(run),
        adapter=read_adapter(run),
        health=run.health(),
        seen=frozenset(items.place(key) for key, one in overlaps.items() if one.seen),
        known_overlap=bool(overlaps),
        sampled=sampled(run.iter_scores()) if any(one.sample for one in generations) else (),
        training=training if isinstance(training, Mapping) else {},
    )


def _check_value(run: RunFolder, score: Score) -> None:
    if score.value is not None and not 0 <= score.value <= 1:
        raise UsageError(
            f"{run.path}: {score.metric} of example {score.example_id} is {score.value}, outside 0 to 1",
            f"Score the run again with 'sqlgauge score {run.path}'.",
        )


def usage(generations: Iterable[Generation]) -> Usage:
    """Tokens, seconds and cost of the answers; failed calls gave none."""
    answers = [generation for generation in generations if generation.error is None]
    prompt = [g.prompt_tokens for g in answers if g.prompt_tokens is not None]
    completion = [g.completion_tokens for g in answers if g.completion_tokens is not None]
    seconds = [g.timing.seconds for g in answers if g.timing is not None]
    costs = [g.cost_usd for g in answers if g.cost_usd is not None]
    return Usage(
        answers=len(answers),
        prompt_tokens=sum(prompt) if prompt else None,
        mean_prompt_tokens=_mean(prompt),
        completion_tokens=sum(completion) if completion else None,
        mean_completion_tokens=_mean(completion),
        mean_seconds=_mean(seconds),
        p90_seconds=float(np.quantile(seconds, 0.9)) if seconds else math.nan,
        cost_usd=math.fsum(costs) if costs else None,
        priced=len(costs),
    )


def _mean(values: list[int] | list[float]) -> float:
    return math.fsum(values) / len(values) if values else math.nan


def wrong_answers(
    generations: Iterable[Generation], ended: Mapping[tuple[str, int], tuple[str, str]], items: Items
) -> list[Wrong]:
    """The answers that stand in `ended`, (example id, sample) -> (status, reason), with the SQL in them."""
    found = []
    for generation in generations:
        how = ended.get((generation.example_id, generation.sample))
        if how is not None:
            sql = extract(generation.example_id, generation.text, generation.finish_reason)
            status = sql.status if how[0] == "ok" else how[0]  # an external verdict says nothing of the text
            found.append(Wrong(items.places[generation.example_id], sql.sql, status, how[1]))
    return found


def column_order(column: str) -> tuple[int, int, str]:
    """The well-known metrics, then others by name, then external verdicts, then judges by name."""
    rank = METRIC_ORDER.index(column) if column in METRIC_ORDER else len(METRIC_ORDER)
    kind = 2 if column.startswith(JUDGE_PREFIX) else 1 if column.startswith(EXTERNAL) else 0
    return (kind, rank, column)


def headline_of(columns: Iterable[str]) -> str | None:
    """What orders the rows: execution, else an external verdict on results, else the most lenient of ours."""
    return min(columns, key=_headline_order, default=None)


def _headline_order(column: str) -> tuple[int, int, str]:
    external = column.startswith(EXTERNAL)
    textual = column.removeprefix(EXTERNAL).lower().startswith(("exact", "em"))
    kind = 0 if column == HEADLINE else 1 if external and not textual else 2 if external else 3
    known = METRIC_ORDER.index(column) if column in METRIC_ORDER else -1
    return (kind + column.startswith(JUDGE_PREFIX), -known if column not in PARTIAL else 1, column)
