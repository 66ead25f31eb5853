"""Predictions made elsewhere: a file of answers, by id or in the order of the test split, with verdicts if it has some.

Promises: an id that the split does not have, a prediction that is missing, or a count that differs is listed; a verdict
is taken as it is and becomes a metric named 'external:COLUMN', never one of ours.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from benchmark.errors import DatasetError, ModelUnavailable, did_you_mean
from benchmark.files import is_file
from benchmark.identity import file_digest
from benchmark.models.base import Model, ModelOptions
from benchmark.models.gold import LookupModel
from benchmark.rows import Row, as_text, chosen_rows, read_rows, split_choices
from benchmark.types import EXTERNAL, Example, Score

ID_COLUMNS = ("example_id", "id", "question_id")
TEXT_COLUMNS = ("text", "prediction", "pred", "predicted_sql", "sql", "raw_output")
#: Names that people give to a column that says whether an answer is right; it must also hold nothing but verdicts.
VERDICT_COLUMN = re.compile(
    r"ex|em|ex_\w+|em_\w+|\w+_match|match|verdict|\w+_verdict|(is_)?correct|\w+_(is_)?correct|passed|pass|success"
    r"|\w+_accuracy|accuracy|right|test_suite\w*",
    re.IGNORECASE,
)
#: What BIRD's files put between a query and the name of its database.
BIRD_MARK = "\t----- bird -----\t"
VERDICTS = {
    **dict.fromkeys(("true", "yes", "correct", "right", "pass", "passed", "match"), 1.0),
    **dict.fromkeys(("false", "no", "incorrect", "wrong", "fail", "failed", "mismatch"), 0.0),
    **dict.fromkeys(("null", "none", "nan", ""), None),
}
HINT = "Verdicts are true or false, yes or no, correct or incorrect, or a number from 0 to 1; null where there is none."


class FileModel(LookupModel):
    """Answers from a file. `external` holds its verdicts as scores of metrics of their own."""

    def __init__(self, spec: str, texts: Mapping[str, str], digest: str, external: Sequence[Score]) -> None:
        super().__init__(spec, texts, {"predictions": digest})
        self.external = tuple(external)


def open_file(spec: str, argument: str, options: ModelOptions, examples: Sequence[Example]) -> Model:
    """The file behind 'file/PATH', or a part of it behind 'file/PATH?text=COLUMN&verdicts=A,B&COLUMN=VALUE'.

    It is a table (.jsonl, .json, .csv, .parquet), BIRD's object of queries (.json), or a query a line (.sql, .txt).
    `text` and `id` name columns, `verdicts` those with verdicts ('' for none; found by their name if it is left out);
    any other key keeps the rows with that value. Raises ModelUnavailable, DatasetError.
    """
    path, choices = split_choices(argument)
    if not is_file(path):
        raise ModelUnavailable(f"no such predictions file: {path}", "Give file/PATH, for instance file/preds.jsonl.")
    named = {key: choices.pop(key) for key in ("text", "id", "verdicts") if key in choices}
    rows = chosen_rows(read_predictions(path), choices, str(path))
    if not rows:
        raise ModelUnavailable(f"{path} holds no predictions", "One row an item is wanted.")
    text_column = _column(rows[0], (named["text"],) if "text" in named else TEXT_COLUMNS, str(path))
    ids = ID_COLUMNS if "id" not in named else (_column(rows[0], (named["id"],), str(path)),)
    matched = match_rows(rows, [example.id for example in examples], ids, str(path))
    columns = verdict_columns(rows, named.get("verdicts"), str(path))
    texts = {key: _text(row, text_column) for key, row in matched.items()}
    return FileModel(spec, texts, file_digest(path), list(external_scores(matched, columns, str(path))))


def read_predictions(path: Path) -> list[Row]:
    """Rows of a table, of BIRD's object of predictions by number, or of Spider's text with a query a line.

    What the two write behind a query, a tab and the name of its database, is left out. Raises DatasetError.
    """
    if path.suffix.lower() in (".sql", ".txt"):
        lines = path.read_text(encoding="utf-8").split("\n")
        return [{"prediction": line.partition("\t")[0]} for line in (lines[:-1] if lines[-1] == "" else lines)]
    if path.suffix.lower() == ".json" and path.read_bytes().lstrip()[:1] == b"{":
        try:
            found = msgspec.json.decode(path.read_bytes(), type=dict[str, str])
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise DatasetError(
                f"{path}: {error}", 'An object must map each id to a query: {"0": "SELECT ..."}.'
            ) from None
        return [{"id": key, "prediction": text.partition(BIRD_MARK)[0]} for key, text in found.items()]
    return read_rows(path)


def match_rows(rows: Sequence[Row], ids: Sequence[str], id_columns: Sequence[str], source: str) -> dict[str, Row]:
    """Rows by example id: by an id column if there is one, else by order. Raises ModelUnavailable."""
    id_column = next((column for column in id_columns if column in rows[0]), None)
    if id_column is None:
        if len(rows) != len(ids):
            raise ModelUnavailable(
                f"{source} has {len(rows)} predictions without ids for {len(ids)} items",
                f"Add a column '{ID_COLUMNS[0]}', or give exactly one row an item in the split's order.",
            )
        return dict(zip(ids, rows, strict=True))
    found = {str(row.get(id_column)): row for row in rows}
    missing = [one for one in ids if one not in found]
    if missing:
        shown = ", ".join(missing[:5])
        raise ModelUnavailable(
            f"{source} has no prediction for {len(missing)} of {len(ids)} items: {shown}{' ...' * (len(missing) > 5)}",
            "Predict every item, or choose the same items with --limit, --sample or --where.",
        )
    return {one: found[one] for one in ids}


def verdict_columns(rows: Sequence[Row], named: str | None, source: str) -> list[str]:
    """The columns with verdicts: those named (comma-separated), else those whose name and values are a verdict's."""
    if named is not None:
        return [_column(rows[0], (name.strip(),), source) for name in named.split(",") if name.strip()]
    return [
        column
        for column in rows[0]
        if VERDICT_COLUMN.fullmatch(column) and all(_is_verdict(row.get(column)) for row in rows)
    ]


