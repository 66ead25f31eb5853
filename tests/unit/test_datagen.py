"""Generated databases: they obey their schema, aim at their statements, and depend on the seed alone."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import duckdb
import pytest

from benchmark.sqlengine.datagen.facts import arbitrary, facts_of, settled
from benchmark.sqlengine.datagen.layout import Rows
from benchmark.sqlengine.datagen.mutate import mutants
from benchmark.sqlengine.datagen.script import relevant, setup_sql
from benchmark.sqlengine.datagen.values import fitted, glob_strings, like_strings, look_of
from benchmark.sqlengine.given import Given
from benchmark.sqlengine.protocol import Database, Job, Search
from benchmark.sqlengine.sandbox import engine_for
from benchmark.sqlengine.schema import schema_of
from benchmark.sqlengine.terrain import Terrain, terrain_of

HARD = """
CREATE TABLE town (code TEXT PRIMARY KEY CHECK (code GLOB '[A-Z][A-Z]-[0-9]'), size TEXT NOT NULL
  CHECK (size IN ('small', 'big')), boss INTEGER REFERENCES person (id));
CREATE TABLE person (id INTEGER PRIMARY KEY, email TEXT UNIQUE, age INTEGER NOT NULL CHECK (age BETWEEN 18 AND 99),
  low INTEGER NOT NULL, high INTEGER NOT NULL, town TEXT REFERENCES town, twice INTEGER GENERATED ALWAYS AS (age * 2),
  parent INTEGER REFERENCES person (id), CHECK (low <= high));
CREATE TABLE visit (person INTEGER NOT NULL REFERENCES person, town TEXT NOT NULL REFERENCES town (code),
  day DATE NOT NULL, price DECIMAL(6, 2), PRIMARY KEY (person, town, day));
"""
GOLD = "SELECT email, price FROM person p JOIN visit v ON person = p.id JOIN town t ON t.code = v.town WHERE age > 40"


@contextmanager
def terrain(schema: str, gold: str, prediction: str, dialect: str = "sqlite", seed: int = 1) -> Iterator[Terrain]:
    job = Job("1", dialect, "read", Database(schema), [gold], [prediction])
    engine = engine_for(dialect)
    reader = engine.reader(engine.load(job.database, job.limits), job.limits)
    found = terrain_of(Given(job, reader, 1), Search(seed=seed), [gold], [0])
    assert found is not None
    yield found
    found.arena.close()
    reader.close()


def drawn(made: Terrain, number: int = 60) -> list[Rows]:
    generator = made.generator(0)
    databases = [generator.draw(n) for n in range(number)]
    return databases + [generator.edit(rows) for rows in databases[::5]]


def scripts(made: Terrain, number: int = 60) -> list[str]:
    return [setup_sql(made.ddl, made.fillings(rows)) for rows in drawn(made, number)]


def test_sqlite_takes_every_database_with_foreign_keys_on() -> None:
    with terrain(HARD, GOLD, "SELECT email, price FROM person, visit") as made:
        found = scripts(made)
    rows = 0
    for script in found:
        connection = sqlite3.connect(":memory:")
        connection.executescript(script)
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
        assert connection.execute("SELECT * FROM town WHERE code IS NULL").fetchall() == []
        rows += connection.execute("SELECT count(*) FROM visit").fetchone()[0]
        connection.close()
    assert rows > 60
    assert len(set(found)) > 50


def test_duckdb_takes_every_database_of_its_own_types() -> None:
    schema = """CREATE TABLE a (id INTEGER PRIMARY KEY, d DATE NOT NULL, t TIMESTAMP, b BOOLEAN, n DECIMAL(8, 2),
      s VARCHAR CHECK (s <> ''), u DOUBLE, UNIQUE (d, b));
      CREATE TABLE c (a INTEGER NOT NULL REFERENCES a (id), k BIGINT, PRIMARY KEY (a, k));"""
    gold = "SELECT d FROM a JOIN c ON a = id WHERE d > DATE '2021-03-01' AND b AND t < TIMESTAMP '2022-01-01 10:00:00'"
    with terrain(schema, gold, "SELECT d FROM a WHERE n > 10.5", "duckdb") as made:
        found = scripts(made, 30)
    filled = 0
    for script in found:
        connection = duckdb.connect(":memory:")
        connection.execute(script)
        filled += bool(connection.execute(gold).fetchall())
        connection.close()
    assert filled > 8


def test_the_seed_decides() -> None:
    with terrain(HARD, GOLD, "SELECT 1 FROM person") as one, terrain(HARD, GOLD, "SELECT 1 FROM person") as same:
        assert scripts(one) == scripts(same)
    with terrain(HARD, GOLD, "SELECT 1 FROM person", seed=2) as other:
        assert scripts(other) != scripts(one)


def test_a_process_with_other_hashes_draws_the_same() -> None:
    code = f"""
