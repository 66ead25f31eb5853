"""`execution`: whether a prediction's result, or the database it leaves, is the gold's, under the run's policy."""

from __future__ import annotations

from typing import Any

from benchmark.metrics.base import Judgement, Record
from benchmark.sqlengine.parse import reads_table
from benchmark.sqlengine.results import ASK_FOR_TABLE

CONSTANT = "it agrees, but reads no table of the database: a constant is no answer to a question about it"


def execution(record: Record) -> Judgement:
    """1 when the worker found agreement with a gold. The evidence: row counts, first rows, and what went wrong."""
    outcome = record.outcome
    if outcome is None:
        return Judgement(value=0.0, status=record.extraction.status)
    evidence: dict[str, Any] = {}
    right = outcome.agrees and not is_constant(record)
    if outcome.detail or (outcome.agrees and not right):
        evidence["reason"] = outcome.detail or CONSTANT
    if outcome.rows is not None:
        evidence["rows"] = outcome.rows
    if outcome.result:
        evidence["result"] = outcome.result
    if outcome.preview:
        evidence["first_rows"] = outcome.preview
    if not outcome.agrees:
        evidence |= _gold_returned(record)
    return Judgement(value=float(right), status=outcome.status, evidence=evidence)


def _gold_returned(record: Record) -> dict[str, Any]:
    """What the first gold that runs returned: where it agrees with the prediction, that is the prediction's result."""
    gold = next((gold for gold in record.golds if gold.status == "ok" and gold.rows is not None), None)
    if gold is None:
        return {}
    return {"gold_rows": gold.rows, **({"gold_first_rows": gold.preview} if gold.preview else {})}


def is_constant(record: Record) -> bool:
    """Whether a prediction reads no table where every gold reads one, and the policy minds that."""
    sql, example = record.extraction.sql, record.example
    if sql is None or record.policy not in ASK_FOR_TABLE or example.task != "read" or sql in example.golds:
        return False
    return not reads_table(sql, example.dialect) and all(reads_table(gold, example.dialect) for gold in example.golds)
