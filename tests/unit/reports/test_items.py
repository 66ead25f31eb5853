"""Shards of items: one string literal whatever stands in it, every item where the page looks for it."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmark.errors import SqlgaugeError, UsageError
from benchmark.health import Health
from benchmark.types import Failure, Generation, Score, Timing, Verdict
from reports.board import JUDGED
from reports.items import comparing
from reports.items.comparing import Comparing
from reports.items.files import item_files
from reports.items.layout import LONGEST, chunks, cut, cut_cells, set_folder, shard
from reports.items.prompted import prompt_of, prompt_text
from reports.items.reader import RunReader, letter
from reports.items.records import answer_record, item_record, results
from reports.items.tree_diff import LONGEST as LONGEST_EDIT
from reports.items.tree_diff import MOST, edits
from reports.tables import build_board, grouped

SHARD = re.compile(r"sqlgauge\.put\(\"([\w-]+)\",'((?:[^'\\\n\r\u2028\u2029]|\\['\\]|\\u202[89])*)'\);\n")
NASTY = (
    *(
        "it's",
        '"',
        "\\",
        "\\'",
        "\\\\'",
        "\u2028\u2029",
        "</script><script>alert(1)</script>",
        "<!--",
        "]]>",
        "\0",
        "\r\n",
    ),
    *("'); alert(1); ('", "\\u0027); alert(1); (\\u0027", "${alert(1)}", "`", "\N{GRINNING FACE}"),
)


def opened(body: bytes) -> tuple[str, object]:
    """The name and the content of a shard, which must be one call with two literals and nothing else."""
    found = SHARD.fullmatch(body.decode())
    assert found, body[:200]
    text = re.sub(r"\\(u[0-9a-f]{4}|.)", lambda m: chr(int(m[1][1:], 16)) if m[1][0] == "u" else m[1], found[2])
    return found[1], json.loads(text)


def shards_of(runs):
    """The content of each shard of the runs' one table."""
    (table,) = build_board(runs).tables
    (group,) = grouped(runs).values()
    files = dict(item_files(table, group))
    found = {}
    for name, body in files.items():
        given_name, found[name] = opened(body)
        assert name == f"{given_name}.js"
    return found


@pytest.mark.parametrize("text", NASTY)
def test_a_shard_is_one_literal_whatever_it_holds(text):
    content = {text: [text, {"__proto__": {text: None}}], "__proto__": text, "constructor": [text]}
    assert opened(shard("item-0", content)) == ("item-0", content)


@given(
    st.recursive(
        st.text() | st.integers(-9, 9) | st.none(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)
    )
)
def test_a_shard_gives_back_any_content(content):
    assert opened(shard("x", content)) == ("x", content)


def test_the_folder_of_a_dataset_is_a_plain_name_of_its_own():
    assert re.fullmatch(r"x-[0-9a-f]{8}", set_folder("../..", "a"))
    assert re.fullmatch(r"[a-z0-9.-]+", set_folder("Ünï/<b>'\u202e" * 40, "a"))
    assert set_folder("a", "one") != set_folder("a", "two")
    assert len(set_folder("a" * 500, "f")) < 80


def test_long_texts_are_cut_and_say_so():
    assert cut("a" * LONGEST) == "a" * LONGEST
    assert cut("a" * (LONGEST + 1_500)).endswith("\n… and 1,500 more characters")
    found = cut_cells({"rows": [["b" * (LONGEST + 1), 1, None]], "deep": ({"x": "c" * (LONGEST + 2)},)})
    assert found["rows"][0][0].endswith("and 1 more characters")
    assert found["rows"][0][1:] == [1, None]
    assert found["deep"][0]["x"].endswith("and 2 more characters")


def test_chunks_cover_all_places_once():
    assert [list(map(len, [chunks(n, 100)])) for n in (0, 1)] == [[0], [1]]
    assert [len(part) for part in chunks(201, 100)] == [100, 100, 1]


def test_letters():
    assert [letter(value) for value in (1.0, 0.0, 0.5, None)] == ["r", "w", "p", "x"]


