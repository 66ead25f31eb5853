"""Small real run folders for the report tests."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import pytest

from benchmark.store import RunFolder
from benchmark.types import Example, Generation, RunManifest, Score, Verdict

FINGERPRINT = "sha256:" + "a" * 64

MakeRun = Callable[..., RunFolder]


def identity(model: str, dataset: Mapping[str, Any], **changes: Any) -> dict[str, Any]:
    """An identity in the shape that the runner writes."""
    shop = {"name": "shop/test", "fingerprint": FINGERPRINT, "dialect": "sqlite"}
    return {
        "model": {"spec": model, "revision": "4f1c2d9"},
        "dataset": {**shop, "n": 4, **dataset},
        "prompt": {"name": "chat", "hash": "sha256:" + "b" * 64},
        "decoding": {"max_new_tokens": 256, "temperature": 0.0},
        "dtype": "bfloat16",
        "policy": "default",
        "batch_size": 16,
        **changes,
    }


def example(number: int, tags: Mapping[str, str]) -> Example:
    """An example that nothing but its id and tags matters of."""
    return Example(
        id=f"e{number}",
        question="How many?",
        schema_sql="create table t (a)",
        golds=("select 1",),
        dialect="sqlite",
        group=f"t{number}",
        tags=tags,
    )


def scores(metric: str, *results: float | str | None) -> list[Score]:
    """Scores of e0, e1, …: a value, or the name of a failure status (valued 0, or null for errors)."""
    found = []
    for number, result in enumerate(results):
        status: Any = result if isinstance(result, str) else "ok"
        value = (None if "error" in status else 0.0) if isinstance(result, str) else result
        found.append(Score(example_id=f"e{number}", metric=metric, value=value, status=status))
    return found


def verdicts(judge: str, *labels: Any) -> list[Verdict]:
    """One judge's labels for e0, e1, …"""
    return [
        Verdict(example_id=f"e{number}", judge=judge, label=label, reason="because", prompt_hash="sha256:0")
        for number, label in enumerate(labels)
    ]


@pytest.fixture
def make_run(tmp_path: Path) -> MakeRun:
    """Write a run folder: make_run(model, scores, …); each call makes another folder."""
    made: list[RunFolder] = []

    def make(
        model: str = "m",
        found: Iterable[Score] = (),
        *,
        judged: Iterable[Verdict] = (),
        tags: Iterable[str | None] = ("easy", "easy", "hard", "hard"),
        finish: Iterable[Any] = ("stop",) * 4,
        dataset: Mapping[str, Any] | None = None,
        about: Mapping[str, Any] | None = None,
        complete: bool = True,
        examples: int = 4,
        **changes: Any,
    ) -> RunFolder:
        run = RunFolder(tmp_path / "runs" / f"run-{len(made)}")
        made.append(run)
        manifest = RunManifest(
            run_id=run.path.name,
            identity=identity(model, dataset or {}, **changes),
            provenance={
                "dataset": {"licence": "CC0-1.0", "note": "Toy.", **(about or {})},
                "created": "2026-05-04T10:11:12+00:00",
                "python": "3.11.9",
                "versions": {"apsw": "3.54"},
            },
            counts={"examples": examples, "generations": examples},
            complete=complete,
        )
        with run.writing():
            run.write_manifest(manifest)
            run.write_examples(example(i, {"complexity": tag} if tag else {}) for i, tag in enumerate(tags))
            run.append_generations(
                Generation(example_id=f"e{i}", text="select 1", finish_reason=reason) for i, reason in enumerate(finish)
            )
            run.replace_scores(found)
            run.append_verdicts(judged)
        return run

    return make


@pytest.fixture
def score_list() -> Callable[..., list[Score]]:
    return scores


@pytest.fixture
def verdict_list() -> Callable[..., list[Verdict]]:
    return verdicts
