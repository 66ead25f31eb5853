"""Health that is kept on this machine, so that scoring a dataset again does not look at its golds again.

Promises: what is kept is found only for the very same items (database files by path, size and time), under the same
engines and, where a gold reads the clock, on the same day; a file that cannot be read is made anew.
Does not: trust anything that came with a run folder.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any

import msgspec

from benchmark.files import append_lines
from benchmark.health import Health
from benchmark.identity import digest
from benchmark.provenance import versions
from benchmark.sqlengine.inspection import INSPECTION_VERSION
from benchmark.sqlengine.pool import Pool
from benchmark.sqlengine.results import POLICY_VERSION
from benchmark.types import Example
from benchmark.validate.items import check_examples, reads_clock

_ENGINES = ("apsw", "duckdb", "sqlglot")
#: Records that are written at once.
_BATCH = 1000


def health_of(examples: Callable[[], Iterable[Example]], pool: Pool) -> Iterator[Health]:
    """The health of the items that `examples()` yields, in their order: as it is kept, or by a look at them."""
    path = cache_folder() / f"{_key(examples())}.jsonl"
    yield from _read(path) if _is_whole(path) else _keeping(path, check_examples(examples(), pool))


def cache_folder() -> Path:
    """Where health is kept: $SQLGAUGE_HEALTH_CACHE, or the user's cache."""
    given = os.environ.get("SQLGAUGE_HEALTH_CACHE")
    if given:
        return Path(given)
    from platformdirs import user_cache_path

    return user_cache_path("sqlgauge") / "health"


def _key(examples: Iterable[Example]) -> str:
    """What decides the health of items."""
    items, day = hashlib.sha256(), ""
    for example in examples:
        items.update(digest([replace(example, db=None), _file(example.db)]).encode())
        if not day and any(map(reads_clock, example.golds)):
            day = datetime.now(UTC).date().isoformat()
    installed = versions()
    engines = [installed.get(name) for name in _ENGINES]
    return digest([INSPECTION_VERSION, POLICY_VERSION, engines, day, items.hexdigest()]).removeprefix("sha256:")


def _file(path: str | None) -> Any:
    if path is None:
        return None
    try:
        found = Path(path).stat()
    except OSError:
        return path
    return [path, found.st_size, found.st_mtime_ns]


def _read(path: Path) -> Iterator[Health]:
    decoder = msgspec.json.Decoder(Health)
    with path.open("rb") as lines:
        yield from map(decoder.decode, lines)


def _is_whole(path: Path) -> bool:
    """Whether every line can be read: known before the first of them is used."""
    try:
        for _ in _read(path):
            pass
    except (OSError, msgspec.DecodeError, UnicodeDecodeError):
        return False
    return True


def _keeping(path: Path, found: Iterable[Health]) -> Iterator[Health]:
    """Pass records on, and keep them if that is possible: a cache that cannot be written is no reason to fail."""
    part, records, kept = path.with_name(f".{path.name}.{os.getpid()}.part"), iter(found), True
    try:
        while batch := list(islice(records, _BATCH)):
            kept = kept and _added(part, batch)
            yield from batch
        if kept:
            with suppress(OSError):
                part.replace(path)
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)


def _added(part: Path, records: Iterable[Health]) -> bool:
    try:
        part.parent.mkdir(parents=True, exist_ok=True)
        append_lines(part, records)
    except OSError:
        return False
    return True
