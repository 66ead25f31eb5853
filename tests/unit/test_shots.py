"""Few-shot examples: from train only, never an item that is asked about, the same ones every time."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace

import pytest

from benchmark.datasets import load_dataset
from benchmark.errors import UsageError
from benchmark.prompts import render
from benchmark.shots import WAYS, choose_shots
from benchmark.types import Example


def item(name: str, question: str, gold: str) -> Example:
    return Example(
        id=name, question=question, schema_sql="CREATE TABLE t (a INT)", golds=(gold,), dialect="sqlite", group="g"
    )


TRAIN = [
    item("cats", "How many cats are there?", "SELECT COUNT(*) FROM cats"),
    item("dogs", "How many dogs are there in town?", "SELECT COUNT(*) FROM dogs"),
    item("price", "What is the highest price of a pen?", "SELECT MAX(price) FROM pens"),
    item("names", "List the names of all sailors.", "SELECT name FROM sailors"),
    item("boats", "List the boats of each sailor.", "SELECT boat FROM boats"),
]
ASKED = [
    item("1", "How many cats are in town?", "SELECT COUNT(*) FROM cats WHERE town"),
    item("2", "Which sailor has the most boats?", "SELECT sailor FROM boats"),
]


def chosen(train: Sequence[Example], asked: Sequence[Example], k: int, by: str, seed: int = 0) -> list[list[str]]:
    found = choose_shots(train, asked, k, by=by, seed=seed, usable=lambda one: True)
    return [[shot.id for shot in shots] for shots in found]


def test_similar_puts_the_nearest_last() -> None:
    first, second = chosen(TRAIN, ASKED, 2, "similar")
    assert first == ["cats", "dogs"]
    assert second[-1] == "boats"


def test_fixed_is_the_same_for_all_and_changes_with_the_seed() -> None:
    first, second = chosen(TRAIN, ASKED, 3, "fixed", seed=1)
    assert first == second
    assert len(set(first)) == 3
    assert len({tuple(chosen(TRAIN, ASKED, 3, "fixed", seed=seed)[0]) for seed in range(8)}) > 1


@pytest.mark.parametrize("by", WAYS)
def test_the_order_of_the_train_file_does_not_matter(by: str) -> None:
    shuffled = list(TRAIN)
    random.Random(3).shuffle(shuffled)
    assert chosen(shuffled, ASKED, 3, by) == chosen(TRAIN, ASKED, 3, by)


@pytest.mark.parametrize("by", WAYS)
@pytest.mark.parametrize(
    "twin",
    [
        item("twin", "how many  CATS are in town", "SELECT 7"),
        item("twin", "Something else?", "select count(*)\nFROM cats WHERE town ;"),
    ],
)
def test_an_item_that_is_asked_about_is_never_shown(by: str, twin: Example) -> None:
    train = [*TRAIN, twin, replace(twin, id="again")]
    found = chosen(train, ASKED[:1], len(TRAIN), by)
    assert sorted(found[0]) == sorted(one.id for one in TRAIN)


@pytest.mark.parametrize("by", WAYS)
def test_no_example_stands_there_twice(by: str) -> None:
    train = [*TRAIN, *(replace(one, id=f"{one.id} again") for one in TRAIN)]
    (found,) = chosen(train, ASKED[:1], 5, by)
    assert len({one.removesuffix(" again") for one in found}) == 5


@pytest.mark.parametrize("by", WAYS)
def test_too_few_is_an_error(by: str) -> None:
    with pytest.raises(UsageError, match="only 5 examples can stand before the questions, and 6 are asked for"):
        chosen(TRAIN, ASKED, 6, by)


def test_a_question_of_unknown_words_gets_examples_too() -> None:
    (found,) = chosen(TRAIN, [item("x", "¿Qué?", "SELECT 0")], 2, "similar")
    assert len(set(found)) == 2


def test_what_is_not_usable_is_passed_over() -> None:
    found = choose_shots(TRAIN, ASKED, 2, by="similar", seed=0, usable=lambda one: one.id != "cats")
    assert all("cats" not in [shot.id for shot in shots] for shots in found)


def test_no_gold_or_question_of_the_embedded_test_split_is_shown() -> None:
    train, test = load_dataset("builtin", "train").examples, load_dataset("builtin").examples
    planted = [replace(one, id=f"planted-{one.id}") for one in test]
    found = choose_shots([*train, *planted], test, 3, by="similar", seed=0, usable=lambda one: True)
    for one, shots in zip(test, found, strict=True):
        assert all(shot.question != one.question and shot.golds != one.golds for shot in shots)
    fixed = choose_shots([*train, *planted], test, 3, by="fixed", seed=0, usable=lambda one: True)
    assert not any(shot.id.startswith("planted") for shot in fixed[0])


def test_shots_are_turns_before_the_question() -> None:
    prompt = render(ASKED[0], shots=TRAIN[:2])
    assert [message.role for message in prompt.messages] == ["user", "assistant"] * 2 + ["user"]
    assert prompt.messages[0] == render(TRAIN[0]).messages[0]
    assert prompt.messages[1].content == "```sql\nSELECT COUNT(*) FROM cats\n```"
    assert prompt.messages[-1] == render(ASKED[0]).messages[0]
    assert prompt.text is None


def test_a_template_by_hand_holds_its_shots_as_text() -> None:
    prompt = render(ASKED[0], "seed", "full", shots=TRAIN[:1])
    assert prompt.text is not None
    assert prompt.text.count("<start_of_turn>model") == 2
    assert prompt.text.endswith(render(ASKED[0], "seed", "full").text or "-")
    assert "<start_of_turn>model\nSELECT COUNT(*) FROM cats\n<end_of_turn>\n<start_of_turn>user" in prompt.text


@pytest.mark.parametrize("by", WAYS)
def test_no_other_item_of_the_test_split_is_shown_whichever_are_asked_about(by: str) -> None:
    leaky = [*TRAIN, replace(ASKED[1], id="leak")]
    for asked in (ASKED, ASKED[:1]):
        found = choose_shots(leaky, asked, 5, by=by, seed=0, usable=lambda one: True, split=ASKED)
        assert all("leak" not in {shot.id for shot in shots} for shots in found)
    sampled = choose_shots(leaky, ASKED[:1], 3, by=by, seed=0, usable=lambda one: True, split=ASKED)
    whole = choose_shots(leaky, ASKED, 3, by=by, seed=0, usable=lambda one: True, split=ASKED)
    assert sampled[0] == whole[0]
