"""Where the metrics disagree: each answer once, by the combination of its verdicts."""

from __future__ import annotations

from dataclasses import replace

from reports.tables import build_board


def found(*runs):
    (table,) = build_board(runs).tables
    return table.disagreement


def test_every_answer_is_counted_once_by_its_verdicts(make_run, score_list, verdict_list):
    scores = score_list("exact", 1.0, 0.0, 0.0, "error") + score_list("execution", 1.0, 1.0, "invalid", "error")
    run = make_run("m", scores, judged=verdict_list("j", "correct", "unsure", None, "incorrect"))
    table = found(run)
    assert table.columns == ("exact", "execution", "judge: j")
    assert {c.verdicts: c.count for c in table.combinations} == {
        (True, True, True): 1,
        (False, True, False): 1,
        (False, False, None): 1,
        (None, None, False): 1,
    }
    assert (table.answers, table.agreed, table.disagreed) == (4, 2, 1)
    assert [a.example_id for c in table.combinations for a in c.examples if c.verdicts[0] is None] == ["e3"]


def test_the_order_of_the_scores_changes_nothing(make_run, score_list):
    scores = score_list("ast", 1.0, 0.0, 1.0) + score_list("execution", 0.0, 0.0, 1.0)
    assert found(make_run("m", scores)).combinations == tuple(
        replace(c, examples=tuple(replace(a, run_id="run-0") for a in c.examples))
        for c in found(make_run("m", scores[::-1])).combinations
    )


def test_samples_are_answers_of_their_own(make_run, score_list):
    second = [replace(score, sample=1) for score in score_list("exact", 0.0) + score_list("execution", 1.0)]
    table = found(make_run("m", score_list("exact", 1.0) + score_list("execution", 1.0) + second))
    assert {c.verdicts: c.count for c in table.combinations} == {(True, True): 1, (False, True): 1}


def test_examples_are_few_and_from_several_runs(make_run, score_list):
    scores = score_list("exact", *[0.0] * 30) + score_list("execution", *[1.0] * 30)
    (combination,) = found(make_run("a", scores), make_run("b", scores)).combinations
    assert combination.count == 60
    assert [(a.run_id, a.example_id) for a in combination.examples] == [
        ("run-0", "e0"),
        ("run-1", "e0"),
        ("run-0", "e1"),
        ("run-1", "e1"),
        ("run-0", "e10"),
    ]


def test_a_run_without_a_metric_has_no_verdict_there_and_one_metric_is_no_table(make_run, score_list):
    both = score_list("ast", 1.0) + score_list("execution", 1.0)
    table = found(make_run("a", both), make_run("b", score_list("execution", 0.0)))
    assert {c.verdicts: c.count for c in table.combinations} == {(True, True): 1, (None, False): 1}
    assert found(make_run("a", score_list("execution", 1.0), dataset={"fingerprint": "x"})) is None
