"""Verdicts that are paid for already, by key: those of the runs at hand, and those of a cache on this machine.

Promises: what was paid for once is found again by a rerun, by another run with the same prediction, and after a kill;
several processes may use one cache. Only verdicts with a label are kept, and no key or URL with credentials is.
Does not: fail a run for the cache's sake; a cache that cannot be read or written counts as empty.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import replace
from pathlib import Path

import msgspec
from platformdirs import user_cache_path

from benchmark.store import RunFolder
from benchmark.types import Verdict

_TABLE = "CREATE TABLE IF NOT EXISTS verdict (key TEXT PRIMARY KEY, body BLOB NOT NULL) WITHOUT ROWID"


def default_cache() -> Path:
    """Where verdicts are kept for other runs: the folder in SQLGAUGE_JUDGE_CACHE, or the user's cache."""
    named = os.environ.get("SQLGAUGE_JUDGE_CACHE")
    return Path(named) if named else user_cache_path("sqlgauge") / "verdicts"


class Cache:
    """Verdicts by key in one SQLite file in a folder."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "verdicts.sqlite"
        self._db: sqlite3.Connection | None = None
        with suppress(OSError, sqlite3.Error):
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            self.path.touch(mode=0o600)
            self._db = sqlite3.connect(self.path, timeout=30, isolation_level=None)
            self._db.execute("PRAGMA journal_mode=WAL")
            self._db.execute("PRAGMA synchronous=NORMAL")
            self._db.execute(_TABLE)

    def get(self, key: str) -> Verdict | None:
        """The verdict of a key. A line that cannot be read is none."""
        if self._db is None:
            return None
        with suppress(sqlite3.Error, msgspec.DecodeError):
            row = self._db.execute("SELECT body FROM verdict WHERE key = ?", [key]).fetchone()
            return None if row is None else msgspec.json.decode(row[0], type=Verdict)
        return None

    def put(self, key: str, verdict: Verdict) -> None:
        """Keep a verdict; the first one of a key stays."""
        if self._db is not None:
            with suppress(sqlite3.Error, UnicodeEncodeError):
                self._db.execute("INSERT OR IGNORE INTO verdict VALUES (?, ?)", [key, msgspec.json.encode(verdict)])

    def close(self) -> None:
        if self._db is not None:
            self._db.close()


class Ledger:
    """What is paid for."""

    def __init__(self, verdicts: Iterable[Verdict], cache: Cache | None) -> None:
        self._known = {one.key: one for one in verdicts if one.label is not None and one.key}
        self._cache = cache

    def find(self, key: str) -> Verdict | None:
        """The verdict that was paid for under this key."""
        return self._known.get(key) or (self._cache.get(key) if self._cache else None)

    def keep(self, verdict: Verdict) -> None:
        """Note a verdict that was just paid for. One without a label was not worth its money and is asked again."""
        if verdict.label is None or not verdict.key:
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
