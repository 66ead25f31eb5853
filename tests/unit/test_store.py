"""The run folder: what a kill, a second writer, a damaged line or another configuration does to it."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from benchmark.errors import RunConflict, UsageError
from benchmark.files import clear_dead_parts, cut_torn_line, write_whole
from benchmark.store import RunFolder, difference, find_runs, write_atomically
from benchmark.types import Example, Failure, Generation, RunManifest, Score, Timing, Verdict

ROOT = Path(__file__).resolve().parents[2]


def manifest(**identity: object) -> RunManifest:
    return RunManifest(
        run_id="r",
        identity={"model": "gold", "decoding": {"temperature": 0.0, "max_new_tokens": 256}, **identity},
        provenance={"python": "3.11"},
    )


def generation(example_id: str, text: str = "SELECT 1", sample: int = 0) -> Generation:
    return Generation(example_id=example_id, text=text, finish_reason="stop", sample=sample)


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    folder = RunFolder(tmp_path / "runs" / "one")
    with folder.writing():
        folder.claim(manifest())
    return folder


def test_records_come_back_as_they_were(run: RunFolder) -> None:
    examples = [
        Example(id="1", question="q\n“é”", schema_sql="s", golds=("a", "b"), dialect="sqlite", group="g"),
        Example(
            id="0",
            question="q",
            schema_sql="s",
            golds=("a",),
            dialect="sqlite",
            group="g",
            task="write",
            tags={"t": "v"},
        ),
    ]
    failed = replace(generation("2", ""), finish_reason="error", error=Failure(type="X", message="m", retryable=True))
    generations = [replace(generation("1", "SELECT\n'é\u2028'"), timing=Timing(seconds=0.5), cost_usd=0.01), failed]
    scores = [
        Score(example_id="1", metric="m", value=1.0, status="ok", evidence={"rows": [[1, None, "x"]]}),
        Score(example_id="2", metric="m", value=None, status="error"),
    ]
    verdicts = [Verdict(example_id="1", judge="j", label="correct", reason="r", prompt_hash="h")]
    with run.writing():
        run.write_examples(examples)
        run.append_generations(generations)
        run.replace_scores(scores)
        run.append_verdicts(verdicts)
    assert run.examples() == examples
    assert run.generations() == generations
    assert run.scores() == scores
    assert run.verdicts() == verdicts


def test_every_line_says_its_schema_version(run: RunFolder) -> None:
    run.append_generations([generation("1")])
    run.append_verdicts([Verdict(example_id="1", judge="j", label=None, reason="", prompt_hash="h")])
    run.replace_scores([Score(example_id="1", metric="m", value=0.0, status="invalid")])
    for name in ("generations.jsonl", "verdicts.jsonl", "scores.jsonl", "manifest.json"):
        assert json.loads((run.path / name).read_text())["schema_version"] == 1


def test_an_empty_run_reads_as_nothing(run: RunFolder) -> None:
    run.append_generations([])
    assert (run.examples(), run.generations(), run.scores(), run.verdicts()) == ([], [], [], [])


def test_the_last_record_of_a_key_counts(run: RunFolder) -> None:
    run.append_generations([generation("1", "old"), generation("2"), generation("1", "other", sample=1)])
    run.append_generations([generation("1", "new")])
    found = [(one.example_id, one.sample, one.text) for one in run.generations()]
    assert found == [("1", 0, "new"), ("2", 0, "SELECT 1"), ("1", 1, "other")]


@pytest.mark.parametrize("cut", [1, 5, 40])
def test_a_torn_last_line_is_cut_and_written_anew(run: RunFolder, cut: int) -> None:
    run.append_generations([generation("1"), generation("2")])
    path = run.path / "generations.jsonl"
    path.write_bytes(path.read_bytes()[:-cut])
    assert [one.example_id for one in run.generations()] == ["1"]
    with run.writing():
        assert path.read_bytes().count(b"\n") == 1
        assert path.read_bytes().endswith(b"\n")
        run.append_generations([generation("3")])
    assert [one.example_id for one in run.generations()] == ["1", "3"]


def test_a_torn_only_line_leaves_an_empty_file(run: RunFolder) -> None:
    path = run.path / "verdicts.jsonl"
    path.write_bytes(b'{"example_id":')
    with run.writing():
        assert path.read_bytes() == b""
    assert run.verdicts() == []


@pytest.mark.parametrize("line", [b"{broken", b'{"example_id": 7}', b"[]", b"", b"\xff"])
def test_a_damaged_line_is_named_by_its_number(run: RunFolder, line: bytes) -> None:
    run.append_generations([generation("1")])
    path = run.path / "generations.jsonl"
    path.write_bytes(path.read_bytes() + line + b"\n" + path.read_bytes())
    with pytest.raises(UsageError, match=r"generations\.jsonl, line 2: ") as caught:
        run.generations()
    assert "Delete that line" in caught.value.hint


def test_half_a_character_does_not_end_a_run(run: RunFolder) -> None:
    """Some APIs cut an emoji in two; UTF-8 cannot hold the halves."""
    run.append_generations([generation("1", "SELECT '\ud83d é'"), generation("2")])
    run.replace_scores([Score(example_id="1", metric="m", value=0.0, status="ok", evidence={"sql": "\udc00"})])
    assert [one.text for one in run.generations()] == ["SELECT '? é'", "SELECT 1"]
    assert run.scores()[0].evidence == {"sql": "?"}


def test_a_second_writer_is_refused(run: RunFolder) -> None:
    with run.writing():
        with pytest.raises(RunConflict, match="another process"), RunFolder(run.path).writing():
            pass
        run.append_generations([generation("1")])
    with run.writing():
        assert len(run.generations()) == 1


HOLDER = """
import sys
from pathlib import Path
from typing import Any
from benchmark.store import RunFolder
with RunFolder(Path(sys.argv[1])).writing():
    print("held", flush=True)
    sys.stdin.read()
