"""Health that is kept on this machine, so that scoring a dataset again does not look at its golds again.

Promises: what is kept is found only for the very same items (database files by path, size and time), under the same
engines and, where a gold reads the clock, on the same day; a file that cannot be read is made anew.
Does not: trust anything that came with a run folder.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from benchmark.files import line_of, write_atomically
from benchmark.health import Health
from benchmark.identity import digest
from benchmark.provenance import versions
from benchmark.sqlengine.inspection import INSPECTION_VERSION
from benchmark.sqlengine.pool import Pool
from benchmark.sqlengine.results import POLICY_VERSION
from benchmark.types import Example
from benchmark.validate.items import check_examples, reads_clock

_ENGINES = ("apsw", "duckdb", "sqlglot")


def health_of(examples: Callable[[], Iterable[Example]], pool: Pool) -> list[Health]:
    """The health of the items that `examples()` yields, as it is kept or by a look at them."""
    path = cache_folder() / f"{_key(examples())}.jsonl"
    kept = _read(path)
    if kept is not None:
        return kept
    found = list(check_examples(examples(), pool))
    _keep(path, found)
    return found


def cache_folder() -> Path:
    """Where health is kept: $SQLGAUGE_HEALTH_CACHE, or the user's cache."""
    given = os.environ.get("SQLGAUGE_HEALTH_CACHE")
    if given:
        return Path(given)
    from platformdirs import user_cache_path

    return user_cache_path("sqlgauge") / "health"


def _key(examples: Iterable[Example]) -> str:
    """What decides the health of items."""
    digests, day = [], ""
    for example in examples:
        digests.append(digest([replace(example, db=None), _file(example.db)]))
        if not day and any(map(reads_clock, example.golds)):
            day = datetime.now(UTC).date().isoformat()
    installed = versions()
    return digest(
        [INSPECTION_VERSION, POLICY_VERSION, [installed.get(name) for name in _ENGINES], day, digests]
    ).removeprefix("sha256:")


def _file(path: str | None) -> Any:
    if path is None:
        return None
    try:
        found = Path(path).stat()
    except OSError:
        return path
    return [path, found.st_size, found.st_mtime_ns]


def _read(path: Path) -> list[Health] | None:
    decoder = msgspec.json.Decoder(Health)
    try:
        return [decoder.decode(line) for line in path.read_bytes().splitlines()]
    except (OSError, msgspec.DecodeError, UnicodeDecodeError):
        return None


def _keep(path: Path, health: Sequence[Health]) -> None:
    """Keep it if that is possible: a cache that cannot be written is no reason to fail."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, b"".join(map(line_of, health)))
    except OSError:
        return
