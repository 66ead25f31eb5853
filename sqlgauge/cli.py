"""The command line: each verb builds its arguments and calls one function of `sqlgauge.verbs`.

Exit codes: 0 ok, 1 our own failure, 2 usage or configuration, 3 a budget was exceeded, 4 a check failed,
130 interrupted.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from benchmark.errors import SqlgaugeError, did_you_mean


class Verbs(click.Group):
    """A group that answers an unknown verb with a did-you-mean."""

    def resolve_command(self, ctx: click.Context, args: list[str]) -> Any:
        if args and self.get_command(ctx, args[0]) is None:
            raise click.UsageError(f"unknown verb '{args[0]}'. {did_you_mean(args[0], self.list_commands(ctx))}", ctx)
        return super().resolve_command(ctx, args)


@click.group(cls=Verbs, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(package_name="sqlgauge")
def cli() -> None:
    """Text-to-SQL benchmarks with evidence: run a model over a fixed test split, score it, publish a leaderboard.

    \b
    Example:
      sqlgauge run --model builtin/smollm2-135m --dataset builtin --out runs
      sqlgauge report runs --out site
    """


RUNS = click.argument("runs", nargs=-1, required=True, type=click.Path(path_type=Path))
AS_JSON = click.option("--json", "as_json", is_flag=True, help="Print the result as JSON on standard output.")
QUIET = click.option("--quiet", is_flag=True, help="No progress.")
RUBRIC = click.option(
    "--rubric", default="seed", show_default=True, help="What judges are asked: a name or a .j2 file."
)


@cli.command()
@click.option("--model", help="hf/ID[@REVISION][+ADAPTER], builtin/smollm2-135m, file/PATH, gold, or a litellm name.")
@click.option("--dataset", help="builtin, gretel, or gretel:PATH (.jsonl, .csv, .parquet).")
@click.option("--judge", "judges", multiple=True, help="A litellm model that judges the answers; repeatable.")
@RUBRIC
@click.option("--judge-api-base", help="Base URL of a judge's own OpenAI-compatible server.")
@click.option(
    "--config", "config_file", type=click.Path(path_type=Path), help="YAML with any of these options; flags win."
)
@click.option("--out", help="The folder that run folders go into.  [default: runs]")
@click.option("--name", help="The run folder's name, instead of one made from model, dataset and configuration.")
@click.option("--split", help="[default: test]")
@click.option("--limit", type=int, help="Only the first N items.")
@click.option("--sample", type=int, help="Only N items drawn by --seed; the same ones on every machine.")
@click.option("--seed", type=int, help="Seed of --sample, and of sampling tokens.  [default: 0]")
@click.option("--where", multiple=True, help="Only items with tag=value; repeatable.")
@click.option("--metrics", help="Comma-separated.  [default: exact,exact_ws,ast,execution]")
@click.option("--policy", help="When results agree: default, strict, spider, bird, subset.  [default: default]")
@click.option("--prompt", help="A prompt template: a name or a .j2 file.  [default: zero_shot]")
@click.option(
    "--schema", help="What the prompt shows of the database: ddl, compact, or full (with rows).  [default: ddl]"
)
@click.option("--max-new-tokens", type=int, help="[default: 256]")
@click.option("--temperature", type=float, help="0 is greedy.  [default: 0]")
@click.option("--top-p", type=float)
@click.option("--top-k", type=int)
@click.option("--dtype", help="auto, bfloat16, float16 or float32.  [default: auto]")
@click.option("--load-in-4bit", is_flag=True, default=None, help="Load an hf model in NF4 with bitsandbytes.")
@click.option("--batch-size", type=int, help="Prompts a batch for hf models; part of the run's identity.")
@click.option("--api-base", help="Base URL of an OpenAI-compatible server for the model.")
@click.option("--concurrency", type=int, help="Calls at once for models behind an API.  [default: 8]")
@click.option("--workers", type=int, help="SQL worker processes.  [default: one a core]")
@click.option("--trust-remote-code", is_flag=True, default=None, help="Let a Hub model run its own code.")
@click.option("--dry-run", is_flag=True, help="Print the first prompt and what would be run; call nothing.")
@AS_JSON
@QUIET
def run(
    judges: tuple[str, ...],
    rubric: str,
    judge_api_base: str | None,
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
    from sqlgauge.progress import Bars

    options = _given(flags)
    if dry_run:
        _print_plan(verbs.make_plan(config_file=config_file, **options))
        return
    with Bars(quiet=quiet) as progress:
        folder = verbs.run(
            judges=judges,
            rubric=rubric,
            judge_api_base=judge_api_base,
            config_file=config_file,
            progress=progress,
            **{"model": "", "dataset": "", **options},
        )
    _print_runs([folder], as_json)


@cli.command()
@RUNS
@click.option("--metrics", help="Comma-separated.  [default: all]")
@click.option("--policy", default="default", show_default=True, help="When results agree (sqlgauge ls policies).")
@click.option("--workers", type=int, help="SQL worker processes.  [default: one a core]")
@AS_JSON
@QUIET
def score(
    runs: tuple[Path, ...], metrics: str | None, policy: str, workers: int | None, as_json: bool, quiet: bool
) -> None:
    """Score stored generations anew, without a GPU or a key.

    \b
    Example:
      sqlgauge score runs --policy strict
    """
    from sqlgauge import verbs
    from sqlgauge.progress import Bars

    with Bars(quiet=quiet) as progress:
        folders = verbs.score(runs, metrics=_names(metrics), policy=policy, workers=workers, progress=progress)
    _print_runs(folders, as_json)


@cli.command()
@RUNS
@click.option("--judge", "judges", multiple=True, required=True, help="A litellm model; repeatable.")
@RUBRIC
@click.option("--api-base", help="Base URL of the judge's own OpenAI-compatible server.")
@AS_JSON
@QUIET
def judge(
    runs: tuple[Path, ...], judges: tuple[str, ...], rubric: str, api_base: str | None, as_json: bool, quiet: bool
) -> None:
    """Ask LLM judges about finished runs. Verdicts that are there already are not asked for again.

    \b
    Example:
      sqlgauge judge runs --judge openai/gpt-4o-mini
    """
    from benchmark.store import find_runs
    from sqlgauge import verbs
    from sqlgauge.progress import Bars

    with Bars(quiet=quiet) as progress:
        failures = verbs.judge(runs, judges=judges, rubric=rubric, api_base=api_base, progress=progress)
    _print_runs(find_runs(runs), as_json)
    if failures:
        click.echo(f"{failures} judge calls failed and have no verdict; run the same command again to retry.", err=True)


@cli.command()
@RUNS
@click.option(
    "--out", type=click.Path(path_type=Path), default=Path("site"), show_default=True, help="The site's folder."
)
@AS_JSON
def report(runs: tuple[Path, ...], out: Path, as_json: bool) -> None:
    """Write a leaderboard: index.html, leaderboard.md, .csv and .json. RUNS are run folders or folders of them.

    \b
    Example:
      sqlgauge report runs --out site
    """
    from sqlgauge import verbs

    written = [str(path) for path in verbs.report(runs, out=out)]
    click.echo(json.dumps(written) if as_json else "\n".join(written))


@cli.command("ls")
@click.argument("what", type=click.Choice(["models", "datasets", "metrics", "policies", "prompts", "rubrics", "runs"]))
@click.option(
    "--out", type=click.Path(path_type=Path), default=Path("runs"), show_default=True, help="For runs: where."
)
@AS_JSON
def list_things(what: str, out: Path, as_json: bool) -> None:
    """List what can be named on a command line, or the runs in a folder.

    \b
    Example:
      sqlgauge ls metrics
    """
    names = _listing(what, out)
    click.echo(json.dumps(names) if as_json else "\n".join(names))


def main() -> None:
    """Entry of the command `sqlgauge`."""
    try:
        sys.exit(cli.main(standalone_mode=False))
    except click.exceptions.Exit as error:
        sys.exit(error.exit_code)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except SqlgaugeError as error:
        message = str(error).rstrip(".")
        between = "\n" if "\n" in message else ". " if error.hint else ""
        click.echo(f"sqlgauge: {message}{between}{error.hint}", err=True)
        sys.exit(error.exit_code)
    except (KeyboardInterrupt, click.Abort):
        click.echo("sqlgauge: interrupted; run the same command again to go on.", err=True)
        sys.exit(130)


def _given(flags: dict[str, Any]) -> dict[str, Any]:
    """The options that were given, in the types of RunConfig."""
    given = {name: value for name, value in flags.items() if value not in (None, ())}
    if "metrics" in given:
        given["metrics"] = _names(given["metrics"])
    return given


def _names(text: str | None) -> list[str] | None:
    return [name.strip() for name in text.split(",") if name.strip()] if text else None


def _listing(what: str, out: Path) -> list[str]:
    from benchmark import datasets, metrics, prompts
    from benchmark.models import base as models
    from benchmark.sqlengine.results import POLICIES
    from judges.rubric import RUBRICS

    known: dict[str, Callable[[], list[str]]] = {
        "models": lambda: [*models.REGISTRY, "<provider>/<model> (any litellm name)"],
        "datasets": lambda: list(datasets.base.REGISTRY),
        "metrics": metrics.metric_names,
        "policies": lambda: list(POLICIES),
        "prompts": prompts.TEMPLATES.names,
        "rubrics": RUBRICS.names,
        "runs": lambda: sorted(str(path.parent) for path in out.glob("*/manifest.json")),
    }
    return known[what]()


def _print_runs(folders: Any, as_json: bool) -> None:
    from sqlgauge.summary import print_runs

    print_runs(folders, as_json=as_json)


def _print_plan(plan: Any) -> None:
    from sqlgauge.summary import print_plan

    print_plan(plan)
