"""DuckDB in the sandbox: what reads may do, what writes leave, and a set of hostile statements through the pool."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from benchmark.sqlengine.pool import Pool
from benchmark.sqlengine.protocol import Database, Job, Limits, Outcome
from benchmark.types import Task

LIMITS = Limits(gold_seconds=3.0, floor_seconds=0.5, cap_seconds=1.0)
SETUP = """
CREATE TABLE pets (id INTEGER PRIMARY KEY, name VARCHAR NOT NULL, born DATE, kilos DECIMAL(6, 2), tags VARCHAR[]);
INSERT INTO pets VALUES (1, 'Ada', DATE '2020-01-31', 4.50, ['a', 'b']), (2, 'Bo', NULL, 20.00, NULL);
CREATE SEQUENCE counter;
"""
PETS = Database(SETUP)
ENDLESS = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n)"


@pytest.fixture(scope="module")
def pool() -> Iterator[Pool]:
    with Pool(1, LIMITS) as started:
        yield started


def outcomes(pool: Pool, gold: str, *predictions: str, write: bool = False, database: Database = PETS) -> list[Outcome]:
    task: Task = "write" if write else "read"
    (reply,) = pool.run([Job("k", "duckdb", task, database, [gold], list(predictions), limits=LIMITS)])
    assert reply.setup.status == "ok", reply.setup
    assert [one.status for one in reply.golds] == ["ok"], reply.golds
    return reply.predictions


def agree(pool: Pool, gold: str, *predictions: str, write: bool = False) -> list[bool]:
    found = outcomes(pool, gold, *predictions, write=write)
    assert {one.status for one in found} == {"ok"}, found
    return [one.agrees for one in found]


def test_typed_results_are_compared(pool: Pool) -> None:
    gold = "SELECT name, born, kilos FROM pets"
    same = "FROM pets SELECT kilos, name, born ORDER BY id DESC"
    assert agree(pool, gold, same, "SELECT name, born, kilos + 1 FROM pets") == [True, False]
    assert agree(pool, "SELECT sum(kilos) FROM pets", "SELECT 24.5", "SELECT '24.5'") == [True, False]
    assert agree(pool, "SELECT 'nan'::DOUBLE", "SELECT 'nan'::FLOAT", "SELECT NULL") == [True, False]
    assert agree(pool, "SELECT 170141183460469231731687303715884105727", "SELECT 1") == [False]
    assert agree(pool, "PIVOT pets ON name USING sum(kilos) GROUP BY id", "SELECT 1, 2, 3") == [False]


REFUSED = [
    "DELETE FROM pets",
    "INSERT INTO pets VALUES (3, 'x', NULL, 1, NULL) RETURNING id",
    "WITH gone AS (DELETE FROM pets RETURNING id) SELECT * FROM gone",
    "EXPLAIN ANALYZE DELETE FROM pets",
    "TRUNCATE pets",
    "CREATE TEMP TABLE t AS SELECT 1",
    "CREATE MACRO m() AS 1",
    "SELECT nextval('counter')",
    "COPY pets TO '{scratch}/out.csv'",
    "COPY (SELECT 1) TO '{scratch}/out.parquet' (FORMAT parquet)",
    "EXPORT DATABASE '{scratch}/all'",
    "IMPORT DATABASE '{scratch}/all'",
    "ATTACH '{scratch}/new.duckdb' AS x",
    "DETACH memory",
    "USE memory",
    "SELECT * FROM read_text('/etc/passwd')",
    "SELECT * FROM read_csv('/etc/passwd', header = false)",
    "SELECT * FROM glob('/*')",
    "SELECT * FROM query('SELECT * FROM read_blob(''/etc/passwd'')')",
    "INSTALL httpfs",
    "LOAD json",
    "SET threads = 8",
    "RESET memory_limit",
    "PRAGMA database_list",
    "CALL pragma_version()",
    "PREPARE p AS SELECT 1",
    "EXECUTE p",
    "BEGIN",
    "CHECKPOINT",
    "VACUUM",
    "SELECT * FROM enable_profiling()",
    "COMMENT ON TABLE pets IS 'x'",
]


@pytest.mark.parametrize("sql", REFUSED)
def test_a_read_can_only_read(pool: Pool, sql: str, tmp_path: Path) -> None:
    (found,) = outcomes(pool, "SELECT id FROM pets", sql.format(scratch=tmp_path))
    assert found.status == "refused", found
    assert list(tmp_path.iterdir()) == []


HOSTILE = {
    "endless rows": (f"{ENDLESS} SELECT x FROM n", {"limit", "timeout"}),
    "endless work": (f"{ENDLESS} SELECT max(x) FROM n", {"limit", "timeout"}),
    "a billion rows": ("SELECT * FROM range(1000000000)", {"limit"}),
    "cross join": ("SELECT count(*) FROM range(300000) a, range(300000) b, range(300000) c", {"limit", "timeout"}),
    "cross join, filtered": (
        "SELECT count(*) FROM range(200000) a, range(200000) b WHERE a.range * b.range = -1",
        {"timeout", "limit"},
    ),
    "endless memory": ("SELECT list(range) FROM range(10000000000)", {"limit", "timeout"}),
    "huge text": ("SELECT repeat('x', 2000000000)", {"limit", "invalid"}),
    "big sort": ("SELECT * FROM range(1000000000) ORDER BY random()", {"limit", "timeout"}),
    "3,000 parentheses": (f"SELECT {'(' * 3000}1{')' * 3000}", {"invalid"}),
    "NUL byte": ("SELECT id FROM pets\0; DROP TABLE pets", {"invalid", "refused", "multiple"}),
    "1 MB of text": (f"SELECT '{'a' * 1_000_000}'", {"limit"}),
    "100,000 terms": ("SELECT " + "+".join(["1"] * 100_000), {"invalid", "timeout", "limit"}),
    "half a character": ("SELECT '\ud800'", {"ok", "invalid"}),
    "two statements": ("SELECT id FROM pets; SELECT id FROM pets", {"multiple"}),
    "no statement": (" -- nothing", {"invalid"}),
    "a caller's variable": ("SELECT * FROM statements", {"invalid"}),
    "a file as a table": ("SELECT * FROM '/etc/passwd'", {"invalid", "refused"}),
    "unknown table": ("SELECT * FROM nowhere", {"invalid"}),
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_hostile_statements_end_and_the_pool_goes_on(pool: Pool, kind: str) -> None:
    sql, statuses = HOSTILE[kind]
    started = time.monotonic()
    (found,) = outcomes(pool, "SELECT id FROM pets", sql)
    assert found.status in statuses, found
    assert not found.agrees
    assert time.monotonic() - started < 8
    assert agree(pool, "SELECT id FROM pets", "SELECT id FROM pets WHERE id < 9", "SELECT 1") == [True, False]


def test_writes_are_compared_by_the_database_they_leave(pool: Pool) -> None:
    gold = "DELETE FROM pets WHERE id = 1"
    same, blanket, none = "DELETE FROM pets WHERE name = 'Ada'", "DELETE FROM pets", "SELECT 1"
    assert agree(pool, gold, same, blanket, none, write=True) == [True, False, False]
    gold = "CREATE TABLE toys (id INTEGER PRIMARY KEY, name VARCHAR NOT NULL, price DOUBLE CHECK (price > 0))"
    other_order = "CREATE TABLE Toys (name VARCHAR NOT NULL, price DOUBLE CHECK (price > 0), id INTEGER PRIMARY KEY)"
    no_check = "CREATE TABLE toys (id INTEGER PRIMARY KEY, name VARCHAR NOT NULL, price DOUBLE)"
    no_key = "CREATE TABLE toys (id INTEGER NOT NULL, name VARCHAR NOT NULL, price DOUBLE CHECK (price > 0))"
    assert agree(pool, gold, other_order, no_check, no_key, write=True) == [True, False, False]
    gold = "CREATE VIEW heavy AS SELECT name FROM pets WHERE kilos > 10"
    assert agree(pool, gold, "CREATE VIEW heavy AS SELECT name FROM pets WHERE id = 2", write=True) == [True]
    assert agree(pool, gold, "CREATE VIEW heavy AS SELECT name FROM pets", write=True) == [False]
    gold = "CREATE INDEX by_name ON pets (name)"
    indexes = ("CREATE INDEX other ON pets (name)", "CREATE INDEX other ON pets (kilos)")
    assert agree(pool, gold, *indexes, write=True) == [True, False]


@pytest.mark.parametrize(
    "sql",
    [
        "COPY pets TO '{scratch}/out.csv'",
        "COPY pets FROM '/etc/passwd'",
        "ATTACH '{scratch}/new.duckdb' AS x",
        "INSERT INTO pets SELECT 9, content, NULL, 1, NULL FROM read_text('/etc/passwd')",
        "SET enable_external_access = true",
        "COMMIT",
        "CREATE PERSISTENT SECRET s (TYPE http, BEARER_TOKEN 'x')",
    ],
)
def test_a_write_cannot_leave_its_copy(pool: Pool, sql: str, tmp_path: Path) -> None:
    (found,) = outcomes(pool, "DELETE FROM pets", sql.format(scratch=tmp_path), write=True)
    assert found.status in ("refused", "invalid"), found
    assert list(tmp_path.iterdir()) == []


def test_a_database_file_is_read_and_never_changed(pool: Pool, tmp_path: Path) -> None:
    path = tmp_path / "it's pets.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute(SETUP)
    before = path.read_bytes()
    there = Database(path=str(path))
    assert outcomes(pool, "SELECT name FROM pets", "SELECT name FROM pets", database=there)[0].agrees
    assert outcomes(pool, "DELETE FROM pets", "TRUNCATE pets", write=True, database=there)[0].agrees
    assert path.read_bytes() == before
    assert [child.name for child in tmp_path.iterdir()] == [path.name]


@pytest.mark.parametrize("setup", ["SELECT 1 FROM nowhere", "ATTACH 'x.db'", "CREATE TABLE t ("])
def test_a_setup_that_fails_says_so(pool: Pool, setup: str) -> None:
    (reply,) = pool.run([Job("k", "duckdb", "read", Database(setup), ["SELECT 1"], ["SELECT 1"], limits=LIMITS)])
    assert reply.setup.status in ("invalid", "refused")
    assert reply.setup.detail


def test_many_small_databases_go_through_one_worker() -> None:
    """Each open DuckDB maps some 70 MB of addresses, and a worker has 2 GB: it must let go of them in time."""
    jobs = [
        Job(str(n), "duckdb", task, Database(f"CREATE TABLE t{n} (a INT); INSERT INTO t{n} VALUES ({n})"), [sql], [sql])
        for n in range(40)
        for task, sql in (("read", f"SELECT a FROM t{n}"), ("write", f"DELETE FROM t{n}"))
    ]
    with Pool(1) as pool:
        assert all(reply.predictions[0].agrees for reply in pool.run(jobs))
