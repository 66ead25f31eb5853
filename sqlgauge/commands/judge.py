"""`sqlgauge judge`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from sqlgauge.commands.options import AS_JSON, MAX_COST, MAX_ERRORS, PRICES, QUIET, RPM, RUBRIC, RUNS, TPM, YES, asker


@click.command()
@RUNS
@click.option("--judge", "judges", multiple=True, help="A litellm model; several make a panel.")
@RUBRIC
@click.option(
    "--api-base", multiple=True, metavar="[JUDGE=]URL",
    help="Base URL of a judge's own OpenAI-compatible server; several for one judge are asked in turn.",
)  # fmt: skip
@click.option("--swap", is_flag=True, help="Ask each question again with gold and prediction in each other's place.")
@click.option("--repeat", type=click.IntRange(min=1), default=1, metavar="K", help="Ask each question K times.")
@click.option(
    "--seed", type=int, metavar="N", help="Sent to judges that take one; each repeat has the next.  [default: none]"
)
@click.option(
    "--calibrate", "truth", metavar="LABELS",
    help="Measure the judges by a file of 'sqlgauge label', or by 'engine': proofs and counterexamples.",
)  # fmt: skip
@click.option(
    "--aggregate", "rule", type=click.Choice(["majority", "unanimous", "weighted"]), default="majority",
    show_default=True, help="With --calibrate: how a panel's votes make its verdict.",
)  # fmt: skip
@MAX_COST
@PRICES
@RPM
@TPM
@MAX_ERRORS
@click.option("--concurrency", type=click.IntRange(min=1), help="Calls at once for each judge.  [default: 8]")
@click.option("--no-cache", is_flag=True, help="Do not reuse verdicts that other runs on this machine paid for.")
@click.option("--dry-run", is_flag=True, help="Print one prompt, the tokens and the cost; call nothing.")
@YES
@AS_JSON
@QUIET
def judge(
    runs: tuple[Path, ...],
    judges: tuple[str, ...],
    truth: str | None,
    rule: str,
    no_cache: bool,
    max_errors: float,
    dry_run: bool,
    yes: bool,
    as_json: bool,
    quiet: bool,
    **asking: Any,
) -> None:
    """Ask LLM judges about finished runs, and measure how far they can be trusted.

    Verdicts that are there already are not asked for again.

    \b
    Examples:
      sqlgauge judge runs --judge openai/gpt-4o-mini --dry-run
      sqlgauge judge runs --judge openai/gpt-4o-mini --judge anthropic/claude-sonnet-4-5 --swap --max-cost 5
      sqlgauge judge runs/mine --calibrate labels.jsonl
      sqlgauge judge runs --calibrate engine --aggregate weighted
    """
    from judges.bill import check_errors
    from sqlgauge import judged, verbs
    from sqlgauge.progress import Bars

    if not judges and truth is None:
        raise click.UsageError("give --judge MODEL, or --calibrate LABELS for the verdicts that are there")
    asking |= {"reuse": not no_cache}
    if dry_run:
        if not judges:
            raise click.UsageError("--dry-run shows what a --judge would be asked")
        found = verbs.judge_estimate(runs, judges=judges, **asking)
        click.echo(json.dumps(judged.estimates_as_json(found), indent=2) if as_json else judged.estimates(found))
        return
    outcome = None
    if judges:
        with Bars(quiet=quiet) as progress:
            outcome = verbs.judge(runs, judges=judges, yes=yes, ask=asker(), progress=progress, **asking)
    calibrations = verbs.calibrate(runs, truth=truth, rule=rule) if truth else []  # type: ignore[arg-type]
    shown = judged.Shown(runs=runs, outcome=outcome, calibrations=calibrations)
    click.echo(judged.as_json(shown) if as_json else judged.as_text(shown))
    if outcome is not None:
        if outcome.failed:
            said = "judge calls failed and have no verdict; run the same command again to retry."
            click.echo(f"{outcome.failed} {said}", err=True)
        check_errors(outcome, max_errors)
