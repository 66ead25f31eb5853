"""Faults in the middle of a run: every item is accounted for, none becomes a score, and a budget of failures holds."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from benchmark.config import make_config
from benchmark.errors import BudgetExceeded, SqlgaugeError
from benchmark.models import Decoding, Model
from benchmark.models.fault import LENGTH, STORM, open_fault
from benchmark.models.gold import LookupModel
from benchmark.runner import execute, plan
from benchmark.store import RunFolder
from benchmark.types import Generation, Prompt

ITEMS = 1_000


def run(
    out: Path, model: str = "gold", opened: Model | None = None, max_errors: float = 1.0, **options: Any
) -> RunFolder:  # fmt: skip
    told = {"model": model, "dataset": "builtin", "out": str(out), "name": "r", "metrics": ["execution"], **options}
    return execute(plan(make_config(told), opened), lambda *_: None, max_errors)


def values(folder: RunFolder) -> dict[str, float | None]:
    return {score.example_id: score.value for score in folder.scores()}


@pytest.mark.timeout(120)
def test_1000_items_of_which_15_in_100_meet_a_fault_of_some_kind(tmp_path: Path) -> None:
    many = {"split": "train", "limit": ITEMS, "workers": 2}
    storm = plan(make_config({"model": "fault/storm:0.15", "dataset": "builtin", "out": "unused", **many})).model
    whole = values(run(tmp_path / "whole", **many))
    with pytest.raises(SqlgaugeError, match="failed on every prompt of the first batch"):  # it happens to be hit
        run(tmp_path / "storm", "fault/storm:0.15", storm, **many)
    first = run(tmp_path / "storm", "fault/storm:0.15", storm, **many)
    met = Counter(one.error.type for one in first.generations() if one.error is not None)
    assert met.keys() == {"InjectedFault", "TimeoutError", "NoAnswer"}
    counts = first.manifest().counts
    assert counts == {"examples": ITEMS, "generations": ITEMS, "errors": met.total()}
    found = values(first)
    lost = {key for key, value in found.items() if value is None}
    assert len(found) == ITEMS
    assert lost == {one.example_id for one in first.generations() if one.error is not None}
    assert all(found[key] == whole[key] for key in found.keys() - lost), "what was answered is scored as ever"
    for _ in range(4):
        if run(tmp_path / "storm", "fault/storm:0.15", storm, **many).manifest().complete:
            break
    last = run(tmp_path / "storm", "fault/storm:0.15", storm, **many)
    assert last.manifest().complete
    assert values(last) == whole
    texts = [one.text for one in last.generations()]
    assert sum(len(text) > LENGTH for text in texts) > 10
    assert sum(" -- ?" in text for text in texts) > 10


def test_a_storm_has_faults_of_every_kind(shop) -> None:
    model = open_fault("fault/storm:1", "storm:1", None, shop)  # type: ignore[arg-type]
    kinds = {model._weather(f"item {n}") for n in range(100)}  # type: ignore[attr-defined]
    assert kinds == set(STORM)


class Odd(LookupModel):
    """A back-end that keeps no promise: it leaves out, doubles, makes up, and answers with what is no text."""

    def generate(self, prompts: Sequence[Prompt], decoding: Decoding) -> list[Generation]:
        made = super().generate(prompts, decoding)
        no_text: Any = b"SELECT 1"
        odd = [
            Generation(example_id=made[0].example_id, text=no_text, finish_reason="stop"),
            Generation(example_id="nobody asked", text="SELECT 1", finish_reason="stop"),
        ]
        return [*odd, *made[2:], *made[2:]][::-1]


def test_what_a_back_end_leaves_out_or_makes_up_is_no_answer(tmp_path: Path) -> None:
    dataset = plan(make_config({"model": "gold", "dataset": "builtin"})).dataset
    golds = {example.id: example.golds[0] for example in dataset.examples}
    folder = run(tmp_path, "gold", Odd("gold", golds), limit=24)
    failed = [one for one in folder.generations() if one.error is not None]
    assert len(folder.generations()) == 24
    assert [one.error.type for one in failed if one.error] == ["NoAnswer"] * 2
    assert {value for key, value in values(folder).items() if key not in {one.example_id for one in failed}} == {1.0}


def test_more_failures_than_accepted_stop_a_run_which_keeps_what_it_has(tmp_path: Path) -> None:
    with pytest.raises(BudgetExceeded, match=r"more than 5.0% of the answers failed \(--max-errors\): ") as caught:
        run(tmp_path, "fault/error:0.3", max_errors=0.05)
    assert caught.value.exit_code == 3
    assert "run the same command again" in caught.value.hint
    folder = RunFolder(tmp_path / "r")
    stored = folder.generations()
    failed = sum(one.error is not None for one in stored)
    assert 12 < failed <= 12 + 8, "at most a batch beyond 5% of 240"
    assert len(stored) < 240
    assert folder.scores() == []
    finished = run(tmp_path, "fault/error:0.3", max_errors=0.5)
    assert finished.manifest().counts["generations"] == 240
    assert {one.example_id for one in stored if one.error is None} <= {one.example_id for one in finished.generations()}


def test_as_many_failures_as_accepted_are_accepted(tmp_path: Path) -> None:
    counts = run(tmp_path, "fault/error:0.2").manifest().counts
    share = counts["errors"] / counts["generations"]
    assert run(tmp_path / "exactly", "fault/error:0.2", max_errors=share).manifest().counts == counts
    with pytest.raises(BudgetExceeded):
        run(tmp_path / "below", "fault/error:0.2", max_errors=share - 0.001)


def test_the_command_line_accepts_5_in_100_unless_told_otherwise(cli) -> None:
    asked = ("run", "--model", "fault/error:0.2", "--dataset", "builtin", "--metrics", "execution", "--name", "r")
    said = cli(*asked, check=3).stderr
    assert "more than 5.0% of the answers failed (--max-errors)" in said
    assert "InjectedFault: injected fault" in said
    cli(*asked, "--max-errors", "10%", check=3)
    cli(*asked, "--max-errors", "30%")
    assert "write it as 5% or 0.05" in cli(*asked, "--max-errors", "many", check=2).stderr


def test_a_long_answer_costs_no_time(tmp_path: Path) -> None:
    """1 MB from a model that does not stop: looked through for SQL in a second or so, whatever it is made of."""
    from benchmark.extract import extract

    pieces = ["x", " ", "\n", "(", "```", "SELECT ", "SELECT 1;\n", "-- ", "/*", "'", '"', "With ", "a\n\nB", "<think>"]
    pieces += [
        "* ",
        "`",
        "SQL:",
        "/**/",
        "SELECT 1\n\nA ",
        "/*\n",
        "/*" + "\n/*" * 600 + "*/",
        "[",
        "create trigger;",
        "**",
    ]
    slow = {}
    for piece, start in product(pieces, ("", "SELECT a FROM t\n")):
        began = time.process_time()
        extract("1", start + piece * (LENGTH // len(piece)), "stop")
        slow[piece[:20], start] = round(time.process_time() - began, 2)
    assert max(slow.values()) < 5, slow
