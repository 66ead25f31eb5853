"""Files in columns of one's own: mapping, several golds, hints, dialects, databases."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import apsw
import pytest
from click.testing import CliRunner

from benchmark.datasets import load_dataset
from benchmark.datasets.table import mapped
from benchmark.errors import DatasetError, UsageError
from benchmark.rows import split_choices, with_choices
from sqlgauge.cli import cli

SCHEMA = "CREATE TABLE t (a INT); INSERT INTO t VALUES (1), (2)"
DEFOG = ("golds=gold_alternatives", "db=databases/{db_name}.sqlite", "group=db_name", "evidence=instructions",
         "tags.category=category")  # fmt: skip


def write(path: Path, rows: Sequence[Mapping[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def database(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    connection = apsw.Connection(str(path))
    connection.execute("CREATE TABLE item (id INT); INSERT INTO item VALUES (1)")
    connection.close()
    return path


def test_every_field_can_be_mapped(tmp_path: Path) -> None:
    row = {"no": 7, "utterance": "How many?", "ddl_text": SCHEMA, "right": "SELECT COUNT(*) FROM t",
           "also": ["SELECT COUNT(a) FROM t"], "system": "DuckDB", "area": "x", "knowledge": "a is never NULL",
           "level": "easy"}  # fmt: skip
    pairs = ["id=no", "question=utterance", "schema=ddl_text", "gold=right", "golds=also", "dialect=system",
             "group=area", "evidence=knowledge", "tags.hardness=level"]  # fmt: skip
    path = write(tmp_path / "q.jsonl", [row])
    (one,) = load_dataset(mapped(f"jsonl:{path}", pairs)).examples
    assert (one.id, one.question, one.schema_sql, one.group) == ("7", "How many?", SCHEMA, "x")
    assert one.golds == ("SELECT COUNT(*) FROM t", "SELECT COUNT(a) FROM t")
    assert (one.dialect, one.evidence, one.tags) == ("duckdb", "a is never NULL", {"hardness": "easy"})


@pytest.mark.parametrize(
    ("pairs", "message", "hint"),
    [
        (["qestion=a"], "a row has no 'qestion'", "'question'"),
        (["tag.level=a"], "a row has no 'tag.level'", ""),
        (["question"], "wants ours=theirs, not 'question'", "--map"),
        (["question=utterence"], "no column 'utterence'", "'utterance'"),
        (["db=x/{utterence}.sqlite"], "no column 'utterence'", "'utterance'"),
        (["tags.level=utterence"], "no column 'utterence'", "'utterance'"),
    ],
)
def test_a_mapping_that_does_not_fit_is_named(tmp_path: Path, pairs: list[str], message: str, hint: str) -> None:
    path = write(tmp_path / "q.jsonl", [{"utterance": "Q", "sql": "SELECT 1"}])
    with pytest.raises(UsageError, match=message) as caught:
        load_dataset(mapped(f"jsonl:{path}", pairs))
    assert hint in caught.value.hint


def test_datasets_with_known_columns_take_no_mapping() -> None:
    assert mapped("builtin", []) == "builtin"
    with pytest.raises(UsageError, match="--map is for files"):
        mapped("gretel:rows.csv", ["question=q"])


def test_an_ampersand_in_a_column_survives_the_spec_string(tmp_path: Path) -> None:
    path = tmp_path / "q.csv"
    with path.open("w", newline="") as handle:
        csv.writer(handle).writerows([["Q&A", "sql", "part"], ["One?", "SELECT 1", "x"], ["Two?", "SELECT 2", "y"]])
    spec = mapped(f"csv:{path}?part=y", ["question=Q&A"])
    assert [one.question for one in load_dataset(spec).examples] == ["Two?"]
    assert split_choices(with_choices("rows.csv", {"a&b": "c&&d"}))[1] == {"a&b": "c&&d"}


def test_several_golds_in_a_cell_of_text(tmp_path: Path) -> None:
    path = tmp_path / "q.csv"
    with path.open("w", newline="") as handle:
        rows = [["A?", '["SELECT 1", " SELECT 2 ", "SELECT 1"]'], ["B?", "[SELECT 3"]]
        csv.writer(handle).writerows([["question", "golds"], *rows])
    assert [one.golds for one in load_dataset(f"csv:{path}").examples] == [("SELECT 1", "SELECT 2"), ("[SELECT 3",)]


def test_a_list_that_is_named_replaces_a_gold_that_was_only_guessed(tmp_path: Path) -> None:
    path = write(tmp_path / "q.jsonl", [{"question": "A?", "answer": "forty-two", "queries": ["SELECT 42"]}])
    (one,) = load_dataset(f"jsonl:{path}?golds=queries").examples
    assert one.golds == ("SELECT 42",)


def test_a_database_file_lies_beside_the_questions_and_brings_its_schema(tmp_path: Path) -> None:
    place = database(tmp_path / "data" / "db" / "shop.sqlite")
    rows = [{"question": "How many?", "sql": "SELECT COUNT(*) FROM item", "db_path": "db/shop.sqlite", "name": "shop"}]
    path = write(tmp_path / "data" / "q.jsonl", rows)
    for spec in (f"jsonl:{path}", f"jsonl:{path}?db=db/{{name}}.sqlite"):
        (one,) = load_dataset(spec).examples
        assert (one.db, one.schema_sql) == (str(place), "CREATE TABLE item (id INT);")
    place.unlink()
    with pytest.raises(DatasetError, match=r"row 1: no database .*shop\.sqlite"):
        load_dataset(f"jsonl:{path}")


def test_the_verbs_take_mappings(tmp_path: Path) -> None:
    rows = [{"ask": f"How many? {n}", "right": f"SELECT COUNT(*) + {n} FROM t", "make": SCHEMA} for n in range(2)]
    path = write(tmp_path / "q.jsonl", rows)
    maps = ["--map", "question=ask", "--map", "gold=right", "--map", "schema=make"]
    run = ["run", "--model", "gold", "--dataset", f"jsonl:{path}", "--out", str(tmp_path / "runs"), "--quiet", *maps]
    done = CliRunner().invoke(cli, run)
    assert done.exit_code == 0, done.output
    assert "100.00%" in done.output
    done = CliRunner().invoke(cli, ["validate", f"jsonl:{path}", "--quiet", *maps])
    assert (done.exit_code, "2 of 2" in done.output) == (0, True), done.output
    compared = ["contamination", f"jsonl:{path}", f"jsonl:{path}", "--json", "--quiet", *maps]
    done = CliRunner().invoke(cli, compared)
    assert done.exit_code == 0, done.output
    assert json.loads(done.output)["kinds"]["exact"] == 2


def test_a_mapping_stands_in_a_configuration_file_too(tmp_path: Path) -> None:
    from sqlgauge import verbs

    path = write(tmp_path / "q.jsonl", [{"ask": "How many?", "right": "SELECT COUNT(*) FROM t", "make": SCHEMA}])
    file = tmp_path / "run.yaml"
    file.write_text("map: [question=ask, gold=right, schema=make]\n")
    plan = verbs.make_plan(config_file=file, model="gold", dataset=f"jsonl:{path}", out=str(tmp_path))
    assert plan.dataset.examples[0].question == "How many?"


def test_defog_by_mapping(data_folder: Path) -> None:
    spec = mapped(f"jsonl:{data_folder / 'defog' / 'questions.jsonl'}", DEFOG)
    dataset = load_dataset(spec)
    assert len(dataset.examples) == 314
    assert len({one.db for one in dataset.examples}) == len({one.group for one in dataset.examples}) == 11
    assert sum(len(one.golds) > 1 for one in dataset.examples) > 50
    assert sum(one.evidence is not None for one in dataset.examples) > 50
    assert all("CREATE TABLE" in one.schema_sql for one in dataset.examples)
