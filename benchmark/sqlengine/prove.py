"""Proofs of equivalence: gold and prediction have one canonical form under rules that are sound for schema and policy.

Promises: no wrong proof. Two statements that some database tells apart under the policy are never called equivalent.
Does not: refute. Without a proof nothing is known; the search for a counterexample is `distinguish.py`'s.
"""

from __future__ import annotations

from dataclasses import dataclass

#: Changes when a rule does: part of a run's identity.
RULES_VERSION = "2026-11-24"


@dataclass(frozen=True, slots=True)
class Proof:
    """The common canonical form, as SQL, and the names of the rules that either side took to reach it."""

    form: str
    rules: tuple[str, ...]


def prove(gold: str, prediction: str, dialect: str, schema_sql: str, policy: str = "default") -> Proof | None:
    """A proof that `prediction` answers as `gold` does on every database under the schema, or None."""
    return None
