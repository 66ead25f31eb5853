"""`sqlgauge validate`."""

from __future__ import annotations

import json
from pathlib import Path

import click

from sqlgauge.commands.options import AS_JSON, MAP, QUIET
from sqlgauge.verbs.trust import THRESHOLD


@click.command()
@click.argument("dataset")
@MAP
@click.option("--split", default="test", show_default=True)
@click.option("--limit", type=int, help="Only the first N items.")
@click.option("--sample", type=int, help="Only N items drawn by --seed.")
@click.option("--seed", type=int, default=0, show_default=True)
@click.option("--where", multiple=True, help="Only items with tag=value or tag=one|another; repeatable.")
@click.option(
    "--threshold", type=click.FloatRange(0, 1), default=THRESHOLD, show_default=True,
    help="Exit 4 when a smaller share of the items is healthy.",
)  # fmt: skip
@click.option("--out", type=click.Path(path_type=Path), help="A folder for health.jsonl and health.md.")
@click.option("--workers", type=int, help="SQL worker processes.  [default: one a core]")
@AS_JSON
@QUIET
def validate(
    dataset: str,
    map: tuple[str, ...],
    split: str,
    limit: int | None,
    sample: int | None,
    seed: int,
    where: tuple[str, ...],
    threshold: float,
    out: Path | None,
    workers: int | None,
    as_json: bool,
    quiet: bool,
) -> None:
    """Gold health: does every gold run, return something, return it again, and tell anything? Exit 4 if too few do.

    \b
    Examples:
      sqlgauge validate builtin
      sqlgauge validate jsonl:my_questions.jsonl --threshold 1 --out health
    """
    from benchmark.datasets.table import mapped
    from benchmark.validate import report
    from sqlgauge import verbs
    from sqlgauge.grids import inert
    from sqlgauge.progress import Bars

    with Bars(quiet=quiet) as progress:
        chosen, health = verbs.validate(
            mapped(dataset, map), split=split, limit=limit, sample=sample, seed=seed, where=where, out=out,
            workers=workers, progress=progress,
        )  # fmt: skip
    shown = json.dumps(report.as_json(chosen, health), indent=2)
    click.echo(shown if as_json else inert("\n".join(report.summary(chosen, health))))
    if out is not None and not as_json:
        click.echo(f"  written to {', '.join(str(out / name) for name in report.FILES)}")
    verbs.check_healthy(health, threshold)
