"""Judges on a leaderboard: no figure of theirs without its correction, or the words that there is none."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from benchmark.store import RunFolder
from benchmark.types import Verdict
from judges.measure import calibrate_run, calibrate_runs, write_calibration
from reports.html import render_page
from reports.judging import across_notes, across_of, judge_rows, matrix, pooled_rows, together
from reports.markdown import render_markdown
from reports.tables import build_board

LABELS = ("correct", "correct", "incorrect", "incorrect")


def calibrated(run: RunFolder, tmp_path: Path, name: str = "labels.jsonl") -> RunFolder:
    """The run, measured by what a person said of e0 to e3."""
    run_id = run.manifest().run_id
    rows = ({"run_id": run_id, "example_id": f"e{n}", "label": label} for n, label in enumerate(LABELS))
    path = tmp_path / name
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    write_calibration(run, calibrate_run(run, str(path)))
    return run


@pytest.fixture
def judged(make_run, score_list, verdict_list) -> RunFolder:
    lenient = verdict_list("x/lenient", "correct", "correct", "correct", "incorrect")
    stern = verdict_list("y/stern", "correct", "incorrect", "incorrect", "unsure")
    return make_run("m", score_list("execution", 1.0, 1.0, 0.0, 0.0), judged=[*lenient, *stern])


def test_without_calibration_it_is_said_in_each_cell(judged: RunFolder) -> None:
    board = build_board([judged])
    (line,) = re.findall(r"^\| m \|.*$", render_markdown(board), re.MULTILINE)[:1]
    assert "75.0% (30.1 to 95.4), n 4; not calibrated: no measurement" in line
    assert "25.0% (4.6 to 69.9), n 4; not calibrated: no measurement" in line
    page = render_page(board)
    assert page.count("not calibrated: no measurement") == 4
    assert "A judge without calibration is no measurement." in page
    assert [cells[:2] for cells in judge_rows(board.tables[0].rows[0])] == [
        ("x/lenient", "75.0%"),
        ("y/stern", "25.0%"),
    ]


def test_with_calibration_the_corrected_accuracy_stands_beside_the_raw_one(judged: RunFolder, tmp_path: Path) -> None:
    board = build_board([calibrated(judged, tmp_path)])
    (row,) = board.tables[0].rows
    assert row.calibration is not None
    found = {one.judge: one for one in row.calibration.judges}
    assert set(found) == {"x/lenient", "y/stern", "panel (majority)"}
    ppi = found["x/lenient"].ppi
    assert ppi.low is not None
    assert ppi.high is not None
    corrected = f"corrected 50.0% ({100 * ppi.low:.1f} to {100 * ppi.high:.1f})"
    for text in (render_markdown(board), render_page(board)):
        assert corrected in text
        assert "not calibrated" not in text
        assert "few labels: 2 right and 2 wrong answers" in text
    lenient, *_ = judge_rows(row)
    assert lenient[0] == "x/lenient"
    assert lenient[2].startswith("100.0%")
    assert lenient[3].startswith("50.0%")
    assert lenient[-1] == "4 of 4, by labels.jsonl"


def test_the_agreement_matrix(judged: RunFolder, tmp_path: Path) -> None:
    board = build_board([calibrated(judged, tmp_path)])
    calibration = board.tables[0].rows[0].calibration
    assert calibration is not None
    assert calibration.agreement is not None
    heads, rows = matrix(calibration.agreement)
    assert heads == ["judge", "x/lenient", "y/stern"]
    assert [row[0] for row in rows] == heads[1:]
    assert rows[0][1] == rows[1][2] == "same"
    assert rows[0][2] == rows[1][1]
    assert rows[0][2].startswith("25.0%")
    assert together(calibration.agreement).startswith("All 2 judges say the same of 25.0%")


def test_a_calibration_of_other_verdicts_is_none(judged: RunFolder, tmp_path: Path, verdict_list) -> None:
    calibrated(judged, tmp_path)
    changed: list[Verdict] = verdict_list("y/stern", "incorrect")
    judged.append_verdicts(changed)
    assert "not calibrated: no measurement" in render_markdown(build_board([judged]))


def test_boards_without_judges_say_nothing_of_them(make_run, score_list) -> None:
    board = build_board([make_run("m", score_list("execution", 1.0))])
    assert "### Judges" not in render_markdown(board)
    assert "<h3>Judges</h3>" not in render_page(board)


def test_names_of_judges_and_files_are_inert(make_run, score_list, verdict_list, tmp_path: Path) -> None:
    evil = "<img src=x>|`b`"
    votes = [*verdict_list(evil, *LABELS), *verdict_list("j", *LABELS)]
    run = make_run("m", score_list("execution", 1.0, 1.0, 0.0, 0.0), judged=votes)
    board = build_board([calibrated(run, tmp_path, "<b>|x.jsonl")])
    page, table = render_page(board), render_markdown(board)
    for text in (page, table):
        assert "<img" not in text
        assert "<b>" not in text
    section = table.split("### Judges")[1].split("###")[0]
    rows = [line for line in section.splitlines() if line.startswith("| m |")]
    assert len(rows) == 3
    assert {line.replace("\\|", "").count("|") for line in rows} == {9}


def test_several_runs_together_and_own_families(make_run, score_list, verdict_list, tmp_path: Path) -> None:
    """One judge over two runs, of its own family and of another; gone from the page once a verdict is another one."""
    said = {"openai/gpt-4o": ("correct", "correct", "correct", "correct"), "hf/Qwen/Q": LABELS}
    runs = [
        make_run(model, score_list("execution", 1.0, 1.0, 0.0, 0.0), judged=verdict_list("openai/<b>judge", *votes))
        for model, votes in said.items()
    ]
    rows = [
        {"run_id": run.manifest().run_id, "example_id": f"e{n}", "label": label}
        for run in runs for n, label in enumerate(LABELS)
    ]  # fmt: skip
    path = tmp_path / "labels.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    for run, found in zip(runs, calibrate_runs(runs, str(path)), strict=True):
        write_calibration(run, found)
    board = build_board(runs)
    (found,) = across_of(board.tables[0])
    assert [cells[:2] for cells in pooled_rows(found)] == [("openai/<b>judge", "2")]
    (sentence, warning) = across_notes(found)
    assert "lets 100.0% of 2 wrong answers of its own family pass, and 0.0% of 2 of others" in sentence
    assert "too few to see whether its error rates differ" in warning
    page = render_page(board)
    assert page.count("lets 100.0% of 2 wrong answers of its own family pass") == 1, "once, and not for each run"
    assert "Pooled over runs" in page
    assert "<b>judge" not in page
    assert across_of(build_board(runs[:1]).tables[0]) == [found], "a run that is not shown cannot be checked"
    runs[1].append_verdicts(verdict_list("openai/<b>judge", "unsure"))
    assert across_of(build_board(runs).tables[0]) == []
