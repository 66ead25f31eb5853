"""A million pairs through `score`: whether memory stays flat and the last are scored as fast as the first.

    python tests/perf/million.py [--pairs 1000000] [--runs 10]

Synthetic items with contexts of their own, which no cache can hold, are scored by execution with two workers; `--runs`
systems share them, with as many different answers. The scoring process notes its own resident memory, that of its
workers and the time at every tenth. Exit code 1 where the last tenth is slower than 1.1 times the first, or memory
(all processes together) grows by more than 10% from the first tenth to the last.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from benchmark.store import RunFolder
from benchmark.types import Example, Generation, RunManifest

TENTHS = 10
SLOWER = 1.1
GROWN = 1.1

MEASURE = """
import json, os, sys, time
from pathlib import Path
from sqlgauge import verbs

def memory(pid, what):  # MiB
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0.0
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith(what)), 0.0)

def noted(stage, done, total):
    if stage == "score" and done % (total // 10) == 0:
        me = os.getpid()
        workers = Path(f"/proc/{me}/task/{me}/children").read_text().split()
        marks.append((time.perf_counter(), memory(me, "VmRSS"), sum(memory(one, "VmRSS") for one in workers)))

marks = []
began = time.perf_counter()
verbs.score([Path(sys.argv[1])], metrics=["execution"], workers=2, progress=noted)
print(json.dumps([began, time.perf_counter(), memory("self", "VmHWM"), marks]))
"""


def examples(count: int) -> Iterator[Example]:
    """Items of small contexts, each with a gold of its own."""
    rows = ", ".join(f"({i}, 'x{i}')" for i in range(20))
    for i in range(count):
        yield Example(
            id=f"item-{i}", question="Which names?", dialect="sqlite", group=str(i % 1000),
            schema_sql=f"CREATE TABLE t{i} (a INTEGER, b TEXT); INSERT INTO t{i} VALUES {rows};",
            golds=(f"SELECT b FROM t{i} WHERE a > {i % 17}",),
        )  # fmt: skip


def write_runs(folder: Path, count: int, runs: int) -> None:
    """Run folders of `count` items each, as `sqlgauge run` leaves them."""
    for number in range(runs):
        run = RunFolder(folder / f"run-{number}")
        run.path.mkdir()
        dataset = {"name": "perf", "fingerprint": "perf"}
        identity = {"model": {"spec": run.path.name}, "dataset": dataset, "policy": "default"}
        run.write_manifest(RunManifest(run_id=run.path.name, identity=identity, provenance={}))
        run.write_examples(examples(count))
        run.append_generations(
            Generation(
                example_id=f"item-{i}", text=f"SELECT b FROM t{i} WHERE a > {(i + number) % 23}", finish_reason="stop"
            )
            for i in range(count)
        )


def main() -> int:
    """Print pairs a second and MiB at every tenth."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, default=1_000_000)
    parser.add_argument("--runs", type=int, default=10)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="sqlgauge-perf-") as name:
        started = time.perf_counter()
        write_runs(Path(name), arguments.pairs // arguments.runs, arguments.runs)
        print(f"{arguments.runs} runs written in {time.perf_counter() - started:.0f} s", flush=True)
        done = subprocess.run(
            [sys.executable, "-c", MEASURE, name], stdout=subprocess.PIPE, text=True, check=True, env=dict(os.environ)
        )
    began, ended, peak, marks = json.loads(done.stdout)
    tenth = arguments.pairs // TENTHS
    times = [began, *(mark[0] for mark in marks)]
    for number, (_, own, workers) in enumerate(marks):
        rate = tenth / (times[number + 1] - times[number])
        print(f"{(number + 1) * tenth:>9,} pairs: {rate:>7,.0f} pairs/s, {own:6.1f} MiB and {workers:6.1f} in workers")
    slower = (times[-1] - times[-2]) / (times[1] - times[0])
    grown = max(sum(marks[-1][1:]), peak + marks[-1][2]) / sum(marks[0][1:])
    print(f"{arguments.pairs / (ended - began):,.0f} pairs/s in all, with the items' health and the files written")
    print(f"peak of the scoring process, to its end: {peak:.1f} MiB")
    print(f"last tenth {slower:.2f}x the first (at most {SLOWER}); memory {grown:.2f}x (at most {GROWN})")
    return int(slower > SLOWER or grown > GROWN)


if __name__ == "__main__":
    sys.exit(main())
