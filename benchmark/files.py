"""Files as the run folder needs them: lines appended whole, files replaced in one step, one writer at a time.

Promises: a reader sees a whole file or the former one; what a kill tears is the last line, which can be cut off.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import msgspec
from filelock import FileLock, Timeout

from benchmark.errors import RunConflict


@contextmanager
def held(folder: Path) -> Iterator[None]:
    """Hold a folder, made if need be, as its only writer. Raises RunConflict when somebody else holds it."""
    folder.mkdir(parents=True, exist_ok=True)
    lock = FileLock(folder / ".lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise RunConflict(f"another process is writing to {folder}", "Wait for it, or end it, and run again.") from None
    try:
        yield
    finally:
        lock.release()


def append_lines(path: Path, records: Iterable[object]) -> None:
    """Append records as JSON lines in one write, and see them to the disk."""
    body = b"".join(map(line_of, records))
    if not body:
        return
    with path.open("ab") as handle:
        handle.write(body)
        handle.flush()
        os.fsync(handle.fileno())


def line_of(record: object) -> bytes:
    """A record as a JSON line."""
    try:
        return msgspec.json.encode(record) + b"\n"
    except UnicodeEncodeError:  # half a character (a lone surrogate) in a model's text: UTF-8 cannot hold it
        return json.dumps(msgspec.to_builtins(record), ensure_ascii=False).encode("utf-8", "replace") + b"\n"


def cut_torn_line(path: Path) -> None:
    """Cut off what follows the last line end."""
    if not path.exists():
        return
    body = path.read_bytes()
    whole = body.rfind(b"\n") + 1
    if whole < len(body):
        with path.open("rb+") as handle:
            handle.truncate(whole)


def write_atomically(path: Path, body: bytes) -> None:
    """Write a file so that a reader sees the old one or the new one, never a part."""
    with replacing(path) as handle:
        handle.write(body)


@contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """A file to write that takes the place of `path` when the block ends well, and leaves no trace when it does not."""
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with part.open("wb") as handle:
            yield handle
            handle.flush()
            os.fsync(handle.fileno())
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
