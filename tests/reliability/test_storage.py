"""Disks that are full or read-only, files that may not grow, second writers, torn lines, clocks that jump, new inputs.

Each ends with an error that says what to do, and the same command then goes on to what an undisturbed run gives.
"""

from __future__ import annotations

import json
import resource
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from judge_server import Answer, Call, JudgeServer, scripted_label, verdict
from reliability.harness import BATCH, Place, asked_twice, content, difference, end_at, run_arguments

PACE = 0.15


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> dict[str, object]:
    """What an undisturbed run gives."""
    place = Place(tmp_path_factory.mktemp("undisturbed"))
    place.finish(*run_arguments(0))
    return content(place.run)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 1 MB of its own."""
    folder = tmp_path / "disk"
    folder.mkdir()
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", folder], capture_output=True, text=True)
    if done.returncode != 0:
        pytest.skip(f"no file system can be mounted here: {done.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)


def fill(folder: Path) -> Path:
    """Leave no room on a disk; the file that takes it."""
    filler = folder / "filler"
    with filler.open("wb", buffering=0) as handle:
        try:
            while handle.write(b"x" * 65_536):
                pass
        except OSError:
            pass
    return filler


def failed(process: subprocess.Popen[str]) -> str:
    """What a process said that ended with an error in the environment."""
    _, said = process.communicate(timeout=60)
    assert process.returncode == 2, said
    assert "Traceback" not in said
    return said


def stored(place: Place) -> int:
    path = place.run / "generations.jsonl"
    return path.read_bytes().count(b"\n") if path.exists() else 0


def wait_for(process: subprocess.Popen[str], seen: Callable[[], bool]) -> None:
    while not seen():
        assert process.poll() is None
        time.sleep(0.005)


def test_a_disk_that_fills_up_while_generating(small_disk: Path, whole: dict[str, object]) -> None:
    place = Place(small_disk)
    process = place.start(*run_arguments(PACE))
    wait_for(process, lambda: stored(place) >= BATCH)
    filler = fill(small_disk)
    said = failed(process)
    assert "generations.jsonl: the disk is full" in said or "asked.txt" in said or "run.log" in said
    assert "Make room and run the same command again" in said
    assert stored(place) < 24
    filler.unlink()
    place.finish(*run_arguments(PACE))
    assert difference(content(place.run), whole) == []


def test_a_disk_that_is_full_from_the_start(small_disk: Path, whole: dict[str, object]) -> None:
    place = Place(small_disk)
    filler = fill(small_disk)
    assert "the disk is full" in failed(place.start(*run_arguments(0)))
    filler.unlink()
    place.finish(*run_arguments(0))
    assert difference(content(place.run), whole) == []


def test_a_disk_that_becomes_read_only(small_disk: Path, whole: dict[str, object]) -> None:
    place = Place(small_disk)
    end_at(place.start(*run_arguments(PACE)), lambda: stored(place) >= BATCH, 0.0, signal.SIGKILL)
    subprocess.run(["mount", "-o", "remount,ro", small_disk], check=True)
    said = failed(place.start(*run_arguments(PACE)))
    assert "it is read-only" in said
    assert "choose another folder with --out, and run the same command again" in said
    subprocess.run(["mount", "-o", "remount,rw", small_disk], check=True)
    place.finish(*run_arguments(PACE))
    assert difference(content(place.run), whole) == []


def test_a_read_only_run_can_be_read(small_disk: Path, tmp_path: Path) -> None:
    place, elsewhere = Place(small_disk), Place(tmp_path / "elsewhere")
    place.finish(*run_arguments(0))
    subprocess.run(["mount", "-o", "remount,ro", small_disk], check=True)
    elsewhere.finish("report", place.run, "--out", elsewhere.root / "site")
    elsewhere.finish("verify", place.run)
    elsewhere.finish("compare", place.run, place.run)
    assert "it is read-only" in elsewhere.finish("score", place.run, check=2)


@pytest.mark.parametrize("room", [0, 40])
@pytest.mark.parametrize("stage", ["generate", "score"])
def test_a_file_that_may_not_grow(tmp_path: Path, whole: dict[str, object], stage: str, room: int) -> None:
    """The limit of 'ulimit -f' tears a line in the middle where it leaves some room."""
    place = Place(tmp_path)
    process = place.start(*run_arguments(PACE))
    wait_for(process, lambda: stored(place) >= (24 if stage == "score" else BATCH))
    size = (place.run / "generations.jsonl").stat().st_size + room
    resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (size, size))
    said = failed(process)
    assert f"{'generations' if stage == 'generate' else 'scores'}.jsonl: the file may not grow" in said
    assert list(place.run.glob(".*.part")) == []
    place.finish(*run_arguments(PACE))
    assert difference(content(place.run), whole) == []
    assert len(asked_twice(place.record)) <= BATCH


def test_verdicts_that_do_not_fit(tmp_path: Path) -> None:
    """A verdict is written without a buffer, of which the system may take a part: what follows must not touch it."""

    def by_prompt(call: Call) -> Answer:
        return Answer(verdict(scripted_label(call.model, call.prompt)).text, delay=0.1)

    with JudgeServer(by_prompt) as server:
        asks = ("--judge", "openai/judge", "--judge-api-base", f"{server.url}/v1", "--yes")
        first, place = Place(tmp_path / "first"), Place(tmp_path / "second")
        first.finish(*run_arguments(0, *asks))
        process = place.start(*run_arguments(0, *asks))
        verdicts = place.run / "verdicts.jsonl"
        wait_for(process, lambda: verdicts.exists() and verdicts.stat().st_size > 0)
        size = verdicts.stat().st_size + 500
        resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (size, size))
        assert "verdicts.jsonl: the file may not grow" in failed(process)
        place.finish(*run_arguments(0, *asks))
    assert difference(content(place.run), content(first.run)) == []


def test_a_file_in_the_place_of_a_folder(tmp_path: Path) -> None:
    place = Place(tmp_path)
    (tmp_path / "file").write_text("")
    assert "a file is in the way" in place.finish(*run_arguments(0), "--out", tmp_path / "file", check=2)
    assert "no run folder at" in place.finish("verify", tmp_path / "file", check=2)
    said = place.finish(*run_arguments(0)[:-4], "--name", "n" * 300, check=2)
    assert "its name is too long" in said


def test_a_second_writer_is_refused_and_disturbs_nobody(tmp_path: Path, whole: dict[str, object]) -> None:
    place = Place(tmp_path)
    process = place.start(*run_arguments(PACE))
    wait_for(process, lambda: stored(place) >= BATCH)
    process.send_signal(signal.SIGSTOP)  # it does not end before the others have tried
    said = place.finish(*run_arguments(PACE), check=2)
    assert "another process is writing to" in said
    assert "Wait for it, or end it" in said
    assert "another process is writing to" in place.finish("score", place.run, check=2)
    process.send_signal(signal.SIGCONT)
    process.communicate(timeout=60)
    assert process.returncode == 0
    assert difference(content(place.run), whole) == []
    assert asked_twice(place.record) == set()


@pytest.mark.parametrize("name", ["generations.jsonl", "scores.jsonl"])
def test_a_torn_last_line_is_made_again(tmp_path: Path, whole: dict[str, object], name: str) -> None:
    place = Place(tmp_path)
    place.finish(*run_arguments(0))
    body = (place.run / name).read_bytes()
    (place.run / name).write_bytes(body[:-25])
    place.finish(*run_arguments(0))
    assert difference(content(place.run), whole) == []


def test_what_a_killed_writer_left_is_cleared_away(tmp_path: Path, whole: dict[str, object]) -> None:
    place = Place(tmp_path)
    place.finish(*run_arguments(0))
    (place.run / ".scores.jsonl.4711.part").write_bytes(b"half a sco")
    place.finish(*run_arguments(0))
    assert difference(content(place.run), whole) == []


def test_a_clock_that_jumps_by_months_changes_nothing(tmp_path: Path, whole: dict[str, object]) -> None:
    place = Place(tmp_path)
    process = place.start(*run_arguments(PACE), SQLGAUGE_JUMPS="1")
    end_at(process, lambda: stored(place) >= BATCH, 0.05, signal.SIGKILL)
    place.finish(*run_arguments(PACE), SQLGAUGE_JUMPS="1")
    assert difference(content(place.run), whole) == []


def test_a_claim_from_the_future_keeps_nobody_waiting(tmp_path: Path) -> None:
    """A process that asked while the clock was a year ahead, and was killed: its claims do not hold for a year."""
    from judges.ledger import Cache

    with pytest.MonkeyPatch.context() as patch:
        now = time.time
        patch.setattr(time, "time", lambda: now() + 3e7)
        assert Cache(tmp_path).claim("question")  # and it never ends
    assert Cache(tmp_path).claim("question")


def test_a_dataset_that_changed_under_a_run_is_refused_with_what_differs(tmp_path: Path) -> None:
    rows = tmp_path / "rows.jsonl"
    row = {"id": "1", "question": "q", "schema_sql": "CREATE TABLE t (a INT)", "gold": "SELECT a FROM t"}
    arguments = ["run", "--model", "gold", "--dataset", f"jsonl:{rows}", "--name", "r"]
    place = Place(tmp_path)
    rows.write_text(json.dumps(row) + "\n")
    place.finish(*arguments)
    before = content(place.run)
    rows.write_text(json.dumps({**row, "gold": "SELECT a + 1 FROM t"}) + "\n")
    said = place.finish(*arguments, check=2)
    assert "holds a run of another configuration" in said
    assert "dataset.fingerprint: " in said
    assert "Choose another --name or --out, or restore the configuration." in said
    assert content(place.run) == before
    rows.write_text(json.dumps(row) + "\n")
    place.finish(*arguments)
    assert content(place.run) == before


def test_a_configuration_that_changed_under_a_run_is_refused_with_what_differs(tmp_path: Path) -> None:
    place = Place(tmp_path)
    place.finish(*run_arguments(0))
    before = content(place.run)
    said = place.finish(*run_arguments(0, "--policy", "strict"), check=2)
    assert "policy: 'default' there, 'strict' now" in said
    assert "'sqlgauge score runs/r'" in said
    assert content(place.run) == before
