"""Official folder layouts of Spider and BIRD, and gretel's revisions: which file is which split; what is refused."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import apsw
import pytest

from benchmark.datasets import Dataset, load_dataset, select
from benchmark.datasets.gretel import HUB_ID, REVISION, SPLITS, check_count
from benchmark.errors import DatasetError, UsageError
from benchmark.rows import read_rows

Rows = Sequence[Mapping[str, Any]]
DDL = "CREATE TABLE item (id INT, name TEXT);"


def database(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    connection = apsw.Connection(str(path))
    connection.execute(f"{DDL} INSERT INTO item VALUES (1, 'pen')")
    connection.close()


def spider_rows(*questions: str, db: str = "shop") -> Rows:
    return [{"db_id": db, "question": one, "query": "SELECT name FROM item", "sql": {}} for one in questions]


def put(path: Path, rows: Rows) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(rows))


@pytest.fixture
def spider(tmp_path: Path) -> Path:
    """Everything that Spider's download holds, and spider-realistic.json."""
    database(tmp_path / "database" / "shop" / "shop.sqlite")
    database(tmp_path / "test_database" / "hidden" / "hidden.sqlite")
    put(tmp_path / "dev.json", spider_rows("dev 0", "dev 1"))
    put(tmp_path / "test.json", [*spider_rows("test 0", db="hidden"), *spider_rows("test 1")])
    put(tmp_path / "train_spider.json", spider_rows("train 0", "train 1"))
    put(tmp_path / "train_others.json", spider_rows("other 0"))
    put(tmp_path / "spider-realistic.json", spider_rows("realistic 0"))
    (tmp_path / "tables.json").write_text("[]")
    return tmp_path


@pytest.mark.parametrize(
    ("split", "name", "questions"),
    [
        ("dev", "spider/dev", ["dev 0", "dev 1"]),
        ("test", "spider/test", ["test 0", "test 1"]),
        ("train", "spider/train", ["train 0", "train 1", "other 0"]),
        ("realistic", "spider/realistic", ["realistic 0"]),
    ],
)
def test_spiders_splits(spider: Path, split: str, name: str, questions: list[str]) -> None:
    dataset = load_dataset(f"spider:{spider}", split)
    assert (dataset.name, [one.question for one in dataset.examples]) == (name, questions)
    assert [one.id for one in dataset.examples] == [str(n) for n in range(len(questions))]
    assert {one.schema_sql for one in dataset.examples} == {DDL}


def test_spiders_test_split_uses_its_own_databases(spider: Path) -> None:
    first, second = load_dataset(f"spider:{spider}").examples
    assert first.db is not None
    assert second.db is not None
    assert Path(first.db).parts[-3:] == ("test_database", "hidden", "hidden.sqlite")
    assert Path(second.db).parts[-3:] == ("database", "shop", "shop.sqlite")


def test_without_a_test_file_test_means_dev_and_is_called_so(spider: Path) -> None:
    (spider / "test.json").unlink()
    (spider / "train_others.json").unlink()
    assert load_dataset(f"spider:{spider}").name == "spider/dev"
    assert len(load_dataset(f"spider:{spider}", "train").examples) == 2
    assert select(load_dataset(f"spider:{spider}"), sample=1, seed=3).name == "spider/dev@1:seed=3"


def bird_rows() -> Rows:
    return [
        {"question_id": 10 + n, "db_id": "shop", "question": f"bird {n} ", "evidence": evidence,
         "SQL": "SELECT name FROM item", "difficulty": level}
        for n, (evidence, level) in enumerate([("a pen is an item", "simple"), ("", "challenging")])
    ]  # fmt: skip


def test_birds_dev_split(tmp_path: Path) -> None:
    database(tmp_path / "dev_databases" / "shop" / "shop.sqlite")
    put(tmp_path / "dev.json", bird_rows())
    dataset = load_dataset(f"bird:{tmp_path}")
    first, second = dataset.examples
    assert (dataset.name, dataset.licence) == ("bird/dev", "CC BY-SA 4.0")
    assert (first.id, first.question, first.evidence, first.group) == ("10", "bird 0", "a pen is an item", "shop")
    assert (first.golds, first.tags) == (("SELECT name FROM item",), {"database": "shop", "complexity": "simple"})
    assert (second.id, second.evidence, second.schema_sql) == ("11", None, DDL)


def test_birds_evidence_is_in_the_prompt(tmp_path: Path) -> None:
    from benchmark.prompts import render

    database(tmp_path / "dev_databases" / "shop" / "shop.sqlite")
    put(tmp_path / "dev.json", bird_rows())
    first, second = load_dataset(f"bird:{tmp_path}").examples
    assert "Hint: a pen is an item" in render(first).messages[0].content
    assert "Hint" not in render(second).messages[0].content


def test_birds_mini_dev_and_train(tmp_path: Path) -> None:
    database(tmp_path / "dev_databases" / "shop" / "shop.sqlite")
    put(tmp_path / "mini_dev_sqlite.json", bird_rows())
    for split in ("test", "mini_dev"):
        assert load_dataset(f"bird:{tmp_path}", split).name == "bird/mini_dev"
    with pytest.raises(DatasetError, match=r"no such file: .*dev\.json or .*dev/dev\.json"):
        load_dataset(f"bird:{tmp_path}", "dev")
    database(tmp_path / "train" / "train_databases" / "shop" / "shop.sqlite")
    train = [{key: row[key] for key in ("db_id", "question", "evidence", "SQL")} for row in bird_rows()]
    put(tmp_path / "train" / "train.json", train)
    dataset = load_dataset(f"bird:{tmp_path}", "train")
    assert (dataset.name, [one.id for one in dataset.examples]) == ("bird/train", ["0", "1"])


