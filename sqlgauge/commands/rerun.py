"""`sqlgauge rerun`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from sqlgauge.commands.options import AS_JSON, QUIET

if TYPE_CHECKING:
    from benchmark.audit import MetricCheck
    from benchmark.rerun import AnswerPair, Repetition

_WIDTH = 60


@click.command()
@click.argument("run", type=click.Path(path_type=Path))
@click.option(
    "--out", default="reruns", show_default=True, type=click.Path(path_type=Path),
    help="The folder that the new run folder goes into.",
)  # fmt: skip
@click.option("--check", is_flag=True, help="Exit 4 unless every score comes out again.")
@click.option("--api-base", metavar="URL", help="Where the model is asked, if the run was made with one.")
@click.option("--trust-remote-code", is_flag=True, help="Let a Hub model run its own code, if the run was made so.")
@click.option("--workers", type=int, help="SQL worker processes.  [default: one a core]")
@AS_JSON
@QUIET
def rerun(
    run: Path,
    out: Path,
    check: bool,
    api_base: str | None,
    trust_remote_code: bool,
    workers: int | None,
    as_json: bool,
    quiet: bool,
) -> None:
    """Make a run again from its manifest, in a new folder, and compare: answers, scores, and what could explain them.

    Judges are not asked again.

    \b
    Examples:
      sqlgauge rerun runs/mine
      sqlgauge rerun downloads/their-run --out reruns --check
    """
    import msgspec

    from sqlgauge import verbs
    from sqlgauge.progress import Bars

    with Bars(quiet=quiet) as progress:
        found = verbs.rerun(
            run,
            out=out,
            workers=workers,
            api_base=api_base,
            trust_remote_code=trust_remote_code,
            progress=progress,
        )
    if as_json:
        record = {"same_answers": found.same_answers, "same_scores": found.same_scores, **msgspec.to_builtins(found)}
        click.echo(msgspec.json.format(msgspec.json.encode(record), indent=2))
    else:
        click.echo("\n".join(_as_text(found)))
    if check:
        verbs.check_repeated(found)


def _as_text(found: Repetition) -> Iterator[str]:
    yield f"{found.first} again, as {found.second}:"
    yield f"  answers      {found.identical} of {found.answers} identical"
    yield from (f"    {_pair(pair)}" for pair in found.differing)
    yield from (f"  {_metric(check)}" for check in found.metrics)
    yield from (f"    {one.metric} of {one.example_id!r}: {one.published or 'none'} there, {one.rescored or 'none'} now"
                for one in found.differences)  # fmt: skip
    for title, lines in (("the runs differ in", found.identity), ("they were made with", found.provenance)):
        if lines:
            yield f"  {title}:"
            yield from (f"    {line}" for line in lines)
    if found.same_answers and found.same_scores:
        yield "  identical in every answer and score"


def _pair(pair: AnswerPair) -> str:
    return f"{pair.example_id!r}: {_short(pair.there)} there, {_short(pair.here)} now"


def _short(text: str | None) -> str:
    """A model's text as one printable line."""
    if text is None:
        return "no answer"
    return repr(text if len(text) <= _WIDTH else f"{text[:_WIDTH]}...")


def _metric(check: MetricCheck) -> str:
    sides = [f"{100 * value:.2f}%" if value == value else "no value" for value in (check.published, check.rescored)]
    counts = "".join(f", {count} {kind}" for kind, count in check.kinds.items())
    return f"{check.metric:<12} {sides[0]} there, {sides[1]} now; {check.agree} agree{counts}"
