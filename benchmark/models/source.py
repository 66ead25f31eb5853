"""Where a local model's weights come from: a Hub id at a revision or a folder, and an adapter over it.

Promises: what identifies the answers is read from names, hashes of files and pinned revisions, before any weights are.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmark.errors import ModelUnavailable, UsageError
from benchmark.identity import digest, file_digest, folder_digest
from benchmark.models.gguf import converted

#: Hub commits used when a spec names none, so that a score stays what it was.
PINNED = {"google/gemma-2-2b-it": "299a8560bedf22ed1c72a8a11e7dce4a7f9f51f8"}


@dataclass(frozen=True, slots=True, kw_only=True)
class HfSource:
    """Where weights come from: a Hub id or folder, a revision, an adapter; and what of it identifies the answers."""

    name: str
    revision: str | None = None
    adapter: str | None = None
    identity: Mapping[str, Any] = field(default_factory=dict)


def parse_source(spec: str, argument: str) -> HfSource:
    """'ID@REVISION+ADAPTER' as an HfSource. Raises UsageError, ModelUnavailable for a folder that is not there."""
    base, adapter = split_adapter(argument)
    name, _, revision = base.partition("@")
    if not name:
        raise UsageError(f"'{spec}' names no model", "For instance hf/google/gemma-2-2b-it or hf/PATH.")
    identity: dict[str, Any] = {"spec": spec}
    folder = Path(name).expanduser()
    if folder.suffix == ".gguf" and folder.is_file():
        identity["weights"] = file_digest(folder)
        name = str(converted(folder))
    elif folder.is_dir():
        name = str(folder)
        identity["weights"] = folder_digest(folder)
    elif name.startswith((".", "/", "~")) or name.count("/") != 1:
        raise ModelUnavailable(
            f"no such model folder: {name}", "Give a folder, a .gguf file, or a Hub id like org/name."
        )
    else:
        revision = revision or PINNED.get(name, "main")
        identity["revision"] = revision
    if adapter:
        identity["adapter"] = adapter_digest(adapter)
    return HfSource(name=name, revision=revision or None, adapter=adapter or None, identity=identity)


def split_adapter(argument: str) -> tuple[str, str]:
    """'MODEL+ADAPTER_DIR' as its two parts; the second is '' where there is none."""
    base, _, adapter = argument.partition("+")
    return base, adapter


def adapter_digest(adapter: str) -> str:
    """The tagged hash of what a PEFT adapter does to a model's answers. Raises ModelUnavailable."""
    folder = Path(adapter).expanduser()
    if not (folder / "adapter_config.json").is_file():
        raise ModelUnavailable(
            f"no PEFT adapter at {adapter}: adapter_config.json is missing", "Give the folder that finetune wrote."
        )
    if (folder / "adapter_model.bin").exists() and not (folder / "adapter_model.safetensors").is_file():
        raise ModelUnavailable(
            f"the adapter {adapter} is a pickle, adapter_model.bin: loading one can run any code",
            "Save it as safetensors, as PEFT does unless told otherwise.",
        )
    return digest({path.name: file_digest(path) for path in sorted(folder.glob("adapter_*"))})


def unavailable(source: HfSource, error: Exception) -> ModelUnavailable:
    """What is missing, licence, network or file, and the next command."""
    text = str(error)
    first = next((line for line in text.splitlines() if line.strip()), type(error).__name__)[:300]
    if "gated" in text.lower() or "401" in text or "403" in text:
        hint = f"Accept the licence at https://huggingface.co/{source.name}, then: hf auth login"
    elif Path(source.name).is_dir():
        hint = "Check the files of the folder: config.json, safetensors and a tokenizer are needed."
    else:
        hint = f"Check the network and the name; or download it elsewhere (hf download {source.name}) and use hf/PATH."
    return ModelUnavailable(f"cannot load {source.name}: {first}", hint)
