"""The README tells the truth: its commands run, and those that need a GPU or a key use options that exist."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


def commands() -> list[str]:
    lines = [line.partition("   ")[0].strip() for block in blocks("sh") for line in block.splitlines()]
    return [line for line in lines if line.startswith("sqlgauge ")]


def test_the_everyday_commands_run_as_they_stand(cli, tmp_path: Path) -> None:
    (block,) = [block for block in blocks("sh") if block.startswith("sqlgauge run --model builtin")]
    for line in block.splitlines()[1:]:  # the first one, with real weights, is test_embedded_model's
        cli(*shlex.split(line)[1:])
    assert (tmp_path / "site" / "index.html").is_file()


@pytest.mark.parametrize("line", commands())
def test_every_option_in_a_command_exists(cli, line: str) -> None:
    _, verb, *arguments = shlex.split(line)
    shown = cli(verb, "--help").stdout
    for argument in arguments:
        if argument.startswith("--"):
            assert argument in shown


def test_the_python_example_runs(tmp_path: Path) -> None:
    (example,) = blocks("python")
    subprocess.run([sys.executable, "-c", example], cwd=tmp_path, check=True, timeout=120)
    assert (tmp_path / "site" / "leaderboard.md").is_file()


def test_every_make_target_and_file_exists() -> None:
    makefile = (ROOT / "Makefile").read_text()
    for target in re.findall(r"make (\w+)", README):
        if target in ("demo", "test", "check"):
            assert f"\n{target}:" in makefile
    for path in re.findall(r"\]\(((?!http)[^)#]+)", README):
        assert (ROOT / path).exists(), path
