"""The train split: right golds, the proportions of the test split, and nothing of the test split in it.

Every gold runs in SQLite and in DuckDB; what a model learns from must not be wrong, and must not be the exam.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from datetime import date
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import apsw
import duckdb
import pytest
from sqlglot import exp

from benchmark.datasets.builtin import TEST_FILE, TRAIN_FINGERPRINT, load_builtin
from benchmark.datasets.builtin_train import train_rows
from benchmark.datasets.builtin_train.schemas import domains, read_parts
from benchmark.datasets.builtin_train.worlds import make_world
from benchmark.errors import DatasetError
from benchmark.rows import read_rows
from benchmark.sqlengine.parse import orders_result, parse
from benchmark.sqlengine.results import Cell, Row, same_bag
from benchmark.types import Example

SIZE = 2000
MOST_ROWS = 25

ROWS = train_rows()
ITEMS = load_builtin("", "train").examples
TEST_ROWS = read_rows(TEST_FILE)
READS = [item for item in ITEMS if item.task == "read"]
WRITES = [item for item in ITEMS if item.task == "write"]


def normal(text: str) -> str:
    return " ".join(text.casefold().split()).rstrip(" .?;")


def plain(cell: Any) -> Cell:
    if isinstance(cell, bool):
        return int(cell)
    if isinstance(cell, Decimal):
        return float(cell)
    if isinstance(cell, date):
        return str(cell)
    assert cell is None or isinstance(cell, (int, float, str)), f"a DuckDB {type(cell).__name__}"
    return cell


def fresh_sqlite(schema_sql: str) -> apsw.Connection:
    connection = apsw.Connection(":memory:")
    connection.execute(schema_sql).fetchall()
    connection.pragma("foreign_keys", 1)
    return connection


@cache
def shared_sqlite(schema_sql: str, reverse: int) -> apsw.Connection:
    connection = fresh_sqlite(schema_sql)
    connection.pragma("query_only", 1)
    connection.pragma("reverse_unordered_selects", reverse)
    return connection


def sqlite_rows(item: Example, sql: str, reverse: int = 0) -> list[Row]:
    return list(shared_sqlite(item.schema_sql, reverse).execute(sql).fetchall())


@cache
def shared_duckdb(schema_sql: str) -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect(":memory:", config={"threads": 1})
    connection.execute(schema_sql)
    return connection


def duckdb_rows(item: Example, *statements: str) -> list[list[Row]]:
    """The rows of each statement, with DuckDB's types as SQLite has them; the database is as before afterwards."""
    connection = shared_duckdb(item.schema_sql)
    connection.execute("BEGIN")
    try:
        return [[tuple(map(plain, row)) for row in connection.execute(sql).fetchall()] for sql in statements]
    finally:
        connection.execute("ROLLBACK")


def table_columns(schema_sql: str) -> dict[str, frozenset[str]]:
    """The column names of each table that a script creates."""
    connection = shared_sqlite(schema_sql, 0)
    names = connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'").fetchall()
    columns = "SELECT lower(name) FROM pragma_table_info(?)"
    return {str(name): frozenset(str(row[0]) for row in connection.execute(columns, (name,))) for (name,) in names}


def test_size_columns_and_no_repeats() -> None:
    assert len(ROWS) == len(ITEMS) == SIZE
    assert {tuple(sorted(row)) for row in ROWS} == {tuple(sorted(TEST_ROWS[0]))}
    assert [row["id"] for row in ROWS if not all(row.values())] == []
    assert len({row["id"] for row in ROWS}) == SIZE
    assert len({normal(row["sql_prompt"]) for row in ROWS}) == SIZE
    assert len({(row["sql_context"], normal(row["sql"])) for row in ROWS}) == SIZE


def test_no_item_of_the_test_split_has_the_id_of_one_of_these() -> None:
    assert {row["id"] for row in ROWS} & {str(row["id"]) for row in TEST_ROWS} == set()


@pytest.mark.parametrize("hash_seed", ["0", "4242"])
def test_the_rows_are_the_same_in_every_process(hash_seed: str) -> None:
    script = "from benchmark.datasets import load_dataset; print(load_dataset('builtin', 'train').fingerprint)"
    environment = {**os.environ, "PYTHONHASHSEED": hash_seed}
    shown = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, env=environment)
    assert shown.stdout.strip() == TRAIN_FINGERPRINT


