"""From run folders to the view model: every figure of a leaderboard is put together here.

Promises: runs on differing dataset fingerprints never share a table; the order in which runs are given changes nothing;
an answer without a value is left out of n and counted.
Does not: format anything, or know of HTML and Markdown.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from benchmark.errors import UsageError
from benchmark.health import FAILING, MEANING, TELLS_NOTHING, Health, blanket_scores, by_status, excluded
from benchmark.sqlengine.results import ASK_FOR_TABLE
from benchmark.store import RunFolder
from benchmark.taxonomy import CATEGORIES
from benchmark.types import RunManifest
from reports.board import FAILURES, HEADLINE, Board, Dataset, LeftOut, Row, Table
from reports.cautions import cautions, differing, few_clusters, same_name
from reports.chance import chance_of
from reports.disagreement import disagreement
from reports.equivalence import equivalence_of
from reports.errors import count_errors
from reports.facts import facts, setting_facts
from reports.figures import ErrorCount, Rank
from reports.names import shown_model
from reports.ranking import rank_runs
from reports.reading import Column, Items, RunData, column_order, headline_of, read_run
from reports.slices import Partition, complexity_order, mean_cell, partitions, slice_cells

__all__ = ["Board", "build_board", "complexity_order"]

#: Ids that are named for each status of items that leave the headline.
SHOWN_LEFT_OUT = 5
#: A run with its manifest.
Run = tuple[RunManifest, RunFolder]


def build_board(runs: Sequence[RunFolder]) -> Board:
    """Read the runs and make one table a dataset fingerprint.

    A folder named twice counts once. Raises UsageError for a folder that is no run, or whose manifest names no model
    or dataset, or that holds a score outside [0, 1].
    """
    tables = sorted(map(read_table, grouped(runs).values()), key=lambda t: (t.dataset.name, t.dataset.fingerprint))
    return Board(tables=tuple(map(replace_warnings, tables, same_name([table.dataset for table in tables]))))


def grouped(runs: Sequence[RunFolder]) -> dict[str, list[Run]]:
    """The runs by the fingerprint of their dataset, each with an id of its own."""
    folders = {run.path.resolve(): run for run in runs}
    groups: dict[str, list[Run]] = defaultdict(list)
    for _, run in sorted(folders.items()):
        manifest = run.manifest()
        groups[str(required(manifest, "dataset", "fingerprint"))].append((manifest, run))
    return {fingerprint: told_apart(group) for fingerprint, group in groups.items()}


def replace_warnings(table: Table, more: Sequence[str]) -> Table:
    """The table with more warnings."""
    return replace(table, warnings=(*table.warnings, *more))


@dataclass(frozen=True, slots=True)
class Shared:
    """What the rows of a table have in common."""

    items: Items
    headline: str
    parts: Sequence[Partition]
    ranks: Mapping[str, Rank]
    vacuous: frozenset[int]


def read_table(group: Sequence[Run]) -> Table:
    """The table of runs that share a dataset fingerprint."""
    items = Items()
    runs = [read_run(folder, manifest, items) for manifest, folder in group]
    columns = tuple(sorted({column for run in runs for column in run.columns}, key=column_order))
    headline = headline_of(columns) or HEADLINE
    health = health_of(runs)
    vacuous = leaves_headline(runs, health, items) if headline == HEADLINE else frozenset[int]()
    n = len(items.places)
    leading = {
        run.manifest.run_id: run.columns[headline].without(vacuous).by_item(n)
        for run in runs
        if headline in run.columns
    }
    ranks, ranking = rank_runs({name: values for name, values in leading.items() if not np.isnan(values).all()}, items)
    shared = Shared(items, headline, partitions(items) if leading else [], ranks, vacuous)
    built = (build_row(run, errors, shared) for run, errors in zip(runs, count_errors(runs, items), strict=True))
    ordered = sorted(zip(built, runs, strict=True), key=lambda pair: row_order(pair[0]))
    rows, manifests = tuple(row for row, _ in ordered), [run.manifest for _, run in ordered]
    settings = differing(manifests)
    filled = {tag for row in rows for tag, cells in row.slices.items() if cells}
    return Table(
        dataset=describe_dataset(runs[0].manifest),
        headline=headline if headline in columns else None,
        columns=columns,
        slicings=tuple(part.slicing for part in shared.parts if part.slicing.tag in filled),
        errors=tuple(name for name in CATEGORIES if any(name in row.errors for row in rows)),
        ranking=ranking,
        disagreement=disagreement(runs, columns, items),
        rows=tuple(replace(row, differing=setting_facts(m, settings)) for row, m in zip(rows, manifests, strict=True)),
        warnings=(*cautions(manifests, rows, ranking), *few_clusters(ranking)),
        left_out=left_out(health, vacuous=bool(vacuous)),
        blanket=blanket_scores(health.values()),
        chance=chance_of([run for _, run in ordered], leading, vacuous, items, headline),
    )


def health_of(runs: Sequence[RunData]) -> dict[str, Health]:
    """How sound the table's items are, by any of its runs: they share their items, so what one knows holds for all."""
    return {key: one for run in runs for key, one in run.health.items()}


