"""Parsing: what counts as one statement, and that no text makes sqlglot's failures ours."""

from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from sqlglot import exp

from benchmark.sqlengine.parse import (
    MAX_SQL_CHARS,
    check_constraints,
    folded_tokens,
    order_keys,
    orders_result,
    parse,
)


@pytest.mark.parametrize(
    ("sql", "kind"),
    [
        ("SELECT 1", exp.Select),
        ("select a from t;", exp.Select),
        ("SELECT a FROM t; -- done", exp.Select),
        ("VALUES (1), (2)", exp.Values),
        ("(SELECT a FROM t)", exp.Subquery),
        ("SELECT a FROM t UNION ALL SELECT b FROM u", exp.Union),
        ("SELECT a FROM t EXCEPT SELECT b FROM u", exp.Except),
        ("WITH c AS (SELECT 1) SELECT * FROM c", exp.Select),
        ("INSERT INTO t VALUES (1)", exp.Insert),
        ("UPDATE t SET a = 1", exp.Update),
        ("DELETE FROM t", exp.Delete),
        ("CREATE TABLE t (a INT)", exp.Create),
        ("CREATE VIEW v AS SELECT 1", exp.Create),
        ("DROP TABLE t", exp.Drop),
        ("ALTER TABLE t ADD COLUMN b INT", exp.Alter),
    ],
)
def test_one_statement_is_a_tree(sql: str, kind: type[exp.Expr]) -> None:
    assert isinstance(parse(sql, "sqlite"), kind)


@pytest.mark.parametrize(
    "sql",
    [
        "",
        " ;; ",
        "-- only a comment",
        "hello",
        "I think",
        "42",
        "The answer is SELECT a FROM t",
        "SELECT 1; SELECT 2",
        "SELECT a FROM t; DROP TABLE t",
        "SELECT FROM WHERE",
        "SELECT (1",
        "SELECT 'abc",
        'SELECT "abc',
        "PRAGMA table_info(t)",
        "ATTACH 'x' AS y",
        "\0",
        "SELECT '\ud800",
    ],
)
def test_what_is_no_single_statement_is_none(sql: str) -> None:
    assert parse(sql, "sqlite") is None


@pytest.mark.parametrize("dialect", ["sqlite", "duckdb"])
@pytest.mark.parametrize(
    "sql",
    [
        f"SELECT {'(' * 3000}1{')' * 3000}",
        f"SELECT {'(' * 60}1{')' * 60}",
        "SELECT " + "NOT " * 5000 + "1",
        "SELECT " + "CASE WHEN 1 THEN " * 2000,
        "SELECT a FROM " + "(SELECT a FROM " * 1000 + "t" + ")" * 1000,
        "(" * 50_000,
        "SELECT '" + "a" * MAX_SQL_CHARS + "'",
        "SELECT " + "-" * 50_000 + "1",
    ],
    ids=["3000 parentheses", "60 parentheses", "NOT", "CASE", "subqueries", "open", "long", "minus"],
)
def test_deep_and_long_texts_raise_nothing(sql: str, dialect: str) -> None:
    tree = parse(sql, dialect)
    assert tree is None or isinstance(tree, exp.Query)
    folded_tokens(sql, dialect)
    orders_result(sql, dialect)
    orders_result(f"{sql} ORDER BY 1", dialect)
    order_keys(f"{sql} ORDER BY 1", dialect)
    check_constraints(f"CREATE TABLE t (a INT CHECK ({sql}))", dialect)


def test_texts_beyond_the_limit_are_not_parsed() -> None:
    assert parse("SELECT 1" + " " * MAX_SQL_CHARS, "sqlite") is None
    assert folded_tokens("SELECT 1" + " " * MAX_SQL_CHARS, "sqlite") is None


PIECES = [
    "SELECT",
    "FROM",
    "WHERE",
    "ORDER BY",
    "(",
    ")",
    "'",
    '"',
    "`",
    ",",
    "*",
    "a",
    "1",
    ".",
    ";",
    "--",
    "/*",
    "\n",
]


@settings(max_examples=300, deadline=None)
@given(sql=st.one_of(st.text(max_size=60), st.lists(st.sampled_from(PIECES), max_size=25).map(" ".join)))
@example(sql="SELECT a FROM t ORDER BY")
@example(sql="'\\")
def test_no_text_raises(sql: str) -> None:
    parse(sql, "sqlite")
    folded_tokens(sql, "sqlite")
    orders_result(sql, "sqlite")
    order_keys(sql, "sqlite")
    check_constraints(sql, "sqlite")


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("select a from t", "SELECT\n  a\tFROM t ;", True),
        ("SELECT a /* why */ FROM t -- so", "SELECT a FROM t", True),
        ("SELECT count(*) FROM t", "SELECT count ( * ) FROM t", True),
        ("SELECT count(*) FROM t", "SELECT COUNT(*) FROM t", False),  # a function's name is a name
        ("SELECT a FROM t", "SELECT A FROM t", False),
        ("SELECT 'x y'", "SELECT 'x  y'", False),
        ("SELECT 'x'", "SELECT 'X'", False),
        ("SELECT 'x'", 'SELECT "x"', False),
        ("SELECT 1", "SELECT 1.0", False),
        ("SELECT a, b", "SELECT b, a", False),
        ("SELECT '-- no comment'", "SELECT ''", False),
    ],
)
def test_folded_tokens(one: str, other: str, same: bool) -> None:
    left, right = folded_tokens(one, "sqlite"), folded_tokens(other, "sqlite")
    assert left
    assert right
    assert (left == right) is same


