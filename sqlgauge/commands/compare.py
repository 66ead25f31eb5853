"""`sqlgauge compare`."""

from __future__ import annotations

from pathlib import Path

import click

from sqlgauge.commands.options import AS_JSON, Points


@click.command()
@click.argument("run_a", type=click.Path(path_type=Path))
@click.argument("run_b", type=click.Path(path_type=Path))
@click.option("--metric", default="execution", show_default=True, help="What is compared.")
@click.option("--by", default="complexity", show_default=True, help="The tag to show slices of.")
@click.option("--out", type=click.Path(path_type=Path), help="Also write the comparison to this .html or .md file.")
@click.option(
    "--fail-if-worse",
    type=Points(),
    metavar="MARGIN",
    help="Exit 4 unless B is shown to be no worse than A by more than MARGIN (2pp): one-sided 95%.",
)
@click.option("--items", type=int, default=5, show_default=True, help="How many won items a side to list.")
@AS_JSON
def compare(
    run_a: Path,
    run_b: Path,
    metric: str,
    by: str,
    out: Path | None,
    fail_if_worse: float | None,
    items: int,
    as_json: bool,
) -> None:
    """Is RUN_B better than RUN_A? The paired difference with its interval, McNemar's test, and who won what.

    \b
    Examples:
      sqlgauge compare runs/base runs/tuned
      sqlgauge compare runs/main runs/candidate --fail-if-worse 2pp
    """
    from reports import comparison
    from reports.comparison_text import as_text
    from sqlgauge import verbs

    found = verbs.compare(run_a, run_b, metric=metric, by=by, out=out)
    click.echo(comparison.as_json(found).decode() if as_json else as_text(found, items))
    if fail_if_worse is not None:
        verbs.check_no_worse(found, fail_if_worse)
