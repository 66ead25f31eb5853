"""`sqlgauge verify`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from sqlgauge.commands.options import AS_JSON, QUIET, RUNS

if TYPE_CHECKING:
    from benchmark.audit import Difference, MetricCheck
    from benchmark.verify import Verification


@click.command()
@RUNS
@click.option(
    "--databases",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="A folder that holds the database files, where their paths are those of another machine.",
)
@click.option("--workers", type=int, help="SQL worker processes.  [default: one a core]")
@AS_JSON
@QUIET
def verify(runs: tuple[Path, ...], databases: Path | None, workers: int | None, as_json: bool, quiet: bool) -> None:
    """Do the published scores follow from the generations? Exit 4 if not. Writes nothing; needs no GPU and no key.

    \b
    Examples:
      sqlgauge verify downloads/their-run
      sqlgauge verify runs --databases spider/database --json
    """
    import msgspec

    from sqlgauge import verbs
    from sqlgauge.progress import Bars

    with Bars(quiet=quiet) as progress:
        found = verbs.verify(runs, databases=databases, workers=workers, progress=progress)
    if as_json:
        records = [{"follows": one.follows, **msgspec.to_builtins(one)} for one in found]
        click.echo(msgspec.json.format(msgspec.json.encode(records), indent=2))
    else:
        click.echo("\n".join(map(_as_text, found)))
    verbs.check_verified(found)


def _as_text(found: Verification) -> str:
    verdict = "DOES NOT FOLLOW" if found.problems else "CANNOT BE CHECKED in full" if found.gaps else "follows"
    lines = [f"{found.run}: {verdict}"]
    lines += [f"  {_metric(check)}" for check in found.metrics]
    lines += [f"  problem: {problem}" for problem in found.problems]
    lines += [f"    {_difference(difference)}" for difference in found.differences]
    lines += [f"  not checked: {gap}" for gap in found.gaps]
    lines += [f"  note: {note}" for note in found.notes]
    return "\n".join(lines)


def _metric(check: MetricCheck) -> str:
    sides = [f"{100 * value:.2f}%" if value == value else "no value" for value in (check.published, check.rescored)]
    counts = "".join(f", {count} {kind}" for kind, count in check.kinds.items())
    unchecked = f", {check.unchecked} not checked" if check.unchecked else ""
    return f"{check.metric:<12} published {sides[0]}, re-scored {sides[1]}; {check.agree} agree{counts}{unchecked}"


def _difference(found: Difference) -> str:
    sample = f" (sample {found.sample})" if found.sample else ""
    return (
        f"{found.kind}: {found.metric} of {found.example_id!r}{sample}: published {found.published or 'nothing'}, "
        f"re-scored {found.rescored or 'nothing'}"
    )
