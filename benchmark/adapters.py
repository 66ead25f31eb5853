"""What an adapter's own folder says of it, kept with each run of that adapter: recipe, data, outcome, losses."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from benchmark.store import RunFolder

MANIFEST, LOG = "manifest.json", "log.jsonl"


def keep(run: RunFolder, spec: str) -> bool:
    """Copy what the adapter of a model ('hf/ID+FOLDER') says of itself into a run; False where it says nothing."""
    _, plus, folder = spec.partition("+")
    said = read(Path(folder).expanduser()) if plus else None
    if said is None:
        return False
    run.write_adapter(*said)
    return True


def read(folder: Path) -> tuple[dict[str, Any], list[dict[str, Any]]] | None:
    """An adapter's manifest and the lines of its log; None where there is no manifest that can be read."""
    try:
        manifest = msgspec.json.decode((folder / MANIFEST).read_bytes(), type=dict[str, Any])
    except (OSError, msgspec.DecodeError, UnicodeDecodeError):
        return None
    lines = (folder / LOG).read_bytes().splitlines() if (folder / LOG).is_file() else []
    return manifest, [found for line in lines if (found := _line(line)) is not None]


def _line(line: bytes) -> dict[str, Any] | None:
    """A line of a log; None for one that was torn."""
    try:
        return msgspec.json.decode(line, type=dict[str, Any])
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
