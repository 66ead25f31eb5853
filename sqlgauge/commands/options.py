"""Options that several verbs share."""

from __future__ import annotations

from pathlib import Path

import click

RUNS = click.argument("runs", nargs=-1, required=True, type=click.Path(path_type=Path))
AS_JSON = click.option("--json", "as_json", is_flag=True, help="Print the result as JSON on standard output.")
QUIET = click.option("--quiet", is_flag=True, help="No progress.")
RUBRIC = click.option(
    "--rubric", default="seed", show_default=True, help="What judges are asked: a name or a .j2 file."
)


def names(text: str | None) -> list[str] | None:
    """A comma-separated option as a list."""
    return [name.strip() for name in text.split(",") if name.strip()] if text else None
