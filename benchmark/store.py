"""The run folder: an atomic manifest and append-only JSON lines, one file a stage.

Promises: a kill at any moment loses at most the batch being written (a torn last line is cut off); two writers on one
run are refused; a folder that holds another configuration is refused with the difference.
Does not: know what the records mean.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from benchmark.errors import RunConflict, UsageError
from benchmark.files import append_lines as append_lines
from benchmark.files import clear_parts, cut_torn_line, line_of, naming, write_whole
from benchmark.files import held as held
from benchmark.files import replacing as replacing
from benchmark.files import write_atomically as write_atomically
from benchmark.health import Health
from benchmark.overlap import Overlap
from benchmark.types import SCHEMA_VERSION, Example, Generation, RunManifest, Score, Verdict

RecordT = TypeVar("RecordT")


class _Versioned(msgspec.Struct):
    """The part of a manifest that says whether the rest can be read."""

    schema_version: int = SCHEMA_VERSION
    provenance: dict[str, Any] = {}


class RunFolder:
    """One run on disk. Reading needs no lock; writing happens inside `writing()`."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def manifest_path(self) -> Path:
        return self.path / "manifest.json"

    def manifest(self) -> RunManifest:
        """The manifest. Raises UsageError where there is none, or one of another schema version."""
        try:
            body = self.manifest_path.read_bytes()
            self._check_version(msgspec.json.decode(body, type=_Versioned))
            return msgspec.json.decode(body, type=RunManifest)
        except (FileNotFoundError, NotADirectoryError):
            raise UsageError(
                f"{self.path} is not a run folder: it has no manifest.json",
                "Make one with 'sqlgauge run --model M --dataset D'.",
            ) from None
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise UsageError(f"{self.manifest_path} is damaged: {error}", "Run again into another --out.") from None

    def _check_version(self, found: _Versioned) -> None:
        """Raises UsageError for a run of another schema version, whatever else its manifest says."""
        if found.schema_version == SCHEMA_VERSION:
            return
        versions = found.provenance.get("versions")
        wrote = versions.get("sqlgauge") if isinstance(versions, Mapping) else None
        install = f"'pip install sqlgauge=={wrote}'" if isinstance(wrote, str) else "the sqlgauge that wrote it"
        older = found.schema_version < SCHEMA_VERSION
        raise UsageError(
            f"{self.path} has schema version {found.schema_version}; this sqlgauge reads {SCHEMA_VERSION}",
            f"Read it with {install}, or make it anew with 'sqlgauge run' into another --out."
            if older
            else f"A newer sqlgauge wrote it: read it with {install}, or 'pip install --upgrade sqlgauge'.",
        )

    def write_manifest(self, manifest: RunManifest) -> None:
        """Replace the manifest in one step."""
        body = msgspec.json.format(msgspec.json.encode(manifest, order="sorted"), indent=2)
        write_atomically(self.manifest_path, body + b"\n")

    def examples(self) -> list[Example]:
        """The examples of the run, in their order: what a report shows and a re-scoring runs against."""
        return list(self.iter_examples())

    def write_examples(self, examples: Iterable[Example]) -> None:
        """Keep the examples with the run, so that it can be scored and read without its dataset."""
        body = b"".join(msgspec.json.encode(example) + b"\n" for example in examples)
        write_atomically(self.path / "examples.jsonl", body)

    def generations(self) -> list[Generation]:
        return latest(self._read("generations.jsonl", Generation), lambda g: (g.example_id, g.sample))

    def scores(self) -> list[Score]:
        return list(self.iter_scores())

    def iter_scores(self) -> Iterator[Score]:
        """The scores one at a time: the file is written whole, so none stands in it twice.

        Raises UsageError for one outside [0, 1], of which no figure can be made.
        """
        for score in self._read("scores.jsonl", Score):
            if score.value is not None and not 0 <= score.value <= 1:
                raise UsageError(
                    f"{self.path / 'scores.jsonl'}: {score.metric} of example {score.example_id} is {score.value:g}, "
                    "outside 0 to 1",
                    f"'sqlgauge score {self.path}' makes the scores anew.",
                )
            yield score

    def external(self) -> list[Score]:
        """Verdicts that came with imported predictions: scores that no re-scoring can make anew."""
        return list(self._read("external.jsonl", Score))

    def write_external(self, records: Iterable[Score]) -> None:
        """Keep them with the run, so that every scoring can carry them over into the scores."""
        write_atomically(self.path / "external.jsonl", b"".join(map(line_of, records)))

    def health(self) -> dict[str, Health]:
        """How sound each item is, by id; empty for a run that was scored before this was written down."""
        return {one.example_id: one for one in self._read("health.jsonl", Health)}

    def write_health(self, records: Iterable[Health]) -> None:
        """Keep it with the run, so that a report can leave out what tells nothing."""
        with self.new_health() as write:
            write(records)

    def new_health(self) -> AbstractContextManager[Callable[[Iterable[Health]], None]]:
        """A function that adds health records to a new file, which takes the old one's place in the end."""
        return self._replacing("health.jsonl")

    def contamination(self) -> dict[str, Overlap]:
        """What each item has in common with what the model was trained on, by id; empty where that is not known."""
        return {one.example_id: one for one in self._read("contamination.jsonl", Overlap)}

    def write_contamination(self, records: Iterable[Overlap]) -> None:
        """Keep it with the run, so that a report can show the score on the clean part."""
        write_atomically(self.path / "contamination.jsonl", b"".join(map(line_of, records)))

    def adapter(self) -> dict[str, Any] | None:
        """What the run's adapter said of itself: its `manifest` and the `log` of its training; None without one."""
        path = self.path / "adapter.json"
        try:
            return msgspec.json.decode(path.read_bytes(), type=dict[str, Any])
        except FileNotFoundError:
            return None
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise UsageError(f"{path}: {error}", "Delete it and run again; it is made anew.") from None

    def write_adapter(self, manifest: Mapping[str, Any], log: Iterable[Mapping[str, Any]]) -> None:
        """Keep what an adapter's folder says with the run, so that its card can be written without that folder."""
        body = msgspec.json.encode({"manifest": manifest, "log": list(log)}, order="sorted")
        write_atomically(self.path / "adapter.json", body + b"\n")

    def iter_examples(self) -> Iterator[Example]:
        """The examples one at a time, in their order."""
        return self._read("examples.jsonl", Example)

    def verdicts(self) -> list[Verdict]:
        """One verdict a judge and answer: what it said when first asked, gold and prediction in their places."""
        return [verdict for verdict in self.every_verdict() if verdict.repeat == 0 and not verdict.swapped]

    def every_verdict(self) -> list[Verdict]:
        """Those, and the ones of further askings (`repeat`) and of traded places (`swapped`)."""
        return latest(self.iter_verdicts(), lambda v: (v.example_id, v.sample, v.judge, v.repeat, v.swapped))

    def iter_verdicts(self) -> Iterator[Verdict]:
        """All lines, in their order: failures that were asked again and verdicts under former rubrics as well."""
        return self._read("verdicts.jsonl", Verdict)

    def append_generations(self, records: Iterable[Generation]) -> None:
        append_lines(self.path / "generations.jsonl", records)

    def log(self, event: str) -> None:
        """Add a line to run.log, with the time in UTC: for people, never read back."""
        with (self.path / "run.log").open("a", encoding="utf-8") as handle:
            handle.write(f"{datetime.now(UTC).isoformat(timespec='seconds')} {event}\n")

    def append_verdicts(self, records: Iterable[Verdict]) -> None:
        append_lines(self.path / "verdicts.jsonl", records)

    @contextmanager
    def verdict_sink(self) -> Iterator[Callable[[Verdict], None]]:
        """A function that appends a verdict at once: a killed process loses none, a power cut those of the last second.

        For use inside `writing()`.
        """
        with (self.path / "verdicts.jsonl").open("ab", buffering=0) as handle:
            synced = time.monotonic()

            def append(verdict: Verdict) -> None:
                nonlocal synced
                with naming(self.path / "verdicts.jsonl"):
                    write_whole(handle, line_of(verdict))
                    if time.monotonic() - synced > 1:
                        os.fsync(handle.fileno())
                        synced = time.monotonic()

            try:
                yield append
            finally:
                os.fsync(handle.fileno())

    def replace_scores(self, records: Iterable[Score]) -> None:
        """Write all scores in one step: scoring is quick, so it is never resumed half-way."""
        with self.new_scores() as write:
            write(records)

    def new_scores(self) -> AbstractContextManager[Callable[[Iterable[Score]], None]]:
        """A function that adds scores to a new file, which takes the old one's place when the block ends well."""
        return self._replacing("scores.jsonl")

    @contextmanager
    def _replacing(self, name: str) -> Iterator[Callable[[Iterable[object]], None]]:
        with replacing(self.path / name) as handle:
            yield lambda records: handle.writelines(map(line_of, records))

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Hold the run's lock, with what a kill tore cleared away. Raises RunConflict when somebody else holds it."""
        with held(self.path):
            clear_parts(self.path)
            for name in ("generations.jsonl", "verdicts.jsonl"):
                cut_torn_line(self.path / name)
            yield

    def claim(self, manifest: RunManifest) -> RunManifest:
        """Start the run, or go on with it: the manifest on disk if it has the same identity. Raises RunConflict."""
        if not self.manifest_path.exists():
            self.write_manifest(manifest)
            return manifest
        found = self.manifest()
        changes = difference(plain(found.identity), plain(manifest.identity))
        if changes:
            scored = all(change.startswith(("policy:", "scoring")) for change in changes)
            again = f" 'sqlgauge score {self.path}' brings its scores up to date." if scored else ""
            raise RunConflict(
                f"{self.path} holds a run of another configuration:\n  " + "\n  ".join(changes),
                f"Choose another --name or --out, or restore the configuration.{again}",
            )
        return found

    def _read(self, name: str, kind: type[RecordT]) -> Iterator[RecordT]:
        decoder = msgspec.json.Decoder(kind)
        path = self.path / name
        if not path.exists():
            return
        with path.open("rb") as lines:
            for number, line in enumerate(lines, 1):
                if not line.endswith(b"\n"):
                    return  # a line that is still being written, or was torn
                try:
                    yield decoder.decode(line)
                except (msgspec.DecodeError, UnicodeDecodeError) as error:
                    raise UsageError(
                        f"{path}, line {number}: {error}", "Delete that line and run again; it is made anew."
                    ) from None


