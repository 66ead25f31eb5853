"""The terms of scoring: what decides a score beside the texts and the database. They are part of a run's identity.

Promises: equal terms give equal scores, time limits aside; a manifest from before terms were written down still reads.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from benchmark.errors import UsageError
from benchmark.sqlengine.protocol import SEARCH_VERSION, Search
from benchmark.sqlengine.prove import RULES_VERSION
from benchmark.sqlengine.results import POLICY_VERSION

#: The most that a search may be asked for: a stranger's manifest must not keep `verify` busy for days.
MOST_DATABASES, MOST_SECONDS = 100_000, 600.0
#: The keys of an identity that hold terms.
TERM_KEYS = ("policy", "scoring")
#: What a manifest without versions was scored by: the first policies, and rules that proved nothing.
_UNSTATED = {"policies": "2026-11-24", "rules": "none", "searches": "none"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """A comparison policy, and how hard to search for a counterexample: `databases` 0 switches the search off."""

    policy: str = "default"
    databases: int = 60
    seconds: float = 2.0
    seed: int = 2024

    def search(self, skip: list[int]) -> Search | None:
        """What to ask of a worker; no search for the predictions at the places in `skip`."""
        return Search(self.seed, self.databases, self.seconds, skip) if self.databases else None

    def identity(self) -> dict[str, Any]:
        """The terms and the versions of what applies them, as keys of a run's identity."""
        search = {"databases": self.databases, "seconds": self.seconds, "seed": self.seed}
        return {"policy": self.policy, "scoring": {**versions_here(), "search": search if self.databases else None}}

    def problems(self) -> list[str]:
        """What is wrong with the search that is asked for."""
        found = []
        if not 0 <= self.databases <= MOST_DATABASES:
            found.append(f"a search takes 0 to {MOST_DATABASES} databases, not {self.databases}")
        if not 0 < self.seconds <= MOST_SECONDS:
            found.append(f"a search takes more than 0 and at most {MOST_SECONDS:g} seconds, not {self.seconds:g}")
        return found


class _Searched(msgspec.Struct):
    databases: int
    seconds: float
    seed: int


class _Scoring(msgspec.Struct):
    search: _Searched | None = None


def stated_terms(identity: Mapping[str, Any]) -> Terms:
    """The terms that a manifest's identity states; without a word about a search there was none.

    Raises UsageError for what is no search, or one beyond all measure.
    """
    try:
        search = msgspec.convert(identity.get("scoring") or {}, _Scoring).search
    except msgspec.ValidationError as error:
        raise UsageError(f"the manifest's scoring terms are damaged: {error}", "Score the run again.") from None
    policy = str(identity.get("policy"))
    if search is None:
        return Terms(policy=policy, databases=0)
    terms = Terms(policy=policy, databases=search.databases, seconds=search.seconds, seed=search.seed)
    if terms.problems():
        raise UsageError(f"the manifest's search cannot be repeated: {terms.problems()[0]}", "Score the run again.")
    return terms


def stated_versions(identity: Mapping[str, Any]) -> dict[str, str]:
    """The versions of the policies and of the rules by which a run was scored."""
    scoring = identity.get("scoring")
    given = scoring if isinstance(scoring, Mapping) else {}
    return {name: str(given.get(name, unstated)) for name, unstated in _UNSTATED.items()}


def versions_here() -> dict[str, str]:
    """The same of this sqlgauge."""
    return {"policies": POLICY_VERSION, "rules": RULES_VERSION, "searches": SEARCH_VERSION}
