"""`sqlgauge contamination`."""

from __future__ import annotations

import json
from pathlib import Path

import click

from sqlgauge.commands.options import AS_JSON, MAP, QUIET


@click.command()
@click.argument("train")
@click.argument("test")
@MAP
@click.option("--train-split", default="train", show_default=True)
@click.option("--test-split", default="test", show_default=True)
@click.option(
    "--run", "runs", multiple=True, type=click.Path(path_type=Path),
    help="A run of a model trained on TRAIN: it gets a contamination.jsonl on its items; repeatable.",
)  # fmt: skip
@click.option(
    "--max-seen", type=click.FloatRange(0, 1), metavar="SHARE",
    help="Exit 4 when more than this share of the test items may have been seen.",
)  # fmt: skip
@click.option("--out", type=click.Path(path_type=Path), help="A folder for contamination.jsonl and contamination.md.")
@AS_JSON
@QUIET
def contamination(
    train: str,
    test: str,
    map: tuple[str, ...],
    train_split: str,
    test_split: str,
    runs: tuple[Path, ...],
    max_seen: float | None,
    out: Path | None,
    as_json: bool,
    quiet: bool,
) -> None:
    """Which items of TEST stand in TRAIN too: to the letter, normalised, with other literals, in nearly the same words?

    TRAIN and TEST are datasets; local files need hold no more than questions and golds. --map is for those of both
    that are tables; one with other columns than the other names them in itself, as 'csv:FILE?question=ask'.

    \b
    Examples:
      sqlgauge contamination builtin builtin
      sqlgauge contamination gretel:train.jsonl gretel:test.jsonl --out overlap --max-seen 0
    """
    from benchmark.contamination import report
    from benchmark.datasets.table import tables_mapped
    from sqlgauge import verbs
    from sqlgauge.grids import inert
    from sqlgauge.progress import Bars

    with Bars(quiet=quiet) as progress:
        found = verbs.contamination(
            *tables_mapped((train, test), map), train_split=train_split, test_split=test_split, out=out, runs=runs,
            progress=progress,
        )  # fmt: skip
    click.echo(json.dumps(report.as_json(found), indent=2) if as_json else inert("\n".join(report.summary(found))))
    if max_seen is not None:
        verbs.check_clean(found, max_seen)
