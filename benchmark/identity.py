"""Identity: the tagged hash of everything that changes an answer, and of nothing else.

Promises: equal content gives an equal hash on every machine and Python version;
the algorithm's name is part of the hash.
Does not: include times, paths, host names or library versions (those are provenance).
"""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import Any

import msgspec


def canonical_json(value: Any) -> bytes:
    """UTF-8 JSON with sorted keys and no white space; records become objects.

    >>> canonical_json({"b": 1, "a": (True, None)})
    b'{"a":[true,null],"b":1}'
    """
    return msgspec.json.encode(value, order="deterministic")


def digest(value: Any) -> str:
    """The tagged hash of a JSON-like value, for instance 'sha256:9f86d0…' (64 hexadecimal digits)."""
    return "sha256:" + hashlib.sha256(canonical_json(value)).hexdigest()


def text_digest(text: str) -> str:
    """The tagged hash of a text, with line ends normalised."""
    return "sha256:" + hashlib.sha256(text.replace("\r\n", "\n").encode()).hexdigest()


def file_digest(path: Path) -> str:
    """The tagged hash of a file's bytes."""
    with path.open("rb") as handle:
        return "sha256:" + hashlib.file_digest(handle, "sha256").hexdigest()


def folder_digest(folder: Path) -> str:
    """The tagged hash of the names and bytes of the regular files directly in `folder`."""
    return digest({path.name: file_digest(path) for path in sorted(folder.iterdir()) if path.is_file()})


def slug(text: str) -> str:
    """`text` as a readable part of a file name: lower case, digits, dots and dashes."""
    return re.sub(r"[^a-z0-9.]+", "-", text.lower()).strip("-.") or "x"
