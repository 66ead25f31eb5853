"""`sqlgauge power`."""

from __future__ import annotations

from pathlib import Path

import click

from sqlgauge.commands.options import AS_JSON, Points


@click.command()
@click.option("--n", type=click.IntRange(min=1), help="Items of the test split.")
@click.option("--difference", type=Points(), metavar="SHARE", help="A difference to find, such as 3pp or 0.03.")
@click.option(
    "--discordance", type=Points(), metavar="SHARE",
    help="Share of the items that one model has right and the other has not.  [default: 0.3, or that of --runs]",
)  # fmt: skip
@click.option("--runs", nargs=2, type=click.Path(path_type=Path), metavar="A B", help="Take it from two runs.")
@click.option("--metric", default="execution", show_default=True, help="For --runs: by which metric.")
@click.option("--power", "probability", type=float, default=0.8, show_default=True, help="Chance to find it.")
@click.option("--alpha", type=float, default=0.05, show_default=True, help="Two-sided error level.")
@click.option("--cluster-size", type=click.IntRange(min=1), help="Items that share a database.")
@click.option("--icc", type=float, help="Correlation of the models' difference within a database.")
@AS_JSON
def power(
    n: int | None,
    difference: float | None,
    discordance: float | None,
    runs: tuple[Path, Path] | None,
    metric: str,
    probability: float,
    alpha: float,
    cluster_size: int | None,
    icc: float | None,
    as_json: bool,
) -> None:
    """What can a test split show? The smallest difference that --n items find, or the items that one needs.

    \b
    Examples:
      sqlgauge power --n 240
      sqlgauge power --difference 3pp --discordance 20pp
      sqlgauge power --n 500 --runs runs/base runs/tuned --cluster-size 20 --icc 0.1
    """
    from reports import power as report
    from sqlgauge import verbs

    if runs and discordance is not None:
        raise click.UsageError("--discordance and --runs say the same thing: leave one out")
    found = verbs.power(
        n=n,
        difference=difference,
        discordance=discordance,
        runs=runs,
        metric=metric,
        power=probability,
        alpha=alpha,
        cluster_size=cluster_size,
        icc=icc,
    )
    click.echo(report.as_json(found).decode() if as_json else report.as_text(found))
