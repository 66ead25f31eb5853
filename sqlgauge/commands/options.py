"""Options that several verbs share."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

RUNS = click.argument("runs", nargs=-1, required=True, type=click.Path(path_type=Path))
AS_JSON = click.option("--json", "as_json", is_flag=True, help="Print the result as JSON on standard output.")
QUIET = click.option("--quiet", is_flag=True, help="No progress.")
RUBRIC = click.option(
    "--rubric", default="seed", show_default=True, help="What judges are asked: a name or a .j2 file."
)
MAX_COST = click.option(
    "--max-cost",
    type=click.FloatRange(min=0),
    metavar="USD",
    help="Stop calling models behind an API before this much is spent; exit 3.",
)
RPM = click.option(
    "--rpm",
    type=click.IntRange(min=1),
    metavar="N",
    help="The most requests to each model behind an API in any minute.",
)
TPM = click.option(
    "--tpm", type=click.IntRange(min=1), metavar="N", help="The most tokens, of prompts and answers, likewise."
)
PRICES = click.option(
    "--prices", type=click.Path(path_type=Path), metavar="FILE",
    help="YAML: model: {input_per_million: USD, output_per_million: USD}.  [default: litellm's prices]",
)  # fmt: skip
YES = click.option(
    "--yes", is_flag=True, help="Agree to send schemas, questions, golds and answers to the judges' providers."
)
MAP = click.option(
    "--map", multiple=True, metavar="OURS=THEIRS",
    help="A column of a jsonl:, csv: or parquet: file by its name there, as question=utterance; repeatable.",
)  # fmt: skip
SEARCH_DATABASES = click.option(
    "--search-databases", type=int, metavar="N",
    help="Databases to seek a counterexample on, for equivalence; 0: no search.  [default: 60]",
)  # fmt: skip
SEARCH_SECONDS = click.option(
    "--search-seconds", type=float, metavar="S", help="The longest that one such search takes.  [default: 2]"
)


class Share(click.ParamType[float]):
    """A share such as '5%' or 0.05, as a proportion from 0 to 1."""

    name = "SHARE"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        text = str(value).strip()
        try:
            share = float(text.removesuffix("%")) / 100 if text.endswith("%") else float(text)
        except ValueError:
            share = -1.0
        if not 0 <= share <= 1:
            self.fail(f"'{value}' is no share; write it as 5% or 0.05", param, ctx)
        return share


MAX_ERRORS = click.option(
    "--max-errors", type=Share(), default=0.05, show_default="5%", metavar="SHARE",
    help="Exit 3 where more than this share of a model's answers or of any judge's calls failed; 1 accepts all.",
)  # fmt: skip


def asker() -> Callable[[str], bool] | None:
    """Asks on the terminal whether something may be sent; None where there is nobody to ask."""
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        return None
    return lambda text: click.confirm(f"{text}\nSend it?", err=True)


def names(text: str | None) -> list[str] | None:
    """A comma-separated option as a list."""
    return [name.strip() for name in text.split(",") if name.strip()] if text else None


class Points(click.ParamType[float]):
    """A share such as '2pp' (percentage points) or 0.02, as a proportion."""

    name = "SHARE"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        text = str(value).strip().lower()
        try:
            share = float(text.removesuffix("pp")) / 100 if text.endswith("pp") else float(text)
        except ValueError:
            share = -1.0
        if not 0 <= share < 1:
            self.fail(f"'{value}' is no share; write it as 2pp (percentage points) or 0.02", param, ctx)
        return share
