"""Starts the real command line in a process of its own, ends it at a chosen moment, and says when runs are identical.

"Identical" is that of the design: the lines of each file sorted by id, without `timing`, byte for byte; and no file
more or less. The log, which is for people, and the time at which a run was made are left out.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SCRIPTED = Path(__file__).with_name("scripted.py")
KEY = "sk-planted-in-the-harness-0123456789"
UNCOMPARED = {".lock", "run.log"}
BATCH = 4
Mark = Callable[[], bool]


@dataclass(frozen=True, slots=True)
class Place:
    """A folder of one trial: its runs, the record of what was generated, its own caches."""

    root: Path

    @property
    def record(self) -> Path:
        return self.root / "asked.txt"

    @property
    def run(self) -> Path:
        return self.root / "runs" / "r"

    def env(self, **more: str) -> dict[str, str]:
        clean = {name: value for name, value in os.environ.items() if not name.endswith("_API_KEY")}
        own = {"SQLGAUGE_COUNT": str(self.record), "SQLGAUGE_JUDGE_CACHE": str(self.root / "cache")}
        own |= {"XDG_CONFIG_HOME": str(self.root / "config"), "SQLGAUGE_LEASE": "0.5", "OPENAI_API_KEY": KEY}
        return {**clean, **own, **more}

    def start(self, *arguments: object, **env: str) -> subprocess.Popen[str]:
        """`sqlgauge ARGUMENTS…`, under way."""
        self.root.mkdir(parents=True, exist_ok=True)
        command = [sys.executable, str(SCRIPTED), *map(str, arguments)]
        return subprocess.Popen(
            command, cwd=self.root, env=self.env(**env), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )

    def finish(self, *arguments: object, check: int = 0, **env: str) -> str:
        """`sqlgauge ARGUMENTS…` to its end, with the exit code that is expected; what it said on standard error."""
        with self.start(*arguments, **env) as process:
            shown, said = process.communicate(timeout=120)
        assert process.returncode == check, shown + said
        return said


def run_arguments(pace: float, *more: object) -> list[object]:
    """A run of 24 items in 6 batches."""
    asked = ("--dataset", "builtin", "--limit", 24, "--name", "r", "--workers", 1)
    return ["run", "--model", f"counted/{pace}", *asked, *more]


def end_at(process: subprocess.Popen[str], mark: Mark, delay: float, number: int) -> tuple[bool, str]:
    """Send a signal `delay` s after the mark is seen. Whether it came before the end; what was said."""
    deadline = time.monotonic() + 60
    while not mark() and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.002)
    time.sleep(delay)
    alive = process.poll() is None
    process.send_signal(number)
    _, said = process.communicate(timeout=60)
    return alive, said


def lines(path: Path) -> list[bytes]:
    """A file of records: its lines without `timing`, sorted by their ids."""
    kept = []
    for line in path.read_bytes().splitlines():
        record: dict[str, Any] = json.loads(line)
        record.pop("timing", None)
        key = [str(record.get(name, "")) for name in ("example_id", "id", "sample", "metric", "judge", "repeat")]
        kept.append((key, json.dumps(record, ensure_ascii=False).encode()))
    return [line for _, line in sorted(kept)]


def content(folder: Path) -> dict[str, Any]:
    """What two equal run folders have in common: everything, by the file's name."""
    found: dict[str, Any] = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.name not in UNCOMPARED:
            found[str(path.relative_to(folder))] = _content(path)
    return found


def _content(path: Path) -> Any:
    if path.suffix == ".jsonl":
        return lines(path)
    if path.name == "manifest.json":
        manifest = json.loads(path.read_bytes())
        manifest["provenance"].pop("created")
        manifest["provenance"]["config"].pop("model")  # it holds the pace, which is no part of the identity
        return manifest
    return path.read_bytes()


def difference(one: Mapping[str, Any], other: Mapping[str, Any]) -> list[str]:
    """The names of the files that differ, for a message that can be read."""
    return sorted(name for name in one.keys() | other.keys() if one.get(name) != other.get(name))


def asked_twice(record: Path) -> set[str]:
    """The ids that were generated more often than once. Fails where one was three times."""
    counts = Counter(record.read_text().split())
    assert max(counts.values()) <= 2, counts
    return {key for key, times in counts.items() if times == 2}
