"""How many texts and scores of the embedded model change with the batch size, in fp32 and in bf16.

    python tests/perf/invariance.py [--items 64] [--tokens 96]

Runs the first items of builtin one at a time and 32 at a time. Exit code 1 if a text differs in fp32.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from benchmark.store import RunFolder
from sqlgauge import verbs


def benchmarked(out: Path, dtype: str, batch: int, items: int, tokens: int) -> RunFolder:
    return verbs.run(
        model="builtin/smollm2-135m", dataset="builtin", schema="compact", limit=items, max_new_tokens=tokens,
        dtype=dtype, batch_size=batch, metrics=("execution",), out=str(out), name=f"{dtype}-{batch}",
    )  # fmt: skip


def differing(one: RunFolder, other: RunFolder) -> tuple[int, int]:
    """How many texts and how many execution scores differ between two runs."""
    texts = [{g.example_id: g.text for g in run.generations()} for run in (one, other)]
    values = [{s.example_id: s.value for s in run.scores()} for run in (one, other)]
    return tuple(sum(a[key] != b[key] for key in a) for a, b in (texts, values))  # type: ignore[return-value]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--items", type=int, default=64)
    parser.add_argument("--tokens", type=int, default=96)
    args = parser.parse_args()
    failed = False
    with tempfile.TemporaryDirectory(prefix="sqlgauge-perf-") as name:
        for dtype in ("float32", "bfloat16"):
            runs = [benchmarked(Path(name), dtype, batch, args.items, args.tokens) for batch in (1, 32)]
            texts, scores = differing(*runs)
            print(f"{dtype}: batch 1 against 32: {texts} of {args.items} texts differ, {scores} scores", flush=True)
            failed |= dtype == "float32" and texts > 0
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
