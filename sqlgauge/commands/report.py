"""`sqlgauge report`."""

from __future__ import annotations

import json
from pathlib import Path

import click

from sqlgauge.commands.options import AS_JSON, RUNS


@click.command()
@RUNS
@click.option(
    "--out", type=click.Path(path_type=Path), default=Path("site"), show_default=True, help="The site's folder."
)
@AS_JSON
def report(runs: tuple[Path, ...], out: Path, as_json: bool) -> None:
    """Write a leaderboard: index.html, leaderboard.md, .csv and .json. RUNS are run folders or folders of them.

    \b
    Example:
      sqlgauge report runs --out site
    """
    from sqlgauge import verbs

    written = [str(path) for path in verbs.report(runs, out=out)]
    click.echo(json.dumps(written) if as_json else "\n".join(written))
