"""What a run was told, as its manifest keeps it: enough for a stranger to make the run again.

Promises: what is kept makes an equal RunConfig; it is only what differs from the defaults, without what belongs to one
machine's command (`out`, `workers`, `publish`) and without credentials in a URL. A stranger's recipe neither decides
where keys, prompts and runs go nor lets a model's own code run: the caller must say the same.
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

_NOT_KEPT = ("out", "workers", "publish")
#: What only the one who makes a run again can answer for, as a command says it.
_TO_BE_SAID = {"api_base": "--api-base", "trust_remote_code": "--trust-remote-code"}


def recipe_of(config: RunConfig) -> dict[str, Any]:
    """The keys of a configuration that differ from their defaults, as JSON values."""
    shown = replace(config, api_base=without_credentials(config.api_base))
    usual = RunConfig(model="", dataset="")
    kept = {field.name: getattr(shown, field.name) for field in fields(RunConfig) if field.name not in _NOT_KEPT}
    return {name: plain(value) for name, value in kept.items() if value != getattr(usual, name)}


def config_of(manifest: RunManifest, **changed: Any) -> RunConfig:
    """The configuration that makes a run again, scored under the terms that it has now.

    Raises UsageError for a manifest without a recipe, or with one that this sqlgauge cannot follow, or that wants an
    `api_base` or `trust_remote_code` that is not among what is `changed`.
    """
    kept = manifest.provenance.get("config")
    if not isinstance(kept, Mapping):
        raise UsageError(
            f"the manifest of {manifest.run_id} does not say how to make the run again: it is older than that",
            "Make it anew with 'sqlgauge run'; 'sqlgauge verify' can check its scores as they are.",
        )
    for name, option in _TO_BE_SAID.items():
        if kept.get(name) and not changed.get(name):
            raise UsageError(
                f"{manifest.run_id} was made with {option} {kept[name]}, which its manifest alone does not decide here",
                f"If you trust it, give {option} yourself: keys and prompts go where an --api-base points, and code "
                "from the Hub may do anything.",
            )
    terms = stated_terms(manifest.identity)
    scored = {"policy": terms.policy, "search_databases": terms.databases}
    if terms.databases:
        scored["search_seconds"] = terms.seconds
    # A protocol's settings are in the recipe one by one, but for those that equal the defaults.
    usual = {field.name: field.default for field in fields(RunConfig) if field.name not in ("model", "dataset")}
    followed = {name: value for name, value in kept.items() if name not in _NOT_KEPT}
    return make_config({**usual, **followed, **scored, **changed})
