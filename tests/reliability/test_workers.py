"""What an SQL worker process has and has not, as the kernel sees it."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmark.sqlengine.pool import Pool
from benchmark.sqlengine.protocol import Database, Job, Limits


@pytest.fixture
def worker(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The /proc folder of a worker that has answered, started while a key was in the environment."""
    monkeypatch.setenv("OPENAI_API_KEY", "sk-planted-0123456789abcdef")
    with Pool(1) as pool:
        job = Job("1", "sqlite", "read", Database(), golds=["SELECT 1"], predictions=["SELECT 1"])
        (reply,) = pool.run([job])
        assert reply.predictions[0].status == "ok"
        (process,) = [one for one in Path("/proc").iterdir() if is_worker(one)]
        yield process


def is_worker(process: Path) -> bool:
    """Whether a process is a worker of this one."""
    try:
        parent = (process / "stat").read_text().rpartition(")")[2].split()[1]
        return (
            parent == str(Path("/proc/self").resolve().name)
            and b"sqlengine.worker" in (process / "cmdline").read_bytes()
        )
    except (OSError, IndexError):
        return False


def test_a_worker_has_no_environment_to_read_keys_from(worker: Path) -> None:
    assert (worker / "environ").read_bytes() == b""
    assert b"planted" not in (worker / "cmdline").read_bytes()


def test_a_worker_may_neither_write_a_file_nor_take_all_memory(worker: Path) -> None:
    limits = {line[:26].strip(): line[26:47].strip() for line in (worker / "limits").read_text().splitlines()}
    assert limits["Max file size"] == "0"
    assert limits["Max core file size"] == "0"
    assert int(limits["Max address space"]) == 4 * Limits().memory_bytes + (1 << 30)


def test_a_worker_ignores_ctrl_c_which_is_its_parents(worker: Path) -> None:
    os.kill(int(worker.name), signal.SIGINT)
    time.sleep(0.3)
    assert worker.exists()
