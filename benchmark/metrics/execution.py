"""`execution`: whether a prediction's result, or the database it leaves, is the gold's, under the run's policy."""

from __future__ import annotations

from typing import Any

from benchmark.metrics.base import Judgement, Record


def execution(record: Record) -> Judgement:
    """1 when the worker found agreement with a gold. The evidence: row counts, first rows, and what went wrong."""
    outcome = record.outcome
    if outcome is None:
        return Judgement(value=0.0, status=record.extraction.status)
    evidence: dict[str, Any] = {}
    if outcome.detail:
        evidence["reason"] = outcome.detail
    if outcome.rows is not None:
        evidence["rows"] = outcome.rows
    if outcome.preview and not outcome.agrees:
        evidence["first_rows"] = outcome.preview
    return Judgement(value=float(outcome.agrees), status=outcome.status, evidence=evidence)
