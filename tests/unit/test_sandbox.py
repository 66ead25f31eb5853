"""The sandbox, attacked through the pool: real worker processes, hostile statements, kills.

What it promises and what is tried against it: a read can only read, nothing is written anywhere, a statement ends by
its deadline, a dead worker is replaced and only the statement that killed it is charged, no worker outlives its pool
or its parent.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, cast

import pytest

from benchmark.sqlengine.pool import Pool
from benchmark.sqlengine.protocol import Database, Job, Limits, Outcome, Reply
from benchmark.types import Task

ROOT = Path(__file__).resolve().parents[2]
LIMITS = Limits(gold_seconds=2.0, floor_seconds=0.5, cap_seconds=1.0)
SETUP = """
CREATE TABLE pets (id INTEGER PRIMARY KEY, name TEXT, kind TEXT, kilos REAL);
INSERT INTO pets VALUES (1, 'Ada', 'cat', 4.5), (2, 'Bo', 'dog', 20.0), (3, 'Cy', 'cat', 4.5), (4, 'Di', 'dog', 31.5);
"""
PETS = Database(SETUP)
GOLD = "SELECT name FROM pets WHERE kind = 'cat'"
ENDLESS = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n)"


@pytest.fixture(scope="module")
def pool() -> Iterator[Pool]:
    with Pool(1, LIMITS) as pool:
        yield pool


def job(
    *predictions: str, gold: str = GOLD, write: bool = False, database: Database = PETS, limits: Limits = LIMITS
) -> Job:
    task: Task = "write" if write else "read"
    return Job("key", "sqlite", task, database, [gold], list(predictions), limits=limits)


def ask(pool: Pool, one: Job) -> Reply:
    (reply,) = pool.run([one])
    return reply


def outcome(pool: Pool, sql: str, gold: str = GOLD, *, write: bool = False) -> Outcome:
    reply = ask(pool, job(sql, gold=gold, write=write))
    assert reply.setup.status == "ok"
    assert [one.status for one in reply.golds] == ["ok"]
    return reply.predictions[0]


def works(pool: Pool) -> bool:
    """A right and a wrong answer, told apart."""
    reply = ask(pool, job("SELECT name FROM pets WHERE id IN (1, 3)", "SELECT name FROM pets"))
    return [(one.status, one.agrees) for one in reply.predictions] == [("ok", True), ("ok", False)]


def children(parent: int) -> set[int]:
    """Process ids, from the kernel's own table; the dead that nobody has waited for do not count."""
    found = set()
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, ppid = path.read_text().rpartition(")")[2].split()[:2]
        except OSError:  # it ended while we looked
            continue
        if int(ppid) == parent and state != "Z":
            found.add(int(path.parent.name))
    return found


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def busy(pid: int) -> bool:
    """Whether a process has used a third of a second of CPU time."""
    user, system = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:13]
    return int(user) + int(system) > os.sysconf("SC_CLK_TCK") / 3


def workers(pool: Pool) -> set[int]:
    """This pool's processes; their working folder is the pool's own."""
    return {pid for pid in children(os.getpid()) if str(Path(f"/proc/{pid}/cwd").readlink()) == pool._folder.name}


def eventually(holds: Callable[[], bool], seconds: float = 5.0) -> bool:
    end = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True


@pytest.mark.parametrize(
    "sql",
    [
        "DELETE FROM pets",
        "INSERT INTO pets VALUES (9, 'x', 'x', 1)",
        "UPDATE pets SET name = 'x'",
        "REPLACE INTO pets VALUES (1, 'x', 'x', 1)",
        "DELETE FROM pets RETURNING name",
        "WITH gone AS (SELECT 1) DELETE FROM pets",
        "DROP TABLE pets",
        "ALTER TABLE pets RENAME TO cats",
        "CREATE TABLE t (a)",
        "CREATE TEMP TABLE t (a)",
        "CREATE VIEW v AS SELECT 1",
        "CREATE VIRTUAL TABLE v USING fts5(a)",
        "ATTACH DATABASE 'planted.db' AS x",
        "ATTACH ':memory:' AS x",
        "DETACH main",
        "PRAGMA table_info(pets)",
        "PRAGMA journal_mode = WAL",
        "PRAGMA writable_schema = 1",
        "SELECT * FROM pragma_table_info('pets')",
        "VACUUM",
        "VACUUM INTO 'planted.db'",
        "SELECT load_extension('planted.so')",
        "ANALYZE",
        "BEGIN",
        "SAVEPOINT s",
        "SELECT name FROM pets; DROP TABLE pets",
        "EXPLAIN DELETE FROM pets",
    ],
)
def test_a_read_can_only_read(pool: Pool, sql: str) -> None:
    assert outcome(pool, sql).status == "refused"
    assert works(pool)


