"""Predictors that never look at a question, and golds as predictions, over every dataset that is here."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlglot import exp

from benchmark.datasets import load_dataset
from benchmark.health import excluded
from benchmark.metrics import score_records
from benchmark.sqlengine.parse import parse, reads_table
from benchmark.sqlengine.pool import Pool
from benchmark.sqlengine.sandbox.sqlite import schema_script
from benchmark.terms import Terms
from benchmark.types import Example, Generation
from benchmark.validate import check_examples

#: Each makes an answer from the name of a table that the gold reads, which is more than it could know.
BLIND: dict[str, Callable[[str], str]] = {
    "one NULL": lambda table: "SELECT NULL",
    "nothing": lambda table: "",
    "a delete": lambda table: f'DELETE FROM "{table}"',
    "a shadow without rows": lambda table: f'WITH "{table}" AS (SELECT 1 AS x WHERE 0) SELECT * FROM "{table}"',
    "a shadow of NULL": lambda table: f'WITH "{table}" AS (SELECT NULL AS x) SELECT x FROM "{table}"',
    "a shadow that counts 0": lambda table: f'WITH "{table}" AS (SELECT 1 WHERE 0) SELECT COUNT(*) FROM "{table}"',
    "a shadow that counts 1": lambda table: f'WITH "{table}" AS (SELECT 1) SELECT COUNT(*) FROM "{table}"',
    "a shadow that holds 2": lambda table: f'WITH "{table}" AS (SELECT 2 AS x) SELECT x FROM "{table}"',
    "a temporary table": lambda table: f'CREATE TEMP TABLE "{table}" AS SELECT 1 AS x; SELECT x FROM "{table}"',
    "0": lambda table: "SELECT 0",
    "1": lambda table: "SELECT 1",
}


@pytest.fixture(scope="module")
def pool() -> Iterator[Pool]:
    with Pool(2) as opened:
        yield opened


def table_of(example: Example) -> str:
    tree = parse(example.golds[0], example.dialect)
    return next((table.name for table in tree.find_all(exp.Table)), "t") if tree is not None else "t"


def defog(folder: Path) -> tuple[Example, ...]:
    """Items with several golds, each on a database file."""
    rows = [json.loads(line) for line in (folder / "questions.jsonl").read_text().splitlines()]
    files = {row["db_name"]: folder / "databases" / f"{row['db_name']}.sqlite" for row in rows}
    schemas = {name: schema_script(path) for name, path in files.items()}
    return tuple(
        Example(
            id=str(n), question=row["question"], schema_sql=schemas[row["db_name"]], dialect="sqlite",
            golds=tuple(row["gold_alternatives"]), group=row["db_name"], db=str(files[row["db_name"]]),
        )
        for n, row in enumerate(rows)
    )  # fmt: skip


def examples_of(name: str, folder: Path) -> tuple[Example, ...]:
    if name == "defog":
        return defog(folder / "defog")
    specs = {"spider": f"spider:{folder / 'spider_dev'}", "gretel": "gretel:" + str(
        folder / "gretel" / "gretel_train_1000_with_context.jsonl"), "gretel test": "gretel:" + str(
        folder / "gretel" / "gretel_test_20_with_context.jsonl")}  # fmt: skip
    return load_dataset(specs[name]).examples


def right(examples: list[Example], answers: Callable[[Example], list[str]], pool: Pool, policy: str) -> Counter[int]:
    """How many items each answer gets right by execution, by its place; items whose gold fails are left out."""
    items = ((one, [[Generation(example_id=one.id, text=text, finish_reason="stop", sample=n)
                     for n, text in enumerate(answers(one))]]) for one in examples)  # fmt: skip
    found: Counter[int] = Counter()
    for (scores,) in score_records(items, ["execution"], Terms(policy=policy, databases=0), pool):
        found.update(score.sample for score in scores if score.value == 1)
    return found


def blind_answers(example: Example) -> list[str]:
    table = table_of(example)
    return [make(table) for make in BLIND.values()]


def telling(examples: tuple[Example, ...], pool: Pool) -> list[Example]:
    """Items that read and can be scored, without those that leave the headline."""
    health = {one.example_id: one for one in check_examples(examples, pool)}
    left_out = excluded(health)
    return [one for one in examples if one.task == "read" and one.id not in left_out and health[one.id].status == "ok"]


@pytest.mark.parametrize("split", ["test", "train"])
def test_blind_answers_score_nothing_on_the_embedded_splits(pool: Pool, split: str) -> None:
    items = telling(load_dataset("builtin", split).examples, pool)
    assert len(items) == (204 if split == "test" else 1700)
    assert right(items, blind_answers, pool, "default") == {}


@pytest.mark.parametrize(("name", "n"), [("spider", 933), ("gretel", 656), ("gretel test", 10), ("defog", 312)])
def test_blind_answers_score_nothing_once_vacuous_items_are_out(
    pool: Pool, data_folder: Path, name: str, n: int
) -> None:
    items = telling(examples_of(name, data_folder), pool)
    assert len(items) == n
    assert right(items, blind_answers, pool, "default") == {}


def test_without_the_exclusion_they_would_score(pool: Pool, data_folder: Path) -> None:
    reads = [one for one in examples_of("gretel", data_folder) if one.task == "read"]
    found = right(reads, blind_answers, pool, "strict")
    assert {name: found[n] for n, name in enumerate(BLIND) if found[n]} == {
        "one NULL": 62, "a shadow without rows": 137, "a shadow of NULL": 62, "a shadow that counts 0": 13,
        "a shadow that counts 1": 30, "a shadow that holds 2": 26, "0": 13, "1": 30,
    }  # fmt: skip


@pytest.mark.parametrize(("name", "n"), [("spider", 972), ("gretel", 970), ("defog", 314)])
def test_golds_as_predictions_are_right(pool: Pool, data_folder: Path, name: str, n: int) -> None:
    examples = [one for one in examples_of(name, data_folder) if one.group != "wta_1"]
    for place in (0, -1):
        assert right(examples, lambda one, place=place: [one.golds[place]], pool, "default") == {0: n}


def test_builtin_golds_as_predictions_are_right(pool: Pool) -> None:
    assert right(list(load_dataset("builtin").examples), lambda one: [one.golds[0]], pool, "default") == {0: 240}


@pytest.mark.parametrize(
    ("sql", "reads"),
    [
        ("SELECT 1", False),
        ("SELECT a FROM (VALUES (1)) AS v(a)", False),
        ("WITH t AS (SELECT 1 AS a) SELECT a FROM t", False),
        ("WITH a AS (SELECT 1), b AS (SELECT * FROM a) SELECT * FROM b UNION SELECT 3", False),
        ("SELECT * FROM (WITH t AS (SELECT 1) SELECT * FROM t)", False),
        ("SELECT COUNT(*) FROM sqlite_master", False),
        ("WITH t AS (SELECT 1) SELECT * FROM main.t", True),
        ("WITH t AS (SELECT 1) SELECT * FROM t, u", True),
        ("WITH t AS (SELECT a FROM u) SELECT 1 FROM t", True),
        ("SELECT (SELECT COUNT(*) FROM x)", True),
        ("SELECT * FROM t WHERE a IN (WITH t AS (SELECT 1) SELECT * FROM t)", True),
        ("SELECT FROM WHERE", True),
    ],
)
def test_what_reads_a_table(sql: str, reads: bool) -> None:
    assert reads_table(sql, "sqlite") is reads


def test_a_constant_is_an_answer_only_where_the_gold_is_one(pool: Pool, shop: list[Example]) -> None:
    count = replace(shop[0], golds=("SELECT COUNT(*) FROM item",))
    constant = replace(shop[0], golds=("SELECT 3 AS n",))
    for policy, value in (("default", 0), ("subset", 0), ("strict", 1), ("spider", 1), ("bird", 1)):
        assert right([count], lambda one: ["SELECT 3"], pool, policy)[0] == value, policy
    assert right([constant], lambda one: ["SELECT 3"], pool, "default")[0] == 1
    items = [(count, [[Generation(example_id="a", text="SELECT 3", finish_reason="stop")]])]
    (((score,),),) = score_records(items, ["execution"], Terms(databases=0), pool)
    assert "reads no table" in score.evidence["reason"]
