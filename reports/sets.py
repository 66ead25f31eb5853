"""The folder of one dataset: a page a run, the page of its items, the page that compares two runs, and their shards."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from reports.board import Row, Table
from reports.figures import Cell
from reports.html import render_compare, render_items, render_run
from reports.items.files import File, item_files
from reports.items.layout import shard
from reports.places import Place
from reports.tables import Run


def set_files(table: Table, place: Place, runs: Sequence[Run]) -> Iterator[File]:
    """The files by name, within the dataset's folder. Without published items: the runs' pages and the figures."""
    for row in table.rows:
        yield place.page(row), render_run(table, row, place).encode()
    yield "data/board.js", shard("board", board_figures(table))
    if not place.items:
        return
    yield "items.html", render_items(table, place).encode()
    if len(table.rows) > 1:
        yield "compare.html", render_compare(table, place).encode()
    for name, body in item_files(table, runs):
        yield f"data/{name}", body


def board_figures(table: Table) -> dict[str, object]:
    """What the leaderboard's script draws from: every column, and the headline by every tag's value."""
    return {
        "headline": table.headline,
        "columns": table.columns,
        "models": [row.model for row in table.rows],
        "slicings": [{"tag": one.tag, "values": one.values} for one in table.shown_slicings],
        "rows": [
            {
                "cells": [_figure(row.cell(column)) for column in table.columns],
                "slices": [_slices(row, one.tag, one.values) for one in table.shown_slicings],
            }
            for row in table.rows
        ],
    }


def _slices(row: Row, tag: str, values: Sequence[str]) -> list[list[float] | None]:
    return [_figure(row.slice(tag, value)) for value in values]


def _figure(cell: Cell) -> list[float] | None:
    return [round(cell.value, 6), round(cell.low, 6), round(cell.high, 6), cell.n] if cell.known else None