def external_scores(rows: Mapping[str, Row], columns: Sequence[str], source: str) -> Iterator[Score]:
    """A score an item and verdict column. Raises ModelUnavailable for what is no verdict."""
    for example_id, row in rows.items():
        for column in columns:
            if not _is_verdict(row.get(column)):
                raise ModelUnavailable(f"{source}: '{column}' of item {example_id} is {row.get(column)!r}", HINT)
            value = verdict(row.get(column))
            yield Score(
                example_id=example_id,
                metric=EXTERNAL + column,
                value=value,
                status="error" if value is None else "ok",
                evidence={"reason": "the predictions file gives no verdict"} if value is None else {},
            )


def verdict(value: Any) -> float | None:
    """A verdict as a value in [0, 1], None where there is none. Raises ValueError for anything else.

    >>> verdict(True), verdict("incorrect"), verdict("0.5"), verdict(None)
    (1.0, 0.0, 0.5, None)
    """
    text = as_text(value).strip().lower()
    if text in VERDICTS:
        return VERDICTS[text]
    number = float(text)
    if not 0 <= number <= 1:
        raise ValueError(f"{number} is outside 0 to 1")
    return number


def _is_verdict(value: Any) -> bool:
    try:
        verdict(value)
    except (ValueError, TypeError):
        return False
    return True


def _column(row: Row, wanted: Sequence[str], source: str) -> str:
    for column in wanted:
        if column in row:
            return column
    what = f"'{wanted[0]}'" if len(wanted) == 1 else "with predictions"
    raise ModelUnavailable(
        f"{source} has no column {what}",
        f"{'' if len(wanted) == 1 else f'Name it {wanted[0]!r}. '}{did_you_mean(wanted[0], row)}",
    )


def _text(row: Row, column: str) -> str:
    value: Any = row.get(column)
    return value if isinstance(value, str) else ""
