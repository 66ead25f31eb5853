"""Scoring runs together: the same scores as one by one, whatever order and samples their files hold."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmark.answers import Answers
from benchmark.errors import SqlgaugeError, UsageError
from benchmark.scoring import rescore
from benchmark.store import RunFolder
from benchmark.terms import Terms
from benchmark.types import Example, Generation, RunManifest, Score

TEXTS = {
    "good": [
        "SELECT name FROM item WHERE price > 5",
        "SELECT id FROM item ORDER BY price",
        "DELETE FROM item WHERE id=1",
    ],
    "bad": ["SELECT name FROM item WHERE price > 5", "SELECT 1", "DELETE FROM item"],
}


def write_run(folder: Path, examples: list[Example], texts: list[str], fingerprint: str = "f") -> RunFolder:
    run = RunFolder(folder)
    folder.mkdir()
    identity = {"model": {"spec": folder.name}, "dataset": {"name": "shop", "fingerprint": fingerprint}}
    run.write_manifest(RunManifest(run_id=folder.name, identity=identity, provenance={}))
    run.write_examples(examples)
    rows = zip(examples, texts, strict=True)
    generations = [Generation(example_id=example.id, text=text, finish_reason="stop") for example, text in rows]
    run.append_generations(generations[::-1])  # a run writes batches in an order of its own
    return run


def silent(stage: str, done: int, total: int) -> None:
    pass


def test_together_is_the_same_as_one_by_one(tmp_path: Path, shop: list[Example]) -> None:
    runs = [write_run(tmp_path / name, shop, texts) for name, texts in TEXTS.items()]
    other = write_run(tmp_path / "other", shop[:2], TEXTS["good"][:2], "another split")
    told: list[tuple[str, int, int]] = []
    rescore([*runs, other], ["execution", "exact"], Terms(), lambda *news: told.append(news), 2)
    together = [run.scores() for run in (*runs, other)]
    assert sorted(told) == [("score", 1, 2), ("score", 1, 3), ("score", 2, 2), ("score", 2, 3), ("score", 3, 3)]
    for run in (*runs, other):
        rescore([run], ["execution", "exact"], Terms(), silent, 1)
    assert [run.scores() for run in (*runs, other)] == together
    values = [[score.value for score in scores if score.metric == "execution"] for scores in together]
    assert values == [[1, 1, 1], [1, 0, 0], [1, 1]]
    assert [score.example_id for score in together[0]] == ["a", "a", "b", "b", "c", "c"]


def test_an_answer_that_was_retried_is_scored_once_and_several_samples_each(
    tmp_path: Path, shop: list[Example]
) -> None:
    run = write_run(tmp_path / "run", shop, ["SELECT", *TEXTS["good"][1:]])
    retried = Generation(example_id="a", text=TEXTS["good"][0], finish_reason="stop")
    second = Generation(example_id="b", sample=1, text="SELECT 1", finish_reason="stop")
    run.append_generations([retried, second])
    with (run.path / "generations.jsonl").open("ab") as handle:
        handle.write(b'{"example_id":"c","text":"torn')
    with Answers(run.path / "generations.jsonl", {"a": 0, "b": 1, "c": 2}) as answers:
        assert answers.of("a") == [retried]
        assert [one.sample for one in answers.of("b")] == [0, 1]
    rescore([run], ["execution"], Terms(), silent, 1)
    found = [(score.example_id, score.sample, score.value) for score in run.scores()]
    assert found == [("a", 0, 1.0), ("b", 0, 1.0), ("b", 1, 0.0), ("c", 0, 1.0)]


def test_an_example_without_an_answer_has_no_score(tmp_path: Path, shop: list[Example]) -> None:
    run = write_run(tmp_path / "run", shop[:2], TEXTS["good"][:2])
    run.write_examples(shop)
    rescore([run], ["execution"], Terms(), silent, 1)
    assert [score.example_id for score in run.scores()] == ["a", "b"]


def test_old_scores_stay_until_all_new_ones_are_there(tmp_path: Path, shop: list[Example]) -> None:
    run = write_run(tmp_path / "run", shop, TEXTS["bad"])
    old = Score(example_id="a", metric="execution", value=1.0, status="ok")
    run.replace_scores([old])
    with pytest.raises(SqlgaugeError):
        rescore([run], ["execution"], Terms(policy="no such policy"), silent, 1)
    assert run.scores() == [old]
    assert [path.name for path in run.path.iterdir() if path.name.endswith(".part")] == []


def test_a_folder_without_examples_says_so(tmp_path: Path, shop: list[Example]) -> None:
    run = write_run(tmp_path / "run", shop, TEXTS["good"])
    (run.path / "examples.jsonl").unlink()
    with pytest.raises(UsageError, match=r"examples\.jsonl"):
        rescore([run], ["execution"], Terms(), silent, 1)


def test_the_terms_are_noted_and_those_of_the_beginning_are_kept(tmp_path: Path, shop: list[Example]) -> None:
    run = write_run(tmp_path / "run", shop, TEXTS["good"])
    rescore([run], ["execution"], Terms(policy="strict", databases=0), silent, 1)
    first = run.manifest()
    assert first.identity["policy"] == "strict"
    assert first.identity["scoring"]["search"] is None
    assert first.provenance["made_under"] == {"policy": None, "scoring": None}
    rescore([run], ["execution"], Terms(databases=7), silent, 1)
    second = run.manifest()
    assert second.identity["scoring"]["search"] == {"databases": 7, "seconds": 2.0, "seed": 2024}
    assert second.provenance["made_under"] == first.provenance["made_under"]
