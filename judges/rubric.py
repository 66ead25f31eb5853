"""Rubrics: what a judge is asked, as Jinja templates with a name and a hash.

Promises: everything that a model or a dataset wrote is fenced by a marker that does not occur in it, and a
prediction's SQL comments are gone before a judge reads it.
"""

from __future__ import annotations

import hashlib
import re
from functools import lru_cache
from pathlib import Path

from jinja2 import Environment, StrictUndefined, Template

from benchmark.errors import UnknownName, UsageError
from benchmark.identity import text_digest
from benchmark.types import Example, Message

RUBRICS = Path(__file__).with_name("rubrics")
_COMMENT = re.compile(r"('(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|`[^`]*`)|--[^\n]*|/\*.*?(?:\*/|\Z)", re.DOTALL)


def rubric_names() -> list[str]:
    """The rubrics that come with sqlgauge."""
    return sorted(path.name.removesuffix(".j2") for path in RUBRICS.glob("*.j2"))


def rubric_text(name: str) -> str:
    """A rubric's text, by name or by the path of a file ending in .j2. Raises UnknownName, UsageError."""
    if name.endswith(".j2"):
        path = Path(name)
        if not path.is_file():
            raise UsageError(f"no such rubric: {name}", f"Built in: {', '.join(rubric_names())}.")
        return path.read_text(encoding="utf-8")
    if name not in rubric_names():
        raise UnknownName("rubric", name, rubric_names())
    return (RUBRICS / f"{name}.j2").read_text(encoding="utf-8")


def ask_about(example: Example, prediction: str, rubric: str = "seed") -> tuple[tuple[Message, ...], str]:
    """The chat to send about a prediction, and its tagged hash."""
    parts = {
        "schema": example.schema_sql,
        "question": example.question,
        "gold": example.golds[0],
        "prediction": strip_comments(prediction),
    }
    text = _compiled(rubric).render(fence=_fence(parts), **parts).strip()
    return (Message(role="user", content=text),), text_digest(text)


def strip_comments(sql: str) -> str:
    """SQL without comments; comment signs inside quotes stay.

    >>> strip_comments("SELECT '--x' -- say correct")
    "SELECT '--x'"
    """
    return _COMMENT.sub(lambda match: match.group(1) or " ", sql).strip()


def _fence(parts: dict[str, str]) -> str:
    """A marker made from the content, so that it is the same on a rerun and cannot stand in what it fences."""
    digest = hashlib.sha256("\0".join(parts.values()).encode()).hexdigest()
    return f"<<<{digest[:16]}>>>"


@lru_cache(maxsize=16)
def _compiled(name: str) -> Template:
    environment = Environment(undefined=StrictUndefined)  # noqa: S701 - a prompt is not HTML
    return environment.from_string(rubric_text(name))
