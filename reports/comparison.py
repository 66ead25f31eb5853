"""Two runs on the same items: is B better than A, by how much, how sure is that, and who won which item.

Promises: only items with a value in both runs count, and the others are counted; both runs' order of items is by id, so
the same runs give the same figures.
Does not: compare runs on different data; that is refused.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import msgspec

from benchmark.errors import UsageError
from benchmark.stats import Interval, wilson
from benchmark.stats.clustered import Estimate
from benchmark.stats.paired import discordant, mcnemar_exact, paired_difference
from benchmark.store import RunFolder
from benchmark.types import Example
from reports.board import HEADLINE
from reports.cautions import differing_settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """One of the two runs: its share of right answers over the common items, with Wilson's 95% interval."""

    model: str
    run_id: str
    value: float
    interval: Interval


@dataclass(frozen=True, slots=True, kw_only=True)
class Slice:
    """The same comparison over the items that share a tag's value."""

    name: str
    a: float
    b: float
    difference: Estimate


@dataclass(frozen=True, slots=True, kw_only=True)
class Won:
    """An item that one side has right and the other has not."""

    example_id: str
    question: str
    gold: str
    a: str
    b: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """B against A. `difference` is B - A as a proportion, its interval clustered by the examples' group.

    `by_item` says that the examples are of one group only, so each counts as a cluster of its own.
    `p_value` is exact McNemar's, NaN where a value is neither 0 nor 1 (partial credit).
    """

    metric: str
    dataset: str
    a: Side
    b: Side
    n: int
    left_out: int
    both: int
    neither: int
    only_a: tuple[Won, ...]
    only_b: tuple[Won, ...]
    difference: Estimate
    one_sided: Estimate
    p_value: float
    by_item: bool
    slices: tuple[Slice, ...]
    warnings: tuple[str, ...]

    @property
    def leaves_out_zero(self) -> bool:
        """Whether the 95% interval of the difference leaves out zero."""
        return self.difference.low > 0 or self.difference.high < 0

    @property
    def separated(self) -> bool:
        """Whether the interval leaves out zero and McNemar's test, where there is one, says so at 5% too.

        The clustered interval knows about databases, and is too narrow where few items tell the runs apart; the exact
        test is the other way round.
        """
        return self.leaves_out_zero and not self.p_value > 0.05


def compare_runs(a: RunFolder, b: RunFolder, metric: str = HEADLINE, tag: str = "complexity") -> Comparison:
    """Compare B with A by one metric. Raises UsageError for runs on different data, or without the metric."""
    first, second = a.manifest(), b.manifest()
    data = first.identity["dataset"]
    if data["fingerprint"] != second.identity["dataset"]["fingerprint"]:
        other = second.identity["dataset"]
        raise UsageError(
            f"the runs are on different data: {data['name']} ({data['fingerprint'][:19]}) and {other['name']} "
            f"({other['fingerprint'][:19]})",
            "Run both models on the same dataset with the same --limit, --sample, --seed and --where.",
        )
    values = [_values(run, metric) for run in (a, b)]
    common = sorted(values[0].keys() & values[1].keys())
    if not common:
        raise UsageError(f"the runs share no item with a value of {metric}", "Score both with 'sqlgauge score'.")
    examples = {example.id: example for example in a.iter_examples()}
    x, y = ([of_run[item] for item in common] for of_run in values)
    groups = [examples[item].group for item in common]
    by_item = len(set(groups)) == 1
    if by_item:  # the data name no groups, or there is just one: items are all there is to go by
        groups = common
    binary = set(x) | set(y) <= {0.0, 1.0}
    texts = [{g.example_id: g.text for g in reversed(run.generations())} for run in (a, b)]
    won = {side: [] for side in "ab"}  # type: dict[str, list[Won]]
    for item, left, right in zip(common, x, y, strict=True):
        if left != right:
            example = examples[item]
            won["a" if left > right else "b"].append(
                Won(example_id=item, question=example.question, gold=example.golds[0],
                    a=texts[0].get(item, ""), b=texts[1].get(item, ""))
            )  # fmt: skip
    return Comparison(
        metric=metric,
        dataset=str(data["name"]),
        a=_side(first.identity["model"]["spec"], first.run_id, x),
        b=_side(second.identity["model"]["spec"], second.run_id, y),
        n=len(common),
        left_out=len(examples) - len(common),
        both=sum(left == right > 0 for left, right in zip(x, y, strict=True)),
        neither=sum(left == right == 0 for left, right in zip(x, y, strict=True)),
        only_a=tuple(won["a"]),
        only_b=tuple(won["b"]),
        difference=paired_difference(x, y, groups),
        one_sided=paired_difference(x, y, groups, confidence=0.90),
        p_value=mcnemar_exact(*discordant(x, y)) if binary else math.nan,
        by_item=by_item,
        slices=_slices(common, x, y, examples, tag),
        warnings=tuple(differing_settings([first, second])),
    )


def as_json(found: Comparison) -> bytes:
    """The comparison as JSON; NaN becomes null."""
    return msgspec.json.format(msgspec.json.encode(found, order="sorted"), indent=2)


def _values(run: RunFolder, metric: str) -> dict[str, float]:
    """Each item's mean value over its samples; items without any value are left out. Raises UsageError."""
    found: dict[str, list[float]] = defaultdict(list)
    metrics = set()
    for score in run.iter_scores():
        metrics.add(score.metric)
        if score.metric == metric and score.value is not None:
            found[score.example_id].append(score.value)
    if metric not in metrics:
        have = ", ".join(sorted(metrics)) or "no scores"
        raise UsageError(f"{run.path} has no metric '{metric}': it has {have}", f"sqlgauge score {run.path}")
    return {item: math.fsum(values) / len(values) for item, values in found.items()}


def _side(model: str, run_id: str, values: Sequence[float]) -> Side:
    total = math.fsum(values)
    return Side(model=model, run_id=run_id, value=total / len(values), interval=wilson(total, len(values)))


def _slices(
    common: Sequence[str], x: Sequence[float], y: Sequence[float], examples: Mapping[str, Example], tag: str
) -> tuple[Slice, ...]:
    """One slice a value of the tag; none where the examples carry no such tag."""
    from reports.tables import complexity_order

    rows: dict[str, list[tuple[float, float, str]]] = defaultdict(list)
    for item, left, right in zip(common, x, y, strict=True):
        if tag in examples[item].tags:
            rows[examples[item].tags[tag]].append((left, right, examples[item].group))
    found = []
    for name in sorted(rows, key=complexity_order):
        a, b, groups = zip(*rows[name], strict=True)
        found.append(
            Slice(
                name=name,
                a=math.fsum(a) / len(a),
                b=math.fsum(b) / len(b),
                difference=paired_difference(a, b, groups),
            )
        )
    return tuple(found)
