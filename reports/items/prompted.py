"""The prompts that runs asked with, rendered again from what their manifests name.

Promises: a prompt is shown only where the template's hash, and so every word of it, is the one that the run used.
Does not: show prompts of templates that lie elsewhere, or of runs that had examples, sampled rows or a budget for
schemas in their prompts: what they were made of is not in the run folder.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from benchmark.errors import SqlgaugeError
from benchmark.prompts import render, template_hash
from benchmark.types import Example, RunManifest

#: What a prompt can be rendered from; a run that names more cannot be shown.
_KNOWN = {"name", "hash", "schema"}
#: What a template that comes with this package can be called: no path.
_OURS = re.compile(r"[A-Za-z0-9_-]{1,80}")


def prompt_of(manifest: RunManifest) -> Mapping[str, Any] | None:
    """A run's prompt as its identity names it, or None where it cannot be rendered again."""
    prompt = manifest.identity.get("prompt")
    if not isinstance(prompt, Mapping) or set(prompt) - _KNOWN or not _OURS.fullmatch(str(prompt.get("name"))):
        return None
    try:
        same = template_hash(str(prompt["name"])) == prompt.get("hash")
    except SqlgaugeError:
        return None
    return prompt if same else None


def prompt_text(example: Example, prompt: Mapping[str, Any]) -> str:
    """What a model was asked about an example, before its own chat template."""
    rendered = render(example, str(prompt["name"]), str(prompt.get("schema") or "ddl"))
    return "\n\n".join(message.content for message in rendered.messages)
