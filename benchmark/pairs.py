"""Pairs of a gold and a prediction from outside: lines of a file, or two statements and whatever holds the schema.

Promises: a broken line is named before any work starts; a database file is opened read-only, for its DDL alone.
Does not: run a gold or a prediction (`equivalence.py`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import msgspec

from benchmark.errors import DatasetError, UsageError
from benchmark.rows import report_broken
from benchmark.sqlengine.sandbox import ENGINES
from benchmark.sqlengine.sandbox.sqlite import schema_script

_DUCK_DDL = """
SELECT sql FROM duckdb_tables() WHERE NOT internal
UNION ALL SELECT sql FROM duckdb_views() WHERE NOT internal
UNION ALL SELECT sql FROM duckdb_indexes() WHERE sql IS NOT NULL
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """A prediction with the golds of its question, and the database: the script `schema_sql`, or the file `db`."""

    id: str | int
    dialect: str
    schema_sql: str
    golds: tuple[str, ...]
    pred: str
    question: str | None = None
    db: str | None = None


class _Line(msgspec.Struct):
    """One line of a file of pairs. A prediction that is null said nothing."""

    id: str | int
    dialect: str
    schema_sql: str
    gold: str | list[str]
    pred: str | None
    question: str | None = None


def count_pairs(path: Path) -> int:
    """How many pairs a file holds. Raises UsageError for no such file, DatasetError that names its broken lines."""
    count, problems = 0, []
    for number, line in _lines(path):
        count += 1
        try:
            problems += [f"line {number}: {problem}" for problem in _problems(_decode(line))]
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            problems.append(f"line {number}: {error}")
    needed = 'Every line needs {"id", "dialect", "schema_sql", "gold", "pred"}.'
    report_broken(str(path), problems, needed)
    return count


def read_pairs(path: Path) -> Iterator[Pair]:
    """The pairs of a file that `count_pairs` found sound, one at a time."""
    for _, text in _lines(path):
        line = _decode(text)
        golds = (line.gold,) if isinstance(line.gold, str) else tuple(line.gold)
        yield Pair(
            id=line.id,
            dialect=line.dialect,
            schema_sql=line.schema_sql,
            golds=golds,
            pred=line.pred or "",
            question=line.question,
        )


def schema_of_file(path: Path, dialect: str) -> tuple[str, str | None]:
    """A schema's script, and the database file if `path` is one. Raises UsageError, DatasetError.

    A file that begins as a database of SQLite or DuckDB is one; anything else is a script.
    """
    try:
        with path.open("rb") as handle:
            head = handle.read(16)
        if not head.startswith(b"SQLite format 3\0") and head[8:12] != b"DUCK":
            return path.read_text(encoding="utf-8-sig"), None
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is neither a database nor UTF-8 text"
        raise UsageError(f"cannot read the schema {path}: {reason}", "Give a .sql script or a database file.") from None
    kind = "sqlite" if head.startswith(b"SQLite") else "duckdb"
    if kind != dialect:
        raise UsageError(f"{path} is a database of {kind}, not of {dialect}", f"Add --dialect {kind}.")
    script = schema_script(path.resolve()) if kind == "sqlite" else _duck_script(path)
    return script, str(path.resolve())


def check_dialect(dialect: str) -> None:
    """Raise UsageError for a dialect that no engine runs."""
    if dialect not in ENGINES:
        raise UsageError(f"no engine runs the dialect '{dialect}'", f"Known: {', '.join(ENGINES)}.")


def _duck_script(path: Path) -> str:
    import duckdb

    try:
        with duckdb.connect(str(path), read_only=True, config={"enable_external_access": False}) as connection:
            rows = connection.execute(_DUCK_DDL).fetchall()
    except duckdb.Error as error:
        raise DatasetError(f"{path} is no readable DuckDB database: {error}", "Check the file.") from None
    return "\n".join(str(sql).rstrip().rstrip(";") + ";" for (sql,) in rows)


def _lines(path: Path) -> Iterator[tuple[int, bytes]]:
    """The lines with something on them, with their numbers."""
    try:
        with path.open("rb") as lines:
            for number, line in enumerate(lines, 1):
                if line.strip():
                    yield number, line
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}", "Give a file of JSON lines.") from None


def _decode(line: bytes) -> _Line:
    return msgspec.json.decode(line, type=_Line)


def _problems(line: _Line) -> Iterator[str]:
    golds = [line.gold] if isinstance(line.gold, str) else line.gold
    if not golds or not all(gold.strip() for gold in golds):
        yield "an empty gold"
    if line.dialect not in ENGINES:
        yield f"no engine runs the dialect '{line.dialect}'; known: {', '.join(ENGINES)}"
