"""The curation rules of the embedded test split: each of its 240 items is checked, and every problem is listed.

A benchmark is worth what its golds are worth. The rules: a gold runs in two engines with the same rows, its answer
depends on each of its conditions and on nothing that the question leaves open, and no lazy answer equals it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import date, time
from decimal import Decimal
from functools import cache
from typing import Any

import apsw
import duckdb
import pytest
from sqlglot import exp

from benchmark.datasets.builtin import TEST_FILE, load_builtin
from benchmark.rows import read_rows
from benchmark.sqlengine.parse import orders_result, parse
from benchmark.sqlengine.pool import Pool
from benchmark.sqlengine.protocol import Database, Job
from benchmark.sqlengine.results import Cell, Row, Table, compare_default, same_bag
from benchmark.sqlengine.sandbox.sqlite_state import read_state
from benchmark.sqlengine.state import State, states_agree
from benchmark.types import Example

COMPLEXITIES = {
    "basic SQL",
    "aggregation",
    "single join",
    "multiple_joins",
    "subqueries",
    "window functions",
    "set operations",
    "CTEs",
}
READING = {"data retrieval", "analytics and reporting"}
WRITING = {"data manipulation", "data definition"}
MOST_ROWS = 25

ROWS = read_rows(TEST_FILE)
ITEMS = load_builtin("", "test").examples
READS = [item for item in ITEMS if item.task == "read"]
WRITES = [item for item in ITEMS if item.task == "write"]


def gold(item: Example) -> str:
    return item.golds[0]


def tree(item: Example) -> exp.Expr:
    found = parse(gold(item), "sqlite")
    assert found is not None, f"item {item.id} does not parse"
    return found


def sqlite(item: Example, **pragmas: int) -> apsw.Connection:
    """A fresh database with the item's rows; foreign keys hold, unless told otherwise."""
    connection = apsw.Connection(":memory:")
    connection.execute(item.schema_sql).fetchall()
    for name, value in {"foreign_keys": 1, **pragmas}.items():
        connection.pragma(name, value)
    return connection


@cache
def shared_sqlite(schema_sql: str, reverse: int) -> apsw.Connection:
    connection = apsw.Connection(":memory:")
    connection.execute(schema_sql).fetchall()
    connection.pragma("query_only", 1)
    connection.pragma("reverse_unordered_selects", reverse)
    return connection


def query(item: Example, sql: str, *, reverse: bool = False) -> Table:
    cursor = shared_sqlite(item.schema_sql, int(reverse)).execute(sql)
    try:
        width = len(cursor.get_description())
    except apsw.ExecutionCompleteError:  # no rows
        width = 0
    return Table(width, cursor.fetchall())


def in_duckdb(item: Example, *statements: str) -> list[list[Row]]:
    """The rows of each statement, with DuckDB's types as SQLite has them; the database is as before afterwards."""
    connection = shared_duckdb(item.schema_sql)
    connection.execute("BEGIN")
    try:
        return [[tuple(map(plain, row)) for row in connection.execute(sql).fetchall()] for sql in statements]
    finally:
        connection.execute("ROLLBACK")


@cache
def shared_duckdb(schema_sql: str) -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect(":memory:", config={"threads": 1})
    connection.execute(schema_sql)
    return connection


def plain(cell: Any) -> Cell:
    if isinstance(cell, bool):
        return int(cell)
    if isinstance(cell, Decimal):
        return float(cell)
    if isinstance(cell, (date, time)):
        return str(cell)
    assert cell is None or isinstance(cell, (int, float, str, bytes)), f"a DuckDB {type(cell).__name__}"
    return cell


def tables(item: Example) -> list[str]:
    objects = shared_sqlite(item.schema_sql, 0).execute("SELECT name FROM sqlite_schema WHERE type = 'table'")
    return [str(name) for (name,) in objects]


def without_one_condition(item: Example) -> Iterator[tuple[str, str]]:
    """Each condition (an AND part of a WHERE or HAVING, wherever it stands), and the gold without it."""
    whole = tree(item)
    clauses = len(list(whole.find_all(exp.Where, exp.Having)))
    for clause in range(clauses):
        for part in range(len(conditions(list(whole.find_all(exp.Where, exp.Having))[clause]))):
            copy = whole.copy()
            node = list(copy.find_all(exp.Where, exp.Having))[clause]
            parts = conditions(node)
            dropped = parts.pop(part).sql("sqlite")
            if parts:
                node.set("this", exp.and_(*parts))
            else:
                node.pop()
            yield dropped, copy.sql("sqlite")


