"""Gold health: each kind of trouble is found on an item made for it, and on real data in the numbers we publish."""

from __future__ import annotations

import json
import os
import sqlite3
from collections import Counter
from collections.abc import Generator, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest

from benchmark.datasets import load_dataset
from benchmark.datasets.base import Dataset
from benchmark.errors import DatasetError, UsageError
from benchmark.health import ADVICE, HEALTHY, MEANING, Health, blanket_scores, excluded, healthy_share
from benchmark.sqlengine.inspection import BLANKETS
from benchmark.sqlengine.pool import Pool
from benchmark.sqlengine.protocol import Database, Job
from benchmark.types import Example
from benchmark.validate import check_examples, health_of
from benchmark.validate.draft import draft_split
from benchmark.validate.kept import cache_folder
from benchmark.validate.report import as_json, as_markdown, summary

SCHEMA = (
    "CREATE TABLE item (id INT, name TEXT, price REAL); CREATE TABLE bin (id INT); INSERT INTO bin VALUES (5); "
    "INSERT INTO item VALUES (1, 'pen', 2.5), (2, 'ink', 7), (3, 'cup', 7)"
)


@pytest.fixture(scope="module")
def pool() -> Iterator[Pool]:
    with Pool(1) as opened:
        yield opened


def item(
    *golds: str, dialect: str = "sqlite", task: str = "read", schema: str = SCHEMA, db: str | None = None
) -> Example:
    return Example(
        id="x", question="Q?", schema_sql=schema, golds=golds, dialect=dialect, group="g", task=cast(Any, task), db=db
    )


def health(pool: Pool, example: Example) -> Health:
    (found,) = check_examples([example], pool)
    return found


@pytest.mark.parametrize("dialect", ["sqlite", "duckdb"])
@pytest.mark.parametrize(
    ("gold", "status"),
    [
        ("SELECT name FROM item WHERE price > 5", "ok"),
        ("SELECT COUNT(*) FROM item WHERE price > 50", "ok"),
        ("SELECT name FROM item WHERE price > 50", "no_rows"),
        ("SELECT SUM(price) FROM item WHERE price > 50", "one_null"),
        ("SELECT SUM(price), MAX(id) FROM item WHERE price > 50", "one_null"),
        ("SELECT SUM(price), COUNT(*) FROM item WHERE price > 50", "ok"),
        ("SELECT id, RANDOM() FROM item", "nondeterministic"),
        ("SELECT nome FROM item", "fails"),
        ("SELECT name FROM", "fails"),
        ("SELECT 1; SELECT 2", "fails"),
        ("DELETE FROM item", "fails"),
        ("WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c WHERE x < 200000) SELECT x FROM c", "timeout"),
    ],
)
def test_golds_that_read(pool: Pool, dialect: str, gold: str, status: str) -> None:
    found = health(pool, item(gold, dialect=dialect))
    assert (found.status, found.healthy) == (status, status == "ok")
    assert bool(found.reason) == bool(found.advice) == (status != "ok")


@pytest.mark.parametrize("dialect", ["sqlite", "duckdb"])
@pytest.mark.parametrize(
    ("gold", "kinds"),
    [
        ("DELETE FROM item WHERE id = 1", set()),
        ("INSERT INTO item VALUES (4, 'box', 1)", set()),
        ("DELETE FROM item WHERE id = 9", {"nothing"}),
        ("UPDATE item SET price = 1 WHERE id = 9", {"nothing"}),
        ("DELETE FROM item", {"delete"}),
        ("DELETE FROM item WHERE id < 9", {"delete", "no_condition"}),
        ("DROP TABLE item", {"drop"}),
        ("UPDATE item SET price = NULL", {"update"}),
        ("UPDATE item SET price = 0 WHERE id < 9", {"update", "no_condition"}),
        ("UPDATE item SET price = 9 WHERE id < 9", {"no_condition"}),
        ("DELETE FROM item; DELETE FROM bin", {"delete_all"}),
    ],
)
def test_golds_that_write(pool: Pool, dialect: str, gold: str, kinds: set[str]) -> None:
    found = health(pool, item(gold, dialect=dialect, task="write"))
    assert set(found.blanket) == kinds
    vacuous = bool(kinds - {"no_condition"})
    assert found.status == ("vacuous_write" if vacuous else "ok")
    assert any("every row meets it" in note for note in found.notes) == (kinds == {"no_condition"})


