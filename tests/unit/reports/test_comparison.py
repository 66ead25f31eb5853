"""Two runs compared: the figures by hand, the order of files, hostile text, and the check for pipelines."""

from __future__ import annotations

import json
import math
import random
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from benchmark.errors import CheckFailed, UsageError
from benchmark.store import RunFolder
from benchmark.types import Example, Generation, RunManifest, Score, ScoreStatus
from reports.comparison import as_json, compare_runs
from reports.comparison_text import as_markdown, as_page, as_text, verdict
from sqlgauge import verbs

HOSTILE = "<script>alert('x')</script> | `a` \u202e"
Values = list[float | None]


def make_run(
    folder: Path, values: Values, *, fingerprint: str = "f", shuffle: bool = False, question: str = "Q?"
) -> RunFolder:
    folder.mkdir(parents=True)
    run = RunFolder(folder)
    identity = {
        "model": {"spec": f"model/{folder.name}"},
        "dataset": {"name": "shop", "fingerprint": fingerprint},
        "dtype": "bfloat16",
        "policy": "default",
    }
    run.write_manifest(RunManifest(run_id=folder.name, identity=identity, provenance={}, complete=True))
    tags = [{"complexity": "basic SQL" if i % 2 else "CTEs"} for i in range(len(values))]
    examples = [
        Example(id=f"{i:03}", question=question, schema_sql="CREATE TABLE t (a INT)", golds=("SELECT a FROM t",),
                dialect="sqlite", group=f"g{i % 25}", tags=tags[i])
        for i in range(len(values))
    ]  # fmt: skip
    run.write_examples(examples)
    order = list(range(len(values)))
    if shuffle:
        random.Random(1).shuffle(order)
    run.append_generations(
        Generation(example_id=f"{i:03}", text=f"SELECT {i} -- {question}", finish_reason="stop") for i in order
    )
    statuses: dict[float | None, ScoreStatus] = {None: "error"}
    run.replace_scores(
        Score(example_id=f"{i:03}", metric="execution", value=values[i], status=statuses.get(values[i], "ok"))
        for i in order
    )
    return run


def test_the_figures(tmp_path: Path) -> None:
    a = make_run(tmp_path / "a", [1.0] * 50 + [0.0] * 50)
    b = make_run(tmp_path / "b", [1.0] * 40 + [0.0] * 20 + [1.0] * 39 + [None])
    found = compare_runs(a, b)
    assert (found.n, found.left_out) == (99, 1)
    assert (found.both, len(found.only_a), len(found.only_b), found.neither) == (40, 10, 39, 10)
    assert found.a.value == pytest.approx(50 / 99)
    assert found.b.value == pytest.approx(79 / 99)
    assert found.difference.value == pytest.approx(29 / 99)
    assert found.difference.clusters == 25
    assert found.p_value == pytest.approx(3.7e-5, rel=0.1)
    assert [(part.name, part.difference.n) for part in found.slices] == [("basic SQL", 49), ("CTEs", 50)]
    assert sum(part.difference.n * part.difference.value for part in found.slices) == pytest.approx(29)
    assert found.only_a[0].example_id == "040"
    assert found.only_a[0].b == "SELECT 40 -- Q?"
    assert verdict(found).startswith("B is better than A: +29.3 (95% +")


def test_no_difference_is_no_certainty(tmp_path: Path) -> None:
    runs = [make_run(tmp_path / name, [1.0, 0.0] * 30) for name in ("a", "b")]
    found = compare_runs(*runs)
    assert (found.difference.value, found.difference.exact, found.p_value) == (0.0, True, 1.0)
    assert found.difference.low < -0.03 < 0.03 < found.difference.high
    assert "do not separate" in verdict(found)
    with pytest.raises(CheckFailed, match="not shown to be no worse"):
        verbs.check_no_worse(found, 0.02)
    verbs.check_no_worse(found, 0.10)


def test_four_items_are_too_few_to_be_sure(tmp_path: Path) -> None:
    """The clustered interval leaves out zero by a hair; the exact test does not."""
    a = make_run(tmp_path / "a", [0.0] * 240)
    b = make_run(tmp_path / "b", [1.0] * 4 + [0.0] * 236)
    found = compare_runs(a, b)
    assert found.leaves_out_zero
    assert found.p_value == 0.125
    assert not found.separated
    assert "only 4 of 240 items tell A and B apart" in verdict(found)


