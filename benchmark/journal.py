"""The journal of a publication, `publication.json` beside its files: what was put there, by name, with size and sha256.

Promises: a journal is read as a stranger's text: whatever it names lies inside the folder, and is neither hidden nor
the journal itself.
Does not: know where it is kept.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from typing import Literal

import msgspec

from benchmark.errors import UsageError

JOURNAL = "publication.json"
#: The most bytes of a journal that are read: some 500,000 files.
MOST_BYTES = 1 << 26
_NAME_BYTES = 255


@dataclass(frozen=True, slots=True)
class Entry:
    """A file that we put there; `sha256` is None from before it is replaced until that is done."""

    sha256: str | None
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Journal:
    """`opening` is the file without which the folder cannot be read: it is there only while all others are, too."""

    name: str
    identity: str
    opening: Literal["manifest.json", "index.html"]
    files: Mapping[str, Entry]
    schema_version: Literal[1] = 1

    @property
    def whole(self) -> bool:
        """Whether every file has arrived, but for the opening one."""
        return self.opening in self.files and all(entry.sha256 is not None for entry in self.files.values())

    def with_files(self, files: Mapping[str, Entry]) -> Journal:
        return replace(self, files=dict(files))

    def body(self) -> bytes:
        return msgspec.json.format(msgspec.json.encode(self, order="deterministic"), indent=1) + b"\n"


def read_journal(body: bytes, shown: str) -> Journal:
    """A journal from its bytes; `shown` is where it lies. Raises UsageError for what is none, or names what it may not.

    >>> read_journal(b'{"name": "r", "identity": "", "opening": "index.html", "files": {}}', "").whole
    False
    """
    try:
        journal = msgspec.json.decode(body, type=Journal)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise UsageError(
            f"{shown}/{JOURNAL} is damaged, or another version's: {error}", "Publish to another URL, or empty that one."
        ) from None
    if bad := refused_names(journal.files):
        raise UsageError(
            f"{shown}/{JOURNAL} names files that no publication has: {', '.join(map(repr, bad[:3]))}",
            "It is not to be trusted: nothing was written.",
        )
    return journal


def refused_names(names: Iterable[str]) -> list[str]:
    """Those that are not the names of plain files inside a folder.

    >>> refused_names(["a.json", "d/b.js", "../x", "/abs", "C:\\\\x", "d/.git", "a.json/c", "x.part"])
    ['../x', '/abs', 'C:\\\\x', 'd/.git', 'a.json/c', 'x.part']
    """
    known = set(names)
    return [name for name in names if not is_plain(name) or known & {str(p) for p in PurePosixPath(name).parents}]


def is_plain(name: str) -> bool:
    """Whether a name, with / between its parts, stays inside a folder on every system, and is not kept from publishing.

    >>> is_plain("data/q.1.js"), is_plain(""), is_plain("a//b"), is_plain("a" + chr(0))
    (True, False, False, False)
    """
    parts = name.split("/")
    return (
        name.isprintable()
        and not set(name) & set("\\:")
        and all(part and not part.startswith(".") and len(part.encode()) <= _NAME_BYTES for part in parts)
        and not name.endswith(".part")
        and name != JOURNAL
    )
