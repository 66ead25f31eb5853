"""From a judge's answer to a verdict, strictly: what cannot be read is an error, never an opinion.

Promises: a verdict counts only where the judge gives it: as the one JSON object that ends its answer. A verdict that is
quoted on the way, in thinking or in an answer that was cut, is none; verdicts that differ are none.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from typing import NamedTuple, cast

from benchmark.types import VerdictLabel

LABELS = ("correct", "incorrect", "unsure")
#: Reasoning: a block, one that was cut off, and one whose opening stood in the chat template.
_THINKING = re.compile(r"<think(?:ing)?>.*?(?:</think(?:ing)?>|\Z)|\A.*</think(?:ing)?>", re.DOTALL | re.IGNORECASE)
#: What may follow the object: the end of a code fence.
_REST = re.compile(r"\s*(?:```|~~~)?\s*")
#: Opening braces that may stand in an answer without a JSON object: beyond that nobody looks for a verdict.
MOST_BRACES = 1_000
_DECODER = json.JSONDecoder(strict=False, object_pairs_hook=list)


class UnreadableVerdict(ValueError):
    """A judge's answer that does not end in a verdict, or holds several that differ."""


class Opinion(NamedTuple):
    """What a judge said."""

    label: VerdictLabel
    reason: str
    confidence: float | None


class _Found(NamedTuple):
    opinion: Opinion
    end: int


def parse_verdict(text: str) -> Opinion:
    """The verdict that ends an answer: a JSON object with 'verdict'. Raises UnreadableVerdict.

    >>> parse_verdict('Sure: {"verdict": "correct", "reason": "same rows"}').label
    'correct'
    """
    said = _THINKING.sub("", text)
    found = list(_verdicts(said))
    labels = {one.opinion.label for one in found}
    if len(labels) > 1:
        raise UnreadableVerdict(f"several verdicts in: {text[:200]!r}")
    if not found:
        raise UnreadableVerdict(f"no verdict in: {text[:200]!r}")
    if not _REST.fullmatch(said, found[-1].end):
        raise UnreadableVerdict(f"a verdict that does not end the answer, as a quoted one would: {text[-200:]!r}")
    return found[-1].opinion


def _verdicts(text: str) -> Iterator[_Found]:
    place, idle = text.find("{"), 0
    while place >= 0:
        try:
            pairs, end = _DECODER.raw_decode(text, place)
        except (ValueError, RecursionError):
            end, idle = place + 1, idle + 1
            if idle > MOST_BRACES:
                raise UnreadableVerdict(f"too many braces in: {text[:200]!r}") from None
        else:
            # Escapes may spell the key so that it could be smuggled through a prompt in which `"verdict"` is defused.
            opinion = _opinion(pairs) if '"verdict"' in text[place:end] else None
            if opinion is not None:
                yield _Found(opinion, end)
        place = text.find("{", end)


def _opinion(pairs: list[tuple[str, object]]) -> Opinion | None:
    """The opinion in an object; one that names its verdict twice has none."""
    found = dict(pairs)
    label = str(found.get("verdict", "")).strip().lower()
    if label not in LABELS or sum(name == "verdict" for name, _ in pairs) > 1:
        return None
    confidence, reason = found.get("confidence"), found.get("reason", "")
    sure = isinstance(confidence, (int, float)) and not isinstance(confidence, bool) and math.isfinite(confidence)
    number = float(confidence) if sure and 0 <= confidence <= 1 else None  # type: ignore[arg-type,operator]
    return Opinion(cast(VerdictLabel, label), reason if isinstance(reason, str) else "", number)
