"""What fuzzing and soaking found, kept as it was found, shrunk."""

from __future__ import annotations

import re
import time
from dataclasses import replace
from pathlib import Path

import pytest

from benchmark.config import make_config
from benchmark.datasets import load_dataset
from benchmark.errors import SqlgaugeError, UsageError
from benchmark.extract import extract
from benchmark.metrics import score_records
from benchmark.runner import execute, plan
from benchmark.sqlengine.parse import parse, split_statements
from benchmark.sqlengine.pool import Pool
from benchmark.store import RunFolder
from benchmark.terms import Terms
from benchmark.types import Example, Generation
from benchmark.verify import verify_run
from judges.parse import MOST_BRACES, UnreadableVerdict, parse_verdict
from reports.tables import build_board
from sqlgauge.summary import summarise


@pytest.mark.parametrize("text", ["`" * 1_000_000, "/*\n" * 300_000, "<think>" * 140_000])
def test_an_answer_that_a_pattern_went_over_again_and_again(text: str) -> None:
    """A million backticks took more than 100 s to look through; comments without an end half a minute."""
    began = time.process_time()
    assert extract("1", text, "stop").sql is None
    assert time.process_time() - began < 5


@pytest.mark.parametrize("text", ['{"verdict":' * 30_000, "{" * 1_000_000])
def test_braces_without_end_are_no_verdict_and_cost_no_time(text: str) -> None:
    """30,000 of them took 11 s."""
    began = time.process_time()
    with pytest.raises(UnreadableVerdict, match="too many braces"):
        parse_verdict(text)
    assert time.process_time() - began < 5


def test_a_verdict_after_as_many_braces_as_a_judge_may_write_is_read() -> None:
    assert parse_verdict("{ " * MOST_BRACES + '{"verdict": "correct"}').label == "correct"


def test_half_a_character_in_a_schema() -> None:
    example = Example(id="1", question="q", schema_sql="\ud800", golds=("SELECT 1",), dialect="sqlite", group="g")
    said = Generation(example_id="1", text="SELECT 1", finish_reason="stop")
    with Pool(1) as pool:
        ((scores,),) = score_records([(example, [[said]])], ["execution"], Terms(), pool)
    assert [score.status for score in scores] == ["gold_error"]


def test_half_a_character_in_a_configuration() -> None:
    with pytest.raises(UsageError, match="'limit' is no text"):
        make_config({"model": "gold", "dataset": "builtin", "limit": "\ud800"})


def test_a_comment_without_an_end_hides_what_follows() -> None:
    """As in SQLite: it was two statements, and took its time to say so."""
    assert [one.text for one in split_statements("SELECT 1 /* ; SELECT 2")] == ["SELECT 1 /* ; SELECT 2"]
    assert [one.text for one in split_statements("SELECT 1; /* ; SELECT 2")] == ["SELECT 1"]


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    told = {"model": "gold", "dataset": "builtin", "limit": 4, "name": "r", "out": str(tmp_path), "workers": 1}
    return execute(plan(make_config(told)), lambda *_: None)


@pytest.mark.parametrize(
    "name", ["manifest.json", "examples.jsonl", "generations.jsonl", "scores.jsonl", "health.jsonl"]
)
def test_a_byte_that_is_no_text_is_a_damaged_line(run: RunFolder, name: str) -> None:
    path = run.path / name
    path.write_bytes(re.sub(rb'(": ?")', b"\\1" + b"\x80", path.read_bytes(), count=1))
    found = verify_run(run, lambda *_: None, workers=1)
    assert any("can't decode byte 0x80" in problem for problem in found.problems)


def test_examples_that_stand_twice_are_a_finding(run: RunFolder) -> None:
    path = run.path / "examples.jsonl"
    path.write_bytes(path.read_bytes() * 2)
    found = verify_run(run, lambda *_: None, workers=1)
    assert "4 examples share an id with another one" in "\n".join(found.problems)


def test_a_score_beyond_1_is_refused_with_the_command_that_helps(run: RunFolder) -> None:
    path = run.path / "scores.jsonl"
    path.write_text(path.read_text().replace('"value":1.0', '"value":2', 1))
    with pytest.raises(UsageError, match="is 2, outside 0 to 1") as caught:
        summarise(run)
    assert "sqlgauge score" in caught.value.hint
    assert not verify_run(run, lambda *_: None, workers=1).follows


@pytest.mark.parametrize("text", ["->", "->>", "-> 1", "SELECT -> "])
def test_an_operator_alone_is_no_statement(text: str) -> None:
    """sqlglot's compiled parser raised a TypeError."""
    assert [parse(text, dialect) for dialect in ("sqlite", "duckdb", "postgres", "mysql")] == [None] * 4


def test_a_policy_that_is_no_text_is_a_finding(run: RunFolder) -> None:
    manifest = run.manifest()
    run.write_manifest(replace(manifest, identity={**manifest.identity, "policy": []}))
    found = verify_run(run, lambda *_: None, workers=1)
    assert any("the manifest's policy is '[]'" in problem for problem in found.problems)
    assert build_board([run]).tables[0].left_out == ()


def test_a_database_whose_name_is_too_long_for_a_file_is_not_at_hand(run: RunFolder) -> None:
    examples = run.examples()
    run.write_examples([replace(examples[0], db="SELECT" * 50), *examples[1:]])
    found = verify_run(run, lambda *_: None, workers=1)
    assert not found.follows


@pytest.mark.parametrize("spec", ["jsonl:", "csv:", "spider:", "bird:", "parquet:", "gretel:"])
def test_a_dataset_whose_name_is_too_long_for_a_file_is_not_found(spec: str) -> None:
    with pytest.raises(SqlgaugeError):
        load_dataset(spec + "x" * 300)


def test_a_template_whose_name_is_too_long_for_a_file_is_not_found() -> None:
    with pytest.raises(UsageError, match="no such"):
        plan(make_config({"model": "gold", "dataset": "builtin", "prompt": "x" * 300 + ".j2"}))
