"""Generations by example, found on disk without holding them: what lets many runs be scored together as a stream.

Promises: of a generation that stands twice (a retried failure) the last one is found; memory grows by some bytes a
generation, not by its text; a line that is no generation is an error that names it.
"""

from __future__ import annotations

from array import array
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import BinaryIO

import msgspec

from benchmark.errors import UsageError
from benchmark.types import Generation


class _Key(msgspec.Struct):
    """The part of a generation's line that names it; the decoder skips the rest."""

    example_id: str
    sample: int = 0


class Answers:
    """One run's generations, by the position of their example. Use as a context manager.

    `unknown` holds the ids of generations for which there is no example. Raises UsageError for a broken line.
    """

    def __init__(self, path: Path, positions: Mapping[str, int]) -> None:
        self.unknown: set[str] = set()
        self._path = path
        self._positions = positions
        self._first = array("q", [-1]) * (
            max(positions.values(), default=-1) + 1
        )  # where sample 0 of each example begins
        self._more: dict[int, dict[int, int]] = {}  # example -> sample -> where, for other samples
        self._file: BinaryIO | None = path.open("rb") if path.exists() else None
        self._decoder = msgspec.json.Decoder(Generation)
        self._index()

    def __enter__(self) -> Answers:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()

    def of(self, example_id: str) -> list[Generation]:
        """The generations of one example, by sample."""
        position = self._positions[example_id]
        places = {0: self._first[position], **self._more.get(position, {})}
        return [self._at(places[sample]) for sample in sorted(places) if places[sample] >= 0]

    def _at(self, place: int) -> Generation:
        assert self._file is not None
        self._file.seek(place)
        try:
            return self._decoder.decode(self._file.readline())
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise self._broken(f"the line at byte {place}", error) from None

    def _index(self) -> None:
        keys, place = msgspec.json.Decoder(_Key), 0
        for number, line in enumerate(self._file or (), 1):
            if not line.endswith(b"\n"):
                return  # torn, or still being written
            try:
                self._note(keys.decode(line), place)
            except (msgspec.DecodeError, UnicodeDecodeError) as error:
                self.close()
                raise self._broken(f"line {number}", error) from None
            place += len(line)

    def _note(self, key: _Key, place: int) -> None:
        position = self._positions.get(key.example_id)
        if position is None:
            self.unknown.add(key.example_id)
            return
        if key.sample == 0:
            self._first[position] = place
        else:
            self._more.setdefault(position, {})[key.sample] = place

    def _broken(self, where: str, error: Exception) -> UsageError:
        return UsageError(f"{self._path}, {where}: {error}", "Delete that line and run again; it is made anew.")
