"""An adapter's card: the recipe, the data, what was found in both splits, and the curve of its loss.

Reads `adapter.json` of a run folder, where `sqlgauge run` keeps what the adapter's own folder said.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from benchmark.store import RunFolder
from reports.facts import as_text
from reports.figures import Adapter, Curve, Fact


def read_adapter(folder: RunFolder) -> Adapter | None:
    """The card of a run's adapter; None for a run without one, or with one that was made elsewhere."""
    kept = folder.adapter()
    if kept is None:
        return None
    manifest = kept["manifest"]
    identity, rest = manifest.get("identity") or {}, {key: manifest[key] for key in sorted(manifest) if key not in SAID}
    lines = {**identity, **rest}
    return Adapter(
        facts=tuple(Fact(label=name.replace("_", " "), value=as_text(value)) for name, value in lines.items()),
        steps=curve_of(kept["log"], "loss"),
        checked=curve_of(kept["log"], "eval_loss"),
    )


#: Parts of a manifest that a card leaves out or shows otherwise.
SAID = frozenset({"identity", "schema_version", "provenance", "complete"})


def curve_of(log: Iterable[Mapping[str, Any]], name: str) -> Curve:
    """(step, value) of one quantity, in the order of the log; a step that was gone over again counts once."""
    return tuple(
        sorted({int(line["step"]): float(line[name]) for line in log if name in line and "step" in line}.items())
    )
