"""validate, contamination and dataset from the command line, and the headline that a run shows."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from benchmark.health import excluded
from benchmark.store import RunFolder

SCHEMA = "CREATE TABLE item (id INT, name TEXT); INSERT INTO item VALUES (1, 'pen'), (2, 'ink')"
GOLDS = {
    "good": "SELECT name FROM item WHERE id = 1",
    "empty": "SELECT name FROM item WHERE id = 9",
    "null": "SELECT MAX(id) FROM item WHERE id = 9",
    "broken": "SELECT nome FROM item",
    "write": "DELETE FROM item WHERE id = 9",
}


def write(path: Path, rows: Sequence[Mapping[str, object]]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


@pytest.fixture
def questions(tmp_path: Path) -> Path:
    rows = [{"id": key, "question": f"{key}?", "gold": gold, "schema_sql": SCHEMA} for key, gold in GOLDS.items()]
    return write(tmp_path / "mine.jsonl", rows)


def test_validate_names_each_item_and_what_to_do(cli, questions: Path, tmp_path: Path) -> None:
    done = cli("validate", "jsonl:mine.jsonl", "--out", "health", check=4)
    assert "1 of 5 items are healthy (20.0%)" in done.stdout
    assert "broken: the gold does not run: no such column: nome" in done.stdout
    assert "write: it leaves the database as no write at all does" in done.stdout
    assert "Add rows that the gold finds" in done.stdout
    assert "90.0% are asked for" in done.stderr
    lines = [json.loads(line) for line in (tmp_path / "health" / "health.jsonl").read_text().splitlines()]
    assert {line["example_id"]: line["status"] for line in lines} == {
        "good": "ok", "empty": "no_rows", "null": "one_null", "broken": "fails", "write": "vacuous_write",
    }  # fmt: skip
    assert all(line["advice"] for line in lines if line["status"] != "ok")
    assert "Health of jsonl:mine.jsonl/test" in (tmp_path / "health" / "health.md").read_text()
    cli("validate", "jsonl:mine.jsonl", "--threshold", 0.2)
    assert cli("validate", "jsonl:mine.jsonl", "--limit", 1, "--quiet").stderr == ""


def test_validate_as_json(cli, questions: Path) -> None:
    found = json.loads(cli("validate", "jsonl:mine.jsonl", "--json", "--threshold", 0).stdout)
    assert (found["items"], found["healthy_share"]) == (5, 0.2)
    assert set(found["leave_the_headline"]) == {"empty", "null", "write"}
    assert {"kind": "nothing", "right": 1, "of": 1} in found["blanket_writes"]


def test_a_run_shows_its_headline_without_what_tells_nothing(cli, questions: Path, tmp_path: Path) -> None:
    answers = [{"id": key, "prediction": "SELECT NULL"} for key in GOLDS]
    write(tmp_path / "null.jsonl", answers)
    done = cli("run", "--model", "file/null.jsonl", "--dataset", "jsonl:mine.jsonl", "--name", "null", "--json")
    (summary,) = json.loads(done.stdout)
    assert summary["metrics"]["execution"]["value"] == 0.25  # the write that changes nothing
    assert (summary["headline"]["value"], summary["headline"]["n"]) == (0.0, 1)
    assert summary["headline"]["left_out"] == {"no_rows": 1, "one_null": 1, "vacuous_write": 1}
    run = RunFolder(tmp_path / "runs" / "null")
    assert set(excluded(run.health())) == {"empty", "null", "write"}
    (run.path / "health.jsonl").unlink()
    shown = cli("score", "runs").stdout
    assert "headline       0.00%" in shown
    assert "without items that tell nothing: 1 no_rows, 1 one_null, 1 vacuous_write" in shown
    assert set(excluded(run.health())) == {"empty", "null", "write"}


def test_a_drafted_split_is_healthy_and_its_golds_score_full_marks(cli, tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "shop.sqlite") as connection:
        connection.executescript(SCHEMA)
    connection.close()
    done = cli("dataset", "init", "shop.sqlite")
    assert "sqlgauge validate jsonl:shop_questions.jsonl" in done.stdout
    cli("validate", "jsonl:shop_questions.jsonl", "--threshold", 1)
    done = cli("run", "--model", "gold", "--dataset", "jsonl:shop_questions.jsonl", "--json")
    assert json.loads(done.stdout)[0]["headline"]["value"] == 1.0
    assert "is there already" in cli("dataset", "init", "shop.sqlite", check=2).stderr
    assert "no table has rows" not in done.stderr


def test_contamination_is_found_written_and_carried_into_a_run(cli, questions: Path, tmp_path: Path) -> None:
    cli("run", "--model", "gold", "--dataset", "jsonl:mine.jsonl", "--name", "tuned")
    write(tmp_path / "train.jsonl", [{"id": "t", "question": " GOOD? ", "gold": GOLDS["good"] + ";"}])
    done = cli("contamination", "jsonl:train.jsonl", "jsonl:mine.jsonl", "--out", "overlap", "--run", "runs/tuned")
    assert "1 of 5 items may have been seen (20.00%)" in done.stdout
    assert "good" in (tmp_path / "overlap" / "contamination.md").read_text()
    found = RunFolder(tmp_path / "runs" / "tuned").contamination()
    assert {key for key, one in found.items() if one.seen} == {"good"}
    assert len(found) == 5
    done = cli("contamination", "jsonl:train.jsonl", "jsonl:mine.jsonl", "--json", "--max-seen", 0, check=4)
    assert json.loads(done.stdout)["kinds"]["normal"] == 1
    assert "data.test_items=drop" in done.stderr