def conditions(clause: exp.Expr) -> list[exp.Expr]:
    return list(clause.this.flatten()) if isinstance(clause.this, exp.And) else [clause.this]


def without_conditions(item: Example) -> str:
    """The gold with none of its outermost conditions: what somebody who read half the question would write."""
    copy = tree(item).copy()
    copy.set("where", None)
    return copy.sql("sqlite")


def without_modifiers(item: Example) -> Iterator[tuple[str, str]]:
    for key in ("distinct", "limit"):
        copy = tree(item).copy()
        selects = [select for select in copy.find_all(exp.Select) if select.args.get(key)]
        for select in selects:
            select.set(key, None)
        if selects:
            yield key.upper(), copy.sql("sqlite")
    copy = tree(item).copy()
    if isinstance(copy, exp.Union) and copy.args.get("distinct"):
        copy.set("distinct", False)
        yield "UNION's removal of duplicates", copy.sql("sqlite")


def state(item: Example, sql: str, **pragmas: int) -> State:
    connection = sqlite(item, **pragmas)
    connection.execute(sql).fetchall()
    return read_state(connection)


def test_composition() -> None:
    """240 items over 24 domains, ten each, and every complexity class in every domain."""
    assert len(ROWS) == len(ITEMS) == 240
    domains = Counter(row["domain"] for row in ROWS)
    assert len(domains) >= 24
    assert set(domains.values()) == {10}
    seen = {(row["domain"], row["sql_complexity"]) for row in ROWS}
    assert seen == {(domain, complexity) for domain in domains for complexity in COMPLEXITIES}
    types = Counter(row["sql_task_type"] for row in ROWS)
    assert set(types) == READING | WRITING
    assert min(types.values()) >= 10
    assert {"read": len(READS), "write": len(WRITES)} == {"read": 204, "write": 36}


def test_no_column_is_empty_and_nothing_occurs_twice() -> None:
    assert [row["id"] for row in ROWS if not all(row.values())] == []
    assert len({frozenset(row) for row in ROWS}) == 1
    assert len({" ".join(item.question.casefold().split()) for item in ITEMS}) == 240
    assert len({item.id for item in ITEMS}) == 240
    assert len({(item.schema_sql, gold(item)) for item in ITEMS}) == 240


def test_each_domain_has_one_schema_of_three_tables_or_more() -> None:
    schemas = {(item.group, item.schema_sql) for item in ITEMS}
    assert len(schemas) == len({item.group for item in ITEMS})
    assert [item.id for item in ITEMS if len(tables(item)) < 3] == []


def test_a_gold_is_one_statement_of_its_task_type() -> None:
    types = {str(row["id"]): row["sql_task_type"] for row in ROWS}
    problems = [item.id for item in ITEMS if not gold(item).endswith(";") or gold(item).count(";") != 1]
    problems += [item.id for item in ITEMS if isinstance(tree(item), exp.Query) != (types[item.id] in READING)]
    problems += [item.id for item in ITEMS if (item.task == "read") != (types[item.id] in READING)]
    assert problems == []


def test_every_read_returns_something_that_can_be_wrong() -> None:
    problems = []
    for item in READS:
        rows = query(item, gold(item)).rows
        if not 0 < len(rows) <= MOST_ROWS or all(cell is None for row in rows for cell in row):
            problems.append(f"item {item.id} returns {len(rows)} rows: {rows[:2]}")
    assert problems == []


def test_reads_agree_between_sqlite_and_duckdb() -> None:
    problems = []
    for item in READS:
        ours, (theirs,) = query(item, gold(item)).rows, in_duckdb(item, gold(item))
        pairs = zip(ours, theirs, strict=False) if orders_result(gold(item), "sqlite") else ()
        if not same_bag(ours, theirs) or not all(same_bag([left], [right]) for left, right in pairs):
            problems.append(f"item {item.id}: {ours[:3]} in SQLite, {theirs[:3]} in DuckDB")
    assert problems == []


def test_reads_do_not_depend_on_the_order_of_a_scan() -> None:
    """Ties at a LIMIT, or in a window, would let the engine choose the answer."""
    problems = []
    for item in READS:
        there, back = query(item, gold(item)).rows, query(item, gold(item), reverse=True).rows
        if not (there == back if orders_result(gold(item), "sqlite") else same_bag(there, back)):
            problems.append(f"item {item.id}: {there[:3]}, then {back[:3]}")
    assert problems == []


