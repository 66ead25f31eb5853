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
@click.option("--check", is_flag=True, help="Write nothing; exit 4 if a file is missing or differs.")
@click.option("--redact", is_flag=True, help="Publish figures only: no question, schema, query or result.")
@click.option("--hub-dataset", "hub_datasets", multiple=True, help="DATASET=OWNER/NAME on the Hub; repeatable.")
@click.option("--source-url", help="Where the site will be seen, for the Hub's files.")
@AS_JSON
def report(
    runs: tuple[Path, ...],
    out: Path,
    check: bool,
    redact: bool,
    hub_datasets: tuple[str, ...],
    source_url: str | None,
    as_json: bool,
) -> None:
    """Write a leaderboard: a site with every item behind it, Markdown, CSV, JSON, Parquet, files for the Hub, badges.

    The site needs no server and no network: open index.html, or publish the folder as it is.

    RUNS are run folders or folders of them.

    \b
    Example:
      sqlgauge report runs --out site
      sqlgauge report runs --out site --check
      sqlgauge report runs --out site --redact
    """
    from sqlgauge import verbs

    pairs = [named.rpartition("=") for named in hub_datasets]
    if not all(name and hub for name, _, hub in pairs):
        raise click.UsageError("--hub-dataset wants DATASET=OWNER/NAME, for instance builtin/test=me/sqlgauge-builtin")
    named = {name: hub for name, _, hub in pairs}
    paths = verbs.report(runs, out=out, check=check, redact=redact, hub_datasets=named, source_url=source_url)
    written = [str(path) for path in paths]
    if as_json:
        click.echo(json.dumps(written))
        return
    shards = sum(path.parent.name == "data" for path in paths)
    click.echo("\n".join(str(path) for path in paths if path.parent.name != "data"))
    click.echo(f"{'compared' if check else 'wrote'} {len(paths)} files in {out}, {shards} of them data of items")
