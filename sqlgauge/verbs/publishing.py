"""Publishing run folders and sites to a URL, and fetching them from there."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from sqlgauge.verbs.common import Progress, silent

if TYPE_CHECKING:
    from benchmark.fetching import Fetched
    from benchmark.publishing import Publication


def publish(paths: Iterable[Path], *, to: str, progress: Progress = silent) -> list[Publication]:
    """Publish each run folder, folder of them, or site as `to`/<its name>/. Again means: go on where it stopped.

    Raises UsageError, RunConflict, StoreUnavailable of benchmark.errors; what was published before that stays.
    """
    from benchmark.errors import UsageError
    from benchmark.publishing import INDEX
    from benchmark.publishing import publish as one
    from benchmark.store import find_runs

    folders = list[Path]()
    for path in map(Path, paths):
        folders += [path] if (path / INDEX).exists() else [run.path for run in find_runs([path])]
    names = Counter(folder.resolve().name for folder in folders)
    if twice := [name for name, times in names.items() if times > 1]:
        raise UsageError(f"two folders are called {twice[0]}", "Publish one of them to another URL.")
    return [one(folder, to, progress) for folder in folders]


def fetch(urls: Iterable[str], *, out: Path = Path("runs"), progress: Progress = silent) -> list[Fetched]:
    """Download publications into folders under `out`. Again means: go on where it stopped.

    Raises UsageError, RunConflict, StoreUnavailable of benchmark.errors.
    """
    from benchmark.fetching import fetch as one

    return [one(url, Path(out), progress) for url in urls]
