"""`equivalence`: execution on the given database and beyond it: proved, refuted by a counterexample, or neither."""

from __future__ import annotations

from benchmark.metrics.base import Judgement, Record
from benchmark.metrics.execution import execution
from benchmark.verdicts import decide, decision_evidence

#: The value of each verdict on a prediction that runs. What is not refuted counts as right, and is shown as undecided.
_VALUES = {"equivalent": 1.0, "undecided": 1.0, "different": 0.0}


def equivalence(record: Record) -> Judgement:
    """1 unless a database tells prediction and gold apart. The evidence: the verdict and what shows it."""
    outcome = record.outcome
    if outcome is None or outcome.status != "ok":
        return execution(record)
    decision = decide(outcome, record.proof, record.searched)
    evidence = decision_evidence(decision, outcome.rows, outcome.preview)
    return Judgement(value=_VALUES[decision.verdict], evidence=evidence)
