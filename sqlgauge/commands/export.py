"""`sqlgauge export`."""

from __future__ import annotations

from pathlib import Path

import click

from sqlgauge.commands.options import AS_JSON, RUNS


@click.command()
@RUNS
@click.option("--to", type=click.Choice(["parquet", "csv", "jsonl"]), help="[default: what the ending of --out says]")
@click.option("--out", type=click.Path(path_type=Path), required=True, help="The file.")
@AS_JSON
def export(runs: tuple[Path, ...], to: str | None, out: Path, as_json: bool) -> None:
    """Write runs as one table, a row an answer: question, gold, answer, SQL, tokens, scores and verdicts.

    \b
    Example:
      sqlgauge export runs --to parquet --out answers.parquet
    """
    import msgspec

    from sqlgauge import verbs

    found = verbs.export(runs, out=out, to=to)
    click.echo(
        msgspec.json.encode(found).decode()
        if as_json
        else f"{found.file}\n  {found.rows} answers, {len(found.columns)} columns"
    )
