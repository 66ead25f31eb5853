"""Pairs a second of proofs on one core, and of the whole `equivalence` decision on two; what the search refutes.

    SQLGAUGE_DATA=FOLDER python tests/perf/equivalence.py [--table]

Pairs are nine systems' published predictions on the 972 Spider dev items with data, policy `default`. Proofs: every
pair, with the memo of a statement's form that `prove` keeps, in this process. Equivalence: proof, else execution on
the given database, else the search with its default budget, through a started pool of two workers. `--table` prints
how many answers that execution calls correct are proved, refuted and undecided, a system at a time.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmark.extract import extract
from benchmark.sqlengine.parse import parse
from benchmark.sqlengine.pool import Pool
from benchmark.sqlengine.protocol import Database, Job, Outcome, Search
from benchmark.sqlengine.prove import prove
from benchmark.sqlengine.sandbox.sqlite import schema_script

EMPTY_DATABASE = "wta_1"


@dataclass(frozen=True)
class Item:
    """One question: its gold, its database, and what each system answered."""

    id: str
    gold: str
    path: str
    schema_sql: str
    answers: dict[str, str]


def load(folder: Path) -> list[Item]:
    """The items with data, in the order of dev.json."""
    questions = json.loads((folder / "dev.json").read_text())
    answers: list[dict[str, str]] = [{} for _ in questions]
    for path in sorted((folder / "predictions").glob("*.jsonl")):
        for place, line in enumerate(path.read_text().splitlines()):
            text = json.loads(line)["predicted_sql"]
            answers[place][path.stem] = extract("", text, "stop").sql or text
    schemas: dict[str, str] = {}
    items = []
    for place, question in enumerate(questions):
        name = question["db_id"]
        path = folder / "database" / name / f"{name}.sqlite"
        schemas.setdefault(name, schema_script(path))
        if name != EMPTY_DATABASE:
            items.append(Item(str(place), question["query"], str(path), schemas[name], answers[place]))
    return items


def proofs(items: list[Item]) -> set[tuple[str, str]]:
    """Item and prediction of every pair that is proved."""
    return {
        (item.id, prediction)
        for item in items
        for prediction in item.answers.values()
        if prove(item.gold, prediction, "sqlite", item.schema_sql) is not None
    }


def outcomes(items: list[Item], pool: Pool) -> Iterator[tuple[Item, dict[str, Outcome], set[str]]]:
    """For each item its predictions' outcomes, the search included, and which of them are proved."""
    known: list[tuple[list[str], set[str]]] = []

    def jobs() -> Iterator[Job]:
        for item in items:
            distinct = list(dict.fromkeys(item.answers.values()))
            proved = {sql for sql in distinct if prove(item.gold, sql, "sqlite", item.schema_sql) is not None}
            known.append((distinct, proved))
            skip = [place for place, sql in enumerate(distinct) if sql in proved]
            database = Database(path=item.path)
            yield Job(item.id, "sqlite", "read", database, [item.gold], distinct, "default", search=Search(skip=skip))

    for place, reply in enumerate(pool.run(jobs())):
        distinct, proved = known[place]
        yield items[place], dict(zip(distinct, reply.predictions, strict=True)), proved


def print_speed(items: list[Item]) -> None:
    """Pairs a second of both."""
    pairs = sum(len(item.answers) for item in items)
    unreadable = sum(parse(item.gold, "sqlite") is None for item in items)
    started = time.perf_counter()
    proved = len(proofs(items))
    seconds = time.perf_counter() - started
    print(f"ast, one core         {pairs / seconds:9,.0f} pairs/s   "
          f"({pairs:,} pairs, {proved:,} different ones proved, {unreadable} golds fail)")  # fmt: skip
    with Pool(2) as pool:
        list(pool.run(Job("", "sqlite", "read", Database("-- "), ["SELECT 1"], []) for _ in range(128)))
        started = time.perf_counter()
        searched = sum(
            outcome.agrees and sql not in proved
            for _, found, proved in outcomes(items, pool)
            for sql, outcome in found.items()
        )
        seconds = time.perf_counter() - started
    print(f"equivalence, 2 cores  {pairs / seconds:9,.0f} pairs/s   ({searched:,} different ones searched, "
          f"{searched / seconds:,.0f} of them a second)")  # fmt: skip


def print_table(items: list[Item]) -> None:
    """What becomes of the answers that execution calls correct, as a Markdown table."""
    counts: dict[str, Counter[str]] = {name: Counter() for name in items[0].answers}
    with Pool(2) as pool:
        for item, found, proved in outcomes(items, pool):
            for system, sql in item.answers.items():
                counts[system][_verdict(found[sql], sql in proved)] += 1
    print("| system | correct by execution | proved | refuted | undecided | proved although the rows differ |")
    print("| --- | --- | --- | --- | --- | --- |")
    for system, count in sorted(counts.items(), key=lambda pair: -pair[1]["proved"]):
        correct = count["proved"] + count["refuted"] + count["undecided"]
        print(f"| {system} | {correct} | {count['proved']} | {count['refuted']} ({count['refuted'] / correct:.1%}) "
              f"| {count['undecided']} | {count['tie']} |")  # fmt: skip


def _verdict(outcome: Outcome, proved: bool) -> str:
    if proved:
        return "proved" if outcome.agrees else "tie"
    if not outcome.agrees:
        return "wrong"
    return "refuted" if outcome.counterexample is not None else "undecided"


def main() -> None:
    """Print both speeds, or the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--table", action="store_true")
    arguments = parser.parse_args()
    data = os.environ.get("SQLGAUGE_DATA")
    if not data:
        sys.exit("SQLGAUGE_DATA is not set: it names the folder of real development data")
    items = load(Path(data) / "spider_dev")
    if arguments.table:
        print_table(items)
    else:
        print_speed(items)


if __name__ == "__main__":
    main()
