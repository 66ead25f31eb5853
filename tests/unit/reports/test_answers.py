"""The export: every format holds the same rows, whatever the texts hold, in an order of its own."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb
import pytest

from benchmark.errors import UsageError
from benchmark.store import RunFolder
from benchmark.types import Failure, Generation, Timing
from reports.answers import BATCH, export, make_plan, rows

HOSTILE = '=HYPERLINK("x"), a\n"b"; -- \0 é \U0001f600'


@pytest.fixture
def runs(make_run, score_list, verdict_list) -> list[RunFolder]:
    first = make_run(
        "a/b",
        score_list("execution", 1.0, 0.0, "timeout", "error") + score_list("exact", 1.0, 0.5, 0.0, "error"),
        judged=verdict_list("j", "correct", "unsure", None),
    )
    answers = [
        Generation(example_id="e0", text=HOSTILE, finish_reason="length", prompt_tokens=7, completion_tokens=3,
                   cost_usd=0.25, timing=Timing(seconds=1.5)),
        Generation(example_id="e1", sample=1, text="SELECT 2", finish_reason="stop"),
        Generation(example_id="e3", text="", finish_reason="error", error=Failure(type="E", message="m")),
    ]  # fmt: skip
    first.append_generations(answers)
    return [first, make_run("c", score_list("external:ex", 1.0), tags=(None, None))]


def read(path: Path) -> list[dict[str, Any]]:
    if path.suffix == ".jsonl":
        return [json.loads(line) for line in path.read_text().splitlines()]
    if path.suffix == ".csv":
        with path.open(newline="") as handle:
            return list(csv.DictReader(handle))
    with duckdb.connect(":memory:") as connection:
        cursor = connection.execute("SELECT * FROM read_parquet(?)", [str(path)])
        names = [column[0] for column in cursor.description or ()]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def test_a_row_an_answer_with_everything(runs: list[RunFolder], tmp_path: Path) -> None:
    found = export(runs, tmp_path / "out.jsonl")
    table = read(tmp_path / "out.jsonl")
    assert (found.rows, len(table)) == (5 + 2, 7), "one more sample in the first run, two examples in the second"
    assert [(row["run_id"], row["example_id"], row["sample"]) for row in table] == [
        ("run-0", "e0", 0), ("run-0", "e1", 0), ("run-0", "e1", 1), ("run-0", "e2", 0), ("run-0", "e3", 0),
        ("run-1", "e0", 0), ("run-1", "e1", 0),
    ]  # fmt: skip
    assert table[0] == {
        "run_id": "run-0", "model": "a/b", "example_id": "e0", "sample": 0, "question": "How many?", "group": "t0",
        "tag.complexity": "easy", "gold": "select 1", "text": HOSTILE, "sql": None, "extraction": "truncated",
        "finish_reason": "length", "prompt_tokens": 7, "completion_tokens": 3, "seconds": 1.5, "cost_usd": 0.25,
        "error": None, "score.exact": 1.0, "status.exact": "ok", "score.execution": 1.0, "status.execution": "ok",
        "score.external:ex": None, "status.external:ex": None, "judge.j": "correct",
    }  # fmt: skip
    assert (table[1]["score.exact"], table[1]["judge.j"], table[1]["sql"]) == (0.5, "unsure", "select 1")
    assert (table[2]["score.exact"], table[2]["sql"]) == (None, "SELECT 2"), "nobody scored this sample"
    assert (table[3]["score.execution"], table[3]["status.execution"], table[3]["judge.j"]) == (0.0, "timeout", None)
    assert (table[4]["score.execution"], table[4]["status.execution"], table[4]["error"]) == (None, "error", "E: m")
    assert (table[5]["tag.complexity"], table[5]["score.external:ex"]) == (None, 1.0)


def test_the_formats_agree(runs: list[RunFolder], tmp_path: Path) -> None:
    for kind in ("jsonl", "parquet", "csv"):
        export(runs, tmp_path / f"out.{kind}")
    expected = read(tmp_path / "out.jsonl")
    assert read(tmp_path / "out.parquet") == expected
    as_text = [{name: "" if cell is None else str(cell) for name, cell in row.items()} for row in expected]
    as_text[0]["text"] = "'" + HOSTILE
    assert read(tmp_path / "out.csv") == as_text


@pytest.mark.parametrize("kind", ["jsonl", "parquet", "csv"])
def test_the_same_runs_in_any_order_give_the_same_bytes(runs: list[RunFolder], tmp_path: Path, kind: str) -> None:
    export(runs, tmp_path / "one", kind)
    export([*runs[::-1], runs[0]], tmp_path / "two", kind)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


def test_tags_are_columns_whatever_their_name(make_run, tmp_path: Path) -> None:
    run = make_run()
    examples = [
        json.loads(line) | {"tags": {"a": "1", "A": "2", 'q"; DROP TABLE answers; --': "3"}}
        for line in (run.path / "examples.jsonl").read_text().splitlines()
    ]
    (run.path / "examples.jsonl").write_text("".join(json.dumps(one) + "\n" for one in examples))
    export([run], tmp_path / "out.parquet")
    row = read(tmp_path / "out.parquet")[0]
    assert (row["tag.A"], row["tag.a_2"], row['tag.q"; DROP TABLE answers; --']) == ("2", "1", "3")


def test_more_rows_than_a_batch(make_run, tmp_path: Path) -> None:
    n = 2 * BATCH + 1
    run = make_run(tags=["x"] * n, finish=["stop"] * n)
    assert export([run], tmp_path / "out.parquet").rows == n
    assert [row["example_id"] for row in read(tmp_path / "out.parquet")] == [f"e{number}" for number in range(n)]


def test_no_rows_is_a_table_too(make_run, tmp_path: Path) -> None:
    run = make_run(tags=(), finish=())
    for kind in ("jsonl", "parquet", "csv"):
        assert export([run], tmp_path / f"out.{kind}").rows == 0
        assert read(tmp_path / f"out.{kind}") == []


def test_rows_are_a_stream(runs: list[RunFolder]) -> None:
    stream = rows(make_plan(runs))
    assert next(stream)[2] == "e0"
    stream.close()  # type: ignore[attr-defined]


def test_two_runs_of_one_name_are_told_apart(make_run, tmp_path: Path) -> None:
    runs = [make_run(), make_run()]
    manifest = json.loads((runs[1].path / "manifest.json").read_text())
    (runs[1].path / "manifest.json").write_text(json.dumps({**manifest, "run_id": "run-0"}))
    export(runs, tmp_path / "out.jsonl")
    assert {row["run_id"] for row in read(tmp_path / "out.jsonl")} == {"run-0", "run-0 #2"}


def test_an_unknown_ending_and_a_folder_are_refused(runs: list[RunFolder], tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        export(runs, tmp_path / "out.xlsx")
    assert "--to" in caught.value.hint
    with pytest.raises(UsageError, match="is a folder"):
        export(runs, tmp_path, "csv")


def test_an_old_file_stays_when_something_fails(runs: list[RunFolder], tmp_path: Path) -> None:
    out = tmp_path / "out.csv"
    out.write_text("old")
    with (runs[1].path / "generations.jsonl").open("a") as handle:
        handle.write("broken\n")
    with pytest.raises(UsageError, match=r"generations\.jsonl"):
        export(runs, out)
    assert out.read_text() == "old"
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == ["out.csv"]


def test_equivalence_has_its_verdict_beside_it(make_run, score_list, tmp_path: Path) -> None:
    scores = [
        replace(score, evidence={"verdict": verdict} if verdict else {})
        for score, verdict in zip(
            score_list("equivalence", 1.0, 0.0, "timeout"), ("undecided", "different", None), strict=True
        )
    ]
    export([make_run("m", scores)], tmp_path / "a.jsonl")
    rows = [json.loads(line) for line in (tmp_path / "a.jsonl").read_text().splitlines()]
    found = [(row["score.equivalence"], row["status.equivalence"], row["verdict.equivalence"]) for row in rows]
    assert found == [(1.0, "ok", "undecided"), (0.0, "ok", "different"), (0.0, "timeout", None), (None, None, None)]
