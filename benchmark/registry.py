"""A registry is a dict from a key to a lazy "module:attribute"; a new part is one file and one line.

Promises: nothing is imported before it is asked for; an unknown key gets a did-you-mean.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Any

from benchmark.errors import UnknownName


def load(kind: str, registry: Mapping[str, str], key: str) -> Any:
    """The object registered under `key`. Raises UnknownName."""
    if key not in registry:
        raise UnknownName(kind, key, registry)
    module, _, attribute = registry[key].partition(":")
    return getattr(importlib.import_module(module), attribute)
