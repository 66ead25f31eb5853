"""The search for a distinguishing database: what it finds is genuine and small; what is the same is never refuted."""

from __future__ import annotations

import json
import random
import sqlite3
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any

import duckdb
import pytest
from equivalence_pairs import Pair, pairs

from benchmark.extract import extract
from benchmark.sqlengine.pool import Pool
from benchmark.sqlengine.protocol import Counterexample, Database, Job, Limits, Outcome, Search
from benchmark.sqlengine.results import Table, compare_default
from benchmark.sqlengine.session import Databases, answer

GOLDEN = Path(__file__).parents[1] / "golden" / "traps.jsonl"
TRAPS = [json.loads(line) for line in GOLDEN.read_text().splitlines()]
STAFF = """CREATE TABLE dept (id INTEGER PRIMARY KEY, name TEXT NOT NULL);
CREATE TABLE emp (id INTEGER PRIMARY KEY, name TEXT NOT NULL, age INTEGER NOT NULL, pay REAL,
  dept INTEGER REFERENCES dept);
INSERT INTO dept VALUES (1, 'Sales'), (2, 'IT'), (3, 'Legal');
INSERT INTO emp VALUES (1, 'Cy', 31, 10, 1), (2, 'Abe', 45, 20, 1), (3, 'Bo', 28, 30, 2), (4, 'Di', 52, NULL, NULL);"""


def search(gold: str | list[str], prediction: str, schema: str = STAFF, **job: Any) -> Outcome:
    golds = gold if isinstance(gold, list) else [gold]
    settings = {"dialect": "sqlite", "task": "read", "search": Search(), **job}
    reply = answer(Job("1", database=Database(schema), golds=golds, predictions=[prediction], **settings), Databases())
    assert [one.status for one in reply.golds] == ["ok"] * len(golds), reply
    return reply.predictions[0]


def example(*args: Any, **job: Any) -> Counterexample:
    found = search(*args, **job).counterexample
    assert found is not None
    return found


def rows_of(script: str, sql: str) -> list[tuple[Any, ...]]:
    connection = sqlite3.connect(":memory:")
    connection.executescript(script)
    rows = connection.execute(sql).fetchall()
    connection.close()
    return rows


@pytest.mark.parametrize("row", [row for row in TRAPS if row["kind"] != "attack"], ids=lambda row: row["id"])
def test_traps(row: dict[str, Any]) -> None:
    text = extract("1", row["pred"], "stop").sql or row["pred"]
    task = "write" if row["kind"] == "state" else "read"
    found = search(row["gold"], text, row["schema_sql"], dialect=row["dialect"], task=task)
    refuted = found.counterexample is not None or found.status == "invalid"
    assert refuted is (row["expected"] == "not_equivalent"), found


def test_what_is_shown_is_what_the_script_gives() -> None:
    gold, prediction = "SELECT name FROM emp WHERE age > 40", "SELECT name FROM emp WHERE age >= 40"
    found = example(gold, prediction)
    assert [list(row) for row in rows_of(found.setup_sql, gold)] == found.gold.rows == []
    assert [list(row) for row in rows_of(found.setup_sql, prediction)] == found.prediction.rows
    assert found.gold.columns == ["name"]
    assert "40" in found.setup_sql
    assert "dept VALUES" not in found.setup_sql


@pytest.mark.parametrize(
    ("gold", "prediction"),
    [
        ("SELECT DISTINCT age FROM emp", "SELECT age FROM emp"),
        ("SELECT d.name FROM dept d JOIN emp e ON e.dept = d.id",
         "SELECT name FROM dept WHERE id IN (SELECT dept FROM emp)"),
        ("SELECT dept FROM emp GROUP BY dept HAVING COUNT(*) > 2",
         "SELECT dept FROM emp GROUP BY dept HAVING COUNT(*) > 1"),
        ("SELECT name FROM emp ORDER BY age, id LIMIT 2", "SELECT name FROM emp ORDER BY age DESC, id LIMIT 2"),
        ("SELECT name FROM emp WHERE pay > (SELECT AVG(pay) FROM emp)",
         "SELECT name FROM emp WHERE pay >= (SELECT AVG(pay) FROM emp)"),
    ],
)  # fmt: skip
def test_no_row_can_go(gold: str, prediction: str) -> None:
    found = example(gold, prediction)
    names = [name for name in ("dept", "emp") if f"CREATE TABLE {name}" in found.setup_sql]
    tables = {name: rows_of(found.setup_sql, f"SELECT * FROM {name}") for name in names}
    assert 0 < sum(map(len, tables.values())) < 9
    ddl = "".join(line for line in found.setup_sql.splitlines() if not line.startswith("INSERT"))
    for table, place in [(table, n) for table, rows in tables.items() for n in range(len(rows))]:
        fewer = {name: [r for n, r in enumerate(rows) if (name, n) != (table, place)] for name, rows in tables.items()}
        if {row[4] for row in fewer.get("emp", [])} - {None} - {row[0] for row in fewer.get("dept", [])}:
            continue  # a row whose parent has gone is no database of this schema
        script = ddl + "".join(f"INSERT INTO {name} VALUES {_tuple(row)};" for name in names for row in fewer[name])
        left, right = rows_of(script, gold), rows_of(script, prediction)
        ordered = [1] * len(left) if "ORDER" in gold else None
        width = len((left or right or [()])[0])
        assert compare_default(Table(width, left), Table(width, right), ordered), (table, place)


