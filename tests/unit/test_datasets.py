"""Datasets: what is refused and how it is said, fingerprints, samples, and what task a gold sets."""

from __future__ import annotations

import csv
import json
import os
import random
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from benchmark.datasets import Dataset, load_dataset, select
from benchmark.datasets.builtin import FINGERPRINT
from benchmark.datasets.gretel import examples_from_rows, task_of
from benchmark.errors import DatasetError, UnknownName, UsageError
from benchmark.sqlengine.pool import Pool
from benchmark.sqlengine.protocol import Database, Job
from benchmark.types import Example

Row = dict[str, Any]


def row(number: int, **changes: object) -> Row:
    return {
        "id": number,
        "domain": "fishing" if number % 2 else "forestry",
        "sql_complexity": "basic SQL",
        "sql_task_type": "data retrieval",
        "sql_prompt": f"How many boats, “{number}”,\nare there?",
        "sql_context": "CREATE TABLE boats (name TEXT);\nINSERT INTO boats VALUES ('O''Hara, \"the\" é');",
        "sql": f"SELECT count(*) FROM boats WHERE name <> '{number}';",
        **changes,
    }


ROWS = [row(number) for number in range(1, 13)]


def write(path: Path, rows: list[Row]) -> Path:
    """Rows as a file of the kind that the path's ending names."""
    if path.suffix == ".jsonl":
        path.write_text("\n".join(json.dumps(one) for one in rows) + "\n\n", encoding="utf-8")
    elif path.suffix == ".json":
        path.write_text(json.dumps(rows, ensure_ascii=False), encoding="utf-8")
    elif path.suffix == ".csv":
        with path.open("w", encoding="utf-8", newline="") as handle:
            writer = csv.DictWriter(handle, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
    else:
        import duckdb

        source = write(path.with_suffix(".json"), rows)
        duckdb.sql(f"COPY (SELECT * FROM read_json('{source}')) TO '{path}' (FORMAT parquet)")
    return path


def load(path: Path) -> Dataset:
    return load_dataset(f"gretel:{path}")


@pytest.mark.parametrize("ending", ["json", "csv", "parquet"])
def test_every_format_gives_the_same_fingerprint(tmp_path: Path, ending: str) -> None:
    expected = load(write(tmp_path / "rows.jsonl", ROWS))
    found = load(write(tmp_path / f"rows.{ending}", ROWS))
    assert found.examples == expected.examples
    assert found.fingerprint == expected.fingerprint


def test_rows_are_taken_as_they_are(tmp_path: Path) -> None:
    first = load(write(tmp_path / "rows.csv", ROWS)).examples[0]
    assert first == Example(
        id="1",
        question=ROWS[0]["sql_prompt"],
        schema_sql=ROWS[0]["sql_context"],
        golds=(ROWS[0]["sql"],),
        dialect="sqlite",
        group="fishing",
        tags={"domain": "fishing", "complexity": "basic SQL", "task_type": "data retrieval"},
    )


def test_the_order_of_the_file_does_not_change_the_fingerprint(tmp_path: Path) -> None:
    shuffled = list(ROWS)
    random.Random(5).shuffle(shuffled)
    one, other = load(write(tmp_path / "a.jsonl", ROWS)), load(write(tmp_path / "b.jsonl", shuffled))
    assert one.examples != other.examples
    assert one.fingerprint == other.fingerprint
    assert one.fingerprint.startswith("sha256:")


@pytest.mark.parametrize("column", ["id", "domain", "sql_complexity", "sql_prompt", "sql_context", "sql"])
def test_any_change_changes_the_fingerprint(column: str) -> None:
    def fingerprint(rows: list[Row]) -> str:
        return Dataset(name="n", split="test", examples=examples_from_rows(rows, "rows"), licence="").fingerprint

    changed = [*ROWS[:-1], {**ROWS[-1], column: "SELECT 1"}]
    assert fingerprint(changed) != fingerprint(ROWS)
    assert fingerprint(ROWS[:-1]) != fingerprint(ROWS)


def test_ids_made_from_the_content(tmp_path: Path) -> None:
    bare = [{key: value for key, value in one.items() if key != "id"} for one in ROWS]
    forward, back = load(write(tmp_path / "a.csv", bare)), load(write(tmp_path / "b.csv", bare[::-1]))
    assert {one.id for one in forward.examples} == {one.id for one in back.examples}
    assert len({one.id for one in forward.examples}) == len(ROWS)


def test_missing_columns_are_named_with_the_nearest(tmp_path: Path) -> None:
    rows = [{"id": 1, "sql_promt": "q", "context": "c", "sql": "SELECT 1"}]
    with pytest.raises(DatasetError, match="lacks the columns sql_prompt, sql_context") as caught:
        load(write(tmp_path / "rows.jsonl", rows))
    assert "'sql_promt'" in caught.value.hint


def test_broken_rows_are_listed_with_their_numbers(tmp_path: Path) -> None:
    rows = [row(1), row(2, sql=""), row(3, sql_context=None), row(4, sql_prompt=7), row(5, sql=" \n "), row(6)]
    with pytest.raises(DatasetError) as caught:
        load(write(tmp_path / "rows.jsonl", rows))
    assert [line.strip() for line in str(caught.value).splitlines()[1:]] == [
        "row 2: column sql is empty",
        "row 3: column sql_context is empty",
        "row 4: column sql_prompt is not a text",
        "row 5: column sql is empty",
    ]


def test_many_broken_rows_are_counted(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"has 9 broken rows(.|\n)*\.\.\. and 4 more"):
        load(write(tmp_path / "rows.jsonl", [row(number, sql="") for number in range(9)]))


@pytest.mark.parametrize("line", ["{broken", "[1]", '"text"', '{"id": 1'])
def test_broken_json_lines_are_listed(tmp_path: Path, line: str) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text(f"{json.dumps(row(1))}\n{line}\n{json.dumps(row(2))}\n")
    with pytest.raises(DatasetError, match=r"rows\.jsonl has 1 broken rows:\n  row 2: "):
        load(path)


def test_csv_rows_with_stray_commas_are_listed(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text("sql_prompt,sql_context,sql\nq,c,SELECT 1\nq,c,SELECT a, b\nq,c\n")
    with pytest.raises(DatasetError, match="row 2: more cells than the header"):
        load(path)
    path.write_text("sql_promt,sql\nq,SELECT 1, 2\n")
    with pytest.raises(DatasetError, match="row 1: more cells than the header"):
        load(path)
    path.write_text("sql_prompt,sql_context,sql\nq,c\n")
    with pytest.raises(DatasetError, match="row 1: column sql is empty"):
        load(path)


@pytest.mark.parametrize(
    ("name", "body", "message"),
    [
        ("rows.jsonl", b"", "no rows in split"),
        ("rows.csv", b"", "no rows in split"),
        ("rows.json", b"{}", "Expected `array`"),
        ("rows.json", b"[1]", "Expected `object`"),
        ("rows.parquet", b"PAR1", "rows.parquet"),
        ("rows.csv", b"sql_prompt,sql\n\xff\xfe,x\n", "utf-8"),
        ("rows.xlsx", b"", "cannot read '.xlsx' files"),
    ],
)
def test_files_that_cannot_be_read(tmp_path: Path, name: str, body: bytes, message: str) -> None:
    path = tmp_path / name
    path.write_bytes(body)
    with pytest.raises(DatasetError, match=message) as caught:
        load(path)
    assert caught.value.hint
    assert caught.value.exit_code == 2


def test_names_that_do_not_exist(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="no such file"):
        load(tmp_path / "none.jsonl")
    with pytest.raises(DatasetError, match="no such file"):
        load(tmp_path)
    with pytest.raises(UnknownName, match="unknown dataset 'gretl'") as caught:
        load_dataset("gretl")
    assert "'gretel'" in caught.value.hint
    with pytest.raises(DatasetError, match="no split 'validation'"):
        load_dataset("builtin", "validation")
    with pytest.raises(DatasetError, match="no split 'validation'"):
        load_dataset("gretel", "validation")
    with pytest.raises(UsageError, match="takes no path"):
        load_dataset("builtin:rows.csv")


def test_repeated_ids_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="the id '3' more than once"):
        load(write(tmp_path / "rows.jsonl", [*ROWS, row(13, id=3)]))


def test_builtin() -> None:
    dataset = load_dataset("builtin")
    assert dataset.fingerprint == FINGERPRINT
    assert (dataset.name, len(dataset.examples), dataset.licence) == ("builtin/test", 240, "Apache-2.0")
    assert len({example.group for example in dataset.examples}) >= 24


def test_a_sample_depends_on_seed_and_ids_alone() -> None:
    dataset = load_dataset("builtin")
    drawn = select(dataset, sample=10, seed=2024)
    assert [one.id for one in drawn.examples] == ["50", "69", "92", "97", "99", "122", "184", "220", "227", "235"]
    assert drawn.name == "builtin/test@10:seed=2024"
    backwards = replace(dataset, examples=dataset.examples[::-1])
    assert {one.id for one in select(backwards, sample=10, seed=2024).examples} == {one.id for one in drawn.examples}
    other = select(dataset, sample=10, seed=2025)
    assert [one.id for one in other.examples] == ["4", "30", "107", "111", "126", "131", "147", "154", "194", "231"]


def test_a_larger_sample_holds_the_smaller_one() -> None:
    dataset = load_dataset("builtin")
    ten = {one.id for one in select(dataset, sample=10, seed=2024).examples}
    thirty = {one.id for one in select(dataset, sample=30, seed=2024).examples}
    assert ten < thirty
    assert len(thirty) == 30
    everything = select(dataset, sample=1000)
    assert everything.examples == dataset.examples
    assert everything.name == "builtin/test@240:seed=0"


def test_limit_takes_the_first_ones() -> None:
    dataset = load_dataset("builtin")
    assert select(dataset).examples == dataset.examples
    assert select(dataset).name == dataset.name
    few = select(dataset, limit=3)
    assert few.examples == dataset.examples[:3]
    assert few.name == "builtin/test@first3"
    assert select(dataset, limit=240).name == dataset.name
    assert len({select(dataset, limit=3).fingerprint, dataset.fingerprint}) == 2


@pytest.mark.parametrize(("limit", "sample"), [(0, None), (-1, None), (None, 0), (None, -3)])
def test_less_than_one_row_is_an_error(limit: int | None, sample: int | None) -> None:
    with pytest.raises(UsageError, match="1 or more"):
        select(load_dataset("builtin"), limit=limit, sample=sample)


def test_where() -> None:
    dataset = load_dataset("builtin")
    chosen = select(dataset, where=["complexity=basic SQL", "task_type=data retrieval"])
    assert chosen.name == "builtin/test[complexity=basic SQL][task_type=data retrieval]"
    assert 0 < len(chosen.examples) < 51
    assert all(one.tags["complexity"] == "basic SQL" for one in chosen.examples)
    assert all(one.tags["task_type"] == "data retrieval" for one in chosen.examples)
    drawn = select(dataset, where=["complexity=CTEs"], sample=5, limit=2)
    assert drawn.name == "builtin/test[complexity=CTEs]@5:seed=0@first2"
    assert all(one.tags["complexity"] == "CTEs" for one in drawn.examples)


@pytest.mark.parametrize(
    ("condition", "message", "hint"),
    [
        ("complexity", "wants tag=value, not 'complexity'", "Tags: complexity, domain, task_type."),
        ("complexty=CTEs", "no tag 'complexty'", "'complexity'"),
        ("complexity=ctes", "leaves no row", ""),
    ],
)
def test_where_errors(condition: str, message: str, hint: str) -> None:
    with pytest.raises(UsageError, match=message) as caught:
        select(load_dataset("builtin"), where=[condition])
    assert hint in caught.value.hint


@pytest.mark.parametrize(
    "gold",
    [
        "SELECT 1",
        "  \n select a from t",
        "-- DELETE FROM t\nSELECT 1",
        "/* update */ (SELECT 1) UNION (SELECT 2)",
        "VALUES (1)",
        "SELECT 'DELETE FROM t'",
        "WITH c AS (SELECT 'insert' AS x) SELECT x FROM c",
        "WITH c AS (SELECT 1 AS x) SELECT REPLACE(x, 'a', 'b') FROM c",
        'WITH c AS (SELECT 1 AS "delete") SELECT "delete" FROM c',
        'WITH ")" AS (SELECT 1) SELECT * FROM ")"',
        "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT x FROM n",
        "SELECT updated, deleted FROM t",
        "WITH c AS (SELECT 1) SELECT deleted FROM c, updates",
    ],
)
def test_golds_that_read(gold: str) -> None:
    assert task_of(gold) == "read"


@pytest.mark.parametrize(
    "gold",
    [
        "INSERT INTO t VALUES (1)",
        "insert into t select 1",
        "UPDATE t SET a = (SELECT 1)",
        "DELETE FROM t",
        "REPLACE INTO t VALUES (1)",
        "CREATE TABLE t (a INT)",
        "CREATE VIEW v AS SELECT 1",
        "DROP TABLE t",
        "ALTER TABLE t ADD COLUMN b INT",
        "-- SELECT\nDELETE FROM t",
        "/* SELECT\n1 */ DELETE FROM t",
        "WITH c AS (SELECT 1) DELETE FROM t WHERE a IN (SELECT * FROM c)",
        "WITH c AS (SELECT 1) INSERT INTO t SELECT * FROM c",
        "WITH c(x) AS (VALUES (1)) UPDATE t SET a = (SELECT x FROM c)",
        "WITH c AS (SELECT ')') REPLACE INTO t SELECT * FROM c",
    ],
)
def test_golds_that_write(gold: str) -> None:
    assert task_of(gold) == "write"


@pytest.fixture(scope="module")
def gretel() -> Dataset:
    """Twenty rows of the real test split."""
    data = os.environ.get("SQLGAUGE_DATA")
    if not data:
        pytest.skip("SQLGAUGE_DATA is not set: it names the folder that holds gretel/gretel_test_20_with_context.jsonl")
    return load(Path(data, "gretel", "gretel_test_20_with_context.jsonl"))


def test_gretel_rows(gretel: Dataset) -> None:
    assert gretel.name == "gretel:gretel_test_20_with_context.jsonl/test"
    assert len(gretel.examples) == 20
    assert [one.id for one in gretel.examples[:3]] == ["3235", "2876", "112"]
    assert {one.group for one in gretel.examples} == {"finance", "financial services"}
    assert all({"domain", "complexity", "task_type"} == set(one.tags) for one in gretel.examples)


def test_gretel_golds_run_as_the_data_says(gretel: Dataset) -> None:
    """The file records how each gold ended in SQLite when it was collected."""
    data = Path(os.environ["SQLGAUGE_DATA"], "gretel", "gretel_test_20_with_context.jsonl")
    recorded = [json.loads(line)["sqlite_status"] for line in data.read_text().splitlines()]
    jobs = [
        Job(one.id, one.dialect, one.task, Database(one.schema_sql), list(one.golds), []) for one in gretel.examples
    ]
    with Pool(1) as pool:
        replies = list(pool.run(jobs))
    ran = [reply.setup.status == "ok" and reply.golds[0].status == "ok" for reply in replies]
    assert ran == [status.startswith("ok") for status in recorded]


def spider_folder(folder: Path) -> Path:
    """A folder in Spider's layout with one database and two questions."""
    import apsw

    place = folder / "database" / "shop's"
    place.mkdir(parents=True)
    connection = apsw.Connection(str(place / "shop's.sqlite"))
    connection.execute("CREATE TABLE item (id INT, name TEXT); INSERT INTO item VALUES (1, 'pen')")
    connection.close()
    rows = [{"db_id": "shop's", "question": f"Question {i}? ", "query": "SELECT name FROM item"} for i in range(2)]
    (folder / "dev.json").write_text(json.dumps(rows))
    return folder


def test_spider_reads_its_folder(tmp_path: Path) -> None:
    dataset = load_dataset(f"spider:{spider_folder(tmp_path)}")
    assert dataset.name == "spider/dev"
    assert [example.question for example in dataset.examples] == ["Question 0?", "Question 1?"]
    first = dataset.examples[0]
    assert (first.schema_sql, first.group) == ("CREATE TABLE item (id INT, name TEXT);", "shop's")
    assert first.db is not None
    assert Path(first.db).is_file()


def test_spiders_fingerprint_is_its_content_and_not_its_place(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        spider_folder(tmp_path / name)
    one, two = (load_dataset(f"spider:{tmp_path / name}") for name in ("one", "two"))
    assert one.fingerprint == two.fingerprint
    database = tmp_path / "two" / "database" / "shop's" / "shop's.sqlite"
    database.write_bytes(database.read_bytes().replace(b"pen", b"ink"))
    assert two.fingerprint != one.fingerprint


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda folder: (folder / "dev.json").write_text('[{"db_id": "x", "question": "?", "query": "SELECT 1"}]'),
            "no database",
        ),
        (lambda folder: (folder / "dev.json").write_text('[{"db_id": "x"}]'), "question, query"),
        (lambda folder: (folder / "dev.json").unlink(), "no such file"),
        (lambda folder: (folder / "database" / "shop's" / "shop's.sqlite").write_bytes(b"x" * 200), "no readable"),
    ],
)
def test_a_broken_spider_folder_says_what_is_wrong(
    tmp_path: Path, change: Callable[[Path], object], message: str
) -> None:
    change(spider_folder(tmp_path))
    with pytest.raises(DatasetError, match=message):
        load_dataset(f"spider:{tmp_path}")
