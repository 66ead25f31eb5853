"""Publishing a run folder, or the folder of a report's site, to an fsspec URL; again means: go on where it stopped.

Promises: at any moment a reader finds the whole former publication, none, or the whole new one, for the file that opens
the folder (manifest.json, index.html) goes first and comes last. A file that has arrived is not sent again. No file is
touched that was not put there by us. A key of the environment leaves this machine in no file.
Does not: hold the target against a second publisher; find a key inside a compressed file.
"""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from benchmark.errors import RunConflict, StoreUnavailable, UsageError
from benchmark.identity import digest
from benchmark.journal import JOURNAL, MOST_BYTES, Entry, Journal, read_journal, refused_names
from benchmark.keys import key_names
from benchmark.remote import Remote, check_url, joined, open_remote, part_of
from benchmark.store import RunFolder

Progress = Callable[[str, int, int], None]
MANIFEST, INDEX = "manifest.json", "index.html"
#: Seconds between two writings of the journal.
_PACE = 1.0
_BLOCK = 1 << 20
#: Keys of a run's identity that scoring it again may change.
_SCORED = ("policy", "scoring")


@dataclass(frozen=True, slots=True)
class Publication:
    """What was done: numbers of files, and the bytes of those sent; whether the run has all its answers."""

    url: str
    uploaded: int
    kept: int
    removed: int
    bytes: int
    complete: bool = True


def publish(folder: Path, url: str, progress: Progress = lambda stage, done, total: None) -> Publication:
    """Publish a folder as `url`/<its name>/. A run is held meanwhile, so that nobody writes to it.

    Raises UsageError for a folder that is neither a run nor a site, a key in a file, or a URL that cannot be;
    RunConflict where the target holds anything else; StoreUnavailable where the store fails.
    """
    check_url(url)
    folder = folder.resolve()
    with _held(folder):
        wanted, complete = _journal_of(folder)
        remote = open_remote(joined(url, folder.name))
        work = _plan(folder, wanted, remote)
        if work.changed:
            _carry_out(work, progress)
        progress("publish", len(wanted.files), len(wanted.files))
    return Publication(
        url=remote.shown,
        uploaded=len(work.changed),
        kept=len(wanted.files) - len(work.changed),
        removed=len(work.stale),
        bytes=sum(wanted.files[name].size for name in work.changed),
        complete=complete,
    )


@dataclass(frozen=True, slots=True)
class _Work:
    """What is to be done, and the journal's entries as they change."""

    folder: Path
    wanted: Journal
    remote: Remote
    there: dict[str, int]
    entries: dict[str, Entry]
    changed: list[str]
    stale: list[str]
    parts: list[str]

    def note(self) -> None:
        self.remote.put(JOURNAL, self.wanted.with_files(self.entries).body())


@contextmanager
def _held(folder: Path) -> Iterator[None]:
    """Hold a run as its writer; a site, or a run that nobody may write to, needs no holding."""
    run = (folder / MANIFEST).exists() and os.access(folder, os.W_OK)
    with RunFolder(folder).writing() if run else nullcontext():
        yield


def _journal_of(folder: Path) -> tuple[Journal, bool]:
    """The journal of the whole folder, and whether its run is complete. Raises UsageError, and for a key in a file."""
    opening: Literal["manifest.json", "index.html"]
    if (folder / MANIFEST).exists():
        manifest = RunFolder(folder).manifest()
        answers = {name: value for name, value in manifest.identity.items() if name not in _SCORED}
        opening, name, complete = "manifest.json", manifest.run_id, manifest.complete
        identity = digest({"run_id": name, "identity": answers})
    elif (folder / INDEX).exists() and (folder / "files.txt").exists():
        opening, name, identity, complete = "index.html", "", "site", True
    else:
        raise UsageError(
            f"{folder} is neither a run folder nor the folder of a report",
            "'sqlgauge run' makes the one, 'sqlgauge report' the other.",
        )
    keys = key_names()
    files = {found: _examined(folder, found, keys) for found in local_names(folder)}
    return Journal(name=name, identity=identity, opening=opening, files=files), complete


def local_names(folder: Path) -> list[str]:
    """The files to publish, sorted: all but hidden ones, parts and a journal. Raises UsageError for links and such."""
    names = []
    for place, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in (*folders, *files):
            path = Path(place, name)
            if name.startswith(".") or name.endswith(".part") or path == folder / JOURNAL:
                continue
            if path.is_symlink() or not (path.is_dir() or path.is_file()):
                raise UsageError(f"{path} is a link or a device", "Only files are published: take it out, or copy it.")
            if path.is_file():
                names.append(path.relative_to(folder).as_posix())
    if bad := refused_names(names):
        raise UsageError(f"{folder} holds a file whose name cannot be published: {bad[0]!r}", "Rename it.")
    return sorted(names)