@pytest.mark.parametrize(
    "sql",
    [
        "ATTACH DATABASE 'planted.db' AS x",
        "DETACH main",
        "PRAGMA user_version = 7",
        "PRAGMA foreign_keys = OFF",
        "VACUUM INTO 'planted.db'",
        "VACUUM",
        "CREATE VIRTUAL TABLE v USING fts5(a)",
        "BEGIN",
        "SAVEPOINT s",
        "INSERT INTO pets VALUES (9, load_extension('planted.so'), 'x', 1)",
    ],
)
def test_a_write_cannot_leave_its_copy(pool: Pool, sql: str) -> None:
    assert outcome(pool, sql, "DELETE FROM pets WHERE id = 1", write=True).status == "refused"
    assert works(pool)


HOSTILE = {
    "endless rows": (f"{ENDLESS} SELECT x FROM n", {"limit", "timeout"}),
    "endless work": (f"{ENDLESS} SELECT max(x) FROM n", {"timeout"}),
    "endless and wide": (f"{ENDLESS} SELECT x, randomblob(1000000) FROM n", {"limit", "timeout"}),
    "cross join": (f"SELECT count(*) FROM {', '.join(f'pets AS p{i}' for i in range(30))}", {"timeout"}),
    "endless sort": (f"{ENDLESS} SELECT x FROM n ORDER BY random()", {"limit", "timeout"}),
    "huge randomblob": ("SELECT randomblob(2000000000)", {"limit"}),
    "huge text": ("SELECT printf('%.*c', 500000000, 'x')", {"limit"}),
    "growing text": ("SELECT replace(hex(zeroblob(1000000)), '0', hex(zeroblob(1000)))", {"limit"}),
    "3,000 parentheses": (f"SELECT {'(' * 3000}1{')' * 3000}", {"invalid"}),
    "NUL byte": ("SELECT name FROM pets\0; DROP TABLE pets", {"invalid", "refused"}),
    "only NUL": ("\0", {"invalid"}),
    "1 MB of text": (f"SELECT '{'a' * 1_000_000}'", {"limit"}),
    "1 MB of comment": (f"SELECT 1 -- {'a' * 1_000_000}", {"limit"}),
    "100,000 terms": ("SELECT " + "+".join(["1"] * 100_000), {"invalid"}),
    "2,000 unions": (" UNION ".join(["SELECT 1"] * 2000), {"invalid"}),
    "3,000 columns": ("SELECT " + ", ".join(["1"] * 3000), {"invalid"}),
    "half a character": ("SELECT '\ud800'", {"ok", "invalid"}),
    "two statements": ("SELECT name FROM pets; SELECT 1", {"multiple"}),
    "no statement": (" ;; -- nothing", {"invalid"}),
    "unfinished text": ("SELECT 'abc", {"invalid"}),
    "unknown table": ("SELECT * FROM nowhere", {"invalid"}),
    "file function": ("SELECT readfile('/etc/passwd')", {"invalid", "refused"}),
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_hostile_statements_end_and_the_pool_goes_on(pool: Pool, kind: str) -> None:
    sql, statuses = HOSTILE[kind]
    started = time.monotonic()
    result = outcome(pool, sql)
    assert result.status in statuses
    assert not result.agrees
    assert time.monotonic() - started < 5
    assert works(pool)


def test_hostile_writes_end(pool: Pool) -> None:
    gold = "DELETE FROM pets WHERE id = 1"
    hostile = [
        f"INSERT INTO pets (name) {ENDLESS} SELECT x FROM n",
        f"INSERT INTO pets (name) {ENDLESS} SELECT randomblob(1000000) FROM n",
        f"CREATE VIEW v AS {ENDLESS} SELECT x FROM n",
        f"CREATE TABLE t AS {ENDLESS} SELECT max(x) FROM n",
        "UPDATE pets SET name = zeroblob(2000000000)",
    ]
    started = time.monotonic()
    reply = ask(pool, job(*hostile, "DELETE FROM pets WHERE name = 'Ada'", gold=gold, write=True))
    assert {one.status for one in reply.predictions[:-1]} <= {"timeout", "limit"}
    assert reply.predictions[-1].agrees
    assert time.monotonic() - started < 15
    assert works(pool)


def test_nothing_is_written_anywhere(tmp_path: Path) -> None:
    """Absolute and relative paths; the worker's own folder, ours, and a scratch folder stay empty."""
    target = tmp_path / "planted.db"
    attempts = [
        text.format(path=path)
        for path in (str(target), "planted.db", f"file:{target}?mode=rwc")
        for text in (
            "ATTACH DATABASE '{path}' AS x",
            "VACUUM INTO '{path}'",
            "VACUUM main INTO '{path}'",
            "CREATE TABLE t AS SELECT load_extension('{path}')",
            "SELECT writefile('{path}', 'x')",
            "PRAGMA temp_store_directory = '{path}'",
        )
    ]
    ours = set(Path.cwd().iterdir())
    with Pool(1, LIMITS) as pool:
        read = ask(pool, job(*attempts))
        write = ask(pool, job(*attempts, gold="DELETE FROM pets", write=True))
        assert {one.status for one in (*read.predictions, *write.predictions)} <= {"refused", "invalid"}
        assert list(Path(pool._folder.name).iterdir()) == []
    assert list(tmp_path.iterdir()) == []
    assert {path.name for path in set(Path.cwd().iterdir()) - ours}.isdisjoint({"planted.db", "x"})


def test_a_database_file_is_read_and_never_changed(pool: Pool, tmp_path: Path) -> None:
    import sqlite3

    path = tmp_path / "pets.db"
    connection = sqlite3.connect(path)
    connection.executescript(f"PRAGMA journal_mode = WAL; {SETUP}")
    connection.close()
    before = path.read_bytes()
    database = Database(path=str(path))
    assert ask(pool, job("SELECT name FROM pets WHERE id IN (1, 3)", database=database)).predictions[0].agrees
    written = ask(pool, job("DELETE FROM pets", gold="DELETE FROM pets WHERE id > 0", write=True, database=database))
    assert written.predictions[0].agrees
    assert path.read_bytes() == before
    assert [child.name for child in tmp_path.iterdir()] == ["pets.db"]


def test_setup_that_reaches_outside_is_refused(pool: Pool, tmp_path: Path) -> None:
    for setup in (
        f"CREATE TABLE t (a); ATTACH '{tmp_path}/x.db' AS x; CREATE TABLE x.t (a);",
        f"CREATE TABLE t (a); VACUUM INTO '{tmp_path}/x.db';",
    ):
        reply = ask(pool, job("SELECT 1", gold="SELECT 1", database=Database(setup)))
        assert (reply.setup.status, reply.golds, reply.predictions) == ("refused", [], [])
    assert list(tmp_path.iterdir()) == []
    assert works(pool)


@pytest.mark.parametrize(
    ("setup", "status"),
    [
        ("CREATE TABLE t (", "invalid"),
        (f"CREATE TABLE t (a); INSERT INTO t {ENDLESS} SELECT x FROM n;", "timeout"),
    ],
)
def test_setup_that_fails_says_how(pool: Pool, setup: str, status: str) -> None:
    limits = Limits(gold_seconds=0.3, floor_seconds=0.3, cap_seconds=0.3)
    reply = ask(pool, job("SELECT 1", gold="SELECT 1", database=Database(setup), limits=limits))
    assert reply.setup.status == status
    assert works(pool)


def test_missing_database_file_is_a_setup_failure(pool: Pool, tmp_path: Path) -> None:
    reply = ask(pool, job("SELECT 1", gold="SELECT 1", database=Database(path=str(tmp_path / "none.db"))))
    assert reply.setup.status == "invalid"
    assert list(tmp_path.iterdir()) == []


def test_no_prediction_agrees_with_a_gold_that_fails(pool: Pool) -> None:
    reply = ask(pool, job("SELECT nothing FROM nowhere", "SELECT 1 WHERE 0", gold="SELECT nothing FROM nowhere"))
    assert reply.golds[0].status == "invalid"
    assert [(one.status, one.agrees) for one in reply.predictions] == [("invalid", False), ("invalid", False)]


def test_deadlines(pool: Pool) -> None:
    """A prediction gets the floor when its gold is quick, more when it is slow, and never more than the cap."""
    assert LIMITS.deadline(0.001) == 0.5
    assert LIMITS.deadline(0.08) == pytest.approx(0.8)
    assert LIMITS.deadline(60.0) == 1.0
    for seconds in (0.3, 1.0):
        limits = Limits(gold_seconds=2.0, floor_seconds=seconds, cap_seconds=1.0)
        result = ask(pool, job(f"{ENDLESS} SELECT max(x) FROM n", limits=limits)).predictions[0]
        assert result.status == "timeout"
        assert seconds <= result.seconds < seconds + 0.9


def test_a_row_limit_is_a_limit(pool: Pool) -> None:
    limits = Limits(gold_seconds=2.0, floor_seconds=1.0, cap_seconds=1.0, max_rows=1000, max_bytes=100_000)
    count = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n LIMIT {}) SELECT x{} FROM n"
    queries = [count.format(900, ""), count.format(2000, ""), count.format(200, ", zeroblob(1000)")]
    reply = ask(pool, job(*queries, limits=limits))
    assert [one.status for one in reply.predictions] == ["ok", "limit", "limit"]
    assert reply.predictions[0].rows == 900


