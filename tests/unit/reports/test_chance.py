"""What chance moves: samples of one run, and runs that only seeds tell apart, on every form of the leaderboard."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from benchmark.store import RunFolder
from benchmark.types import Generation, Score
from reports.exports import flat_tables, render_json
from reports.markdown import render_markdown
from reports.site import write_site
from reports.tables import build_board

MakeRun = Callable[..., RunFolder]


def seeded(make_run: MakeRun, seed: int, *values: float, spec: str = "hf/m", **changes: Any) -> RunFolder:
    scores = [Score(example_id=f"e{i}", metric="execution", value=value, status="ok") for i, value in enumerate(values)]
    decoding = {"max_new_tokens": 256, "temperature": 0.7, "seed": seed}
    return make_run(spec, scores, decoding=decoding, **changes)


def test_runs_that_differ_in_their_seed_alone_are_one_line(make_run: MakeRun) -> None:
    runs = [
        seeded(make_run, 1, 1, 1, 0, 0),
        seeded(make_run, 2, 1, 0, 0, 0),
        seeded(make_run, 3, 1, 1, 1, 0),
        seeded(make_run, 4, 1, 1, 1, 0, dtype="float32"),
    ]
    (table,) = build_board(runs).tables
    (found,) = table.chance
    assert (found.draws, set(found.seeds), found.mean.n) == (3, {"1", "2", "3"}, 4)
    assert found.mean.value == pytest.approx(0.5)
    assert found.chance == pytest.approx(0.25)
    assert found.low < 0.25 < found.high
    assert found.majority is None
    assert found == build_board(runs[::-1]).tables[0].chance[0]


def test_a_run_alone_and_the_same_seed_twice_say_nothing(make_run: MakeRun) -> None:
    alone = seeded(make_run, 1, 1, 1, 0, 0)
    again = seeded(make_run, 1, 1, 1, 0, 0)
    board = build_board([alone, again])
    assert board.tables[0].chance == ()
    assert "What chance moves" not in render_markdown(board)


def test_adapters_that_were_trained_under_different_seeds(make_run: MakeRun) -> None:
    runs = []
    for seed, values in ((1, (1, 1, 0, 0)), (2, (1, 0, 0, 0))):
        run = seeded(make_run, 0, *values, spec=f"hf/base+/adapters/{seed}")
        recipe = {"lora": {"r": 16}, "train": {"seed": seed, "steps": 10}}
        run.write_adapter({"identity": {"recipe": recipe, "data": {"fingerprint": "f"}}}, [])
        runs.append(run)
    (found,) = build_board(runs).tables[0].chance
    assert set(found.seeds) == {"1/0", "2/0"}
    other = {"lora": {"r": 8}, "train": {"seed": 1, "steps": 10}}
    runs[0].write_adapter({"identity": {"recipe": other, "data": {"fingerprint": "f"}}}, [])
    assert build_board(runs).tables[0].chance == ()


def test_samples_of_one_run(make_run: MakeRun, tmp_path: Path) -> None:
    run = make_run("hf/m", finish=())
    drawn = {"e0": (1, 1), "e1": (1, 0), "e2": (0, 0), "e3": (0, 0)}
    results = {1: "right", 0: "wrong"}
    run.append_generations(
        Generation(example_id=key, sample=sample, text="SELECT 1", finish_reason="stop")
        for key in drawn
        for sample in (0, 1)
    )
    run.replace_scores(
        Score(example_id=key, sample=sample, metric="execution", value=value, status="ok",
              evidence={"result": results[value]})
        for key, values in drawn.items()
        for sample, value in enumerate(values)
    )  # fmt: skip
    board = build_board([run])
    (found,) = board.tables[0].chance
    assert (found.draws, found.seeds) == (2, ())
    assert {k: cell.value for k, cell in found.pass_at.items()} == {"1": pytest.approx(3 / 8), "2": pytest.approx(0.5)}
    assert found.majority is not None
    assert found.majority.value == 0.5
    assert found.chance == pytest.approx(0.25 / math.sqrt(2))
    said = render_markdown(board)
    assert "### What chance moves" in said
    assert "| 2 samples | 37.5% " in said
    assert "k 2: 50.0% " in said
    body = json.loads(render_json(board))
    assert body["tables"][0]["chance"][0]["draws"] == 2
    (flat,) = (flat for flat in flat_tables(board) if flat.name == "chance")
    assert dict(zip(flat.columns, flat.rows[0], strict=True))["pass_at"] == '{"1":0.375,"2":0.5}'
    write_site(board, tmp_path / "site")
    assert "What chance moves" in (tmp_path / "site" / "index.html").read_text()
