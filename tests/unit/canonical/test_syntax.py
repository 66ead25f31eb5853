"""The normal form for what the rules cannot read, against golden pairs, and its refusal of what is no SQL."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmark.sqlengine.canonical.syntax import folded

GOLDEN = Path(__file__).parents[2] / "golden" / "ast"


def pairs(name: str) -> list[tuple[str, str]]:
    lines = [line for line in (GOLDEN / name).read_text().splitlines() if not line.startswith("--")]
    blocks = "\n".join(lines).strip().split("\n\n")
    return [(first, second) for first, second in (block.splitlines() for block in blocks)]


@pytest.mark.parametrize(("first", "second"), pairs("equal.sql"))
def test_equal(first: str, second: str) -> None:
    assert folded(first, "sqlite") is not None
    assert folded(first, "sqlite") == folded(second, "sqlite")


@pytest.mark.parametrize(("first", "second"), pairs("different.sql"))
def test_different(first: str, second: str) -> None:
    assert folded(first, "sqlite") is not None
    assert folded(second, "sqlite") is not None
    assert folded(first, "sqlite") != folded(second, "sqlite")


@pytest.mark.parametrize(
    "text", ["hello", "I think", "SELECT 'open", "SELECT " + "(" * 500 + "1" + ")" * 500, "", "PRAGMA x"]
)
def test_what_is_no_statement_has_no_form(text: str) -> None:
    assert folded(text, "sqlite") is None