def test_every_condition_of_a_read_is_needed() -> None:
    """In any column order: an answer that ignores a part of the question must be scored as wrong."""
    problems, tried = [], 0
    for item in READS:
        expected = query(item, gold(item))
        for dropped, sql in (*without_one_condition(item), *without_modifiers(item)):
            tried += 1
            try:
                found = query(item, sql)
            except apsw.SQLError:  # without it the query is none
                continue
            if compare_default(expected, found, None):
                problems.append(f"item {item.id} returns the same without {dropped}")
    assert problems == []
    assert tried > 250


def test_no_read_is_answered_by_a_whole_table_or_its_count() -> None:
    problems = []
    for item in READS:
        expected = query(item, gold(item))
        lazy = [f"SELECT {what} FROM {table}" for table in tables(item) for what in ("*", "count(*)")]
        problems += [f"item {item.id}: {sql}" for sql in lazy if compare_default(expected, query(item, sql), None)]
    assert problems == []


def test_writes_agree_between_sqlite_and_duckdb() -> None:
    problems = []
    for item in WRITES:
        connection = sqlite(item)
        connection.execute(gold(item)).fetchall()
        views = "SELECT name FROM sqlite_schema WHERE type IN ('table', 'view')"
        selects = [f"SELECT * FROM {name}" for (name,) in connection.execute(views).fetchall()]
        ours = [connection.execute(sql).fetchall() for sql in selects]
        theirs = in_duckdb(item, gold(item), *selects)[1:]
        problems += [
            f"item {item.id}: {sql} gives {left[:3]} in SQLite, {right[:3]} in DuckDB"
            for sql, left, right in zip(selects, ours, theirs, strict=True)
            if not same_bag(left, right)
        ]
    assert problems == []


def test_writes_do_not_depend_on_scan_order_or_on_foreign_keys() -> None:
    """The sandbox runs SQLite as it comes, without foreign keys: no gold may need a cascade."""
    problems = []
    for item in WRITES:
        expected = state(item, gold(item))
        for pragma in ({"reverse_unordered_selects": 1}, {"foreign_keys": 0}):
            if not states_agree(expected, state(item, gold(item), **pragma)):
                problems.append(f"item {item.id} leaves another state under {pragma}")
    assert problems == []


@pytest.fixture(scope="module")
def pool() -> Iterator[Pool]:
    with Pool() as pool:
        yield pool


def test_no_blanket_write_equals_a_gold(pool: Pool) -> None:
    """As it would be scored: doing nothing, emptying a table, or ignoring conditions is wrong, the gold is right."""
    jobs, lazy = [], {}
    for item in WRITES:
        lazy[item.id] = [f"DELETE FROM {table} WHERE 0" for table in tables(item)[:1]]
        lazy[item.id] += [f"DELETE FROM {table}" for table in tables(item)]
        if not isinstance(tree(item), exp.Drop):
            lazy[item.id] += [f"DROP TABLE {table}" for table in tables(item)]
        lazy[item.id] += [sql for _, sql in without_one_condition(item)]
        if tree(item).args.get("where"):
            lazy[item.id].append(without_conditions(item))
        predictions = [gold(item), *lazy[item.id]]
        jobs.append(Job(item.id, "sqlite", "write", Database(item.schema_sql), [gold(item)], predictions))
    problems = []
    for reply in pool.run(jobs):
        first, *others = reply.predictions
        if not first.agrees:
            problems.append(f"item {reply.key} is not equal to itself: {first}")
        for sql, outcome in zip(lazy[reply.key], others, strict=True):
            if outcome.agrees:
                problems.append(f"item {reply.key} has the same effect as: {sql}")
    assert problems == []


def test_every_read_is_right_by_its_own_gold_and_only_by_it(pool: Pool) -> None:
    """As it would be scored: the gold agrees, and the gold of the next item does not."""
    following = dict(zip([item.id for item in READS], [*READS[1:], READS[0]], strict=True))
    jobs = [
        Job(item.id, "sqlite", "read", Database(item.schema_sql), [gold(item)], [gold(item), gold(following[item.id])])
        for item in READS
    ]
    replies = list(pool.run(jobs))
    assert [reply.key for reply in replies if not reply.predictions[0].agrees] == []
    assert [reply.key for reply in replies if reply.predictions[1].agrees] == []
