"""The command line: a verb is one module of `sqlgauge.commands`, loaded when it is asked for.

Exit codes: 0 ok, 1 our own failure, 2 usage or configuration, 3 a budget was exceeded, 4 a check failed,
130 interrupted, 143 ended by SIGTERM.
"""

from __future__ import annotations

import sys
import traceback
from typing import Any

import click

from benchmark.errors import SqlgaugeError, did_you_mean
from benchmark.keys import without_secrets
from benchmark.registry import load
from sqlgauge.endings import end_soon, why_not_written

VERBS = {
    "run": "sqlgauge.commands.run:run",
    "score": "sqlgauge.commands.score:score",
    "judge": "sqlgauge.commands.judge:judge",
    "compare": "sqlgauge.commands.compare:compare",
    "report": "sqlgauge.commands.report:report",
    "equiv": "sqlgauge.commands.equiv:equiv",
    "verify": "sqlgauge.commands.verify:verify",
    "rerun": "sqlgauge.commands.rerun:rerun",
    "validate": "sqlgauge.commands.validate:validate",
    "contamination": "sqlgauge.commands.contamination:contamination",
    "dataset": "sqlgauge.commands.dataset:dataset",
    "label": "sqlgauge.commands.label:label",
    "power": "sqlgauge.commands.power:power",
    "export": "sqlgauge.commands.export:export",
    "publish": "sqlgauge.commands.publish:publish",
    "fetch": "sqlgauge.commands.publish:fetch",
    "finetune": "sqlgauge.commands.finetune:finetune",
    "merge": "sqlgauge.commands.finetune:merge",
    "ls": "sqlgauge.commands.ls:list_things",
    "doctor": "sqlgauge.commands.doctor:doctor",
}


class Verbs(click.Group):
    """A group that loads a verb by its name, and answers an unknown one with a did-you-mean."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        return load("verb", VERBS, cmd_name) if cmd_name in VERBS else None

    def resolve_command(self, ctx: click.Context, args: list[str]) -> Any:
        if args and args[0] not in VERBS:
            raise click.UsageError(f"unknown verb '{args[0]}'. {did_you_mean(args[0], VERBS)}", ctx)
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


def main() -> None:
    """Entry of the command `sqlgauge`."""
    ending = end_soon()
    try:
        sys.exit(cli.main(standalone_mode=False))
    except click.exceptions.Exit as error:
        sys.exit(error.exit_code)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except SqlgaugeError as error:
        _show(str(error), error.hint)
        sys.exit(error.exit_code)
    except OSError as error:
        found = why_not_written(error)
        if found is None:
            _show_flaw()
            sys.exit(1)
        _show(*found)
        sys.exit(2)
    except (KeyboardInterrupt, click.Abort):
        ending.say()
        sys.exit(ending.exit_code)
    except Exception:  # noqa: BLE001 - the last place: shown whole, but for what must not be shown
        _show_flaw()
        sys.exit(1)


def _show(message: str, hint: str) -> None:
    message = message.rstrip(".")
    between = "\n" if "\n" in message else ". " if hint else ""
    click.echo(without_secrets(f"sqlgauge: {message}{between}{hint}"), err=True)


def _show_flaw() -> None:
    """The traceback of what nobody foresaw, without any key."""
    click.echo(without_secrets(traceback.format_exc()), err=True)
    click.echo("sqlgauge: this is a flaw of sqlgauge; what is stored stays good. Please report it.", err=True)
