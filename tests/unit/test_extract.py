"""Extraction against the golden files of tests/golden/extract, and its promise never to fail."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmark import extract as extraction
from benchmark.extract import extract

CASES = sorted(p for p in (Path(__file__).parents[1] / "golden" / "extract").glob("*.md") if p.name != "README.md")


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.stem)
def test_golden_case(case: Path) -> None:
    head, _, rest = case.read_text().partition("\n=== answer ===\n")
    answer, _, sql = rest.rpartition("\n=== sql ===\n")
    fields = dict(line.split(": ") for line in head.splitlines())
    found = extract("1", answer, fields["finish"])  # type: ignore[arg-type]
    assert found.status == fields["status"]
    assert (found.sql or "-") == sql.removesuffix("\n")


@given(st.text(), st.sampled_from(["stop", "length"]))
def test_any_text_has_a_status_and_no_empty_sql(text: str, finish: str) -> None:
    found = extract("1", text, finish)  # type: ignore[arg-type]
    assert (found.sql is None) == (found.status in ("empty", "truncated", "refused", "no_sql"))
    assert found.sql is None or found.sql.strip()


@given(
    st.lists(
        st.sampled_from(["SELECT", "a", "FROM", "t", ";", "'", "--", "```", "\n", "<think>", "WITH", "("]), max_size=30
    )
)
def test_sql_like_text_never_breaks_it(parts: list[str]) -> None:
    found = extract("1", " ".join(parts), "stop")
    assert found.sql is None or found.sql.strip()


PARTS = [
    "SELECT",
    "select a",
    "FROM t",
    "WITH c AS (",
    "DELETE FROM t",
    ";",
    "'x;y'",
    "--",
    "`a`",
    "*",
    "<think>",
    "\n",
    ")",
]


@given(st.lists(st.sampled_from(PARTS), max_size=8), st.sampled_from(["", " "]))
def test_the_short_way_for_bare_statements_finds_what_the_long_way_finds(parts: list[str], between: str) -> None:
    text = between.join(parts)
    short = extract("1", text, "stop")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(extraction, "_is_bare_statement", lambda text: False)
        assert extract("1", text, "stop") == short
