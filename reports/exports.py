"""The leaderboard as data: CSV with one line a figure, and JSON of the whole view model.

Promises: a figure that cannot be had is an empty field or null; no field can act as a spreadsheet formula.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator

import msgspec

from reports.board import HEADLINE, Board, Cell

SCHEMA_VERSION = 1
COLUMNS = (
    "dataset",
    "fingerprint",
    "model",
    "run_id",
    "complete",
    "column",
    "complexity",
    "value",
    "low",
    "high",
    "n",
    "excluded",
)
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")


def render_json(board: Board) -> bytes:
    """The board as indented JSON with sorted keys; NaN becomes null."""
    body = msgspec.json.encode({"schema_version": SCHEMA_VERSION, "tables": board.tables}, order="sorted")
    return msgspec.json.format(body, indent=2) + b"\n"


def render_csv(board: Board) -> bytes:
    """One line a figure (UTF-8): `complexity` is empty for the figures over all items."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows(csv_lines(board))
    return out.getvalue().encode()


def csv_lines(board: Board) -> Iterator[list[str]]:
    """The lines of the CSV, in the order of the tables."""
    for table in board.tables:
        for row in table.rows:
            run = [table.dataset.name, table.dataset.fingerprint, row.model, row.run_id, str(row.complete).lower()]
            for column in table.columns:
                yield [*map(inert, [*run, column]), "", *numbers(row.cell(column))]
            for name in table.complexities:
                yield [*map(inert, [*run, HEADLINE, name]), *numbers(row.slice(name))]


def numbers(cell: Cell) -> list[str]:
    """value, low, high, n and excluded of a cell."""
    known = [f"{part:.6f}" if cell.known else "" for part in (cell.value, cell.low, cell.high)]
    return [*known, str(cell.n), str(cell.excluded)]


def inert(value: str) -> str:
    """Foreign text that no spreadsheet takes for a formula."""
    return "'" + value if value.startswith(FORMULA_STARTS) else value
