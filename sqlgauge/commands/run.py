"""`sqlgauge run`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sqlgauge.commands.options import (
    AS_JSON,
    MAP,
    MAX_COST,
    MAX_ERRORS,
    PRICES,
    QUIET,
    RPM,
    RUBRIC,
    SEARCH_DATABASES,
    SEARCH_SECONDS,
    TPM,
    YES,
    asker,
    names,
)

if TYPE_CHECKING:
    from benchmark.store import RunFolder


@click.command()
@click.option("--model", help="hf/ID[@REVISION][+ADAPTER], builtin/smollm2-135m, file/PATH, gold, or a litellm name.")
@click.option(
    "--dataset",
    help="builtin, gretel[@REVISION], gretel:PATH, spider:DIR, bird:DIR, or jsonl:, csv: or parquet:PATH.",
)
@MAP
@click.option("--judge", "judges", multiple=True, help="A litellm model that judges the answers; repeatable.")
@RUBRIC
@click.option(
    "--judge-api-base", multiple=True, metavar="[JUDGE=]URL", help="Base URL of a judge's own OpenAI-compatible server."
)
@MAX_COST
@MAX_ERRORS
@PRICES
@RPM
@TPM
@YES
@click.option(
    "--config", "config_file", type=click.Path(path_type=Path), help="YAML with any of these options; flags win."
)
@click.option("--out", help="The folder that run folders go into.  [default: runs]")
@click.option("--name", help="The run folder's name, instead of one made from model, dataset and configuration.")
@click.option("--protocol", help="A named way to evaluate: seed is the original notebook's.  [default: default]")
@click.option("--split", help="[default: test]")
@click.option("--limit", type=int, help="Only the first N items.")
@click.option("--sample", type=int, help="Only N items drawn by --seed; the same ones on every machine.")
@click.option("--seed", type=int, help="Seed of --sample, and of sampling tokens.  [default: 0]")
@click.option("--where", multiple=True, help="Only items with tag=value or tag=one|another; repeatable.")
@click.option("--metrics", help="Comma-separated.  [default: exact,exact_ws,ast,execution,equivalence]")
@click.option("--policy", help="When results agree: default, strict, spider, bird, subset.  [default: default]")
@SEARCH_DATABASES
@SEARCH_SECONDS
@click.option("--prompt", help="A prompt template: a name or a .j2 file.  [default: zero_shot]")
@click.option(
    "--schema", help="What prompts show of a database: ddl, rows (some of each table), compact or full.  [default: ddl]"
)
@click.option("--schema-rows", type=int, metavar="K", help="Rows a table that --schema rows shows.  [default: 3]")
@click.option(
    "--schema-tokens", type=int, metavar="N",
    help="The most tokens of a schema: fewer rows, no rows, compact, then fewer tables; each step is told.",
)  # fmt: skip
@click.option("--shots", type=int, metavar="K", help="Examples from a train split before each question.  [default: 0]")
@click.option("--shots-from", metavar="DATASET", help="Whose train split.  [default: that of --dataset]")
@click.option("--shots-by", help="fixed: the same ones for all; similar: the nearest by BM25.  [default: fixed]")
@click.option(
    "--n", type=int, help="Answers an item, for pass@k and self-consistency; needs --temperature.  [default: 1]"
)
@click.option("--max-new-tokens", type=int, help="[default: 256]")
@click.option("--temperature", type=float, help="0 is greedy.  [default: 0]")
@click.option("--top-p", type=float)
@click.option("--top-k", type=int)
@click.option("--dtype", help="auto, bfloat16, float16 or float32.  [default: auto]")
@click.option("--load-in-4bit", is_flag=True, default=None, help="Load an hf model in NF4 with bitsandbytes.")
@click.option("--load-in-8bit", is_flag=True, default=None, help="Load an hf model in LLM.int8 with bitsandbytes.")
@click.option("--merge-adapter", is_flag=True, default=None, help="Add the adapter to the weights before generating.")
@click.option("--batch-size", type=int, help="Prompts a batch for hf models; part of the run's identity.")
@click.option("--api-base", help="Base URL of an OpenAI-compatible server for the model.")
@click.option("--concurrency", type=int, help="Calls at once for models behind an API.  [default: 8]")
@click.option("--workers", type=int, help="SQL worker processes.  [default: one a core]")
@click.option("--trust-remote-code", is_flag=True, default=None, help="Let a Hub model run its own code.")
@click.option("--publish", metavar="URL", help="Publish the run folder there at the end, as 'sqlgauge publish' does.")
@click.option("--dry-run", is_flag=True, help="Print the first prompt and what would be run; call nothing.")
@AS_JSON
@QUIET
def run(
    judges: tuple[str, ...],
    rubric: str,
    judge_api_base: tuple[str, ...],
    max_cost: float | None,
    max_errors: float,
    prices: Path | None,
    rpm: int | None,
    tpm: int | None,
    yes: bool,
    config_file: Path | None,
    dry_run: bool,
    as_json: bool,
    quiet: bool,
    **flags: Any,
) -> None:
    """Benchmark a model: generate, extract, score and, with --judge, judge. Run again to resume.

    \b
    Examples:
      sqlgauge run --model gold --dataset builtin
      sqlgauge run --model hf/google/gemma-2-2b-it --dataset gretel --sample 300 --seed 2024
      sqlgauge run --model openai/gpt-4o-mini --dataset builtin --judge anthropic/claude-sonnet-4-5
    """
    from sqlgauge import verbs
    from sqlgauge.commands.publish import publication_text
    from sqlgauge.progress import Bars
    from sqlgauge.summary import print_plan, print_runs

    options = _given(flags)
    if dry_run:
        plan = verbs.make_plan(config_file=config_file, **options)
        for note in plan.asked.notes:
            click.echo(f"prompts {note}")
        print_plan(plan)
        return
    with Bars(quiet=quiet) as progress:
        folder = verbs.run(
            judges=judges,
            rubric=rubric,
            judge_api_base=judge_api_base,
            asking={"max_cost": max_cost, "prices": prices, "rpm": rpm, "tpm": tpm},
            max_errors=max_errors,
            yes=yes,
            ask=asker(),
            config_file=config_file,
            progress=progress,
            published=lambda done: click.echo(f"published {publication_text(done)}", err=True),
            **{"model": "", "dataset": "", **options},
        )
    _tell_of_schemas(folder)
    print_runs([folder], as_json=as_json)


def _tell_of_schemas(folder: RunFolder) -> None:
    """On standard error: what --schema-tokens left out."""
    counts = folder.manifest().counts
    if counts.get("schemas_pruned") or counts.get("schemas_too_long"):
        click.echo(
            f"{counts['schemas_pruned']} schemas were shortened to fit; {counts['schemas_too_long']} do not fit and "
            f"are errors: see {folder.path / 'prompts.jsonl'}",
            err=True,
        )


def _given(flags: dict[str, Any]) -> dict[str, Any]:
    """The options that were given, in the types of RunConfig."""
    given = {name: value for name, value in flags.items() if value not in (None, ())}
    if "metrics" in given:
        given["metrics"] = names(given["metrics"])
    return given
