"""Other people's tables: test splits in any columns, predictions with verdicts, and what becomes of both."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import duckdb
import pytest

from benchmark.datasets import load_dataset
from benchmark.errors import DatasetError, ModelUnavailable, UsageError
from benchmark.models import ModelOptions, open_model
from benchmark.models.file import FileModel, verdict
from benchmark.rows import split_choices
from benchmark.store import RunFolder
from benchmark.types import Example
from sqlgauge import verbs

Rows = Sequence[Mapping[str, Any]]
SCHEMA = "CREATE TABLE t (a INT); INSERT INTO t VALUES (1), (2)"


def write(path: Path, rows: Rows) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def opened(path: Path, examples: Sequence[Example], choices: str = "") -> FileModel:
    model = open_model(f"file/{path}{choices}", ModelOptions(), examples)
    assert isinstance(model, FileModel)
    return model


def external(model: FileModel) -> dict[tuple[str, str], float | None]:
    return {(score.metric, score.example_id): score.value for score in model.external}


def test_columns_are_found_by_their_usual_names(tmp_path: Path) -> None:
    rows = [
        {"question": "How many?", "gold_sql": "SELECT COUNT(*) FROM t", "context": SCHEMA, "db_id": "d", "level": 1},
        {"question": "Which?", "gold_sql": ["SELECT a FROM t", "SELECT t.a FROM t"], "context": SCHEMA, "db_id": "e"},
    ]
    dataset = load_dataset(f"jsonl:{write(tmp_path / 'q.jsonl', rows)}")
    first, second = dataset.examples
    assert (dataset.name, first.question, first.schema_sql) == ("jsonl:q.jsonl/test", "How many?", SCHEMA)
    assert (first.group, first.tags, first.dialect, first.task) == ("d", {"database": "d"}, "sqlite", "read")
    assert second.golds == ("SELECT a FROM t", "SELECT t.a FROM t")
    assert first.id != second.id
    assert first.id.startswith("h")


def test_columns_rows_and_dialect_can_be_chosen(tmp_path: Path) -> None:
    rows = [
        {"q": "A", "right": "SELECT 1", "part": "x", "level": 1, "n": 7, "where": "db/a.duckdb"},
        {"q": "B", "right": "DELETE FROM t", "part": "y", "level": None, "n": 8, "where": ""},
    ]
    path = write(tmp_path / "q.jsonl", rows)
    (tmp_path / "db").mkdir()
    with duckdb.connect(str(tmp_path / "db" / "a.duckdb")) as connection:
        connection.execute("CREATE TABLE t (a INTEGER)")
    choices = "question=q&gold=right&id=n&tags=level,part&db=where&dialect=duckdb"
    first, second = load_dataset(f"jsonl:{path}?{choices}").examples
    assert (first.id, first.tags, first.dialect) == ("7", {"level": "1", "part": "x"}, "duckdb")
    assert (first.db, second.db) == (str(tmp_path / "db" / "a.duckdb"), None)
    assert (first.schema_sql, second.schema_sql) == ("CREATE TABLE t(a INTEGER);", "")
    assert (second.task, second.tags, second.group) == ("write", {"part": "y"}, "8")
    assert [e.id for e in load_dataset(f"jsonl:{path}?{choices}&part=y").examples] == ["8"]


def test_csv_and_a_file_with_a_question_mark(tmp_path: Path) -> None:
    path = tmp_path / "odd?name=1.csv"
    with path.open("w", newline="") as handle:
        csv.writer(handle).writerows([["question", "sql"], ["A", "SELECT 1"]])
    assert load_dataset(f"csv:{path}").examples[0].golds == ("SELECT 1",)
    assert split_choices(str(path)) == (path, {})


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("jsonl:", "jsonl needs a file"),
        ("csv:{path}", "does not end in .csv"),
        ("jsonl:{path}?gold=sqll", "no column 'sqll'"),
        ("jsonl:{path}?tags=nope", "no column 'nope'"),
        ("jsonl:{path}?run=2", "no row with run=2"),
        ("jsonl:{path}?runn=1", "no column 'runn'"),
        ("jsonl:{path}?run", "cannot read"),
        ("jsonl:{path}?question=run", "row 1: no text in run"),
    ],
)
def test_what_does_not_fit_is_named(tmp_path: Path, spec: str, message: str) -> None:
    path = write(tmp_path / "q.jsonl", [{"question": "A", "sql": "SELECT 1", "run": 1}])
    with pytest.raises(UsageError, match=message):
        load_dataset(spec.format(path=path))


def test_a_row_without_a_gold_is_listed(tmp_path: Path) -> None:
    path = write(tmp_path / "q.jsonl", [{"question": "A", "sql": "SELECT 1"}, {"question": "B", "sql": " "}])
    with pytest.raises(DatasetError, match="row 2: no text in sql"):
        load_dataset(f"jsonl:{path}")


def test_verdicts_are_found_by_name_and_value(shop: list[Example], tmp_path: Path) -> None:
    rows = [
        {
            "id": key,
            "pred": "SELECT 1",
            "execution_match": ok,
            "correct": word,
            "executed": True,
            "exact_match": "maybe",
        }
        for key, ok, word in (("a", True, "yes"), ("b", False, "no"), ("c", None, "yes"))
    ]
    found = external(opened(write(tmp_path / "p.jsonl", rows), shop))
    assert found == {
        ("external:execution_match", "a"): 1.0,
        ("external:execution_match", "b"): 0.0,
        ("external:execution_match", "c"): None,
        ("external:correct", "a"): 1.0,
        ("external:correct", "b"): 0.0,
        ("external:correct", "c"): 1.0,
    }  # not 'executed', which is no verdict, nor 'exact_match', which holds none


def test_columns_of_predictions_can_be_chosen(shop: list[Example], tmp_path: Path) -> None:
    rows = [
        {"run": run, "key": key, "pred": "no", "raw": f"SELECT {run}", "ex": 1, "executed": key == "a"}
        for run in (1, 2)
        for key in "abc"
    ]
    path = write(tmp_path / "p.jsonl", rows)
    model = opened(path, shop, "?run=2&id=key&text=raw&verdicts=executed")
    assert external(model) == {("external:executed", key): float(key == "a") for key in "abc"}
    assert model._texts == dict.fromkeys("abc", "SELECT 2")
    assert opened(path, shop, "?run=2&id=key&verdicts=").external == ()
    with pytest.raises(ModelUnavailable, match="'raw' of item a is 'SELECT 1'"):
        opened(path, shop, "?run=1&id=key&verdicts=raw")
    with pytest.raises(ModelUnavailable, match="no column 'x'"):
        opened(path, shop, "?run=1&verdicts=x")
    with pytest.raises(ModelUnavailable, match="6 predictions without ids for 3 items"):
        opened(path, shop)


@pytest.mark.parametrize("value", ["maybe", 2, -0.1, [1], {}, "nan?"])
def test_what_is_no_verdict(value: object) -> None:
    with pytest.raises(ValueError):
        verdict(value)


def test_verdicts_become_scores_that_scoring_again_keeps(tmp_path: Path) -> None:
    rows = [
        {"question": f"Q{i}", "sql": "SELECT a FROM t", "schema": SCHEMA, "pred": "SELECT a FROM t", "ex": i > 0}
        for i in range(3)
    ]
    path = write(tmp_path / "p.jsonl", rows)
    config = {"model": f"file/{path}?text=pred", "dataset": f"jsonl:{path}", "out": str(tmp_path / "runs")}
    folder = verbs.run(**config)

    def values(metric: str) -> list[float | None]:
        return [score.value for score in RunFolder(folder.path).iter_scores() if score.metric == metric]

    assert values("external:ex") == [0.0, 1.0, 1.0]
    assert values("execution") == [1.0, 1.0, 1.0]
    verbs.score([folder.path], metrics=["exact"])
    assert values("external:ex") == [0.0, 1.0, 1.0]
    assert values("execution") == []
    before = (folder.path / "scores.jsonl").read_bytes()
    verbs.score([folder.path], metrics=["exact"])
    assert (folder.path / "scores.jsonl").read_bytes() == before
    verbs.run(**config)
    assert values("external:ex") == [0.0, 1.0, 1.0]


def test_items_without_a_database_are_never_executed(tmp_path: Path) -> None:
    rows = [{"question": "Q", "sql": "SELECT a FROM t WHERE b = 1", "pred": "SELECT  a FROM t WHERE b = 1"}]
    path = write(tmp_path / "p.jsonl", rows)
    folder = verbs.run(model=f"file/{path}?text=pred", dataset=f"jsonl:{path}", out=str(tmp_path / "runs"))
    assert {score.metric: (score.value, score.status) for score in folder.iter_scores()} == {
        "exact": (0.0, "ok"),
        "exact_ws": (1.0, "ok"),
        "ast": (1.0, "ok"),
    }


def test_the_wikisql_runs_keep_the_verdicts_they_came_with(data_folder: Path, tmp_path: Path) -> None:
    from reports.tables import build_board

    path = data_folder / "wikisql_qlora" / "predictions.jsonl"
    runs = ("baseline", "finetuned200", "finetuned1000", "finetuned6000")
    folders = [
        verbs.run(model=f"file/{path}?run={run}", dataset=f"jsonl:{path}?run={run}", out=str(tmp_path), name=run)
        for run in runs
    ]
    (table,) = build_board(folders).tables
    assert table.headline == "external:execution_match"
    assert {row.run_id: row.headline.value for row in table.rows} == dict(
        zip(runs, (0.398, 0.772, 0.818, 0.854), strict=True)
    )
    assert [str(row.rank) for row in table.rows] == ["1", "2", "3", "4"]
