"""`sqlgauge dataset`."""

from __future__ import annotations

import json
from pathlib import Path

import click

from sqlgauge.commands.options import AS_JSON


@click.group()
def dataset() -> None:
    """A test split of one's own.

    \b
    Example:
      sqlgauge dataset init my.sqlite
    """


@dataset.command()
@click.argument("database", type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path), help="[default: DATABASE_questions.jsonl, in this folder]")
@AS_JSON
def init(database: Path, out: Path | None, as_json: bool) -> None:
    """Draft a JSON-lines split about DATABASE (SQLite or DuckDB): its schema, and worked examples that run on it.

    \b
    Example:
      sqlgauge dataset init shop.sqlite --out questions.jsonl
    """
    from sqlgauge import verbs

    place, health = verbs.dataset_init(database, out=out)
    if as_json:
        click.echo(json.dumps({"file": str(place), "items": len(health)}))
        return
    click.echo(f"{place}: {len(health)} worked examples, each of which runs and returns rows")
    click.echo("  1. write over their questions and golds, and copy a line for each further item (another id)")
    click.echo(f"  2. sqlgauge validate jsonl:{place}   says which item needs what")
    click.echo(f"  3. sqlgauge run --model gold --dataset jsonl:{place}   must score 100%; then name a model")