def _tuple(row: tuple[Any, ...]) -> str:
    return "(" + ", ".join("NULL" if cell is None else repr(cell) for cell in row) + ")"


def test_the_given_database_is_shrunk_where_the_prediction_disagrees_on_it() -> None:
    found = search("SELECT name FROM emp WHERE name = 'Abe'", "SELECT name FROM emp WHERE name = 'Bo'")
    assert not found.agrees
    assert found.counterexample is not None
    assert found.counterexample.setup_sql.count("'Abe'") + found.counterexample.setup_sql.count("'Bo'") == 1


@pytest.mark.parametrize(
    ("gold", "prediction"),
    [
        ("SELECT name FROM emp ORDER BY age LIMIT 1", "SELECT name FROM emp ORDER BY age, name LIMIT 1"),
        ("SELECT name FROM emp ORDER BY age LIMIT 1 OFFSET 1",
         "SELECT name FROM emp ORDER BY age, id DESC LIMIT 1 OFFSET 1"),
        ("SELECT name FROM emp LIMIT 1", "SELECT name FROM emp ORDER BY id DESC LIMIT 1"),
        ("SELECT dept, name FROM emp GROUP BY dept", "SELECT dept, MAX(name) FROM emp GROUP BY dept"),
        ("SELECT GROUP_CONCAT(name) FROM emp", "SELECT GROUP_CONCAT(name) FROM (SELECT name FROM emp ORDER BY name)"),
        ("SELECT name FROM (SELECT name, ROW_NUMBER() OVER (ORDER BY age) r FROM emp) WHERE r = 1",
         "SELECT name FROM (SELECT name, ROW_NUMBER() OVER (ORDER BY age, name) r FROM emp) WHERE r = 1"),
        ("SELECT COUNT(*) FROM emp WHERE pay = (SELECT pay FROM emp ORDER BY age LIMIT 1)",
         "SELECT COUNT(*) FROM emp WHERE pay = (SELECT pay FROM emp ORDER BY age, pay LIMIT 1)"),
    ],
)  # fmt: skip
def test_what_the_gold_leaves_open_refutes_nothing(gold: str, prediction: str) -> None:
    for seed in range(3):
        found = search(gold, prediction, STAFF.split("INSERT")[0], search=Search(seed, 100))
        assert found.counterexample is None, found.counterexample
        assert found.databases > 10


@pytest.mark.parametrize(
    ("gold", "prediction"),
    [
        ("SELECT name FROM emp ORDER BY age LIMIT 1", "SELECT name FROM emp WHERE age = (SELECT MIN(age) FROM emp)"),
        ("SELECT name FROM emp ORDER BY age LIMIT 1", "SELECT name FROM emp ORDER BY age DESC LIMIT 1"),
        ("SELECT dept, name FROM emp GROUP BY dept", "SELECT dept, name FROM emp"),
    ],
)
def test_where_the_gold_leaves_something_open_what_it_decides_still_refutes(gold: str, prediction: str) -> None:
    example(gold, prediction, STAFF.split("INSERT")[0])


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT name FROM emp WHERE age > random()",
        "SELECT name FROM emp WHERE name < date('now')",
        "SELECT CURRENT_TIMESTAMP",
    ],
)
def test_what_the_clock_or_chance_decides_is_not_searched(sql: str) -> None:
    found = search("SELECT name FROM emp", sql)
    assert (found.counterexample, found.databases) == (None, 0)
    found = search(sql, "SELECT name FROM emp")
    assert (found.counterexample, found.databases) == (None, 0)


def test_it_must_differ_from_every_gold() -> None:
    golds = ["SELECT name FROM emp WHERE age > 40", "SELECT name FROM emp WHERE age >= 40"]
    assert search(golds, "SELECT name FROM emp WHERE NOT age < 40").counterexample is None
    assert search(golds, "SELECT name FROM emp WHERE age >= 41 OR age = 17").counterexample is not None


