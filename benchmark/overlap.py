"""What a test item has in common with training items: one record an item, and which items are clean.

Promises: pure records and functions; whoever reads a run folder needs nothing else to score the clean part.
Does not: find overlap (`benchmark.contamination` does).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from benchmark.types import SCHEMA_VERSION

#: Kinds of overlap, from the surest on: what of the item a training item has too.
MEANING: Mapping[str, str] = {
    "exact": "question and gold, to the letter",
    "exact_question": "the question, to the letter",
    "normal": "question and gold, but for case, white space and punctuation",
    "normal_question": "the question, but for case, white space and punctuation",
    "template": "question and gold, but for the literals in them",
    "near": "nearly the same words in the question, and a gold alike",
    "exact_gold": "the gold alone, to the letter",
    "normal_gold": "the gold alone, but for case, white space and punctuation",
    "tree": "the gold alone, as a tree with its literals left open",
}
#: Kinds after which a model may know the item. A gold alone shows that it has seen such a query, not this question.
SEEN: frozenset[str] = frozenset({"exact", "exact_question", "normal", "normal_question", "template", "near"})
#: Kinds that make a training item the very item of the test.
SAME_ITEM: frozenset[str] = frozenset({"exact", "normal"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Overlap:
    """One test item: `kinds` maps each kind of overlap to the id of a training item that has it.

    `item` is the tagged hash of question and golds, `similarity` the share of words in common with the nearest question
    that was compared, in [0, 1].
    """

    example_id: str
    item: str
    kinds: Mapping[str, str] = field(default_factory=dict)
    similarity: float | None = None
    schema_version: int = SCHEMA_VERSION

    @property
    def seen(self) -> bool:
        return not SEEN.isdisjoint(self.kinds)


def clean(overlaps: Mapping[str, Overlap]) -> frozenset[str]:
    """Ids of the items that no training item is like."""
    return frozenset(key for key, one in overlaps.items() if not one.seen)


def counts(overlaps: Iterable[Overlap]) -> dict[str, int]:
    """How many items have each kind of overlap, `seen` for those with any kind of `SEEN`, and `items` for all."""
    items = list(overlaps)
    found = {kind: sum(kind in one.kinds for one in items) for kind in MEANING}
    return {"items": len(items), "seen": sum(one.seen for one in items), **found}
