"""From a proof and an outcome to a verdict: is a prediction equivalent to a gold, different, or is that undecided?

Promises: one way of deciding for the `equivalence` metric and for `sqlgauge equiv`. A proof comes first: where the rows
of one database differ all the same, that database breaks what its schema promises, or gold and prediction leave the
same thing open, as a LIMIT that cuts ties does; the reason then says so.
Does not: prove, run or search.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import msgspec

from benchmark.sqlengine.protocol import Counterexample, Outcome, Reply
from benchmark.sqlengine.prove import Proof, prove

VerdictName = Literal["equivalent", "different", "undecided", "invalid", "refused", "timeout", "gold_error"]

#: How a statement ended -> the verdict on its pair.
_NOT_RUN: dict[str, VerdictName] = {
    "invalid": "invalid",
    "refused": "refused",
    "multiple": "refused",
    "timeout": "timeout",
    "limit": "timeout",
}
_THOUGH_DIFFERENT = (
    "; the rows of the given database differ all the same: it breaks what its schema promises, or both statements "
    "leave their answer open, as a LIMIT that cuts ties does"
)
#: Characters of a canonical form that are kept as evidence.
FORM_CHARS = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """A verdict, why, and what shows it: for `different` which database, for `undecided` how many of those agreed."""

    verdict: VerdictName
    reason: str
    on: Literal["given", "generated"] | None = None
    proof: Proof | None = None
    counterexample: Counterexample | None = None
    databases: int = 0
    searched: int = 0


def decide(outcome: Outcome, proof: Proof | None, searched: int) -> Decision:
    """The verdict on a prediction, given how it ran on the given database and what a search for others found.

    `proof` is one against any gold; `searched` is how many databases the search was asked for (0: no search).
    """
    found = outcome.counterexample
    if outcome.status != "ok":
        return Decision(verdict=_NOT_RUN[outcome.status], reason=outcome.detail or outcome.status)
    if proof is not None:
        reason = "proved: both have one canonical form" + ("" if outcome.agrees else _THOUGH_DIFFERENT)
        return Decision(verdict="equivalent", reason=reason, proof=proof)
    if not outcome.agrees:
        reason = "the given database tells them apart"
        return Decision(verdict="different", reason=reason, on="given", counterexample=found)
    if found is not None:
        reason = "a generated database tells them apart"
        return Decision(verdict="different", reason=reason, on="generated", counterexample=found)
    n = outcome.databases
    reason = f"not proved; they agree on the given database and on {n} generated ones" if searched else "not proved"
    return Decision(verdict="undecided", reason=reason, databases=n, searched=searched)


def gold_problem(reply: Reply) -> str | None:
    """Why an example cannot be scored, or None if its database loads and at least one gold runs (or none was asked)."""
    if reply.setup.status != "ok":
        return f"the schema does not load: {reply.setup.detail or reply.setup.status}"
    if reply.golds and all(gold.status != "ok" for gold in reply.golds):
        return f"the gold does not run: {reply.golds[0].detail or reply.golds[0].status}"
    return None


def prove_any(golds: Iterable[str], prediction: str, dialect: str, schema_sql: str, policy: str) -> Proof | None:
    """The first proof that a prediction is equivalent to one of the golds."""
    proofs = (prove(gold, prediction, dialect, schema_sql, policy) for gold in golds)
    return next((proof for proof in proofs if proof is not None), None)


def proof_evidence(proof: Proof) -> dict[str, Any]:
    """A proof as JSON values, its form cut to `FORM_CHARS`."""
    cut = len(proof.form) > FORM_CHARS
    return {"rules": list(proof.rules), "form": proof.form[:FORM_CHARS] + ("…" if cut else "")}


def counterexample_evidence(found: Counterexample) -> dict[str, Any]:
    """A counterexample as JSON values."""
    grids = {"gold": found.gold, "prediction": found.prediction}
    return {"setup_sql": found.setup_sql} | {
        side: {"columns": grid.columns, "rows": msgspec.to_builtins(grid.rows)} for side, grid in grids.items()
    }


def decision_evidence(decision: Decision, rows: int | None, first_rows: Sequence[Any]) -> Mapping[str, Any]:
    """What a score keeps of a decision. `rows` and `first_rows` are the prediction's on the given database."""
    evidence: dict[str, Any] = {"verdict": decision.verdict}
    if decision.reason.endswith(_THOUGH_DIFFERENT):
        evidence["reason"] = decision.reason
    if decision.verdict == "undecided":
        return {**evidence, "databases": decision.databases, "of": decision.searched}
    if decision.proof is not None:
        evidence["proof"] = proof_evidence(decision.proof)
    if decision.verdict == "different":
        evidence["counterexample"] = _counterexample(decision, rows, first_rows)
    return evidence


def _counterexample(decision: Decision, rows: int | None, first_rows: Sequence[Any]) -> dict[str, Any]:
    """The database that tells them apart; of a given one, which everybody has, only what the prediction returned."""
    if decision.counterexample is not None:
        return {"database": decision.on, **counterexample_evidence(decision.counterexample)}
    returned = {"rows": rows, "first_rows": first_rows}
    return {"database": decision.on, **{name: value for name, value in returned.items() if value not in (None, [])}}
