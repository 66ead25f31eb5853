"""What the leaderboard warns of, and when it keeps silent."""

from __future__ import annotations

from dataclasses import replace

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


def test_a_setting_that_does_not_apply_makes_no_difference(make_run, score_list):
    one = make_run("a", many(score_list), examples=120)
    two = make_run("b", many(score_list), examples=120, batch_size=None)
    data = {"fingerprint": "sha256:ff", "name": "other/test"}
    other = make_run("c", many(score_list), examples=120, dtype=None, dataset=data)
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


def test_precision_adapter_and_batch_size_are_labelled_run_by_run(make_run, score_list):
    def run(name, model, **about):
        made = make_run(name, many(score_list), examples=120, **about)
        manifest = made.manifest()
        made.write_manifest(replace(manifest, identity={**manifest.identity, "model": {"spec": name, **model}}))
        return made

    one = run("a", {"load_in_4bit": True, "merged": False}, batch_size=8)
    two = run("b", {"load_in_4bit": False, "merged": True}, batch_size=1)
    gold = run("gold", {}, dtype=None, prompt=None, decoding=None, batch_size=None)
    (table,) = build_board([one, two, gold]).tables
    (sentence,) = table.warnings
    assert "batch_size (8, 1)" in sentence
    assert "model.load_in_4bit (true, false)" in sentence
    assert "model.merged (false, true)" in sentence
    labels = {row.model: {fact.label: fact.value for fact in row.differing} for row in table.rows}
    assert labels["a"] == {"model.load_in_4bit": "true", "model.merged": "false", "batch_size": "8"}
    assert labels["gold"] == {}


def test_versions_of_engines_and_of_local_back_ends(make_run, score_list):
    one, two, api = (make_run(name, many(score_list), examples=120, dtype=None) for name in "abc")
    for run, versions in ((one, {"apsw": "3.54", "torch": "2.1"}), (two, {"apsw": "3.55", "torch": "2.2"})):
        manifest = run.manifest()
        run.write_manifest(replace(manifest, provenance={**manifest.provenance, "versions": versions}))
    assert warnings(one, two, api) == ("The runs were made with differing versions of apsw (3.54, 3.55).",)


def test_the_same_name_on_other_data_is_said_in_both_tables(make_run, score_list):
    one = make_run("a", many(score_list), examples=120)
    two = make_run("a", many(score_list), examples=120, dataset={"fingerprint": "sha256:ff"})
    other = make_run("a", many(score_list), examples=120, dataset={"fingerprint": "sha256:ee", "name": "x"})
    found = [table.warnings for table in build_board([one, two, other]).tables]
    assert [len(sentences) for sentences in found] == [1, 1, 0]
    assert found[0][0].startswith("Same name, other data:")


def test_few_clusters_and_a_single_one(make_run, score_list):
    def warned(groups):
        run = make_run("m", score_list("execution", *[1.0, 0.0] * 60), tags=["x"] * 120, examples=120)
        run.write_examples(replace(e, group=f"g{i % groups}") for i, e in enumerate(run.examples()))
        return warnings(run)

    assert warned(20) == ()
    assert warned(19)[0].startswith("Few clusters: the 120 items come from 19 databases")
    assert warned(1)[0].startswith("One database:")


def test_a_run_that_lacks_items_is_not_ranked_and_named(make_run, score_list):
    runs = [make_run(name, many(score_list, n), examples=120) for name, n in (("a", 120), ("b", 120), ("c", 60))]
    assert "Not ranked, for want of too many items: c." in warnings(*runs)
