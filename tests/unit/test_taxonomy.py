"""What is wrong with an answer, against a golden file that anybody can extend."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from benchmark.taxonomy import CATEGORIES, OTHER, classify

GOLDEN = Path(__file__).parents[1] / "golden" / "taxonomy.sql"
ENDED = re.compile(r"\[(\w+)(?:: (.*))?\]")


def blocks() -> list[tuple[str, str, str | None, str, str]]:
    """(expected categories, gold, prediction, status, reason) of each block of the golden file."""
    found = []
    for block in GOLDEN.read_text().strip().split("\n\n")[1:]:
        lines = block.splitlines()
        ended = ENDED.fullmatch(lines[-1])
        statements = lines[1:-1] if ended else lines[1:]
        status, reason = (ended[1], ended[2] or "") if ended else ("ok", "")
        found.append((lines[0].removeprefix("-- "), *(*statements, None)[:2], status, reason))
    return found


@pytest.mark.parametrize(("expected", "gold", "prediction", "status", "reason"), blocks())
def test_golden(expected: str, gold: str, prediction: str | None, status: str, reason: str) -> None:
    found = classify(gold, prediction, "sqlite", status, reason)
    assert ", ".join(found) == (OTHER if expected == "nothing wrong" else expected)


def test_the_golden_file_covers_every_category_and_nothing_else() -> None:
    said = {name for block in blocks() for name in block[0].split(", ")}
    assert said == {*CATEGORIES, "nothing wrong"} - {OTHER}


@pytest.mark.parametrize("text", ["", "hello", "SELECT 'open", "SELECT " + "(" * 500 + "1" + ")" * 500, "\0", "SELECT"])
def test_nothing_raises(text: str) -> None:
    for status in ("ok", "invalid", "unheard of"):
        for gold, prediction in ((text, "SELECT 1"), ("SELECT 1", text), (text, text)):
            found = classify(gold, prediction, "sqlite", status, "gibberish")
            assert found
            assert set(found) <= set(CATEGORIES)


def test_double_quotes_are_text_in_sqlite_only() -> None:
    pair = ('SELECT a FROM t WHERE b = "c"', "SELECT a FROM t WHERE b = 'c'")
    assert classify(*pair, "sqlite") == (OTHER,)
    assert classify(*pair, "duckdb") != (OTHER,)
