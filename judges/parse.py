"""From a judge's answer to a verdict, strictly: what cannot be read is an error, never an opinion."""

from __future__ import annotations

import json
import re
from typing import NamedTuple, cast

from benchmark.types import VerdictLabel

LABELS = ("correct", "incorrect", "unsure")
_OBJECT = re.compile(r"\{[^{}]*\}", re.DOTALL)
_THINKING = re.compile(r"<think>.*?</think>", re.DOTALL)


class UnreadableVerdict(ValueError):
    """A judge's answer that holds no verdict, or several that differ."""


class Opinion(NamedTuple):
    """What a judge said."""

    label: VerdictLabel
    reason: str
    confidence: float | None


def parse_verdict(text: str) -> Opinion:
    """The one verdict in an answer: a JSON object with 'verdict'. Raises UnreadableVerdict.

    >>> parse_verdict('Sure: {"verdict": "correct", "reason": "same rows"}').label
    'correct'
    """
    opinions = [
        opinion for found in _OBJECT.findall(_THINKING.sub("", text)) if (opinion := _opinion(found)) is not None
    ]
    labels = {opinion.label for opinion in opinions}
    if len(labels) == 1:
        return opinions[0]
    raise UnreadableVerdict(f"{'several verdicts' if labels else 'no verdict'} in: {text[:200]!r}")


def _opinion(text: str) -> Opinion | None:
    try:
        found = json.loads(text, strict=False)
    except ValueError:
        return None
    label = str(found.get("verdict", "")).strip().lower()
    if label not in LABELS:
        return None
    confidence = found.get("confidence")
    number = float(confidence) if isinstance(confidence, (int, float)) and 0 <= confidence <= 1 else None
    return Opinion(cast(VerdictLabel, label), str(found.get("reason", "")), number)
