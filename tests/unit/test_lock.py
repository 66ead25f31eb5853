"""The lock files: what make and the README install is listed with its digests, and pip takes nothing else."""

from __future__ import annotations

import hashlib
import importlib.metadata
import os
import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).parents[2]
LOCKS = ROOT / "requirements"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
EXTRAS = PROJECT["project"]["optional-dependencies"]
BLOCK = re.compile(r"^([a-z0-9][\w.-]*)==([^\s;]+)(.*(?:\n    --hash.*)*)", re.MULTILINE)


def locked(*files: str) -> dict[str, tuple[Version, list[str]]]:
    """Version and digests by name."""
    text = "\n".join((LOCKS / f"{file}.txt").read_text() for file in files)
    return {
        name: (Version(v), re.findall(r"--hash=sha256:([0-9a-f]{64})\b", rest)) for name, v, rest in BLOCK.findall(text)
    }


@pytest.mark.parametrize(
    ("wanted", "files"),
    [
        ([*PROJECT["project"]["dependencies"], *PROJECT["build-system"]["requires"], "editables"], ["core"]),
        (EXTRAS["hf"], ["core", "hf", "torch"]),
        (EXTRAS["hf"], ["core", "hf", "torch-cpu"]),
        (EXTRAS["finetune"], ["core", "hf", "finetune"]),
        (EXTRAS["dev"], ["core", "hf", "finetune", "dev"]),
    ],
    ids=["core", "hf", "hf-cpu", "finetune", "dev"],
)
def test_every_requirement_is_locked_with_its_digests(wanted: list[str], files: list[str]) -> None:
    pins = locked(*files)
    requirements = [Requirement(text) for text in wanted if not text.startswith("sqlgauge[")]
    assert requirements
    for requirement in requirements:
        version, digests = pins[canonicalize_name(requirement.name)]
        assert requirement.specifier.contains(version), requirement
        assert digests, requirement


def test_every_line_is_a_pin_with_digests_and_names_no_address() -> None:
    allowed = re.compile(r"# .*|--require-hashes|--only-binary :all:|-r (core|hf|finetune)\.txt")
    files = sorted(LOCKS.glob("*.txt"))
    assert {path.stem for path in files} == {"core", "hf", "finetune", "dev", "torch", "torch-cpu", "uv"}
    seen: list[str] = []
    for path in files:
        text = path.read_text()
        assert "\n--require-hashes\n--only-binary :all:\n" in text
        assert not re.search(r"://|file:|@ |index|find-links", text)
        rest = BLOCK.sub("", text).splitlines()
        assert [line for line in rest if line and not allowed.fullmatch(line)] == []
        pins = locked(path.stem)
        assert [name for name, (_, digests) in pins.items() if not digests] == []
        seen += pins
    assert sorted(name for name in set(seen) if seen.count(name) > 1) == ["torch"]
    assert locked("torch")["torch"][0].public == locked("torch-cpu")["torch"][0].public


def test_what_is_installed_here_is_what_is_locked() -> None:
    pins = locked("core", "hf", "finetune", "dev", "torch")
    here = {canonicalize_name(one.name): Version(one.version) for one in importlib.metadata.distributions()}
    both = pins.keys() & here.keys()
    assert len(both) > 100
    assert {name: here[name] for name in both if here[name].public != pins[name][0].public} == {}


def test_every_documented_install_goes_by_the_lock() -> None:
    texts = [(ROOT / name).read_text() for name in ("Makefile", "README.md", "CONTRIBUTING.md", ".ci/run")]
    installs = re.findall(r"(?:\$\(PIP\)|pip\b[^\n`']*?) install( [^#`;>\n]+)", "\n".join(texts))
    assert len(installs) >= 10
    for arguments in installs:
        words = [word for word in arguments.split() if word not in ("--quiet", "--disable-pip-version-check", "2")]
        if words != ["--no-deps", "--no-build-isolation", "-e", "."]:
            assert words[:-1] == ["--no-deps", "-r"], arguments
            assert words[-1] in {f"requirements/{path.name}" for path in LOCKS.glob("*.txt")}
    assert not (ROOT / "constraints.txt").exists()


@pytest.fixture
def shelf(tmp_path: Path) -> Path:
    """A folder with one wheel, `lockbait` 1.0."""
    folder = tmp_path / "shelf"
    folder.mkdir()
    about = "lockbait-1.0.dist-info"
    with zipfile.ZipFile(folder / "lockbait-1.0-py3-none-any.whl", "w") as wheel:
        wheel.writestr("lockbait.py", "")
        wheel.writestr(f"{about}/METADATA", "Metadata-Version: 2.1\nName: lockbait\nVersion: 1.0\n")
        wheel.writestr(f"{about}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(f"{about}/RECORD", "")
    return folder


def install(shelf: Path, line: str) -> tuple[int, str, bool]:
    """Exit status and words of pip with a lock file that has the head of ours and one line; and whether it is there."""
    head = [one for one in (LOCKS / "core.txt").read_text().splitlines() if one.startswith("--")]
    lock = shelf.with_name("lock.txt")
    lock.write_text("\n".join([*head, line, ""]))
    target = shelf.with_name("target")
    env = {name: value for name, value in os.environ.items() if not name.startswith("PIP_")}
    options = ["--no-index", "--find-links", str(shelf), "--no-deps", "-r", str(lock), "--target", str(target)]
    done = subprocess.run(
        [sys.executable, "-m", "pip", "install", *options],
        env={**env, "PIP_CONFIG_FILE": os.devnull},
        capture_output=True,
        text=True,
        timeout=120,
    )
    return done.returncode, done.stdout + done.stderr, (target / "lockbait.py").exists()


def test_a_file_with_another_digest_is_not_installed(shelf: Path) -> None:
    (wheel,) = shelf.iterdir()
    right = f"lockbait==1.0 --hash=sha256:{hashlib.sha256(wheel.read_bytes()).hexdigest()}"
    with wheel.open("ab") as file:
        file.write(b"\0")  # still a zip that pip would take
    status, said, there = install(shelf, right)
    assert (status, there) == (1, False)
    assert "DO NOT MATCH THE HASHES" in said
    wheel.write_bytes(wheel.read_bytes()[:-1])
    status, said, there = install(shelf, right)
    assert (status, there) == (0, True), said


def test_a_package_without_a_digest_or_a_pin_is_not_installed(shelf: Path) -> None:
    (wheel,) = shelf.iterdir()
    digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
    for line in ("lockbait==1.0", f"lockbait>=1.0 --hash=sha256:{digest}"):
        status, said, there = install(shelf, line)
        assert (status, there) == (1, False)
        assert "require-hashes mode" in said


def test_nothing_is_built_from_source(shelf: Path) -> None:
    (wheel,) = shelf.iterdir()
    source = wheel.rename(shelf / "lockbait-1.0.zip")
    digest = hashlib.sha256(source.read_bytes()).hexdigest()
    status, said, there = install(shelf, f"lockbait==1.0 --hash=sha256:{digest}")
    assert (status, there) == (1, False)
    assert "No matching distribution" in said
