"""An adapter and its base as one model folder, which needs no PEFT to load.

Promises: the sum is made in the precision asked for, from the unquantised base; the manifest says what went into it.
Does not: give the answers of the adapter on a 4-bit base to the letter; a quantised base rounds otherwise.
"""

from __future__ import annotations

import json
from pathlib import Path

from benchmark import provenance
from benchmark.errors import UsageError
from benchmark.models.base import ModelOptions, open_model
from benchmark.models.hf import HfModel
from benchmark.store import plain, write_atomically
from finetune.folder import AdapterFolder


def merge_adapter(adapter: Path, out: Path, dtype: str = "bfloat16", base: str | None = None) -> Path:
    """Write the merged model in safetensors, with its tokenizer; `base` is a model spec, by default the trained one's.

    Raises UsageError for a folder that holds something else, ModelUnavailable.
    """
    if out.exists() and any(out.iterdir()):
        raise UsageError(f"{out} is not empty", "Choose another --out.")
    if not (adapter / "adapter_config.json").is_file():
        raise UsageError(f"{adapter} holds no PEFT adapter", "Give the folder that 'sqlgauge finetune' wrote.")
    spec = base or str(AdapterFolder(adapter).manifest()["identity"]["base"]["spec"])
    model = open_model(f"{spec}+{adapter}", ModelOptions(dtype=dtype, merge_adapter=True), ())
    if not isinstance(model, HfModel):
        raise UsageError(f"'{spec}' is no local model", "Give --base hf/… or builtin/….")
    model.model.save_pretrained(out, safe_serialization=True)
    model.tokenizer.save_pretrained(out)
    about = {"merged": model.identity(), "provenance": provenance.collect()}
    write_atomically(out / "sqlgauge.json", json.dumps(plain(about), indent=2, sort_keys=True).encode() + b"\n")
    return out
