"""How far a judge can be trusted, and the accuracy of a run once its errors are taken out, from labels of some items.

Promises: a judge's figure never stands alone: sensitivity, specificity and two corrected accuracies come with it, and
a warning for each way in which the labels may mislead. Does not: ask a judge or a person anything.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, replace
from typing import Generic, TypeVar

from benchmark.types import VerdictLabel
from judges.aggregate import Rule, Weight, panel_labels, vote_weight
from judges.cautions import Counts, cautions
from judges.correct import PpiMean, Share, ppi_mean, rogan_gladen, worth
from judges.figures import Figure, Item, missing, share

ItemT = TypeVar("ItemT", bound=Item)

FITTED = "the judges' weights were fitted to the labels that measure the panel: its figures are a little too good"


@dataclass(frozen=True, slots=True, kw_only=True)
class Confusion:
    """Labelled items by truth and verdict; "positive" is `correct`. An `unsure` verdict counts as not correct, as in
    the judge's raw accuracy, so it is a miss on a right answer and no harm on a wrong one; it is kept apart here."""

    tp: int
    fn: int
    tn: int
    fp: int
    unsure_right: int
    unsure_wrong: int

    @property
    def right(self) -> int:
        """Labelled items whose answer is right."""
        return self.tp + self.fn + self.unsure_right

    @property
    def wrong(self) -> int:
        """Labelled items whose answer is wrong."""
        return self.tn + self.fp + self.unsure_wrong


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """A judge (or a panel) measured against labels, and the run's accuracy by it.

    Counts: `judged` items have a verdict, `failed` ones were asked about and have none, `unsure` is a part of `judged`,
    `labelled` are judged items whose label is `correct` or `incorrect`. All figures are proportions, with intervals at
    one confidence: `raw` (what the judge says), `rogan_gladen` and `ppi` (what that makes the truth), each over
    the judged items. `tuning` is PPI's lambda (`judges.correct.PpiMean`), None without labels.
    """

    judge: str
    judged: int
    failed: int
    unsure: int
    labelled: int
    confusion: Confusion
    sensitivity: Figure
    specificity: Figure
    raw: Figure
    rogan_gladen: Figure
    ppi: Figure
    tuning: float | None
    random_sample: bool
    warnings: tuple[str, ...]


def calibrate(
    judge: str,
    verdicts: Mapping[ItemT, VerdictLabel | None],
    truth: Mapping[ItemT, VerdictLabel],
    *,
    random_sample: bool,
    groups: Mapping[ItemT, Hashable] | None = None,
    confidence: float = 0.95,
) -> Calibration:
    """Measure one judge: `verdicts` of all items asked about (None: no verdict), `truth` of those with a label.

    `random_sample` says whether the labelled items are a simple random sample of the items asked about, as those of
    `sqlgauge label` are; engine evidence that decided only some items is none, and warned of. With `groups` (an item's
    database) every interval is cluster-robust. Labels that are `unsure`, and labels of items without a verdict, are
    left out and warned of. Raises ValueError for labels of items that were never asked about, KeyError for an item
    without a group where groups are given.

    >>> verdicts = {i: "correct" if i % 5 else "incorrect" for i in range(300)}
    >>> truth = {i: "correct" if i % 4 else "incorrect" for i in range(60)}
    >>> found = calibrate("j", verdicts, truth, random_sample=True)
    >>> found.labelled, round(found.raw.value, 2), round(found.sensitivity.value, 2), round(found.specificity.value, 2)
    (60, 0.8, 0.8, 0.2)
    >>> found.rogan_gladen.reason
    'the judge is no better than chance: sensitivity + specificity = 1.00, which must be above 1'
    """
    strangers = [item for item in truth if item not in verdicts]
    if strangers:
        raise ValueError(f"{len(strangers)} labels are of items that {judge} was not asked about: {strangers[:3]}")
    judged = [item for item, label in verdicts.items() if label is not None]
    everything = Cases(judged, verdicts, groups, confidence)
    right, wrong, rest = (
        everything.only([item for item in judged if truth.get(item, "unsure") == label])
        for label in ("correct", "incorrect", "unsure")
    )
    mean = corrected_by_labels(right, wrong, rest)
    found = Calibration(
        judge=judge,
        judged=len(judged),
        failed=len(verdicts) - len(judged),
        unsure=sum(everything.said("unsure")),
        labelled=mean.labelled,
        confusion=Confusion(
            tp=sum(right.said("correct")),
            fn=sum(right.said("incorrect")),
            tn=sum(wrong.said("incorrect")),
            fp=sum(wrong.said("correct")),
            unsure_right=sum(right.said("unsure")),
            unsure_wrong=sum(wrong.said("unsure")),
        ),
        sensitivity=right.share("correct"),
        specificity=wrong.share("incorrect", "unsure"),
        raw=everything.share("correct"),
        rogan_gladen=rogan_gladen(
            everything.worth("correct"), right.worth("correct"), wrong.worth("incorrect", "unsure"), confidence
        ),
        ppi=as_figure(mean),
        tuning=mean.tuning if mean.labelled else None,
        random_sample=random_sample,
        warnings=(),
    )
    counts = Counts(
        judged=found.judged,
        failed=found.failed,
        right=len(right.items),
        wrong=len(wrong.items),
        labels=len(truth),
        unsure=sum(label == "unsure" for label in truth.values()),
        groups=mean.groups if groups is not None else None,
        random_sample=random_sample,
    )
    return replace(found, warnings=tuple(cautions(counts)))


