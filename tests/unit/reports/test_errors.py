"""Errors, tokens, time, cost and slices of a board, from run folders."""

from __future__ import annotations

import math
from dataclasses import replace

from benchmark.types import Failure, Generation, Score, Timing
from reports.figures import ErrorCount
from reports.reading import usage
from reports.slices import MOST_KEPT, MOST_SHOWN
from reports.tables import build_board


def answers(run, *texts, finish="stop"):
    """Put texts in place of a run's generations; its examples' gold is `select 1`."""
    (run.path / "generations.jsonl").unlink()
    run.append_generations(
        Generation(example_id=f"e{i}", text=text, finish_reason=finish) for i, text in enumerate(texts)
    )
    return run


def only_row(run):
    ((row,),) = (table.rows for table in build_board([run]).tables)
    return row


def test_wrong_answers_are_sorted_by_what_is_wrong(make_run, score_list):
    scores = score_list("execution", 0.0, "invalid", "no_sql", 1.0)
    scores[1] = replace(scores[1], evidence={"reason": "no such column: zz"})
    run = answers(make_run("m", scores), "select 1 from t", "select zz", "I do not know", "select 1")
    row = only_row(run)
    assert row.errors["wrong table"] == ErrorCount(main=1, any=1, examples=("e0",))
    assert row.errors["hallucinated name"] == ErrorCount(main=1, any=1, examples=("e1",))
    assert row.errors["no SQL"].examples == ("e2",)
    assert sum(found.main for found in row.errors.values()) == 3
    assert row.error("join") == ErrorCount(main=0, any=0, examples=())


def test_an_answer_is_held_against_the_gold_it_is_nearest_to(make_run, score_list):
    run = make_run("m", score_list("execution", 0.0))
    golds = ("select a from t where b = 1 group by c", "select a from t where b = 2")
    run.write_examples(replace(example, golds=golds) for example in run.examples())
    assert list(only_row(answers(run, "select a from t where b = 3")).errors) == ["filter value"]


def test_an_external_verdict_has_errors_where_nothing_was_executed(make_run):
    scores = [Score(example_id="e0", metric="external:execution_match", value=0.0, status="ok")]
    row = only_row(answers(make_run("m", scores), "select 2 from u"))
    assert row.headline_column == "external:execution_match"
    assert "wrong table" in row.errors


def test_tokens_time_and_cost():
    def generation(number, **about):
        return Generation(example_id=str(number), text="x", finish_reason="stop", **about)

    given = [
        generation(i, prompt_tokens=100, completion_tokens=10 * i, timing=Timing(seconds=float(i)), cost_usd=0.5)
        for i in range(1, 11)
    ]
    failed = generation(11, error=Failure(type="x", message="y"), timing=Timing(seconds=900.0))
    found = usage([*given, failed, generation(12, prompt_tokens=40)])
    assert (found.answers, found.priced) == (11, 10)
    assert (found.prompt_tokens, found.completion_tokens) == (1040, 550)
    assert (found.mean_completion_tokens, found.mean_seconds, found.cost_usd) == (55.0, 5.5, 5.0)
    assert math.isclose(found.p90_seconds, 9.1)
    nothing = usage([generation(1)])
    assert (nothing.prompt_tokens, nothing.cost_usd, nothing.known) == (None, None, False)
    assert math.isnan(nothing.mean_seconds)


def test_slices_by_every_tag_and_by_group_but_only_small_ones_are_shown(make_run, score_list):
    n = 40
    run = make_run("m", score_list("execution", *[1.0, 0.0] * 20), tags=["x"] * n, examples=n)
    tags = [{"two": str(i % 2), "many": str(i % 31), "one": "1", "same": f"g{i % 5}"} for i in range(n)]
    run.write_examples(replace(e, tags=tags[i], group=f"g{i % 5}") for i, e in enumerate(run.examples()))
    (table,) = build_board([run]).tables
    assert {s.tag: (len(s.values), s.shown) for s in table.slicings} == {
        "two": (2, True),
        "many": (31, False),
        "one": (1, False),
        "same": (5, True),  # and no 'group', which would say the same
    }
    assert (table.rows[0].slice("two", "0").value, table.rows[0].slice("two", "0").n) == (1.0, 20)
    run.write_examples(replace(e, group=f"h{i % 4}") for i, e in enumerate(run.examples()))
    assert "group" in {s.tag for s in build_board([run]).tables[0].slicings}
    assert (MOST_SHOWN, MOST_KEPT) == (30, 1_000)


def test_a_tag_with_a_value_for_nearly_every_item_is_left_out(make_run, score_list):
    n = MOST_KEPT + 1
    run = make_run("m", score_list("execution", *[1.0] * n), tags=[str(i) for i in range(n)], examples=n)
    assert build_board([run]).tables[0].slicings == ()
