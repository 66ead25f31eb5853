"""Pairs a second, and memory: the started pool and the whole `score` verb against a plain in-process loop.

    SQLGAUGE_DATA=FOLDER python tests/perf/scoring.py [--rounds 3] [--skip-memory]

Pairs are nine systems' published predictions on the 972 Spider dev items with data. The loop is what one would write
in ten lines: sqlite3, connections kept, two executes and a comparison a pair; it isolates nothing and it runs the
gold again for every system. The pool's workers are started, and have seen none of the databases. The verb reads nine
run folders, starts its workers, extracts, executes, compares, writes nine scores.jsonl and ends its workers. All make
the same 8,748 decisions (policy `strict`), and the script checks that. Memory is the peak of the scoring process and
of its biggest worker, in a process of its own, over ten runs of synthetic items.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import equivalence

from benchmark.extract import extract
from benchmark.sqlengine.pool import Pool
from benchmark.sqlengine.protocol import Database, Job
from benchmark.store import RunFolder
from benchmark.types import Example, Generation, RunManifest
from sqlgauge import verbs

#: All default metrics but equivalence, which searches for as long as it is told to.
FOUR = ("exact", "exact_ws", "ast", "execution")
Pair = tuple[str, str, str]  # database path, gold, prediction


def load(folder: Path) -> list[list[Pair]]:
    """The pairs, one list a system."""
    questions = json.loads((folder / "dev.json").read_text())
    systems = []
    for path in sorted((folder / "predictions").glob("*.jsonl")):
        rows = [json.loads(line) for line in path.read_text().splitlines()]
        systems.append([_pair(folder, q, row) for q, row in zip(questions, rows, strict=True) if q["db_id"] != "wta_1"])
    return systems


def plain_loop(systems: list[list[Pair]]) -> list[bool]:
    """A decision a pair, in this process and without any protection."""
    connections: dict[str, sqlite3.Connection] = {}
    decisions = []
    for system in systems:
        for path, gold, prediction in system:
            if path not in connections:
                connections[path] = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
            connection = connections[path]
            try:
                expected = connection.execute(gold).fetchall()
                found = connection.execute(prediction).fetchall()
            except sqlite3.Error:
                decisions.append(False)
                continue
            ordered = "order by" in gold.lower()
            decisions.append(expected == found or (not ordered and Counter(expected) == Counter(found)))
    for connection in connections.values():
        connection.close()
    return decisions


def through_pool(pool: Pool, systems: list[list[Pair]]) -> list[bool]:
    """The same decisions by isolated workers: a job an item, with every system's different predictions."""
    items = [[system[i] for system in systems] for i in range(len(systems[0]))]
    jobs = (
        Job(str(i), "sqlite", "read", Database(path=pairs[0][0]), [pairs[0][1]], _distinct(pairs), "strict")
        for i, pairs in enumerate(items)
    )
    agrees: list[dict[str, bool]] = []
    for pairs, reply in zip(items, pool.run(jobs), strict=True):
        found = zip(_distinct(pairs), reply.predictions, strict=True)
        agrees.append({prediction: outcome.agrees for prediction, outcome in found})
    return [agrees[i][pair[2]] for system in systems for i, pair in enumerate(system)]


def write_runs(folder: Path, systems: list[list[Pair]]) -> None:
    """A run folder a system, as `sqlgauge run` leaves it."""
    examples = [
        Example(id=str(i), question="?", schema_sql="", golds=(gold,), dialect="sqlite", group=path, db=path)
        for i, (path, gold, _) in enumerate(systems[0])
    ]
    for number, system in enumerate(systems):
        write_run(folder / str(number), examples, [prediction for _, _, prediction in system])


def write_run(folder: Path, examples: list[Example], texts: list[str]) -> None:
    """One run folder, ready to be scored."""
    folder.mkdir(parents=True)
    run = RunFolder(folder)
    identity = {"model": {"spec": folder.name}, "dataset": {"name": "perf", "fingerprint": "perf"}, "policy": "strict"}
    run.write_manifest(RunManifest(run_id=folder.name, identity=identity, provenance={}))
    run.write_examples(examples)
    run.append_generations(
        Generation(example_id=example.id, text=text, finish_reason="stop")
        for example, text in zip(examples, texts, strict=True)
    )


def through_verb(folder: Path, metrics: list[str] | None) -> list[bool]:
    """The decisions that `sqlgauge score` writes down."""
    verbs.score([folder], metrics=metrics, policy="strict", workers=2)
    runs = sorted(folder.iterdir(), key=lambda path: int(path.name))
    return [score.value == 1.0 for run in runs for score in RunFolder(run).iter_scores() if score.metric == "execution"]


