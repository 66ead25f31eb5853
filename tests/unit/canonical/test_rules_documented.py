"""The table of rules in docs/equivalence.md is that of the code."""

from __future__ import annotations

from pathlib import Path

from benchmark.sqlengine.canonical import RULES


def test_every_rule_stands_in_the_docs_as_its_docstring_has_it() -> None:
    text = (Path(__file__).parents[3] / "docs/equivalence.md").read_text()
    listed = [line for line in text.splitlines() if line.startswith("| `")]
    wanted = [f"| `{rule.__name__}` | {' '.join((rule.__doc__ or '').split())} |" for rule in dict.fromkeys(RULES)]
    assert listed == wanted