def test_importing_benchmark_does_not_make_the_rows() -> None:
    script = (
        "import benchmark, benchmark.datasets.builtin, sys; print([m for m in sys.modules if 'builtin_train' in m])"
    )
    shown = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert shown.stdout.strip() == "[]"


def test_proportions_are_those_of_the_test_split() -> None:
    """Each pair of complexity and task type, scaled to 2,000, up to rounding."""
    kinds = [Counter((row["sql_complexity"], row["sql_task_type"]) for row in rows) for rows in (ROWS, TEST_ROWS)]
    expected = {kind: count * SIZE / len(TEST_ROWS) for kind, count in kinds[1].items()}
    assert {
        kind: (kinds[0][kind], wanted) for kind, wanted in expected.items() if abs(kinds[0][kind] - wanted) > 1
    } == {}
    assert set(kinds[0]) == set(kinds[1])
    names = ("sql_complexity_description", "sql_task_type_description")
    assert all({row[name] for row in ROWS} == {row[name] for row in TEST_ROWS} for name in names)


def test_domains_are_many_and_used_alike() -> None:
    counts = Counter(row["domain"] for row in ROWS)
    assert len(counts) >= 40
    assert max(counts.values()) < 3 * SIZE / len(counts)
    assert len({row["sql_context"] for row in ROWS}) > 150


def test_wording_varies() -> None:
    """No opening of four words begins more than one request in forty, and most of them are rare."""
    openings = Counter(" ".join(normal(row["sql_prompt"]).split()[:4]) for row in ROWS)
    assert openings.most_common(1)[0][1] <= SIZE / 40
    assert len(openings) > SIZE / 3


def test_nothing_of_the_test_split_appears() -> None:
    theirs = {row["sql_context"] for row in TEST_ROWS}
    their_tables = {columns for script in theirs for columns in table_columns(script).values()}
    ours = {row["sql_context"] for row in ROWS} | {make_world(domain, 0).script for domain in domains()}
    problems = [
        f"domain {row['domain']}" for row in TEST_ROWS if row["domain"] in {domain.name for domain in domains()}
    ]
    problems += [
        f"table {name}" for script in ours for name, columns in table_columns(script).items() if columns in their_tables
    ]
    for column in ("sql_prompt", "sql"):
        exam = {normal(row[column]) for row in TEST_ROWS}
        problems += [f"{row['id']}: {row[column]}" for row in ROWS if normal(row[column]) in exam]
    assert problems == []
    assert ours & theirs == set()


def test_a_gold_is_one_statement_of_its_task_type() -> None:
    problems = []
    for item in ITEMS:
        (gold,), tree = item.golds, parse(item.golds[0], "sqlite")
        reads = item.tags["task_type"] in ("data retrieval", "analytics and reporting")
        if not gold.endswith(";") or gold.count(";") != 1 or tree is None:
            problems.append(f"{item.id} is not one statement: {gold}")
        elif (item.task == "read") != reads or isinstance(tree, exp.Query) != reads:
            problems.append(f"{item.id} is no {item.tags['task_type']}: {gold}")
    assert problems == []


def test_a_gold_is_of_its_complexity() -> None:
    """What the class is named after is there, and single joins and basic items have no more than they say."""
    wanted: dict[str, tuple[type[exp.Expr], ...]] = {
        "window functions": (exp.Window,),
        "CTEs": (exp.With,),
        "set operations": (exp.SetOperation,),
        "aggregation": (exp.AggFunc,),
        "subqueries": (exp.Subquery, exp.In, exp.Exists),
    }
    joins = {"basic SQL": {0}, "single join": {1}, "multiple_joins": {2}}
    problems = []
    for item in ITEMS:
        tree, complexity = parse(item.golds[0], "sqlite"), item.tags["complexity"]
        assert tree is not None
        if complexity in wanted and not tree.find(*wanted[complexity]):
            problems.append(f"{item.id} is not of {complexity}: {item.golds[0]}")
        if complexity in joins and len(list(tree.find_all(exp.Join))) not in joins[complexity]:
            problems.append(f"{item.id} has the joins of another class than {complexity}: {item.golds[0]}")
    assert problems == []


def test_every_read_returns_something_that_can_be_wrong() -> None:
    problems = []
    for item in READS:
        rows = sqlite_rows(item, item.golds[0])
        if not 0 < len(rows) <= MOST_ROWS or all(cell is None for row in rows for cell in row):
            problems.append(f"{item.id} returns {len(rows)} rows: {item.golds[0]}")
    assert problems == []


