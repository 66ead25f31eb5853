"""Published predictions on Spider's dev split: our policies give the labels that came with them, on all of them.

Once with the predictions as they are, and once through extraction, which must not cost a right one.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from benchmark.extract import extract
from benchmark.sqlengine.pool import Pool
from benchmark.sqlengine.protocol import Database, Job


@pytest.mark.parametrize("extracted", [False, True], ids=["as they are", "extracted"])
@pytest.mark.parametrize(("policy", "label"), [("spider", "ex_spider_official"), ("strict", "ex_strict")])
def test_policies_reproduce_the_official_labels(data_folder: Path, policy: str, label: str, extracted: bool) -> None:
    folder = data_folder / "spider_dev"
    questions = json.loads((folder / "dev.json").read_text())
    systems = [_lines(path, extracted) for path in sorted((folder / "predictions").glob("*.jsonl"))]
    with_data = [i for i, question in enumerate(questions) if question["db_id"] != "wta_1"]  # empty at its source
    jobs = [_job(folder, questions[i], str(i), [system[i] for system in systems], policy) for i in with_data]
    with Pool(2) as pool:
        replies = {int(reply.key): reply for reply in pool.run(jobs)}
    compared, wrong = 0, []
    for i in with_data:
        for system, outcome in zip(systems, replies[i].predictions, strict=True):
            compared += 1
            if outcome.agrees != system[i][label]:
                wrong.append((i, outcome, system[i]["predicted_sql"]))
    assert compared == 9 * 972
    assert wrong == []


def _job(folder: Path, question: dict[str, Any], key: str, rows: list[dict[str, Any]], policy: str) -> Job:
    path = folder / "database" / question["db_id"] / f"{question['db_id']}.sqlite"
    predictions = [row["predicted_sql"] for row in rows]
    return Job(key, "sqlite", "read", Database(path=str(path)), [question["query"]], predictions, policy)


def _lines(path: Path, extracted: bool) -> list[dict[str, Any]]:
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    if extracted:
        for row in rows:
            row["predicted_sql"] = extract("", row["predicted_sql"], "stop").sql or ""
    return rows