def test_the_letter_of_several_samples(make_run):
    # by item: both right, right and wrong, wrong and no value, no value and right, partly and right, no value at all
    said = [(1, 1), (1, 0), (0, None), (None, 1), (0.5, 1), (None, None)]
    found = [
        Score(
            example_id=f"e{n}",
            metric="execution",
            value=value,
            status="error" if value is None else "ok",
            sample=sample,
        )
        for n, pair in enumerate(said)
        for sample, value in enumerate(pair)
    ]
    run = make_run("m", found, tags=["easy"] * 7, finish=["stop"] * 7)
    with RunReader(run.manifest(), run, {f"e{n}": n for n in range(7)}) as reader:
        assert reader.outcomes["execution"].decode() == "rpwrpx-"
        assert [score.value for score in reader.scores(1)] == [1, 0]
        assert reader.scores(6) == []


def test_a_judges_letter_is_its_last_word_on_each_sample(make_run):
    asked = {"judge": "j", "reason": "", "prompt_hash": "h"}
    verdicts = [
        Verdict(example_id="e0", label=None, **asked, error=Failure(type="Timeout", message="late")),
        Verdict(example_id="e0", label="correct", **asked),  # asked again
        Verdict(example_id="e1", label="correct", **asked),
        Verdict(example_id="e1", label="incorrect", sample=1, **asked),
        Verdict(example_id="e2", label="unsure", **asked),
        Verdict(example_id="e2", label="correct", repeat=1, **asked),
        Verdict(example_id="e3", label="incorrect", swapped=True, **asked),
    ]
    run = make_run("m", judged=verdicts)
    with RunReader(run.manifest(), run, {f"e{n}": n for n in range(4)}) as reader:
        assert reader.outcomes[JUDGED + "j"].decode() == "rpw-"
        assert [(v.label, v.repeat) for v in reader.verdicts(2)] == [("unsure", 0), ("correct", 1)]
        assert [v.label for v in reader.verdicts(0)] == ["correct"]


def test_a_torn_line_is_no_line_and_a_broken_one_is_named(make_run, score_list):
    run = make_run("m", score_list("execution", 1.0, 1.0))
    path = run.path / "scores.jsonl"
    path.write_bytes(path.read_bytes()[:-3])
    with RunReader(run.manifest(), run, {"e1": 0, "e0": 1}) as reader:
        assert reader.outcomes["execution"].decode() == "-r"
    path.write_bytes(b"{}\n")
    with pytest.raises(UsageError, match=r"scores\.jsonl, line 1"):
        RunReader(run.manifest(), run, {"e0": 0})


def test_records_hold_everything_about_an_answer(shop):
    item = replace(shop[0], evidence="a hint", tags={"z": "1", "a": "2"})
    assert item_record(item, 3) == {
        "id": "a",
        "question": "Question a?",
        "golds": [item.golds[0]],
        "schema": 3,
        "dialect": "sqlite",
        "group": "shop",
        "task": "read",
        "hint": "a hint",
        "unsound": None,
        "tags": [("a", "2"), ("z", "1")],
    }
    answer = Generation(
        example_id="a",
        text="```sql\nSELECT 1\n```",
        finish_reason="stop",
        sample=1,
        prompt_tokens=5,
        cost_usd=0.25,
        timing=Timing(seconds=1.23456),
    )
    counterexample = {"database": "generated", "setup_sql": "CREATE …", "gold": {"columns": ["n"], "rows": [[1]]}}
    scores = [
        Score(example_id="a", metric="execution", value=1.0, status="ok"),
        Score(
            example_id="a",
            metric="execution",
            value=0.0,
            status="ok",
            sample=1,
            evidence={"gold_rows": 3, "gold_first_rows": [[1]], "rows": 0, "reason": "fewer rows"},
        ),
        Score(
            example_id="a",
            metric="equivalence",
            value=0.0,
            status="ok",
            sample=1,
            evidence={"counterexample": counterexample},
        ),
    ]
    verdict = Verdict(
        example_id="a",
        judge="j",
        label=None,
        reason="",
        prompt_hash="h",
        sample=1,
        error=Failure(type="E", message="m"),
    )
    found = answer_record(answer, scores, [verdict, replace(verdict, sample=0)])
    assert (found["sql"], found["extraction"], found["sample"]) == ("SELECT 1", "ok", 1)
    assert found["took"] == {"prompt_tokens": 5, "completion_tokens": None, "seconds": 1.235, "cost_usd": 0.25}
    assert [(s["metric"], s["value"], s["reason"]) for s in found["scores"]] == [
        ("execution", 0.0, "fewer rows"),
        ("equivalence", 0.0, None),
    ]
    assert found["results"] == {"gold": {"count": 3, "rows": [[1]]}, "prediction": {"count": 0, "rows": []}}
    assert found["counterexample"] == counterexample
    assert [(v["judge"], v["error"]) for v in found["verdicts"]] == [("j", "E: m")]


