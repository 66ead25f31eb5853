"""Start-up: importing the core is quick and loads nothing heavy."""

from __future__ import annotations

import subprocess
import sys

HEAVY = ("torch", "transformers", "litellm", "duckdb", "datasets", "peft")


def seconds_and_modules(statement: str) -> tuple[float, set[str]]:
    """Seconds of the import in a fresh process, and the heavy modules that it loaded."""
    timed = f"import sys, time; t = time.perf_counter(); {statement}; print(time.perf_counter() - t, "
    script = timed + f"*[m for m in {HEAVY} if m in sys.modules])"
    shown = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout.split()
    return float(shown[0]), set(shown[1:])


def test_importing_the_core_is_quick() -> None:
    best = min(seconds_and_modules("import benchmark, benchmark.types, benchmark.store")[0] for _ in range(3))
    assert best < 0.15


def test_nothing_heavy_is_loaded_before_it_is_needed() -> None:
    for statement in (
        "import benchmark, benchmark.runner",
        "import sqlgauge",
        "import sqlgauge.cli",
        "import reports.html",
    ):
        assert seconds_and_modules(statement)[1] == set(), statement
