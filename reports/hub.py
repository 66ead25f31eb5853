"""Results for a Hugging Face model card: `model-index` front matter, and `eval_results.yaml`, one of each a model.

Promises: both parse with huggingface_hub; values are percentages; a dataset that is not on the Hub is never given the
id of one that is.
Does not: upload. The README.md is a card to start from; eval_results.yaml goes to .eval_results/ of the model's repo.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml

from reports.board import Board, Row, Table
from reports.figures import Cell
from reports.markdown import grid, printable, text
from reports.wording import figure, interval

#: How a dataset's name begins -> its id on the Hub. A local file is not the Hub's, whatever it is called.
HUB_DATASETS = {"gretel/": "gretelai/synthetic_text_to_sql", "spider/": "xlangai/spider"}
TASK = {"type": "text-generation", "name": "Text-to-SQL"}
METRICS = {
    "execution": ("execution_accuracy", "Execution accuracy (%)"),
    "exact": ("exact_match", "Exact match (%)"),
    "exact_ws": ("exact_match_folded", "Exact match, white space and keyword case folded (%)"),
    "ast": ("ast_match", "Syntax tree match (%)"),
}
OMITTED = """\
# Left out, because they have no dataset id on the Hub: {names}.
# If you publish one there, say so: sqlgauge report RUNS --hub-dataset NAME=OWNER/DATASET
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """What the runs cannot know: Hub ids of datasets by name, and where the results can be seen."""

    datasets: Mapping[str, str] = field(default_factory=dict)
    source_url: str | None = None

    def hub_id(self, name: str) -> str | None:
        """The Hub id of a dataset, by its whole name or by what it is known to be."""
        known = (hub for start, hub in HUB_DATASETS.items() if name.startswith(start))
        return self.datasets.get(name) or next(known, None)


def by_model(board: Board) -> dict[str, list[tuple[Table, Row]]]:
    """Each model's rows, in the order of the tables."""
    found: dict[str, list[tuple[Table, Row]]] = {}
    for table in board.tables:
        for row in table.rows:
            found.setdefault(row.model, []).append((table, row))
    return {model: found[model] for model in sorted(found)}


def render_card(model: str, rows: list[tuple[Table, Row]], published: Published) -> str:
    """A README.md: front matter with the model-index, and the same figures as a table."""
    index = [{"name": printable(model), "results": [result(table, row, published) for table, row in rows]}]
    figures = (
        [text(table.dataset.name), text(column), figure(row.cell(column))]
        for table, row in rows
        for column in table.columns
        if row.cell(column).known
    )
    body = grid(["Dataset", "Metric", "Value (95% interval), items"], figures)
    return f"---\n{dumped({'model-index': index})}---\n\n# {text(model)}\n\n## Evaluation\n\n{body}\n"


def result(table: Table, row: Row, published: Published) -> dict[str, Any]:
    """One entry of a model-index: the metrics of one run on one dataset."""
    data = table.dataset
    found: dict[str, Any] = {
        "task": dict(TASK),
        "dataset": {
            "type": published.hub_id(data.name) or printable(data.name.split("/")[0]),
            "name": printable(data.name),
            "split": printable(data.name.rpartition("/")[2]),
            "args": {"fingerprint": printable(data.fingerprint), "items": data.n},
        },
        "metrics": [metric(row, column, cell) for column, cell in row.cells.items() if cell.known],
    }
    if published.source_url is not None:
        found["source"] = {"name": "sqlgauge leaderboard", "url": printable(published.source_url)}
    return found


def metric(row: Row, column: str, cell: Cell) -> dict[str, Any]:
    """One metric of a model-index entry, with what its figure rests on."""
    kind, name = METRICS.get(column, (printable(column), f"{printable(column)} (%)"))
    interval_95 = [round(100 * end, 2) for end in (cell.low, cell.high)]
    args = {"n": cell.n, "interval_95": interval_95, "run": printable(row.run_id), **policy_of(row)}
    return {"type": kind, "name": name, "value": round(100 * cell.value, 2), "args": args}


def render_eval_results(rows: list[tuple[Table, Row]], published: Published) -> str:
    """The headline of each run on a Hub dataset, as `.eval_results/*.yaml` wants it; the rest is named in a comment."""
    missing = sorted({printable(table.dataset.name) for table, _ in rows if not published.hub_id(table.dataset.name)})
    entries = list(eval_results(rows, published))
    return (OMITTED.format(names=", ".join(missing)) if missing else "") + dumped(entries)


def eval_results(rows: list[tuple[Table, Row]], published: Published) -> Iterator[dict[str, Any]]:
    """The entries of an eval_results.yaml."""
    for table, row in rows:
        hub_id, cell = published.hub_id(table.dataset.name), row.headline
        if hub_id is None or not cell.known:
            continue
        policy = "".join(f", policy {policy}" for policy in policy_of(row).values())
        entry: dict[str, Any] = {
            "dataset": {"id": printable(hub_id), "task_id": "default"},
            "value": round(100 * cell.value, 2),
        }
        if published.source_url is not None:
            entry["source"] = {"url": printable(published.source_url), "name": "sqlgauge leaderboard"}
        entry["notes"] = (
            f"{row.headline_column} in %{policy}, 95% interval {interval(cell)}, {cell.n} items of "
            f"{printable(table.dataset.name)}, run {printable(row.run_id)}"
        )
        yield entry


def policy_of(row: Row) -> dict[str, str]:
    """The policy of a run's execution scores, if its manifest says."""
    return {fact.label: printable(fact.value) for fact in row.facts if fact.label == "policy"}


def dumped(value: Any) -> str:
    """YAML in the given order, one line a text."""
    return yaml.safe_dump(value, sort_keys=False, allow_unicode=True, width=10_000)