def calibrate_panel(
    verdicts: Mapping[str, Mapping[ItemT, VerdictLabel | None]],
    truth: Mapping[ItemT, VerdictLabel],
    *,
    random_sample: bool,
    rule: Rule = "majority",
    groups: Mapping[ItemT, Hashable] | None = None,
    confidence: float = 0.95,
) -> list[Calibration]:
    """Each judge's `calibrate`, in the order given, and last the panel's under the name "panel (RULE)".

    `verdicts` is judge, then item, then label; every item that any judge was asked about is the panel's, and a judge
    without an entry for one has failed on it. The rule `weighted` takes its weights from the judges' confusions, so
    from the labels that then measure the panel, which flatters it a little; a warning says so.
    Raises ValueError as `calibrate` does, and without a judge.
    """
    if not verdicts:
        raise ValueError("a panel needs at least one judge")
    items = list(dict.fromkeys(item for labels in verdicts.values() for item in labels))
    full = {judge: {item: labels.get(item) for item in items} for judge, labels in verdicts.items()}

    def measured(name: str, labels: Mapping[ItemT, VerdictLabel | None]) -> Calibration:
        return calibrate(name, labels, truth, random_sample=random_sample, groups=groups, confidence=confidence)

    judges = [measured(judge, labels) for judge, labels in full.items()]
    panel = measured(f"panel ({rule})", panel_labels(full, rule, {one.judge: weight_of(one) for one in judges}))
    if rule == "weighted":
        panel = replace(panel, warnings=(*panel.warnings, FITTED))
    return [*judges, panel]


def weight_of(calibration: Calibration) -> Weight:
    """What this judge's vote counts in a panel; see `judges.aggregate.vote_weight`."""
    confusion = calibration.confusion
    return vote_weight(confusion.tp, confusion.fn, confusion.tn, confusion.fp)


@dataclass(frozen=True, slots=True)
class Cases(Generic[ItemT]):
    """Some of the judged items, with what the judge said of them."""

    items: list[ItemT]
    verdicts: Mapping[ItemT, VerdictLabel | None]
    by_item: Mapping[ItemT, Hashable] | None
    confidence: float

    def only(self, items: list[ItemT]) -> Cases[ItemT]:
        """Others of the judged items."""
        return replace(self, items=items)

    def said(self, *labels: VerdictLabel) -> list[int]:
        """1 for each item whose verdict is one of `labels`, else 0."""
        return [int(self.verdicts[item] in labels) for item in self.items]

    def groups(self) -> list[Hashable] | None:
        """Each item's group, None where no groups were given."""
        return None if self.by_item is None else [self.by_item[item] for item in self.items]

    def share(self, *labels: VerdictLabel) -> Figure:
        """How many of the items were called one of `labels`."""
        return share(self.said(*labels), self.groups(), self.confidence)

    def worth(self, *labels: VerdictLabel) -> Share:
        """The same with the number of independent items that it is worth."""
        return worth(self.said(*labels), self.groups())


def corrected_by_labels(right: Cases[ItemT], wrong: Cases[ItemT], rest: Cases[ItemT]) -> PpiMean:
    """PPI's mean of the truth, from labelled right and wrong items and those without a label."""
    labelled = right.only(right.items + wrong.items)
    return ppi_mean(
        [1] * len(right.items) + [0] * len(wrong.items),
        labelled.said("correct"),
        rest.said("correct"),
        right.only(labelled.items + rest.items).groups(),
        confidence=right.confidence,
    )


def as_figure(mean: PpiMean) -> Figure:
    """PPI's mean as a proportion: a value beyond 0 or 1 is cut, NaN becomes None with its reason."""
    n = mean.labelled + mean.unlabelled
    if mean.labelled == 0:
        return missing(n, "no labels", mean.confidence)
    value = min(1.0, max(0.0, mean.value))
    if mean.groups < 2:
        reason = "the labels are of one item or one group: nothing shows how much others differ"
        return Figure(value=value, low=None, high=None, n=n, confidence=mean.confidence, reason=reason)
    return Figure(value=value, low=mean.low, high=mean.high, n=n, confidence=mean.confidence)
