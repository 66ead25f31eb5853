"""GGUF files as model folders: dequantised once into fp32 safetensors in the user's cache, and found again by content.

Promises: an interrupted conversion leaves nothing that could be taken for a good one; the folder is named by the file's
hash, so another file of the same name is another model. Does not: fetch anything.
"""

from __future__ import annotations

import sys
import tempfile
from contextlib import redirect_stderr
from io import StringIO
from pathlib import Path

from filelock import FileLock
from platformdirs import user_cache_path

from benchmark.errors import MissingDependency, ModelUnavailable
from benchmark.identity import file_digest

#: Part of the folder's name: raise it when the conversion changes.
CONVERSION = 1


def converted(gguf: Path, cache: Path | None = None) -> Path:
    """The folder of safetensors for a GGUF file, made if it is not there yet. Raises ModelUnavailable."""
    cache = cache or user_cache_path("sqlgauge")
    target = cache / f"gguf-{file_digest(gguf)[7:23]}-v{CONVERSION}"
    if target.is_dir():
        return target
    cache.mkdir(parents=True, exist_ok=True)
    with FileLock(cache / f".{target.name}.lock"):
        if not target.is_dir():  # somebody else may have made it while we waited
            with tempfile.TemporaryDirectory(dir=cache, prefix=f".{target.name}-") as scratch:
                convert(gguf, Path(scratch) / "converted")
                (Path(scratch) / "converted").rename(target)
    return target


def convert(gguf: Path, target: Path) -> None:
    """Dequantise into fp32 safetensors, from which every other precision is made on loading."""
    try:
        import torch
        from transformers import AutoModelForCausalLM, AutoTokenizer, GgufConfig
    except ImportError as error:
        raise MissingDependency(
            f"GGUF files need {error.name}, which is not installed", "pip install 'sqlgauge[hf]'"
        ) from None
    from benchmark.models.hf import quiet_transformers

    quiet_transformers()
    print(f"converting {gguf.name} (once) ...", file=sys.stderr)
    try:
        with redirect_stderr(StringIO()):  # transformers draws a bar of its own here that no setting turns off
            tokenizer = AutoTokenizer.from_pretrained(gguf.parent, gguf_file=gguf.name)
            model = AutoModelForCausalLM.from_pretrained(
                gguf.parent, gguf_file=gguf.name, dtype=torch.float32, quantization_config=GgufConfig(dequantize=True)
            )
    except (OSError, ValueError, ImportError, KeyError) as error:
        first = str(error).splitlines()[0][:300] if str(error) else type(error).__name__
        raise ModelUnavailable(
            f"cannot convert {gguf.name}: {first}", "Give a GGUF file of an architecture that transformers reads."
        ) from None
    model.save_pretrained(target)
    tokenizer.save_pretrained(target)