def leaves_headline(runs: Sequence[RunData], health: Mapping[str, Health], items: Items) -> frozenset[int]:
    """Places of items that tell nothing. A policy that reproduces another evaluator keeps all, as that one does."""
    if any(str(run.manifest.identity.get("policy")) not in ASK_FOR_TABLE for run in runs):
        return frozenset()
    return frozenset(items.places[key] for key in excluded(health) if key in items.places)


def left_out(health: Mapping[str, Health], *, vacuous: bool) -> tuple[LeftOut, ...]:
    """What is not in the headline, by status: items that fail, and with `vacuous` those that tell nothing."""
    return tuple(
        LeftOut(
            status=status,
            meaning=MEANING[status],
            count=len(found),
            fails=status in FAILING,
            examples=tuple(sorted(one.example_id for one in found)[:SHOWN_LEFT_OUT]),
        )
        for status, found in by_status(health.values()).items()
        if status in FAILING or (vacuous and status in TELLS_NOTHING)
    )


def told_apart(group: Sequence[Run]) -> list[Run]:
    """The runs by their id, with a number after an id that several folders have (the same --name in two places)."""
    seen: Counter[str] = Counter()
    found = []
    for manifest, folder in sorted(group, key=lambda pair: pair[0].run_id):
        seen[manifest.run_id] += 1
        number = seen[manifest.run_id]
        found.append((replace(manifest, run_id=f"{manifest.run_id} #{number}") if number > 1 else manifest, folder))
    return found


def build_row(run: RunData, errors: Mapping[str, ErrorCount], shared: Shared) -> Row:
    """One run's figures."""
    manifest, columns, n = run.manifest, run.columns, len(shared.items.places)
    source = failure_source(columns)
    leading = columns[shared.headline].without(shared.vacuous) if shared.headline in columns else None
    cells = {name: mean_cell(column, n) for name, column in columns.items()}
    return Row(
        model=shown_model(str(required(manifest, "model", "spec"))),
        run_id=manifest.run_id,
        complete=manifest.complete,
        examples=manifest.counts.get("examples"),
        generated=run.generated,
        scored=len(set(columns[source].places)) if source else 0,
        headline_column=shared.headline,
        rank=shared.ranks.get(manifest.run_id),
        cells=cells if leading is None else {**cells, shared.headline: mean_cell(leading, n)},
        slices=slice_cells(leading, shared.parts) if leading is not None else {},
        failures=count_failures(columns[source]) if source else None,
        failures_from=source,
        cut_by_length=run.cut_by_length,
        errors=errors,
        equivalence=equivalence_of(run.decided, n),
        usage=run.usage,
        differing=(),
        facts=facts(manifest),
        calibration=run.calibration,
        adapter=run.adapter,
        clean=mean_cell(leading.without(run.seen), n) if leading is not None and run.known_overlap else None,
        seen=len(run.seen),
    )


def failure_source(columns: Mapping[str, Column]) -> str | None:
    """The metric whose statuses are counted: execution, else the first of ours in column order, else None."""
    ours = [name for name in columns if column_order(name)[0] == 0]
    return HEADLINE if HEADLINE in columns else next(iter(ours), None)


def count_failures(column: Column) -> dict[str, int]:
    """How many answers have each failure status, zeros included."""
    statuses: Counter[str] = column.statuses
    return {status: statuses[status] for status in FAILURES}


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
