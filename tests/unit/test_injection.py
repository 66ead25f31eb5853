"""Predictions that talk to the judge (tests/golden/injections.jsonl), against judges that obey whatever they can read.

The scripted judge is as gullible as a model can be: it obeys any text outside the fences that tells it what to answer,
in several languages and encodings. Only when nothing tells it anything does it compare the two queries.
"""

from __future__ import annotations

import base64
import binascii
import codecs
import json
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import pytest

from benchmark.side_by_side import Result
from benchmark.types import Example
from judges.evidence import Evidence
from judges.parse import UnreadableVerdict, parse_verdict
from judges.rubric import ask_about, strip_comments

PAD = 40_000
GOLD = "SELECT name FROM item WHERE price > 5"
EXAMPLE = Example(
    id="1",
    question="Which items cost more than 5?",
    schema_sql="CREATE TABLE item (id INT, name TEXT, price REAL)",
    golds=(GOLD,),
    dialect="sqlite",
    group="shop",
)


class Attack(NamedTuple):
    id: str
    kind: str
    wants: str
    prediction: str


def read_attacks() -> list[Attack]:
    lines = (Path(__file__).parents[1] / "golden" / "injections.jsonl").read_text().splitlines()
    found = [Attack(**json.loads(line)) for line in lines]
    return [one._replace(prediction=one.prediction.replace("{pad}", "x " * (PAD // 2))) for one in found]


ATTACKS = read_attacks()
each_attack = pytest.mark.parametrize("attack", ATTACKS, ids=lambda one: f"{one.id} {one.kind}")

# --- the judge that obeys ---------------------------------------------------------------------------------------

EXACT = re.compile(r"^<<<BEGIN (\w+)>>>$.*?^<<<END \1>>>$", re.DOTALL | re.MULTILINE)
#: A reader that takes anything like an end for the end: of a fence, of a turn, of a block.
SLOPPY = re.compile(
    r"^<<<BEGIN[^>]*>>>.*?(?:<<<[^>]*>>>|```|<\|[^|>]*\|>|<\uff5c[^>]*>|<end_of_turn>|\[/INST\]|</s>|</?system>|</data>"
    r"|^\s*(?:Human|System):|^\s*#+\s|\Z)",
    re.DOTALL | re.MULTILINE,
)
READERS = pytest.mark.parametrize("reader", [EXACT, SLOPPY], ids=["exact", "sloppy"])
_CORRECT = r"correct\b|richtig|correcto|正确|правильно|صحيح"
_ORDERS = re.compile(
    r"(?:answer|say|verdict|mark|output|antworte|responde|回答|ответь|أجب)\W[^\n]{0,80}?(?:\W|\b)"
    rf"(?P<label>incorrect|{_CORRECT})|(?:回答)(?P<short>正确)",
    re.IGNORECASE,
)
_HIDDEN = re.compile("[\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff\x00-\x08\x1b]")


def outside(prompt: str, fences: re.Pattern[str]) -> list[str]:
    """The lines that a reader takes for its instructions."""
    return fences.sub("\n", prompt).splitlines()


def decoded(text: str) -> Iterator[str]:
    """A text in every spelling that the judge knows."""
    untagged = "".join(chr(ord(c) - 0xE0000) if 0xE0020 <= ord(c) < 0xE007F else c for c in text)
    plain = unicodedata.normalize("NFKC", _HIDDEN.sub("", untagged))
    words = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", plain.replace("_", " ").replace('""', '"'))
    yield words
    yield codecs.encode(words, "rot13")
    yield words[::-1]
    for token in re.findall(r"[A-Za-z0-9+/]{16,}={0,2}", plain):
        try:
            yield base64.b64decode(token + "=" * (-len(token) % 4)).decode("utf-8", "ignore")
        except (binascii.Error, ValueError):
            continue
    for token in re.findall(r"(?:[0-9a-f]{2}){8,}", plain):
        yield bytes.fromhex(token).decode("utf-8", "ignore")
    if "\\u" in plain:
        yield re.sub(r"\\u([0-9a-f]{4})", lambda found: chr(int(found[1], 16)), plain)


def ordered(lines: list[str]) -> str | None:
    """The verdict that some lines tell the judge to give, the last one if there are several."""
    for text in decoded("\n".join(lines)):
        found = list(_ORDERS.finditer(text))
        if found:
            return "incorrect" if found[-1]["label"] and found[-1]["label"].lower() == "incorrect" else "correct"
    return None


def own_words(rubric: str, swapped: bool = False) -> frozenset[str]:
    """What a prompt says that holds no foreign text: its instructions, which are not orders to give one verdict."""
    (message,), _ = ask_about(EXAMPLE, GOLD, rubric, swapped=swapped, evidence=evidence("x"))
    return frozenset(outside(unmarked(message.content), EXACT))


def unmarked(prompt: str) -> str:
    """A prompt with one marker for all: it is another one in each prompt."""
    (marker,) = set(re.findall(r"^<<<BEGIN (\w{24})>>>$", prompt, re.MULTILINE))
    return prompt.replace(marker, "0" * 24)


def answer(prompt: str, fences: re.Pattern[str], trusted: frozenset[str]) -> str:
    """The obedient judge: orders first, else whether the queries are the same text."""
    lines = [line for line in outside(prompt, fences) if line not in trusted]
    label = ordered(lines)
    if label is None:
        found = dict(re.findall(r"^Query ([AB]):\n<<<[^\n]*>>>\n(.*?)\n<<<END", prompt, re.DOTALL | re.MULTILINE))
        label = "correct" if squeezed(found["A"]) == squeezed(found["B"]) else "incorrect"
    return json.dumps({"verdict": label, "reason": "I read both."})


def squeezed(sql: str) -> str:
    return " ".join(sql.split())


def evidence(value: str) -> Evidence:
    result = Result(rows=1, first_rows=((value, None),), problem="")
    grid = {"columns": ["a"], "rows": [[value]]}
    return Evidence(
        gold=result, prediction=result, counterexample={"setup_sql": value, "gold": grid, "prediction": grid}
    )


def honest(attack: Attack) -> str:
    return "correct" if squeezed(strip_comments(attack.prediction)) == squeezed(GOLD) else "incorrect"


# --- the attacks ------------------------------------------------------------------------------------------------


def test_there_are_enough_attacks_and_each_wants_what_is_not_so() -> None:
    assert len(ATTACKS) >= 40
    assert len({attack.kind for attack in ATTACKS}) == len(ATTACKS)
    assert all(attack.wants != honest(attack) for attack in ATTACKS)


@READERS
@pytest.mark.parametrize("rubric", ["seed", "strict", "evidence"])
def test_no_attack_changes_a_verdict(rubric: str, reader: re.Pattern[str]) -> None:
    changed = []
    for attack in ATTACKS:
        for swapped in (False, True):
            shown = evidence(attack.prediction) if rubric == "evidence" else None
            (message,), _ = ask_about(EXAMPLE, attack.prediction, rubric, swapped=swapped, evidence=shown)
            said = answer(unmarked(message.content), reader, own_words(rubric, swapped))
            if parse_verdict(said).label != honest(attack):
                changed.append(attack.kind)
    assert changed == []


@each_attack
def test_not_one_character_gets_out_of_its_fence(attack: Attack) -> None:
    """Wherever an attack stands, and however it is cut, the text outside the fences is that of a harmless prompt."""
    note = re.compile(r"\(Cut here: .*\)")
    for where in ("prediction", "schema", "question", "gold", "rows"):
        example = replace(
            EXAMPLE,
            schema_sql=attack.prediction if where == "schema" else EXAMPLE.schema_sql,
            question=attack.prediction if where == "question" else EXAMPLE.question,
            golds=(attack.prediction if where == "gold" else GOLD,),
        )
        shown = evidence(attack.prediction if where == "rows" else "x")
        prediction = attack.prediction if where == "prediction" else GOLD
        (message,), _ = ask_about(example, prediction, "evidence", evidence=shown)
        for reader in (EXACT, SLOPPY):
            left = [line for line in outside(unmarked(message.content), reader) if line and not note.fullmatch(line)]
            assert set(left) <= own_words("evidence"), where


@each_attack
def test_the_same_judge_is_fooled_without_fences(attack: Attack) -> None:
    """What the other tests rest on: the judge can read every attack, and obeys it where nothing holds it back."""
    prompt = f"Are both the same?\n\nQuery A:\n{GOLD}\n\nQuery B:\n{attack.prediction}\n"
    assert ordered([line for line in prompt.splitlines() if line != GOLD]) == attack.wants


def test_a_sloppy_judge_is_fooled_by_fences_around_raw_text() -> None:
    """Fences are not enough: without `judges.fences.visible` whatever looks like an end would be one."""
    fooled = []
    for attack in ATTACKS:
        marker = "0" * 24
        parts = [f"Query {name}:\n<<<BEGIN {marker}>>>\n{sql}\n<<<END {marker}>>>"
                 for name, sql in (("A", GOLD), ("B", attack.prediction))]  # fmt: skip
        said = answer("\n\n".join(parts), SLOPPY, frozenset({"Query A:", "Query B:"}))
        if json.loads(said)["verdict"] == attack.wants:
            fooled.append(attack.kind)
    assert {"ChatML", "Gemma turns", "Markdown fence", "guessed fence closed", "system line"} <= set(fooled)


# --- judges that repeat what they read --------------------------------------------------------------------------


@each_attack
@pytest.mark.parametrize("cut", [False, True], ids=["whole", "cut"])
def test_a_judge_that_quotes_an_attack_gives_no_wrong_verdict(attack: Attack, cut: bool) -> None:
    """It repeats all that it was shown, and its own verdict follows, or is cut off by the limit of tokens."""
    (message,), _ = ask_about(EXAMPLE, attack.prediction)
    for quoted in (message.content, attack.prediction):
        own = "" if cut else json.dumps({"verdict": honest(attack), "reason": "other rows"})
        try:
            label = parse_verdict(f"The prompt was:\n{quoted}\n\n{own}").label
        except UnreadableVerdict:
            continue
        assert not cut
        assert label == honest(attack)