def test_one_opcode_that_cannot_be_interrupted_costs_only_its_worker(pool: Pool) -> None:
    """A search for megabytes in megabytes is one opcode: no progress handler fires, so the kernel's alarm must."""
    slow = "SELECT instr(hex(zeroblob(4000000)), hex(zeroblob(1900000)) || '1')"
    before = workers(pool)
    started = time.monotonic()
    reply = ask(pool, job("SELECT name FROM pets WHERE id < 4 AND id <> 2", slow, "SELECT 'x'"))
    assert time.monotonic() - started < 10
    assert [(one.status, one.agrees) for one in reply.predictions] == [("ok", True), ("timeout", False), ("ok", False)]
    assert workers(pool) != before
    assert works(pool)


def test_a_big_sort_stays_in_memory(pool: Pool) -> None:
    """SQLite spills what exceeds its cache into a file, and the kernel ends a worker that writes one."""
    numbers = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n LIMIT 50000)"
    big = f"{numbers} SELECT x, hex(zeroblob(100)) FROM n"
    limits = Limits(gold_seconds=5, floor_seconds=5, cap_seconds=5)
    one = job(f"{big} ORDER BY 2, 1", f"SELECT DISTINCT * FROM ({big} ORDER BY 2, -x)", gold=big, limits=limits)
    reply = ask(pool, one)
    assert [(one.status, one.agrees) for one in (*reply.golds, *reply.predictions)] == [
        ("ok", False),
        ("ok", True),
        ("ok", True),
    ]


