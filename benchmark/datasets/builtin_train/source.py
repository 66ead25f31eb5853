"""A stream of choices for the generator of the train split.

Promises: the choices depend on the seed's text alone: not on Python's version, its hash seed or the platform.
Does not: replace the module `random`; its distributions may change between versions, so it is not used here.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from typing import TypeVar

T = TypeVar("T")


class Source:
    """Draws from SHA-256 of the seed and a counter.

    >>> Source("a").below(10) == Source("a").below(10)
    True
    """

    def __init__(self, *seed: object) -> None:
        self._words = _words("/".join(map(str, seed)))

    def below(self, limit: int) -> int:
        """A whole number from 0 up to `limit`, which is not included."""
        return next(self._words) * limit >> 32

    def chance(self, percent: int) -> bool:
        """True in `percent` of 100 cases."""
        return self.below(100) < percent

    def pick(self, *options: T) -> T:
        """One of the arguments."""
        return options[self.below(len(options))]

    def choice(self, options: Sequence[T]) -> T:
        """One element of a sequence that is not empty."""
        return options[self.below(len(options))]

    def sample(self, options: Sequence[T], size: int) -> list[T]:
        """Up to `size` elements, each at most once, in random order."""
        return self.shuffled(options)[:size]

    def shuffled(self, options: Sequence[T]) -> list[T]:
        """All elements in random order (Fisher and Yates)."""
        mixed = list(options)
        for last in range(len(mixed) - 1, 0, -1):
            other = self.below(last + 1)
            mixed[last], mixed[other] = mixed[other], mixed[last]
        return mixed

    def kept(self, options: Sequence[T], size: int) -> list[T]:
        """Up to `size` elements in the order in which they stand."""
        places = sorted(self.sample(range(len(options)), size))
        return [options[place] for place in places]


def _words(seed: str) -> Iterator[int]:
    counter = 0
    while True:
        block = hashlib.sha256(f"{seed}#{counter}".encode()).digest()
        yield from (int.from_bytes(block[start : start + 4], "big") for start in range(0, 32, 4))
        counter += 1
