"""`sqlgauge label`."""

from __future__ import annotations

import json
from pathlib import Path

import click

from sqlgauge.commands.options import AS_JSON


@click.command()
@click.argument("run", type=click.Path(path_type=Path))
@click.option("--n", type=click.IntRange(min=1), default=60, show_default=True, help="Answers to draw.")
@click.option("--seed", type=int, default=0, show_default=True, help="Which ones; the same on every machine.")
@click.option(
    "--out", type=click.Path(path_type=Path, dir_okay=False), default=Path("labels.jsonl"), show_default=True,
    help="The labels: those that are there are on the page already, and --serve adds to them.",
)  # fmt: skip
@click.option("--page", type=click.Path(path_type=Path), help="The page to write.  [default: label-<RUN>.html]")
@click.option("--serve", is_flag=True, help="Serve the page on 127.0.0.1 instead, until all is labelled or Ctrl-C.")
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="For --serve.  [default: any free one]")
@AS_JSON
def label(
    run: Path, n: int, seed: int, out: Path, page: Path | None, serve: bool, port: int, as_json: bool
) -> None:  # fmt: skip
    """Label a random sample of a run's answers by hand, on a page that hides what execution says.

    \b
    Examples:
      sqlgauge label runs/mine --n 60 --seed 0 --page label.html
      sqlgauge label runs/mine --serve --out labels.jsonl
    """
    from sqlgauge import verbs

    if serve and page:
        raise click.UsageError("--serve writes no page: leave out --page or --serve")
    if serve:
        sheet = verbs.label_on_server(run, n=n, seed=seed, out=out, port=port, announce=_announce)
        place, then = out, "all are labelled"
    else:
        sheet, place = verbs.label(run, n=n, seed=seed, out=out, page=page)
        then = "open it in a browser, and save its labels.jsonl at the end"
    drawn = f"{len(sheet.items)} of {sheet.population} answers, seed {sheet.seed}"
    figures = {"run_id": sheet.run_id, "items": len(sheet.items), "population": sheet.population, "seed": sheet.seed}
    key = "labels" if serve else "page"
    click.echo(json.dumps({key: str(place), **figures}) if as_json else f"{place}\n  {drawn}: {then}")


def _announce(url: str) -> None:
    click.echo(f"{url}\n  Open it in a browser. It stops when all is labelled; Ctrl-C stops it before.", err=True)
