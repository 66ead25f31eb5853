"""Rubrics: what a judge is asked, as Jinja templates with a name and a hash.

Promises: everything that a model or a dataset wrote is fenced by a marker that does not occur in it, and a
prediction's SQL comments are gone before a judge reads it.
"""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

from benchmark.identity import text_digest
from benchmark.templates import TemplateFolder
from benchmark.types import Example, Message

RUBRICS = TemplateFolder("rubric", Path(__file__).with_name("rubrics"))
_COMMENT = re.compile(r"('(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|`[^`]*`)|--[^\n]*|/\*.*?(?:\*/|\Z)", re.DOTALL)


def ask_about(example: Example, prediction: str, rubric: str = "seed") -> tuple[tuple[Message, ...], str]:
    """The chat to send about a prediction, and its tagged hash."""
    parts = {
        "schema": example.schema_sql,
        "question": example.question,
        "gold": example.golds[0],
        "prediction": strip_comments(prediction),
    }
    text = RUBRICS.render(rubric, fence=_fence(parts), **parts)
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
