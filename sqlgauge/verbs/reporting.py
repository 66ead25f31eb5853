"""Reports: the leaderboard, comparisons, tables, and pages to label."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from reports.answers import Exported
    from reports.comparison import Comparison
    from reports.labelling import Sheet
    from reports.power import Power


def report(
    paths: Iterable[Path],
    *,
    out: Path,
    check: bool = False,
    redact: bool = False,
    hub_datasets: Mapping[str, str] | None = None,
    source_url: str | None = None,
) -> list[Path]:
    """Write the leaderboard of some runs as a site; with `check` only compare it, and raise CheckFailed. The files.

    With `redact` no question, schema, query, result or id of an item is published, only figures.
    """
    from benchmark.files import clear_dead_parts
    from benchmark.store import find_runs
    from reports.hub import Published
    from reports.redact import redacted
    from reports.site import check_site, write_site
    from reports.tables import build_board

    out = Path(out)
    published = Published(datasets=hub_datasets or {}, source_url=source_url)
    folders = find_runs(paths)
    board = build_board(folders)
    if check:
        return check_site(redacted(board), out, published) if redact else check_site(board, out, published, folders)
    written = write_site(redacted(board), out, published) if redact else write_site(board, out, published, folders)
    clear_dead_parts(written)
    return written


def compare(
    run_a: Path, run_b: Path, *, metric: str = "execution", by: str = "complexity", out: Path | None = None
) -> Comparison:
    """The paired comparison of two runs on the same items; `out` (.html or .md) gets it as a page."""
    from benchmark.store import RunFolder
    from reports.comparison import compare_runs
    from reports.comparison_text import write_comparison

    found = compare_runs(RunFolder(Path(run_a)), RunFolder(Path(run_b)), metric, by)
    if out is not None:
        write_comparison(found, Path(out))
    return found


def check_no_worse(found: Comparison, margin: float) -> None:
    """Raise CheckFailed unless B is shown to be no worse than A by more than `margin` (a proportion), one-sided 95%."""
    from benchmark.errors import CheckFailed
    from benchmark.stats.paired import non_inferior

    if not non_inferior(found.one_sided, margin):
        raise CheckFailed(
            f"B is not shown to be no worse than A by more than {100 * margin:g} points: the one-sided 95% bound of "
            f"B - A is {100 * found.one_sided.low:+.1f} points on {found.n} items",
            "More items narrow it; 'sqlgauge compare' shows which items B lost.",
        )


def label(
    run: Path, *, n: int, seed: int = 0, out: Path = Path("labels.jsonl"), page: Path | None = None
) -> tuple[Sheet, Path]:
    """Write a page to label n of a run's answers by hand; labels that `out` holds are on it. The sheet and the page."""
    from benchmark.store import RunFolder
    from reports.labelling import make_sheet, write_sheet

    sheet = make_sheet(RunFolder(Path(run)), n, seed, Path(out))
    place = page or Path(f"label-{Path(run).resolve().name}.html")
    write_sheet(sheet, place)
    return sheet, place


def label_on_server(
    run: Path,
    *,
    n: int,
    seed: int = 0,
    out: Path = Path("labels.jsonl"),
    port: int = 0,
    announce: Callable[[str], None],
) -> Sheet:
    """Serve that page on this machine until all is labelled; each label is appended to `out`."""
    from benchmark.store import RunFolder
    from reports.label_server import serve_sheet
    from reports.labelling import make_sheet

    sheet = make_sheet(RunFolder(Path(run)), n, seed, Path(out))
    serve_sheet(sheet, Path(out), port, announce)
    return sheet


def power(
    *,
    n: int | None = None,
    difference: float | None = None,
    discordance: float | None = None,
    runs: tuple[Path, Path] | None = None,
    metric: str = "execution",
    power: float = 0.8,
    alpha: float = 0.05,
    cluster_size: int | None = None,
    icc: float | None = None,
) -> Power:
    """The smallest difference that n items find, or the items that a difference needs; shares are proportions."""
    from reports.power import assume, plan

    found = compare(*runs, metric=metric) if runs else None
    setting = assume(discordance, found, power=power, alpha=alpha, cluster_size=cluster_size, icc=icc)
    return plan(setting, n, difference)


def export(paths: Iterable[Path], *, out: Path, to: str | None = None) -> Exported:
    """Write runs as one table, a row an answer."""
    from benchmark.store import find_runs
    from reports.answers import export as write

    return write(find_runs(paths), Path(out), to)
