"""Figures as text, and the sentences that explain them: shared by the web page and by Markdown.

Promises: NaN and None are shown as an en dash.
"""

from __future__ import annotations

import math
import re

from benchmark.health import BLANKET as BLANKET
from reports.board import HEADLINE, Dataset, Disagreement, Pair, Ranking, Row, Table
from reports.figures import NO_FIGURE, Cell, Chance, Equivalence, Rank, Result, Usage

TITLE = "Text-to-SQL leaderboard"

#: Column -> what it means. Judges and other metrics have a sentence of their own in `READING`.
METRIC_NOTES = {
    "execution": "The prediction returns the same result rows as the gold query on the given database, under the named "
    "policy. This is the headline: rows are ordered by it.",
    "exact": "The prediction and the gold query are equal as text, once newlines and code fences are removed.",
    "exact_ws": "As exact, with white space, a trailing semicolon and the case of keywords folded.",
    "ast": "The canonical forms of the prediction and the gold query are identical, by rules that never change a "
    "meaning under the schema and the policy.",
    "equivalence": "Execution agrees and no generated database was found on which the two differ. What is neither "
    "proved nor refuted counts as right here and is shown as undecided.",
    "components": "Partial credit: the mean F1 of the clauses.",
    "efficiency": "The gold query's time over the prediction's, at most 1, where execution agrees. It depends on the "
    "machine.",
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
        "it is somewhat too narrow.",
    ),
    (
        "rank",
        "The places that the data leave open to a model: 2-4 among nine means that one model is shown to be better and "
        "five are shown to be worse. Shown means that a paired bootstrap of the databases (or groups) finds a "
        "difference that is significant at 5% after Holm's correction for all pairs of the table. Models that are not "
        "separated share places, whatever the order of the rows.",
    ),
    (
        "n",
        "The number of items behind a figure. Left out of n are answers without a value: error (the back-end, the "
        "worker or a judge failed) and gold_error (the gold query itself failed). A prediction that is empty, refused, "
        "invalid SQL, too slow, over a limit, cut off or not a single statement stays in n and scores 0.",
    ),
    (
        "external",
        "A verdict that came with predictions made elsewhere. It is shown as it was given; nothing here computed it.",
    ),
    (
        "errors",
        "Where both statements run, the clauses in which a wrong prediction differs from the gold, the first in the "
        "order in which SQL evaluates clauses being the main one. A difference is not proof of a cause.",
    ),
    (NO_FIGURE, "No figure can be computed. It does not mean 0."),
)

USAGE_HEADS = ("prompt tokens", "an item", "answer tokens", "an item", "mean s", "p90 s", "cost USD")
ERRORS_NOTE = "Wrong answers by their main error; the data files also count the others."
EQUIVALENCE_HEADS = ("proved", "not refuted", "undecided answers", "right here, refuted elsewhere")
EQUIVALENCE_NOTE = (
    "Proved: the same on every database under the schema. Between proved and not refuted lies what is undecided. "
    "Refuted elsewhere: right on the given database, and a generated one tells the prediction from the gold."
)
CHANCE_HEADS = ("answers an item", "mean", "chance, points", "items, points", "one of k right", "majority")
CHANCE_NOTE = (
    "Several answers to each item. Chance: the standard deviation of one run's headline on these very items, by its "
    "seed alone. Items: the one that other items would bring. Majority: the result that most samples give. "
    "Intervals know that items of one database go together."
)
#: Combinations of verdicts on a page; the data files have all.
COMBINATIONS = 16

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


def sortable(cell: Cell) -> str:
    """What a column of figures is sorted by; '' without data."""
    return f"{cell.value:.6f}" if cell.known else ""


def figure(cell: Cell) -> str:
    """A whole cell on one line: '60.0% (42.3 to 75.4), n 30'."""
    return f"{percent(cell.value)} ({interval(cell)}), n {cell.n}" if cell.known else NO_FIGURE


def count(value: int | None) -> str:
    """A count, or a dash where nothing was counted."""
    return NO_FIGURE if value is None else str(value)


def rank(value: Rank | None) -> str:
    """The ranks open to a run, '1' or '2-4'."""
    return NO_FIGURE if value is None else str(value)


def points(value: float) -> str:
    """A difference of proportions in percentage points.

    >>> points(0.034)
    '+3.4'
    """
    return NO_FIGURE if math.isnan(value) else f"{round(100 * value, 1) or 0.0:+.1f}"  # no "-0.0"


def points_interval(pair: Pair) -> str:
    """The interval of a difference in points."""
    return NO_FIGURE if math.isnan(pair.low) else f"{points(pair.low)} to {points(pair.high)}"


def p_value(pair: Pair) -> str:
    """Holm's p-value to three decimals."""
    if math.isnan(pair.p_value):
        return NO_FIGURE
    return "under 0.001" if pair.p_value < 0.001 else f"{pair.p_value:.3f}"


