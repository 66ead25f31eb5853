"""`sqlgauge rerun`: a stranger makes a run again from its manifest, and is told what is the same and what is not."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from benchmark.config import RunConfig, make_config
from benchmark.errors import CheckFailed, ModelUnavailable, UsageError
from benchmark.recipe import config_of, recipe_of
from benchmark.runner import execute, plan
from benchmark.scoring import rescore
from benchmark.store import RunFolder
from benchmark.terms import Terms
from benchmark.types import RunManifest
from sqlgauge import verbs


def made(out: Path, model: str = "gold", **options: Any) -> RunFolder:
    config = make_config({"model": model, "dataset": "builtin", "limit": 24, "out": str(out), "workers": 1, **options})
    return execute(plan(config), lambda *_: None)


def edited(folder: RunFolder, name: str, old: str, new: str) -> None:
    path = folder.path / name
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new))


@pytest.mark.parametrize("model", ["gold", "fault/null", "fault/error:0.2"])
def test_a_run_comes_out_again(tmp_path: Path, model: str) -> None:
    first = made(tmp_path / "runs", model)
    found = verbs.rerun(first.path, out=tmp_path / "again")
    failed = first.manifest().counts["errors"]
    assert (found.identical, found.answers) == (24 - failed, 24)
    assert found.same_scores
    assert (found.identity, found.provenance) == ((), ())
    assert RunFolder(Path(found.second)).manifest().run_id == first.manifest().run_id


def test_predictions_come_out_again_and_changed_ones_are_told(tmp_path: Path) -> None:
    predictions = tmp_path / "preds.sql"
    predictions.write_text("SELECT 1\n" * 24)
    first = made(tmp_path / "runs", f"file/{predictions}")
    assert verbs.rerun(first.path, out=tmp_path / "again").same_answers
    predictions.write_text("SELECT 1\n" * 23 + "SELECT 2\n")
    found = verbs.rerun(first.path, out=tmp_path / "changed")
    assert found.identical == 23
    (pair,) = found.differing
    assert (pair.there, pair.here) == ("SELECT 1", "SELECT 2")
    assert [line.split(":")[0] for line in found.identity] == ["model.predictions"]
    predictions.unlink()
    with pytest.raises(ModelUnavailable, match="no such predictions file"):
        verbs.rerun(first.path, out=tmp_path / "gone")


def test_a_forged_score_and_a_forged_answer_are_found(tmp_path: Path) -> None:
    first = made(tmp_path / "runs", "fault/null")
    edited(first, "generations.jsonl", '"SELECT NULL"', '"SELECT 1"')
    assert not verbs.rerun(first.path, out=tmp_path / "a").same_answers
    edited(first, "scores.jsonl", '"metric":"execution","value":0.0', '"metric":"execution","value":1.0')
    found = verbs.rerun(first.path, out=tmp_path / "a")
    assert not found.same_scores
    assert {one.metric for one in found.differences} == {"execution"}
    with pytest.raises(CheckFailed, match="are not those of"):
        verbs.check_repeated(found)


def test_it_is_scored_under_the_terms_that_the_run_has_now(tmp_path: Path) -> None:
    first = made(tmp_path / "runs", "fault/null")
    rescore([first], ["execution"], Terms(policy="strict", databases=0), lambda *_: None, 1)
    found = verbs.rerun(first.path, out=tmp_path / "again")
    assert found.same_scores
    assert found.identity == ()
    assert [check.metric for check in found.metrics] == ["execution"]
    assert RunFolder(Path(found.second)).manifest().identity["policy"] == "strict"


def test_other_versions_are_told(tmp_path: Path) -> None:
    first = made(tmp_path / "runs")
    manifest = first.manifest()
    versions = {**manifest.provenance["versions"], "apsw": "3.0"}
    first.write_manifest(replace(manifest, provenance={**manifest.provenance, "versions": versions}))
    (line,) = verbs.rerun(first.path, out=tmp_path / "again").provenance
    assert line.startswith("versions.apsw: '3.0' there, ")


def test_a_rerun_never_writes_into_the_run(tmp_path: Path) -> None:
    first = made(tmp_path / "runs")
    before = {path: path.read_bytes() for path in first.path.iterdir()}
    with pytest.raises(UsageError, match="would be that run itself"):
        verbs.rerun(first.path, out=tmp_path / "runs")
    verbs.rerun(first.path, out=tmp_path / "again")
    assert {path: path.read_bytes() for path in first.path.iterdir()} == before


def test_a_manifest_without_a_recipe_is_refused_with_what_helps(tmp_path: Path) -> None:
    first = made(tmp_path / "runs")
    manifest = first.manifest()
    first.write_manifest(replace(manifest, provenance={"versions": {}}))
    with pytest.raises(UsageError, match="does not say how to make the run again") as caught:
        verbs.rerun(first.path, out=tmp_path / "again")
    assert "sqlgauge verify" in caught.value.hint


@pytest.mark.parametrize(
    ("told", "option"),
    [({"api_base": "https://thief/v1"}, "--api-base"), ({"trust_remote_code": True}, "--trust-remote")],
)
def test_a_strangers_manifest_decides_neither_where_keys_go_nor_whose_code_runs(
    tmp_path: Path, told: dict[str, Any], option: str
) -> None:
    first = made(tmp_path / "runs")
    manifest = first.manifest()
    recipe = {**manifest.provenance["config"], **told}
    first.write_manifest(replace(manifest, provenance={**manifest.provenance, "config": recipe}))
    with pytest.raises(UsageError, match=option):
        verbs.rerun(first.path, out=tmp_path / "again")
    assert not (tmp_path / "again").exists()
    assert verbs.rerun(first.path, out=tmp_path / "again", **told).same_answers


@pytest.mark.parametrize("name", ["../escaped", "/escaped", "..", "a/../../escaped"])
def test_a_strangers_manifest_does_not_choose_a_folder_elsewhere(tmp_path: Path, name: str) -> None:
    first = made(tmp_path / "runs")
    manifest = first.manifest()
    recipe = {**manifest.provenance["config"], "name": name}
    first.write_manifest(replace(manifest, provenance={**manifest.provenance, "config": recipe}))
    with pytest.raises(UsageError, match="'name' is that of one folder, not a path"):
        verbs.rerun(first.path, out=tmp_path / "again")


def test_the_command_line(cli, tmp_path: Path) -> None:
    first = made(tmp_path / "runs", "fault/null")
    shown = cli("rerun", first.path, "--check").stdout
    assert "24 of 24 identical" in shown
    assert "identical in every answer and score" in shown
    edited(first, "scores.jsonl", '"metric":"ast","value":0.0', '"metric":"ast","value":1.0')
    done = cli("rerun", first.path, "--check", "--json", "--out", "other", check=4)
    found = json.loads(done.stdout)
    assert (found["same_answers"], found["same_scores"]) == (True, False)
    assert "are not those of" in done.stderr


@pytest.mark.parametrize(
    "told",
    [
        {},
        {"protocol": "seed"},
        {"protocol": "seed", "temperature": 0.0, "n": 1},
        {"limit": 5, "where": ("complexity=basic SQL",), "metrics": ("execution",), "name": "mine"},
        {"policy": "strict", "search_databases": 0},
        {"search_seconds": 1.5, "batch_size": 3, "dtype": "float32", "load_in_4bit": True},
    ],
)
def test_a_recipe_makes_an_equal_configuration(told: dict[str, Any]) -> None:
    config = make_config({"model": "gold", "dataset": "builtin", "out": "here", "workers": 2, **told})
    identity = config.terms.identity()
    manifest = RunManifest(run_id="r", identity=identity, provenance={"config": recipe_of(config)})
    assert config_of(manifest, out="here", workers=2) == config


def test_a_recipe_holds_no_credentials() -> None:
    config = RunConfig(model="openai/m", dataset="builtin", api_base="https://user:sk-secret-0123456789@host/v1")
    assert "sk-secret" not in json.dumps(recipe_of(config))
