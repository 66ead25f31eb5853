"""The figures of the leaderboard, against numbers worked out by hand."""

from __future__ import annotations

import math
import random
from pathlib import Path

import pytest

from benchmark.errors import UsageError
from benchmark.store import RunFolder
from benchmark.types import Score
from reports.board import FAILURES
from reports.reading import Column
from reports.slices import mean_cell
from reports.tables import build_board


def only_table(*runs):
    (table,) = build_board(runs).tables
    return table


def cell(*answers):
    """The figure of (place, value) pairs."""
    column = Column()
    for sample, (place, value) in enumerate(answers):
        column.add(place, sample, value)
    return mean_cell(column, 40)


def test_eighteen_of_thirty_has_the_textbook_interval():
    found = cell(*((i, float(i < 18)) for i in range(30)))
    assert (found.value, found.n, found.excluded) == (0.6, 30, 0)
    assert (round(found.low, 3), round(found.high, 3)) == (0.423, 0.754)


def test_no_answers_give_nan_and_never_zero():
    for answers in ([], [(0, None)]):
        found = cell(*answers)
        assert all(math.isnan(figure) for figure in (found.value, found.low, found.high))
        assert found.n == 0
        assert not found.known


def test_several_answers_to_one_example_are_one_observation():
    found = cell((0, 1.0), (0, 0.0), (1, 1.0), (1, None))
    assert (found.value, found.n, found.excluded) == (0.75, 2, 1)


def test_null_values_leave_n_and_are_counted(make_run, score_list):
    run = make_run("m", score_list("execution", 1.0, "error", "gold_error", "invalid"))
    (row,) = only_table(run).rows
    assert (row.headline.value, row.headline.n, row.headline.excluded) == (0.5, 2, 2)
    # Wilson for 1 of 2, by hand: centre 1/2, half width 1.95996 / (1 + 3.84146 / 2) * sqrt(1/8 + 3.84146 / 16).
    assert row.headline.low == pytest.approx(0.09453, abs=1e-5)
    assert row.headline.high == pytest.approx(0.90547, abs=1e-5)


def test_an_error_with_a_value_is_still_left_out(make_run):
    run = make_run("m", [Score(example_id="e0", metric="execution", value=0.0, status="error")])
    assert math.isnan(only_table(run).rows[0].headline.value)


def test_columns_are_ordered_and_absent_ones_have_no_data(make_run, score_list, verdict_list):
    names = ("zebra", "execution", "ast", "components", "exact_ws", "exact")
    full = make_run("full", [s for name in names for s in score_list(name, 1.0)], judged=verdict_list("j/b", "correct"))
    bare = make_run("bare", score_list("exact", 0.0), judged=verdict_list("j/a", "correct"))
    table = only_table(full, bare)
    assert table.columns == (
        *("exact", "exact_ws", "ast", "execution", "components", "zebra"),
        *("judge: j/a", "judge: j/b"),
    )
    bare_row = table.rows[-1]
    assert bare_row.model == "bare"
    assert math.isnan(bare_row.cell("execution").value)
    assert bare_row.cell("execution").n == 0


def test_a_judge_counts_unsure_as_not_correct_and_leaves_failed_calls_out(make_run, verdict_list):
    run = make_run("m", judged=verdict_list("j", "correct", "incorrect", "unsure", None))
    (row,) = only_table(run).rows
    cell = row.cell("judge: j")
    assert (cell.value, cell.n, cell.excluded) == (pytest.approx(1 / 3), 3, 1)


def test_rows_go_from_high_to_low_then_by_model_and_those_without_execution_come_last(make_run, score_list):
    runs = [
        make_run("no-execution", score_list("exact", 1.0)),
        make_run("b", score_list("execution", 1.0, 0.0)),
        make_run("all-failed", score_list("execution", "error")),
        make_run("a", score_list("execution", 1.0, 0.0)),
        make_run("z", score_list("execution", 1.0, 1.0)),
        make_run("zero", score_list("execution", 0.0)),
    ]
    assert [row.model for row in only_table(*runs).rows] == ["z", "a", "b", "zero", "all-failed", "no-execution"]