def separated(pair: Pair) -> str:
    """Whether the data tell two runs apart."""
    return "yes" if pair.separated else "no"


def rests_on(ranking: Ranking) -> str:
    """What the ranks of a table are made of."""
    of = "each for itself" if ranking.by_item else f"in {ranking.clusters} databases or groups"
    apart = sum(pair.separated for pair in ranking.pairs)
    return (
        f"{apart} of {len(ranking.pairs)} pairs of models are separated. Paired cluster bootstrap of {ranking.draws:,} "
        f"draws over the {ranking.items} items that all ranked models share, {of}; p is the larger of "
        "its and exact McNemar's, by Holm over all pairs."
    )


def usage_cells(usage: Usage) -> list[str]:
    """The cells under `USAGE_HEADS`. A cost that only some answers have is said to be of those."""
    cost = NO_FIGURE if usage.cost_usd is None else f"{usage.cost_usd:.4f}"
    partly = (
        f" ({usage.priced} of {usage.answers})" if usage.cost_usd is not None and usage.priced < usage.answers else ""
    )
    return [
        count(usage.prompt_tokens),
        decimals(usage.mean_prompt_tokens, 0),
        count(usage.completion_tokens),
        decimals(usage.mean_completion_tokens, 0),
        decimals(usage.mean_seconds, 2),
        decimals(usage.p90_seconds, 2),
        cost + partly,
    ]


def equivalence_cells(found: Equivalence | None) -> list[str]:
    """The cells under `EQUIVALENCE_HEADS`."""
    if found is None:
        return [NO_FIGURE] * len(EQUIVALENCE_HEADS)
    return [figure(found.proved), figure(found.not_refuted), str(found.undecided), str(found.refuted)]


def result_text(result: Result) -> str:
    """A result as lines: names, the first rows, and how many there are."""
    lines = [" | ".join(result.columns), *(" | ".join(row) for row in result.rows)]
    return "\n".join([*lines, f"({result.count} row{'' if result.count == 1 else 's'})"])


def decimals(value: float, places: int) -> str:
    """A number, or a dash where there is none."""
    return NO_FIGURE if math.isnan(value) else f"{value:.{places}f}"


def verdict_word(verdict: bool | None) -> str:
    """A verdict as a word."""
    return NO_FIGURE if verdict is None else "right" if verdict else "wrong"


def agreement(found: Disagreement) -> str:
    """How often all verdicts on an answer are the same."""
    both = found.agreed + found.disagreed
    if not both:
        return "No answer has two verdicts."
    return f"All verdicts on an answer agree for {found.agreed} of {both} answers ({percent(found.agreed / both)})."


def short(value: str) -> str:
    """A value cut to a readable length."""
    return value if len(value) <= 24 else value[:19] + "…"


def tag_name(tag: str) -> str:
    """A tag as words."""
    return tag.replace("_", " ")


def pieces(text: str) -> list[str]:
    """A long name in pieces between which a line may end.

    >>> pieces("hf/org/a-model"), pieces("external:ex_official")
    (['hf/', 'org/', 'a-model'], ['external:', 'ex_', 'official'])
    """
    return re.split(r"(?<=[/:_])(?=[^/:_])", text)


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


def left_out_note(table: Table) -> str:
    """How many items leave the headline and why, as a sentence; '' where none do."""
    if not table.left_out:
        return ""
    total = sum(one.count for one in table.left_out)
    parts = ", ".join(f"{one.count} {one.status.replace('_', ' ')}" for one in table.left_out)
    return f"{total} items leave the headline for every model alike: {parts}."


def clean_part(row: Row) -> str:
    """The headline on the items that training did not show, as a phrase; '' where nothing is known of overlap."""
    return "" if row.clean is None else f"clean part {figure(row.clean)}; {row.seen} items may have been seen"


def chance_cells(found: Chance) -> list[str]:
    """The cells under `CHANCE_HEADS`."""
    most = max(found.pass_at, key=int, default=None)
    draws = f"{found.draws} runs, seeds {', '.join(found.seeds)}" if found.seeds else f"{found.draws} samples"
    spread = f" ({100 * found.low:.1f} to {100 * found.high:.1f})" if not math.isnan(found.low) else ""
    return [
        draws,
        figure(found.mean),
        decimals(100 * found.chance, 1) + spread,
        decimals(100 * found.items, 1),
        NO_FIGURE if most is None else f"k {most}: {figure(found.pass_at[most])}",
        NO_FIGURE if found.majority is None else figure(found.majority),
    ]


def counted_from(table: Table) -> str:
    """Where the failure counts of a table are taken from, as the end of a sentence; '' without any score."""
    used = {row.failures_from for row in table.rows if row.failures_from}
    others = ", ".join(sorted(used - {HEADLINE}))
    if HEADLINE not in used:
        return others
    return f"{HEADLINE}, or {others} where a run has no {HEADLINE}" if others else HEADLINE
