"""What a reader must know before comparing two rows: one sentence each.

Promises: every sentence opens with our own words, never with a model's name, and names the run it is about.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from typing import Any

from benchmark.stats.clustered import FEW_CLUSTERS
from benchmark.types import RunManifest
from reports.board import Dataset, Ranking, Row
from reports.facts import as_text
from reports.figures import Cell
from reports.wording import short

#: Identity keys that make two rows hard to compare when they differ.
COMPARED = (
    *("dtype", "model.load_in_4bit", "model.load_in_8bit", "model.merged", "model.device"),
    *("decoding", "prompt", "policy", "scoring", "batch_size"),
)
#: Packages of the provenance by which scores, and those by which a local model's answers, may differ.
ENGINES = ("apsw", "duckdb", "sqlglot")
BACK_ENDS = ("torch", "transformers", "peft", "bitsandbytes")
FEW_ITEMS = 100
SHOWN_VALUES = 4


def cautions(manifests: Sequence[RunManifest], rows: Sequence[Row], ranking: Ranking | None) -> tuple[str, ...]:
    """The warnings of one table, from its runs' manifests and rows (both in the same order) and its ranking."""
    names = row_names(rows)
    return (
        *chain.from_iterable(map(about_row, rows, names)),
        *excluded(rows, names),
        *differing_settings(manifests),
        *differing_versions(manifests),
        *differing_n(rows),
        *unranked(ranking, rows, names),
        *few_items(rows),
    )


def row_names(rows: Sequence[Row]) -> list[str]:
    """What to call each run: its model, with the run id where two runs share a model."""
    models = Counter(row.model for row in rows)
    return [row.model if models[row.model] == 1 else f"{row.model} (run {row.run_id})" for row in rows]


def about_row(row: Row, name: str) -> Iterator[str]:
    """Warnings about one run alone."""
    if not row.complete:
        of = f" of {row.examples}" if row.examples is not None else ""
        yield f"Incomplete run: {name} has answered {row.generated}{of} items."
    elif row.examples is not None and row.scored < row.examples:
        yield f"Not all scored: {name} has scores for {row.scored} of {row.examples} items."
    if not row.headline.known:
        yield f"No {row.headline_column} accuracy for {name}: it is listed after the runs that have one."


def excluded(rows: Sequence[Row], names: Sequence[str]) -> Iterator[str]:
    """One sentence on the answers without a value: how many, in which columns, of which runs."""
    parts = [f"{name} ({part})" for row, name in zip(rows, names, strict=True) for part in excluded_in(row)]
    if parts:
        yield f"Answers without a value, which are no fault of the model, are left out of n: {'; '.join(parts)}."


def excluded_in(row: Row) -> Iterator[str]:
    """What a run leaves out, for instance '3 in exact, ast', if anything."""
    columns: dict[int, list[str]] = defaultdict(list)
    for column, cell in row.cells.items():
        columns[cell.excluded].append(column)
    parts = [f"{count} in {', '.join(columns[count])}" for count in sorted(columns, reverse=True) if count]
    if parts:
        yield " and ".join(parts) if len(columns) > 1 else f"{max(columns)} in every column"


def differing(manifests: Sequence[RunManifest]) -> dict[str, dict[str, Any]]:
    """Each compared setting in which the runs differ: its dotted name -> run id -> value.

    A run to which a setting does not apply (gold has no precision) has no value and makes no difference.
    """
    found = {}
    for key in COMPARED:
        values = {manifest.run_id: looked_up(manifest.identity, key) for manifest in manifests}
        leaves = {run: flatten(key, value) for run, value in values.items() if value is not None}
        for name in sorted({name for leaf in leaves.values() for name in leaf}):
            by_run = {run: leaf.get(name) for run, leaf in leaves.items()}
            if len(distinct(list(by_run.values()))) > 1:
                found[name] = by_run
    return found


def differing_settings(manifests: Sequence[RunManifest]) -> Iterator[str]:
    """One sentence that names every compared setting in which the runs differ, with its values."""
    found = [f"{name} ({shown(distinct(list(values.values())))})" for name, values in differing(manifests).items()]
    if found:
        yield f"The runs differ in {'; '.join(found)}. A gap between rows may come from that and not from the model."


