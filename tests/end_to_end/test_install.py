"""The wheel in an empty environment: it holds everything, and the core scores without torch."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
IMPORT_ALL = """
import importlib, json, pkgutil, sys
import benchmark, finetune, judges, reports, sqlgauge
names = []
for package in (benchmark, finetune, judges, reports, sqlgauge):
    names.append(package.__name__)
    for module in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
            names.append(module.name)
print(json.dumps({"names": names, "heavy": sorted({"torch", "transformers"} & sys.modules.keys())}))
"""


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Python with nothing but the wheel and its core dependencies."""
    folder = tmp_path_factory.mktemp("install")
    built = ["--no-deps", "--no-build-isolation", "--wheel-dir", str(folder), str(ROOT)]
    command([sys.executable, "-m", "pip", "wheel", "--quiet", *built], folder)
    (wheel,) = folder.glob("sqlgauge-*.whl")
    command([sys.executable, "-m", "venv", str(folder / "venv")], folder)
    found = folder / "venv" / "bin" / "python"
    for what in (["-r", str(ROOT / "requirements" / "core.txt")], [str(wheel)]):
        command([str(found), "-m", "pip", "install", "--quiet", "--no-deps", *what], folder)
    command([str(found), "-m", "pip", "check"], folder)
    return found


def command(arguments: list[str], folder: Path) -> str:
    done = subprocess.run(arguments, cwd=folder, capture_output=True, text=True, timeout=500)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_everything_imports_without_torch(python: Path, tmp_path: Path) -> None:
    found = json.loads(command([str(python), "-c", IMPORT_ALL], tmp_path))
    assert {"benchmark.runner", "judges.panel", "reports.html", "sqlgauge.cli"} <= set(found["names"])
    assert found["heavy"] == []


def test_the_core_runs_scores_and_reports(python: Path, tmp_path: Path) -> None:
    sqlgauge = str(python.with_name("sqlgauge"))
    shown = command([sqlgauge, "run", "--model", "gold", "--dataset", "builtin", "--json"], tmp_path)
    assert json.loads(shown)[0]["metrics"]["execution"]["value"] == 1.0
    command([sqlgauge, "score", "runs"], tmp_path)
    command([sqlgauge, "report", "runs", "--out", "site"], tmp_path)
    assert (tmp_path / "site" / "style.css").is_file()


def test_a_local_model_says_what_to_install(python: Path, tmp_path: Path) -> None:
    sqlgauge = str(python.with_name("sqlgauge"))
    arguments = [sqlgauge, "run", "--model", "hf/google/gemma-2-2b-it", "--dataset", "builtin"]
    done = subprocess.run(arguments, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 2
    assert "pip install 'sqlgauge[hf]'" in done.stderr
