"""Seconds and memory of `sqlgauge report` for many models on many items, on synthetic run folders.

    python tests/perf/reporting.py [--models 10] [--items 10000] [--limit-seconds 20 --limit-mib 1024]

The folders are made in a temporary place. Half of the answers are right, the others wrong in ways that their trees
show; no two models share a wrong answer, so that every one is taken apart. Each item is its own cluster, which is the
slowest case for the bootstrap. The peak is VmHWM of a process of its own, from its start to the written site.
Exit code 1 if a limit is passed.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from random import Random

from benchmark.store import RunFolder
from benchmark.types import Example, Generation, RunManifest, Score, Timing

TABLES = ("singer", "concert", "stadium", "album")
SCHEMA = " ".join(f"CREATE TABLE {table} (id INTEGER, name TEXT, year INTEGER, price REAL);" for table in TABLES)
MEASURE = """
import sys, time
from pathlib import Path
started = time.perf_counter()
from sqlgauge import verbs
verbs.report([Path(sys.argv[1])], out=Path(sys.argv[2]))
seconds = time.perf_counter() - started
lines = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
print(seconds, int(lines["VmHWM"].split()[0]) / 1024)
"""


def example(number: int) -> Example:
    """An item with a gold of a few clauses and three tags."""
    table, other = TABLES[number % 4], TABLES[(number + 1) % 4]
    gold = f"SELECT a.name, COUNT(*) FROM {table} AS a JOIN {other} AS b ON a.id = b.id WHERE a.year > {number} "
    return Example(
        id=f"item-{number:06}",
        question=f"How often does each name come up after {number}?",
        schema_sql=SCHEMA,
        golds=(gold + "GROUP BY a.name ORDER BY COUNT(*) DESC LIMIT 5",),
        dialect="sqlite",
        group=f"database-{number}",
        tags={"complexity": f"level {number % 4}", "domain": f"domain {number % 24}", "database": f"d{number % 200}"},
    )


def prediction(example: Example, model: int, random: Random) -> str:
    """The gold, or the gold with one thing changed that names the model."""
    gold = example.golds[0]
    wrong = (
        gold.replace("DESC", "ASC").replace("LIMIT 5", f"LIMIT {model + 6}"),
        gold.replace("a.year >", f"a.price > {model} AND a.year >="),
        gold.replace("a.name", f"a.name{model}"),
        gold.replace("JOIN", "LEFT JOIN").replace("LIMIT 5", f"LIMIT {model + 6}"),
    )
    return gold if random.random() < 0.5 else random.choice(wrong)


def write_run(folder: Path, examples: list[Example], model: int) -> None:
    """One run folder as `sqlgauge run` leaves it."""
    folder.mkdir(parents=True)
    run, random = RunFolder(folder), Random(model)
    dataset = {"name": "perf/test", "fingerprint": "sha256:perf", "n": len(examples), "dialect": "sqlite"}
    identity = {"model": {"spec": f"perf/model-{model}"}, "dataset": dataset, "policy": "default"}
    counts = {"examples": len(examples)}
    run.write_manifest(RunManifest(run_id=folder.name, identity=identity, provenance={}, counts=counts, complete=True))
    run.write_examples(examples)
    texts = [prediction(example, model, random) for example in examples]
    run.append_generations(
        Generation(
            example_id=example.id,
            text=text,
            finish_reason="stop",
            prompt_tokens=300,
            completion_tokens=40,
            cost_usd=0.0001,
            timing=Timing(seconds=random.random()),
        )
        for example, text in zip(examples, texts, strict=True)
    )
    run.replace_scores(scores(examples, texts))


def scores(examples: list[Example], texts: list[str]) -> Iterator[Score]:
    """Four metrics an item, with the evidence of a wrong execution."""
    for example, text in zip(examples, texts, strict=True):
        right = text == example.golds[0]
        invalid = ".name1" in text and not right
        for metric in ("exact", "exact_ws", "ast"):
            yield Score(example_id=example.id, metric=metric, value=float(right), status="ok")
        yield Score(
            example_id=example.id,
            metric="execution",
            value=float(right),
            status="invalid" if invalid else "ok",
            evidence={"reason": "no such column: a.name1"} if invalid else {"rows": 5, "first_rows": [["x", 1]] * 5},
        )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", type=int, default=10)
    parser.add_argument("--items", type=int, default=10_000)
    parser.add_argument("--limit-seconds", type=float, default=20.0)
    parser.add_argument("--limit-mib", type=float, default=1024.0)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="sqlgauge-perf-") as name:
        folder = Path(name)
        examples = [example(number) for number in range(args.items)]
        for model in range(args.models):
            write_run(folder / "runs" / f"model-{model:02}", examples, model)
        waited = time.perf_counter()
        command = [sys.executable, "-c", MEASURE, str(folder / "runs"), str(folder / "site")]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        waited = time.perf_counter() - waited
        size = sum(path.stat().st_size for path in (folder / "site").rglob("*") if path.is_file())
    seconds, mib = map(float, done.stdout.split())
    print(f"report of {args.models} models x {args.items} items: {seconds:.1f} s ({waited:.1f} s with the start)")
    print(f"peak {mib:.0f} MiB (VmHWM); the site has {size / 2**20:.1f} MiB")
    return int(waited > args.limit_seconds or mib > args.limit_mib)


if __name__ == "__main__":
    sys.exit(main())
