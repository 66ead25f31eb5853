"""What several verbs share: the progress callback, and the terms of a comparison."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from benchmark.terms import Terms

Progress = Callable[[str, int, int], None]


def silent(stage: str, done: int, total: int) -> None:
    """The progress callback that shows nothing."""


def terms(policy: str, databases: int | None, seconds: float | None, seed: int | None = None) -> Terms:
    """Terms with their defaults for what is None. Raises UnknownName, UsageError."""
    from benchmark.errors import UnknownName, UsageError
    from benchmark.sqlengine.results import POLICIES
    from benchmark.terms import Terms

    if policy not in POLICIES:
        raise UnknownName("policy", policy, POLICIES)
    usual = Terms()
    made = Terms(
        policy=policy,
        databases=usual.databases if databases is None else databases,
        seconds=usual.seconds if seconds is None else seconds,
        seed=usual.seed if seed is None else seed,
    )
    if made.problems():
        raise UsageError(". ".join(made.problems()), "Databases 0 switch the search off.")
    return made
