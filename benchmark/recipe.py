"""What a run was told, as its manifest keeps it: enough for a stranger to make the run again.

Promises: what is kept makes an equal RunConfig; only what differs from the defaults is kept, without the places that
belong to one machine's command (`out`, `workers`) and without credentials in a URL.
Does not: decide a run's identity; a recipe is provenance.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any

from benchmark.chat import without_credentials
from benchmark.config import RunConfig, make_config
from benchmark.errors import UsageError
from benchmark.store import plain
from benchmark.terms import stated_terms
from benchmark.types import RunManifest

_NOT_KEPT = ("out", "workers")


def recipe_of(config: RunConfig) -> dict[str, Any]:
    """The keys of a configuration that differ from their defaults, as JSON values."""
    shown = replace(config, api_base=without_credentials(config.api_base))
    usual = RunConfig(model="", dataset="")
    kept = {field.name: getattr(shown, field.name) for field in fields(RunConfig) if field.name not in _NOT_KEPT}
    return {name: plain(value) for name, value in kept.items() if value != getattr(usual, name)}


def config_of(manifest: RunManifest, **changed: Any) -> RunConfig:
    """The configuration that makes a run again, scored under the terms that it has now.

    Raises UsageError for a manifest without a recipe, or with one that this sqlgauge cannot follow.
    """
    kept = manifest.provenance.get("config")
    if not isinstance(kept, Mapping):
        raise UsageError(
            f"the manifest of {manifest.run_id} does not say how to make the run again: it is older than that",
            "Make it anew with 'sqlgauge run'; 'sqlgauge verify' can check its scores as they are.",
        )
    terms = stated_terms(manifest.identity)
    scored = {"policy": terms.policy, "search_databases": terms.databases}
    if terms.databases:
        scored["search_seconds"] = terms.seconds
    # A protocol's settings are in the recipe one by one, but for those that equal the defaults.
    usual = {field.name: field.default for field in fields(RunConfig) if field.name not in ("model", "dataset")}
    return make_config({**usual, **kept, **scored, **changed})
