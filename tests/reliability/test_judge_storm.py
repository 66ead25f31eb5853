"""A storm over the judges: three providers, a fifth of all calls go wrong, and the process is killed half-way.

After reruns every verdict is there exactly once, each is the one that the server gave, and the server was not called
more often than faults and the kill explain. 200 items; SQLGAUGE_STORM=2000 makes it the full storm, and prints figures.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path

import pytest
from judge_server import Answer, Call, JudgeServer, by_item, scripted_label

from benchmark.store import RunFolder
from benchmark.types import Example, Generation, RunManifest

ITEMS = int(os.environ.get("SQLGAUGE_STORM", "200"))
JUDGES = ("openai/storm-a", "anthropic/storm-b", "gemini/storm-c")
CONCURRENCY = 32
FAULTS = {
    "429": Answer(status=429, headers={"Retry-After-Ms": "40"}),
    "503": Answer(status=503, headers={"Retry-After": "0"}),
    "500": Answer(status=500),
    "hang": Answer(hang=True),
    "empty body": Answer(raw=b""),
    "broken body": Answer(raw=b'{"id": "x", "cho'),
    "prose": Answer("I looked at both queries, and they seem to agree."),
    "broken JSON": Answer('{"verdict": "correct", "reas'),
    "two verdicts": Answer('{"verdict": "correct"} {"verdict": "incorrect"}'),
}
PROGRAM = """
import sys, warnings
from pathlib import Path
warnings.simplefilter("ignore")
from benchmark.chat import ChatSettings
from benchmark.store import RunFolder
from judges.panel import Panel

settings = ChatSettings(max_tokens=100, concurrency=int(sys.argv[3]), timeout=2.0, retries=3, backoff=0.02)
panel = Panel(sys.argv[4:], api_base=sys.argv[2], settings=settings)
print(panel.judge(RunFolder(Path(sys.argv[1])), lambda *progress: None))
"""


class Storm:
    """The server's script: as scripted for the item, but for a fifth of the calls. Counts what it did."""

    def __init__(self) -> None:
        self._random = random.Random(11)
        self._lock = threading.Lock()
        self.faults: Counter[str] = Counter()

    def __call__(self, call: Call) -> Answer:
        with self._lock:
            if self._random.random() >= 0.2:
                return by_item(call)
            name = self._random.choice(list(FAULTS))
            self.faults[name] += 1
            return FAULTS[name]


def write_run(path: Path, items: int) -> RunFolder:
    """A run of `items` answered questions, 'item-NUMBER' in each."""
    path.mkdir()
    folder = RunFolder(path)
    folder.write_manifest(RunManifest(run_id="storm", identity={"model": {"spec": "storm"}}, provenance={}))
    names = [f"item-{number}" for number in range(items)]
    shared = {"schema_sql": "CREATE TABLE t (a INTEGER)", "golds": ("SELECT a FROM t",)}
    folder.write_examples(
        Example(id=name, question=f"{name}?", dialect="sqlite", group="storm", **shared) for name in names
    )
    folder.append_generations(
        Generation(example_id=name, text=f"SELECT a FROM t WHERE a > {number}", finish_reason="stop")
        for number, name in enumerate(names)
    )
    return folder


def judging(folder: RunFolder, url: str) -> subprocess.Popen[str]:
    """The judging, in a process of its own."""
    command = [sys.executable, "-c", PROGRAM, str(folder.path), url, str(CONCURRENCY), *JUDGES]
    clean = {name: value for name, value in os.environ.items() if not name.endswith("_API_KEY")}
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=clean)


@pytest.mark.timeout(900)
def test_every_verdict_exactly_once(tmp_path: Path) -> None:
    folder, storm, started = write_run(tmp_path / "run", ITEMS), Storm(), time.monotonic()
    with JudgeServer(storm) as server:
        victim = judging(folder, server.url)
        while len(server.calls) < 3 * ITEMS // 2 and victim.poll() is None:
            time.sleep(0.01)
        victim.kill()
        victim.communicate()
        assert victim.returncode == -9, "it was killed in the middle"
        at_kill = len(list(folder.iter_verdicts()))
        assert 0 < at_kill < 3 * ITEMS
        with (folder.path / "verdicts.jsonl").open("ab") as handle:
            handle.write(b'{"example_id":"item-0","judge":"openai/st')  # as a kill within a write would leave it
        failures = []
        while not failures or failures[-1]:
            assert len(failures) < 10, failures
            again = judging(folder, server.url)
            shown, _ = again.communicate(timeout=600)
            assert again.returncode == 0
            failures.append(int(shown))
        calls, faults = len(server.calls), storm.faults.total()

    lines = list(folder.iter_verdicts())
    given = {(v.judge, v.example_id): v.label for v in lines if v.label is not None}
    expected = {
        (judge, f"item-{number}"): scripted_label(judge.partition("/")[2], f"item-{number}")
        for judge in JUDGES
        for number in range(ITEMS)
    }
    assert given == expected, "none lost, none invented"
    assert sum(v.label is not None for v in lines) == len(expected), "each exactly once"
    assert {v.label for v in folder.verdicts()} <= {"correct", "incorrect", "unsure"}
    assert calls <= len(expected) + faults + len(JUDGES) * CONCURRENCY
    assert faults > 0.15 * calls
    print(
        f"\n{len(expected)} verdicts, {calls} calls, {faults} faults {dict(storm.faults)}; {at_kill} lines at the "
        f"kill; failures of the reruns {failures}; {time.monotonic() - started:.1f} s"
    )
