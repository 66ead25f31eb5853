"""Statements that write, compared by the whole database that they leave."""

from __future__ import annotations

import apsw
import pytest

from benchmark.sqlengine.sandbox.sqlite_state import read_state
from benchmark.sqlengine.state import State, states_agree

BASE = """
CREATE TABLE parts (id INTEGER PRIMARY KEY, name VARCHAR(20), price REAL, stock INT);
INSERT INTO parts VALUES (1, 'bolt', 0.25, 100), (2, 'nut', 0.25, 80), (3, 'gear', 12.5, 3);
CREATE TABLE orders (part INT, amount INT);
INSERT INTO orders VALUES (1, 5), (1, 5), (3, 1);
"""


def state(*scripts: str) -> State:
    connection = apsw.Connection(":memory:")
    for script in scripts:
        connection.execute(script).fetchall()
    return read_state(connection)


def agree(gold: str, pred: str, base: str = BASE) -> bool:
    """Whether two scripts leave the same database; the relation has no direction."""
    left, right = state(base, gold), state(base, pred)
    assert states_agree(left, left)
    assert states_agree(right, right)
    forward = states_agree(left, right)
    assert states_agree(right, left) == forward
    return forward


@pytest.mark.parametrize(
    ("gold", "pred"),
    [
        ("DELETE FROM parts WHERE id = 3", "DELETE FROM parts WHERE name = 'gear'"),
        ("INSERT INTO parts VALUES (4, 'pin', 1, 7)", "INSERT INTO parts (stock, name, price) VALUES (7, 'pin', 1.0)"),
        ("UPDATE parts SET price = price * 1.1 WHERE id = 3", "UPDATE parts SET price = 13.75 WHERE id = 3"),
        ("INSERT INTO orders VALUES (7, 1), (8, 1)", "INSERT INTO orders VALUES (8, 1), (7, 1)"),
        ("DELETE FROM orders", "DELETE FROM orders WHERE amount > 0"),
        ("UPDATE parts SET stock = stock", "DELETE FROM parts WHERE 0"),
    ],
)
def test_the_same_rows_by_other_means(gold: str, pred: str) -> None:
    assert agree(gold, pred)


@pytest.mark.parametrize(
    ("gold", "pred"),
    [
        ("DELETE FROM parts WHERE id = 3", "DELETE FROM parts"),
        ("DELETE FROM parts WHERE id = 3", "DELETE FROM parts WHERE 0"),
        ("DELETE FROM parts", "DROP TABLE parts"),
        ("UPDATE parts SET stock = 0 WHERE id = 1", "UPDATE parts SET stock = 0 WHERE id = 2"),
        ("UPDATE parts SET stock = 0 WHERE id = 1", "UPDATE parts SET stock = NULL WHERE id = 1"),
        ("UPDATE parts SET name = '7' WHERE id = 1", "UPDATE parts SET name = x'37' WHERE id = 1"),
        ("UPDATE parts SET price = 13.75 WHERE id = 3", "UPDATE parts SET price = 13.76 WHERE id = 3"),
        ("INSERT INTO orders VALUES (7, 1)", "INSERT INTO orders VALUES (7, 1), (7, 1)"),
        ("INSERT INTO orders VALUES (7, 1)", "INSERT INTO orders VALUES (1, 7)"),
        ("DELETE FROM orders WHERE part = 1", "DELETE FROM orders WHERE part = 1; DELETE FROM parts WHERE id = 1"),
    ],
)
def test_other_rows_are_different(gold: str, pred: str) -> None:
    assert not agree(gold, pred)


def test_values_that_change_columns_are_different() -> None:
    """The bag of a permuted table is the same; columns of a table have names, so they must not trade places."""
    base = "CREATE TABLE t (a INT, b INT, c TEXT); INSERT INTO t VALUES (1, 2, 'x'), (3, 4, 'y')"
    assert not agree("UPDATE t SET c = c", "UPDATE t SET a = b, b = a", base)
    assert not agree("INSERT INTO t VALUES (5, 6, 'z')", "INSERT INTO t VALUES (6, 5, 'z')", base)


