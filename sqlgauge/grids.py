"""Results as aligned text tables, side by side.

Promises: a text cell is told from a number and NULL from 'NULL'; no character of a result can steer a terminal.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import zip_longest

from benchmark.sqlengine.protocol import Grid

CELL_CHARS = 40
SHOWN_ROWS = 20


def side_by_side(left: Grid, right: Grid, heads: tuple[str, str] = ("gold", "prediction")) -> str:
    """Two results beside each other, under their heads.

    >>> print(side_by_side(Grid(["n"], [[1]]), Grid(["n", "b"], [["x", None], ["y", 2.5]])))
    gold       prediction
    n          n   | b
    -          ----+-----
    1          'x' | NULL
    (1 row)    'y' |  2.5
               (2 rows)
    """
    blocks = [[head, *table(grid)] for head, grid in zip(heads, (left, right), strict=True)]
    width = max(map(len, blocks[0]))
    return "\n".join(f"{a:<{width}}    {b}".rstrip() for a, b in zip_longest(*blocks, fillvalue=""))


def table(grid: Grid) -> list[str]:
    """The lines of one result: names, a rule, rows, and how many there are."""
    count = f"({len(grid.rows)} row{'' if len(grid.rows) == 1 else 's'})"
    cells = [[shown(cell) for cell in row] for row in grid.rows[:SHOWN_ROWS]]
    columns = max([len(grid.columns), *map(len, cells)])
    names = [_cell_text(name) for name in grid.columns] + [""] * (columns - len(grid.columns))
    if not columns:
        return [count]
    widths = [max(len(line[place]) for line in [names, *cells] if place < len(line)) for place in range(columns)]
    numeric = [all(not isinstance(row[place], str) for row in grid.rows) for place in range(columns)]
    lines = [_line(names, widths, [False] * columns), "-+-".join("-" * width for width in widths)]
    lines += [_line(row, widths, numeric) for row in cells]
    return [*lines, count]


def shown(cell: object) -> str:
    """A cell as SQL would write it, cut to a readable length.

    >>> shown(None), shown("it's"), shown(2.0), shown("a\\x1b[2J")
    ('NULL', "'it''s'", '2.0', "'a\\\\x1b[2J'")
    """
    if cell is None:
        return "NULL"
    if not isinstance(cell, str):
        return str(cell)
    return "'" + _cell_text(cell).replace("'", "''") + "'"


def inert(text: str) -> str:
    """A text of several lines whose other control characters are written out.

    >>> len(inert("a" + chr(27) + "b")), inert("a" + chr(10) + "b").splitlines()
    (6, ['a', 'b'])
    """
    return "".join(c if c.isprintable() or c in "\n\t" else _escaped(c) for c in text)


def _line(cells: Sequence[str], widths: Sequence[int], numeric: Sequence[bool]) -> str:
    padded = (f"{c:>{w}}" if n else f"{c:<{w}}" for c, w, n in zip(cells, widths, numeric, strict=True))
    return " | ".join(padded)


def _escaped(character: str) -> str:
    return character.encode("unicode_escape", "surrogatepass").decode()


def _cell_text(text: str) -> str:
    """A text on one line whose unprintable characters are written out, cut."""
    safe = "".join(c if c.isprintable() else _escaped(c) for c in text)
    return safe if len(safe) <= CELL_CHARS else safe[: CELL_CHARS - 1] + "…"