def test_the_order_of_the_files_changes_nothing(tmp_path: Path) -> None:
    values: Values = [float(i % 3 == 0) for i in range(60)]
    other: Values = [float(i % 4 == 0) for i in range(60)]
    straight = compare_runs(make_run(tmp_path / "1" / "a", values), make_run(tmp_path / "1" / "b", other))
    mixed = compare_runs(
        make_run(tmp_path / "2" / "a", values, shuffle=True), make_run(tmp_path / "2" / "b", other, shuffle=True)
    )
    assert as_json(straight) == as_json(mixed)
    assert as_markdown(straight) == as_markdown(mixed)
    assert as_page(straight) == as_page(mixed)


def test_items_without_groups_count_one_by_one(tmp_path: Path) -> None:
    runs = [make_run(tmp_path / "a", [1.0] * 10 + [0.0] * 30), make_run(tmp_path / "b", [1.0] * 25 + [0.0] * 15)]
    for run in runs:
        run.write_examples([replace(example, group="unknown") for example in run.examples()])
    found = compare_runs(*runs)
    assert (found.by_item, found.difference.clusters) == (True, 40)
    assert found.difference.low > 0
    assert "t, items as independent" in as_text(found)


def test_partial_credit_has_no_mcnemar(tmp_path: Path) -> None:
    a, b = make_run(tmp_path / "a", [0.5, 1.0] * 20), make_run(tmp_path / "b", [0.25, 1.0] * 20)
    found = compare_runs(a, b)
    assert math.isnan(found.p_value)
    assert json.loads(as_json(found))["p_value"] is None
    assert "McNemar" not in as_text(found)


def test_hostile_text_stays_text(tmp_path: Path) -> None:
    a = make_run(tmp_path / "a", [1.0, 0.0] * 20, question=HOSTILE)
    b = make_run(tmp_path / "b", [0.0, 1.0] * 20, question=HOSTILE)
    found = compare_runs(a, b)
    page = as_page(found)
    assert "<script" not in page
    assert "default-src 'none'" in page
    markdown = as_markdown(found)
    assert "<script" not in markdown
    rows = [line for line in markdown.splitlines() if re.match(r"\| 0\d\d ", line)]
    assert len(rows) == 40
    assert all(line.replace("\\|", "").count("|") == 6 for line in rows)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda run: run.replace_scores([]), "has no metric 'execution'"),
        (
            lambda run: run.manifest_path.write_text(run.manifest_path.read_text().replace('"f"', '"g"')),
            "different data",
        ),
    ],
)
def test_what_cannot_be_compared(tmp_path: Path, change: Callable[[RunFolder], object], message: str) -> None:
    a, b = (make_run(tmp_path / name, [1.0, 0.0]) for name in ("a", "b"))
    change(b)
    with pytest.raises(UsageError, match=message):
        compare_runs(a, b)


def test_the_verb(tmp_path: Path, cli: Callable[..., object]) -> None:
    make_run(tmp_path / "a", [1.0] * 60 + [0.0] * 40)
    make_run(tmp_path / "b", [1.0] * 30 + [0.0] * 70)
    shown = cli("compare", "a", "b", "--out", "site/compare.html")
    assert "B is worse than A: -30.0" in shown.stdout  # type: ignore[attr-defined]
    assert (tmp_path / "site" / "style.css").is_file()
    assert "Only A has right (30)" in (tmp_path / "site" / "compare.html").read_text()
    cli("compare", "a", "b", "--fail-if-worse", "2pp", check=4)
    cli("compare", "b", "a", "--fail-if-worse", "2pp", check=0)
    assert "is no" in cli("compare", "a", "b", "--fail-if-worse", "two", check=2).stderr  # type: ignore[attr-defined]
    assert json.loads(cli("compare", "a", "b", "--json").stdout)["n"] == 100  # type: ignore[attr-defined]
    assert ".txt" in cli("compare", "a", "b", "--out", "x.txt", check=2).stderr  # type: ignore[attr-defined]
