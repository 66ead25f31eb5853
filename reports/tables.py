"""From run folders to the view model: every figure of a leaderboard is computed here.

Promises: runs on differing dataset fingerprints never share a table; the order in which runs are given changes nothing;
an answer without a value is left out of n and counted.
Does not: format anything, or know of HTML and Markdown.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from benchmark.errors import UsageError
from benchmark.stats import wilson
from benchmark.store import RunFolder
from benchmark.types import NO_VALUE, Example, Generation, RunManifest, Score, Verdict
from reports.board import FAILURES, HEADLINE, Board, Cell, Dataset, Row, Table
from reports.cautions import cautions
from reports.facts import facts

__all__ = ["Board", "build_board", "mean_cell"]

METRIC_ORDER = ("exact", "exact_ws", "ast", "execution")
JUDGE_PREFIX = "judge: "
UNTAGGED = "untagged"

#: From easy to hard, as the datasets name it (Gretel and builtin, Spider, BIRD); other names follow by alphabet.
COMPLEXITY_ORDER = (
    "basic SQL",
    "aggregation",
    "single join",
    "multiple_joins",
    "subqueries",
    "set operations",
    "window functions",
    "CTEs",
    "easy",
    "medium",
    "hard",
    "extra",
    "simple",
    "moderate",
    "challenging",
)

Answers = Iterable[tuple[str, float | None]]


def build_board(runs: Sequence[RunFolder]) -> Board:
    """Read the runs and make one table a dataset fingerprint.

    A folder named twice counts once. Raises UsageError for a folder that is no run, or whose manifest names no model
    or dataset, or that holds a score outside [0, 1].
    """
    folders = {run.path.resolve(): run for run in runs}
    groups: dict[str, list[tuple[RunManifest, Row]]] = defaultdict(list)
    for run in folders.values():
        manifest = run.manifest()
        fingerprint = str(required(manifest, "dataset", "fingerprint"))
        groups[fingerprint].append((manifest, read_row(run, manifest)))
    tables = map(build_table, groups.values())
    return Board(tables=tuple(sorted(tables, key=lambda t: (t.dataset.name, t.dataset.fingerprint))))


def build_table(group: list[tuple[RunManifest, Row]]) -> Table:
    """The table of runs that share a dataset fingerprint."""
    ordered = sorted(group, key=lambda pair: row_order(pair[1]))
    rows = tuple(row for _, row in ordered)
    return Table(
        dataset=describe_dataset(min((manifest for manifest, _ in group), key=lambda manifest: manifest.run_id)),
        columns=tuple(sorted({column for row in rows for column in row.cells}, key=column_order)),
        complexities=tuple(sorted({name for row in rows for name in row.slices}, key=complexity_order)),
        rows=rows,
        warnings=cautions([manifest for manifest, _ in ordered], rows),
    )


def read_row(run: RunFolder, manifest: RunManifest) -> Row:
    """One run's figures, from its files."""
    scores, generations = run.scores(), run.generations()
    by_metric = group_scores(run, scores)
    source = failure_source(by_metric)
    return Row(
        model=str(required(manifest, "model", "spec")),
        run_id=manifest.run_id,
        complete=manifest.complete,
        examples=manifest.counts.get("examples"),
        generated=len({generation.example_id for generation in generations}),
        scored=len({score.example_id for score in by_metric.get(source or "", ())}),
        cells=metric_cells(by_metric) | judge_cells(run.verdicts()),
        slices=complexity_cells(by_metric[HEADLINE], run.examples()) if HEADLINE in by_metric else {},
        failures=count_failures(by_metric[source]) if source else None,
        failures_from=source,
        cut_by_length=count_length(generations),
        facts=facts(manifest),
    )


def mean_cell(answers: Answers) -> Cell:
    """The mean of (example id, value in [0, 1] or None) pairs with its Wilson interval.

    `n` counts examples: several answers to one example are not independent, so their mean is one observation. None is
    left out and counted in `excluded`.
    """
    values: dict[str, list[float]] = defaultdict(list)
    excluded = 0
    for example_id, value in answers:
        if value is None:
            excluded += 1
        else:
            values[example_id].append(value)
    n = len(values)
    total = math.fsum(math.fsum(each) / len(each) for each in values.values())
    low, high = wilson(total, n)
    return Cell(value=total / n if n else math.nan, n=n, low=low, high=high, excluded=excluded)


