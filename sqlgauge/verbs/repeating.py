"""Making a run again from its own manifest, and comparing."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sqlgauge.verbs.common import Progress, silent

if TYPE_CHECKING:
    from benchmark.rerun import Repetition


def rerun(
    path: Path,
    *,
    out: Path = Path("reruns"),
    workers: int | None = None,
    api_base: str | None = None,
    trust_remote_code: bool = False,
    progress: Progress = silent,
) -> Repetition:
    """Make a run again in a folder under `out`, and hold it against the first; again goes on where it stopped.

    Files that the run was made from are looked for where its manifest says. No judge is asked. An `api_base` and
    `trust_remote_code` are never taken from a manifest: who makes the run again says them.
    Raises benchmark.errors.SqlgaugeError and its kind; UsageError for a run that does not say how it was made.
    """
    from benchmark.errors import UsageError
    from benchmark.recipe import config_of
    from benchmark.rerun import compared, metrics_of
    from benchmark.runner import execute, plan
    from benchmark.store import RunFolder

    first = RunFolder(path)
    told = {"out": str(out), "workers": workers, "api_base": api_base, "trust_remote_code": trust_remote_code}
    metrics = {"metrics": found} if (found := metrics_of(first)) else {}
    made = plan(config_of(first.manifest(), **told, **metrics))
    if made.folder.path.resolve() == first.path.resolve():
        raise UsageError(f"a rerun of {path} into {out} would be that run itself", "Choose another --out.")
    return compared(first, execute(made, progress))


def check_repeated(found: Repetition) -> None:
    """Raise CheckFailed unless every score came out again."""
    from benchmark.errors import CheckFailed

    if not found.same_scores:
        raise CheckFailed(
            f"the scores of {found.second} are not those of {found.first}",
            "The findings above say what differs between the two runs, which may be why.",
        )
