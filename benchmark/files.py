"""Files as the run folder needs them: lines appended whole, files replaced in one step, one writer at a time.

Promises: a reader sees a whole file or the former one; what a kill or a full disk tears is the last line, which can be
cut off; an OSError names its file.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from io import RawIOBase
from pathlib import Path
from typing import BinaryIO

import msgspec
from filelock import FileLock, Timeout

from benchmark.errors import RunConflict

#: Bytes that are read at once when the end of a file is looked at.
_BLOCK = 1 << 16


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
    with naming(path), path.open("ab") as handle:
        handle.write(body)
        handle.flush()
        os.fsync(handle.fileno())


def write_whole(handle: RawIOBase, body: bytes) -> None:
    """Write all of a body to an unbuffered file: on a disk that is nearly full the system takes a part, and says so."""
    left = memoryview(body)
    while left:
        left = left[handle.write(left) or 0 :]


@contextmanager
def naming(path: Path) -> Iterator[None]:
    """Give the name of a file to an OSError that has none: that of a failed write does not say where."""
    try:
        yield
    except OSError as error:
        error.filename = error.filename or str(path)
        raise


def line_of(record: object) -> bytes:
    """A record as a JSON line."""
    try:
        return msgspec.json.encode(record) + b"\n"
    except UnicodeEncodeError:  # half a character (a lone surrogate) in a model's text: UTF-8 cannot hold it
        return json.dumps(msgspec.to_builtins(record), ensure_ascii=False).encode("utf-8", "replace") + b"\n"


def is_file(path: Path) -> bool:
    """Whether there is a file. A name that is too long for one, which may be a stranger's text, names none."""
    try:
        return path.is_file()
    except OSError:
        return False


def cut_torn_line(path: Path) -> None:
    """Cut off what follows the last line end. Reads no more than that."""
    if not path.exists():
        return
    with path.open("rb+") as handle:
        size = handle.seek(0, os.SEEK_END)
        whole = _line_end(handle, size)
        if whole < size:
            handle.truncate(whole)


def _line_end(handle: BinaryIO, size: int) -> int:
    """The place after the last line end of a file, 0 if it has none."""
    start = size
    while start > 0:
        end, start = start, max(0, start - _BLOCK)
        handle.seek(start)
        found = handle.read(end - start).rfind(b"\n")
        if found >= 0:
            return start + found + 1
    return 0


def clear_parts(folder: Path) -> None:
    """Remove the parts of files that killed writers left. For the one who holds the folder."""
    for part in folder.glob(".*.part"):
        part.unlink(missing_ok=True)


def clear_dead_parts(files: Iterable[Path]) -> None:
    """Remove the parts of files whose writers, named by their numbers, have gone. For a folder that nobody holds."""
    written = set(files)
    for folder in {path.parent for path in written}:
        for part in folder.glob(".*.part"):
            name, _, number = part.name[1:].removesuffix(".part").rpartition(".")
            if folder / name in written and number.isdecimal() and not _alive(int(number)):
                part.unlink(missing_ok=True)


def _alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:  # somebody else's
        pass
    return True


def write_atomically(path: Path, body: bytes) -> None:
    """Write a file so that a reader sees the old one or the new one, never a part."""
    with replacing(path) as handle:
        handle.write(body)


@contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """A file to write that takes the place of `path` when the block ends well, and leaves no trace when it does not."""
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with naming(path), part.open("wb") as handle:
            yield handle
            handle.flush()
            os.fsync(handle.fileno())
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
