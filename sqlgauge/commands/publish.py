"""`sqlgauge publish` and `sqlgauge fetch`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from sqlgauge.commands.options import AS_JSON, QUIET

if TYPE_CHECKING:
    from benchmark.fetching import Fetched
    from benchmark.publishing import Publication


@click.command()
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="PATH...")
@click.option("--to", required=True, metavar="URL", help="s3://, gs://, hf://, file:// or any other of fsspec's.")
@AS_JSON
@QUIET
def publish(paths: tuple[Path, ...], to: str, as_json: bool, quiet: bool) -> None:
    """Publish run folders, folders of them, or sites as URL/NAME/. Run again to resume, or to publish what changed.

    A reader of the URL finds the whole former publication, none, or the whole new one.

    \b
    Examples:
      sqlgauge publish runs/mine --to s3://bucket/runs
      sqlgauge publish runs --to hf://datasets/me/text-to-sql-runs
      sqlgauge publish site --to file:///srv/www
    """
    import msgspec

    from sqlgauge import verbs
    from sqlgauge.progress import Bars

    with Bars(quiet=quiet) as progress:
        done = verbs.publish(paths, to=to, progress=progress)
    click.echo(msgspec.json.encode(done).decode() if as_json else "\n".join(map(publication_text, done)))


def publication_text(done: Publication) -> str:
    """What was published, for people."""
    counts = f"  {done.uploaded} files uploaded ({done.bytes} bytes), {done.kept} kept, {done.removed} removed"
    lacking = "" if done.complete else "\n  incomplete: some of the run's answers are errors or missing"
    return f"{done.url}\n{counts}{lacking}"


@click.command()
@click.argument("urls", nargs=-1, required=True, metavar="URL...")
@click.option(
    "--out", default="runs", show_default=True, type=click.Path(path_type=Path), help="The folder that they go into."
)
@AS_JSON
@QUIET
def fetch(urls: tuple[str, ...], out: Path, as_json: bool, quiet: bool) -> None:
    """Download published runs or sites, every file checked. Run again to resume.

    \b
    Example:
      sqlgauge fetch s3://bucket/runs/theirs --out downloads
      sqlgauge verify downloads/theirs
    """
    import msgspec

    from sqlgauge import verbs
    from sqlgauge.progress import Bars

    with Bars(quiet=quiet) as progress:
        done = verbs.fetch(urls, out=out, progress=progress)
    click.echo(msgspec.json.encode(done).decode() if as_json else "\n".join(map(_fetched_text, done)))


def _fetched_text(done: Fetched) -> str:
    return f"{done.folder}\n  {done.files} files, {done.downloaded} of them downloaded ({done.bytes} bytes)"