from benchmark.sqlengine.protocol import *
from benchmark.sqlengine.session import Databases, answer
job = Job("1", "sqlite", "read", Database({HARD!r}), [{GOLD!r}], [{GOLD.replace(">", ">=")!r}], search=Search())
print(answer(job, Databases()).predictions[0].counterexample)"""
    outputs = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2", "3")
    }
    assert len(outputs) == 1
    assert "INSERT" in outputs.pop()


@pytest.mark.parametrize(
    "gold",
    [
        GOLD,
        "SELECT id FROM person WHERE email LIKE 'x%y_' AND town IN (SELECT code FROM town WHERE size = 'big')",
        "SELECT town FROM person GROUP BY town HAVING COUNT(*) > 3",
        "SELECT p.id FROM person p WHERE EXISTS (SELECT 1 FROM visit v WHERE v.person = p.id AND v.price = 17.25)",
        "WITH old AS (SELECT id, town FROM person WHERE age = 77) SELECT o.id FROM old o JOIN town USING (code)",
        "SELECT a.id FROM person a JOIN person b ON a.parent = b.id WHERE a.age < b.age AND a.email = 'kim@x.org'",
        "SELECT town FROM person WHERE age = 31 INTERSECT SELECT town FROM visit WHERE day > '2023-05-06'",
    ],
)
def test_queries_return_rows_on_many_databases(gold: str) -> None:
    gold = gold.replace("JOIN town USING (code)", "JOIN town t ON t.code = o.town")
    with terrain(HARD, gold, "SELECT id FROM person") as made:
        found = scripts(made)
    filled = 0
    for script in found:
        connection = sqlite3.connect(":memory:")
        connection.executescript(script)
        filled += bool(connection.execute(gold).fetchall())
        connection.close()
    assert filled >= 8, filled


def test_only_what_a_statement_needs_is_made() -> None:
    ddl = (
        "CREATE TABLE a (x INT)", "CREATE TABLE b (y INT)", "CREATE UNIQUE INDEX i ON b(y)",
        "CREATE VIEW v AS SELECT y FROM b", "CREATE TRIGGER t AFTER INSERT ON a BEGIN INSERT INTO b VALUES (1); END",
    )  # fmt: skip
    assert relevant(ddl, {"select", "x", "from", "b"}, ["b"]) == [ddl[1], ddl[2]]
    assert relevant(ddl, {"v"}, []) == [ddl[1], ddl[2], ddl[3]]
    assert relevant(ddl, {"a"}, ["a"]) == [*ddl[:3], ddl[4]]


def test_constants_and_neighbours_fit_their_columns() -> None:
    assert set(fitted(5, "integer")) == {4, 5, 6}
    assert list(fitted("Bob", "integer")) == []
    assert {"2020-02-29", "2020-03-01", "2020-02-28"} == set(fitted("2020-02-29", "date"))
    assert "2014-12-31" in set(fitted(2014, "date"))
    assert set(fitted("2014", "digits")) == {"2013", "2014", "2015"}
    assert {"Bob", "bOB", "bob", "Bobx", "xBob", "Bo", ""} == set(fitted("Bob", "text"))
    assert list(fitted(10**15, "integer")) == []


def test_what_was_seen_tells_what_text_means() -> None:
    assert look_of("text", ["2014", "2015", None]) == "digits"
    assert look_of("text", ["2014-01-02"]) == "date"
    assert look_of("any", [1, 2]) == "integer"
    assert look_of("integer", []) == "integer"
    assert look_of("date", ["1/2/2014"]) == "text"


def test_patterns_become_strings() -> None:
    connection = sqlite3.connect(":memory:")
    for pattern in ("%a_c", "Bob", "_", "%"):
        matches = [
            connection.execute("SELECT ? LIKE ?", (text, pattern)).fetchone()[0] for text in like_strings(pattern)
        ]
        assert 1 in matches
        assert pattern == "%" or 0 in matches
    for pattern in ("[0-9][0-9]-[A-F]", "a*b?", "[^x]z"):
        texts = glob_strings(pattern)
        assert pattern == "[^x]z" or all(
            connection.execute("SELECT ? GLOB ?", (text, pattern)).fetchone()[0] for text in texts
        )
    connection.close()


@pytest.mark.parametrize(
    ("sql", "decided"),
    [
        ("SELECT random()", False),
        ("SELECT * FROM t WHERE d < date('now')", False),
        ("SELECT * FROM t WHERE d < CURRENT_DATE", False),
        ("SELECT strftime('%Y')", False),
        ("SELECT strftime('%Y', d), date(d) FROM t", True),
        ("SELECT random_id, current FROM t", True),
    ],
)
def test_statements_that_the_clock_decides_are_known(sql: str, decided: bool) -> None:
    assert settled(sql) is decided


def test_functions_that_pick_any_value_are_known() -> None:
    assert arbitrary("SELECT ANY_VALUE(a) FROM t")
    assert not arbitrary("SELECT first_name, FIRST_VALUE(a) OVER () FROM t")


def test_facts_of_what_nobody_can_parse() -> None:
    facts = facts_of(["SELECT FROM WHERE person 'x' 12"], schema_of(HARD, "sqlite"), "sqlite")
    assert facts.tables == {"person"}
    assert facts.loose == ["x", 12]


def test_mutants_differ_in_one_place_and_come_in_order() -> None:
    sql = "SELECT DISTINCT a FROM t JOIN u ON t.x = u.x WHERE b BETWEEN 1 AND 5 AND c = 'Kim' ORDER BY a DESC LIMIT 3"
    found = mutants(sql, "sqlite", 30)
    assert found == mutants(sql, "sqlite", 30)
    assert sql not in found
    assert sql.replace("DISTINCT ", " ") in found
    assert sql.replace("'Kim'", "'kIM'") in found
    assert sql.replace("LIMIT 3", "LIMIT 4") in found
    assert not any("BETWEEN 1 OR" in mutant for mutant in found)
    assert len(mutants(sql, "sqlite", 4)) == 4
