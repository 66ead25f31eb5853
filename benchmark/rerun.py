"""A run made again from its manifest, held against the first one: what is identical, what differs, and why.

Promises: neither run is written to; answers are compared text by text, scores one by one; what the two manifests say
differently (data, model, rules, versions) is listed beside a difference, which it may explain.
Does not: ask judges again; a verdict was paid for.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from benchmark.audit import Audit, Difference, MetricCheck, without
from benchmark.store import RunFolder, difference, plain
from benchmark.types import EXTERNAL, Generation, RunManifest

#: Differing answers that are shown.
SHOWN = 5
#: What says nothing about why two runs differ.
_UNTOLD = ("created", "config", "made_under")


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerPair:
    """An item's answers in both runs, where they differ; None where a run has none or failed on it."""

    example_id: str
    sample: int
    there: str | None
    here: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Repetition:
    """How a second run compares with the first: answers counted, the first that differ, and the scores by metric."""

    first: str
    second: str
    identical: int
    answers: int
    differing: tuple[AnswerPair, ...]
    metrics: tuple[MetricCheck, ...]
    differences: tuple[Difference, ...]
    identity: tuple[str, ...]
    provenance: tuple[str, ...]

    @property
    def same_answers(self) -> bool:
        return self.identical == self.answers

    @property
    def same_scores(self) -> bool:
        """Whether every score came out again; those that a deadline decides may differ by machine."""
        return all(set(check.kinds) <= {"by machine"} for check in self.metrics)


def compared(first: RunFolder, second: RunFolder) -> Repetition:
    """Hold a second run against the first. Raises UsageError for a folder that cannot be read."""
    one, two = first.manifest(), second.manifest()
    pairs = list(_pairs(first.generations(), second.generations()))
    differing = [pair for pair in pairs if pair.there != pair.here or pair.there is None]
    audit = _scores(first, second)
    return Repetition(
        first=str(first.path),
        second=str(second.path),
        identical=len(pairs) - len(differing),
        answers=len(pairs),
        differing=tuple(differing[:SHOWN]),
        metrics=audit.results(),
        differences=audit.differences(),
        identity=tuple(difference(plain(one.identity), plain(two.identity))),
        provenance=tuple(difference(_told(one), _told(two))),
    )


def metrics_of(run: RunFolder) -> tuple[str, ...]:
    """The metrics that a run's scores are of, without verdicts that were imported."""
    return tuple(dict.fromkeys(score.metric for score in without(run.iter_scores(), EXTERNAL, Counter())))


def _pairs(there: Iterable[Generation], here: Iterable[Generation]) -> Iterator[AnswerPair]:
    texts = [{(one.example_id, one.sample): _text(one) for one in side} for side in (there, here)]
    for key in dict.fromkeys(key for side in texts for key in side):
        yield AnswerPair(example_id=key[0], sample=key[1], there=texts[0].get(key), here=texts[1].get(key))


def _text(generation: Generation) -> str | None:
    return generation.text if generation.error is None else None


def _scores(first: RunFolder, second: RunFolder) -> Audit:
    audit = Audit(without(first.iter_scores(), EXTERNAL, Counter()))
    for score in without(second.iter_scores(), EXTERNAL, Counter()):
        audit.check(score)
    audit.finish(())
    return audit


def _told(manifest: RunManifest) -> Mapping[str, Any]:
    """What a manifest's provenance says that can explain a difference: versions, Python, platform, dataset."""
    return {key: value for key, value in plain(manifest.provenance).items() if key not in _UNTOLD}