@pytest.mark.parametrize("policy", ["default", "strict", "spider", "bird", "subset"])
def test_the_policy_decides_what_differs(policy: str) -> None:
    gold, once = "SELECT age, name FROM emp", "SELECT DISTINCT age, name FROM emp"
    assert (search(gold, once, policy=policy).counterexample is None) is (policy in ("spider", "bird"))
    mirrored = search(gold, "SELECT name, age FROM emp", policy=policy)
    assert (mirrored.counterexample is None) is (policy in ("default", "spider", "subset"))


@pytest.mark.parametrize(
    ("gold", "prediction", "same"),
    [
        ("DELETE FROM emp WHERE age > 40", "DELETE FROM emp WHERE age >= 40", False),
        ("DELETE FROM emp WHERE age > 40", "DELETE FROM emp WHERE NOT age <= 40", True),
        ("UPDATE emp SET pay = pay * 2 WHERE dept IN (SELECT id FROM dept WHERE name = 'IT')",
         "UPDATE emp SET pay = pay * 2 WHERE dept = 2", False),
        ("INSERT INTO dept SELECT id + 100, name FROM emp WHERE pay IS NULL",
         "INSERT INTO dept SELECT id + 100, name FROM emp WHERE pay = ''", False),
    ],
)  # fmt: skip
@pytest.mark.parametrize("dialect", ["sqlite", "duckdb"])
def test_writes(gold: str, prediction: str, same: bool, dialect: str) -> None:
    prediction = prediction.replace("= ''", "< 0") if dialect == "duckdb" else prediction
    schema = STAFF.replace("REFERENCES dept", "") if dialect == "duckdb" else STAFF
    found = search(gold, prediction, schema, task="write", dialect=dialect)
    assert (found.counterexample is None) is same, found
    if found.counterexample:
        assert found.counterexample.gold.columns[0] == "table"
        assert found.counterexample.gold != found.counterexample.prediction


def test_duckdb_scripts_load_in_duckdb() -> None:
    schema = """CREATE TABLE "Order" (id INTEGER PRIMARY KEY, "Ship Date" DATE, ok BOOLEAN NOT NULL, cost REAL);
    CREATE TABLE line (ord INTEGER NOT NULL REFERENCES "Order" (id), note VARCHAR, raw BLOB);"""
    gold = 'SELECT id FROM "Order" JOIN line ON ord = id WHERE "Ship Date" > DATE \'2024-02-28\' AND ok'
    found = example(gold, gold.replace(">", ">="), schema, dialect="duckdb")
    connection = duckdb.connect(":memory:")
    connection.execute(found.setup_sql)
    assert [list(row) for row in connection.execute(gold).fetchall()] == found.gold.rows
    connection.close()


@pytest.mark.parametrize(
    "schema",
    [
        "CREATE TABLE emp (id, name, age); CREATE VIEW old AS SELECT * FROM emp WHERE age > 40",
        "CREATE TABLE emp (id INT, age INT); ALTER TABLE emp ADD COLUMN name TEXT; CREATE TABLE old AS SELECT 1 AS id",
                "CREATE TABLE emp (id INT, name TEXT, age INT, " + ", ".join(map("c{}".format, range(200))) + ")",
        "CREATE TABLE emp (id INT, name TEXT, age INT CHECK (age > 500 AND age < 400)); CREATE TABLE old (id)",
        "CREATE TABLE emp (id INT PRIMARY KEY REFERENCES old, name TEXT, age INT);"
        "CREATE TABLE old (id INT PRIMARY KEY REFERENCES emp)",
    ],
)  # fmt: skip
def test_odd_schemas_are_survived(schema: str) -> None:
    for prediction in ("SELECT name FROM emp WHERE age > 3", "SELECT id FROM old", "SELECT 1 WHERE (((1 = 1)))"):
        search("SELECT name FROM emp WHERE age > 2", prediction, schema)


def test_a_worker_that_dies_in_a_search_takes_nothing_from_the_outcome() -> None:
    slow = "instr(hex(zeroblob(4000000 + 0 * age)), hex(zeroblob(1900000)) || '1')"
    hostile = (
        f"SELECT name FROM emp WHERE age > 40 AND CASE WHEN (SELECT COUNT(*) FROM emp) = 4 THEN 1 ELSE {slow} = 0 END"
    )
    gold = "SELECT name FROM emp WHERE age > 40"
    predictions = [hostile, "SELECT name FROM emp WHERE age > 44"]
    with Pool(1) as pool:
        job = Job("1", "sqlite", "read", Database(STAFF), [gold], predictions, search=Search())
        (reply,) = pool.run([job])
    assert [one.agrees for one in reply.predictions] == [True, True]
    assert (reply.predictions[0].counterexample, reply.predictions[0].databases) == (None, 0)
    assert reply.predictions[1].counterexample is not None


