"""The leaderboard as GitHub-flavoured Markdown.

Promises: text from models, datasets and manifests is escaped, so that it can neither open a cell, a link or a tag nor
break a table.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from html import escape

from reports.board import FAILURES, HEADLINE, Board, Table
from reports.wording import (
    METRIC_NOTES,
    READING,
    TITLE,
    count,
    counted_from,
    dataset_facts,
    failure_name,
    figure,
)

SPECIAL = str.maketrans({character: "\\" + character for character in "\\`*_[]~|#!$"})
#: Control, format (bidirectional overrides among them) and separator characters.
UNPRINTABLE = ("Cc", "Cf", "Zl", "Zp")


def render_markdown(board: Board) -> str:
    """The whole board, with its warnings and the part on how to read it; ends in one newline."""
    blocks = [f"# {TITLE}"]
    for table in board.tables:
        blocks += table_blocks(table)
    blocks += reading_blocks() if board.tables else ["There are no runs to show."]
    return "\n\n".join(blocks) + "\n"


def table_blocks(table: Table) -> list[str]:
    """One dataset: facts, warnings, accuracy, slices, failures, provenance."""
    blocks = [f"## {text(table.dataset.name)}", bullets(f"{k}: {text(v)}" for k, v in dataset_facts(table.dataset))]
    if table.warnings:
        blocks.append("> **Read with care**\n>\n" + bullets(map(text, table.warnings), "> - "))
    blocks += ["### Accuracy", accuracy_grid(table)]
    if table.complexities:
        blocks += [f"### {HEADLINE.capitalize()} by complexity", slice_grid(table)]
    return [*blocks, *failure_blocks(table), "### Runs", *run_blocks(table)]


def accuracy_grid(table: Table) -> str:
    """One row a run, one column a metric or judge; the headline is bold."""
    heads = [f"**{text(column)}**" if column == HEADLINE else text(column) for column in table.columns]
    rows = ([text(row.model), *(figure(row.cell(column)) for column in table.columns)] for row in table.rows)
    return grid(["Model", *heads], rows)


def slice_grid(table: Table) -> str:
    """The headline metric by the examples' complexity."""
    rows = ([text(row.model), *(figure(row.slice(name)) for name in table.complexities)] for row in table.rows)
    return grid(["Model", *map(text, table.complexities)], rows)


def failure_blocks(table: Table) -> list[str]:
    """How many answers failed, by status."""
    source = counted_from(table)
    said = f"By the statuses of {text(source)}. " if source else ""
    note = f"{said}Here error and gold error are left out of n, the others score 0."
    rows = []
    for row in table.rows:
        counts = [count(row.failures[status] if row.failures else None) for status in FAILURES]
        rows.append([text(row.model), *counts, count(row.cut_by_length)])
    return ["### Failures", note, grid(["Model", *map(failure_name, FAILURES), "hit token limit"], rows)]


def run_blocks(table: Table) -> list[str]:
    """Each run's provenance as a list."""
    return [
        f"**{text(row.model)}**\n\n" + bullets(f"{fact.label}: {text(fact.value)}" for fact in row.facts)
        for row in table.rows
    ]


def reading_blocks() -> list[str]:
    """What the figures mean."""
    terms = (*METRIC_NOTES.items(), *READING)
    return ["## How to read this", bullets(f"**{text(term)}**: {text(meaning)}" for term, meaning in terms)]


def grid(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table of escaped cells: the first column to the left, the others to the right."""
    rule = ["---", *("---:" for _ in heads[1:])]
    return "\n".join("| " + " | ".join(line) + " |" for line in [heads, rule, *rows])


def bullets(lines: Iterable[str], mark: str = "- ") -> str:
    """A list of escaped lines."""
    return "\n".join(mark + line for line in lines)


def text(value: str) -> str:
    """Foreign text as one line of inert Markdown.

    >>> print(text("a|b <i>\\n`c`"))
    a\\|b &lt;i&gt; \\`c\\`
    """
    line = "".join(" " if unicodedata.category(character) in UNPRINTABLE else character for character in value)
    return escape(" ".join(line.split()), quote=False).translate(SPECIAL)