"""


def test_a_writer_in_another_process_is_refused_and_its_death_frees_the_run(run: RunFolder) -> None:
    command = [sys.executable, "-c", HOLDER, str(run.path)]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        try:
            assert holder.stdout.readline() == "held\n"
            with pytest.raises(RunConflict), run.writing():
                pass
        finally:
            holder.kill()
    with run.writing():
        pass


def test_the_lock_is_freed_after_an_error(run: RunFolder) -> None:
    with pytest.raises(ZeroDivisionError), run.writing():
        raise ZeroDivisionError
    with run.writing():
        pass


def test_claim_goes_on_with_the_same_identity(run: RunFolder) -> None:
    done = replace(run.manifest(), complete=True, counts={"examples": 3})
    run.write_manifest(done)
    again = replace(manifest(), provenance={"python": "3.12"})
    assert run.claim(again) == done
    assert run.manifest() == done


def test_claim_compares_what_json_keeps(run: RunFolder) -> None:
    run.write_manifest(manifest(seeds=(1, 2), limit=None))
    assert run.claim(manifest(seeds=[1, 2], limit=None)).identity["seeds"] == [1, 2]


def test_claim_refuses_another_identity_and_says_the_difference(run: RunFolder) -> None:
    before = run.manifest_path.read_bytes()
    other = manifest(model="hf/other", decoding={"temperature": 0.7, "max_new_tokens": 256}, adapter="a")
    with pytest.raises(RunConflict) as caught:
        run.claim(other)
    lines = str(caught.value).splitlines()[1:]
    assert [line.strip() for line in lines] == [
        "adapter: None there, 'a' now",
        "decoding.temperature: 0.0 there, 0.7 now",
        "model: 'gold' there, 'hf/other' now",
    ]
    assert caught.value.exit_code == 2
    assert run.manifest_path.read_bytes() == before


def test_difference() -> None:
    assert difference({"a": 1, "b": {"c": [1]}}, {"b": {"c": [1]}, "a": 1}) == []
    assert difference({"b": {"c": 1}}, {"b": 3}) == ["b: {'c': 1} there, 3 now"]


def test_a_manifest_is_never_seen_in_part(run: RunFolder) -> None:
    """A reader that never stops sees whole manifests only, and no part file stays behind."""
    stop, seen, broken = threading.Event(), set(), []

    def read() -> None:
        while not stop.is_set():
            try:
                seen.add(run.manifest().counts["n"])
            except (UsageError, KeyError) as error:
                broken.append(error)

    run.write_manifest(replace(manifest(), counts={"n": 0}))
    reader = threading.Thread(target=read)
    reader.start()
    for n in range(1, 100):
        run.write_manifest(replace(manifest(padding="x" * 20_000 * (n % 2)), counts={"n": n}))
    stop.set()
    reader.join()
    assert broken == []
    assert len(seen) > 1
    assert sorted(path.name for path in run.path.iterdir() if path.name != ".lock") == ["manifest.json"]


def test_a_failed_write_keeps_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "manifest.json"
    write_atomically(path, b"old")
    with pytest.raises(TypeError):
        write_atomically(path, "no bytes")  # type: ignore[arg-type]
    assert path.read_bytes() == b"old"


def test_equal_manifests_are_equal_bytes(tmp_path: Path) -> None:
    one, other = RunFolder(tmp_path), RunFolder(tmp_path / "other")
    other.path.mkdir()
    one.write_manifest(manifest(a=1, b=2))
    other.write_manifest(manifest(b=2, a=1))
    assert one.manifest_path.read_bytes() == other.manifest_path.read_bytes()
    assert one.manifest_path.read_bytes().endswith(b"\n")


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (None, "no manifest"),
        (b"{", "damaged"),
        (b"[]", "damaged"),
        (b'{"run_id": "r", "identity": {}, "provenance": {}, "schema_version": 99}', "schema version 99"),
    ],
)
def test_a_manifest_that_cannot_be_used(tmp_path: Path, body: bytes | None, message: str) -> None:
    if body is not None:
        (tmp_path / "manifest.json").write_bytes(body)
    with pytest.raises(UsageError, match=message) as caught:
        RunFolder(tmp_path).manifest()
    assert caught.value.hint


def test_find_runs(run: RunFolder, tmp_path: Path) -> None:
    second = RunFolder(run.path.with_name("two"))
    second.path.mkdir()
    second.write_manifest(manifest())
    assert [one.path for one in find_runs([run.path.parent])] == [run.path, second.path]
    assert [one.path for one in find_runs([second.path, run.path])] == [second.path, run.path]
    with pytest.raises(UsageError, match="no run folder"):
        find_runs([tmp_path / "nowhere"])


@pytest.mark.parametrize(
    ("body", "hint"),
    [
        (
            {"schema_version": 0, "provenance": {"versions": {"sqlgauge": "0.0.9"}}, "of": "another shape"},
            "Read it with 'pip install sqlgauge==0.0.9', or make it anew with 'sqlgauge run' into another --out.",
        ),
        (
            {"schema_version": 2, "provenance": {"versions": {"sqlgauge": "9.0"}}, "run_id": ["a", "list"]},
            "A newer sqlgauge wrote it: read it with 'pip install sqlgauge==9.0', or 'pip install --upgrade sqlgauge'.",
        ),
        (
            {"schema_version": 2, "provenance": {"versions": "gone"}},
            "A newer sqlgauge wrote it: read it with the sqlgauge that wrote it, or 'pip install --upgrade sqlgauge'.",
        ),
    ],
)
def test_a_run_of_another_schema_version_is_refused_with_the_command_that_helps(
    tmp_path: Path, body: dict[str, object], hint: str
) -> None:
    """Whatever else its manifest looks like: what a version means by it is not known to another."""
    (tmp_path / "manifest.json").write_text(json.dumps(body))
    with pytest.raises(
        UsageError, match=f"has schema version {body['schema_version']}; this sqlgauge reads 1"
    ) as caught:
        RunFolder(tmp_path).manifest()
    assert caught.value.hint == hint


@pytest.mark.parametrize("size", [10, 1 << 16, (1 << 16) + 1, 200_000])
def test_a_torn_line_of_any_length_is_cut(tmp_path: Path, size: int) -> None:
    path = tmp_path / "lines"
    path.write_bytes(b"whole\n" + b"x" * size)
    cut_torn_line(path)
    assert path.read_bytes() == b"whole\n"


def test_a_write_that_the_system_takes_in_parts_is_carried_on() -> None:
    class Reluctant(io.RawIOBase):
        def __init__(self) -> None:
            self.taken = b""

        def write(self, body: Any) -> int:
            self.taken += bytes(body)[:3]
            return min(3, len(bytes(body)))

    handle = Reluctant()
    write_whole(handle, b"one line\n")
    assert handle.taken == b"one line\n"


def test_a_failed_write_names_its_file(tmp_path: Path) -> None:
    link = tmp_path / "generations.jsonl"
    link.symlink_to("/dev/full")
    with pytest.raises(OSError, match="No space left") as caught:
        RunFolder(tmp_path).append_generations([generation("1")])
    assert caught.value.filename == str(link)


def test_parts_of_writers_that_have_gone_are_cleared_and_no_other_file(tmp_path: Path) -> None:
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    names = [
        f".page.html.{gone.pid}.part",
        f".page.html.{os.getpid()}.part",
        f".other.{gone.pid}.part",
        ".page.html.x.part",
    ]
    for name in names:
        (tmp_path / name).write_text("half")
    clear_dead_parts([tmp_path / "page.html", tmp_path / "page.css"])
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(names[1:])
