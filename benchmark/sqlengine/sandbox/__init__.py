"""The only package that opens a database for untrusted SQL; it runs inside a worker process (`worker.py`).

Promises: a new engine is one file and one line of `ENGINES`; whoever asks for a dialect without an engine gets an
error, never another engine's answer.
Does not: survive a crash of an engine; that costs the worker process, which the pool replaces.
"""

from benchmark.sqlengine.sandbox.base import (
    ENGINES,
    Engine,
    Executed,
    Guarded,
    Stopped,
    Workbench,
    engine_for,
)
from benchmark.sqlengine.sandbox.rows import Filling

__all__ = ["ENGINES", "Engine", "Executed", "Filling", "Guarded", "Stopped", "Workbench", "engine_for"]
