"""Runs with budgets and shots: what is in the identity, in the folder, in the log, and what is an error."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from benchmark.config import make_config
from benchmark.errors import UsageError
from benchmark.fitting import ESTIMATE
from benchmark.runner import Plan, execute, plan
from reports.items.prompted import prompt_of
from sqlgauge.cli import cli

SCHEMA = "CREATE TABLE item (id INT, name TEXT); INSERT INTO item VALUES (1, 'pen'), (2, 'ink')"
WIDE = "CREATE TABLE wide (" + ", ".join(f"column_number_{n} INT" for n in range(60)) + ")"


def questions(path: Path, n: int = 3, name: str = "Q") -> Path:
    rows = [
        {"question": f"{name} {i}: how many items?", "sql": f"SELECT COUNT(*) + {i} FROM item", "schema": SCHEMA}
        for i in range(n)
    ]
    rows.append({"question": f"{name}: what is wide?", "sql": f"SELECT '{name}' FROM wide", "schema": WIDE})
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def made(tiny_gemma: Path, tmp_path: Path, **options: Any) -> Plan:
    data = questions(tmp_path / "test.jsonl")
    base = {"model": f"hf/{tiny_gemma}", "dataset": f"jsonl:{data}", "out": str(tmp_path / "runs")}
    return plan(make_config({**base, "max_new_tokens": 4, "metrics": ["exact"], **options}))


def test_only_what_is_used_is_in_the_identity(tiny_gemma: Path, tmp_path: Path) -> None:
    plain = made(tiny_gemma, tmp_path)
    assert plain.manifest.identity["prompt"].keys() == {"name", "hash", "schema"}
    assert made(tiny_gemma, tmp_path, schema_rows=7, shots_by="similar").manifest.run_id == plain.manifest.run_id
    train = f"jsonl:{questions(tmp_path / 'train.jsonl', 5, 'T')}"
    variants = [
        made(tiny_gemma, tmp_path, schema="rows"),
        made(tiny_gemma, tmp_path, schema="rows", schema_rows=1),
        made(tiny_gemma, tmp_path, schema_tokens=2000),
        made(tiny_gemma, tmp_path, schema_tokens=2001),
        *(made(tiny_gemma, tmp_path, shots=k, shots_from=train, shots_by=by) for k in (1, 2) for by in
          ("fixed", "similar")),
        made(tiny_gemma, tmp_path, shots=2, shots_from=train, seed=5),
    ]  # fmt: skip
    assert len({one.manifest.run_id for one in [plain, *variants]}) == len(variants) + 1
    assert prompt_of(plain.manifest) is not None
    assert [prompt_of(one.manifest) for one in variants] == [None] * len(variants), "they cannot be rendered again"


def test_the_models_own_tokenizer_counts(tiny_gemma: Path, tmp_path: Path) -> None:
    found = made(tiny_gemma, tmp_path, schema="full", schema_tokens=80)
    assert found.manifest.identity["prompt"]["schema_tokens"] == {"most": 80, "counted_by": "model", "order": 1}
    first = found.asked.shown[0]
    text = "CREATE TABLE item (id INT, name TEXT);\nINSERT INTO item VALUES (1, 'pen');"
    assert first.steps == ("2 rows a table", "1 row a table")
    assert first.schema_tokens == len(text) + 1, "a token a character, and one that begins the text"
    assert text in found.prompts[0].messages[0].content
    gold = made(tiny_gemma, tmp_path, model="gold", schema_tokens=80)
    assert gold.manifest.identity["prompt"] is None
    assert f"counted by {ESTIMATE}" in gold.asked.notes[0]


def test_what_does_not_fit_is_an_error_and_the_rest_is_asked(tiny_gemma: Path, tmp_path: Path) -> None:
    ready = made(tiny_gemma, tmp_path, schema_tokens=80)
    folder = execute(ready, lambda *_: None)
    manifest = folder.manifest()
    assert manifest.counts == {
        "examples": 4, "generations": 4, "errors": 1, "schemas_pruned": 0, "schemas_too_long": 1,
    }  # fmt: skip
    assert not manifest.complete
    wide = next(one.id for one in ready.dataset.examples if "wide" in one.question)
    failed = {one.example_id: one.error for one in folder.generations() if one.error is not None}
    assert failed.keys() == {wide}
    error = failed[wide]
    assert error is not None
    assert (error.type, error.retryable) == ("SchemaTooLong", False)
    assert {score.example_id: score.status for score in folder.scores()}[wide] == "error"
    shown = [json.loads(line) for line in (folder.path / "prompts.jsonl").read_text().splitlines()]
    assert [one["fits"] for one in shown] == [True, True, True, False]
    assert shown[3]["steps"] == ["compact"]
    assert "1 do not fit and are errors" in (folder.path / "run.log").read_text()
    before = (folder.path / "generations.jsonl").read_bytes()
    execute(made(tiny_gemma, tmp_path, schema_tokens=80), lambda *_: None)
    assert (folder.path / "generations.jsonl").read_bytes() == before, "nothing is asked or refused again"


def test_shortened_schemas_are_counted(tiny_gemma: Path, tmp_path: Path) -> None:
    ready = made(tiny_gemma, tmp_path, schema="full", schema_tokens=60)
    assert ready.asked.counts == {"schemas_pruned": 3, "schemas_too_long": 1}
    assert "3 with no rows" in ready.asked.notes[0]
    asked = ready.prompts[0].messages[-1].content
    assert "CREATE TABLE item" in asked
    assert "INSERT" not in asked


def test_nothing_fits_is_said_before_any_work(tiny_gemma: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"no schema of .* fits into 1 tokens"):
        made(tiny_gemma, tmp_path, schema_tokens=1)


def test_shots_come_from_a_train_split_only(tmp_path: Path) -> None:
    data = questions(tmp_path / "test.jsonl")
    base = {"model": "gold", "dataset": f"jsonl:{data}", "shots": 1}
    with pytest.raises(UsageError, match="from a train split only") as caught:
        plan(make_config(base))
    assert "--shots-from" in caught.value.hint
    with pytest.raises(UsageError, match="from a train split only"):
        plan(make_config({**base, "limit": 1}))
    found = plan(make_config({"model": "gold", "dataset": "builtin", "shots": 2, "shots_by": "similar", "limit": 4}))
    assert [len(prompt.messages) for prompt in found.prompts] == [5] * 4
    assert found.asked.notes == ("2 similar examples before each question, from builtin/train",)
    assert all(len(one.shots) == 2 for one in found.asked.shown)


def test_the_dry_run_shows_shots_and_budget() -> None:
    options = ["--shots", "1", "--shots-by", "similar", "--schema", "rows", "--schema-tokens", "90", "--limit", "5"]
    done = CliRunner().invoke(cli, ["run", "--model", "gold", "--dataset", "builtin", *options, "--dry-run"])
    assert done.exit_code == 0, done.output
    assert "1 similar examples before each question, from builtin/train" in done.output
    assert "schemas in at most 90 tokens (counted by estimate-1), 5 items: " in done.output
    assert "[assistant]\n```sql" in done.output


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"shots_by": "similr"}, "'similar'"),
        ({"shots": -1}, "'shots' must not be negative"),
        ({"schema_rows": 0}, "'schema_rows' must be at least 1"),
        ({"schema_tokens": 0}, "'schema_tokens' must be at least 1"),
        ({"schema": "row"}, "'rows'"),
    ],
)
def test_settings_that_make_no_sense_are_named(options: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        make_config({"model": "gold", "dataset": "builtin", **options})
