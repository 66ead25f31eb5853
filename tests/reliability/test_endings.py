"""Ctrl-C and SIGTERM: within 2 s at any stage, with a word on how to go on; and the run goes on to the same end."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from judge_server import Answer, JudgeServer
from reliability.harness import Mark, Place, content, difference, end_at, run_arguments

CODES = {signal.SIGINT: (130, "interrupted"), signal.SIGTERM: (143, "ended by SIGTERM")}
#: A query that is cut short at its deadline only, and has no end of its own.
ENDLESS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT MAX(i) FROM n"


def assert_ended(process: subprocess.Popen[str], mark: Mark, number: int, delay: float = 0.1) -> None:
    while not mark():
        assert process.poll() is None
        time.sleep(0.002)
    time.sleep(delay)
    told = time.monotonic()
    alive, said = end_at(process, lambda: True, 0.0, number)
    assert alive
    assert time.monotonic() - told < 2
    code, word = CODES[signal.Signals(number)]
    assert process.returncode == code
    assert said.count(f"{word}; run the same command again to go on.") == 1
    assert "Traceback" not in said


@pytest.mark.parametrize("number", CODES)
def test_while_generating(tmp_path: Path, number: int) -> None:
    whole, place = Place(tmp_path / "whole"), Place(tmp_path / "ended")
    whole.finish(*run_arguments(0))
    generations = place.run / "generations.jsonl"
    assert_ended(place.start(*run_arguments(0.5)), generations.exists, number)
    assert 0 < generations.read_bytes().count(b"\n") < 24
    place.finish(*run_arguments(0))
    assert difference(content(place.run), content(whole.run)) == []


@pytest.mark.parametrize("number", CODES)
def test_while_statements_run_that_have_no_end(tmp_path: Path, number: int) -> None:
    """A batch of such statements takes half a minute; nobody waits for it, and no worker is left."""
    predictions = tmp_path / "preds.sql"
    predictions.write_text(f"{ENDLESS}\n" * 24)
    arguments = run_arguments(0)
    arguments[2] = f"file/{predictions}"
    place = Place(tmp_path / "ended")
    generations = place.run / "generations.jsonl"
    assert_ended(place.start(*arguments), generations.exists, number, delay=1.0)
    assert not (place.run / "scores.jsonl").exists()
    assert list(place.run.glob(".*.part")) == []


@pytest.mark.parametrize("number", CODES)
def test_while_a_judge_is_waited_for(tmp_path: Path, number: int) -> None:
    place = Place(tmp_path / "ended")
    with JudgeServer(lambda call: Answer(hang=True)) as server:
        asks = ("--judge", "openai/judge", "--judge-api-base", f"{server.url}/v1", "--yes")
        assert_ended(place.start(*run_arguments(0, *asks)), lambda: len(server.calls) >= 8, number)
    assert (place.run / "scores.jsonl").exists()


DEAF = """
import sys, time
sys.path.insert(0, sys.argv[1])
from sqlgauge.endings import end_soon
end_soon()
print("ready", flush=True)
while True:
    try:
        time.sleep(60)
    except KeyboardInterrupt:
        print("kept on", flush=True)
"""
ROOT = str(Path(__file__).parents[2])


def deaf() -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", DEAF, ROOT], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    time.sleep(0.2)  # it is asleep by now
    return process


def test_code_that_does_not_listen_is_ended_all_the_same() -> None:
    process, told = deaf(), time.monotonic()
    process.send_signal(signal.SIGTERM)
    shown, said = process.communicate(timeout=10)
    assert 1 < time.monotonic() - told < 2
    assert (process.returncode, shown) == (143, "kept on\n")
    assert "run the same command again" in said


def test_a_second_signal_ends_it_at_once() -> None:
    process, told = deaf(), time.monotonic()
    process.send_signal(signal.SIGINT)
    assert process.stdout is not None
    assert process.stdout.readline() == "kept on\n"
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=10)
    assert time.monotonic() - told < 1
    assert process.returncode == 130


FORKED = """
import os, signal, sys, time
sys.path.insert(0, sys.argv[1])
from sqlgauge.endings import end_soon
end_soon()
child = os.fork()
if child == 0:
    time.sleep(60)
time.sleep(0.2)
os.kill(child, signal.SIGTERM)
_, status = os.waitpid(child, 0)
time.sleep(2)
print(os.WTERMSIG(status))
"""


def test_a_signal_to_a_forked_child_is_no_signal_to_its_parent() -> None:
    done = subprocess.run([sys.executable, "-c", FORKED, ROOT], capture_output=True, text=True, timeout=20)
    assert (done.returncode, done.stdout, done.stderr) == (0, f"{int(signal.SIGTERM)}\n", "")


def test_no_worker_outlives_an_interrupted_run(tmp_path: Path) -> None:
    predictions = tmp_path / "preds.sql"
    predictions.write_text(f"{ENDLESS}\n" * 24)
    arguments = run_arguments(0)
    arguments[2] = f"file/{predictions}"
    place = Place(tmp_path / "ended")
    process = place.start(*arguments)
    while not (place.run / "generations.jsonl").exists():
        time.sleep(0.01)
    time.sleep(0.5)
    workers = children(process.pid)
    assert workers
    end_at(process, lambda: True, 0.0, signal.SIGINT)
    time.sleep(0.2)
    assert [worker for worker in workers if Path(f"/proc/{worker}").exists()] == []


def children(pid: int) -> list[int]:
    listed = Path(f"/proc/{pid}/task/{pid}/children")
    return [int(one) for one in listed.read_text().split()] if listed.exists() else []
