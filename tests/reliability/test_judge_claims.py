"""Two processes that judge different runs with the same questions at the same time: each question is paid for once.

Also where one of them is killed half-way: what it was asking is taken over once its lease is over, and not before.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest
from judge_server import Answer, Call, JudgeServer, by_item, item_of, scripted_label

from benchmark.store import RunFolder
from benchmark.types import Example, Generation, RunManifest

ITEMS = 60
LEASE = 3.0
PROGRAM = """
import sys, warnings
from pathlib import Path
warnings.simplefilter("ignore")
import judges.ledger
from benchmark.chat import ChatSettings
from benchmark.store import RunFolder
from judges.panel import Panel

judges.ledger.LEASE = float(sys.argv[4])
settings = ChatSettings(max_tokens=100, concurrency=8, timeout=60, retries=1, backoff=0.02)
panel = Panel(["openai/judge"], api_base=sys.argv[2], settings=settings, cache=Path(sys.argv[3]))
print("ready", flush=True)
sys.stdin.readline()
bill = panel.judge_all([RunFolder(Path(sys.argv[1]))], lambda *progress: None).bills[0]
print(bill.calls, bill.reused, bill.failed, bill.unasked)
"""


def write_run(path: Path, prefix: str) -> RunFolder:
    path.mkdir()
    folder = RunFolder(path)
    folder.write_manifest(RunManifest(run_id=path.name, identity={}, provenance={}))
    shared = {"schema_sql": "CREATE TABLE t (a INTEGER)", "golds": ("SELECT a FROM t",), "dialect": "sqlite"}
    folder.write_examples(Example(id=f"{prefix}{n}", question=f"item-{n}?", group="g", **shared) for n in range(ITEMS))
    folder.append_generations(
        Generation(example_id=f"{prefix}{n}", text=f"SELECT a FROM t WHERE a > {n}", finish_reason="stop")
        for n in range(ITEMS)
    )
    return folder


def judging(folder: RunFolder, url: str, cache: Path) -> subprocess.Popen[str]:
    """A process that is about to judge, and waits for a line."""
    clean = {name: value for name, value in os.environ.items() if not name.endswith("_API_KEY")}
    program = [sys.executable, "-c", PROGRAM, str(folder.path), url, str(cache), str(LEASE)]
    process = subprocess.Popen(program, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=clean)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


def go(process: subprocess.Popen[str]) -> None:
    assert process.stdin is not None
    process.stdin.write("\n")
    process.stdin.flush()


def numbers(process: subprocess.Popen[str]) -> list[int]:
    shown, _ = process.communicate(timeout=120)
    assert process.returncode == 0
    return [int(one) for one in shown.split()]


def assert_complete(folder: RunFolder, prefix: str) -> None:
    found = {v.example_id: v.label for v in folder.iter_verdicts() if v.label is not None}
    assert found == {f"{prefix}{n}": scripted_label("judge", f"item-{n}") for n in range(ITEMS)}


@pytest.mark.timeout(180)
def test_two_processes_pay_for_each_question_once(tmp_path: Path) -> None:
    runs = [write_run(tmp_path / name, f"{name}-") for name in ("one", "two")]
    with JudgeServer(lambda call: Answer(by_item(call).text, delay=0.15)) as server:
        both = [judging(run, server.url, tmp_path / "cache") for run in runs]
        for process in both:
            go(process)
        bills = [numbers(process) for process in both]
        asked = Counter(item_of(call.prompt) for call in server.calls)
    assert asked == dict.fromkeys((f"item-{n}" for n in range(ITEMS)), 1)
    assert sum(calls for calls, *_ in bills) == ITEMS
    assert all(calls > 5 for calls, *_ in bills), "they shared the work, and neither waited for the other's end"
    assert [calls + reused for calls, reused, *_ in bills] == [ITEMS, ITEMS]
    assert [bill[2:] for bill in bills] == [[0, 0], [0, 0]]
    for run, prefix in zip(runs, ("one-", "two-"), strict=True):
        assert_complete(run, prefix)


@pytest.mark.timeout(180)
def test_the_claims_of_a_killed_process_are_taken_over(tmp_path: Path) -> None:
    runs = [write_run(tmp_path / name, f"{name}-") for name in ("one", "two")]

    def hang_after_20(call: Call) -> Answer:
        return Answer(hang=True) if 20 < call.number <= 28 else by_item(call)

    with JudgeServer(hang_after_20) as server:
        victim, heir = (judging(run, server.url, tmp_path / "cache") for run in runs)
        go(victim)
        while len(server.calls) < 28:
            time.sleep(0.01)
        go(heir)
        while len(server.calls) < ITEMS:
            time.sleep(0.01)  # the heir asks all that nobody is asking
        time.sleep(2 * LEASE)
        assert len(server.calls) == ITEMS, "a living process keeps what it asks, however long that takes"
        victim.kill()
        victim.communicate()
        killed = time.monotonic()
        calls, reused, failed, unasked = numbers(heir)
        taken_over = [call for call in server.calls if call.at > killed]
    assert (calls, reused, failed, unasked) == (ITEMS - 20, 20, 0, 0)
    assert len(taken_over) == 8
    assert min(call.at for call in taken_over) - killed > LEASE / 4, "the lease was waited for"
    assert_complete(runs[1], "two-")