def test_the_order_asked_for_counts_up_to_ties(pool: Pool) -> None:
    by_kilos = "SELECT name FROM pets ORDER BY kilos"
    predictions = {
        "SELECT name FROM pets ORDER BY kilos, name": True,
        "SELECT name FROM pets ORDER BY kilos, name DESC": True,
        "SELECT name FROM pets ORDER BY kilos DESC": False,
        "SELECT name FROM pets ORDER BY name DESC": False,
    }
    reply = ask(pool, job(*predictions, gold=by_kilos))
    assert [one.agrees for one in reply.predictions] == list(predictions.values())


@pytest.mark.parametrize(
    "gold",
    [
        "SELECT * FROM pets ORDER BY 4",
        "SELECT p.*, 1 FROM pets AS p ORDER BY 4",
        "SELECT * FROM pets ORDER BY kilos",
        "SELECT id, name, kilos FROM pets ORDER BY 3",
        "SELECT id, name, kilos AS weight FROM pets ORDER BY weight",
        "SELECT DISTINCT id, name, kilos FROM pets ORDER BY kilos",
        "SELECT id, kilos FROM pets UNION SELECT id, kilos FROM pets ORDER BY kilos",
        "SELECT id, kilos FROM pets UNION ALL SELECT 9, 50.0 ORDER BY 2",
        "WITH p AS (SELECT id, kilos FROM pets) SELECT id FROM p ORDER BY kilos",
    ],
)
def test_wrong_order_never_agrees(pool: Pool, gold: str) -> None:
    """The same rows, sorted the other way, whatever way the gold names its key."""
    backwards = outcome(pool, f"{gold} DESC", gold)
    assert (backwards.status, backwards.agrees) == ("ok", False)
    assert outcome(pool, f"SELECT * FROM ({gold})", gold).agrees


@pytest.mark.parametrize(
    ("gold", "pred"),
    [
        ("SELECT DISTINCT kind, id FROM pets ORDER BY kind", "SELECT kind, id FROM pets ORDER BY kind, id DESC"),
        (
            "SELECT kind, id FROM pets UNION SELECT 'eel', 5 ORDER BY kind",
            "SELECT * FROM (SELECT kind, id FROM pets UNION SELECT 'eel', 5) ORDER BY kind, id DESC",
        ),
        (
            "SELECT kind, id FROM pets UNION ALL SELECT 'eel', 5 ORDER BY 1",
            "SELECT * FROM (SELECT kind, id FROM pets UNION SELECT 'eel', 5) ORDER BY kind, id DESC",
        ),
    ],
)
def test_ties_are_free_under_distinct_and_set_operations(pool: Pool, gold: str, pred: str) -> None:
    assert outcome(pool, pred, gold).agrees


