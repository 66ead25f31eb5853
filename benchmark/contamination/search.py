"""Finding overlap: the test items by each of their forms, and past them the training items as one stream.

Promises: what is found does not depend on the order of the test items; each near question was compared word by word, so
MinHash may miss one and cannot make one up. 100,000 training items against 5,000 take minutes (docs/contamination.md).
Does not: read meaning. A question in wholly other words is not found.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from benchmark.contamination.texts import Item, item_digest
from benchmark.overlap import Overlap

#: Called as progress(stage, done, total).
Progress = Callable[[str, int, int], None]
#: Shares of words in common (Jaccard, of bags): of two questions, and of their golds' trees.
NEAR_QUESTION, NEAR_GOLD = 0.8, 0.7
#: Questions below this share are not even compared; hash functions of a MinHash.
_CANDIDATE, _HASHES = 0.7, 64
_SEED = 2024


def find_overlaps(train: Sequence[Item], test: Sequence[Item], progress: Progress | None = None) -> list[Overlap]:
    """What each test item has in common with the training items, in the order of the test items."""
    index = _Index(test)
    for done, item in enumerate(train, 1):
        index.meet(replace(item))  # its forms are dropped with the copy: memory does not grow with the training split
        if progress is not None and (done % 1000 == 0 or done == len(train)):
            progress("compare", done, len(train))
    return index.overlaps()


def items_of_test(train: Iterable[Item], test: Iterable[Item]) -> dict[str, str]:
    """Ids of training items that are test items, but for case, white space and punctuation -> the test item's id."""
    known = {key: item.id for item in test for key in _normal(item)}
    found = ((item.id, known.get(key)) for item in train for key in _normal(item))
    return {train_id: test_id for train_id, test_id in found if test_id is not None}


def _normal(item: Item) -> list[tuple[object, ...]]:
    return [(item.words, gold) for gold in item.plain_golds]


def _forms(item: Item) -> Iterator[tuple[str, object]]:
    """Each kind of overlap with what two items must share to have it."""
    yield "exact_question", item.question
    yield "normal_question", item.words
    for gold, plain, tree in zip(item.golds, item.plain_golds, item.trees, strict=True):
        yield "exact", (item.question, gold)
        yield "exact_gold", gold
        yield "normal", (item.words, plain)
        yield "normal_gold", plain
        yield "template", (item.open_words, tree)
        yield "tree", tree


class _Index:
    """The test items by their forms, and by the MinHash of their questions."""

    def __init__(self, test: Sequence[Item]) -> None:
        from datasketch import MinHashLSH

        self._test = test
        self._kinds: list[dict[str, str]] = [{} for _ in test]
        self._nearest: list[float | None] = [None] * len(test)
        self._places: dict[tuple[str, object], list[int]] = {}
        self._hashes = _Hashes()
        self._near = MinHashLSH(threshold=_CANDIDATE, num_perm=_HASHES)
        for place, item in enumerate(test):
            for form in dict.fromkeys(_forms(item)):
                self._places.setdefault(form, []).append(place)
            if item.bag:
                self._near.insert(place, self._hashes.of(item.bag))

    def meet(self, item: Item) -> None:
        """Note what a training item has in common with the test items."""
        for kind, form in _forms(item):
            for place in self._places.get((kind, form), ()):
                self._kinds[place].setdefault(kind, item.id)
        for place in self._near.query(self._hashes.of(item.bag)) if item.bag else ():
            self._compare(place, item)

    def overlaps(self) -> list[Overlap]:
        found = zip(self._test, self._kinds, self._nearest, strict=True)
        return [
            Overlap(example_id=item.id, item=item_digest(item), kinds=kinds, similarity=nearest)
            for item, kinds, nearest in found
        ]

    def _compare(self, place: int, item: Item) -> None:
        share, nearest = in_common(self._test[place].bag, item.bag), self._nearest[place] or 0.0
        self._nearest[place] = max(share, nearest)
        is_first = "near" not in self._kinds[place]
        if share >= NEAR_QUESTION and (is_first or share > nearest) and _golds_alike(self._test[place], item):
            self._kinds[place]["near"] = item.id


class _Hashes:
    """MinHashes of bags of words."""

    def __init__(self) -> None:
        from datasketch import MinHash

        self._make = MinHash
        self._blank = MinHash(num_perm=_HASHES, seed=_SEED)

    def of(self, bag: Counter[str]) -> Any:
        made = self._blank.copy()
        made.update_batch([f"{word}\0{n}".encode() for word, count in bag.items() for n in range(count)])
        return made


def in_common(a: Counter[str], b: Counter[str]) -> float:
    """The share of words that two bags have in common, of all that either has; 1 for two empty ones.

    >>> in_common(Counter("aab"), Counter("abc"))
    0.5
    """
    either = (a | b).total()
    return (a & b).total() / either if either else 1.0


def _golds_alike(a: Item, b: Item) -> bool:
    return in_common(Counter(a.gold_words), Counter(b.gold_words)) >= NEAR_GOLD
