"""What this machine can run: packages, a GPU, memory, keys by name, and the command that adds what is missing.

Promises: no key's value is read into a record or shown; nothing is downloaded, and no model is loaded.
"""

from __future__ import annotations

import os
import platform
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

State = Literal["ok", "missing", "note"]

#: Package -> what it is for, and the command that adds it.
PACKAGES = {
    "torch": ("local models", "pip install 'sqlgauge[hf]'"),
    "transformers": ("local models", "pip install 'sqlgauge[hf]'"),
    "peft": ("adapters", "pip install 'sqlgauge[hf]'"),
    "bitsandbytes": ("4-bit and 8-bit weights", "pip install 'sqlgauge[hf]'"),
    "datasets": ("gretel from the Hub", "pip install 'sqlgauge[hf]'"),
    "trl": ("fine-tuning", "pip install 'sqlgauge[finetune]'"),
    "vllm": ("vllm/ models", "pip install vllm, on a machine with a GPU that it supports"),
    "litellm": ("judges and models behind an API", "pip install sqlgauge"),
}
#: Environment variable -> whom it is for.
KEYS = {
    "OPENAI_API_KEY": "openai/ models and judges",
    "ANTHROPIC_API_KEY": "anthropic/ models and judges",
    "GEMINI_API_KEY": "gemini/ models and judges",
    "MISTRAL_API_KEY": "mistral/ models and judges",
    "GROQ_API_KEY": "groq/ models and judges",
    "OPENROUTER_API_KEY": "openrouter/ models and judges",
    "HF_TOKEN": "gated models on the Hub, such as google/gemma-2-2b-it",
}
GIB = 1 << 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One line: what was looked at, how it is, and what to do about it ('' for nothing)."""

    about: str
    state: State
    said: str
    remedy: str = ""


def examine() -> list[Finding]:
    """Everything, in the order to show it."""
    return [*_machine(), *_engines(), *map(_package, PACKAGES), *_gpu(), *_models(), *map(_key, KEYS)]


def _machine() -> Iterator[Finding]:
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    system = f"Python {platform.python_version()} on {sys.platform}-{platform.machine()}, {cores} cores"
    yield Finding(about="machine", state="ok", said=system)
    pages = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / GIB
    free = shutil.disk_usage(Path.home()).free / GIB
    yield Finding(about="memory", state="ok", said=f"{pages:.1f} GiB of memory, {free:.0f} GiB free on the home disk")
    if sys.platform != "linux":
        remedy = "Run sqlgauge on Linux, or in a container."
        yield Finding(about="sandbox", state="missing", said="limits on hostile SQL are Linux's own", remedy=remedy)


def _engines() -> Iterator[Finding]:
    import apsw

    yield Finding(about="sqlite", state="ok", said=f"SQLite {apsw.sqlite_lib_version()} through apsw")
    yield Finding(about="duckdb", state="ok", said=f"DuckDB {version('duckdb')}")


def _package(name: str) -> Finding:
    purpose, remedy = PACKAGES[name]
    try:
        return Finding(about=name, state="ok", said=f"{version(name)}, for {purpose}")
    except PackageNotFoundError:
        state: State = "note" if name == "vllm" else "missing"
        return Finding(about=name, state=state, said=f"not installed, for {purpose}", remedy=remedy)


def _gpu() -> Iterator[Finding]:
    if find_spec("torch") is None:
        return
    import torch

    if not torch.cuda.is_available():
        said = "no CUDA device: local models run on the CPU, a 2b model at some seconds an item"
        yield Finding(
            about="gpu", state="note", said=said, remedy="Use a machine with a GPU, or a model behind an API."
        )
        return
    for number in range(torch.cuda.device_count()):
        found = torch.cuda.get_device_properties(number)
        bf16 = "bf16" if torch.cuda.is_bf16_supported() else "fp16 only"
        said = f"{found.name}, {found.total_memory / GIB:.0f} GiB, {bf16}, CUDA {torch.version.cuda}"
        yield Finding(about=f"gpu {number}", state="ok", said=said)


def _models() -> Iterator[Finding]:
    from platformdirs import user_cache_path

    found = sorted(path.name for path in user_cache_path("sqlgauge").glob("smollm2-135m-v*"))
    if found:
        yield Finding(about="builtin/smollm2-135m", state="ok", said="its weights are in the cache")
    else:
        said = "its weights are fetched from the package index when it is used first (93 MB)"
        yield Finding(about="builtin/smollm2-135m", state="note", said=said)


def _key(name: str) -> Finding:
    if os.environ.get(name):
        return Finding(about=name, state="ok", said=f"is set, for {KEYS[name]}")
    return Finding(about=name, state="note", said=f"is not set, for {KEYS[name]}", remedy=f"export {name}=...")