def test_replies_keep_the_order_of_many_jobs() -> None:
    with Pool(2, LIMITS) as pool:
        jobs = [Job(f"job {i}", "sqlite", "read", PETS, [f"SELECT {i}"], [f"SELECT {i}.0"]) for i in range(200)]
        replies = list(pool.run(iter(jobs)))
    assert [reply.key for reply in replies] == [one.key for one in jobs]
    assert all(reply.predictions[0].agrees for reply in replies)


def test_a_killed_idle_worker_is_replaced() -> None:
    with Pool(1, LIMITS) as pool:
        assert works(pool)
        (victim,) = workers(pool)
        os.kill(victim, signal.SIGKILL)
        assert works(pool)
        (other,) = workers(pool)
        assert other != victim


def test_a_worker_killed_at_work_costs_nothing() -> None:
    """The job that was running is run again; the jobs around it keep their answers."""
    slow = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n LIMIT 1000000) SELECT max(x) FROM n"
    limits = Limits(gold_seconds=10, floor_seconds=10, cap_seconds=10)
    jobs = [job("SELECT name FROM pets WHERE id IN (1, 3)")] * 3
    jobs.insert(1, job("SELECT 1000000", gold=slow, limits=limits))
    with Pool(1, LIMITS) as pool:
        assert works(pool)
        (victim,) = workers(pool)
        killer = threading.Timer(0.05, os.kill, (victim, signal.SIGKILL))
        killer.start()
        replies = list(pool.run(jobs))
        killer.join()
        assert victim not in workers(pool)
    assert [reply.predictions[0].agrees for reply in replies] == [True] * 4


def test_close_leaves_no_process_and_no_folder() -> None:
    pool = Pool(2, LIMITS)
    with pool:
        list(pool.run([job("SELECT 1")] * 100))
        started, folder = workers(pool), Path(pool._folder.name)
        assert started
        assert folder.is_dir()
    assert not any(map(alive, started))
    assert not folder.exists()


def test_close_amid_a_run_leaves_no_process() -> None:
    with Pool(1, LIMITS) as pool:
        replies = pool.run([job("SELECT 1")] * 500)
        assert next(replies).key == "key"
        started = workers(pool)
    assert started
    assert not any(map(alive, started))


COPY = """
from benchmark.sqlengine.pool import Pool
from benchmark.sqlengine.protocol import Database, Job
with Pool(1) as pool:
    (reply,) = pool.run([Job("k", "sqlite", "read", Database(), ["SELECT 1"], [";"])])
    print(reply.predictions[0].detail)
"""


def test_a_worker_runs_its_parents_code(tmp_path: Path) -> None:
    """Another checkout than the installed one: its workers must not be those of the installed one."""
    shutil.copytree(ROOT / "benchmark", tmp_path / "benchmark", ignore=shutil.ignore_patterns("__pycache__"))
    sandbox = tmp_path / "benchmark" / "sqlengine" / "sandbox" / "sqlite.py"
    sandbox.write_text(sandbox.read_text().replace('"no statement"', '"no statement, says the copy"'))
    command = [sys.executable, "-c", COPY]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout == "no statement, says the copy\n"


PARENT = """
from benchmark.sqlengine.pool import Pool
from benchmark.sqlengine.protocol import Database, Job, Limits
endless = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT max(x) FROM n"
limits = Limits(gold_seconds=60.0, floor_seconds=60.0, cap_seconds=60.0)
pool = Pool(2, limits)
list(pool.run([Job("k", "sqlite", "read", Database(), ["SELECT 1"], [])] * 64))
print("ready", flush=True)
list(pool.run([Job("k", "sqlite", "read", Database(), [endless], [], limits=limits)] * 64))
"""


def test_a_killed_parent_leaves_no_worker() -> None:
    """The workers are in the middle of a statement that has a minute left."""
    parent = subprocess.Popen([sys.executable, "-c", PARENT], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    started: set[int] = set()
    try:
        with cast(IO[str], parent.stdout) as output:
            assert output.readline() == "ready\n"
            started = children(parent.pid)
            assert started
            assert eventually(lambda: any(map(busy, started)))
            parent.kill()
            parent.wait()
        assert eventually(lambda: not any(map(alive, started)))
    finally:
        parent.kill()
        for pid in filter(alive, started):
            os.kill(pid, signal.SIGKILL)
