"""`sqlgauge score`."""

from __future__ import annotations

from pathlib import Path

import click

from sqlgauge.commands.options import AS_JSON, QUIET, RUNS, SEARCH_DATABASES, SEARCH_SECONDS, names


@click.command()
@RUNS
@click.option("--metrics", help="Comma-separated.  [default: exact,exact_ws,ast,execution,equivalence]")
@click.option("--policy", default="default", show_default=True, help="When results agree (sqlgauge ls policies).")
@SEARCH_DATABASES
@SEARCH_SECONDS
@click.option("--workers", type=int, help="SQL worker processes.  [default: one a core]")
@AS_JSON
@QUIET
def score(
    runs: tuple[Path, ...],
    metrics: str | None,
    policy: str,
    search_databases: int | None,
    search_seconds: float | None,
    workers: int | None,
    as_json: bool,
    quiet: bool,
) -> None:
    """Score stored generations anew, without a GPU or a key.

    \b
    Example:
      sqlgauge score runs --policy strict
    """
    from sqlgauge import verbs
    from sqlgauge.progress import Bars
    from sqlgauge.summary import print_runs

    with Bars(quiet=quiet) as progress:
        folders = verbs.score(
            runs,
            metrics=names(metrics),
            policy=policy,
            search_databases=search_databases,
            search_seconds=search_seconds,
            workers=workers,
            progress=progress,
        )
    print_runs(folders, as_json=as_json)
