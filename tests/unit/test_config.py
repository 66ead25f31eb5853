"""Configuration: flags, YAML, and all problems at once. Prompts: names, hashes, schemas."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmark.config import make_config
from benchmark.errors import UnknownName, UsageError
from benchmark.prompts import TEMPLATES, render, template_hash
from benchmark.types import Example

BASE = {"model": "gold", "dataset": "builtin"}


def test_flags_win_over_the_file(tmp_path: Path) -> None:
    file = tmp_path / "run.yaml"
    file.write_text("model: gold\ndataset: builtin\nlimit: 5\nmetrics: [exact]\n")
    config = make_config({"limit": 7}, file)
    assert (config.limit, config.metrics, config.model) == (7, ("exact",), "gold")


def test_all_problems_are_told_at_once() -> None:
    with pytest.raises(UsageError) as caught:
        make_config({**BASE, "limt": 3, "sample": "many", "top_p": 0.5})
    assert "unknown key 'limt': Did you mean 'limit'" in str(caught.value)
    assert "'sample'" in str(caught.value)
    with pytest.raises(UsageError) as caught:
        make_config({**BASE, "limit": 0, "policy": "deflt", "metrics": ["exat"], "schema": "fll", "temperature": -1.0,
                     "search_databases": -1, "search_seconds": 0.0})  # fmt: skip
    for part in ("'limit'", "deflt", "exat", "fll", "temperature", "databases, not -1", "seconds, not 0"):
        assert part in str(caught.value)


def test_a_broken_or_missing_file(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no such configuration file"):
        make_config({}, tmp_path / "none.yaml")
    (tmp_path / "list.yaml").write_text("- a\n")
    with pytest.raises(UsageError, match="Expected `object`"):
        make_config({}, tmp_path / "list.yaml")


def test_greedy_decoding_has_no_seed() -> None:
    assert make_config({**BASE, "seed": 9}).decoding.seed == 0
    assert make_config({**BASE, "seed": 9, "temperature": 0.7}).decoding.seed == 9


def test_the_prompt_shows_tables_without_rows_unless_asked(shop: list[Example]) -> None:
    short, full = render(shop[0]).messages[0].content, render(shop[0], schema="full").messages[0].content
    assert "CREATE TABLE item" in short
    assert "INSERT" not in short
    assert "INSERT INTO item" in full
    assert shop[0].question in short
    assert [message.role for message in render(shop[0]).messages] == ["user"]


def test_a_template_of_ones_own(tmp_path: Path, shop: list[Example]) -> None:
    own = tmp_path / "mine.j2"
    own.write_text("Q: {{ question }}")
    prompt = render(shop[0], str(own))
    assert prompt.messages[0].content == "Q: Question a?"
    assert prompt.template_hash != template_hash("zero_shot")
    with pytest.raises(UnknownName, match="unknown prompt template"):
        render(shop[0], "zero_shots")
    assert "zero_shot" in TEMPLATES.names()