def test_reads_agree_between_sqlite_and_duckdb() -> None:
    problems = []
    for item in READS:
        ours, (theirs,) = sqlite_rows(item, item.golds[0]), duckdb_rows(item, item.golds[0])
        pairs = zip(ours, theirs, strict=False) if orders_result(item.golds[0], "sqlite") else ()
        if not same_bag(ours, theirs) or not all(same_bag([left], [right]) for left, right in pairs):
            problems.append(f"{item.id}: {item.golds[0]} {ours[:3]} in SQLite, {theirs[:3]} in DuckDB")
    assert problems == []


def test_reads_do_not_depend_on_the_order_of_a_scan() -> None:
    problems = []
    for item in READS:
        there, back = sqlite_rows(item, item.golds[0]), sqlite_rows(item, item.golds[0], reverse=1)
        if not (there == back if orders_result(item.golds[0], "sqlite") else same_bag(there, back)):
            problems.append(f"{item.id}: {item.golds[0]} {there[:3]}, then {back[:3]}")
    assert problems == []


def test_what_a_read_filters_by_is_needed() -> None:
    """Without its outermost WHERE nearly no gold has the same rows; what is left are chance ties of a maximum."""
    filtered, idle = 0, []
    for item in READS:
        tree = parse(item.golds[0], "sqlite")
        if isinstance(tree, exp.Select) and tree.args.get("where"):
            filtered += 1
            tree.set("where", None)
            if same_bag(sqlite_rows(item, item.golds[0]), sqlite_rows(item, tree.sql("sqlite"))):
                idle.append(item.golds[0])
    assert filtered > SIZE / 4
    assert len(idle) <= filtered / 100, idle


def contents(connection: apsw.Connection) -> list[object]:
    """The schema and the rows of everything that a database holds."""
    objects = connection.execute("SELECT type, name, sql FROM sqlite_schema ORDER BY type, name").fetchall()
    stored = [name for kind, name, _ in objects if kind in ("table", "view")]
    return [objects, *(connection.execute(f"SELECT * FROM {name}").fetchall() for name in stored)]


def test_every_write_changes_something_and_agrees_between_sqlite_and_duckdb() -> None:
    problems = []
    for item in WRITES:
        (gold,), connection = item.golds, fresh_sqlite(item.schema_sql)
        before = contents(connection)
        connection.execute(gold).fetchall()
        if contents(connection) == before:
            problems.append(f"{item.id} changes nothing: {gold}")
        stored = connection.execute("SELECT name FROM sqlite_schema WHERE type IN ('table', 'view')").fetchall()
        selects = [f"SELECT * FROM {name}" for (name,) in stored]
        ours = [connection.execute(sql).fetchall() for sql in selects]
        theirs = duckdb_rows(item, gold, *selects)[1:]
        problems += [
            f"{item.id}: {gold} {sql} gives {left[:3]} in SQLite, {right[:3]} in DuckDB"
            for sql, left, right in zip(selects, ours, theirs, strict=True)
            if not same_bag(left, right)
        ]
    assert problems == []


def test_no_write_empties_a_table_or_touches_all_its_rows() -> None:
    """A blanket write would then be as good as the one that was asked for."""
    problems = []
    for item in WRITES:
        tree = parse(item.golds[0], "sqlite")
        if not isinstance(tree, (exp.Delete, exp.Update)):
            continue
        table, where = tree.this.name, tree.args["where"].this.sql("sqlite")
        ((kept, every),) = sqlite_rows(item, f"SELECT count(*) FILTER (WHERE {where}), count(*) FROM {table}")
        if not 0 < int(str(kept)) < int(str(every)):
            problems.append(f"{item.id} touches {kept} of {every} rows: {item.golds[0]}")
    assert problems == []


@pytest.mark.parametrize(
    ("column", "message"),
    [
        ("{key: 1, colour: red}", "colour"),
        ("{key: 1, pool: [a, b]}", r"\['key', 'category'\]"),
        ("{to: nowhere}", "t.c refers to nowhere"),
        ("{pool: [a, b]}", "t has no key"),
    ],
)
def test_a_broken_part_is_named(tmp_path: Path, column: str, message: str) -> None:
    path = tmp_path / "broken.yaml"
    tables = f"{{t: {{one: thing, columns: {{c: {column}}}}}}}"
    path.write_text(f"- {{domain: d, about: a, scenes: [For us], tables: {tables}}}")
    with pytest.raises(DatasetError, match=message):
        list(read_parts(path))
