"""`exact`: the comparison that the seed project made; `exact_ws`: the same without white space and keyword case."""

from __future__ import annotations

import re

from benchmark.metrics.base import Judgement, Record
from benchmark.sqlengine.parse import folded_tokens

_FENCE = re.compile(r"```(?:sql)?", re.IGNORECASE)


def exact(record: Record) -> Judgement:
    """String equality of the raw answer and a gold, newlines and code fences removed from both, stripped.

    The seed project's own comparison: it looks at all that the model said, prose included.
    """
    answer = seed_cleanup(record.generation.text)
    return judge_texts(record, any(answer == seed_cleanup(gold) for gold in record.example.golds))


def exact_ws(record: Record) -> Judgement:
    """Equality of the extracted SQL and a gold as tokens: white space, comments, last semicolon, keyword case fold."""
    sql = record.extraction.sql
    if sql is None:
        return judge_texts(record, False)
    dialect = record.example.dialect
    prediction = folded_tokens(sql, dialect)
    golds = [folded_tokens(gold, dialect) for gold in record.example.golds]
    return judge_texts(record, prediction is not None and prediction in golds)


def seed_cleanup(text: str) -> str:
    """A text without newlines and code fences, stripped.

    >>> seed_cleanup("```sql\\nSELECT 1;\\n```")
    'SELECT 1;'
    """
    return _FENCE.sub("", text).replace("\n", "").strip()


def judge_texts(record: Record, equal: bool) -> Judgement:
    """1 for equality; else 0 with the extraction's status."""
    return Judgement(value=1.0) if equal else Judgement(value=0.0, status=record.extraction.status)