def test_an_answer_without_sql_or_evidence(shop):
    failed = Generation(
        example_id="a", text="", finish_reason="error", error=Failure(type="Down", message="no network")
    )
    found = answer_record(failed, [], [])
    assert (found["sql"], found["error"], found["results"], found["counterexample"]) == (
        None,
        "Down: no network",
        None,
        None,
    )
    agreed = Score(
        example_id="a", metric="execution", value=1.0, status="ok", evidence={"rows": 1, "first_rows": [["x"]]}
    )
    assert results([agreed]) == {"prediction": {"count": 1, "rows": [["x"]]}}


@pytest.mark.parametrize(
    ("prediction", "told"),
    [
        ("SELECT a FROM t WHERE b > 1", []),
        ("select A from T where B > 1", []),
        ("SELECT x.a FROM t AS x WHERE x.b > 1", []),
        ("SELECT a FROM t WHERE b > 2", [("changed", "b > 1 → b > 2")]),
        ("SELECT a FROM t WHERE b > 1 LIMIT 3", [("added", "LIMIT 3")]),
        ("SELECT a FROM t", [("removed", "WHERE b > 1")]),
        ("SELECT a FROM (", None),
        ("", None),
        ("(" * 200, None),
    ],
)
def test_edits(prediction, told):
    assert edits(("sqlite", "SELECT a FROM t WHERE b > 1", prediction)) == told


def test_edits_are_few_and_short_and_large_trees_are_left_alone():
    many = "SELECT " + ", ".join(f"c{n}" for n in range(90)) + " FROM t"
    found = edits(("sqlite", "SELECT 1", many + " WHERE x IN (" + ", ".join(f"'{n}'" for n in range(60)) + ")"))
    assert found is not None
    assert len(found) <= MOST
    assert all(len(sql) <= LONGEST_EDIT for _, sql in found)
    assert edits(("sqlite", "SELECT 1", f"SELECT {'1 + ' * 300}1")) is None


def test_processes_give_the_edits_that_this_one_gives(monkeypatch):
    gold = "SELECT a FROM t WHERE b > 1"
    pairs = [("sqlite", gold, f"SELECT a FROM t WHERE b > {n % 40} AND c = '{n % 7}\u2028'") for n in range(300)]
    pairs[7] = ("sqlite", gold, "SELECT (")
    pairs[9] = ("nonsense", gold, gold)
    with Comparing(expected=300, workers=2) as here:
        inline = here.begin(pairs)()
    monkeypatch.setattr(comparing, "PART", 17)
    with Comparing(expected=comparing.WORTH_PROCESSES, workers=2) as there:
        first, second = there.begin(pairs), there.begin(pairs[:20])
        assert second() == inline[:20]
        assert first() == inline
        assert there.begin([])() == []
        processes = list(there._started)
    assert here._started == []
    assert inline[7] is None
    assert inline[9] is None
    assert [process.returncode for process in processes] == [0, 0]


