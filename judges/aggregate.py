"""From the votes of a panel to its label.

Promises: a judge that failed has no vote and changes no count but its own; a tie is `unsure`, never a coin toss.
Does not: know which rule is best; `judges.calibrate` measures the panel as it measures each judge.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple, TypeVar, get_args

from benchmark.types import VerdictLabel
from judges.figures import Item

ItemT = TypeVar("ItemT", bound=Item)
Rule = Literal["majority", "unanimous", "weighted"]

#: Log-odds nearer to 0 than this are a tie: two equal judges who disagree may leave a rounding error.
ROUNDING = 1e-12


class Weight(NamedTuple):
    """What a vote counts, in log-odds: `correct` for that vote (0 or more), `incorrect` for that one (0 or less)."""

    correct: float
    incorrect: float


def vote_weight(tp: int, fn: int, tn: int, fp: int) -> Weight:
    """A judge's weight from labelled items that it called correct or incorrect; its `unsure` ones do not enter.

    With sensitivity (tp + 1)/(tp + fn + 2) and specificity (tn + 1)/(tn + fp + 2) (Laplace's rule of succession, so
    that no judge is ever certain) a vote for `correct` counts log(sensitivity / (1 - specificity)), one for `incorrect`
    log((1 - sensitivity) / specificity): the weights that decide best if the judges err independently given the truth
    (S. Nitzan and J. Paroush, International Economic Review 23, 1982, 289-297). Judges that err together get too
    much confidence, but the sign seldom changes. A judge no better than chance has no say: weight 0, not a say turned
    round. Raises ValueError for negative counts.

    >>> weight = vote_weight(tp=45, fn=2, tn=9, fp=4)
    >>> round(weight.correct, 2), round(weight.incorrect, 2)
    (1.04, -2.39)
    """
    if min(tp, fn, tn, fp) < 0:
        raise ValueError(f"counts must not be negative: {tp}, {fn}, {tn}, {fp}")
    sensitivity, specificity = (tp + 1) / (tp + fn + 2), (tn + 1) / (tn + fp + 2)
    if sensitivity + specificity <= 1:
        return Weight(0.0, 0.0)
    return Weight(math.log(sensitivity / (1 - specificity)), math.log((1 - sensitivity) / specificity))


def panel_label(
    votes: Sequence[VerdictLabel | None], rule: Rule = "majority", weights: Sequence[Weight] | None = None
) -> VerdictLabel | None:
    """The panel's label from one vote a judge, None being a judge that failed.

    None if no vote was cast, or fewer than half of them. Otherwise, of the votes cast:

    * `majority`: the label that has more than half, else `unsure`. An `unsure` vote is a vote: it can win, and it
      keeps the others from winning.
    * `unanimous`: the label that all have, else `unsure`.
    * `weighted`: the sign of the sum of the judges' `weights`; an `unsure` vote adds 0. A sum of 0 is a tie.

    Raises ValueError for an unknown rule, and for `weighted` without one weight a judge.

    >>> panel_label(["correct", "correct", "unsure"]), panel_label(["correct", "incorrect"]), panel_label([None, None])
    ('correct', 'unsure', None)
    """
    if rule not in get_args(Rule):
        raise ValueError(f"unknown rule {rule!r}: one of {', '.join(get_args(Rule))}")
    if rule == "weighted" and (weights is None or len(weights) != len(votes)):
        raise ValueError(f"the rule 'weighted' needs a weight for each of the {len(votes)} judges")
    cast = [vote for vote in votes if vote is not None]
    if not cast or 2 * len(cast) < len(votes):
        return None
    if rule == "weighted":
        return _by_weight(votes, weights or ())
    needed = len(cast) if rule == "unanimous" else len(cast) // 2 + 1
    winners = [label for label in dict.fromkeys(cast) if cast.count(label) >= needed]
    return winners[0] if winners else "unsure"


def _by_weight(votes: Sequence[VerdictLabel | None], weights: Sequence[Weight]) -> VerdictLabel:
    said = {"correct": 0, "incorrect": 1}
    total = math.fsum(weight[said[vote]] for vote, weight in zip(votes, weights, strict=True) if vote in said)
    if abs(total) < ROUNDING:
        return "unsure"
    return "correct" if total > 0 else "incorrect"


def panel_labels(
    verdicts: Mapping[str, Mapping[ItemT, VerdictLabel | None]],
    rule: Rule = "majority",
    weights: Mapping[str, Weight] | None = None,
) -> dict[ItemT, VerdictLabel | None]:
    """The panel's label of every item that any judge was asked about; `verdicts` is judge, then item, then label.

    An item that a judge has no entry for counts as a vote not cast. Raises ValueError as `panel_label` does, and
    KeyError for a judge without a weight.
    """
    items = dict.fromkeys(item for labels in verdicts.values() for item in labels)
    counts = [weights[judge] for judge in verdicts] if weights is not None else None
    return {item: panel_label([labels.get(item) for labels in verdicts.values()], rule, counts) for item in items}
