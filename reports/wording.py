"""Figures as text, and the sentences that explain them: shared by the web page and by Markdown.

Promises: NaN and None are shown as an en dash.
"""

from __future__ import annotations

import math

from reports.board import HEADLINE, NO_FIGURE, Cell, Dataset, Table

TITLE = "Text-to-SQL leaderboard"

#: Column -> what it means. Judges and other metrics have a sentence of their own in `READING`.
METRIC_NOTES = {
    "execution": "The prediction returns the same result rows as the gold query on the given database, under the named "
    "policy. This is the headline: rows are ordered by it.",
    "exact": "The prediction and the gold query are equal as text, once newlines and code fences are removed.",
    "exact_ws": "As exact, with white space, a trailing semicolon and the case of keywords folded.",
    "ast": "The normalised syntax trees of the prediction and the gold query are identical.",
}

READING = (
    (
        "judge",
        "The share of predictions that a language model called correct, out of correct, incorrect and unsure. "
        "A judge errs too; its figure is an opinion beside the measurement, not a second measurement.",
    ),
    (
        "interval",
        "A figure reads as value (low to high): the 95% score interval of E. B. Wilson (Journal of the American "
        "Statistical Association 22, 1927, 209 to 212). It treats items as independent; where items share a database "
        "it is somewhat too narrow. The order of the rows is no ranking: where intervals overlap, the data may not be "
        "able to tell two models apart.",
    ),
    (
        "n",
        "The number of items behind a figure. Left out of n are answers without a value: error (the back-end, the "
        "worker or a judge failed) and gold_error (the gold query itself failed). A prediction that is empty, refused, "
        "invalid SQL, too slow, over a limit, cut off or not a single statement stays in n and scores 0.",
    ),
    (NO_FIGURE, "No figure can be computed. It does not mean 0."),
)

FAILURE_NAMES = {"no_sql": "no SQL", "gold_error": "gold error"}
DIALECTS = {"sqlite": "SQLite", "duckdb": "DuckDB", "postgres": "PostgreSQL", "mysql": "MySQL"}


def percent(value: float) -> str:
    """A proportion as a percentage with one decimal.

    >>> percent(0.625), percent(float("nan")) == NO_FIGURE
    ('62.5%', True)
    """
    return NO_FIGURE if math.isnan(value) else f"{100 * value:.1f}%"


def interval(cell: Cell) -> str:
    """The ends of a cell's interval in percent, for instance '42.3 to 75.4'; a dash without data."""
    return f"{100 * cell.low:.1f} to {100 * cell.high:.1f}" if cell.known else NO_FIGURE


def figure(cell: Cell) -> str:
    """A whole cell on one line: '60.0% (42.3 to 75.4), n 30'."""
    return f"{percent(cell.value)} ({interval(cell)}), n {cell.n}" if cell.known else NO_FIGURE


def count(value: int | None) -> str:
    """A count, or a dash where nothing was counted."""
    return NO_FIGURE if value is None else str(value)


def failure_name(status: str) -> str:
    """A failure status as a column heading."""
    return FAILURE_NAMES.get(status, status)


def dataset_facts(dataset: Dataset) -> tuple[tuple[str, str], ...]:
    """What a table was measured on, as (label, value) pairs; silent parts are a dash."""
    return (
        ("items", count(dataset.n)),
        ("dialect", DIALECTS.get(dataset.dialect, dataset.dialect) or NO_FIGURE),
        ("licence", dataset.licence or NO_FIGURE),
        ("fingerprint", dataset.fingerprint),
        ("note", dataset.note or NO_FIGURE),
    )


def counted_from(table: Table) -> str:
    """Where the failure counts of a table are taken from, as the end of a sentence; '' without any score."""
    used = {row.failures_from for row in table.rows if row.failures_from}
    others = ", ".join(sorted(used - {HEADLINE}))
    if HEADLINE not in used:
        return others
    return f"{HEADLINE}, or {others} where a run has no {HEADLINE}" if others else HEADLINE
