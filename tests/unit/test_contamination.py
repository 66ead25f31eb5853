"""Contamination: planted duplicates are found, other real rows are not, and a run learns what its adapter saw."""

from __future__ import annotations

import json
import random
import re
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from benchmark.contamination import Item, find_overlaps, item_digest, items_of_test, load_items
from benchmark.contamination.keep import of_model, write_into
from benchmark.contamination.report import Comparison, as_json, summary, write_report
from benchmark.contamination.search import in_common
from benchmark.contamination.texts import open_tree, plain_sql
from benchmark.errors import DatasetError
from benchmark.files import line_of
from benchmark.overlap import MEANING, Overlap, clean, counts
from benchmark.store import RunFolder
from benchmark.types import Example

NAMES = ("Zanzibar", "Blue Harbour", "Quell", "North Tarn", "Orinoco Delta")
BASE = Item(
    "t1", "How many red pens cost more than 5 pounds?", ("SELECT COUNT(*) FROM pen WHERE ink = 'red' AND price > 5",)
)


def kinds(question: str, gold: str, base: Item = BASE) -> set[str]:
    (found,) = find_overlaps([base], [Item("x", question, (gold,))])
    assert set(found.kinds.values()) <= {base.id}
    return set(found.kinds)


def test_each_kind_of_overlap() -> None:
    question, gold = BASE.question, BASE.golds[0]
    assert kinds(question, gold) == set(MEANING)
    normalised = set(MEANING) - {"exact", "exact_question", "exact_gold"}
    assert (
        kinds(f" {question.upper().replace(' ', '  ')}!", "select COUNT(*)  from pen\nwhere ink = 'red' and price>5;")
        == normalised
    )
    assert kinds(question, "SELECT 1") == {"exact_question", "normal_question"}
    assert kinds("What is the weather?", gold) == {"exact_gold", "normal_gold", "tree"}
    assert kinds("How many blue pens cost more than 7 pounds?", gold.replace("red", "blue").replace("5", "7")) == {
        "template",
        "tree",
        "near",
    }
    assert kinds("More than 5 pounds: how many red pens cost that?", gold) >= {"near"}
    assert kinds("Which shop sells ink?", "SELECT shop FROM sale WHERE what = 'ink'") == set()


def test_the_same_words_about_another_thing_are_not_near() -> None:
    assert kinds(BASE.question, "SELECT name, AVG(tides) FROM harbour GROUP BY name") == {
        "exact_question",
        "normal_question",
    }
    near = "How many red pens cost more than 5 pounds each?"
    assert "near" not in kinds(near, "SELECT name, AVG(tides) FROM harbour GROUP BY name")
    assert "near" in kinds(near, BASE.golds[0])


def test_operators_and_names_are_no_punctuation() -> None:
    assert plain_sql("SELECT a FROM t WHERE b >= 1") != plain_sql("SELECT a FROM t WHERE b <= 1")
    assert open_tree("SELECT a FROM t WHERE b = 1", "sqlite") != open_tree("SELECT a FROM t WHERE c = 1", "sqlite")
    assert open_tree("SELECT a FROM t LIMIT 3", "sqlite") == open_tree("select A from T limit 5", "sqlite")
    assert open_tree("SELECT 'a' FROM", "sqlite") == open_tree("SELECT  'b'  FROM;", "sqlite") == "select ? from"


def test_edges_of_the_search() -> None:
    assert find_overlaps([], [BASE])[0].kinds == {}
    assert find_overlaps([BASE], []) == []
    wordless = [Item("a", "2024?", ("SELECT 1",)), Item("b", "¿?", ("SELECT 2",))]
    assert not find_overlaps(wordless, [Item("c", "99", ("SELECT a FROM t",))])[0].seen
    assert in_common(Counter(), Counter()) == 1.0
    several = Item("x", "Other words", ("SELECT 1", BASE.golds[0]))
    assert "exact_gold" in find_overlaps([BASE], [several])[0].kinds


def test_what_counts_as_clean() -> None:
    found = {one.example_id: one for one in find_overlaps([BASE], [
        replace(BASE, id="same"), Item("gold", "Something else", BASE.golds), Item("none", "Why?", ("SELECT 3",))
    ])}  # fmt: skip
    assert clean(found) == {"gold", "none"}
    number = counts(found.values())
    assert (number["items"], number["seen"], number["exact_gold"], number["tree"]) == (3, 1, 2, 2)


def renamed(item: Item, rng: random.Random) -> tuple[str, str]:
    """The item with other literals, in question and gold alike."""
    question, gold = item.question, item.golds[0]
    literals = [text or number for text, number in re.findall(r"'((?:[^']|'')+)'|\b(\d+)\b", gold)]
    for old in sorted(set(literals), key=len, reverse=True):
        new = str(rng.randint(100, 9999)) if old.isdigit() else rng.choice(NAMES)
        question, gold = (re.sub(rf"(?<!\w){re.escape(old)}(?!\w)", new, text) for text in (question, gold))
    return question, gold


def planted(items: list[Item], rng: random.Random) -> list[tuple[str, Item]]:
    found = []
    for item in items:
        question, gold = item.question, item.golds[0]
        words = question.split()
        rng.shuffle(words)
        found += [
            ("exact", Item("", question, (gold,))),
            ("white space", Item("", f"  {question.replace(' ', '  ')} ", (gold.replace(" ", "\n ") + " ;",))),
            ("reordered", Item("", " ".join(words), (gold,))),
        ]
        other = renamed(item, rng)
        if other != (question, gold):
            found.append(("literals", Item("", other[0], (other[1],))))
    return [(kind, replace(item, id=f"p{n}")) for n, (kind, item) in enumerate(found)]


