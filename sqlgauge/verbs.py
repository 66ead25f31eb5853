"""The verbs as Python functions: what the command line calls, and what a script may call."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from benchmark.runner import Plan
    from benchmark.store import RunFolder
    from finetune.preview import Preview
    from reports.comparison import Comparison

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


def compare(
    run_a: Path, run_b: Path, *, metric: str = "execution", by: str = "complexity", out: Path | None = None
) -> Comparison:
    """The paired comparison of two runs on the same items; `out` (.html or .md) gets it as a page."""
    from benchmark.store import RunFolder
    from reports.comparison import compare_runs
    from reports.comparison_text import write_comparison

    found = compare_runs(RunFolder(Path(run_a)), RunFolder(Path(run_b)), metric, by)
    if out is not None:
        write_comparison(found, Path(out))
    return found


def check_no_worse(found: Comparison, margin: float) -> None:
    """Raise CheckFailed unless B is shown to be no worse than A by more than `margin` (a proportion), one-sided 95%."""
    from benchmark.errors import CheckFailed
    from benchmark.stats.paired import non_inferior

    if not non_inferior(found.one_sided, margin):
        raise CheckFailed(
            f"B is not shown to be no worse than A by more than {100 * margin:g} points: the one-sided 95% bound of "
            f"B - A is {100 * found.one_sided.low:+.1f} points on {found.n} items",
            "More items narrow it; 'sqlgauge compare' shows which items B lost.",
        )


def finetune(
    recipe: str,
    overrides: Sequence[str] = (),
    *,
    out: Path = Path("adapters"),
    name: str | None = None,
    progress: Progress = silent,
) -> Path:
    """Train an adapter by a recipe (a name or a YAML file) with 'part.key=value' overrides. Its folder."""
    from finetune import load_recipe, train_adapter

    return train_adapter(load_recipe(recipe, overrides), out, name, progress)


def preview(recipe: str, overrides: Sequence[str] = ()) -> Preview:
    """What `finetune` would do, without loading weights."""
    from finetune import load_recipe
    from finetune.preview import preview as look

    return look(load_recipe(recipe, overrides))


def merge(adapter: Path, *, out: Path, dtype: str = "bfloat16", base: str | None = None) -> Path:
    """Write an adapter and its base as one model folder."""
    from finetune.merge import merge_adapter

    return merge_adapter(Path(adapter), Path(out), dtype, base)


def _panel(judges: Sequence[str], rubric: str, api_base: str | None) -> Any:
    if not judges:
        return None
    from judges.panel import Panel

    return Panel(judges, rubric, api_base)