def _examined(folder: Path, name: str, keys: dict[bytes, str]) -> Entry:
    """A file's size and hash. Raises UsageError where one of the keys is in it; the key itself is not shown."""
    hashed, size, tail = hashlib.sha256(), 0, b""
    overlap = max(map(len, keys), default=1) - 1
    with (folder / name).open("rb") as handle:
        while block := handle.read(_BLOCK):
            hashed.update(block)
            size += len(block)
            window = tail + block
            for key, variable in keys.items():
                if key in window:
                    raise UsageError(
                        f"{folder / name} holds the value of {variable}: nothing was published",
                        "Take it out of the file, and make a new key if others may have read that one.",
                    )
            tail = window[len(window) - overlap :] if overlap else b""
    return Entry("sha256:" + hashed.hexdigest(), size)


def _plan(folder: Path, wanted: Journal, remote: Remote) -> _Work:
    """What differs between a folder and its target. Raises RunConflict where the target is somebody else's."""
    found, there = journal_at(remote), remote.sizes()
    known = dict(found.files) if found else {}
    if found is not None and (found.name, found.identity) != (wanted.name, wanted.identity):
        raise RunConflict(
            f"{remote.shown} holds {f'another run, {found.name}' if found.name else 'a site'}",
            "Publish to another URL, or rename the folder: two are never mixed.",
        )
    if foreign := sorted(name for name in wanted.files if name in there and name not in known):
        raise RunConflict(
            f"{remote.shown} holds files that sqlgauge did not put there, among them {foreign[0]}",
            "Publish to another URL, or take them away: they are never overwritten.",
        )
    kept = {name for name, entry in wanted.files.items() if known.get(name) == entry and there.get(name) == entry.size}
    stale = sorted(name for name in known if name not in wanted.files)
    parts = sorted({part_of(name) for name in (*wanted.files, *known, JOURNAL)} & there.keys())
    if stale or parts or len(kept) < len(wanted.files):
        kept.discard(wanted.opening)
    changed = [name for name in wanted.files if name not in kept]
    return _Work(folder, wanted, remote, there, known, changed, stale, parts)


def journal_at(remote: Remote) -> Journal | None:
    """The journal of what was published; None where there is none. Raises UsageError for one that is no journal."""
    try:
        return read_journal(b"".join(remote.blocks(JOURNAL, MOST_BYTES)), remote.shown)
    except FileNotFoundError:
        return None


def _carry_out(work: _Work, progress: Progress) -> None:
    """Close the old publication, put what differs, take away what is no more, open the new one."""
    remote, entries, files, opening = work.remote, work.entries, work.wanted.files, work.wanted.opening
    if opening in work.there or opening in entries:
        remote.remove(opening)
    sent = [name for name in work.changed if name != opening]
    # Said before it is done: what is half replaced is neither kept nor a stranger's when somebody goes on from here.
    entries.update({name: Entry(None, files[name].size) for name in sent})
    work.note()
    try:
        _send(work, sent, progress)
        for name in (*work.stale, *work.parts):
            if name in work.there:
                remote.remove(name)
            entries.pop(name, None)
    except StoreUnavailable:
        with suppress(StoreUnavailable):
            work.note()
        raise
    body = (work.folder / opening).read_bytes()
    _check_unchanged(work, opening, hashlib.sha256(body))
    entries[opening] = files[opening]
    work.note()
    remote.put(opening, body)
    remote.settle()


def _send(work: _Work, names: Sequence[str], progress: Progress) -> None:
    """Put files, and write down now and then which have arrived."""
    files, noted = work.wanted.files, time.monotonic()
    for number, name in enumerate(names):
        progress("publish", len(files) - len(work.changed) + number, len(files))
        path = work.folder / name
        work.remote.put(name, path)
        with path.open("rb") as handle:
            _check_unchanged(work, name, hashlib.file_digest(handle, "sha256"))
        work.entries[name] = files[name]
        if time.monotonic() - noted > _PACE:
            work.note()
            noted = time.monotonic()


def _check_unchanged(work: _Work, name: str, hashed: hashlib._Hash) -> None:
    """Raise UsageError for a file that is no longer the one that was looked through."""
    if "sha256:" + hashed.hexdigest() != work.wanted.files[name].sha256:
        raise UsageError(
            f"{work.folder / name} changed while it was being published", "Publish again when nobody writes to it."
        )
