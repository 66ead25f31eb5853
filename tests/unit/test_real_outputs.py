"""Extraction on real raw outputs of fine-tuned models: what it finds, and that it never loses what was right."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

from benchmark.extract import extract
from benchmark.sqlengine.canonical.syntax import folded


def verdicts(pairs: list[tuple[str, str]]) -> tuple[Counter[str], Counter[tuple[bool, bool]]]:
    """(gold, raw output) pairs: extraction statuses, agreement of trees (of the text as it is, of what is found)."""
    statuses: Counter[str] = Counter()
    agreement: Counter[tuple[bool, bool]] = Counter()
    for gold, raw in pairs:
        found = extract("1", raw, "stop")
        statuses[found.status] += 1
        wanted, as_it_is = folded(gold, "sqlite"), folded(raw, "sqlite")
        extracted = folded(found.sql, "sqlite") if found.sql else None
        agreement[(as_it_is is not None and as_it_is == wanted, extracted is not None and extracted == wanted)] += 1
    return statuses, agreement


def test_gemma_3_1b(data_folder: Path) -> None:
    """Four adapters and their base on 15 gretel rows: fences, prose, runaway text, empty fences."""
    lines = (data_folder / "gretel" / "gemma3_1b_raw_outputs_60.jsonl").read_text().splitlines()
    rows = [json.loads(line) for line in lines]
    statuses, agreement = verdicts([(row["gold_sql"], row["raw_prediction"]) for row in rows])
    assert statuses == {"ok": 38, "no_sql": 18, "multiple": 4}
    assert agreement == {(False, False): 57, (False, True): 3}


def test_qwen_on_wikisql(data_folder: Path) -> None:
    """A base model that fences its answers, and three QLoRA runs that do not."""
    lines = (data_folder / "wikisql_qlora" / "predictions.jsonl").read_text().splitlines()
    rows = [json.loads(line) for line in lines]
    statuses, agreement = verdicts([(row["gold_sql"], row["raw_output"]) for row in rows])
    assert statuses == {"ok": 2000}
    assert agreement[True, False] == 0
    assert agreement[False, True] == 13
    other = [row for row in rows if _words(extract("1", row["raw_output"], "stop").sql) != _words(row["predicted_sql"])]
    assert other == [], "what the authors' own extraction found, but for line ends"


def _words(sql: str | None) -> list[str]:
    return (sql or "").split()
