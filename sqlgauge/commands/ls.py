"""`sqlgauge ls`."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import click

from sqlgauge.commands.options import AS_JSON


@click.command("ls")
@click.argument(
    "what",
    type=click.Choice(
        ["models", "datasets", "metrics", "policies", "prompts", "protocols", "rubrics", "recipes", "runs"]
    ),
)
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


def _listing(what: str, out: Path) -> list[str]:
    from benchmark import datasets, metrics, prompts
    from benchmark.config import PROTOCOLS
    from benchmark.models import base as models
    from benchmark.sqlengine.results import POLICIES
    from finetune import recipe_names
    from judges.rubric import RUBRICS

    known: dict[str, Callable[[], list[str]]] = {
        "models": lambda: [*models.REGISTRY, "<provider>/<model> (any litellm name)"],
        "datasets": lambda: list(datasets.base.REGISTRY),
        "metrics": metrics.metric_names,
        "policies": lambda: list(POLICIES),
        "prompts": prompts.TEMPLATES.names,
        "protocols": lambda: list(PROTOCOLS),
        "rubrics": RUBRICS.names,
        "recipes": recipe_names,
        "runs": lambda: sorted(str(path.parent) for path in out.glob("*/manifest.json")),
    }
    return known[what]()
