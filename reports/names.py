"""Names for what others named: models as a page shows them, and files."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from benchmark.identity import slug, text_digest


def file_names(keys: list[str], shown: list[str] | None = None) -> dict[str, str]:
    """A readable file name for each key; where two would be the same, with a piece of the key's hash."""
    names = [slug(text)[-100:].lstrip("-.") for text in shown or keys]
    counts = Counter(names)
    return {
        key: name if counts[name] == 1 else f"{name}-{text_digest(key)[7:15]}"
        for key, name in zip(keys, names, strict=True)
    }


def shown_model(spec: str) -> str:
    """A model as a reader knows it: of an absolute path only the last part, for a site is no place for local folders.

    >>> shown_model("file//home/me/codes-7b.jsonl"), shown_model("hf/org/name+/tmp/adapters/demo")
    ('file/codes-7b.jsonl', 'hf/org/name+demo')
    """
    kind, slash, rest = spec.partition("/")
    parts = [Path(part).name if part.startswith("/") else part for part in rest.split("+")]
    return kind + slash + "+".join(parts)