def test_a_slow_prediction_ends_its_own_search_alone() -> None:
    numbers = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE (SELECT COUNT(*) FROM emp) <> 4)"
    slow = f"{numbers} SELECT name FROM emp WHERE age > 40 AND (SELECT MAX(x) FROM n) > 0"
    predictions = [slow, "SELECT name FROM emp WHERE age > 44"]
    job = Job(
        "1", "sqlite", "read", Database(STAFF), ["SELECT name FROM emp WHERE age > 40"], predictions, search=Search()
    )
    outcomes = answer(job, Databases()).predictions
    assert [one.agrees for one in outcomes] == [True, True]
    assert outcomes[0].counterexample is None
    assert outcomes[1].counterexample is not None


def test_skipped_places_are_not_searched() -> None:
    prediction = "SELECT name FROM emp WHERE age > 44"
    found = search("SELECT name FROM emp WHERE age > 40", prediction, search=Search(skip=[0]))
    assert (found.agrees, found.counterexample, found.databases) == (True, None, 0)


def _rewritten(gold: str) -> Iterator[str]:
    yield gold.rstrip("; ") + " "
    left, both, right = gold.partition(" AND ")
    if (
        both
        and gold.lower().count(" where ") == 1
        and not any(w in gold.lower() for w in ("between", " or ", "group", "order"))
    ):
        head, where, first = left.rpartition(" WHERE ")
        if where:
            yield f"{head} WHERE {right} AND {first}"
    if "T1" in gold:
        yield gold.replace("T1", "first_one").replace("T2", "second_one")


def test_spider_golds_are_never_refuted_by_themselves(data_folder: Path) -> None:
    spider = data_folder / "spider_dev"
    items = [item for item in json.loads((spider / "dev.json").read_text()) if item["db_id"] != "wta_1"]
    databases, tried = Databases(), 0
    for item in random.Random(5).sample(items, 100):
        path = str(spider / "database" / item["db_id"] / f"{item['db_id']}.sqlite")
        predictions = list(_rewritten(item["query"]))
        job = Job("1", "sqlite", "read", Database("", path), [item["query"]], predictions, search=Search(databases=40))
        for outcome in answer(job, databases).predictions:
            assert outcome.counterexample is None, (item["query"], outcome)
            tried += outcome.databases
    assert tried > 3_000


def test_labelled_pairs(data_folder: Path) -> None:
    """Of VeriEQL's different pairs 14 of 15 are refuted: the other rests on ANY_VALUE."""
    runnable = [pair for pair in pairs(data_folder / "equivalence") if pair.gold and pair.prediction]
    different = [pair for pair in runnable if pair.label == "not_equivalent"]
    assert len(different) == 15
    assert sum(_refuted(pair) for pair in different) >= 13
    same = [pair for pair in runnable if pair.label.startswith("equivalent")]
    refuted = {pair.id for pair in random.Random(3).sample(same, 30) if _refuted(pair)}
    assert refuted <= {"calcite-219"}  # AVG of integers is no integer in DuckDB


def _refuted(pair: Pair) -> bool:
    limits = Limits(floor_seconds=1.0)
    settings = {"dialect": pair.dialect, "limits": limits, "search": Search(seconds=1.0)}
    return search(str(pair.gold), str(pair.prediction), pair.schema_sql, **settings).counterexample is not None


def test_ways_of_storing_rows_are_told_apart() -> None:
    """The four ways of the SQLite workbench do differ for what depends on them, and for nothing else."""
    from benchmark.sqlengine.sandbox import Filling, engine_for

    ddl = ["CREATE TABLE t (id INTEGER PRIMARY KEY, a INT)", "CREATE INDEX i ON t(a)"]
    for dialect, open_ended in product(("sqlite", "duckdb"), (True, False)):
        bench = engine_for(dialect).workbench(ddl, Limits(), keep_keys=False)
        assert bench.fill([Filling("t", ("id", "a"), [(1, 7), (2, 7), (3, 7)])])
        sql = "SELECT id FROM t LIMIT 1" if open_ended else "SELECT id FROM t ORDER BY a, id LIMIT 1"
        answers = {tuple(bench.run(sql, 1.0, way).table.rows) for way in range(bench.ways)}
        assert (len(answers) > 1) is open_ended
        bench.close()
