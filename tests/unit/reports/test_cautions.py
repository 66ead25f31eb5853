"""What the leaderboard warns of, and when it keeps silent."""

from __future__ import annotations

from reports.tables import build_board


def warnings(*runs):
    (table,) = build_board(runs).tables
    return table.warnings


def many(score_list, n=120, metric="execution"):
    return score_list(metric, *[1.0] * n)


def test_a_full_run_has_no_warning(make_run, score_list):
    assert warnings(make_run("m", many(score_list), examples=120)) == ()


def test_an_incomplete_run_is_named(make_run, score_list):
    found = warnings(make_run("m", many(score_list), complete=False, examples=240))
    assert found == ("Incomplete run: m has answered 4 of 240 items.",)


def test_items_without_a_score_are_named(make_run, score_list):
    found = warnings(make_run("m", many(score_list), examples=240))
    assert found == ("Not all scored: m has scores for 120 of 240 items.",)


def test_errors_left_out_of_n_are_one_sentence(make_run, score_list, verdict_list):
    failed = score_list("execution", *[1.0] * 118, "error", "gold_error")
    one = make_run("a", failed, judged=verdict_list("j", "correct", None, None, None), examples=120)
    two = make_run("b", failed, examples=120)
    assert warnings(one, two) == (
        "Answers without a value, which are no fault of the model, are left out of n: "
        "a (3 in judge: j and 2 in execution); b (2 in every column).",
    )


def test_differing_settings_are_named_with_their_values(make_run, score_list):
    one = make_run("a", many(score_list), examples=120)
    two = make_run("b", many(score_list), examples=120, dtype="float32", policy="strict")
    three = make_run(
        "c",
        many(score_list),
        examples=120,
        decoding={"max_new_tokens": 256, "temperature": 0.7},
        prompt={"name": "plain", "hash": "sha256:" + "c" * 64},
    )
    (sentence,) = warnings(one, two, three)
    for part in (
        "dtype (bfloat16, float32)",
        "decoding.temperature (0, 0.7)",
        "prompt.name (chat, plain)",
        "prompt.hash (sha256:bbbbbbbbbbbb…, sha256:cccccccccccc…)",
        "policy (default, strict)",
    ):
        assert part in sentence
    assert "max_new_tokens" not in sentence


def test_batch_size_and_dataset_do_not_count_as_differing(make_run, score_list):
    one = make_run("a", many(score_list), examples=120)
    two = make_run("b", many(score_list), examples=120, batch_size=None)
    other = make_run("c", many(score_list), examples=120, dtype=None, dataset={"fingerprint": "sha256:ff"})
    assert [table.warnings for table in build_board([one, two, other]).tables] == [(), ()]


def test_few_items_say_how_wide_the_interval_is(make_run, score_list):
    run = make_run("m", score_list("execution", *[1.0] * 18, *[0.0] * 12), examples=30)
    assert warnings(run) == ("Fewer than 100 items (n = 30): the 95% interval is up to 33 points wide.",)


def test_a_run_without_execution_and_differing_n(make_run, score_list):
    one = make_run("a", many(score_list, 120), examples=120)
    two = make_run("b", many(score_list, 110), examples=110)
    three = make_run("c", many(score_list, 120, "exact"), examples=120)
    assert warnings(one, two, three) == (
        "No execution accuracy for c: it is listed after the runs that have one.",
        "The rows rest on differing numbers of items (n from 110 to 120).",
    )


def test_two_runs_of_one_model_are_told_apart(make_run, score_list):
    runs = [make_run("m", many(score_list), examples=120, complete=False) for _ in range(2)]
    assert [sentence.split(" has ")[0] for sentence in warnings(*runs)] == [
        "Incomplete run: m (run run-0)",
        "Incomplete run: m (run run-1)",
    ]
