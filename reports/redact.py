"""A leaderboard without a word of its items, for datasets whose rows must not be published.

Promises: what is left are counts, shares and statistics, and what manifests say of models, prompts and settings.
Does not: hide the values of tags, which slices are named by.
"""

from __future__ import annotations

from dataclasses import replace

from reports.board import Board, Disagreement, Row, Table


def redacted(board: Board) -> Board:
    """The board without examples."""
    return replace(board, tables=tuple(map(_table, board.tables)))


def _table(table: Table) -> Table:
    said = table.disagreement
    left_out = tuple(replace(one, examples=()) for one in table.left_out)
    table = replace(table, left_out=left_out)
    return replace(table, rows=tuple(map(_row, table.rows)), disagreement=None if said is None else _disagreement(said))


def _row(row: Row) -> Row:
    errors = {name: replace(count, examples=()) for name, count in row.errors.items()}
    beyond = None if row.equivalence is None else replace(row.equivalence, examples=())
    return replace(row, errors=errors, equivalence=beyond)


def _disagreement(said: Disagreement) -> Disagreement:
    return replace(said, combinations=tuple(replace(one, examples=()) for one in said.combinations))
