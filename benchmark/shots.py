"""Few-shot examples: which items of a train split stand before a question, the same ones or those most like it.

Promises: never an example whose question or gold is that of an item that is asked about; the choice depends on the
items, the seed and the train split alone, and not on the order of either file where the seed chooses.
Does not: load a split (`benchmark.asking`), or look at the answers of the item that is asked about but to keep clear of
them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from benchmark.errors import UsageError
from benchmark.fitting import words_of
from benchmark.types import Example

if TYPE_CHECKING:
    import numpy as np

WAYS = ("fixed", "similar")
#: Candidates beyond the wanted number that are ranked at first: some may be left out.
_SPARE = 64
Usable = Callable[[Example], bool]


def choose_shots(
    train: Sequence[Example],
    asked: Sequence[Example],
    k: int,
    *,
    by: str,
    seed: int,
    usable: Usable,
    split: Sequence[Example] = (),
) -> list[tuple[Example, ...]]:
    """For each item that is asked about, `k` items of `train` that are `usable`. Raises UsageError where too few are.

    No shot is like an item of the whole test `split`, of which `asked` may be a sample.
    `fixed`: the same for all, drawn by the seed. `similar`: those whose questions are nearest by BM25 (S. Robertson and
    H. Zaragoza, 2009), the nearest last, beside the question.
    """
    if by == "similar":
        ranking = _Similar(train)
        clear = _Clear([*asked, *split])
        return [tuple(_first(ranking.nearest(one, k), clear, k, usable)[::-1]) for one in asked]
    drawn = sorted(train, key=lambda one: hashlib.sha256(f"{seed}:shot:{one.id}".encode()).digest())
    return [tuple(_first(drawn, _Clear([*asked, *split]), k, usable))] * len(asked)


def _first(candidates: Iterable[Example], clear: _Clear, k: int, usable: Usable) -> list[Example]:
    found: list[Example] = []
    taken = _Clear([])
    for one in candidates:
        if clear(one) and taken(one) and usable(one):
            found.append(one)
            taken.add(one)  # no example stands there twice
        if len(found) == k:
            return found
    raise UsageError(
        f"only {len(found)} examples can stand before the questions, and {k} are asked for",
        "Lower --shots, raise --schema-tokens, or name a larger --shots-from: items that are asked about are left out.",
    )


class _Clear:
    """Whether an example has neither the question nor a gold of certain items, white space and letter case aside."""

    def __init__(self, items: Iterable[Example]) -> None:
        self._questions: set[str] = set()
        self._golds: set[str] = set()
        for one in items:
            self.add(one)

    def __call__(self, example: Example) -> bool:
        return plain(example.question) not in self._questions and self._golds.isdisjoint(map(plain, example.golds))

    def add(self, example: Example) -> None:
        """Keep clear of this example too."""
        self._questions.add(plain(example.question))
        self._golds.update(map(plain, example.golds))


@lru_cache(maxsize=200_000)
def plain(text: str) -> str:
    """A question or a statement without white space, letter case and what ends it.

    >>> plain("SELECT a\\nFROM t ;") == plain("select a from T")
    True
    """
    return "".join(text.casefold().split()).rstrip(";.?!")


class _Similar:
    """A train split, ranked by the words that questions have in common."""

    def __init__(self, train: Sequence[Example]) -> None:
        import bm25s

        self._train = sorted(train, key=lambda one: one.id)
        self._index: Any = bm25s.BM25()
        texts = [[*words_of(one.question)] or [""] for one in self._train]
        self._index.index(texts, show_progress=False)
        self._known = {word for text in texts for word in text}

    def nearest(self, example: Example, k: int) -> Iterator[Example]:
        """All of them, the nearest first; those that are as near in the order of their ids."""
        import numpy as np

        words = [word for word in words_of(example.question) if word in self._known]
        scores = np.zeros(len(self._train))
        if words:
            scores = np.round(self._index.get_scores(words).astype(np.float64), 4)  # the last digits are the machine's
        near = _top(scores, k + _SPARE)
        yield from (self._train[place] for place in near)
        seen = set(near)
        yield from (self._train[place] for place in _top(scores, len(scores)) if place not in seen)


def _top(scores: np.ndarray[Any, np.dtype[np.float64]], n: int) -> list[int]:
    """The places of the `n` highest scores and of all that equal the last of them, highest first."""
    import numpy as np

    least = np.partition(scores, -n)[-n] if n < len(scores) else -np.inf
    places = np.flatnonzero(scores >= least)
    found: list[int] = places[np.argsort(-scores[places], kind="stable")].tolist()
    return found
