"""Overlap in folders: what an adapter's training wrote down, carried over to the runs of that adapter.

Promises: items are known by their question and golds, so a sample or a renumbered split gets what is known of them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import msgspec

from benchmark.contamination.texts import item_digest
from benchmark.overlap import Overlap
from benchmark.store import RunFolder

FILE = "contamination.jsonl"


def of_model(spec: str) -> list[Overlap]:
    """What the training of a model's adapter ('hf/ID+FOLDER') wrote down about a test split; empty without any."""
    _, plus, folder = spec.partition("+")
    return of_adapter(Path(folder).expanduser()) if plus else []


def of_adapter(folder: Path) -> list[Overlap]:
    """What a training wrote into its folder; empty where it wrote nothing that can be read."""
    decoder = msgspec.json.Decoder(Overlap)
    try:
        return [decoder.decode(line) for line in (folder / FILE).read_bytes().splitlines()]
    except (OSError, msgspec.DecodeError, UnicodeDecodeError):
        return []


def write_into(run: RunFolder, overlaps: Iterable[Overlap]) -> int:
    """Write what is known of a run's items into its folder, if anything is. How many of them are known."""
    known = {one.item: one for one in overlaps}
    items = [(example.id, known.get(item_digest(example))) for example in run.iter_examples()] if known else []
    found = [replace(overlap, example_id=example_id) for example_id, overlap in items if overlap is not None]
    if found:
        run.write_contamination(found)
    return len(found)