def test_the_order_of_columns_is_ignored() -> None:
    assert agree(
        "CREATE TABLE t (a INT, b TEXT); INSERT INTO t VALUES (1, 'x'), (2, 'y')",
        "CREATE TABLE T (B TEXT, A INT); INSERT INTO t VALUES ('y', 2), ('x', 1)",
    )
    assert not agree("CREATE TABLE t (a INT, b TEXT)", "CREATE TABLE t (a INT, b TEXT, c TEXT)")
    assert not agree("CREATE TABLE t (a INT, b TEXT)", "CREATE TABLE t (a INT, c TEXT)")


@pytest.mark.parametrize(
    ("gold", "pred", "same"),
    [
        ("INT", "BIGINT", True),
        ("VARCHAR(20)", "TEXT", True),
        ("CHAR(5)", "CLOB", True),
        ("FLOAT", "DOUBLE PRECISION", True),
        ("DECIMAL(9,2)", "NUMERIC", True),
        ("DATE", "BOOLEAN", True),  # both are NUMERIC to SQLite
        ("", "BLOB", True),
        ("INT", "TEXT", False),
        ("REAL", "DECIMAL(9,2)", False),
        ("INT", "REAL", False),
        ("TEXT", "", False),
        ("FLOATING POINT", "INT", True),  # 'POINT' holds 'INT': the rule is SQLite's own
    ],
)
def test_types_are_compared_by_affinity(gold: str, pred: str, same: bool) -> None:
    assert agree(f"CREATE TABLE t (a {gold})", f"CREATE TABLE t (a {pred})") is same


@pytest.mark.parametrize(
    ("gold", "pred", "same"),
    [
        ("a INT NOT NULL", "a INT", False),
        ("a INT NOT NULL", "A integer not null", True),
        ("a INT DEFAULT 1", "a INT", False),
        ("a INT DEFAULT 1", "a INT DEFAULT 2", False),
        ("a INT PRIMARY KEY", "a INT", False),
        ("a INTEGER PRIMARY KEY", "a INTEGER UNIQUE", False),
        ("a INT, b INT, PRIMARY KEY (a, b)", "a INT, b INT, PRIMARY KEY (b, a)", False),
        ("a INT UNIQUE", "a INT", False),
        ("a INT UNIQUE", "a INT, UNIQUE (a)", True),
        ("a INT CHECK (a > 0)", "a INT", False),
        ("a INT CHECK (a > 0)", "a INT CHECK (a >= 0)", False),
        ("a INT CHECK (a > 0)", "a INT, CHECK (A > 0)", True),
        ("a INT CHECK (a > 0)", "a INT, CONSTRAINT positive CHECK (a>0)", True),
        ("a TEXT CHECK (a IN ('x', 'y'))", "a TEXT CHECK (a IN ('x', 'Y'))", False),
        ("a INT REFERENCES parts (id)", "a INT", False),
        ("a INT REFERENCES parts (id)", "a INT, FOREIGN KEY (A) REFERENCES Parts (ID)", True),
        ("a INT REFERENCES parts (id)", "a INT REFERENCES orders (part)", False),
        ("a INT REFERENCES parts (id)", "a INT REFERENCES parts (id) ON DELETE CASCADE", False),
        ("a INT, b INT AS (a + 1)", "a INT, b INT", False),
    ],
)
def test_constraints(gold: str, pred: str, same: bool) -> None:
    assert agree(f"CREATE TABLE t ({gold})", f"CREATE TABLE t ({pred})") is same


@pytest.mark.parametrize(
    ("gold", "pred", "same"),
    [
        ("CREATE INDEX i ON parts (name)", "CREATE INDEX other ON Parts (NAME)", True),
        ("CREATE INDEX i ON parts (name)", "CREATE INDEX IF NOT EXISTS i ON parts (name)", True),
        ("CREATE INDEX i ON parts (name)", "CREATE INDEX i ON parts (price)", False),
        ("CREATE INDEX i ON parts (name, price)", "CREATE INDEX i ON parts (price, name)", False),
        ("CREATE INDEX i ON parts (name)", "CREATE INDEX i ON parts (name DESC)", False),
        ("CREATE INDEX i ON parts (name)", "CREATE INDEX i ON parts (name COLLATE NOCASE)", False),
        ("CREATE INDEX i ON parts (name)", "CREATE UNIQUE INDEX i ON parts (name)", False),
        ("CREATE INDEX i ON parts (name)", "SELECT 1", False),
        ("CREATE INDEX i ON parts (name) WHERE stock > 1", "CREATE INDEX i ON parts (name)", False),
        ("CREATE INDEX i ON parts (name)\nWHERE stock > 1", "CREATE INDEX i ON parts (name)", False),
        ("CREATE INDEX i ON parts (name)\nWHERE stock>1", "create index j on PARTS (Name) where STOCK > 1", True),
        (
            "CREATE INDEX i ON parts (id) WHERE name = 'bolt'",
            "CREATE INDEX i ON parts (id) WHERE name = 'BOLT'",
            False,
        ),
        ("CREATE INDEX i ON parts (lower(name))", "CREATE INDEX j ON parts (LOWER(name))", True),
        ("CREATE INDEX i ON parts (lower(name))", "CREATE INDEX i ON parts (upper(name))", False),
        ("CREATE INDEX i ON parts (stock + 1)", "CREATE INDEX i ON parts (stock + 2)", False),
    ],
)
def test_indexes(gold: str, pred: str, same: bool) -> None:
    assert agree(gold, pred) is same


