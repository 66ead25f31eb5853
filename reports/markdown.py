"""The leaderboard as GitHub-flavoured Markdown.

Promises: text from models, datasets and manifests is escaped, so that it can neither open a cell, a link or a tag nor
break a table.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from html import escape

from reports.board import FAILURES, Board, Row, Slicing, Table
from reports.figures import NO_FIGURE
from reports.judging import HEADS as JUDGE_HEADS
from reports.judging import NOTE as JUDGES_NOTE
from reports.judging import across_notes, across_of, beside, has_judges, judge_rows, judge_warnings, matrix, together
from reports.wording import (
    CHANCE_HEADS,
    CHANCE_NOTE,
    COMBINATIONS,
    EQUIVALENCE_HEADS,
    EQUIVALENCE_NOTE,
    ERRORS_NOTE,
    METRIC_NOTES,
    READING,
    TITLE,
    USAGE_HEADS,
    agreement,
    chance_cells,
    clean_part,
    count,
    counted_from,
    dataset_facts,
    equivalence_cells,
    failure_name,
    figure,
    left_out_note,
    p_value,
    percent,
    points,
    points_interval,
    rank,
    rests_on,
    separated,
    tag_name,
    usage_cells,
    verdict_word,
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
    """One dataset: facts, warnings, accuracy, what separates the rows, slices, errors, disagreement, provenance."""
    blocks = [f"## {text(table.dataset.name)}", bullets(f"{k}: {text(v)}" for k, v in dataset_facts(table.dataset))]
    if table.left_out:
        blocks.append(text(left_out_note(table)))
    if table.warnings:
        blocks.append("> **Read with care**\n>\n" + bullets(map(text, table.warnings), "> - "))
    blocks += ["### Accuracy", accuracy_grid(table)]
    if clean := [f"{text(row.model)}: {clean_part(row)}" for row in table.rows if row.clean is not None]:
        blocks.append(bullets(clean))
    if any(row.differing for row in table.rows):
        blocks += ["### Settings in which the runs differ", settings_grid(table)]
    blocks += [*rank_blocks(table), *chance_blocks(table), *equivalence_blocks(table), *judge_blocks(table)]
    if table.any_usage:
        blocks += ["### Tokens, time and cost", usage_grid(table)]
    for slicing in table.shown_slicings:
        blocks += [
            f"### {text(str(table.headline)).capitalize()} by {text(tag_name(slicing.tag))}",
            slice_grid(table, slicing),
        ]
    blocks += [*failure_blocks(table), *error_blocks(table), *disagreement_blocks(table)]
    return [*blocks, "### Runs", *run_blocks(table)]


def accuracy_grid(table: Table) -> str:
    """One row a run, one column a metric or judge; the headline is bold."""
    heads = [f"**{text(column)}**" if column == table.headline else text(column) for column in table.columns]
    rows = (
        [text(row.model), rank(row.rank), *(judged_figure(row, column) for column in table.columns)]
        for row in table.rows
    )
    return grid(["Model", "Rank", *heads], rows)


def settings_grid(table: Table) -> str:
    """Each run's value of every setting in which the runs differ."""
    names = list(dict.fromkeys(fact.label for row in table.rows for fact in row.differing))
    said = [{fact.label: fact.value for fact in row.differing} for row in table.rows]
    rows = (
        [text(row.model), *(text(values.get(name, NO_FIGURE)) for name in names)]
        for row, values in zip(table.rows, said, strict=True)
    )
    return grid(["Model", *map(text, names)], rows)


def rank_blocks(table: Table) -> list[str]:
    """What separates each row from the next one."""
    if not table.ranking or not table.ranking.pairs:
        return []
    rows = (
        [text(a.model), text(b.model), points(pair.difference), points_interval(pair), p_value(pair), separated(pair)]
        for a, b, pair in table.neighbours()
    )
    heads = ["Model", "against the next", "difference", "95% interval", "p (Holm)", "separated"]
    return ["### What the data separate", text(rests_on(table.ranking)), grid(heads, rows)]


def chance_blocks(table: Table) -> list[str]:
    """What another seed moves."""
    if not table.chance:
        return []
    rows = ([text(found.model), *map(text, chance_cells(found))] for found in table.chance)
    return ["### What chance moves", CHANCE_NOTE, grid(["Model", *CHANCE_HEADS], rows)]


def equivalence_blocks(table: Table) -> list[str]:
    """What is proved, open and refuted."""
    if not table.any_equivalence:
        return []
    rows = ([text(row.model), *equivalence_cells(row.equivalence)] for row in table.rows)
    return ["### Proved, open, refuted", EQUIVALENCE_NOTE, grid(["Model", *EQUIVALENCE_HEADS], rows)]


def judged_figure(row: Row, column: str) -> str:
    """A figure, a judge's with its corrected accuracy."""
    return "; ".join(filter(None, [figure(row.cell(column)), text(beside(row, column))]))


def judge_blocks(table: Table) -> list[str]:
    """How far each judge can be trusted, and how they agree."""
    if not has_judges(table):
        return []
    rows = ([text(row.model), *map(text, cells)] for row in table.rows for cells in judge_rows(row))
    blocks = ["### Judges", text(JUDGES_NOTE), grid(["Model", *map(text, JUDGE_HEADS)], rows)]
    for row in table.rows:
        found = row.calibration
        if found is None:
            continue
        if found.agreement is not None:
            heads, cells_of = matrix(found.agreement)
            blocks += [
                f"**{text(row.model)}**: {text(together(found.agreement))}",
                grid(list(map(text, heads)), (list(map(text, line)) for line in cells_of)),
            ]
        if notes := judge_warnings(row):
            blocks.append(bullets(f"{text(row.model)}: {text(note)}" for note in notes))
    across = [text(note) for found in across_of(table) for note in across_notes(found)]
    return [*blocks, bullets(across)] if across else blocks


def usage_grid(table: Table) -> str:
    """Tokens, latency and cost of each run."""
    return grid(["Model", *USAGE_HEADS], ([text(row.model), *usage_cells(row.usage)] for row in table.rows))


def slice_grid(table: Table, slicing: Slicing) -> str:
    """The headline metric by one tag of the examples."""
    rows = (
        [text(row.model), *(figure(row.slice(slicing.tag, value)) for value in slicing.values)] for row in table.rows
    )
    return grid(["Model", *map(text, slicing.values)], rows)


def error_blocks(table: Table) -> list[str]:
    """What is wrong with the wrong answers, by their main error."""
    if not table.shown_errors:
        return []
    rows = ([text(row.model), *(str(row.error(name).main) for name in table.shown_errors)] for row in table.rows)
    return ["### Errors", ERRORS_NOTE, grid(["Model", *map(text, table.shown_errors)], rows)]


def disagreement_blocks(table: Table) -> list[str]:
    """How often the metrics say the same, and how often not."""
    found = table.disagreement
    if found is None or not found.answers:
        return []
    rows = (
        [str(c.count), percent(c.count / found.answers), *map(verdict_word, c.verdicts)]
        for c in found.combinations[:COMBINATIONS]
    )
    heads = ["Answers", "Share", *map(text, found.columns)]
    return ["### Where the metrics disagree", agreement(found), grid(heads, rows)]


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
    return escape(printable(value), quote=False).translate(SPECIAL)


def printable(value: str) -> str:
    """Foreign text on one line, without characters that are not seen."""
    return " ".join("".join(" " if unicodedata.category(c) in UNPRINTABLE else c for c in value).split())