def test_a_process_takes_no_module_from_the_folder_it_starts_in(monkeypatch, tmp_path):
    for name in ("reports", "sqlglot", "msgspec", "json"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('foreign')")
    monkeypatch.chdir(tmp_path)
    with Comparing(expected=comparing.WORTH_PROCESSES, workers=2) as found:
        assert found.begin([("sqlite", "SELECT a LIMIT 1", "SELECT a LIMIT 2")])() == [
            [("changed", "LIMIT 1 → LIMIT 2")]
        ]


def test_a_process_that_was_killed_is_an_error_in_words():
    with Comparing(expected=comparing.WORTH_PROCESSES, workers=2) as found:
        assert found.begin([("sqlite", "SELECT 1", "SELECT 1")])() == [[]]
        for process in found._started:
            process.kill()
            process.wait()
        with pytest.raises(SqlgaugeError, match="has ended with -9"):
            found.begin([("sqlite", "SELECT 1", "SELECT 2")])()


@pytest.mark.parametrize("n", [1, 99, 100, 101, 250])
def test_every_item_is_where_the_page_looks_for_it(make_run, score_list, n):
    run = make_run(
        "m", score_list("execution", *[float(i % 3 > 0) for i in range(n)]), tags=["easy"] * n, finish=["stop"] * n
    )
    found = shards_of([run])
    head, ids = found["head.js"], found["ids.js"]
    assert (head["n"], head["chunk"], len(ids)) == (n, 100, n)
    assert len(found["outcome-0-0.js"]) == n
    assert sum(name.startswith("item-") for name in found) == -(-n // 100)
    for place, key in enumerate(ids):
        chunk, within = divmod(place, head["chunk"])
        assert found[f"item-{chunk}.js"]["items"][within]["id"] == key
        (answer,) = found[f"answer-0-{chunk}.js"][within]
        assert answer["scores"][0]["value"] == float(place % 3 > 0)
        assert found[f"text-{place // head['text_chunk']}.js"][place % head["text_chunk"]] == "How many?"


def test_runs_with_other_orders_and_other_items_share_places(make_run, score_list):
    first = make_run("a", score_list("execution", 1.0, 0.0, 1.0, 0.0))
    other = make_run("b", score_list("execution", 0.0, 0.0, 1.0, 1.0))
    other.write_examples(
        [*reversed(first.examples()), replace(first.examples()[0], id="e9", tags={"complexity": "new"})]
    )
    other.append_generations([Generation(example_id="e9", text="select 9", finish_reason="stop")])
    found = shards_of([other, first])
    assert found["ids.js"] == ["e0", "e1", "e2", "e3", "e9"]
    by_model = {run["model"]: found[f"outcome-{number}-0.js"] for number, run in enumerate(found["head.js"]["runs"])}
    assert by_model == {"a": "rwrw-", "b": "wwrr-"}
    number = [run["model"] for run in found["head.js"]["runs"]].index("b")
    assert [[answer["sql"] for answer in of] for of in found[f"answer-{number}-0.js"]] == [["select 1"]] * 4 + [
        ["select 9"]
    ]
    assert found[f"answer-{1 - number}-0.js"][4] == []
    tag = found["head.js"]["tags"][0]
    assert [tag["values"][code] for code in found["tag-0.js"]] == ["easy", "easy", "hard", "hard", "new"]


def test_what_leaves_the_headline_is_known_to_the_comparison_and_to_the_item(make_run, score_list):
    runs = [make_run(name, score_list("execution", 1.0, 0.0, 1.0, 0.0)) for name in "ab"]
    statuses = {"e1": "no_rows", "e2": "fails", "e3": "ok", "unknown": "one_null"}
    runs[1].write_health(Health(example_id=key, status=status, reason="so") for key, status in statuses.items())
    found = shards_of(runs)
    assert found["head.js"]["left_out"] == [1]
    assert [item["unsound"] for item in found["item-0.js"]["items"]] == [None, "no rows: so", "fails: so", None]
    assert build_board(runs).tables[0].rows[0].headline.n == 3


def test_the_order_in_which_runs_are_given_changes_no_byte(make_run, score_list):
    runs = [make_run(name, score_list("execution", 1.0, value)) for name, value in (("a", 1.0), ("b", 0.0), ("c", 0.0))]
    tables = [(build_board(order).tables[0], next(iter(grouped(order).values()))) for order in (runs, runs[::-1])]
    one, two = (dict(item_files(*table)) for table in tables)
    assert one == two
    assert list(one) == list(two)


def test_prompts_are_shown_only_where_every_word_is_known(make_run, score_list, shop):
    from benchmark.prompts import template_hash

    known = {"name": "zero_shot", "hash": template_hash("zero_shot"), "schema": "ddl"}
    runs = [
        make_run("a", score_list("execution", 1.0), prompt=known),
        make_run("b", score_list("execution", 1.0), prompt={**known, "hash": "sha256:other"}),
        make_run("c", score_list("execution", 1.0), prompt={**known, "shots": 3}),
        make_run("d", score_list("execution", 1.0), prompt=None),
    ]
    assert [prompt_of(run.manifest()) is not None for run in runs] == [True, False, False, False]
    assert "Question a?" in prompt_text(shop[0], known)
    found = shards_of(runs)
    assert found["head.js"]["prompts"] == [0, -1, -1, None]
    assert [name for name in found if name.startswith("prompt")] == ["prompt-0-0.js"]
    assert "How many?" in found["prompt-0-0.js"][0]


def test_a_statement_that_cannot_be_written_again_has_no_edits() -> None:
    """A real answer: a key that is no column of its table, on which sqlglot's SQLite writer trips."""
    assert edits(("sqlite", "SELECT a FROM t", "CREATE TABLE t (a INT, PRIMARY KEY (plantings_no))")) is None