MEASURE = """
import os, sys, threading, time
from pathlib import Path
from sqlgauge import verbs

def peak(pid):  # VmHWM: the peak since this program was loaded, in KiB
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("VmHWM")), 0)

def watch():
    me = os.getpid()
    while True:
        for child in Path(f"/proc/{me}/task/{me}/children").read_text().split():
            workers[child] = max(workers.get(child, 0), peak(child))
        time.sleep(0.01)

workers = {}
threading.Thread(target=watch, daemon=True).start()
verbs.score([Path(sys.argv[1])], metrics=["execution"], workers=2)
print(peak("self") / 1024, max(workers.values()) / 1024)
"""


def peak_memory(pairs: int) -> tuple[float, float]:
    """Peak MiB of scoring `pairs` pairs in ten runs: of the process itself, and of its biggest worker."""
    schema = "CREATE TABLE t (a INTEGER, b TEXT); INSERT INTO t VALUES " + ", ".join(
        f"({i}, 'x{i}')" for i in range(50)
    )
    count = pairs // 10
    examples = [
        Example(id=str(i), question="?", schema_sql=f"{schema}; -- {i}", golds=(f"SELECT b FROM t WHERE a > {i % 50}",),
                dialect="sqlite", group=str(i))
        for i in range(count)
    ]  # fmt: skip
    with tempfile.TemporaryDirectory() as name:
        for run in range(10):
            texts = [f"SELECT b FROM t WHERE a > {i % 50} AND {run} < 8 OR a = {i}" for i in range(count)]
            write_run(Path(name) / str(run), examples, texts)
        done = subprocess.run(
            [sys.executable, "-c", MEASURE, name], capture_output=True, text=True, check=True, env=dict(os.environ)
        )
    own, worker = map(float, done.stdout.split())
    return own, worker


def _pair(folder: Path, question: dict[str, Any], row: dict[str, Any]) -> Pair:
    path = folder / "database" / question["db_id"] / f"{question['db_id']}.sqlite"
    prediction = row["predicted_sql"]
    return str(path), question["query"], extract("", prediction, "stop").sql or prediction  # the loop has no extraction


def _distinct(pairs: list[Pair]) -> list[str]:
    return list(dict.fromkeys(pair[2] for pair in pairs))


def main() -> None:
    """Print pairs a second of each and their ratios (the best of the rounds, taken in turn), and peak memory."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--skip-memory", action="store_true")
    arguments = parser.parse_args()
    data = os.environ.get("SQLGAUGE_DATA")
    if not data:
        sys.exit("SQLGAUGE_DATA is not set: it names the folder of real development data")
    systems = load(Path(data) / "spider_dev")
    print_speed(systems, arguments.rounds)
    equivalence.print_speed(equivalence.load(Path(data) / "spider_dev"))
    if not arguments.skip_memory:
        for pairs in (1_000, 10_000, 100_000):
            own, worker = peak_memory(pairs)
            print(f"memory, {pairs:>7,} pairs: {own:6.1f} MiB, and {worker:6.1f} MiB in the biggest worker")


def print_speed(systems: list[list[Pair]], rounds: int) -> None:
    """Time the loop, the pool and the verb in turn, and check that they decide alike."""
    pairs = sum(map(len, systems))
    best: dict[str, float] = {}

    def timed(name: str, work: Callable[[], list[bool]]) -> list[bool]:
        started = time.perf_counter()
        decisions = work()
        best[name] = min(best.get(name, math.inf), time.perf_counter() - started)
        return decisions

    with tempfile.TemporaryDirectory() as name:
        write_runs(Path(name), systems)
        for _ in range(rounds):
            expected = timed("plain loop", lambda: plain_loop(systems))
            with Pool(2) as pool:  # a new one each round, or it would know every result already
                list(pool.run(Job("", "sqlite", "read", Database("-- "), ["SELECT 1"], []) for _ in range(128)))
                found = [timed("pool", lambda: through_pool(pool, systems))]
            found.append(timed("score, execution", lambda: through_verb(Path(name), ["execution"])))
            found.append(timed("score, four metrics", lambda: through_verb(Path(name), list(FOUR))))
            for decisions in found:
                if decisions != expected:
                    sys.exit(
                        f"{sum(a != b for a, b in zip(expected, decisions, strict=True))} pairs are decided otherwise"
                    )
    for name, seconds in best.items():
        print(f"{name:<20} {pairs / seconds:>9,.0f} pairs/s   {best['plain loop'] / seconds:5.2f} x the loop")


if __name__ == "__main__":
    main()
