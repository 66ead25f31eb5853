"""`ast`: the same statement up to rules that never change its meaning (benchmark/sqlengine/prove.py)."""

from __future__ import annotations

from functools import lru_cache

from benchmark.metrics.base import Judgement, Record
from benchmark.metrics.exact import exact_ws, judge_texts
from benchmark.sqlengine.parse import parse
from benchmark.types import ScoreStatus
from benchmark.verdicts import proof_evidence


def ast(record: Record) -> Judgement:
    """1 where the canonical form is a gold's; equality of tokens where sqlglot cannot parse what the engine runs."""
    sql, dialect = record.extraction.sql, record.example.dialect
    if sql is None:
        return judge_texts(record, False)
    if record.proof is not None:
        return Judgement(value=1.0, evidence=proof_evidence(record.proof))
    if not parses(sql, dialect):
        by_tokens = exact_ws(record)
        return by_tokens if by_tokens.value else Judgement(value=0.0, status=unparsed(record))
    return judge_texts(record, False)


@lru_cache(maxsize=4_000)
def parses(sql: str, dialect: str) -> bool:
    """Whether sqlglot reads the text as one statement."""
    return parse(sql, dialect) is not None


def unparsed(record: Record) -> ScoreStatus:
    """The status of a prediction that holds no one statement."""
    return "invalid" if record.extraction.status == "ok" else record.extraction.status