def latest(records: Iterable[RecordT], key: Any) -> list[RecordT]:
    """The last record of each key (a retried failure is appended again), in order of first appearance."""
    found: dict[Hashable, RecordT] = {}
    for record in records:
        found[key(record)] = record
    return list(found.values())


def plain(value: Any) -> Any:
    """A value as it reads back from JSON."""
    return msgspec.json.decode(msgspec.json.encode(value))


def difference(old: Mapping[str, Any], new: Mapping[str, Any], prefix: str = "") -> list[str]:
    """Human-readable lines, one for each key in which two nested mappings differ."""
    lines = []
    for key in sorted(old.keys() | new.keys()):
        before, after = old.get(key), new.get(key)
        if isinstance(before, Mapping) and isinstance(after, Mapping):
            lines += difference(before, after, f"{prefix}{key}.")
        elif before != after:
            lines.append(f"{prefix}{key}: {before!r} there, {after!r} now")
    return lines


def find_runs(paths: Iterable[Path]) -> list[RunFolder]:
    """The run folders named, or lying directly in the folders named. Raises UsageError where there is none."""
    runs: list[RunFolder] = []
    for path in paths:
        if (path / "manifest.json").exists():
            runs.append(RunFolder(path))
            continue
        inside = sorted(child.parent for child in path.glob("*/manifest.json"))
        if not inside:
            raise UsageError(f"no run folder at {path}", "Make one with 'sqlgauge run --model M --dataset D'.")
        runs += map(RunFolder, inside)
    return runs
