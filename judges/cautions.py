"""What may mislead in a calibration, in words.

Promises: each caution names the numbers that it rests on. Does not: decide whether a figure is shown.
"""

from __future__ import annotations

from typing import NamedTuple

from benchmark.stats.clustered import FEW_CLUSTERS

#: Labels of right or of wrong answers below which their rate is little more than a guess: Wilson's interval of 9 of
#: 10 is 39 points wide.
FEW_LABELS = 10


class Counts(NamedTuple):
    """A calibration in numbers: items `judged` and `failed`, labelled `right` and `wrong` answers among the judged, all
    `labels` with the `unsure` among them, and how many `groups` hold labelled items (None: no groups were given)."""

    judged: int
    failed: int
    right: int
    wrong: int
    labels: int
    unsure: int
    groups: int | None
    random_sample: bool


def cautions(found: Counts) -> list[str]:
    """What a reader must know beside the figures, one sentence or two each."""
    right, wrong, labelled = found.right, found.wrong, found.right + found.wrong
    warnings = []
    if min(right, wrong) < FEW_LABELS:
        warnings.append(
            f"few labels: {right} right and {wrong} wrong answers; below {FEW_LABELS} of a kind, its rate says little"
        )
    if not found.random_sample and labelled < found.judged:
        low, high = right / found.judged, (found.judged - wrong) / found.judged
        warnings.append(
            f"the labels are no random sample: {found.judged - labelled} of {found.judged} items have none, and "
            "evidence decides the items that are easy to decide. The corrections take the judge to err as often on the "
            "others; if it is more lenient there they are too high, and their intervals do not show it. Whatever "
            f"the others are, the accuracy lies between {low:.1%} and {high:.1%}"
        )
    if found.failed:
        warnings.append(
            f"{found.failed} items have no verdict and are left out: the figures speak of the other {found.judged}"
        )
    if found.unsure:
        warnings.append(
            f"{found.unsure} labels are 'unsure' and left out: if those items are harder, the judge looks too good"
        )
    if found.labels - found.unsure > labelled:
        warnings.append(
            f"{found.labels - found.unsure - labelled} labels are of items without a verdict and are not used"
        )
    if found.groups is not None and 2 <= found.groups < FEW_CLUSTERS:
        warnings.append(
            f"the labels come from {found.groups} groups: with fewer than {FEW_CLUSTERS} the intervals are rough"
        )
    return warnings