@pytest.mark.parametrize(
    ("spec", "split", "message"),
    [
        ("bird:", "test", "bird needs a folder"),
        ("spider:", "dev", "spider needs a folder"),
        ("spider:{folder}", "realistc", "no split 'realistc'"),
        ("bird:{folder}", "test", "no such file"),
        ("gretel@:{folder}", "test", "names no revision"),
        ("gretel@abc:{folder}", "test", "names no revision"),
        ("builtin@abc", "test", "names no revision"),
    ],
)
def test_what_is_not_there_is_named(tmp_path: Path, spec: str, split: str, message: str) -> None:
    with pytest.raises(UsageError, match=message) as caught:
        load_dataset(spec.format(folder=tmp_path), split)
    assert caught.value.hint


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda row: row.pop("SQL"), "row 1: no text in SQL"),
        (lambda row: row.update(question=" "), "row 1: no text in question"),
        (lambda row: row.update(db_id="shopp"), "row 1: no database .*shopp"),
    ],
)
def test_a_broken_row_of_bird_is_listed(
    tmp_path: Path, change: Callable[[dict[str, Any]], object], message: str
) -> None:
    database(tmp_path / "dev_databases" / "shop" / "shop.sqlite")
    rows = [dict(row) for row in bird_rows()]
    change(rows[1])
    put(tmp_path / "dev.json", rows)
    with pytest.raises(DatasetError, match=message):
        load_dataset(f"bird:{tmp_path}")


def test_spider_dev_by_its_official_layout(data_folder: Path) -> None:
    dataset = load_dataset(f"spider:{data_folder / 'spider_dev'}", "dev")
    assert (dataset.name, len(dataset.examples)) == ("spider/dev", 1034)
    assert len({one.db for one in dataset.examples}) == 20
    assert dataset.fingerprint == load_dataset(f"spider:{data_folder / 'spider_dev'}").fingerprint


class HubRows(list[dict[str, str]]):
    """Rows as the package `datasets` hands them out."""

    column_names = ("id", "sql_prompt", "sql_context", "sql", "sql_explanation")

    def select_columns(self, columns: list[str]) -> list[dict[str, str]]:
        return [{column: row[column] for column in columns} for row in self]


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """A Hub whose split has as many rows as `rows` says; it keeps what it was asked for."""
    asked: dict[str, Any] = {"rows": 3}

    def load(name: str, *, split: str, revision: str) -> HubRows:
        asked.update(name=name, split=split, revision=revision)
        rows = ({"id": str(n), "sql_prompt": "q", "sql_context": "CREATE TABLE t (a INT)", "sql": "SELECT 1",
                 "sql_explanation": "because"} for n in range(asked["rows"]))  # fmt: skip
        return HubRows(rows)

    package = ModuleType("datasets")
    package.load_dataset = load  # type: ignore[attr-defined]
    package.exceptions = ModuleType("exceptions")  # type: ignore[attr-defined]
    package.exceptions.DatasetsError = KeyError  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "datasets", package)
    return asked


def test_the_default_revision_must_have_its_rows(hub: dict[str, Any]) -> None:
    with pytest.raises(DatasetError, match=r"has 3 rows here and 5,851 where it was published"):
        load_dataset("gretel")
    assert (hub["name"], hub["split"], hub["revision"]) == (HUB_ID, "test", REVISION)
    hub["rows"] = SPLITS["test"]
    dataset = load_dataset("gretel")
    assert (dataset.name, len(dataset.examples)) == ("gretel/test", 5851)
    assert select(dataset, sample=300, seed=2024).name == "gretel/test@300:seed=2024"


def test_another_revision_is_asked_for_and_named(hub: dict[str, Any]) -> None:
    dataset: Dataset = load_dataset("gretel@refs/convert/parquet", "train")
    assert (hub["split"], hub["revision"]) == ("train", "refs/convert/parquet")
    assert (dataset.name, len(dataset.examples)) == ("gretel@refs/convert/parquet/train", 3)
    assert load_dataset(f"gretel@{'a1' * 20}").name == "gretel@a1a1a1a1/test"
    check_count(7, "test", "main")


def test_of_parquet_only_what_is_needed_is_read_and_a_wrong_column_still_finds_its_neighbour(tmp_path: Path) -> None:
    import duckdb

    columns = "1 AS id, 'd' AS domain, 'c' AS sql_complexity, 't' AS sql_task_type, 'q' AS sql_prompt, 'x' AS sql"
    for name, context in (("good", "sql_context"), ("bad", "sql_contxt")):
        query = f"SELECT {columns}, 'CREATE TABLE t (a INT)' AS {context}, repeat('x', 99) AS sql_explanation"
        duckdb.sql(f"COPY ({query}) TO '{tmp_path / name}.parquet' (FORMAT parquet)")
    wanted = ("sql_prompt", "sql_context", "sql")
    assert read_rows(tmp_path / "good.parquet", wanted) == [
        {"sql_prompt": "q", "sql_context": "CREATE TABLE t (a INT)", "sql": "x"}
    ]
    assert load_dataset(f"gretel:{tmp_path / 'good.parquet'}").examples[0].tags["task_type"] == "t"
    with pytest.raises(DatasetError, match="lacks the columns sql_context") as caught:
        load_dataset(f"gretel:{tmp_path / 'bad.parquet'}")
    assert "'sql_contxt'" in caught.value.hint
