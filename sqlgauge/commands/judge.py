"""`sqlgauge judge`."""

from __future__ import annotations

from pathlib import Path

import click

from sqlgauge.commands.options import AS_JSON, QUIET, RUBRIC, RUNS


@click.command()
@RUNS
@click.option("--judge", "judges", multiple=True, required=True, help="A litellm model; repeatable.")
@RUBRIC
@click.option("--api-base", help="Base URL of the judge's own OpenAI-compatible server.")
@AS_JSON
@QUIET
def judge(
    runs: tuple[Path, ...], judges: tuple[str, ...], rubric: str, api_base: str | None, as_json: bool, quiet: bool
) -> None:
    """Ask LLM judges about finished runs. Verdicts that are there already are not asked for again.

    \b
    Example:
      sqlgauge judge runs --judge openai/gpt-4o-mini
    """
    from benchmark.store import find_runs
    from sqlgauge import verbs
    from sqlgauge.progress import Bars
    from sqlgauge.summary import print_runs

    with Bars(quiet=quiet) as progress:
        failures = verbs.judge(runs, judges=judges, rubric=rubric, api_base=api_base, progress=progress)
    print_runs(find_runs(runs), as_json=as_json)
    if failures:
        click.echo(f"{failures} judge calls failed and have no verdict; run the same command again to retry.", err=True)
