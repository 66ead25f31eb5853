"""Fetching what was published: a run folder or a site from an fsspec URL, checked against its journal.

Promises: the folder appears whole, every file with the sha256 that the journal says, or not at all; what is there is
never replaced; a name of the journal's, which is a stranger's, is none outside the folder. Again means: go on.
Does not: say that a publication is right; 'sqlgauge verify' does.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from benchmark.errors import RunConflict, UsageError
from benchmark.files import clear_parts, held, replacing
from benchmark.identity import file_digest
from benchmark.journal import JOURNAL, Entry, Journal, is_plain
from benchmark.publishing import journal_at
from benchmark.remote import Remote, open_remote

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class Fetched:
    """What there is now: the folder, how many files it has, how many of them came now, and their bytes."""

    folder: str
    files: int
    downloaded: int
    bytes: int


def fetch(url: str, out: Path, progress: Progress = lambda stage, done, total: None) -> Fetched:
    """Download a publication into `out`/<the last part of its URL>.

    Raises UsageError for what is no publication, one that is not whole, or a file that is not what its journal says;
    RunConflict where another folder is in the way; StoreUnavailable where the store fails.
    """
    name = url.rstrip("/").rpartition("/")[2]
    remote = open_remote(url)
    if not is_plain(name):
        raise UsageError(f"{remote.shown} does not end in a folder's name", "Write URL/RUN.")
    journal = journal_at(remote)
    if journal is None:
        raise UsageError(f"{remote.shown} is no publication: it has no {JOURNAL}", "'sqlgauge publish' makes one.")
    if not journal.whole:
        raise _not_whole(remote)
    target, part = out / name, out / f".{name}.part"
    if target.exists():
        if not all(_holds(target / file, entry) for file, entry in journal.files.items()):
            raise RunConflict(f"{target} is there, and is not what {remote.shown} holds", "Choose another --out.")
        return Fetched(str(target), len(journal.files), 0, 0)
    with held(part):
        came = _fill(part, journal, remote, progress)
        part.rename(target)
    return Fetched(str(target), len(journal.files), len(came), sum(journal.files[file].size for file in came))


def _fill(part: Path, journal: Journal, remote: Remote, progress: Progress) -> list[str]:
    """Download what the folder lacks, the opening file last. The names."""
    clear_parts(part)
    came = []
    names = sorted(journal.files, key=lambda name: (name == journal.opening, name))
    for number, name in enumerate(names):
        progress("fetch", number, len(names))
        if not _holds(part / name, journal.files[name]):
            _download(part / name, name, journal.files[name], remote)
            came.append(name)
    for path in list(part.rglob("*")):  # of an earlier fetch, and no longer published
        if path.is_file() and path.name != ".lock" and path.relative_to(part).as_posix() not in journal.files:
            path.unlink()
    progress("fetch", len(names), len(names))
    return came


def _download(path: Path, name: str, entry: Entry, remote: Remote) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    hashed = hashlib.sha256()
    try:
        with replacing(path) as handle:
            for block in remote.blocks(name, entry.size):
                hashed.update(block)
                handle.write(block)
            if "sha256:" + hashed.hexdigest() != entry.sha256:
                raise UsageError(
                    f"{name} of {remote.shown} is not what {JOURNAL} says of it",
                    "It is damaged, or being published anew: fetch again later.",
                )
    except FileNotFoundError:
        raise _not_whole(remote) from None


def _holds(path: Path, entry: Entry) -> bool:
    return path.is_file() and path.stat().st_size == entry.size and file_digest(path) == entry.sha256


def _not_whole(remote: Remote) -> UsageError:
    return UsageError(
        f"{remote.shown} is not whole: it is being published, or a publication was broken off",
        "Fetch again later; 'sqlgauge publish' goes on with one.",
    )