def test_folded_tokens_of_a_torn_text() -> None:
    assert folded_tokens("SELECT 'abc", "sqlite") is None
    assert folded_tokens("", "sqlite") == ()


@pytest.mark.parametrize(
    ("sql", "ordered"),
    [
        ("SELECT a FROM t ORDER BY a", True),
        ("select a from t order\n by a limit 3", True),
        ("SELECT a FROM t UNION SELECT b FROM u ORDER BY 1", True),
        ("WITH c AS (SELECT a FROM t) SELECT a FROM c ORDER BY a", True),
        ("(SELECT a FROM t ORDER BY a)", True),
        ("SELECT a FROM t", False),
        ("SELECT a FROM (SELECT a FROM t ORDER BY a) AS s", False),
        ("WITH c AS (SELECT a FROM t ORDER BY a) SELECT a FROM c", False),
        ("SELECT a, ROW_NUMBER() OVER (ORDER BY a) FROM t", False),
        ("SELECT a FROM t WHERE b IN (SELECT b FROM u ORDER BY b LIMIT 1)", False),
        ("SELECT 'ORDER BY a' FROM t -- ORDER BY a", False),
        ("SELECT a FROM orders", False),
        ("not SQL, order by nothing", False),
    ],
)
def test_orders_result(sql: str, ordered: bool) -> None:
    assert orders_result(sql, "sqlite") is ordered


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("SELECT a FROM t ORDER BY b", "SELECT a, b AS _order_key_0 FROM t ORDER BY b"),
        ("SELECT a FROM t ORDER BY b DESC, c + 1 LIMIT 2", "b AS _order_key_0, c + 1 AS _order_key_1 FROM"),
        ("SELECT a, b + 1 AS s FROM t ORDER BY s", "b + 1 AS _order_key_0"),
        ("SELECT a, b + 1 FROM t ORDER BY 2", "b + 1 AS _order_key_0"),
        ("SELECT UPPER(a) AS a FROM t ORDER BY a", "UPPER(a) AS _order_key_0"),
        ("SELECT UPPER(a) AS a FROM t ORDER BY t.a", "t.a AS _order_key_0"),
        ("SELECT * FROM t ORDER BY b", "SELECT *, b AS _order_key_0"),
        ("SELECT a FROM t UNION SELECT b FROM u ORDER BY a", 'SELECT *, "a" FROM (SELECT a FROM t UNION SELECT b'),
        ("SELECT a FROM t UNION SELECT b FROM u ORDER BY 1", 'SELECT *, "a" FROM ('),
    ],
)
def test_order_keys(sql: str, expected: str) -> None:
    keys = order_keys(sql, "sqlite")
    assert keys is not None
    assert expected in keys.sql("sqlite")


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT a FROM t",
        "SELECT * FROM t ORDER BY 2",
        "SELECT t.*, b FROM t ORDER BY 2",
        "SELECT a FROM t UNION SELECT b FROM u ORDER BY b",
        "SELECT * FROM t UNION SELECT * FROM u ORDER BY 1",
        "SELECT a, a FROM t UNION SELECT b, b FROM u ORDER BY 1",
        "SELECT a FROM t UNION SELECT b FROM u ORDER BY a + 1",
        "DELETE FROM t",
        "nothing to order by",
    ],
)
def test_order_keys_that_cannot_be_told(sql: str) -> None:
    assert order_keys(sql, "sqlite") is None


@pytest.mark.parametrize(
    ("create", "checks"),
    [
        ("CREATE TABLE t (a INT)", ()),
        ("CREATE TABLE t (check_date DATE)", ()),
        ("CREATE TABLE t (B INT CHECK (B>0), a INT, CHECK (A < b))", ("a < b", "b > 0")),
        ("CREATE TABLE t (a TEXT, CONSTRAINT c CHECK (a IN ('X', 'y')))", ("a IN ('X', 'y')",)),
        ('CREATE TABLE t ("A" INT CHECK ("A" > 0))', ("a > 0",)),
    ],
)
def test_check_constraints(create: str, checks: tuple[str, ...]) -> None:
    assert check_constraints(create, "sqlite") == checks
