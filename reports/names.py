"""File names for foreign texts."""

from __future__ import annotations

from collections import Counter

from benchmark.identity import slug, text_digest


def file_names(keys: list[str], shown: list[str] | None = None) -> dict[str, str]:
    """A readable file name for each key; where two would be the same, with a piece of the key's hash."""
    names = [slug(text)[-100:].lstrip("-.") for text in shown or keys]
    counts = Counter(names)
    return {
        key: name if counts[name] == 1 else f"{name}-{text_digest(key)[7:15]}"
        for key, name in zip(keys, names, strict=True)
    }
