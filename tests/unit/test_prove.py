"""Proofs: what the traps, the policies and published pairs of queries say about them."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest
from equivalence_pairs import pairs

from benchmark.extract import extract
from benchmark.sqlengine.prove import prove

TRAPS = [json.loads(line) for line in (Path(__file__).parents[1] / "golden/traps.jsonl").read_text().splitlines()]
SCHEMA = """
CREATE TABLE dept (id INTEGER PRIMARY KEY, name TEXT NOT NULL, city TEXT);
CREATE TABLE emp (id INTEGER PRIMARY KEY, name TEXT NOT NULL, age INTEGER NOT NULL, salary REAL, city TEXT,
                  dept_id INTEGER REFERENCES dept(id));
"""


def proved(gold: str, prediction: str, policy: str = "default", dialect: str = "sqlite", schema: str = SCHEMA) -> bool:
    return prove(gold, prediction, dialect, schema, policy) is not None


def test_traps() -> None:
    """No pair that differs is proved, and of those that do not differ all but the window function are."""
    missed = []
    for trap in TRAPS:
        if trap["category"] == "attack":
            continue
        prediction = extract("trap", trap["pred"], "stop").sql or ""
        found = proved(trap["gold"], prediction, dialect=trap["dialect"], schema=trap["schema_sql"])
        if trap["expected"] != "equivalent":
            assert not found, trap["id"]
        elif not found:
            missed.append(trap["id"])
    assert missed == ["win-02"]


@pytest.mark.parametrize(
    ("gold", "prediction", "policies"),
    [
        ("SELECT name, age FROM emp", "SELECT age, name FROM emp", {"default", "subset", "spider"}),
        ("SELECT name FROM emp", "SELECT name FROM emp ORDER BY 1", {"default", "subset", "spider", "strict", "bird"}),
        ("SELECT name FROM emp ORDER BY age", "SELECT name FROM emp", {"bird"}),
        ("SELECT name FROM emp ORDER BY age", "SELECT name FROM emp ORDER BY age, id", {"default", "subset", "bird"}),
        ("SELECT name FROM emp ORDER BY age, id", "SELECT name FROM emp ORDER BY age", {"bird"}),
        ("SELECT DISTINCT city FROM emp", "SELECT city FROM emp", {"bird", "spider"}),
        ("SELECT age FROM emp", "SELECT age * 1.0 FROM emp", {"default", "subset"}),
        ("SELECT name FROM emp ORDER BY age", "select name from emp order by age asc", {"default", "subset", "bird"}),
        ("SELECT name FROM emp ORDER BY age", "select name  from emp order by age;",
         {"default", "subset", "bird", "strict", "spider"}),
    ],
)  # fmt: skip
def test_policies(gold: str, prediction: str, policies: set[str]) -> None:
    """A proof is one under the policy that compares the results."""
    every = ("default", "subset", "spider", "strict", "bird")
    assert {policy for policy in every if proved(gold, prediction, policy)} == policies


@pytest.mark.parametrize(
    ("gold", "prediction"),
    [
        ("SELECT RANDOM() FROM emp", "SELECT RANDOM() FROM emp"),
        ("SELECT name FROM emp GROUP BY ROLLUP (name, age)", "SELECT name FROM emp GROUP BY ROLLUP (name)"),
        ("SELECT (SELECT name FROM emp ORDER BY age)", "SELECT (SELECT name FROM emp ORDER BY id)"),
        ("SELECT name FROM emp LIMIT 1", "SELECT name FROM emp LIMIT 2"),
        ("SELECT name FROM (SELECT name, MAX(age) FROM emp GROUP BY city)", "SELECT name FROM emp GROUP BY city"),
        ("SELECT 1 FROM (SELECT COUNT(*) FROM emp)", "SELECT 1 FROM emp"),
        ("SELECT name FROM emp WHERE age + 0 = '5'", "SELECT name FROM emp WHERE age = '5'"),
        ("SELECT name FROM emp WHERE id NOT IN (SELECT dept_id FROM emp)",
         "SELECT name FROM emp e WHERE NOT EXISTS (SELECT 1 FROM emp f WHERE f.dept_id = e.id)"),
        ("DELETE FROM emp WHERE age > 5", "DELETE FROM emp WHERE age >= 5"),
        ("UPDATE emp SET age = 1", "UPDATE emp SET salary = 1"),
        ("CREATE VIEW v AS SELECT name FROM emp", "CREATE VIEW w AS SELECT name FROM emp"),
    ],
)  # fmt: skip
def test_no_proof(gold: str, prediction: str) -> None:
    assert not proved(gold, prediction)


@pytest.mark.parametrize(
    ("gold", "prediction"),
    [
        ("DELETE FROM emp WHERE age > 5", "DELETE FROM emp WHERE NOT age <= 5"),
        ("UPDATE emp SET age = 1, city = 'x'", "UPDATE emp SET city = 'x', age = 1 WHERE 1 = 1"),
        ("INSERT INTO dept VALUES (1, 'a', 'b')", "INSERT INTO dept (city, id, name) VALUES ('b', 1, 'a')"),
        ("CREATE VIEW v AS SELECT name FROM emp", "create view V as select e.name from emp e"),
        ("CREATE TABLE t (a INTEGER)", "create table T (A INTEGER)"),
    ],
)
def test_statements_that_write(gold: str, prediction: str) -> None:
    assert proved(gold, prediction)


def test_sqlite_lets_null_into_primary_keys() -> None:
    """COUNT(id) is COUNT(*) only where the engine keeps NULL out of id."""
    count, rows = "SELECT COUNT(id) FROM t", "SELECT COUNT(*) FROM t"
    for column, sure in [("id INTEGER PRIMARY KEY", True), ("id INT PRIMARY KEY", False), ("id INT NOT NULL", True)]:
        assert proved(rows, count, schema=f"CREATE TABLE t ({column})") is sure
    assert proved(rows, count, dialect="duckdb", schema="CREATE TABLE t (id INT PRIMARY KEY)")
    assert proved(rows, count, schema="CREATE TABLE t (id TEXT PRIMARY KEY) WITHOUT ROWID")


def test_a_proof_says_how() -> None:
    found = prove("SELECT name FROM emp WHERE age BETWEEN 3 AND 5", "SELECT name FROM emp WHERE age >= 3 AND age < 6",
                  "sqlite", SCHEMA)  # fmt: skip
    assert found is not None
    assert {"between_as_bounds", "integer_bounds", "comparison_direction"} <= set(found.rules)
    assert '"age" <= 5' in found.form


def test_published_pairs(data_folder: Path) -> None:
    """VeriEQL's and SQLSolver's pairs: at least a quarter of the equivalent ones proved, none that differs."""
    counts: Counter[str] = Counter()
    for pair in pairs(data_folder / "equivalence"):
        label = pair.label.split("_")[0].split(" ")[0]
        if pair.gold is None or pair.prediction is None:
            counts[f"{label} unsupported"] += 1
            continue
        found = proved(pair.gold, pair.prediction, dialect=pair.dialect, schema=pair.schema_sql)
        assert not (found and label == "not"), pair.id
        counts[f"{label} {'proved' if found else 'unproved'}"] += 1
    equivalent = counts["equivalent proved"] + counts["equivalent unproved"] + counts["equivalent unsupported"]
    assert equivalent == 255
    assert counts["equivalent proved"] >= 130, counts
