"""Published scores against fresh ones, score by score.

Promises: order does not matter; each published score is accounted for once: it agrees, differs, is missing from the
published ones, is surplus, or could not be checked. Memory grows by some bytes a score, not by its evidence.
Does not: score (`benchmark.verify` does), or read files.
"""

from __future__ import annotations

import hashlib
import math
import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from benchmark.identity import canonical_json
from benchmark.metrics.base import BY_CLOCK
from benchmark.types import Score

Kind = Literal["differs", "missing", "surplus", "repeated", "by machine"]
Key = tuple[str, int, str]  # example, sample, metric

#: Differences of a kind that are kept to be shown; all are counted.
SHOWN = 5
_OVERRAN = re.compile(r"stopped (after|while)|at its deadline")


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """A score that does not follow, as '1 ok' or '0 invalid' on each side; None where that side has none."""

    kind: Kind
    metric: str
    example_id: str
    sample: int
    published: str | None
    rescored: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricCheck:
    """One metric's published and fresh scores: their means (NaN without a value), and how many ended in each way."""

    metric: str
    published: float
    rescored: float
    agree: int
    evidence_differs: int
    unchecked: int
    kinds: dict[Kind, int]


class _Claim(NamedTuple):
    """What is kept of a score. `overran`: a deadline decided it; `search`: what it owes to one for a counterexample."""

    value: float | None
    status: str
    evidence: bytes
    overran: bool
    search: Literal["none", "found", "cut short"]

    def __str__(self) -> str:
        return f"{'no value' if self.value is None else format(self.value, 'g')} {self.status}"


class Audit:
    """Holds the published scores, takes the fresh ones one by one, and says at the end what is left over."""

    def __init__(self, published: Iterable[Score]) -> None:
        self._left: dict[Key, _Claim] = {}
        self._kinds: Counter[tuple[str, Kind]] = Counter()
        self._agree: Counter[str] = Counter()
        self._evidence: Counter[str] = Counter()
        self._unchecked: Counter[str] = Counter()
        self._means: dict[tuple[str, str], list[float]] = {}  # sum and count
        self._shown: list[Difference] = []
        self.metrics: dict[str, None] = {}
        for score in published:
            self._publish(_key(score), _claim(score))

    def _publish(self, key: Key, claim: _Claim) -> None:
        self.metrics[key[2]] = None
        if key in self._left:
            self._note("repeated", key, self._left[key], claim)
            return
        self._left[key] = claim
        self._add("published", key[2], claim.value)

    def check(self, score: Score) -> None:
        """Compare a fresh score with its published one."""
        key, fresh = _key(score), _claim(score)
        self._add("rescored", score.metric, fresh.value)
        claim = self._left.pop(key, None)
        if claim is None:
            self._note("missing", key, None, fresh)
        elif _same(claim, fresh, score.metric):
            self._agree[score.metric] += 1
            self._evidence[score.metric] += claim.evidence != fresh.evidence
        else:
            self._note("by machine" if _by_machine(claim, fresh) else "differs", key, claim, fresh)

    def finish(self, unchecked: Collection[str]) -> None:
        """Count what nothing was compared with: surplus, or of one of the `unchecked` examples."""
        for key, claim in self._left.items():
            if key[0] in unchecked:
                self._unchecked[key[2]] += 1
            else:
                self._note("surplus", key, claim, None)
        self._left = {}

    def results(self) -> tuple[MetricCheck, ...]:
        """One a metric, in the order in which the published scores name them."""
        return tuple(map(self._result, self.metrics))

    def differences(self) -> tuple[Difference, ...]:
        """The first ones of each metric and kind."""
        return tuple(self._shown)

    def _result(self, metric: str) -> MetricCheck:
        return MetricCheck(
            metric=metric,
            published=self._mean("published", metric),
            rescored=self._mean("rescored", metric),
            agree=self._agree[metric],
            evidence_differs=self._evidence[metric],
            unchecked=self._unchecked[metric],
            kinds={kind: count for (name, kind), count in sorted(self._kinds.items()) if name == metric},
        )

    def _note(self, kind: Kind, key: Key, claim: _Claim | None, fresh: _Claim | None) -> None:
        example_id, sample, metric = key
        self._kinds[metric, kind] += 1
        if self._kinds[metric, kind] <= SHOWN:
            sides = [None if side is None else str(side) for side in (claim, fresh)]
            self._shown.append(
                Difference(
                    kind=kind,
                    metric=metric,
                    example_id=example_id,
                    sample=sample,
                    published=sides[0],
                    rescored=sides[1],
                )
            )

    def _add(self, side: str, metric: str, value: float | None) -> None:
        if value is not None:
            total = self._means.setdefault((side, metric), [0.0, 0.0])
            total[0] += value
            total[1] += 1

    def _mean(self, side: str, metric: str) -> float:
        total, count = self._means.get((side, metric), (0.0, 0.0))
        return total / count if count else math.nan


def without(scores: Iterable[Score], prefix: str, counted: Counter[str]) -> Iterator[Score]:
    """The scores whose metric does not begin with `prefix`; the others are counted by metric."""
    for score in scores:
        if score.metric.startswith(prefix):
            counted[score.metric] += 1
        else:
            yield score


def _key(score: Score) -> Key:
    return score.example_id, score.sample, score.metric


def _claim(score: Score) -> _Claim:
    found = score.evidence
    evidence = hashlib.blake2b(canonical_json(found), digest_size=8).digest()
    late_gold = score.status == "gold_error" and _OVERRAN.search(str(found.get("reason", "")))
    return _Claim(score.value, score.status, evidence, score.status == "timeout" or bool(late_gold), _search(found))


def _search(evidence: Mapping[str, Any]) -> Literal["none", "found", "cut short"]:
    """Whether a search found a counterexample, or was cut short by its deadline."""
    example = evidence.get("counterexample")
    if isinstance(example, Mapping) and example.get("database") == "generated":
        return "found"
    seen, wanted = evidence.get("databases"), evidence.get("of")
    return "cut short" if isinstance(seen, int) and isinstance(wanted, int) and seen < wanted else "none"


def _by_machine(claim: _Claim, fresh: _Claim) -> bool:
    """Whether a slower or faster machine explains a difference: a deadline, or a search that got further there.

    One that got further here explains none: what it found is a database that tells the two apart.
    """
    return claim.overran or fresh.overran or (claim.search == "found" and fresh.search == "cut short")


def _same(a: _Claim, b: _Claim, metric: str) -> bool:
    if a.value is None or b.value is None:
        return a.value is b.value and a.status == b.status
    if metric in BY_CLOCK:
        return (a.value > 0) == (b.value > 0) and a.status == b.status
    return math.isclose(a.value, b.value, abs_tol=1e-9) and a.status == b.status
