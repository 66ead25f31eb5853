"""One run's files by item: where the lines of each stand, and what every metric and judge says in one letter.

Promises: memory grows by some bytes a line, not by its text.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Generic, TypeVar

import msgspec
import numpy as np

from benchmark.answers import Answers
from benchmark.errors import UsageError
from benchmark.store import RunFolder
from benchmark.types import NO_VALUE as NO_VALUE_STATUSES
from benchmark.types import Generation, RunManifest, Score, Verdict
from reports.board import JUDGED
from reports.items.layout import ABSENT, NO_VALUE, PARTLY, RIGHT, WRONG

RecordT = TypeVar("RecordT")


class _Scored(msgspec.Struct):
    """What a column needs of a score's line; the decoder skips its evidence."""

    example_id: str
    metric: str
    value: float | None
    status: str


class _Voted(msgspec.Struct):
    """What a column needs of a verdict's line."""

    example_id: str
    judge: str
    label: str | None
    sample: int = 0
    repeat: int = 0
    swapped: bool = False


class Lines(Generic[RecordT]):
    """The lines of a JSON-lines file by the place of their item."""

    def __init__(self, path: Path, kind: type[RecordT]) -> None:
        self._path, self._decoder = path, msgspec.json.Decoder(kind)
        self._places, self._offsets = array("q"), array("q")
        self._order: Any = None
        self._file = path.open("rb") if path.exists() else None

    def scan(self, key: type[Any], places: Mapping[str, int]) -> Iterator[tuple[int, Any]]:
        """Every whole line's place and `key`; afterwards `of` finds lines. Lines of unknown items are passed over."""
        keys, offset = msgspec.json.Decoder(key), 0
        for number, line in enumerate(self._file or (), 1):
            if not line.endswith(b"\n"):
                break
            try:
                found = keys.decode(line)
            except (msgspec.DecodeError, UnicodeDecodeError) as error:
                raise UsageError(f"{self._path}, line {number}: {error}", "Score or judge the run again.") from None
            place = places.get(found.example_id)
            if place is not None:
                self._places.append(place)
                self._offsets.append(offset)
                yield place, found
            offset += len(line)
        self._sort()

    def _sort(self) -> None:
        places, offsets = np.array(self._places, np.int64), np.array(self._offsets, np.int64)
        self._order = np.argsort(places, kind="stable")
        self._sorted, self._starts = places[self._order], offsets[self._order]

    def of(self, place: int) -> list[RecordT]:
        """The records of an item, in the file's order."""
        first, last = np.searchsorted(self._sorted, [place, place + 1]).tolist()
        return [self._at(offset) for offset in self._starts[first:last].tolist()]

    def _at(self, offset: int) -> RecordT:
        assert self._file is not None
        self._file.seek(offset)
        return self._decoder.decode(self._file.readline())

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()


class RunReader:
    """A run's answers, scores and verdicts by item, and its outcome columns. Use as a context manager."""

    def __init__(self, manifest: RunManifest, folder: RunFolder, places: Mapping[str, int]) -> None:
        self.manifest, self.folder, self._ids = manifest, folder, list(places)
        self._answers = Answers(folder.path / "generations.jsonl", places)
        self._scores: Lines[Score] = Lines(folder.path / "scores.jsonl", Score)
        self._verdicts: Lines[Verdict] = Lines(folder.path / "verdicts.jsonl", Verdict)
        try:
            self.outcomes = self._read_outcomes(places)
        except BaseException:
            self.__exit__()
            raise

    def __enter__(self) -> RunReader:
        return self

    def __exit__(self, *_: object) -> None:
        self._answers.close()
        self._scores.close()
        self._verdicts.close()

    @property
    def answered(self) -> int:
        """How many items have a score, and so an answer."""
        return max((len(column) - column.count(ABSENT.encode()) for column in self.outcomes.values()), default=0)

    def answers(self, place: int) -> list[Generation]:
        """The answers to an item, by sample."""
        return self._answers.of(self._ids[place])

    def scores(self, place: int) -> list[Score]:
        """What metrics say of an item's answers."""
        return self._scores.of(place)

    def verdicts(self, place: int) -> list[Verdict]:
        """What judges say of an item's answers, the last word of each question."""
        found = {(v.sample, v.judge, v.repeat, v.swapped): v for v in self._verdicts.of(place)}
        return [found[key] for key in sorted(found)]

    def _read_outcomes(self, places: Mapping[str, int]) -> dict[str, bytearray]:
        columns: dict[str, bytearray] = {}
        empty = ABSENT.encode() * len(places)
        for place, score in self._scores.scan(_Scored, places):
            value = None if score.status in NO_VALUE_STATUSES else score.value
            _note(columns.setdefault(score.metric, bytearray(empty)), place, letter(value))
        said: dict[tuple[str, int, int], str] = {}
        for place, vote in self._verdicts.scan(_Voted, places):
            if vote.repeat == 0 and not vote.swapped:
                value = None if vote.label is None else float(vote.label == "correct")
                said[vote.judge, place, vote.sample] = letter(value)  # a later line is a later word
        for (judge, place, _), found in said.items():
            _note(columns.setdefault(JUDGED + judge, bytearray(empty)), place, found)
        return columns


def letter(value: float | None) -> str:
    """What one value is: right (1), wrong (0), partly right, or none."""
    return NO_VALUE if value is None else RIGHT if value >= 1 else WRONG if value <= 0 else PARTLY


def _note(column: bytearray, place: int, new: str) -> None:
    """Put a letter into a column: of several samples, those that do not agree make it partly right."""
    old = chr(column[place])
    column[place] = ord(new if old in (ABSENT, NO_VALUE, new) else old if new == NO_VALUE else PARTLY)
