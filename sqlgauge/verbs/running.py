"""Runs: planning them, and carrying them out from the first prompt to the last verdict."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlgauge.verbs.common import Progress, silent
from sqlgauge.verbs.judging import Asking, make_panel, require_leave

if TYPE_CHECKING:
    from benchmark.runner import Plan
    from benchmark.store import RunFolder
    from sqlgauge.consent import Ask


def run(
    *,
    model: str,
    dataset: str,
    judges: Sequence[str] = (),
    rubric: str = "seed",
    judge_api_base: str | Sequence[str] | None = None,
    asking: Asking | None = None,
    yes: bool = False,
    ask: Ask | None = None,
    config_file: Path | None = None,
    progress: Progress = silent,
    **options: Any,
) -> RunFolder:
    """Benchmark a model over a split and, if asked, have judges look at it. Again means: go on where it stopped.

    `options` are the fields of `benchmark.config.RunConfig`; `asking` is what else `judge` takes for asking, `yes` and
    `ask` are the same as there.
    Raises benchmark.errors.SqlgaugeError and its kind.
    """
    from benchmark.config import make_config
    from benchmark.runner import execute, plan

    how: Asking = {"rubric": rubric, "api_base": judge_api_base, **(asking or {})}
    panel = make_panel(judges, **how) if judges else None  # a missing key is said before any work starts
    made = plan(make_config({"model": model, "dataset": dataset, **options}, config_file))
    if panel is not None:
        about = (made.dataset.name, made.dataset.fingerprint, len(made.prompts))
        require_leave(panel, how, [about], yes=yes, ask=ask)
    folder = execute(made, progress)
    if panel is not None:
        panel.judge_all([folder], progress)
    return folder


def make_plan(*, config_file: Path | None = None, **options: Any) -> Plan:
    """A run that is checked and not started: its first prompt, its identity, its folder."""
    from benchmark.config import make_config
    from benchmark.runner import plan

    return plan(make_config(options, config_file))
