"""Reading tables of rows: JSON lines, CSV and Parquet, by the file's ending; and choosing columns and rows of one.

Promises: a broken row is reported with its number and the file; nothing is skipped in silence.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import msgspec

from benchmark.errors import DatasetError, did_you_mean
from benchmark.files import is_file

Row = dict[str, Any]
_BATCH_ROWS = 2_000
_MOST_REPORTED = 5
_ONE_AMPERSAND = re.compile(r"(?<!&)&(?!&)")


def read_rows(path: Path, columns: Collection[str] = ()) -> list[Row]:
    """All rows of a file. Raises DatasetError that lists the broken ones.

    Of a Parquet file that has all of `columns`, only those are read: the others cost memory.
    """
    readers: dict[str, Callable[[Path], Iterator[Row]]] = {
        ".jsonl": _json_lines, ".json": _json_list, ".csv": _csv, ".parquet": partial(_parquet, columns=columns),
    }  # fmt: skip
    if not is_file(path):
        raise DatasetError(f"no such file: {path}", "Give the path of a .jsonl, .json, .csv or .parquet file.")
    reader = readers.get(path.suffix.lower())
    if reader is None:
        raise DatasetError(f"{path}: cannot read '{path.suffix}' files", f"Known: {', '.join(readers)}.")
    return list(reader(path))


def split_choices(argument: str) -> tuple[Path, dict[str, str]]:
    """A path with choices about the table in it: 'preds.jsonl?run=base&text=raw_output'. Raises DatasetError.

    What a key means is the caller's; keys that it does not know are columns, and choose rows (`chosen_rows`). An
    ampersand that belongs to a name is written twice (`with_choices` does).

    >>> split_choices("preds.jsonl?run=base")
    (PosixPath('preds.jsonl'), {'run': 'base'})
    """
    path, question_mark, rest = argument.partition("?")
    if not question_mark or Path(argument).expanduser().exists():
        return Path(argument).expanduser(), {}
    parts = [part.replace("&&", "&") for part in _ONE_AMPERSAND.split(rest)]
    pairs = [part.partition("=") for part in parts]
    if not all(key and equals for key, equals, _ in pairs):
        raise DatasetError(f"cannot read '?{rest}'", "Write ?column=value&column=value after the path.")
    return Path(path).expanduser(), {key: value for key, _, value in pairs}


def with_choices(argument: str, choices: Mapping[str, str]) -> str:
    """The argument with more choices: what `split_choices` takes apart.

    >>> with_choices("rows.csv?part=x", {"question": "Q&A"})
    'rows.csv?part=x&question=Q&&A'
    """
    _, begun = split_choices(argument)
    shown = "&".join(f"{key}={value}".replace("&", "&&") for key, value in choices.items())
    return f"{argument}{'&' if begun else '?'}{shown}" if choices else argument


def chosen_rows(rows: Sequence[Row], wanted: Mapping[str, str], source: str) -> list[Row]:
    """The rows whose columns have the wanted values as text. Raises DatasetError for an unknown column, or no row."""
    columns = {column for row in rows for column in row} if wanted else set()
    for column in wanted:
        if column not in columns:
            raise DatasetError(f"{source} has no column '{column}'", did_you_mean(column, columns))
    found = [row for row in rows if all(as_text(row.get(column)) == value for column, value in wanted.items())]
    if rows and not found:
        shown = "&".join(f"{column}={value}" for column, value in wanted.items())
        raise DatasetError(f"{source} has no row with {shown}", "Look at the values of that column.")
    return found


def as_text(value: Any) -> str:
    """A cell as text: JSON's words for true, false and null."""
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def report_broken(source: str, problems: list[str], hint: str) -> None:
    """Raise one DatasetError for all problems, if there are any."""
    if problems:
        shown = problems[:_MOST_REPORTED]
        rest = len(problems) - len(shown)
        more = [f"... and {rest} more"] if rest else []
        raise DatasetError(f"{source} has {len(problems)} broken rows:\n  " + "\n  ".join(shown + more), hint)


def _json_lines(path: Path) -> Iterator[Row]:
    problems, rows = [], []
    for number, line in enumerate(path.read_bytes().splitlines(), 1):
        if not line.strip():
            continue
        try:
            rows.append(msgspec.json.decode(line, type=Row))
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            problems.append(f"row {number}: {error}")
    report_broken(str(path), problems, "Every line must be one JSON object.")
    yield from rows


def _json_list(path: Path) -> Iterator[Row]:
    try:
        yield from msgspec.json.decode(path.read_bytes(), type=list[Row])
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise DatasetError(f"{path}: {error}", "A .json file must hold one list of objects.") from None


def _csv(path: Path) -> Iterator[Row]:
    with path.open(encoding="utf-8-sig", newline="") as handle:
        try:
            rows = list(csv.DictReader(handle))
        except (csv.Error, UnicodeDecodeError) as error:
            raise DatasetError(f"{path}: {error}", "The file must be UTF-8 CSV with a header line.") from None
    problems = [f"row {number}: more cells than the header" for number, row in enumerate(rows, 1) if None in row]
    report_broken(str(path), problems, "Quote the cells that hold a comma.")
    yield from rows


def _parquet(path: Path, columns: Collection[str]) -> Iterator[Row]:
    import duckdb

    try:
        with duckdb.connect(":memory:") as connection:
            described = connection.execute("DESCRIBE SELECT * FROM read_parquet(?)", [str(path)]).fetchall()
            names = [str(row[0]) for row in described]
            if columns and set(columns) <= set(names):
                names = list(columns)
            wanted = ", ".join('"' + name.replace('"', '""') + '"' for name in names)
            cursor = connection.execute(f"SELECT {wanted} FROM read_parquet(?)", [str(path)])  # noqa: S608
            while batch := cursor.fetchmany(_BATCH_ROWS):
                yield from (dict(zip(names, row, strict=True)) for row in batch)
    except duckdb.Error as error:
        raise DatasetError(f"{path}: {error}", "The file must be Parquet.") from None