@pytest.mark.parametrize(
    ("golds", "words"),
    [
        (["SELECT name FROM item ORDER BY price DESC LIMIT 1"], "its LIMIT keeps one of several rows"),
        (["SELECT GROUP_CONCAT(name) FROM item"], "depends on the order in which rows happen to lie"),
        (["SELECT name, DATE('now') FROM item"], "may change with the day"),
        (["SELECT COUNT(*) FROM item WHERE price > 50"], "tables without rows give the same answer"),
        (["SELECT name FROM item", "SELECT nome FROM item"], "gold 2 of 2: does not run: no such column"),
        (["SELECT name FROM item", "SELECT id FROM item", "SELECT name FROM item "], "gold 2 of 3: another answer"),
    ],
)
def test_what_is_only_worth_a_note(pool: Pool, golds: list[str], words: str) -> None:
    found = health(pool, item(*golds))
    assert found.status == "ok"
    assert any(words in note for note in found.notes), found.notes
    plain = health(pool, item("SELECT name FROM item ORDER BY id LIMIT 1"))
    assert plain.notes == ()


def test_the_order_of_rows_is_turned_in_duckdb_too(pool: Pool) -> None:
    found = health(pool, item("SELECT STRING_AGG(name, ',') FROM item", dialect="duckdb"))
    assert found.notes == ("its answer depends on the order in which rows happen to lie",)


def test_one_gold_of_several_that_tells_nothing_makes_the_item_tell_nothing(pool: Pool) -> None:
    found = health(pool, item("SELECT name FROM item", "SELECT MAX(id) FROM item WHERE id > 9"))
    assert found.status == "one_null"
    assert found.reason.startswith("gold 2 of 2: ")
    assert health(pool, item("SELECT nome FROM item", "SELECT nam FROM item")).status == "fails"


def test_items_without_a_database_or_with_a_broken_one(pool: Pool, tmp_path: Path) -> None:
    assert health(pool, item("SELECT 1", schema="")).status == "text_only"
    assert health(pool, item("nothing of the kind", schema="")).status == "unreadable"
    assert health(pool, item("SELECT 1", schema="CREATE TABLE t (")).status == "schema_fails"
    gone = health(pool, item("SELECT 1", db=str(tmp_path / "gone.sqlite")))
    assert gone.status == "schema_fails"
    assert "gone.sqlite" in gone.reason


def test_an_answer_that_kills_its_worker_does_not_take_the_inspection_with_it(pool: Pool) -> None:
    killer = "SELECT COUNT(*) FROM (WITH RECURSIVE c(x) AS (SELECT zeroblob(8000000) UNION ALL SELECT x FROM c) SELECT "
    killer += "hex(x) LIKE '%a%b%c%d%e%f%' AS y FROM c) WHERE y"
    golds = ["SELECT name FROM item WHERE id > 9", "SELECT MAX(id) FROM item WHERE id > 9"]
    job = Job("x", "sqlite", "read", Database(setup_sql=SCHEMA), golds, [killer], inspect=True)
    (reply,) = pool.run([job])
    assert [gold.status for gold in reply.golds] == ["ok", "ok"]
    assert reply.predictions[0].status in ("timeout", "limit")
    assert [found.all_null for found in reply.inspected] == [False, True]


def test_which_items_leave_the_headline() -> None:
    records = {status: Health(example_id=status, status=cast(Any, status), reason="r") for status in MEANING}
    assert set(excluded(records)) == {"no_rows", "one_null", "vacuous_write", "nondeterministic", "not_itself"}
    assert excluded(records)["no_rows"] == "no_rows: r"
    assert healthy_share(records.values()) == len(HEALTHY) / len(MEANING)
    assert set(ADVICE) | {"ok"} == set(MEANING)


