"""Scores: computing them anew, and checking that published ones follow."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from sqlgauge.verbs.common import Progress, silent
from sqlgauge.verbs.common import terms as make_terms

if TYPE_CHECKING:
    from benchmark.store import RunFolder
    from benchmark.verify import Verification


def score(
    paths: Iterable[Path],
    *,
    metrics: Sequence[str] | None = None,
    policy: str = "default",
    search_databases: int | None = None,
    search_seconds: float | None = None,
    workers: int | None = None,
    progress: Progress = silent,
) -> list[RunFolder]:
    """Score stored generations anew; needs no GPU and no key. Runs on the same examples are scored together."""
    from benchmark.metrics import DEFAULT_METRICS
    from benchmark.scoring import rescore
    from benchmark.store import find_runs

    terms = make_terms(policy, search_databases, search_seconds)
    folders = find_runs(paths)
    rescore(folders, tuple(metrics or DEFAULT_METRICS), terms, progress, workers)
    return folders


def verify(
    paths: Iterable[Path],
    *,
    databases: Path | None = None,
    workers: int | None = None,
    progress: Progress = silent,
) -> list[Verification]:
    """Whether each run's published scores follow from its generations; nothing is written into the folders."""
    from benchmark.store import find_runs
    from benchmark.verify import verify_run

    return [verify_run(run, progress, databases, workers) for run in find_runs(paths)]


def check_verified(found: Sequence[Verification]) -> None:
    """Raise CheckFailed unless every run follows."""
    from benchmark.errors import CheckFailed

    failed = [one.run for one in found if not one.follows]
    if failed:
        raise CheckFailed(
            f"the scores of {len(failed)} of {len(found)} runs are not shown to follow: {', '.join(failed)}",
            "The findings above say why; 'sqlgauge score RUN' writes the scores that follow.",
        )