@pytest.mark.parametrize(
    ("gold", "pred", "same"),
    [
        ("SELECT name FROM parts WHERE price < 1", "SELECT name FROM parts WHERE id IN (1, 2)", True),
        ("SELECT name AS a, price FROM parts", "SELECT name AS b, price FROM parts ORDER BY id DESC", True),
        ("SELECT name FROM parts WHERE price < 1", "SELECT name FROM parts", False),
        ("SELECT name FROM parts", "SELECT name, price FROM parts", False),
        ("SELECT name FROM parts", "SELECT * FROM nowhere", False),
    ],
)
def test_views_are_compared_by_what_they_return(gold: str, pred: str, same: bool) -> None:
    assert agree(f"CREATE VIEW v AS {gold}", f"CREATE VIEW v AS {pred}") is same


def test_views_have_names_and_can_be_dropped() -> None:
    assert not agree("CREATE VIEW v AS SELECT 1", "CREATE VIEW w AS SELECT 1")
    assert agree("CREATE VIEW v AS SELECT 1", "CREATE VIEW V AS SELECT 1")
    base = f"{BASE} CREATE VIEW v AS SELECT name FROM parts;"
    assert not agree("DROP VIEW v", "SELECT 1", base)
    assert not agree("DROP TABLE parts", "SELECT 1", base)
    assert agree("DROP TABLE parts", "DROP TABLE IF EXISTS parts", base)


def test_dropped_tables() -> None:
    assert agree("DROP TABLE orders", "DROP TABLE IF EXISTS Orders")
    assert not agree("DROP TABLE orders", "DROP TABLE parts")
    assert not agree("DROP TABLE orders", "SELECT 1")
    assert not agree("ALTER TABLE orders RENAME TO sales", "SELECT 1")
    assert agree(
        "ALTER TABLE orders RENAME TO sales",
        "CREATE TABLE sales (part INT, amount INT); INSERT INTO sales SELECT * FROM orders; DROP TABLE orders",
    )


def test_added_and_dropped_columns() -> None:
    assert agree("ALTER TABLE orders ADD COLUMN note TEXT", "ALTER TABLE orders ADD note VARCHAR(100)")
    assert not agree("ALTER TABLE orders ADD COLUMN note TEXT", "ALTER TABLE orders ADD COLUMN note TEXT DEFAULT 'x'")
    assert not agree("ALTER TABLE orders DROP COLUMN amount", "ALTER TABLE orders DROP COLUMN part")


def test_triggers() -> None:
    body = "AFTER INSERT ON orders BEGIN UPDATE parts SET stock = stock - new.amount WHERE id = new.part; END"
    assert agree(f"CREATE TRIGGER t {body}", f"create trigger t  {body} -- the same")
    assert not agree(f"CREATE TRIGGER t {body}", f"CREATE TRIGGER t {body.replace('-', '+')}")
    assert not agree(f"CREATE TRIGGER t {body}", "SELECT 1")


def test_odd_names() -> None:
    base = 'CREATE TABLE "a ""b""" ("select" INT, "x y" TEXT); INSERT INTO "a ""b""" VALUES (1, \'q\')'
    change = 'UPDATE "a ""b""" SET "x y" = \'{}\''
    assert agree(change.format("r"), change.format("r"), base)
    assert not agree(change.format("r"), change.format("s"), base)
