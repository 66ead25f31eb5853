"""Runs: planning them, and carrying them out from the first prompt to the last verdict."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlgauge.verbs.common import Progress, silent
from sqlgauge.verbs.judging import Asking, make_panel, require_leave

if TYPE_CHECKING:
    from benchmark.chat import Budget
    from benchmark.models import Model
    from benchmark.publishing import Publication
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
    max_errors: float = 0.05,
    published: Callable[[Publication], object] = lambda done: None,
    **options: Any,
) -> RunFolder:
    """Benchmark a model over a split and, if asked, have judges look at it. Again means: go on where it stopped.

    `options` are the fields of `benchmark.config.RunConfig`; `asking` is what else `judge` takes for asking, `yes` and
    `ask` are the same as there. Its `max_cost`, `prices`, `rpm` and `tpm` hold for a model behind an API, too: the
    money together with the judges, the pace for each model alone. With the option `publish`, a URL, the run is
    published there at the end, and `published` told of it.
    Raises benchmark.errors.SqlgaugeError and its kind; BudgetExceeded also where more than the share `max_errors` of
    the answers failed, or of a judge's calls: what there is is stored, and the same call goes on.
    """
    from benchmark.chat import Budget
    from benchmark.config import make_config
    from benchmark.publishing import publish
    from benchmark.remote import check_url
    from benchmark.runner import execute, plan
    from judges.bill import check_errors

    how: Asking = {"rubric": rubric, "api_base": judge_api_base, **(asking or {})}
    budget = Budget(how.get("max_cost"))
    # A missing key is said before any work starts.
    panel = make_panel(judges, budget=budget, **how) if judges else None
    config = make_config({"model": model, "dataset": dataset, **options}, config_file)
    if config.publish is not None:
        check_url(config.publish)
    made = plan(config)
    _limit(made.model, budget, how)
    if panel is not None:
        about = (made.dataset.name, made.dataset.fingerprint, len(made.prompts))
        require_leave(panel, how, [about], yes=yes, ask=ask)
    folder = execute(made, progress, max_errors)
    if panel is not None:
        check_errors(panel.judge_all([folder], progress), max_errors)
    if config.publish is not None:
        published(publish(folder.path, config.publish, progress))
    return folder


def _limit(model: Model, budget: Budget, how: Asking) -> None:
    """Have a model behind an API keep to the budget and the pace; others cost nothing."""
    from benchmark.chat import Prices
    from benchmark.models.api import ApiModel, Limits

    if isinstance(model, ApiModel):
        prices = Prices.read(how.get("prices"))
        model.limit(Limits(budget=budget, prices=prices, rpm=how.get("rpm"), tpm=how.get("tpm")))


def make_plan(*, config_file: Path | None = None, **options: Any) -> Plan:
    """A run that is checked and not started: its first prompt, its identity, its folder."""
    from benchmark.config import make_config
    from benchmark.runner import plan

    return plan(make_config(options, config_file))
