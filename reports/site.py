"""Everything that `sqlgauge report` writes: the page, the data files, the Hub's files and the badges.

Promises: the same runs give the same bytes; each file is replaced in one step; a folder that holds a page of somebody
else's is left alone; a check writes nothing.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from benchmark.errors import CheckFailed, UsageError
from benchmark.identity import slug, text_digest
from benchmark.store import write_atomically
from reports.badge import render_badge
from reports.board import Board
from reports.exports import flat_tables, parquet_rows, render_csv, render_json, render_parquet
from reports.html import GENERATOR, PAGE, STYLE, TEMPLATES, render_page
from reports.hub import Published, by_model, render_card, render_eval_results
from reports.markdown import render_markdown

NOTHING_SAID = Published()


def render_files(board: Board, published: Published = NOTHING_SAID) -> dict[str, bytes]:
    """Every file of the site, by its path inside the site's folder."""
    flat = flat_tables(board)
    return {
        PAGE: render_page(board).encode(),  # first: from then on the folder is known as ours
        STYLE: (TEMPLATES / STYLE).read_bytes(),
        "leaderboard.md": render_markdown(board).encode(),
        "leaderboard.json": render_json(board),
        **{f"{table.name}.csv": render_csv(table) for table in flat},
        **{f"{table.name}.parquet": render_parquet(table) for table in flat},
        **hub_files(board, published),
        **badge_files(board),
    }


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


def file_names(keys: list[str], shown: list[str] | None = None) -> dict[str, str]:
    """A readable file name for each key; where two would be the same, with a piece of the key's hash."""
    names = [slug(text)[-100:].lstrip("-.") for text in shown or keys]
    counts = Counter(names)
    return {
        key: name if counts[name] == 1 else f"{name}-{text_digest(key)[7:15]}"
        for key, name in zip(keys, names, strict=True)
    }


def write_site(board: Board, out: Path, published: Published = NOTHING_SAID) -> list[Path]:
    """Write the site into `out`; returns the paths. Raises UsageError where `out` is no folder of ours to write to."""
    files = render_files(board, published)
    refuse_foreign(out, list(files))
    for name, body in files.items():
        path = out / name
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, body)
    return [out / name for name in files]


def check_site(board: Board, out: Path, published: Published = NOTHING_SAID) -> list[Path]:
    """Compare the site in `out` with what would be written; returns the paths. Raises CheckFailed with a list."""
    files = render_files(board, published)
    problems = [f"{name}: {problem}" for name, body in files.items() if (problem := problem_of(out / name, body))]
    if problems:
        raise CheckFailed(
            f"{len(problems)} of {len(files)} files in {out} are not what these runs give:\n  " + "\n  ".join(problems),
            "Write them again with 'sqlgauge report' and the same options, without --check.",
        )
    return [out / name for name in files]


def problem_of(path: Path, body: bytes) -> str | None:
    """'missing', 'differs', or None. Parquet is compared by its rows: another DuckDB writes other bytes for them."""
    if not path.is_file():
        return "missing"
    found = path.read_bytes()
    if found == body or (path.suffix == ".parquet" and parquet_rows(found) == parquet_rows(body)):
        return None
    return "differs"


def refuse_foreign(out: Path, names: list[str]) -> None:
    """Raise UsageError unless `out` is free, or holds a site that this module wrote."""
    hint = "Choose another --out."
    if out.exists() and not out.is_dir():
        raise UsageError(f"{out} is a file, not a folder", hint)
    page = out / PAGE
    if page.exists():
        foreign = [] if GENERATOR.encode() in page.read_bytes() else [page]
    else:
        foreign = [path for path in (out / name for name in names) if path.exists()]
    if foreign:
        raise UsageError(f"{foreign[0]} was not written by sqlgauge; it is left as it is", hint)
