"""The trap pairs of tests/golden/traps.jsonl, by extraction and execution on their own rows, in both engines."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from benchmark.errors import SqlgaugeError
from benchmark.extract import extract
from benchmark.sqlengine.pool import Pool
from benchmark.sqlengine.protocol import Database, Job, Limits, Outcome

ROWS = [json.loads(line) for line in (Path(__file__).parents[1] / "golden" / "traps.jsonl").read_text().splitlines()]
ATTACKS = [row for row in ROWS if row["expected"] == "must_be_refused_or_time_out"]
DIFFERENT = [row for row in ROWS if row["expected"] == "not_equivalent" and row.get("differs_on_given_data")]
EQUIVALENT = [row for row in ROWS if row["expected"] == "equivalent"]


@pytest.fixture(scope="module")
def pool() -> Iterator[Pool]:
    with Pool(1) as started:
        yield started


def run(pool: Pool, row: dict[str, Any], prediction: str) -> Outcome:
    text = extract("1", prediction, "stop").sql or prediction
    task = "write" if row["kind"] == "state" else "read"
    limits = Limits(floor_seconds=1.0, cap_seconds=1.0)
    job = Job("1", row["dialect"], task, Database(row["schema_sql"]), [row["gold"]], [text], "default", limits)
    (reply,) = pool.run([job])
    assert [gold.status for gold in reply.golds] == ["ok"], reply
    return reply.predictions[0]


@pytest.mark.parametrize("row", ATTACKS, ids=lambda row: row["id"])
def test_attacks_are_refused_or_stopped_and_write_nothing(pool: Pool, row: dict[str, Any], tmp_path: Path) -> None:
    found = run(pool, row, row["pred"].replace("@SCRATCH@", str(tmp_path)))
    assert found.status in ("refused", "timeout", "limit")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("row", DIFFERENT, ids=lambda row: row["id"])
def test_pairs_that_differ_on_their_rows_disagree(pool: Pool, row: dict[str, Any]) -> None:
    mirrored = row["id"] == "pair-02"  # its rows are mirror images, and the default policy takes any column order
    assert run(pool, row, row["pred"]).agrees is mirrored


@pytest.mark.parametrize("row", EQUIVALENT, ids=lambda row: row["id"])
def test_equivalent_pairs_agree(pool: Pool, row: dict[str, Any]) -> None:
    found = run(pool, row, row["pred"])
    assert found.agrees, found


def test_a_dialect_without_an_engine_is_never_run_as_another(pool: Pool) -> None:
    (reply,) = pool.run([Job("1", "mysql", "read", Database("CREATE TABLE t (a INT)"), ["SELECT 1"], ["SELECT 1"])])
    assert reply.setup.status == "invalid"
    assert "no engine for dialect 'mysql'" in reply.setup.detail


def test_a_worker_that_fails_for_our_reasons_is_no_score() -> None:
    jobs = [
        Job("1", "sqlite", "read", Database("CREATE TABLE t (a INT)"), ["SELECT 1"], ["SELECT 2"], "no such policy")
    ]
    with Pool(1) as broken, pytest.raises(SqlgaugeError, match="failed for reasons of its own"):
        list(broken.run(jobs))


def test_the_file_is_whole() -> None:
    assert (len(ROWS), len(ATTACKS), len(EQUIVALENT)) == (77, 10, 32)
    assert len(DIFFERENT) > 20
