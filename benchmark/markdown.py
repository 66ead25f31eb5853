"""Tables in Markdown, for pages that are written beside data.

Promises: no text of a dataset ends a cell, or begins a link, a tag or emphasis.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> list[str]:
    """The lines of a table.

    >>> print("\\n".join(table(["id", "n"], [("a|b", 1)])))
    | id | n |
    | --- | --- |
    | a\\|b | 1 |
    """
    return [_line(head), f"|{' --- |' * len(head)}", *(_line(row) for row in rows)]


def cell(value: object) -> str:
    """A value on one line, with what Markdown would read as markup escaped."""
    return "".join(f"\\{char}" if char in "\\|<>[]`*_" else char for char in " ".join(str(value).split()))


def _line(row: Sequence[object]) -> str:
    return f"| {' | '.join(map(cell, row))} |"
