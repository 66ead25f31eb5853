"""The command line in a process of its own: the main job, bad input, exit codes."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

METRICS = ("exact", "exact_ws", "ast", "execution", "equivalence")


def result(stdout: str) -> dict[str, dict[str, float]]:
    return dict(json.loads(stdout)[0]["metrics"])


def test_the_gold_scores_everything_on_every_metric(cli) -> None:
    found = result(cli("run", "--model", "gold", "--dataset", "builtin", "--json").stdout)
    assert {name: (found[name]["value"], found[name]["n"]) for name in METRICS} == dict.fromkeys(METRICS, (1.0, 240))


@pytest.mark.parametrize("fault", ["empty", "null", "delete"])
def test_a_reward_hack_scores_nothing(cli, fault: str) -> None:
    found = result(cli("run", "--model", f"fault/{fault}", "--dataset", "builtin", "--json").stdout)
    assert {name: (found[name]["value"], found[name]["n"]) for name in METRICS} == dict.fromkeys(METRICS, (0.0, 240))


def test_real_gretel_rows_load_and_broken_golds_are_no_scores(cli, data_folder: Path) -> None:
    rows = data_folder / "gretel" / "gretel_test_20_with_context.jsonl"
    expected = [json.loads(line)["sqlite_status"] for line in rows.read_text().splitlines()]
    runnable = sum(status.startswith("ok") for status in expected)
    found = result(cli("run", "--model", "gold", "--dataset", f"gretel:{rows}", "--json").stdout)
    assert runnable == 13
    for name in METRICS:
        assert (found[name]["value"], found[name]["n"]) == (1.0, runnable)
        assert found[name]["failures"] == {"gold_error": 20 - runnable}


def test_run_rescore_report(cli, tmp_path: Path) -> None:
    cli("run", "--model", "gold", "--dataset", "builtin", "--limit", 24)
    cli("run", "--model", "fault/null", "--dataset", "builtin", "--limit", 24)
    cli("score", "runs", "--policy", "strict")
    cli("report", "runs", "--out", "site")
    page, table = (tmp_path / "site/index.html").read_text(), (tmp_path / "site/leaderboard.md").read_text()
    for text in (page, table):
        assert "100.0%" in text
        assert "gold" in text
    assert "Content-Security-Policy" in page
    assert "Apache-2.0" in page
    assert len(cli("ls", "runs").stdout.splitlines()) == 2


def test_a_dry_run_writes_nothing(cli, tmp_path: Path) -> None:
    shown = cli("run", "--model", "gold", "--dataset", "builtin", "--dry-run").stdout
    assert "CREATE TABLE" in shown
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["rnu"], "Did you mean 'run'?"),
        (["run", "--model", "gold", "--dataset", "bultin"], "unknown dataset 'bultin'. Did you mean 'builtin'?"),
        (["run", "--model", "builtin/smollm2-135", "--dataset", "builtin"], "Did you mean 'builtin/smollm2-135m'?"),
        (["run", "--model", "gold", "--dataset", "builtin", "--metrics", "exat"], "Did you mean 'exact'"),
        (["run", "--dataset", "builtin"], "'model' is missing"),
        (["run", "--model", "gold", "--dataset", "builtin", "--modl", "x"], "--model"),
        (["run", "--model", "gold", "--dataset", "gretel:none.jsonl"], "no such file: none.jsonl"),
        (["run", "--model", "gold", "--dataset", "builtin", "--judge", "openai/gpt-4o"], "OPENAI_API_KEY"),
        (["run", "--model", "hf/./nowhere", "--dataset", "builtin"], "no such model folder"),
        (["report", "nowhere"], "no run folder at nowhere"),
        (["score", "nowhere"], "no run folder at nowhere"),
    ],
)
def test_bad_input_is_one_clear_message_and_exit_2(cli, tmp_path: Path, arguments: list[str], message: str) -> None:
    done = cli(*arguments, check=2)
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == [], "nothing half-written"


def test_broken_rows_are_listed(cli, tmp_path: Path) -> None:
    rows = tmp_path / "rows.jsonl"
    good = {"sql_prompt": "q", "sql_context": "CREATE TABLE t (a INT)", "sql": "SELECT a FROM t"}
    rows.write_text("\n".join(json.dumps(row) for row in (good, {**good, "sql": ""}, {**good, "sql_context": None})))
    message = cli("run", "--model", "gold", "--dataset", f"gretel:{rows}", check=2).stderr
    assert "row 2: column sql is empty" in message
    assert "row 3: column sql_context is empty" in message
    rows.write_text(json.dumps({"question": "q", "sql_context": "c", "sql": "s"}))
    message = cli("run", "--model", "gold", "--dataset", f"gretel:{rows}", check=2).stderr
    assert "lacks the columns sql_prompt" in message
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize("verb", ["run", "score", "judge", "report", "equiv", "ls"])
def test_every_verb_has_help_with_an_example(cli, verb: str) -> None:
    assert f"sqlgauge {verb}" in cli(verb, "--help").stdout.split("Example", 1)[1]


def test_an_unreachable_model_says_what_to_do_and_writes_nothing(cli, tmp_path: Path) -> None:
    arguments = ["run", "--model", "hf/google/gemma-2-2b-it", "--dataset", "builtin"]
    done = cli(*arguments, check=2, HF_HUB_OFFLINE="1", HF_HOME=str(tmp_path / "hub"))
    assert "cannot load google/gemma-2-2b-it" in done.stderr
    assert "hf download google/gemma-2-2b-it" in done.stderr
    assert not (tmp_path / "runs").exists()


def test_ctrl_c_says_how_to_go_on(tmp_path: Path) -> None:
    arguments = ["run", "--model", "fault/slow:0.3", "--dataset", "builtin", "--out", str(tmp_path / "runs")]
    process = subprocess.Popen([sys.executable, "-m", "sqlgauge", *arguments], stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 30
    while not list(tmp_path.glob("runs/*/generations.jsonl")):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=5)
    assert process.returncode == 130
    assert "run the same command again" in errors


def test_two_writers_are_refused(cli, tmp_path: Path) -> None:
    from filelock import FileLock

    cli("run", "--model", "gold", "--dataset", "builtin", "--limit", 3, "--name", "mine")
    with FileLock(tmp_path / "runs/mine/.lock"):
        done = cli("run", "--model", "gold", "--dataset", "builtin", "--limit", 3, "--name", "mine", check=2)
    assert "another process is writing" in done.stderr
