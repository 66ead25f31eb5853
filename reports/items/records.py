"""What a shard says of an item, and of a run's answers to it.

Promises: everything that the run folder holds about an answer is there, long texts cut and said to be; the only figures
that depend on a clock are those that the run measured.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from benchmark.extract import extract
from benchmark.types import Example, Generation, Score, Verdict
from reports.items.layout import cut, cut_cells
from reports.items.tree_diff import Edit

Record = dict[str, Any]


def item_record(example: Example, schema: int, unsound: str | None = None) -> Record:
    """An item; `schema` is the place of its schema among its shard's, `unsound` what is wrong with the item itself."""
    return {
        "id": example.id,
        "question": cut(example.question),
        "golds": list(map(cut, example.golds)),
        "schema": schema,
        "dialect": example.dialect,
        "group": example.group,
        "task": example.task,
        "hint": None if example.evidence is None else cut(example.evidence),
        "unsound": None if unsound is None else cut(unsound),
        "tags": sorted(example.tags.items()),
    }


def answer_record(answer: Generation, scores: Sequence[Score], verdicts: Sequence[Verdict]) -> Record:
    """An answer with what metrics and judges say of it."""
    found = extract(answer.example_id, answer.text, answer.finish_reason)
    error = answer.error
    said = [score for score in scores if score.sample == answer.sample]
    return {
        "sample": answer.sample,
        "text": cut(answer.text),
        "sql": None if found.sql is None else cut(found.sql),
        "extraction": found.status,
        "finish": answer.finish_reason,
        "error": None if error is None else cut(f"{error.type}: {error.message}"),
        "took": {
            "prompt_tokens": answer.prompt_tokens,
            "completion_tokens": answer.completion_tokens,
            "seconds": None if answer.timing is None else round(answer.timing.seconds, 3),
            "cost_usd": answer.cost_usd,
        },
        "scores": [_score(score) for score in said],
        "results": results(said),
        "proof": cut_cells(_evidence(said, "equivalence", "proof")),
        "counterexample": cut_cells(_generated(said)),
        "verdicts": [_verdict(verdict) for verdict in verdicts if verdict.sample == answer.sample],
    }


def with_edits(record: Record, edits: Sequence[Edit] | None) -> Record:
    """The record with the edits that make the gold's tree the prediction's; None where they are not known."""
    return {**record, "edits": None if edits is None else list(edits)}


def results(scores: Sequence[Score]) -> Record | None:
    """The first rows of gold and prediction on the given database, as the execution score kept them.

    Where they agree there is one result, the prediction's.
    """
    evidence = next((score.evidence for score in scores if score.metric == "execution"), {})
    named = (("gold", "gold_rows", "gold_first_rows"), ("prediction", "rows", "first_rows"))
    shown = {
        side: cut_cells({"count": evidence[count], "rows": evidence.get(rows, [])})
        for side, count, rows in named
        if evidence.get(count) is not None
    }
    return shown or None


def _score(score: Score) -> Record:
    reason = score.evidence.get("reason")
    return {
        "metric": score.metric,
        "value": score.value,
        "status": score.status,
        "verdict": score.evidence.get("verdict"),
        "reason": None if reason is None else cut(str(reason)),
    }


def _verdict(verdict: Verdict) -> Record:
    return {
        "judge": verdict.judge,
        "label": verdict.label,
        "reason": cut(verdict.reason),
        "confidence": verdict.confidence,
        "version": verdict.model_version,
        "repeat": verdict.repeat,
        "swapped": verdict.swapped,
        "error": None if verdict.error is None else cut(f"{verdict.error.type}: {verdict.error.message}"),
    }


def _evidence(scores: Sequence[Score], metric: str, key: str) -> Any:
    return next((score.evidence.get(key) for score in scores if score.metric == metric), None)


def _generated(scores: Sequence[Score]) -> Mapping[str, Any] | None:
    """The counterexample on a database of its own; one on the given database is in `results`."""
    found = _evidence(scores, "equivalence", "counterexample")
    return found if isinstance(found, Mapping) and found.get("setup_sql") else None