def test_what_blanket_writes_get_right_is_counted() -> None:
    made = [
        Health(
            example_id="a", status="vacuous_write", task="write", blanket={"nothing": "", "delete": "DELETE FROM t"}
        ),
        Health(example_id="b", status="ok", task="write", blanket={"no_condition": "UPDATE t SET a = 1"}),
        Health(example_id="c", status="fails", task="write"),
        Health(example_id="d", status="ok", task="read"),
    ]
    scores = {score.kind: (score.right, score.of) for score in blanket_scores(made)}
    assert scores == dict.fromkeys(BLANKETS, (0, 2)) | {"nothing": (1, 2), "delete": (1, 2), "no_condition": (1, 2)}
    assert blanket_scores(made[2:]) == ()


class Untouched:
    """A pool that nobody may ask."""

    def run(self, jobs: object) -> object:
        raise AssertionError("the golds were looked at again")


def test_health_is_kept_for_the_very_same_items(pool: Pool, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SQLGAUGE_HEALTH_CACHE", str(tmp_path / "kept"))
    script = tmp_path / "x.sqlite"
    with sqlite3.connect(script) as connection:
        connection.executescript(SCHEMA)
    connection.close()
    examples = [item("SELECT name FROM item WHERE id = 1", db=str(script))]
    nobody = cast(Pool, Untouched())
    first = list(health_of(lambda: examples, pool))
    assert list(health_of(lambda: examples, nobody)) == first
    with pytest.raises(AssertionError, match="looked at again"):
        list(health_of(lambda: [replace(examples[0], golds=("SELECT 1",))], nobody))
    os.utime(script, ns=(1, 1))
    with pytest.raises(AssertionError, match="looked at again"):
        list(health_of(lambda: examples, nobody))
    list(health_of(lambda: examples, pool))
    for path in cache_folder().iterdir():
        path.write_bytes(b"{broken\n")
    assert list(health_of(lambda: examples, pool)) == first
    assert list(health_of(lambda: examples, nobody)) == first


def test_a_look_that_is_given_up_or_cannot_be_kept_leaves_nothing(
    pool: Pool, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("SQLGAUGE_HEALTH_CACHE", str(tmp_path / "kept"))
    examples = [item("SELECT name FROM item WHERE id = 1"), item("SELECT name FROM item WHERE id = 2")]
    given_up = health_of(lambda: examples, pool)
    first = next(given_up)
    cast("Generator[Health]", given_up).close()
    assert list((tmp_path / "kept").iterdir()) == []
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("SQLGAUGE_HEALTH_CACHE", str(tmp_path / "file" / "kept"))
    assert [one.status for one in health_of(lambda: examples, pool)] == [first.status] * 2


def test_the_page_and_the_summary_name_items_and_advice(pool: Pool) -> None:
    golds = ["SELECT name FROM item", "SELECT name FROM item WHERE id > 9", "SELECT nome | FROM item"]
    examples = tuple(replace(item(gold), id=f"<i{n}>|") for n, gold in enumerate(golds))
    dataset = Dataset(name="mine", split="test", examples=examples, licence="")
    found = list(check_examples(examples, pool))
    text, page = "\n".join(summary(dataset, found)), as_markdown(dataset, found)
    assert text.startswith("mine: 1 of 3 items are healthy (33.3%)")
    for status in ("no_rows", "fails"):
        assert ADVICE[status] in text
        assert ADVICE[status] in page
    assert "<i1>|" in text
    assert "| \\<i1\\>\\| | no\\_rows |" in page
    assert as_json(dataset, found)["statuses"] == {"ok": 1, "fails": 1, "no_rows": 1}


def shop_database(path: Path) -> Path:
    with sqlite3.connect(path) as connection:
        connection.executescript(
            "CREATE TABLE shelf (id INTEGER PRIMARY KEY, room TEXT, width REAL); "
            "INSERT INTO shelf (room, width) VALUES ('hall', 2), ('hall', 3.5), ('loft', 1); CREATE TABLE log (t TEXT)"
        )
    connection.close()
    return path


def test_a_draft_runs_and_is_healthy(pool: Pool, tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    out = tmp_path / "deep" / "mine.jsonl"
    assert all(one.healthy for one in draft_split(shop_database(tmp_path / "shop.sqlite"), out))
    rows = [json.loads(line) for line in out.read_text().splitlines()]
    assert [row["gold"] for row in rows] == [
        "SELECT COUNT(*) FROM shelf",
        "SELECT room, AVG(width) FROM shelf GROUP BY room",
        "SELECT COUNT(*) FROM shelf WHERE room = 'hall'",
    ]
    assert rows[0]["db"] == "../shop.sqlite"
    assert "sqlgauge validate" in rows[0]["_comment"]
    loaded = load_dataset(f"jsonl:{out}").examples
    assert [one.status for one in check_examples(loaded, pool)] == ["ok"] * 3
    with pytest.raises(UsageError, match="is there already"):
        draft_split(tmp_path / "shop.sqlite", out)


def test_a_draft_of_a_duckdb_file(tmp_path: Path) -> None:
    import duckdb

    path = tmp_path / "shop.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute("CREATE TABLE shelf (room TEXT, width DOUBLE)")
        connection.execute("INSERT INTO shelf VALUES ('hall', 2), ('hall', 3.5), ('loft', 1)")
    assert len(draft_split(path, tmp_path / "mine.jsonl")) == 3


def test_what_cannot_be_drafted_from_is_said(tmp_path: Path) -> None:
    empty, text = tmp_path / "empty.sqlite", tmp_path / "text.sqlite"
    with sqlite3.connect(empty) as connection:
        connection.execute("CREATE TABLE t (a INT)")
    connection.close()
    text.write_text("no database at all, whatever its name says" * 50)
    for path, words in ((empty, "no table has rows"), (text, "no readable SQLite"), (tmp_path / "no", "no such file")):
        with pytest.raises(DatasetError, match=words):
            draft_split(path, tmp_path / "out.jsonl")
    assert not (tmp_path / "out.jsonl").exists()


def statuses(dataset: Dataset, pool: Pool) -> dict[str, int]:
    return dict(Counter(one.status for one in check_examples(dataset.examples, pool)))


def test_the_embedded_splits_are_healthy(pool: Pool) -> None:
    assert statuses(load_dataset("builtin"), pool) == {"ok": 239, "vacuous_write": 1}


def test_gretel_fails_where_its_rows_say_so(pool: Pool, data_folder: Path) -> None:
    path = data_folder / "gretel" / "gretel_train_1000_with_context.jsonl"
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    examples = load_dataset(f"gretel:{path}").examples
    found = list(check_examples(examples, pool))
    assert Counter(one.status for one in found) == {
        "ok": 734, "schema_fails": 7, "fails": 23, "no_rows": 137, "one_null": 64, "vacuous_write": 35,
    }  # fmt: skip
    expected = {"ctx_fail": {"schema_fails"}, "sql_fail": {"fails"}}
    for row, example, one in zip(rows, examples, found, strict=True):
        if row["sqlite_error"] == "You can only execute one statement at a time." and example.task == "write":
            continue  # ours runs all statements of a gold that writes
        failing = expected.get(row["sqlite_status"], set())
        assert (one.status in ("schema_fails", "fails")) == bool(failing), (row, one)
        assert not failing or one.status in failing
    shares = {score.kind: score.right for score in blanket_scores(found)}
    assert shares == {"nothing": 32, "delete": 30, "delete_all": 29, "drop": 0, "update": 29, "no_condition": 33}


def test_spider_runs_whole_and_says_what_tells_nothing(pool: Pool, data_folder: Path) -> None:
    dataset = load_dataset(f"spider:{data_folder / 'spider_dev'}")
    found = list(check_examples(dataset.examples, pool))
    assert Counter(one.status for one in found) == {"ok": 933, "no_rows": 93, "one_null": 8}
    empty = {example.id for example in dataset.examples if example.group == "wta_1"}
    rest = [one for one in found if one.example_id not in empty]
    assert Counter(one.status for one in rest) == {"ok": 921, "no_rows": 49, "one_null": 2}
