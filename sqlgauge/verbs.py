"""The verbs as Python functions: what the command line calls, and what a script may call."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from benchmark.runner import Plan
    from benchmark.store import RunFolder

Progress = Callable[[str, int, int], None]


def silent(stage: str, done: int, total: int) -> None:
    """The progress callback that shows nothing."""


def run(
    *,
    model: str,
    dataset: str,
    judges: Sequence[str] = (),
    rubric: str = "seed",
    judge_api_base: str | None = None,
    config_file: Path | None = None,
    progress: Progress = silent,
    **options: Any,
) -> RunFolder:
    """Benchmark a model over a split and, if asked, have judges look at it. Again means: go on where it stopped.

    `options` are the fields of `benchmark.config.RunConfig`. Raises benchmark.errors.SqlgaugeError and its kind.
    """
    from benchmark.config import make_config
    from benchmark.runner import execute, plan

    panel = _panel(judges, rubric, judge_api_base)  # a missing key is said before any work starts
    folder = execute(plan(make_config({"model": model, "dataset": dataset, **options}, config_file)), progress)
    if panel is not None:
        panel.judge(folder, progress)
    return folder


def make_plan(*, config_file: Path | None = None, **options: Any) -> Plan:
    """A run that is checked and not started: its first prompt, its identity, its folder."""
    from benchmark.config import make_config
    from benchmark.runner import plan

    return plan(make_config(options, config_file))


def score(
    paths: Iterable[Path],
    *,
    metrics: Sequence[str] | None = None,
    policy: str = "default",
    workers: int | None = None,
    progress: Progress = silent,
) -> list[RunFolder]:
    """Score stored generations anew; needs no GPU and no key. Runs on the same examples are scored together."""
    from benchmark.errors import UnknownName
    from benchmark.metrics import DEFAULT_METRICS
    from benchmark.scoring import rescore
    from benchmark.sqlengine.results import POLICIES
    from benchmark.store import find_runs

    if policy not in POLICIES:
        raise UnknownName("policy", policy, POLICIES)
    folders = find_runs(paths)
    rescore(folders, tuple(metrics or DEFAULT_METRICS), policy, progress, workers)
    return folders


def judge(
    paths: Iterable[Path],
    *,
    judges: Sequence[str],
    rubric: str = "seed",
    api_base: str | None = None,
    progress: Progress = silent,
) -> int:
    """Ask judges about runs; verdicts that are there are kept. The number of calls that failed."""
    from benchmark.store import find_runs

    folders = find_runs(paths)
    panel = _panel(judges, rubric, api_base)
    return sum(panel.judge(folder, progress) for folder in folders) if panel else 0


def report(paths: Iterable[Path], *, out: Path) -> list[Path]:
    """Write the leaderboard of some runs as a site. The files written."""
    from benchmark.store import find_runs
    from reports.html import write_site
    from reports.tables import build_board

    return write_site(build_board(find_runs(paths)), Path(out))


def _panel(judges: Sequence[str], rubric: str, api_base: str | None) -> Any:
    if not judges:
        return None
    from judges.panel import Panel

    return Panel(judges, rubric, api_base)