def group_scores(run: RunFolder, scores: Iterable[Score]) -> dict[str, list[Score]]:
    """Scores by metric, in column order. Raises UsageError for a value outside [0, 1]."""
    found: dict[str, list[Score]] = defaultdict(list)
    for score in scores:
        if score.value is not None and not 0 <= score.value <= 1:
            raise UsageError(
                f"{run.path}: {score.metric} of example {score.example_id} is {score.value}, outside 0 to 1",
                f"Score the run again with 'sqlgauge score {run.path}'.",
            )
        found[score.metric].append(score)
    return {metric: found[metric] for metric in sorted(found, key=column_order)}


def metric_cells(by_metric: Mapping[str, Iterable[Score]]) -> dict[str, Cell]:
    """One figure a metric."""
    return {metric: mean_cell(map(score_answer, scores)) for metric, scores in by_metric.items()}


def judge_cells(verdicts: Iterable[Verdict]) -> dict[str, Cell]:
    """One figure a judge: the share of its labels that are 'correct' ('unsure' is not)."""
    found: dict[str, list[tuple[str, float | None]]] = defaultdict(list)
    for verdict in verdicts:
        value = None if verdict.label is None else float(verdict.label == "correct")
        found[JUDGE_PREFIX + verdict.judge].append((verdict.example_id, value))
    return {column: mean_cell(found[column]) for column in sorted(found)}


def complexity_cells(scores: Iterable[Score], examples: Iterable[Example]) -> dict[str, Cell]:
    """The scores' figure for each value of the tag 'complexity'; empty where no example has that tag."""
    tags = {example.id: example.tags["complexity"] for example in examples if "complexity" in example.tags}
    if not tags:
        return {}
    found: dict[str, list[tuple[str, float | None]]] = defaultdict(list)
    for score in scores:
        found[tags.get(score.example_id, UNTAGGED)].append(score_answer(score))
    return {name: mean_cell(found[name]) for name in sorted(found, key=complexity_order)}


def score_answer(score: Score) -> tuple[str, float | None]:
    """A score as (example id, value), with null for the failures that are not the model's."""
    return score.example_id, None if score.status in NO_VALUE else score.value


def failure_source(by_metric: Mapping[str, object]) -> str | None:
    """The metric whose statuses are counted: the headline, else the first in column order, else None."""
    return HEADLINE if HEADLINE in by_metric else next(iter(by_metric), None)


def count_failures(scores: Iterable[Score]) -> dict[str, int]:
    """How many answers have each failure status, zeros included."""
    statuses: Counter[str] = Counter(score.status for score in scores)
    return {status: statuses[status] for status in FAILURES}


def count_length(generations: Sequence[Generation]) -> int | None:
    """How many generations ran into the token limit; None where there is none at all."""
    if not generations:
        return None
    return sum(generation.finish_reason == "length" for generation in generations)


def describe_dataset(manifest: RunManifest) -> Dataset:
    """The dataset part of an identity; its licence and note are provenance, because they change no answer."""
    given: Mapping[str, Any] = manifest.identity["dataset"]
    about: Mapping[str, Any] = manifest.provenance.get("dataset") or {}
    n = given.get("n")
    return Dataset(
        name=str(required(manifest, "dataset", "name")),
        fingerprint=str(given["fingerprint"]),
        dialect=str(given.get("dialect") or ""),
        licence=str(about.get("licence") or ""),
        note=str(about.get("note") or ""),
        n=n if isinstance(n, int) else None,
    )


def required(manifest: RunManifest, part: str, key: str) -> Any:
    """`identity[part][key]`. Raises UsageError where the manifest lacks it."""
    try:
        return manifest.identity[part][key]
    except (KeyError, TypeError):
        raise UsageError(
            f"run {manifest.run_id} has no {part}.{key} in its manifest", "Leave it out, or run it again."
        ) from None


def row_order(row: Row) -> tuple[float, str, str]:
    """Headline from high to low, runs without it last, then by model and run id."""
    return (-row.headline.value if row.headline.known else math.inf, row.model, row.run_id)


def column_order(column: str) -> tuple[bool, int, str]:
    """The well-known metrics, then others by name, then judges by name."""
    rank = METRIC_ORDER.index(column) if column in METRIC_ORDER else len(METRIC_ORDER)
    return (column.startswith(JUDGE_PREFIX), rank, column)


def complexity_order(name: str) -> tuple[bool, int, str]:
    """From easy to hard where that is known, then by name; untagged items last."""
    rank = COMPLEXITY_ORDER.index(name) if name in COMPLEXITY_ORDER else len(COMPLEXITY_ORDER)
    return (name == UNTAGGED, rank, name)
