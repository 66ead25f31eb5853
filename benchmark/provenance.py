"""Provenance: where and with what a run was made. It never decides a run's identity.

Promises: no environment variable, user name, host name or key is recorded.
"""

from __future__ import annotations

import platform
import sys
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version

PACKAGES = (
    "sqlgauge",
    "apsw",
    "duckdb",
    "sqlglot",
    "litellm",
    "torch",
    "transformers",
    "peft",
    "trl",
    "bitsandbytes",
    "accelerate",
    "datasets",
    "vllm",
)


def versions() -> dict[str, str]:
    """The installed version of each package that can change a result."""
    found = {}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def collect() -> dict[str, object]:
    """What to write into a manifest: time (UTC, ISO 8601), Python, platform and package versions."""
    return {
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "python": platform.python_version(),
        "platform": f"{sys.platform}-{platform.machine()}",
        "versions": versions(),
    }