def differing_versions(manifests: Sequence[RunManifest]) -> Iterator[str]:
    """One sentence on the packages whose versions differ: of SQL engines and, among local models, of the back-end."""
    local = [manifest for manifest in manifests if manifest.identity.get("dtype") is not None]
    found = []
    for packages, among in ((ENGINES, manifests), (BACK_ENDS, local)):
        for package in packages:
            values = distinct([looked_up(m.provenance, f"versions.{package}") for m in among])
            known = [value for value in values if value is not None]
            if len(known) > 1:
                found.append(f"{package} ({shown(known)})")
    if found:
        yield f"The runs were made with differing versions of {'; '.join(found)}."


def looked_up(values: Mapping[str, Any], name: str) -> Any:
    """The value under a dotted name; None where there is none."""
    found: Any = values
    for part in name.split("."):
        found = found.get(part) if isinstance(found, Mapping) else None
    return found


def unranked(ranking: Ranking | None, rows: Sequence[Row], names: Sequence[str]) -> Iterator[str]:
    """Runs that have a figure and no rank, because they have too few of the items."""
    missing = [name for row, name in zip(rows, names, strict=True) if ranking and row.run_id in ranking.unranked]
    if missing:
        yield f"Not ranked, for want of too many items: {', '.join(missing)}."


def few_clusters(ranking: Ranking | None) -> Iterator[str]:
    """Items that come from few groups, which the Wilson intervals take as independent."""
    if ranking is not None and ranking.by_item and ranking.items > 1:
        yield "One database: all items share it (or one group), so the figures say nothing of other databases."
    elif ranking is not None and ranking.clusters < min(FEW_CLUSTERS, ranking.items):
        yield (
            f"Few clusters: the {ranking.items} items come from {ranking.clusters} databases (or groups), so the "
            "intervals, which take items as independent, are likely too narrow."
        )


def same_name(datasets: Sequence[Dataset]) -> list[list[str]]:
    """For each table, what to say where another table has the same dataset name and other content."""
    counts = Counter(dataset.name for dataset in datasets)
    sentence = (
        "Same name, other data: another table's dataset has this name and another fingerprint, so its items differ. "
        "Do not compare rows across the two."
    )
    return [[sentence] if counts[dataset.name] > 1 else [] for dataset in datasets]


def differing_n(rows: Sequence[Row]) -> Iterator[str]:
    """Rows whose headline rests on differing numbers of items."""
    counts = sorted({row.headline.n for row in rows if row.headline.known})
    if len(counts) > 1:
        yield f"The rows rest on differing numbers of items (n from {counts[0]} to {counts[-1]})."


def few_items(rows: Sequence[Row]) -> Iterator[str]:
    """Fewer than 100 items, with the width of the widest interval in percentage points."""
    cells = [cell for cell in map(leading_cell, rows) if cell is not None and 0 < cell.n < FEW_ITEMS]
    if cells:
        width = max(cell.high - cell.low for cell in cells)
        least = min(cell.n for cell in cells)
        yield f"Fewer than {FEW_ITEMS} items (n = {least}): the 95% interval is up to {100 * width:.0f} points wide."


def leading_cell(row: Row) -> Cell | None:
    """The headline, else the first figure of the row."""
    return row.headline if row.headline.known else next(iter(row.cells.values()), None)


def flatten(name: str, value: object) -> dict[str, Any]:
    """Nested settings as dotted names: 'decoding.temperature'."""
    if not isinstance(value, Mapping):
        return {name: value}
    parts = (flatten(f"{name}.{key}", item) for key, item in value.items())
    return dict(chain.from_iterable(part.items() for part in parts))


def distinct(values: Sequence[Any]) -> list[Any]:
    """The different values, in order of first appearance; 0 and 0.0 are one value."""
    found: list[Any] = []
    for value in values:
        if value not in found:
            found.append(value)
    return found


def shown(values: Sequence[Any]) -> str:
    """A few values on one line, each cut to a readable length."""
    texts = ["none" if value is None else as_text(value) for value in values[:SHOWN_VALUES]]
    return ", ".join(map(short, texts)) + (", …" if len(values) > SHOWN_VALUES else "")
