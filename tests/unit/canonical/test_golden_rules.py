"""Every rule against its golden pairs: what must be proved, with that rule, and what must not be.

A pair that must be proved answers alike on random databases; one that must not be is told apart by one of them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import pytest
from worlds import SCHEMA, agree, worlds

from benchmark.sqlengine import canonical
from benchmark.sqlengine.parse import orders_result, split_statements
from benchmark.sqlengine.prove import prove

GOLDEN = Path(__file__).parents[2] / "golden" / "rules"
_MARK = re.compile(r"-- (rule|dialect|policy|why|match|differ)(?:: (.*))?$")
#: Databases on which a proved pair must agree, and on which one that differs is searched for.
_SAME, _APART = 30, 400


@dataclass(frozen=True)
class Pair:
    """One golden pair. `rule` begins with `reads` where no rule is to be named."""

    rule: str
    kind: str
    gold: str
    prediction: str
    dialect: str
    policy: str
    place: str


def pairs(path: Path) -> list[Pair]:
    """The pairs of one file. Raises ValueError on what is not in the format."""
    found: list[Pair] = []
    rule, kind, dialect, policy = "", "", "sqlite", "default"
    text: list[str] = []

    def close(line: int) -> None:
        statements = [s.text for s in split_statements("\n".join(text))]
        if len(statements) % 2:
            raise ValueError(f"{path.name}:{line}: statements go two by two")
        for gold, prediction in zip(statements[::2], statements[1::2], strict=True):
            found.append(Pair(rule, kind, gold, prediction, dialect, policy, f"{path.name}:{line}"))
        text.clear()

    lines = path.read_text().splitlines()
    for number, line in enumerate(lines, 1):
        mark = _MARK.match(line)
        if not mark:
            if not line.startswith("--"):
                text.append(line)
            continue
        name, value = mark.groups()
        close(number)
        if name == "rule":
            rule, kind, dialect, policy = value, "", "sqlite", "default"
        elif name == "dialect":
            dialect = value
        elif name == "policy":
            policy = value
        elif name != "why":
            kind = name
    close(len(lines))
    return found


ALL = [pair for path in sorted(GOLDEN.glob("*.sql")) if path.name != "schema.sql" for pair in pairs(path)]
MATCH = [pair for pair in ALL if pair.kind == "match"]
DIFFER = [pair for pair in ALL if pair.kind == "differ"]


def name(pair: Pair) -> str:
    return f"{pair.rule.replace(' ', '_')}-{pair.place}-{pair.gold[:40]}"


@pytest.mark.parametrize("pair", MATCH, ids=name)
def test_match_is_proved_by_its_rule(pair: Pair) -> None:
    proof = prove(pair.gold, pair.prediction, pair.dialect, SCHEMA, pair.policy)
    assert proof is not None
    if not pair.rule.startswith("reads "):
        assert pair.rule in proof.rules


@pytest.mark.parametrize("pair", MATCH, ids=name)
def test_match_answers_alike(pair: Pair) -> None:
    for world in worlds(_SAME if pair.dialect == "sqlite" else 10, pair.dialect):
        gold, prediction = world.answer(pair.gold), world.answer(pair.prediction)
        assert gold is not None
        assert prediction is not None
        assert agree(gold, prediction, pair.policy), world.seed


@pytest.mark.parametrize("pair", DIFFER, ids=name)
def test_differ_is_not_proved(pair: Pair) -> None:
    assert prove(pair.gold, pair.prediction, pair.dialect, SCHEMA, pair.policy) is None


@pytest.mark.parametrize("pair", DIFFER, ids=name)
def test_differ_differs_on_some_database(pair: Pair) -> None:
    ordered = orders_result(pair.gold, pair.dialect)
    for world in worlds(_APART if pair.dialect == "sqlite" else 10, pair.dialect):
        gold, prediction = world.answer(pair.gold), world.answer(pair.prediction)
        assert gold is not None
        if not agree(gold, prediction, pair.policy, ordered=ordered):
            return
    pytest.fail("no database tells them apart")


def test_no_rule_lacks_a_pair() -> None:
    rules = {rule.__name__ for rule in canonical.RULES}
    assert not rules - {pair.rule for pair in MATCH}
    assert not rules - {pair.rule for pair in DIFFER}
    named = {pair.rule for pair in ALL if not pair.rule.startswith("reads ")}
    assert named <= rules | {"numbers_bare"}