@pytest.mark.parametrize("name", ["builtin", "builtin train", "gretel"])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_planted_duplicates_are_found_and_nothing_else(name: str, seed: int, request: pytest.FixtureRequest) -> None:
    spec = "builtin"
    if name == "gretel":
        folder = request.getfixturevalue("data_folder")
        spec = f"gretel:{folder / 'gretel' / 'gretel_train_1000_with_context.jsonl'}"
    items = load_items(spec, "train" if name == "builtin train" else "test")[1]
    rng = random.Random(seed)
    rng.shuffle(items)
    train, rest = items[: len(items) // 2], items[len(items) // 2 :]
    plants = planted(train[:100], rng)
    found = find_overlaps(train, [*(item for _, item in plants), *rest])
    hits, of = Counter[str](), Counter[str]()
    for (kind, _), overlap in zip(plants, found, strict=False):
        of[kind] += 1
        hits[kind] += overlap.seen
    assert hits["exact"] == hits["white space"] == of["exact"]
    assert hits["literals"] >= 0.95 * of["literals"]
    assert of["literals"] > 50
    assert hits["reordered"] >= 0.8 * of["reordered"]
    false_alarms = sum(one.seen for one in found[len(plants) :])
    assert false_alarms < 0.01 * len(rest)


def test_the_embedded_test_split_is_not_in_the_train_split() -> None:
    found = find_overlaps(load_items("builtin", "train")[1], load_items("builtin")[1])
    assert counts(found) == {"items": 240, "seen": 0} | dict.fromkeys(MEANING, 0)


def test_gretels_published_number(data_folder: Path) -> None:
    folder = data_folder / "gretel"
    train = load_items(f"gretel:{folder / 'gretel_train_1000_with_context.jsonl'}", "train")[1]
    name, test = load_items(f"gretel:{folder / 'gretel_test_2074_gold_pred_judge.jsonl'}")  # it has no contexts
    assert name == "gretel:gretel_test_2074_gold_pred_judge.jsonl/test"
    found = counts(find_overlaps(train, test))
    assert {kind: n for kind, n in found.items() if n} == {
        "items": 2074,
        "seen": 4,
        "template": 1,
        "near": 4,
        "tree": 2,
    }


def test_a_file_needs_no_more_than_questions_and_golds(tmp_path: Path) -> None:
    path = tmp_path / "q.jsonl"
    path.write_text(
        '{"sql_prompt": "Q?", "sql": "SELECT 1", "id": 7}\n{"sql_prompt": "R?", "sql": "SELECT 2", "id": 8}\n'
    )
    assert [item.id for item in load_items(f"gretel:{path}")[1]] == ["7", "8"]
    path.write_text('{"sql_prompt": "Q?"}\n')
    with pytest.raises(DatasetError, match="lacks the columns sql_context, sql"):
        load_items(f"gretel:{path}")
    path.write_text('{"sql_prompt": "Q?", "sql": " "}\n')
    with pytest.raises(DatasetError, match="row 1: no text in sql"):
        load_items(f"gretel:{path}")


def test_training_items_that_are_test_items() -> None:
    train = [
        replace(BASE, id="a"),
        Item("b", BASE.question, ("SELECT 1",)),
        Item("c", BASE.question.lower(), (BASE.golds[0] + ";",)),
    ]
    assert items_of_test(train, [BASE]) == {"a": "t1", "c": "t1"}


def test_the_report_names_both_sides(tmp_path: Path) -> None:
    test = [replace(BASE, id="same|"), Item("other", "Why?", ("SELECT 3",))]
    found = Comparison(train="A", test="B", train_items=[BASE], test_items=test, overlaps=find_overlaps([BASE], test))
    lines, page = write_report(tmp_path / "out", found)
    assert len(lines.read_text().splitlines()) == 2
    assert "1 of 2 items may have been seen (50.00%)" in page.read_text()
    assert "| same\\| | exact, " in page.read_text()
    assert "1 of 2 items" in summary(found)[0]
    figures = as_json(found)
    assert (figures["seen"], figures["seen_share"], figures["kinds"]["exact"]) == (1, 0.5, 1)
    assert [one["id"] for one in figures["overlaps"]] == ["same|"]


def test_a_run_learns_what_its_adapter_was_trained_on(shop: list[Example], tmp_path: Path) -> None:
    run = RunFolder(tmp_path / "run")
    run.path.mkdir()
    run.write_examples(shop)
    seen = Overlap(example_id="17", item=item_digest(shop[1]), kinds={"exact": "t"})
    adapter = tmp_path / "adapter"
    adapter.mkdir()
    (adapter / "contamination.jsonl").write_bytes(line_of(seen) + line_of(replace(seen, item="of another item")))
    assert write_into(run, of_model(f"hf/base+{adapter}")) == 1
    assert run.contamination() == {"b": replace(seen, example_id="b")}
    assert of_model("hf/base") == of_model(f"hf/base+{tmp_path}") == []
    assert write_into(RunFolder(tmp_path), []) == 0
    assert json.loads((run.path / "contamination.jsonl").read_text())["schema_version"] == 1
