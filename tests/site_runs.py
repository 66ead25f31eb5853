"""Run folders with everything that a site shows, in plain words or in hostile ones, for tests of the site.

Promises: all follows from numbers, so a test can count by `right` what a page must say. Nothing is run or asked.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from benchmark.health import Health
from benchmark.prompts import template_hash
from benchmark.store import RunFolder
from benchmark.types import Example, Failure, Generation, RunManifest, Score, Timing, Verdict
from judges.measure import ENGINE, calibrate_run, write_calibration

INJECTIONS = Path(__file__).parent / "golden" / "html_injections.jsonl"
LEVELS = ("easy", "medium", "hard")
MODELS = 3
#: Items that have two answers of the last model.
TWICE = 10


class Words:
    """What stands in each field: here what it is asked to say."""

    def begin(self) -> None:
        """A new dataset begins."""

    def __call__(self, field: str, plain: str) -> str:
        return plain


#: Fields that a dataset has one of: hostile words come two at a time there.
PAIRED = frozenset(
    {
        "dataset",
        "dialect",
        "fingerprint",
        "licence",
        "note",
        "metric",
        "prompt",
        "hash",
        "adapter key",
        "adapter value",
        "base",
    }
    | {"column", "there", "setup", "their column", "gold cell", "why", "rule", "form", "hint", "judge error"}
)


class Attacks(Words):
    """Hostile words in turn, field by field; the same ones for the same plain words of a dataset.

    `used` counts how many each field has had. Names that JavaScript knows stand alone in any field.
    """

    def __init__(self, attacks: Sequence[str]) -> None:
        alone = [text for text in attacks if text.isidentifier()]
        rest = [text for text in attacks if not text.isidentifier()]
        self._single = [(text,) for text in attacks]
        self._pairs = [(text,) for text in alone] + list(zip(rest[::2], rest[1::2], strict=True))
        self._given: dict[tuple[str, str], str] = {}
        self._turn: dict[str, int] = defaultdict(int)
        self.used: dict[str, int] = defaultdict(int)

    @property
    def rounds(self) -> int:
        """How many datasets it takes until each field has had them all."""
        return len(self._pairs)

    def begin(self) -> None:
        self._given.clear()

    def __call__(self, field: str, plain: str) -> str:
        if (field, plain) not in self._given:
            groups = self._pairs if field in PAIRED else self._single
            found = groups[self._turn[field] % len(groups)]
            self._given[field, plain] = "\n".join(found)
            self._turn[field] += 1
            self.used[field] += len(found)
        return self._given[field, plain]


def injections() -> list[str]:
    """The fifty strings."""
    return [json.loads(line)["text"] for line in INJECTIONS.read_text(encoding="utf-8").splitlines()]


def right(model: int, item: int) -> bool:
    """Whether a model's (first) answer returns what the gold returns: most of the first model's do."""
    return (7 * item + 3 * model) % 10 < 8 - 2 * model


def refuted(model: int, item: int) -> bool:
    """Whether it does so on the given database only."""
    return right(model, item) and item % 9 == 0


def unanswered(model: int, item: int, key: str) -> bool:
    """Whether the back-end failed: rarely in the first dataset, once a run in others."""
    return model == 2 and item % 50 == 49 if key.startswith("0.") else item == 1


def gold(item: int) -> str:
    """The gold of an item."""
    return f"SELECT name FROM singer WHERE age > {item} ORDER BY name"


def write_dataset(
    folder: Path, *, items: int, models: int = MODELS, words: Words | None = None, number: int = 0
) -> list[RunFolder]:
    """One run a model on the same items; `number` tells datasets apart."""
    say = words or Words()
    say.begin()
    examples = [_example(item, say, number) for item in range(items)]
    return [_write_run(folder / f"d{number:02}-m{model}", model, examples, say, number) for model in range(models)]


def _example(item: int, say: Words, number: int) -> Example:
    key = f"{number}.{item}"
    zebra = " Mind the zebra." if item == 17 else ""
    tags = {
        say("tag name", f"level{number}"): say("tag value", f"{LEVELS[item % 3]}"),
        say("tag name", f"database{number}"): say("tag value", f"db_{item % 5}"),
    }
    return Example(
        id=say("id", f"item-{item:03}" if not number else key),
        question=say("question", f"Which singers are older than {item} years?{zebra}"),
        schema_sql=say("schema", f"CREATE TABLE singer (name TEXT, age INTEGER); -- {item % 5}"),
        golds=(
            say("gold", gold(item)),
            say("second gold", f"SELECT s.name FROM singer AS s WHERE s.age > {item} ORDER BY 1"),
        ),
        dialect=say("dialect", "sqlite"),
        group=say("group", f"group_{item % 46}"),
        tags=tags,
        evidence=say("hint", f"older than: age > {item}") if item % 2 else None,
    )


def _write_run(path: Path, model: int, examples: Sequence[Example], say: Words, number: int) -> RunFolder:
    path.mkdir(parents=True)
    run, key = RunFolder(path), f"{number}.{model}"
    with run.writing():
        run.write_manifest(_manifest(key, model, len(examples), say, number))
        run.write_examples(examples)
        run.append_generations(_generations(model, examples, say, key))
        run.replace_scores(_scores(model, examples, say, key))
        if number:
            run.write_health(
                Health(example_id=one.id, status="not_itself" if at else "ok", reason=say("health", f"{key}.{at}"))
                for at, one in enumerate(examples)
            )
        if model < 2:
            run.append_verdicts(_verdicts(model, examples, say, key))
        if model == 1:
            facts = {
                say("adapter key", f"note {key}"): say("adapter value", key),
                "base": say("base", f"hf/base {key}"),
            }
            log = [{"step": step, "loss": 2 / step} for step in range(1, 9)] + [{"step": 8, "eval_loss": 0.4}]
            run.write_adapter({"identity": {**facts, "lora": {"r": 8}}, "last_loss": 0.25}, log)
    if model < 2 and len(examples) > 100:
        write_calibration(run, calibrate_run(run, ENGINE))
    return run


def _manifest(key: str, model: int, n: int, say: Words, number: int) -> RunManifest:
    dataset = {
        "name": say("dataset", f"shop-{number}/test"),
        "fingerprint": say("fingerprint", f"sha256:{number}"),
        "n": n,
        "dialect": say("dialect", "sqlite"),
    }
    known = {"name": "zero_shot", "hash": template_hash("zero_shot"), "schema": "ddl"}
    prompt: dict[str, Any] = (
        known if model == 0 else {"name": say("prompt", "mine.j2"), "hash": say("hash", "sha256:1")}
    )
    about = {"licence": say("licence", f"CC0-1.0 {number}"), "note": say("note", f"A toy {number}.")}
    return RunManifest(
        run_id=say("run id", f"run-{key}"),
        identity={
            "model": {"spec": say("model", f"hf/org/model-{key}"), "revision": say("revision", f"4f1c2d9 {key}")},
            "dataset": dataset,
            "prompt": prompt,
            "decoding": {"max_new_tokens": 256, "stop": say("decoding", f"; {key}")},
            "dtype": say("dtype", f"bfloat16 {key}"),
            "policy": say("policy", f"default {key}"),
            "batch_size": 16,
        },
        provenance={
            "dataset": about,
            "created": say("created", f"2026-05-04T10:11:12+00:00 {key}"),
            "versions": {"apsw": say("version", f"3.54 {key}")},
            "platform": say("platform", f"Linux {key}"),
        },
        counts={"examples": n, "generations": n},
        complete=model < 2,
    )


def _sql(model: int, item: int, gold_text: str) -> str:
    if right(model, item):
        return gold_text if item % 2 else gold_text.replace("ORDER BY name", "ORDER BY singer.name")
    return gold_text.replace(">", ">=").replace("ORDER BY name", f"LIMIT {model + 1}")


def _generations(model: int, examples: Sequence[Example], say: Words, key: str) -> Iterator[Generation]:
    for item, example in enumerate(examples):
        failed = unanswered(model, item, key)
        for sample in range(2 if model == 2 and item < TWICE else 1):
            text = _sql(model, item, example.golds[0])
            yield Generation(
                example_id=example.id,
                text="" if failed else say("generation", f"```sql\n{text}\n```" if item % 3 else text),
                finish_reason="error" if failed else "stop",
                sample=sample,
                error=Failure(type="Down", message=say("failure", f"no answer {key}.{item}")) if failed else None,
                prompt_tokens=300 + item,
                completion_tokens=20 + model,
                cost_usd=0.001 * 10**model,
                timing=Timing(seconds=(model + 1) * 0.5 + item % 7 / 10),
            )


def _scores(model: int, examples: Sequence[Example], say: Words, key: str) -> Iterator[Score]:
    own = say("metric", f"own metric {key.partition('.')[0]}")
    for item, example in enumerate(examples):
        for sample in range(2 if model == 2 and item < TWICE else 1):
            good, at = right(model, item) and not (sample and item % 2), {"example_id": example.id, "sample": sample}
            cell = say("cell", f"Ann {item}")
            yield Score(**at, metric="exact", value=float(good and item % 2 == 1), status="ok")
            yield Score(
                **at,
                metric=own,
                value=float(item % 4 > 0),
                status="ok",
                evidence={"reason": say("reason", f"so {item}")},
            )
            if unanswered(model, item, key):
                yield Score(**at, metric="execution", value=None, status="error", evidence={"reason": "no answer"})
                continue
            rows = {"rows": 2, "first_rows": [[cell, item], [None, 1.5]]}
            other = {} if good else {"gold_rows": 1, "gold_first_rows": [[say("gold cell", f"Bob {item}"), True]]}
            reason = {} if good else {"reason": say("why", f"other rows {item}")}
            yield Score(**at, metric="execution", value=float(good), status="ok", evidence={**rows, **other, **reason})
            yield _equivalence(model, item, good, at, say)


def _equivalence(model: int, item: int, good: bool, at: dict[str, Any], say: Words) -> Score:
    if refuted(model, item):
        side = {"columns": [say("column", f"name {item}"), "n"], "rows": [[say("there", f"Cy {item}"), None]]}
        found = {
            "database": "generated",
            "setup_sql": say("setup", f"INSERT INTO singer VALUES ('Cy', {item});"),
            "gold": side,
            "prediction": {"columns": [say("their column", f"their name {item}")], "rows": []},
        }
        return Score(
            **at,
            metric="equivalence",
            value=0.0,
            status="ok",
            evidence={"verdict": "different", "counterexample": found},
        )
    if not good:
        given = {"verdict": "different", "counterexample": {"database": "given"}}
        return Score(**at, metric="equivalence", value=0.0, status="ok", evidence=given)
    if item % 4 == 1:
        return Score(
            **at, metric="equivalence", value=1.0, status="ok", evidence={"verdict": "undecided", "databases": 60}
        )
    proof = {
        "rules": [say("rule", f"rule {item % 3}")],
        "form": say("form", f"SELECT name FROM singer WHERE age > {item}"),
    }
    return Score(**at, metric="equivalence", value=1.0, status="ok", evidence={"verdict": "equivalent", "proof": proof})


def _verdicts(model: int, examples: Sequence[Example], say: Words, key: str) -> Iterator[Verdict]:
    for judge in range(2):
        for item, example in enumerate(examples):
            failed = item % 40 == 39 or (not key.startswith("0.") and item == 0)
            lenient = right(model, item) or (item + judge) % 3 == 0
            yield Verdict(
                example_id=example.id,
                judge=say("judge", f"openai/judge-{judge} {key.partition('.')[0]}"),
                label=None if failed else "correct" if lenient else "incorrect" if item % 5 else "unsure",
                reason=say("verdict", f"Judge {judge} thought about item {item}."),
                prompt_hash="sha256:0",
                model_version=say("judge version", f"2026-01-0{judge}"),
                error=Failure(type="Timeout", message=say("judge error", f"late {item}")) if failed else None,
            )
