"""A run's provenance as short labelled lines.

Promises: values are shown as the manifest gives them; nothing is read from the machine that makes the report.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from benchmark.types import RunManifest
from reports.figures import NO_FIGURE, Fact


def facts(manifest: RunManifest) -> tuple[Fact, ...]:
    """What was run, how and when, as (label, value) lines; a dash where the manifest is silent."""
    identity, provenance = manifest.identity, manifest.provenance
    model = {key: value for key, value in identity["model"].items() if key != "spec" and value is not None}
    lines = {
        "run": manifest.run_id,
        **({"model": model} if model else {}),
        "dtype": identity.get("dtype"),
        "decoding": identity.get("decoding"),
        "prompt": prompt_text(identity.get("prompt")),
        "policy": identity.get("policy"),
        "scoring": identity.get("scoring"),
        "batch size": identity.get("batch_size"),
        "created": provenance.get("created"),
        "python": provenance.get("python"),
        "platform": provenance.get("platform"),
        "versions": provenance.get("versions"),
    }
    return tuple(Fact(label=label, value=as_text(value)) for label, value in lines.items())


def setting_facts(manifest: RunManifest, settings: Mapping[str, Mapping[str, Any]]) -> tuple[Fact, ...]:
    """A run's value of each setting in which the runs of its table differ: name -> run id -> value."""
    return tuple(
        Fact(label=name, value=as_text(values[manifest.run_id]))
        for name, values in settings.items()
        if manifest.run_id in values
    )


def prompt_text(prompt: object) -> str | None:
    """A prompt's name with its hash."""
    if not isinstance(prompt, Mapping):
        return None if prompt is None else str(prompt)
    return f"{as_text(prompt.get('name'))} ({as_text(prompt.get('hash'))})"


def as_text(value: Any) -> str:
    """A JSON value on one line; None and what is empty become a dash.

    >>> as_text({"max_new_tokens": 256, "temperature": 0.0})
    'max_new_tokens 256, temperature 0'
    """
    if isinstance(value, Mapping):
        value = ", ".join(f"{key} {as_text(item)}" for key, item in sorted(value.items()))
    elif isinstance(value, list | tuple):
        value = ", ".join(map(as_text, value))
    elif isinstance(value, bool):
        value = str(value).lower()
    elif isinstance(value, float):
        value = f"{value:g}"
    return NO_FIGURE if value in (None, "") else str(value)
