"""docs/datasets.md tells the truth: its commands run."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import duckdb
import pytest
from click.testing import CliRunner

from benchmark.datasets.base import REGISTRY
from benchmark.datasets.gretel import REVISION, SPLITS
from benchmark.datasets.table import COLUMNS
from benchmark.rendering import SCHEMAS
from sqlgauge.cli import cli

TEXT = Path(__file__).parents[2].joinpath("docs", "datasets.md").read_text(encoding="utf-8")
COMMANDS = [
    shlex.split(line)[1:]
    for block in re.findall(r"```sh\n(.*?)```", TEXT, re.DOTALL)
    for line in block.replace("\\\n", " ").splitlines()
    if line.startswith("sqlgauge ")
]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with the files that the commands name, but for defog's."""
    row = {
        "ask": "How many?",
        "right": "SELECT COUNT(*) FROM t",
        "ddl": "CREATE TABLE t (a INT); INSERT INTO t VALUES (3)",
    }
    (tmp_path / "questions.jsonl").write_text(json.dumps(row))
    duckdb.read_json(str(tmp_path / "questions.jsonl")).write_csv(str(tmp_path / "questions.csv"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("command", [one for one in COMMANDS if "defog" not in " ".join(one)], ids=" ".join)
def test_commands_run(folder: Path, command: list[str]) -> None:
    done = CliRunner().invoke(cli, command)
    assert done.exit_code == 0, done.output


def test_the_command_for_defog_runs(folder: Path, data_folder: Path) -> None:
    (folder / "defog").symlink_to(data_folder / "defog")
    (command,) = [one for one in COMMANDS if "defog" in " ".join(one)]
    done = CliRunner().invoke(cli, [*command, "--limit", "20", "--quiet"])
    assert done.exit_code == 0, done.output
    assert "20 of 20 items are healthy" in done.output


def test_every_name_is_documented() -> None:
    assert len(COMMANDS) == 4
    named = set(re.findall(r"`([a-z_]+)(?=[`:@.,])", TEXT))
    assert set(REGISTRY) | set(COLUMNS) | set(SCHEMAS) <= named
    assert REVISION in TEXT
    assert f"{SPLITS['test']:,} rows" in TEXT
