"""Predictions made elsewhere: a file of answers, by id or in the order of the test split.

Promises: an id that the split does not have, a prediction that is missing, or a count that differs is listed.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmark.errors import ModelUnavailable, did_you_mean
from benchmark.identity import file_digest
from benchmark.models.base import Model, ModelOptions
from benchmark.models.gold import LookupModel
from benchmark.rows import Row, read_rows
from benchmark.types import Example

ID_COLUMNS = ("example_id", "id", "question_id")
TEXT_COLUMNS = ("text", "prediction", "pred", "predicted_sql", "sql", "raw_output")


def open_file(spec: str, argument: str, options: ModelOptions, examples: Sequence[Example]) -> Model:
    """The file behind 'file/PATH'. Raises ModelUnavailable."""
    path = Path(argument).expanduser()
    if not path.is_file():
        raise ModelUnavailable(f"no such predictions file: {path}", "Give file/PATH, for instance file/preds.jsonl.")
    texts = match_predictions(read_rows(path), [example.id for example in examples], str(path))
    return LookupModel(spec, texts, {"predictions": file_digest(path)})


def match_predictions(rows: Sequence[Row], ids: Sequence[str], source: str) -> dict[str, str]:
    """Prediction texts by example id: by an id column if there is one, else by order. Raises ModelUnavailable."""
    if not rows:
        raise ModelUnavailable(f"{source} holds no predictions", "One row an item is wanted.")
    text_column = _column(rows[0], TEXT_COLUMNS, source)
    id_column = next((column for column in ID_COLUMNS if column in rows[0]), None)
    if id_column is None:
        if len(rows) != len(ids):
            raise ModelUnavailable(
                f"{source} has {len(rows)} predictions without ids for {len(ids)} items",
                f"Add a column '{ID_COLUMNS[0]}', or give exactly one row an item in the split's order.",
            )
        return dict(zip(ids, (_text(row, text_column) for row in rows), strict=True))
    found = {str(row.get(id_column)): _text(row, text_column) for row in rows}
    missing = [one for one in ids if one not in found]
    if missing:
        shown = ", ".join(missing[:5])
        raise ModelUnavailable(
            f"{source} has no prediction for {len(missing)} of {len(ids)} items: {shown}{' ...' * (len(missing) > 5)}",
            "Predict every item, or choose the same items with --limit, --sample or --where.",
        )
    return {one: found[one] for one in ids}


def _column(row: Row, wanted: Sequence[str], source: str) -> str:
    for column in wanted:
        if column in row:
            return column
    raise ModelUnavailable(
        f"{source} has no column with predictions", f"Name it '{wanted[0]}'. {did_you_mean(wanted[0], row)}"
    )


def _text(row: Row, column: str) -> str:
    value: Any = row.get(column)
    return value if isinstance(value, str) else ""
