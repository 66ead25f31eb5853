"""Generations by example, found on disk without holding them: what lets many runs be scored together as a stream.

Promises: of a generation that stands twice (a retried failure) the last one is found; memory grows by some bytes a
generation, not by its text.
"""

from __future__ import annotations

from array import array
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import BinaryIO

import msgspec

from benchmark.types import Generation


class _Key(msgspec.Struct):
    """The part of a generation's line that names it; the decoder skips the rest."""

    example_id: str
    sample: int = 0


class Answers:
    """One run's generations, by the position of their example. Use as a context manager."""

    def __init__(self, path: Path, positions: Mapping[str, int]) -> None:
        self._positions = positions
        self._first = array("q", [-1]) * len(positions)  # where sample 0 of each example begins
        self._more: dict[tuple[int, int], int] = {}  # (example, sample) -> where, for other samples
        self._samples = 1
        self._file: BinaryIO | None = path.open("rb") if path.exists() else None
        self._decoder = msgspec.json.Decoder(Generation)
        self._index()

    def __enter__(self) -> Answers:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file is not None:
            self._file.close()

    def of(self, example_id: str) -> list[Generation]:
        """The generations of one example, by sample."""
        position = self._positions[example_id]
        places = [self._first[position]]
        places += [self._more.get((position, sample), -1) for sample in range(1, self._samples)]
        return [self._at(place) for place in places if place >= 0]

    def _at(self, place: int) -> Generation:
        assert self._file is not None
        self._file.seek(place)
        return self._decoder.decode(self._file.readline())

    def _index(self) -> None:
        keys, place = msgspec.json.Decoder(_Key), 0
        for line in self._file or ():
            if not line.endswith(b"\n"):
                return  # torn, or still being written
            self._note(keys.decode(line), place)
            place += len(line)

    def _note(self, key: _Key, place: int) -> None:
        position = self._positions.get(key.example_id)
        if position is None:
            return  # not of this run's examples
        if key.sample == 0:
            self._first[position] = place
        else:
            self._more[position, key.sample] = place
            self._samples = max(self._samples, key.sample + 1)
