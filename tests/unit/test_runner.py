"""Runs: resumed after a kill, retried after faults, refused when the configuration changed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from benchmark.config import make_config
from benchmark.errors import RunConflict, SqlgaugeError
from benchmark.generating import cut_batches
from benchmark.prompts import render
from benchmark.runner import execute, plan
from benchmark.scoring import rescore
from benchmark.store import RunFolder
from benchmark.terms import Terms
from benchmark.types import Example

ReadLines = Callable[[Path], list[dict[str, Any]]]


def run(out: Path, **options: Any) -> RunFolder:
    config = make_config({"model": "gold", "dataset": "builtin", "out": str(out), "limit": 24, **options})
    return execute(plan(config), lambda stage, done, total: None)


def test_batches_are_a_function_of_all_items_and_the_size(shop: list[Example]) -> None:
    prompts = [render(example) for example in shop]
    first = cut_batches(prompts, 2)
    assert [len(batch) for batch in first] == [2, 1]
    assert cut_batches(prompts[::-1], 2) == first


def test_a_run_says_all_about_itself(tmp_path: Path) -> None:
    manifest = run(tmp_path).manifest()
    assert manifest.complete
    assert manifest.counts == {"examples": 24, "generations": 24, "errors": 0}
    assert manifest.identity["dataset"]["name"] == "builtin/test@first24"
    assert manifest.identity["prompt"] is None, "no prompt can change what the gold answers"
    assert manifest.provenance["versions"]["apsw"]
    log = (tmp_path / manifest.run_id / "run.log").read_text()
    assert "24 of 24 answers to generate" in log
    assert "'errors': 0" in log


def test_a_finished_run_is_not_generated_again(tmp_path: Path) -> None:
    folder = run(tmp_path)
    before = (folder.path / "generations.jsonl").read_bytes()
    assert run(tmp_path).path == folder.path
    assert (folder.path / "generations.jsonl").read_bytes() == before


def test_another_configuration_is_another_run(tmp_path: Path) -> None:
    folders = [run(tmp_path), run(tmp_path, limit=23), run(tmp_path, policy="strict")]
    assert len({folder.path for folder in folders}) == 3
    assert run(tmp_path, schema="full").path == folders[0].path, "a schema rendering does not change the gold"


def test_a_changed_configuration_under_one_name_is_refused_with_the_difference(tmp_path: Path) -> None:
    run(tmp_path, name="mine")
    with pytest.raises(RunConflict, match="policy: 'default' there, 'strict' now"):
        run(tmp_path, name="mine", policy="strict")


def test_a_run_by_older_rules_is_brought_up_to_date_by_scoring_it_again(tmp_path: Path) -> None:
    folder = run(tmp_path, name="mine")
    manifest = folder.manifest()
    identity = {key: value for key, value in manifest.identity.items() if key != "scoring"}
    folder.write_manifest(replace(manifest, identity=identity))
    with pytest.raises(RunConflict, match="scoring: None there") as caught:
        run(tmp_path, name="mine")
    assert "sqlgauge score" in caught.value.hint
    rescore([folder], ["execution"], Terms(), lambda *_: None, 1)
    assert run(tmp_path, name="mine").manifest().identity["scoring"] == manifest.identity["scoring"]


def test_what_changes_a_models_answers_is_in_its_identity(tiny_gemma: Path, tmp_path: Path) -> None:
    base = {"model": f"hf/{tiny_gemma}", "dataset": "builtin", "out": str(tmp_path)}
    changes: list[dict[str, Any]] = [
        {},
        {"schema": "full"},
        {"max_new_tokens": 99},
        {"temperature": 0.5},
        {"dtype": "float32"},
        {"batch_size": 3},
        {"load_in_4bit": True},
        {"limit": 5},
        {"policy": "strict"},
        {"search_databases": 0},
        {"search_databases": 10},
        {"search_seconds": 1.0},
    ]
    ids = {plan(make_config({**base, **change})).manifest.run_id for change in changes}
    assert len(ids) == len(changes)


def test_failures_are_kept_and_retried_by_a_rerun(tmp_path: Path) -> None:
    folder = run(tmp_path, model="fault/error:0.3")
    errors = [g for g in folder.generations() if g.error]
    assert 0 < len(errors) < 24
    assert not folder.manifest().complete
    assert sum(s.value is None for s in folder.scores() if s.metric == "execution") == len(errors)
    again = run(tmp_path, model="fault/error:0.3")  # the same ones fail again: still counted once
    assert len([g for g in again.generations() if g.error]) == len(errors)


def test_a_model_that_only_fails_stops_the_run(tmp_path: Path) -> None:
    with pytest.raises(SqlgaugeError, match="failed on every prompt of the first batch"):
        run(tmp_path, model="fault/error:1")


def test_a_torn_generation_is_made_again(tmp_path: Path, read_lines: ReadLines) -> None:
    folder = run(tmp_path)
    whole = read_lines(folder.path / "generations.jsonl")
    body = (folder.path / "generations.jsonl").read_bytes()
    (folder.path / "generations.jsonl").write_bytes(body[: len(body) * 2 // 3])
    assert read_lines(run(tmp_path).path / "generations.jsonl") == whole


@pytest.mark.parametrize("batches", [0, 1, 2])
def test_a_killed_run_goes_on_where_it_stopped(tmp_path: Path, read_lines: ReadLines, batches: int) -> None:
    options = ["--model", "fault/slow:0.4", "--dataset", "builtin", "--limit", "24", "--out", str(tmp_path / "killed")]
    process = subprocess.Popen([sys.executable, "-m", "sqlgauge", "run", *options], stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 30
    while _lines(tmp_path) < 8 * batches or not list(tmp_path.glob("killed/*/manifest.json")):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    kept = _lines(tmp_path)
    assert kept < 24
    resumed = run(tmp_path / "killed", model="fault/slow:0.4")
    undisturbed = run(tmp_path / "whole", model="fault/slow:0.01")
    assert resumed.manifest().complete
    for name in ("generations.jsonl", "scores.jsonl"):
        assert read_lines(resumed.path / name) == read_lines(undisturbed.path / name)


def _lines(folder: Path) -> int:
    return sum(path.read_bytes().count(b"\n") for path in folder.glob("killed/*/generations.jsonl"))
