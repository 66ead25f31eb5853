"""The public pairs of queries with a label about their equivalence, as pairs that our engines can run.

Promises: every row of both files gives a Pair; a query that sqlglot cannot read, or that no engine can prepare, is
None. Names with a dollar sign get an underscore instead.
Does not: judge the labels. "equivalent_bounded" means that a verifier found no difference up to a small size.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import apsw
import duckdb
import sqlglot
from sqlglot import exp
from sqlglot.errors import ErrorLevel, SqlglotError

FILES = ("verieql_half.jsonl", "calcite_rewrites_half.jsonl")
_TYPES = {"INT": "INTEGER", "VARCHAR": "VARCHAR", "DATE": "DATE", "BOOLEAN": "BOOLEAN"}


@dataclass(frozen=True)
class Pair:
    """Two queries over one schema. `label` is the file's own; `gold` or `prediction` is None where nothing runs it."""

    id: str
    source: str
    label: str
    dialect: str
    schema_sql: str
    gold: str | None
    prediction: str | None


def pairs(folder: Path) -> list[Pair]:
    """All pairs of `folder`/verieql_half.jsonl and calcite_rewrites_half.jsonl, in the files' order."""
    rows = [(name, json.loads(line)) for name in FILES for line in (folder / name).read_text().splitlines()]
    calcite = next(row for _, row in rows if row["benchmark"] == "calcite" and "schema" in row)
    return [_pair(name, row, row if "schema" in row else calcite) for name, row in rows]


def _pair(file: str, row: dict[str, Any], schema: dict[str, Any]) -> Pair:
    ddl = schema_script(json.dumps(schema["schema"]), json.dumps(schema["constraint"]))
    key = f"{row['benchmark']}-{row['index']}"
    written: dict[str, tuple[str | None, str | None]] = {}
    for dialect in ("duckdb", "sqlite"):
        written[dialect] = (_written(row["sql_a"], dialect, ddl), _written(row["sql_b"], dialect, ddl))
        if all(written[dialect]):
            return Pair(key, file, row["label"], dialect, ddl, *written[dialect])
    return Pair(key, file, row["label"], "duckdb", ddl, *written["duckdb"])


@lru_cache(maxsize=64)
def schema_script(tables: str, constraints: str) -> str:
    """The CREATE TABLE statements of a schema and its constraints, given as JSON; referenced tables come first.

    >>> schema_script('{"T": {"A": "INT"}}', '[{"primary": [{"value": "T__A"}]}]')
    'CREATE TABLE "T" ("A" INTEGER, PRIMARY KEY ("A"));'
    """
    columns: dict[str, dict[str, str]] = json.loads(tables)
    found = list(_constraints(json.loads(constraints) or []))
    targets = {name: {other for kind, table, _, other, _ in found if (kind, table) == ("f", name)} for name in columns}
    return "\n".join(_create(name, columns[name], found) for name in _sorted(columns, targets))


def _create(name: str, columns: dict[str, str], found: list[tuple[str, str, list[str], str, list[str]]]) -> str:
    mine = [constraint for constraint in found if constraint[1] == name]
    never_null = {column for kind, _, named, _, _ in mine if kind == "n" for column in named}
    parts = [
        f"{_quoted([column])} {_TYPES.get(str(kind).upper(), 'INTEGER')}{' NOT NULL' if column in never_null else ''}"
        for column, kind in columns.items()
    ]
    parts += [f"PRIMARY KEY ({_quoted(named)})" for kind, _, named, _, _ in mine if kind == "p"]
    parts += [
        f"FOREIGN KEY ({_quoted(named)}) REFERENCES {_quoted([other])} ({_quoted(there)})"
        for kind, _, named, other, there in mine
        if kind == "f"
    ]
    return f"CREATE TABLE {_quoted([name])} ({', '.join(parts)});"


def _constraints(listed: list[dict[str, Any]]) -> Iterator[tuple[str, str, list[str], str, list[str]]]:
    """Kind (n, p or f), table, columns, and for a foreign key the table and columns that it refers to."""
    for entry in listed:
        for kind, value in entry.items():
            named = [part["value"].split("__", 1) for part in (value if isinstance(value, list) else [value])]
            if kind == "foreign":
                (table, column), (other, there) = named
                yield "f", table, [column], other, [there]
            elif kind in ("not_null", "primary"):
                yield kind[0], named[0][0], [column for _, column in named], "", []
            else:
                raise ValueError(f"unknown constraint {entry}")


def _sorted(names: Iterable[str], targets: dict[str, set[str]]) -> list[str]:
    done: list[str] = []
    waiting = list(names)
    while waiting:
        ready = next((name for name in waiting if targets[name] <= {*done, name}), waiting[0])
        waiting.remove(ready)
        done.append(ready)
    return done


def _quoted(names: list[str]) -> str:
    return ", ".join('"' + name + '"' for name in names)


def _written(sql: str, dialect: str, ddl: str) -> str | None:
    try:
        tree = _tests_whole_comparisons(sqlglot.parse_one(sql.replace("$", "_")))
        text = tree.sql(dialect, identify=True, unsupported_level=ErrorLevel.RAISE)
    except (SqlglotError, RecursionError, ValueError):
        return None
    return text if isinstance(tree, exp.Query) and _runs(text, dialect, ddl) else None


def _tests_whole_comparisons(tree: exp.Expr) -> exp.Expr:
    """`a = 10 IS TRUE` asks of the comparison whether it is true; sqlglot reads `a = (10 IS TRUE)`."""
    for test in list(tree.find_all(exp.Is)):
        inner = test.parent if isinstance(test.parent, exp.Paren) else test
        comparison = inner.parent
        if isinstance(test.expression, exp.Boolean) and isinstance(comparison, (exp.EQ, exp.NEQ, exp.GT, exp.LT)):
            whole = comparison.copy()
            whole.set("expression", test.this.copy())
            comparison.replace(exp.Is(this=exp.paren(whole), expression=test.expression.copy()))
    return tree


def _runs(sql: str, dialect: str, ddl: str) -> bool:
    try:
        if dialect == "duckdb":
            _duckdb(ddl).execute(sql).fetchall()
        else:
            _sqlite(ddl).execute(sql).fetchall()
    except (duckdb.Error, apsw.Error):
        return False
    return True


@lru_cache(maxsize=64)
def _duckdb(ddl: str) -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect(":memory:", config={"threads": 1})
    connection.execute(ddl)
    return connection


@lru_cache(maxsize=64)
def _sqlite(ddl: str) -> apsw.Connection:
    connection = apsw.Connection(":memory:")
    connection.config(apsw.SQLITE_DBCONFIG_DQS_DML, 0)  # an unknown quoted name is an error, not a string
    for _ in connection.execute(ddl):
        pass
    return connection