def test_failures_come_from_execution_or_else_the_first_metric(make_run, score_list):
    both = score_list("execution", "timeout", "timeout", "gold_error", 1.0) + score_list("exact", "empty")
    run = make_run("m", both, finish=["length", "stop", "length", "error"])
    (row,) = only_table(run).rows
    assert row.failures == {**dict.fromkeys(FAILURES, 0), "timeout": 2, "gold_error": 1}
    assert (row.failures_from, row.cut_by_length) == ("execution", 2)
    (other,) = only_table(make_run("m", score_list("ast", "refused") + score_list("exact", "no_sql"))).rows
    assert (other.failures_from, other.failures["no_sql"], other.failures["refused"]) == ("exact", 1, 0)


def test_a_run_without_scores_has_no_counts(make_run):
    (row,) = only_table(make_run("m", finish=[])).rows
    assert (row.failures, row.failures_from, row.cut_by_length) == (None, None, None)
    assert row.slices == {}
    assert row.cells == {}


def test_slices_follow_the_tag_and_keep_their_n(make_run, score_list):
    tags = ["hard", "easy", "hard", None, "easy"]
    run = make_run("m", score_list("execution", 1.0, 1.0, 0.0, 1.0, "error"), tags=tags)
    table = only_table(run)
    assert [(s.tag, s.values, s.shown) for s in table.slicings] == [("complexity", ("easy", "hard", "untagged"), True)]
    found = {name: (c.value, c.n, c.excluded) for name, c in table.rows[0].slices["complexity"].items()}
    assert found == {"easy": (1.0, 1, 1), "hard": (0.5, 2, 0), "untagged": (1.0, 1, 0)}


def test_untagged_examples_make_no_slices(make_run, score_list):
    assert only_table(make_run("m", score_list("execution", 1.0), tags=[None])).slicings == ()


def test_differing_fingerprints_never_share_a_table(make_run, score_list):
    one = make_run("m", score_list("execution", 1.0))
    other = make_run("m", score_list("execution", 0.0), dataset={"fingerprint": "sha256:ff"})
    same = make_run("n", score_list("execution", 0.0))
    tables = build_board([one, other, same]).tables
    assert [(t.dataset.fingerprint[:9], len(t.rows)) for t in tables] == [("sha256:aa", 2), ("sha256:ff", 1)]


def test_the_order_of_runs_changes_nothing_and_a_folder_counts_once(make_run, score_list):
    runs = [make_run(f"m{i % 3}", score_list("execution", 1.0, float(i % 2))) for i in range(6)]
    board = build_board(runs)
    mixed = [*runs, *(RunFolder(run.path / ".." / run.path.name) for run in runs)]
    random.Random(1).shuffle(mixed)
    assert build_board(mixed) == board


def test_dataset_and_provenance_are_carried_over(make_run, score_list):
    table = only_table(make_run("m", score_list("execution", 1.0), dtype=None))
    assert (table.dataset.name, table.dataset.licence, table.dataset.n) == ("shop/test", "CC0-1.0", 4)
    facts = {fact.label: fact.value for fact in table.rows[0].facts}
    assert facts["run"] == "run-0"
    assert facts["model"] == "revision 4f1c2d9"
    assert facts["decoding"] == "max_new_tokens 256, temperature 0"
    assert facts["prompt"] == f"chat (sha256:{'b' * 64})"
    assert facts["dtype"] == facts["platform"] == "\N{EN DASH}"
    assert facts["created"] == "2026-05-04T10:11:12+00:00"


def test_a_score_outside_zero_to_one_is_refused(make_run):
    run = make_run("m", [Score(example_id="e7", metric="f1", value=1.5, status="ok")])
    with pytest.raises(UsageError, match=r"f1 of example e7 is 1\.5"):
        build_board([run])


def test_a_manifest_without_a_dataset_is_refused(make_run):
    run = make_run("m")
    run.manifest_path.write_text(run.manifest_path.read_text().replace('"dataset"', '"something"'))
    with pytest.raises(UsageError, match=r"run run-0 has no dataset\.fingerprint"):
        build_board([run])


def test_a_folder_that_is_no_run_is_refused(tmp_path: Path):
    with pytest.raises(UsageError, match="not a run folder"):
        build_board([RunFolder(tmp_path)])


def test_no_runs_make_an_empty_board():
    assert build_board([]).tables == ()
