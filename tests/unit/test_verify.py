"""Verifying a stranger's run: what follows passes, each way of tampering is found, and nothing is written."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from benchmark.answers import Answers
from benchmark.audit import Audit
from benchmark.config import make_config
from benchmark.datasets import Dataset
from benchmark.errors import UsageError
from benchmark.identity import digest
from benchmark.runner import execute, plan
from benchmark.scoring import rescore
from benchmark.store import RunFolder
from benchmark.terms import Terms
from benchmark.types import Example, Generation, RunManifest, Score
from benchmark.verify import Verification, find_database, verify_run

Lines = list[dict[str, Any]]


def silent(stage: str, done: int, total: int) -> None:
    pass


def check(run: RunFolder, databases: Path | None = None) -> Verification:
    return verify_run(run, silent, databases, workers=1)


def edit(path: Path, change: Callable[[Lines], object]) -> None:
    """Rewrite a file of JSON lines."""
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    change(lines)
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))


def edit_manifest(run: RunFolder, **changes: Any) -> None:
    run.write_manifest(replace(run.manifest(), **changes))


def find(lines: Lines, metric: str = "execution") -> dict[str, Any]:
    return next(line for line in lines if line["metric"] == metric)


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    """Six items of the embedded split, some right and some failed."""
    options = {"model": "fault/null", "dataset": "builtin", "out": str(tmp_path), "limit": 6, "workers": 1}
    return execute(plan(make_config(options)), silent)


def test_an_honest_run_follows_and_nothing_is_written(run: RunFolder) -> None:
    def state() -> dict[str, tuple[bytes, int]]:
        return {path.name: (path.read_bytes(), path.stat().st_mtime_ns) for path in run.path.iterdir()}

    (run.path / ".lock").unlink(missing_ok=True)
    before = state()
    found = check(run)
    assert found.follows, found.problems
    assert found.notes == ()
    assert [(one.metric, one.agree) for one in found.metrics] == [
        ("exact", 6), ("exact_ws", 6), ("ast", 6), ("execution", 6), ("equivalence", 6)
    ]  # fmt: skip
    assert state() == before


@pytest.mark.parametrize(
    ("change", "kind", "published", "rescored"),
    [
        (lambda lines: find(lines).update(value=1.0), "differs", "1 ok", "0 ok"),
        (lambda lines: find(lines).update(status="invalid"), "differs", "0 invalid", "0 ok"),
        (lambda lines: find(lines).update(value=None, status="error"), "differs", "no value error", "0 ok"),
        (lambda lines: lines.remove(find(lines)), "missing", None, "0 ok"),
        (lambda lines: lines.append({**find(lines), "sample": 1}), "surplus", "0 ok", None),
        (lambda lines: lines.append({**find(lines), "value": 1.0}), "repeated", "0 ok", "1 ok"),
    ],
)
def test_a_score_that_does_not_follow_is_found(
    run: RunFolder, change: Any, kind: str, published: str, rescored: str
) -> None:
    edit(run.path / "scores.jsonl", change)
    found = check(run)
    (difference,) = found.differences
    assert (difference.kind, difference.published, difference.rescored) == (kind, published, rescored)
    assert len(found.problems) == 1
    assert found.problems[0].startswith("execution: 1 scores")


def test_the_order_of_the_scores_does_not_matter(run: RunFolder) -> None:
    edit(run.path / "scores.jsonl", lambda lines: lines.reverse())
    assert check(run).follows


def test_all_differences_are_counted_and_the_first_are_shown(run: RunFolder) -> None:
    edit(run.path / "scores.jsonl", lambda lines: [line.update(value=1.0) for line in lines])
    found = check(run)
    assert [one.kinds for one in found.metrics] == [{"differs": 6}] * 5
    assert len(found.differences) == 25
    assert [one.published for one in found.metrics] == [1.0] * 5
    assert [one.rescored for one in found.metrics] == [0.0] * 5


def test_other_evidence_is_a_note(run: RunFolder) -> None:
    edit(run.path / "scores.jsonl", lambda lines: find(lines).update(evidence={"rows": 77}))
    found = check(run)
    assert found.follows
    assert "evidence of 1 scores" in found.notes[0]


def test_a_timeout_that_differs_could_be_the_machine(run: RunFolder) -> None:
    edit(run.path / "scores.jsonl", lambda lines: find(lines).update(status="timeout"))
    found = check(run)
    assert found.follows
    assert found.differences[0].kind == "by machine"
    assert "could differ by machine" in found.notes[0]


def test_other_generations_give_other_scores(run: RunFolder) -> None:
    gold = {example.id: example.golds[0] for example in run.examples()}
    edit(run.path / "generations.jsonl", lambda lines: lines[0].update(text=gold[lines[0]["example_id"]]))
    found = check(run)
    assert not found.follows
    assert found.metrics[-1].kinds == {"differs": 1}


def test_a_missing_and_an_unknown_generation(run: RunFolder) -> None:
    edit(run.path / "generations.jsonl", lambda lines: lines[0].update(example_id="stranger"))
    problems = "\n".join(check(run).problems)
    assert "1 generations have no example: stranger" in problems
    assert "1 examples have no generation" in problems
    assert "the manifest counts 6 generations, the folder has 5" in problems
    assert "says complete" in problems
    assert "1 scores are surplus" in problems


def test_changed_examples_are_found_by_the_fingerprint(run: RunFolder) -> None:
    edit(run.path / "examples.jsonl", lambda lines: lines[0].update(golds=["SELECT NULL"]))
    problems = check(run).problems
    assert any(problem.startswith("examples.jsonl (with the database files) is sha256:") for problem in problems)


def test_examples_that_were_left_out_are_found(run: RunFolder) -> None:
    for name in ("examples", "generations", "scores"):
        kept = {example.id for example in run.examples()[:5]}
        edit(run.path / f"{name}.jsonl", lambda lines, kept=kept: lines.__setitem__(
            slice(None), [line for line in lines if line.get("example_id", line.get("id")) in kept]
        ))  # fmt: skip
    problems = "\n".join(check(run).problems)
    assert "the manifest's dataset has 6 items, the folder 5" in problems
    assert "the manifest counts 6 examples, the folder has 5" in problems


def test_an_identity_that_was_changed_is_found_by_the_run_id(run: RunFolder) -> None:
    identity = run.manifest().identity
    edit_manifest(run, identity={**identity, "model": {**identity["model"], "spec": "openai/best"}})
    assert check(run).problems == ("the run id is not the hash of the manifest's identity: one of them was changed",)


def test_a_run_that_was_scored_under_another_policy_still_follows(run: RunFolder) -> None:
    rescore([run], ["execution"], Terms(policy="strict"), silent, 1)
    found = check(run)
    assert found.follows, found.problems
    assert "made under the policy default and scored again under strict" in found.notes[0]


def test_a_run_that_was_scored_with_another_search_still_follows(run: RunFolder) -> None:
    rescore([run], ["execution", "equivalence"], Terms(databases=3, seconds=0.5), silent, 1)
    found = check(run)
    assert found.follows, found.problems
    assert found.notes == ("the run was made before its present rules or search, and scored again",)


def test_a_run_from_before_terms_were_written_down_still_follows(run: RunFolder) -> None:
    rescore([run], ["exact", "execution"], Terms(), silent, 1)
    manifest = run.manifest()
    identity = {key: value for key, value in manifest.identity.items() if key != "scoring"}
    before = f"old--{digest(identity)[7:15]}"
    edit_manifest(run, run_id=before, identity=identity, provenance={"versions": {}})
    assert check(run).follows
    edit_manifest(run, run_id=before, identity={**identity, "policy": "strict"})
    assert any("made under the policy default and scored again under strict" in note for note in check(run).notes)
    rescore([run], ["exact", "ast", "execution"], Terms(), silent, 1)
    assert check(run).follows, "its provenance says what it was made under"


def test_scores_by_other_rules_cannot_be_checked_and_are_not_passed(run: RunFolder) -> None:
    scoring = run.manifest().identity["scoring"]
    identity = {**run.manifest().identity, "scoring": {**scoring, "rules": "1999"}}
    edit_manifest(run, run_id=f"r--{digest(identity)[7:15]}", identity=identity)
    found = check(run)
    assert found.follows, "nothing differs"
    assert f"ast, equivalence: scored with rules 1999 (here {scoring['rules']})" in found.notes
    edit(run.path / "scores.jsonl", lambda lines: find(lines, "ast").update(value=1.0))
    found = check(run)
    assert (found.follows, found.problems) == (False, ())
    assert found.gaps[0].startswith("ast: 1 scores differ, and were made with rules 1999; 'sqlgauge score'")


@pytest.mark.parametrize("search", ["much", {"databases": 1}, {"databases": 10**9, "seconds": 1.0, "seed": 1}])
def test_a_search_that_nobody_can_repeat_is_a_finding(run: RunFolder, search: Any) -> None:
    identity = run.manifest().identity
    edit_manifest(run, identity={**identity, "scoring": {**identity["scoring"], "search": search}})
    assert any("cannot be read: the manifest's s" in problem for problem in check(run).problems)


def test_efficiency_is_a_matter_of_the_machine_but_not_whether_it_is_zero(run: RunFolder) -> None:
    gold = {example.id: example.golds[0] for example in run.examples()}
    edit(run.path / "generations.jsonl", lambda lines: lines[0].update(text=gold[lines[0]["example_id"]]))
    rescore([run], ["efficiency"], Terms(), silent, 1)
    edit(run.path / "scores.jsonl", lambda lines: [line.update(value=line["value"] / 3) for line in lines])
    assert check(run).follows
    edit(run.path / "scores.jsonl", lambda lines: [line.update(value=0.3) for line in lines])
    assert check(run).metrics[0].kinds == {"differs": 5}


SCORE = Score(example_id="a", metric="equivalence", value=0.0, status="ok")
FOUND = replace(SCORE, evidence={"verdict": "different", "counterexample": {"database": "generated"}})
CUT_SHORT = replace(SCORE, value=1.0, evidence={"verdict": "undecided", "databases": 4, "of": 60})
OPEN = replace(CUT_SHORT, evidence={"verdict": "undecided", "databases": 60, "of": 60})


@pytest.mark.parametrize(
    ("published", "fresh", "kind"),
    [
        (FOUND, CUT_SHORT, "by machine"),
        (FOUND, OPEN, "differs"),
        (CUT_SHORT, FOUND, "differs"),
        (replace(SCORE, evidence={"counterexample": {"database": "given"}}), CUT_SHORT, "differs"),
    ],
)
def test_only_a_search_cut_short_here_is_a_matter_of_the_machine(published: Score, fresh: Score, kind: str) -> None:
    audit = Audit([published])
    audit.check(fresh)
    assert [one.kind for one in audit.differences()] == [kind]


def test_a_name_given_by_hand_is_said(run: RunFolder) -> None:
    edit_manifest(run, run_id="mine")
    assert check(run).notes == ("the run was named by hand: its id says nothing about its identity",)


def test_external_verdicts_are_said_and_not_checked(run: RunFolder) -> None:
    edit(run.path / "scores.jsonl", lambda lines: lines.append({**find(lines), "metric": "external:ex", "value": 1.0}))
    found = check(run)
    assert found.follows
    assert found.notes == ("external:ex: 1 verdicts came with imported predictions; no re-scoring can check them",)


def test_a_metric_that_nobody_knows_is_no_evidence(run: RunFolder) -> None:
    edit(run.path / "scores.jsonl", lambda lines: lines.append({**find(lines), "metric": "vibes", "value": 1.0}))
    assert any("no such metric: vibes" in gap for gap in check(run).gaps)


@pytest.mark.parametrize(
    ("name", "line", "message"),
    [
        ("generations.jsonl", '{"example_id": 1}\n', "generations.jsonl, line 1"),
        ("generations.jsonl", '{"example_id": "1", "text": 2}\n', "generations.jsonl, the line at byte 0"),
        ("scores.jsonl", "?\n", "scores.jsonl, line 1"),
        ("scores.jsonl", "", "there are no scores"),
        ("examples.jsonl", "", "there is no examples.jsonl"),
        ("manifest.json", "{}", "manifest.json is damaged"),
    ],
)
def test_a_damaged_folder_is_a_finding(run: RunFolder, name: str, line: str, message: str) -> None:
    (run.path / name).write_text(line)
    assert any(message in problem for problem in check(run).problems)


def test_failed_answers_that_the_manifest_owns_up_to_are_no_problem(tmp_path: Path) -> None:
    options = {"model": "fault/error:0.3", "dataset": "builtin", "out": str(tmp_path), "limit": 24, "workers": 1}
    run = execute(plan(make_config(options)), silent)
    found = check(run)
    assert found.follows, found.problems
    assert "incomplete, and says so" in found.notes[0]
    edit_manifest(run, complete=True)
    assert "the manifest says complete, but answers failed or are missing" in check(run).problems


@pytest.fixture
def shared(tmp_path: Path) -> tuple[RunFolder, Path]:
    """A run on a database file, made on a machine where that file lay elsewhere; and the folder of it here."""
    here = tmp_path / "mine" / "shop" / "shop.sqlite"
    here.parent.mkdir(parents=True)
    with sqlite3.connect(here) as connection:
        connection.executescript("CREATE TABLE item (id INT); INSERT INTO item VALUES (1), (2)")
    connection.close()
    example = Example(
        id="a", question="q", schema_sql="CREATE TABLE item (id INT)", golds=("SELECT id FROM item",),
        dialect="sqlite", group="shop", db=str(here),
    )  # fmt: skip
    dataset = Dataset(name="shop", split="test", licence="", examples=(example,))
    identity = {"dataset": {"fingerprint": dataset.fingerprint, "n": 1}, "policy": "default"}
    run = RunFolder(tmp_path / "theirs")
    with run.writing():
        counts = {"examples": 1, "generations": 1, "errors": 0}
        made = {"versions": {"apsw": "0.1"}}
        run.write_manifest(RunManifest(run_id="r", identity=identity, provenance=made, counts=counts, complete=True))
        run.write_examples([example])
        run.append_generations([Generation(example_id="a", text="SELECT id FROM item", finish_reason="stop")])
    rescore([run], ["execution"], Terms(), silent, 1)
    run.write_examples([replace(example, db="/home/somebody/spider/database/shop/shop.sqlite")])
    return run, here.parents[1]


def test_items_without_their_database_are_not_checked_and_that_is_said(shared: tuple[RunFolder, Path]) -> None:
    found = check(shared[0])
    assert not found.follows
    assert found.problems == ()
    assert any("1 of 1 items need a database file that is not here (/home/somebody" in one for one in found.gaps)
    assert (found.metrics[0].unchecked, found.metrics[0].kinds) == (1, {})


def test_databases_are_found_by_the_tail_of_their_path(shared: tuple[RunFolder, Path]) -> None:
    run, folder = shared
    found = check(run, folder)
    assert found.follows, found.problems
    assert any(note.startswith("made with other versions: apsw 0.1") for note in found.notes)
    with sqlite3.connect(folder / "shop" / "shop.sqlite") as connection:
        connection.execute("DELETE FROM item")
    connection.close()
    assert any("(with the database files)" in problem for problem in check(run, folder).problems)


def test_a_path_in_a_strangers_run_does_not_lead_out_of_the_folder(tmp_path: Path) -> None:
    (tmp_path / "secret.sqlite").touch()
    (tmp_path / "dbs").mkdir()
    stored = "/nowhere/../../secret.sqlite"
    assert find_database(stored, tmp_path / "dbs") == Path(stored)


def test_a_huge_sample_number_costs_nothing(tmp_path: Path) -> None:
    lines = [{"example_id": "a", "text": "t", "finish_reason": "stop", "sample": sample} for sample in (10**15, 0)]
    path = tmp_path / "generations.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    with Answers(path, {"a": 0}) as answers:
        assert [one.sample for one in answers.of("a")] == [0, 10**15]


def test_a_broken_generation_names_its_line(tmp_path: Path) -> None:
    path = tmp_path / "generations.jsonl"
    path.write_text('{"example_id":"a"}\nnonsense\n')
    with pytest.raises(UsageError, match=r"generations\.jsonl, line 2"):
        Answers(path, {"a": 0})


def test_a_health_record_that_was_changed_is_found(run: RunFolder) -> None:
    assert check(run).follows
    edit(run.path / "health.jsonl", lambda lines: lines[2].update(status="one_null"))
    (problem,) = check(run).problems
    assert problem.startswith("1 health records differ from a look at the golds: ")
    assert problem.endswith("(one_null, here ok)")
    edit(run.path / "health.jsonl", lambda lines: lines[2].update(inspection="of another day"))
    found = check(run)
    assert not found.problems
    assert found.gaps == ("1 health records were made by another look; 'sqlgauge score' makes them anew",)
    edit(run.path / "health.jsonl", lambda lines: lines.pop(2))
    assert "1 examples have no health record" in check(run).problems[0]
    (run.path / "health.jsonl").unlink()
    assert "there is no health.jsonl" in " ".join(check(run).notes)
    assert check(run).follows
