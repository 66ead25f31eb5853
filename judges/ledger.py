"""Verdicts that are paid for already, by key: those of the runs at hand, and those of a cache on this machine.

Promises: what was paid for once is found again by a rerun, by another run with the same prediction, and after a kill;
several processes may use one cache: who asks claims the question first, and others wait for the verdict. A claim ends
with its process, or `LEASE` seconds after that was killed; a clock that is set back prolongs none. Only verdicts with a
label are kept, and no key or URL with credentials is. Does not: fail a run for the cache's sake; one that cannot be
read or written counts as empty.
"""

from __future__ import annotations

import os
import sqlite3
import time
import uuid
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import replace
from pathlib import Path

import msgspec
from platformdirs import user_cache_path

from benchmark.store import RunFolder
from benchmark.types import Verdict

_TABLES = (
    "CREATE TABLE IF NOT EXISTS verdict (key TEXT PRIMARY KEY, body BLOB NOT NULL) WITHOUT ROWID",
    "CREATE TABLE IF NOT EXISTS owner (id TEXT PRIMARY KEY, until REAL NOT NULL) WITHOUT ROWID",
    "CREATE TABLE IF NOT EXISTS claim (key TEXT PRIMARY KEY, owner TEXT NOT NULL) WITHOUT ROWID",
)
_CLAIM = """
    INSERT INTO claim VALUES (:key, :me) ON CONFLICT (key) DO UPDATE SET owner = :me
    WHERE owner = :me OR owner NOT IN (SELECT id FROM owner WHERE until > :now AND until < :now + 2 * :lease)
"""
#: Seconds after which the claims of a process that was killed are free; a living one renews its own.
LEASE = 30.0


def default_cache() -> Path:
    """Where verdicts are kept for other runs: the folder in SQLGAUGE_JUDGE_CACHE, or the user's cache."""
    named = os.environ.get("SQLGAUGE_JUDGE_CACHE")
    return Path(named) if named else user_cache_path("sqlgauge") / "verdicts"


class Cache:
    """Verdicts by key in one SQLite file in a folder, and which process is asking for which."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "verdicts.sqlite"
        self.lease = LEASE
        self._me, self._until = uuid.uuid4().hex, 0.0
        self._db: sqlite3.Connection | None = None
        with suppress(OSError, sqlite3.Error):
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            self.path.touch(mode=0o600)
            self._db = sqlite3.connect(self.path, timeout=30, isolation_level=None)
            self._db.execute("PRAGMA journal_mode=WAL")
            self._db.execute("PRAGMA synchronous=NORMAL")
            for table in _TABLES:
                self._db.execute(table)

    def get(self, key: str) -> Verdict | None:
        """The verdict of a key. A line that cannot be read is none."""
        if self._db is None:
            return None
        with suppress(sqlite3.Error, msgspec.DecodeError, UnicodeDecodeError):
            row = self._db.execute("SELECT body FROM verdict WHERE key = ?", [key]).fetchone()
            return None if row is None else msgspec.json.decode(row[0], type=Verdict)
        return None

    def put(self, key: str, verdict: Verdict) -> None:
        """Keep a verdict, and end the claim; the first one of a key stays."""
        if self._db is not None:
            with suppress(sqlite3.Error, UnicodeEncodeError):
                self._db.execute("INSERT OR IGNORE INTO verdict VALUES (?, ?)", [key, msgspec.json.encode(verdict)])
        self.release(key)  # after the verdict is there: nobody may find neither

    def claim(self, key: str) -> bool:
        """Whether this process may ask for a key; False while another one does. Ask `get` again once it is claimed."""
        if self._db is None:
            return True
        now = time.time()
        with suppress(sqlite3.Error):
            if now > self._until - self.lease / 2:
                self.renew()
            return self._db.execute(_CLAIM, {"key": key, "me": self._me, "now": now, "lease": self.lease}).rowcount == 1
        return True

    def release(self, key: str) -> None:
        """Let others ask for a key."""
        if self._db is not None:
            with suppress(sqlite3.Error):
                self._db.execute("DELETE FROM claim WHERE key = ? AND owner = ?", [key, self._me])

    def renew(self) -> None:
        """Keep all claims of this process for another lease."""
        if self._db is not None:
            with suppress(sqlite3.Error):
                self._until = time.time() + self.lease
                self._db.execute("INSERT OR REPLACE INTO owner VALUES (?, ?)", [self._me, self._until])

    def close(self) -> None:
        """End all claims of this process, and of those that are gone."""
        if self._db is not None:
            with suppress(sqlite3.Error):
                self._db.execute("DELETE FROM owner WHERE id = ? OR until < ?", [self._me, time.time()])
                self._db.execute("DELETE FROM claim WHERE owner NOT IN (SELECT id FROM owner)")
            self._db.close()


class Ledger:
    """What is paid for."""

    def __init__(self, verdicts: Iterable[Verdict], cache: Cache | None) -> None:
        self._known = {one.key: one for one in verdicts if one.label is not None and one.key}
        self._cache = cache

    def find(self, key: str) -> Verdict | None:
        """The verdict that was paid for under this key."""
        return self._known.get(key) or (self._cache.get(key) if self._cache else None)

    def claim(self, key: str) -> Verdict | bool:
        """True where this process may pay for a key; False while another one is about to; what that one got."""
        if self._cache is None:
            return True
        if not self._cache.claim(key):
            return False
        if (paid := self._cache.get(key)) is None:
            return True
        self._cache.release(key)
        return paid

    def release(self, key: str) -> None:
        """This process does not pay for a key after all."""
        if self._cache:
            self._cache.release(key)

    @property
    def lease(self) -> float | None:
        """Seconds within which claims must be renewed; None without a cache."""
        return self._cache.lease if self._cache else None

    def renew(self) -> None:
        """Keep the claims."""
        if self._cache:
            self._cache.renew()

    def keep(self, verdict: Verdict) -> None:
        """Note a verdict that was just paid for. One without a label was not worth its money and is asked again."""
        if verdict.label is None or not verdict.key:
            self.release(verdict.key)
            return
        self._known[verdict.key] = verdict
        if self._cache:
            self._cache.put(verdict.key, replace(verdict, example_id="", sample=0, timing=None))


@contextmanager
def opened(folders: Iterable[RunFolder], cache: Path | None) -> Iterator[Ledger]:
    """The ledger of some runs, and of a cache folder unless that is None."""
    lines = (verdict for folder in folders for verdict in folder.iter_verdicts())
    if cache is None:
        yield Ledger(lines, None)
        return
    with closing(Cache(cache)) as store:
        yield Ledger(lines, store)
