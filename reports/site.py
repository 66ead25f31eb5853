"""Everything that `sqlgauge report` writes: the page, the data files, the Hub's files and the badges.

Promises: the same runs give the same bytes; each file is replaced in one step; a folder that holds a page of somebody
else's is left alone; a check writes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from pathlib import Path

from benchmark.errors import CheckFailed, UsageError
from benchmark.store import RunFolder, write_atomically
from reports.badge import render_badge
from reports.board import Board
from reports.exports import flat_tables, parquet_rows, render_csv, render_json, render_parquet
from reports.html import GENERATOR, PAGE, SCRIPTS, STYLE, TEMPLATES, render_page
from reports.hub import Published, by_model, render_card, render_eval_results
from reports.markdown import render_markdown
from reports.names import file_names
from reports.places import places
from reports.sets import set_files
from reports.tables import grouped

NOTHING_SAID = Published()
#: The site's files, one a line.
LIST = "files.txt"
#: Problems that a failed check names.
MOST_NAMED = 20
File = tuple[str, bytes]


def site_files(
    board: Board, published: Published = NOTHING_SAID, runs: Sequence[RunFolder] | None = None
) -> Iterator[File]:
    """Every file of the site, by its path inside the site's folder; the items of `runs` where they are given."""
    yield from top_files(board, published, items=runs is not None)
    groups = {} if runs is None else grouped(runs)
    for table, place in zip(board.tables, places(board, items=runs is not None), strict=True):
        for name, body in set_files(table, place, groups.get(table.dataset.fingerprint, ())):
            yield f"{place.folder}/{name}", body


def top_files(board: Board, published: Published = NOTHING_SAID, *, items: bool = False) -> Iterator[File]:
    """The leaderboard in all its formats."""
    yield PAGE, render_page(board, items=items).encode()  # first: from then on the folder is known as ours
    for name in (STYLE, *SCRIPTS):
        yield name, (TEMPLATES / name).read_bytes()
    yield "leaderboard.md", render_markdown(board).encode()
    yield "leaderboard.json", render_json(board)
    for table in flat_tables(board):
        yield f"{table.name}.csv", render_csv(table)
        yield f"{table.name}.parquet", render_parquet(table)
    yield from hub_files(board, published).items()
    yield from badge_files(board).items()


def with_list(files: Iterable[File]) -> Iterator[File]:
    """The files, and last the list of their names, by which a later writing finds what is no longer of the site."""
    names = []
    for name, body in files:
        names.append(name)
        yield name, body
    yield LIST, "".join(f"{name}\n" for name in sorted(names)).encode()


def hub_files(board: Board, published: Published) -> dict[str, bytes]:
    """hub/MODEL/README.md and eval_results.yaml."""
    models = by_model(board)
    folders = file_names(list(models))
    cards = {f"hub/{folders[m]}/README.md": render_card(m, rows, published) for m, rows in models.items()}
    results = {
        f"hub/{folders[m]}/eval_results.yaml": render_eval_results(rows, published) for m, rows in models.items()
    }
    return {path: body.encode() for path, body in {**cards, **results}.items()}


def badge_files(board: Board) -> dict[str, bytes]:
    """badges/RUN.svg, with the headline of the run."""
    runs = {
        f"{table.dataset.fingerprint}\0{row.run_id}": (row.run_id, f"{table.dataset.name} {row.headline_column}", row)
        for table in board.tables
        for row in table.rows
    }
    names = file_names(list(runs), [run_id for run_id, _, _ in runs.values()])
    return {f"badges/{names[k]}.svg": render_badge(label, row.headline).encode() for k, (_, label, row) in runs.items()}


def write_site(
    board: Board, out: Path, published: Published = NOTHING_SAID, runs: Sequence[RunFolder] | None = None
) -> list[Path]:
    """Write the site into `out`; returns the paths. Raises UsageError where `out` is no folder of ours to write to.

    Files of an earlier site in `out` that this one does not have are removed.
    """
    own = (name for name, _ in top_files(board, published))
    refuse_foreign(out, chain(own, [LIST], (place.folder for place in places(board, items=False))))
    before, written = listed(out), []
    for name, body in with_list(site_files(board, published, runs)):
        path = out / name
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, body)
        written.append(path)
    remove_stale(out, before - {path.relative_to(out).as_posix() for path in written})
    return written


def check_site(
    board: Board, out: Path, published: Published = NOTHING_SAID, runs: Sequence[RunFolder] | None = None
) -> list[Path]:
    """Compare the site in `out` with what would be written; returns the paths. Raises CheckFailed with a list."""
    names, problems = [], []
    for name, body in with_list(site_files(board, published, runs)):
        names.append(name)
        if problem := problem_of(out / name, body):
            problems.append(f"{name}: {problem}")
    if problems:
        shown = problems[:MOST_NAMED] + [f"and {len(problems) - MOST_NAMED} more"] * (len(problems) > MOST_NAMED)
        raise CheckFailed(
            f"{len(problems)} of {len(names)} files in {out} are not what these runs give:\n  " + "\n  ".join(shown),
            "Write them again with 'sqlgauge report' and the same options, without --check.",
        )
    return [out / name for name in names]


def listed(out: Path) -> set[str]:
    """The files of the site in `out` by its own list; only names that stay inside `out`."""
    try:
        names = (out / LIST).read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        return set()
    return {
        name for name in names if name.isprintable() and not Path(name).is_absolute() and ".." not in Path(name).parts
    }


def remove_stale(out: Path, names: Iterable[str]) -> None:
    """Remove files that are no longer of the site, and folders that this leaves empty."""
    for name in names:
        path = out / name
        if not path.resolve().is_relative_to(out.resolve()):
            continue  # by way of a link
        if path.is_file() and not path.is_symlink():
            path.unlink()
        for folder in [out / parent for parent in Path(name).parents if parent.parts]:
            if folder.is_dir() and not any(folder.iterdir()):
                folder.rmdir()


def problem_of(path: Path, body: bytes) -> str | None:
    """'missing', 'differs', or None. Parquet is compared by its rows: another DuckDB writes other bytes for them."""
    if not path.is_file():
        return "missing"
    found = path.read_bytes()
    if found == body or (path.suffix == ".parquet" and parquet_rows(found) == parquet_rows(body)):
        return None
    return "differs"


def refuse_foreign(out: Path, names: Iterable[str]) -> None:
    """Raise UsageError unless `out` is free, or holds a site that this module wrote."""
    hint = "Choose another --out."
    if not out.exists():
        return
    if not out.is_dir():
        raise UsageError(f"{out} is a file, not a folder", hint)
    page = out / PAGE
    if page.exists():
        foreign = [] if GENERATOR.encode() in page.read_bytes() else [page]
    else:
        foreign = [path for path in (out / name for name in names) if path.exists()]
    if foreign:
        raise UsageError(f"{foreign[0]} was not written by sqlgauge; it is left as it is", hint)
