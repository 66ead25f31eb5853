"""Pairs a second: the started pool against a plain in-process loop, side by side in one run.

    SQLGAUGE_DATA=FOLDER python tests/perf/scoring.py [--rounds 3]

Pairs are nine systems' published predictions on the 972 Spider dev items with data. The loop is what one would write
in ten lines: sqlite3, connections kept, two executes and a comparison a pair; it isolates nothing and it runs the
gold again for every system. The pool's workers are started, and have seen none of the databases. Both sides make the
same 8,748 decisions (policy `strict`), and the script checks that.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import sqlite3
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

from benchmark.sqlengine.pool import Pool
from benchmark.sqlengine.protocol import Database, Job

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


def _pair(folder: Path, question: dict[str, Any], row: dict[str, Any]) -> Pair:
    path = folder / "database" / question["db_id"] / f"{question['db_id']}.sqlite"
    return str(path), question["query"], row["predicted_sql"]


def _distinct(pairs: list[Pair]) -> list[str]:
    return list(dict.fromkeys(pair[2] for pair in pairs))


def main() -> None:
    """Print pairs a second of both, and their ratio: the best of the rounds, taken in turn."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    rounds = parser.parse_args().rounds
    data = os.environ.get("SQLGAUGE_DATA")
    if not data:
        sys.exit("SQLGAUGE_DATA is not set: it names the folder of real development data")
    systems = load(Path(data) / "spider_dev")
    pairs = sum(map(len, systems))
    best = {"plain loop": math.inf, "pool": math.inf}
    for _ in range(rounds):
        started = time.perf_counter()
        expected = plain_loop(systems)
        best["plain loop"] = min(best["plain loop"], time.perf_counter() - started)
        with Pool(2) as pool:  # a new one each round, or it would know every result already
            list(pool.run(Job("", "sqlite", "read", Database("-- "), ["SELECT 1"], []) for _ in range(128)))
            started = time.perf_counter()
            found = through_pool(pool, systems)
            best["pool"] = min(best["pool"], time.perf_counter() - started)
        if expected != found:
            sys.exit(f"the two disagree on {sum(a != b for a, b in zip(expected, found, strict=True))} pairs")
    for name, seconds in best.items():
        print(f"{name:<12} {pairs / seconds:>9,.0f} pairs/s")
    print(f"ratio        {best['plain loop'] / best['pool']:>9.2f}")


if __name__ == "__main__":
    main()
