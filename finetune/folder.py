"""The folder of an adapter: its manifest, the PEFT files, the log of the training, and the last checkpoints.

    adapters/<id>/  manifest.json  adapter_config.json  adapter_model.safetensors  log.jsonl  contamination.jsonl
                    checkpoints/
Promises: a folder is `complete` only when the adapter is whole; a checkpoint that a kill tore is not gone on from.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from benchmark import provenance
from benchmark.contamination.keep import FILE as CONTAMINATION
from benchmark.errors import RunConflict, UsageError
from benchmark.files import line_of
from benchmark.overlap import Overlap
from benchmark.store import append_lines, difference, held, plain, write_atomically

SCHEMA_VERSION = 1
PEFT_FILES = ("adapter_config.json", "adapter_model.safetensors")


class AdapterFolder:
    """One training on disk."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.checkpoints = path / "checkpoints"

    @property
    def manifest_path(self) -> Path:
        return self.path / "manifest.json"

    def manifest(self) -> dict[str, Any]:
        """The manifest. Raises UsageError where there is none that can be read."""
        try:
            found: dict[str, Any] = json.loads(self.manifest_path.read_bytes())
        except (OSError, ValueError) as error:
            raise UsageError(
                f"{self.path} holds no adapter made by sqlgauge: {error}", "Make one with 'sqlgauge finetune'."
            ) from None
        return found

    def complete(self) -> bool:
        """Whether the training has ended and the adapter is there."""
        return self.manifest_path.exists() and bool(self.manifest()["complete"])

    def writing(self) -> AbstractContextManager[None]:
        """Hold the folder. Raises RunConflict when another training holds it."""
        return held(self.path)

    def claim(self, identity: Mapping[str, Any]) -> None:
        """Start a training here, or go on with the same one. Raises RunConflict."""
        if not self.manifest_path.exists():
            self._write(identity, complete=False)
            return
        changes = difference(self.manifest()["identity"], plain(identity))
        if changes:
            listed = "\n  ".join(changes)
            raise RunConflict(f"{self.path} holds another training:\n  {listed}", "Choose another --name or --out.")

    def last_checkpoint(self) -> str | None:
        """The newest whole checkpoint, or None; newer ones that a kill tore are removed."""
        found = sorted(self.checkpoints.glob("checkpoint-*"), key=lambda path: int(path.name.rpartition("-")[2]))
        while found:
            newest = found.pop()
            if _is_whole(newest):
                return str(newest)
            shutil.rmtree(newest)
        return None

    def log(self, record: Mapping[str, Any]) -> None:
        """Add a line to log.jsonl: step, loss and so on."""
        append_lines(self.path / "log.jsonl", [dict(record)])

    def write_overlaps(self, overlaps: Iterable[Overlap]) -> None:
        """Keep what each test item has in common with the training rows, for the runs of this adapter."""
        found = list(overlaps)
        if found:
            write_atomically(self.path / CONTAMINATION, b"".join(map(line_of, found)))

    def finish(self, model: Any, outcome: Mapping[str, Any]) -> None:
        """Save the adapter, drop the checkpoints, and say that it is complete."""
        part = self.path / ".adapter.part"
        model.save_pretrained(part, safe_serialization=True)
        for name in PEFT_FILES:
            (part / name).replace(self.path / name)
        shutil.rmtree(part)
        self._write(self.manifest()["identity"], complete=True, **outcome)
        shutil.rmtree(self.checkpoints, ignore_errors=True)

    def _write(self, identity: Mapping[str, Any], **more: Any) -> None:
        content = {
            "schema_version": SCHEMA_VERSION,
            "identity": identity,
            "provenance": provenance.collect(),
            **more,
        }
        write_atomically(self.manifest_path, json.dumps(plain(content), indent=2, sort_keys=True).encode() + b"\n")


def _is_whole(checkpoint: Path) -> bool:
    """The trainer writes its state last."""
    try:
        json.loads((checkpoint / "trainer_state.json").read_bytes())
    except (OSError, ValueError):
        return False
    return (checkpoint / PEFT_FILES[1]).is_file()
