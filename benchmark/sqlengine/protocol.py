"""What travels between the pool and a worker process: length-prefixed msgpack frames of typed structs.

Promises: no pickle, so a hostile result can at most be a wrong value of a known type.
"""

from __future__ import annotations

import struct
from typing import BinaryIO, Literal

import msgspec

Status = Literal["ok", "invalid", "refused", "multiple", "timeout", "limit"]
#: Exit code of a worker that ran out of memory. Any other positive code is a flaw of ours, never of a statement.
OUT_OF_MEMORY = 71
#: Changes when the search would find other databases under the same seed: part of a run's identity.
SEARCH_VERSION = "2026-11-25"
_LENGTH = struct.Struct("<I")


class Limits(msgspec.Struct, frozen=True, array_like=True):
    """What one statement may use. A prediction's deadline is relative to its gold's own time."""

    gold_seconds: float = 20.0
    floor_seconds: float = 2.0
    times_gold: float = 10.0
    cap_seconds: float = 20.0
    max_rows: int = 100_000
    max_bytes: int = 64 << 20
    memory_bytes: int = 256 << 20
    preview_rows: int = 5

    def deadline(self, gold_seconds: float) -> float:
        """Seconds that a prediction gets when its gold took `gold_seconds`."""
        return min(self.cap_seconds, max(self.floor_seconds, self.times_gold * gold_seconds))


class Database(msgspec.Struct, frozen=True, array_like=True):
    """Where the rows are: `setup_sql` to run on an empty database, or the `path` of a database file."""

    setup_sql: str = ""
    path: str | None = None


class Search(msgspec.Struct, frozen=True, array_like=True):
    """How hard to look for a database on which a prediction differs from every gold. `seed` decides all that is drawn.

    `skip` holds the places of predictions that need no search, such as those already proved.
    """

    seed: int = 2024
    databases: int = 60
    seconds: float = 2.0
    skip: list[int] = []


class Grid(msgspec.Struct, frozen=True, array_like=True):
    """A result to be shown: column names, and rows of JSON values."""

    columns: list[str]
    rows: list[list[object]]


class Counterexample(msgspec.Struct, frozen=True, array_like=True):
    """A small database, as a script that builds it, and what a gold and the prediction answer on it."""

    setup_sql: str
    gold: Grid
    prediction: Grid


class Job(msgspec.Struct, frozen=True, array_like=True):
    """Compare each prediction with the golds on one database."""

    key: str
    dialect: str
    task: Literal["read", "write"]
    database: Database
    golds: list[str]
    predictions: list[str]
    policy: str = "default"
    limits: Limits = Limits()
    search: Search | None = None
    #: Whether to look at the golds themselves too (`inspection.py`).
    inspect: bool = False
    #: Whether each prediction's result gets a short hash, by which results can be counted.
    hashes: bool = False


class Outcome(msgspec.Struct, frozen=True, array_like=True):
    """How one statement ended; for a prediction, `agrees` says whether its result equals a gold's.

    Where a search was asked for: `counterexample` is what it found, or else `databases` counts those that agreed.
    """

    status: Status
    detail: str = ""
    seconds: float = 0.0
    rows: int | None = None
    agrees: bool = False
    preview: list[list[object]] = []
    counterexample: Counterexample | None = None
    databases: int = 0
    result: str = ""


class Inspected(msgspec.Struct, frozen=True, array_like=True):
    """What a gold's result is worth. Its defaults say that nothing was found against it.

    Of a gold that reads: `all_null`: one row, of NULLs alone; `repeats`: running it again gives the same; `order_free`:
    so do the same rows stored the other way round; `cuts_ties`: its LIMIT keeps one of several rows that its ORDER BY
    ranks alike; `same_when_empty`: tables without rows give the same. Of one that writes: `blanket` holds, by their
    kinds, statements written without knowing the question that leave the same database.
    """

    all_null: bool = False
    repeats: bool = True
    order_free: bool = True
    cuts_ties: bool = False
    same_when_empty: bool = False
    blanket: dict[str, str] = {}


class Reply(msgspec.Struct, frozen=True, array_like=True):
    """A job's outcomes, in the order of its golds and predictions. `setup` says whether the database loaded.

    `inspected` is empty, or has an entry for each gold.
    """

    key: str
    setup: Outcome
    golds: list[Outcome]
    predictions: list[Outcome]
    inspected: list[Inspected] = []


def write_frame(stream: BinaryIO, payload: object) -> None:
    """Send one message."""
    body = msgspec.msgpack.encode(payload)
    stream.write(_LENGTH.pack(len(body)) + body)


def read_frame(stream: BinaryIO) -> bytes | None:
    """The next message's bytes, or None when the other side has gone."""
    head = stream.read(_LENGTH.size)
    if len(head) < _LENGTH.size:
        return None
    (length,) = _LENGTH.unpack(head)
    body = stream.read(length)
    return body if len(body) == length else None
