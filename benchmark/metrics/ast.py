"""`ast`: the same statement up to rules that never change its meaning (benchmark/sqlengine/canonical.py)."""

from __future__ import annotations

from benchmark.metrics.base import Judgement, Record
from benchmark.metrics.exact import exact_ws, judge_texts
from benchmark.sqlengine.canonical import canonical
from benchmark.types import ScoreStatus


def ast(record: Record) -> Judgement:
    """Equality of normalised syntax trees; of tokens where sqlglot cannot parse a gold that the engine runs."""
    sql, dialect = record.extraction.sql, record.example.dialect
    if sql is None:
        return judge_texts(record, False)
    trees = [canonical(gold, dialect) for gold in record.example.golds]
    prediction = canonical(sql, dialect)
    if prediction is None:
        by_tokens = exact_ws(record)
        return by_tokens if by_tokens.value else Judgement(value=0.0, status=_unparsed(record))
    return judge_texts(record, any(tree is not None and tree == prediction for tree in trees))


def _unparsed(record: Record) -> ScoreStatus:
    return "invalid" if record.extraction.status == "ok" else record.extraction.status
