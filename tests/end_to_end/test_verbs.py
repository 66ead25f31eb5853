"""Every verb is listed and has help with an example; verify, label, power and export from the command line."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest
from click.testing import CliRunner

from sqlgauge.cli import VERBS
from sqlgauge.cli import cli as command_line


def test_help_lists_every_verb() -> None:
    shown = CliRunner().invoke(command_line, ["--help"]).stdout
    for verb in VERBS:
        assert f"\n  {verb} " in shown


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_an_example_of_itself(verb: str) -> None:
    shown = CliRunner().invoke(command_line, [verb, "--help"])
    assert shown.exit_code == 0
    assert f"sqlgauge {verb}" in shown.stdout.split("Example", 1)[1]


@pytest.fixture
def run(cli, tmp_path: Path) -> Path:
    cli("run", "--model", "fault/null", "--dataset", "builtin", "--limit", 6)
    (found,) = (tmp_path / "runs").iterdir()
    return found


def test_verify_says_yes_and_no(cli, run: Path) -> None:
    done = cli("verify", "runs")
    assert done.stdout.startswith(f"runs/{run.name}: follows\n")
    scores = (run / "scores.jsonl").read_text()
    (run / "scores.jsonl").write_text(scores.replace('"value":0.0', '"value":1.0', 1))
    done = cli("verify", "runs", "--json", "--quiet", check=4)
    (found,) = json.loads(done.stdout)
    assert not found["follows"]
    assert found["problems"] == ["exact: 1 scores differ"]
    assert found["differences"][0]["published"] == "1 ok"
    assert done.stderr.startswith("sqlgauge: the scores of 1 of 1 runs are not shown to follow: runs/")
    shown = cli("verify", "runs", check=4).stdout
    assert "DOES NOT FOLLOW" in shown
    assert "differs: exact of '1': published 1 ok, re-scored 0 ok" in shown


def test_verify_of_a_read_only_folder(cli, run: Path) -> None:
    run.chmod(0o555)
    try:
        assert "follows" in cli("verify", run).stdout
    finally:
        run.chmod(0o755)


def test_label_writes_a_page(cli, run: Path, tmp_path: Path) -> None:
    found = json.loads(cli("label", run, "--n", 4, "--seed", 7, "--json").stdout)
    assert found == {
        "page": f"label-{run.name}.html", "run_id": run.name, "items": 4, "population": 6, "seed": 7
    }  # fmt: skip
    assert "Content-Security-Policy" in (tmp_path / found["page"]).read_text()
    assert "leave out --page" in cli("label", run, "--serve", "--page", "x.html", check=2).stderr
    assert "not a run folder" in cli("label", "runs", check=2).stderr
    (tmp_path / "labels.jsonl").write_text("nonsense\n")
    assert "line 1" in cli("label", run, check=2).stderr


def test_label_serves_until_interrupted(run: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "sqlgauge", "label", str(run), "--serve", "--n", "2"]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, cwd=tmp_path, env=dict(os.environ))
    assert process.stderr is not None
    url = process.stderr.readline().strip()
    with urllib.request.urlopen(url, timeout=10) as page:
        assert b"Does the prediction answer the question?" in page.read()
    time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=10)
    assert process.returncode == 130
    assert "run the same command again" in errors


def test_power_from_the_command_line(cli, run: Path) -> None:
    assert "30 items (the seed project's number) cannot separate less than" in cli("power", "--n", 240).stdout
    assert json.loads(cli("power", "--difference", "3pp", "--discordance", "20pp", "--json").stdout)["needed"] == 1742
    assert "is no share" in cli("power", "--difference", "three", check=2).stderr
    assert "leave one out" in cli("power", "--runs", run, run, "--discordance", "0.1", check=2).stderr


def test_export_from_the_command_line(cli, run: Path, tmp_path: Path) -> None:
    found = json.loads(cli("export", "runs", "--out", "a.csv", "--json").stdout)
    assert found["rows"] == 6
    with (tmp_path / "a.csv").open(newline="") as handle:
        assert [row["score.execution"] for row in csv.DictReader(handle)] == ["0.0"] * 6
    cli("export", "runs", "--to", "parquet", "--out", "b")
    assert (tmp_path / "b").read_bytes()[:4] == b"PAR1"
    assert "Give --to" in cli("export", "runs", "--out", "c", check=2).stderr


def test_doctor_names_keys_and_never_their_value() -> None:
    environment = {"OPENAI_API_KEY": "sk-planted-0123456789", "HF_TOKEN": None}
    shown = [CliRunner().invoke(command_line, ["doctor", *more], env=environment) for more in ([], ["--json"])]
    assert not any("sk-planted" in one.output for one in shown)
    found = {one["about"]: one for one in json.loads(shown[1].stdout)}
    assert found["OPENAI_API_KEY"]["state"] == "ok"
    assert found["HF_TOKEN"]["remedy"] == "export HF_TOKEN=..."
    assert found["torch"]["state"] == "ok"
    assert found["sqlite"]["said"].startswith("SQLite 3.")
