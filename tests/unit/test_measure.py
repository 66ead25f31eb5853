"""A run's judges measured: what is taken from the run folder and the labels, and what is kept there."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import pytest

from benchmark.errors import UsageError
from benchmark.store import RunFolder
from benchmark.types import Example, Failure, RunManifest, Score, Verdict, VerdictLabel
from judges.calibrate import calibrate_panel
from judges.measure import (
    ENGINE,
    calibrate_run,
    groups_of,
    read_calibration,
    self_checks,
    write_calibration,
)

IDS = [f"i{n:02d}" for n in range(40)]
#: The truth: three in four are right. Judge a passes what is right and every third wrong one, judge b passes all.
RIGHT = {key: n % 4 != 0 for n, key in enumerate(IDS)}


def says(judge: str, key: str) -> VerdictLabel:
    lenient = judge == "b" or IDS.index(key) % 12 == 0
    return "correct" if RIGHT[key] or lenient else "incorrect"


def verdict(judge: str, key: str, label: VerdictLabel | None, **more: Any) -> Verdict:
    failure = None if label else Failure(type="Timeout", message="", retryable=True)
    about = {"example_id": key, "judge": judge, "label": label, "error": failure, "reason": "", "prompt_hash": "p"}
    return Verdict(**{**about, **more})


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    run = RunFolder(tmp_path / "run")
    run.path.mkdir()
    run.write_manifest(RunManifest(run_id="run", identity={}, provenance={}))
    run.write_examples(
        Example(id=key, question="?", schema_sql="", golds=("SELECT 1",), dialect="sqlite", group=f"db{n % 8}")
        for n, key in enumerate(IDS)
    )
    decided = {True: "equivalent", False: "different"}
    run.replace_scores(
        Score(example_id=key, metric="equivalence", value=1.0, status="ok",
              evidence={"verdict": decided[RIGHT[key]] if n < 24 else "undecided"})
        for n, key in enumerate(IDS)
    )  # fmt: skip
    run.append_verdicts(verdict(judge, key, says(judge, key)) for judge in ("b", "a") for key in IDS)
    return run


def labels(path: Path, rows: Iterable[tuple[str, str, str | None]], run_id: str = "run") -> str:
    lines = ({"run_id": run_id, "example_id": key, "label": label, "labeller": who} for key, label, who in rows)
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return str(path)


def people(tmp_path: Path, n: int) -> str:
    return labels(tmp_path / "labels.jsonl", ((k, "correct" if RIGHT[k] else "incorrect", None) for k in IDS[:n]))


def test_labels_measure_each_judge_and_the_panel(folder: RunFolder, tmp_path: Path) -> None:
    found = calibrate_run(folder, people(tmp_path, 24))
    assert [one.judge for one in found.judges] == ["a", "b", "panel (majority)"]
    said = {judge: {(key, 0): says(judge, key) for key in IDS} for judge in ("a", "b")}
    truth = {(key, 0): "correct" if RIGHT[key] else "incorrect" for key in IDS[:24]}
    groups = {(key, 0): f"db{n % 8}" for n, key in enumerate(IDS)}
    expected = calibrate_panel(said, truth, random_sample=True, groups=groups)  # type: ignore[arg-type]
    assert list(found.judges) == expected
    assert found.judges[0].confusion.fp == 2
    assert found.judges[1].specificity.value == 0
    assert found.agreement is not None
    assert found.agreement.pairs[0].raw.value == pytest.approx(1 - 6 / 40)
    assert (found.source, found.rule, found.warnings) == ("labels.jsonl", "majority", ())


def test_the_engine_labels_what_it_decided(folder: RunFolder) -> None:
    found = calibrate_run(folder, ENGINE, "unanimous")
    assert [one.labelled for one in found.judges] == [24] * 3
    assert not found.judges[0].random_sample
    assert any("no random sample" in warning for warning in found.judges[0].warnings)
    assert found.judges[-1].judge == "panel (unanimous)"


def test_a_lone_judge_is_its_own_panel(folder: RunFolder, tmp_path: Path) -> None:
    (folder.path / "verdicts.jsonl").unlink()
    folder.append_verdicts(verdict("a", key, says("a", key)) for key in IDS)
    found = calibrate_run(folder, people(tmp_path, 24))
    assert [one.judge for one in found.judges] == ["a"]
    assert found.agreement is None


def test_people_who_disagree_and_labels_of_other_answers(folder: RunFolder, tmp_path: Path) -> None:
    rows = [
        ("i01", "correct", "ann"),
        ("i01", "incorrect", "ben"),
        ("i02", "correct", "ann"),
        ("i02", "correct", "ben"),
    ]
    path = labels(tmp_path / "l.jsonl", [*rows, ("i03", "correct", "ann"), ("nowhere", "correct", "ann")])
    found = calibrate_run(folder, path)
    assert found.judges[0].labelled == 2
    assert found.warnings == (
        "people disagree on 1 answers, which count as unsure",
        "1 labels are of answers that no judge was asked about, and are not used",
    )


def test_labels_of_another_run_are_none(folder: RunFolder, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="says nothing about any answer"):
        calibrate_run(folder, labels(tmp_path / "l.jsonl", [("i01", "correct", None)], run_id="another"))


def test_nothing_to_calibrate(folder: RunFolder, tmp_path: Path) -> None:
    path = people(tmp_path, 9)
    (folder.path / "verdicts.jsonl").unlink()
    with pytest.raises(UsageError, match="no verdicts to calibrate"):
        calibrate_run(folder, path)


def test_it_is_kept_with_the_run_until_the_verdicts_are_others(folder: RunFolder, tmp_path: Path) -> None:
    assert read_calibration(folder) is None
    found = calibrate_run(folder, people(tmp_path, 24), "weighted")
    path = write_calibration(folder, found)
    assert read_calibration(folder) == found
    first = path.read_bytes()
    write_calibration(folder, calibrate_run(folder, people(tmp_path, 24), "weighted"))
    assert path.read_bytes() == first
    folder.append_verdicts([verdict("a", "i01", "unsure")])
    assert read_calibration(folder) is None
    path.write_text("{}")
    with pytest.raises(UsageError, match="damaged"):
        read_calibration(folder)


def test_failed_verdicts_and_former_ones(folder: RunFolder, tmp_path: Path) -> None:
    """A judge that failed on an item has no vote there; a verdict that was given again replaces the failure."""
    folder.append_verdicts([verdict("a", "i01", None), verdict("b", "i01", None), verdict("b", "i01", "incorrect")])
    found = {one.judge: one for one in calibrate_run(folder, people(tmp_path, 24)).judges}
    assert (found["a"].failed, found["b"].failed) == (1, 0)
    assert found["b"].confusion.fn == 1


def test_a_judge_asked_again_and_the_other_way_round(folder: RunFolder) -> None:
    assert self_checks(folder) == ()
    turned: Sequence[VerdictLabel | None] = ["incorrect", *["correct"] * 8, None]
    folder.append_verdicts(verdict("b", key, label, swapped=True) for key, label in zip(IDS, turned, strict=False))
    folder.append_verdicts(verdict("a", key, says("a", key), repeat=n) for key in IDS[1:11] for n in (1, 2))
    folder.append_verdicts(
        [verdict("a", "i04", "unsure", repeat=2), verdict("a", "i05", "unsure", repeat=0, swapped=True)]
    )
    a, b = self_checks(folder)
    assert b.swap is not None
    assert (b.swap.consistency.n, b.swap.failed) == (9, 1)
    assert b.swap.consistency.value == pytest.approx(8 / 9)
    assert b.swap.changes == {"correct -> incorrect": 1}
    assert (b.swap.correct_as_asked, b.swap.correct_swapped) == (9, 8)
    assert b.repeat is None
    assert a.repeat is not None
    assert a.repeat.unchanged.n == 10
    assert a.repeat.unchanged.value == pytest.approx(0.9)
    assert a.swap is not None
    assert a.swap.changes == {"correct -> unsure": 1}


def test_answers_without_sql_say_nothing_of_a_judge(folder: RunFolder) -> None:
    folder.append_verdicts(verdict("c", key, "incorrect", prompt_hash="none:no_sql") for key in IDS)
    assert self_checks(folder) == ()


def test_clusters(folder: RunFolder) -> None:
    assert groups_of(folder, [("i00", 0), ("i08", 0), ("i01", 0)]) == {
        ("i00", 0): "db0", ("i08", 0): "db0", ("i01", 0): "db1"
    }  # fmt: skip
    assert groups_of(folder, [("i00", 0), ("i08", 0)]) is None
    assert groups_of(folder, [("i00", 0), ("i00", 1), ("i08", 0)]) == {
        ("i00", 0): "i00", ("i00", 1): "i00", ("i08", 0): "i08"
    }  # fmt: skip
