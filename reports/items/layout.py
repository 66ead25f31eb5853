"""Names, sizes and encoding of shards.

Promises: a shard is pure ASCII-quoted data: one call with two string literals, whatever the texts in it hold.
"""

from __future__ import annotations

from typing import Any

import msgspec

from benchmark.identity import slug, text_digest

#: Items in a shard of questions, and in one of items, answers or prompts.
TEXTS, CHUNK = 1_000, 100
#: Characters of one text that are published; the run folder has all of it.
LONGEST = 20_000
#: Letters of an outcome column.
RIGHT, WRONG, PARTLY, NO_VALUE, ABSENT = "rwpx-"


def set_folder(name: str, fingerprint: str) -> str:
    """The folder of a dataset's pages: readable, and its own for each fingerprint."""
    return f"{slug(name)[:60].strip('-.') or 'set'}-{text_digest(fingerprint)[7:15]}"


def shard(name: str, content: Any) -> bytes:
    """A shard's file.

    >>> shard("ids", ["it's", "a\\\\b"])
    b'sqlgauge.put("ids",\\'["it\\\\\\'s","a\\\\\\\\\\\\\\\\b"]\\');\\n'
    """
    text = msgspec.json.encode(content).replace(b"\\", b"\\\\").replace(b"'", b"\\'")
    # Old engines end a line at these two even inside a string.
    text = text.replace("\u2028".encode(), b"\\u2028").replace("\u2029".encode(), b"\\u2029")
    return b'sqlgauge.put("' + name.encode() + b"\",'" + text + b"');\n"


def chunks(n: int, size: int) -> list[range]:
    """The places 0 to n - 1, a range a chunk."""
    return [range(start, min(start + size, n)) for start in range(0, n, size)]


def cut(text: str) -> str:
    """A text at a length to publish, saying what is left out."""
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}\n… and {len(text) - LONGEST:,} more characters"


def cut_cells(value: Any) -> Any:
    """A JSON value with every text in it at a length to publish."""
    if isinstance(value, str):
        return cut(value)
    if isinstance(value, dict):
        return {key: cut_cells(item) for key, item in value.items()}
    return [cut_cells(item) for item in value] if isinstance(value, list | tuple) else value
