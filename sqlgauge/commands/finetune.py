"""`sqlgauge finetune` and `sqlgauge merge`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from sqlgauge.commands.options import AS_JSON, QUIET


@click.command()
@click.argument("recipe")
@click.argument("overrides", nargs=-1, metavar="[PART.KEY=VALUE]...")
@click.option(
    "--out", type=click.Path(path_type=Path), default=Path("adapters"), show_default=True, help="Where adapters go."
)
@click.option("--name", help="The adapter folder's name, instead of one made from model, dataset and recipe.")
@click.option(
    "--dry-run", is_flag=True, help="Show a row with what of it is learnt, counts and estimates; train nothing."
)
@AS_JSON
@QUIET
def finetune(
    recipe: str, overrides: tuple[str, ...], out: Path, name: str | None, dry_run: bool, as_json: bool, quiet: bool
) -> None:
    """Train a QLoRA adapter by a RECIPE: seed, seed_fixed, demo, or a YAML file. Run again to resume.

    \b
    Examples:
      sqlgauge finetune demo --dry-run
      sqlgauge finetune seed_fixed train.steps=2000 data.dataset=gretel:train.parquet
      sqlgauge run --model hf/google/gemma-2-2b-it+adapters/<NAME> --dataset gretel --sample 300
    """
    from sqlgauge import verbs
    from sqlgauge.progress import Bars

    if dry_run:
        _print_preview(verbs.preview(recipe, overrides), as_json)
        return
    with Bars(quiet=quiet) as progress:
        folder = verbs.finetune(recipe, overrides, out=out, name=name, progress=progress)
    manifest = json.loads((folder / "manifest.json").read_text())
    if as_json:
        click.echo(json.dumps({"adapter": str(folder), **manifest}, indent=2))
        return
    tokens = manifest["tokens"]
    loss = manifest["last_loss"]  # none where fewer steps were made than a log line covers
    click.echo(f"{folder}\n  {manifest['steps']} steps" + ("" if loss is None else f", last loss {loss:.4f}"))
    click.echo(f"  {tokens['kept']} rows of {tokens['rows']}, {tokens['too_long']} longer than format.max_length")
    overlap = manifest.get("contamination") or {}
    if overlap.get("unchecked"):
        click.echo(f"  no test split was checked: {overlap['unchecked']}")
    elif overlap:
        click.echo(f"  {overlap['seen']} of {overlap['items']} items of {overlap['test']} may have been seen")
    click.echo(f"  benchmark it: sqlgauge run --model {manifest['identity']['recipe']['model']['spec']}+{folder} ...")


@click.command()
@click.argument("adapter", type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path), required=True, help="The merged model's folder.")
@click.option("--dtype", default="bfloat16", show_default=True, help="Precision of the sum and of the saved weights.")
@click.option("--base", help="The base model's spec, where the adapter's manifest does not name it.")
def merge(adapter: Path, out: Path, dtype: str, base: str | None) -> None:
    """Add an adapter to its base and save the whole model.

    \b
    Example:
      sqlgauge merge adapters/demo --out merged/demo
    """
    from sqlgauge import verbs

    click.echo(verbs.merge(adapter, out=out, dtype=dtype, base=base))


def _print_preview(found: Any, as_json: bool) -> None:
    import msgspec

    stats = found.rows.stats
    if as_json:
        figures = {name: getattr(found, name) for name in ("steps", "epochs", "parameters", "trained", "memory_gib")}
        figures |= {"seconds": found.seconds, "device": found.device, "tokens": msgspec.to_builtins(stats)}
        click.echo(json.dumps(figures | {"sample": msgspec.to_builtins(found.sample)}, indent=2))
        return
    click.echo("A row as the model sees it; what is learnt is green and stands between marks:\n")
    for piece in found.sample:
        click.echo(click.style(f"⟦{piece.text}⟧", fg="green") if piece.learnt else piece.text, nl=False)
    click.echo(f"\n\nrows      {stats.kept} of {stats.rows} of {found.rows.dataset}; {stats.too_long} too long")
    click.echo(f"tokens    {stats.tokens}, of which {stats.learnt} learnt ({stats.learnt / stats.tokens:.0%});")
    click.echo(f"          a row: median {stats.median}, 90% under {stats.p90}, longest {stats.longest}")
    click.echo(f"steps     {found.steps}, {found.epochs:.2f} times through the rows")
    click.echo(
        f"weights   {found.parameters:,}, and {found.trained:,} trained ({found.trained / found.parameters:.2%})"
    )
    click.echo(f"estimate  {found.memory_gib:.1f} GiB, {_duration(found.seconds)} on this machine's {found.device}")


def _duration(seconds: float) -> str:
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"
