"""Writes the lock files beside it: `make lock` keeps the versions, `make lock UPGRADE=--upgrade` takes the newest.

Each file holds what its extra adds to the one before it, with the sha256 of every file of that version, for every
platform: core < hf < finetune < dev. torch stands apart: torch.txt is PyPI's build with the CUDA libraries that it asks
for on Linux, torch-cpu.txt PyTorch's CPU build of the same version. uv.txt is the tool that resolves; this only deals
out. It writes no address: which index is asked is the business of whoever installs.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

HERE = Path(__file__).parent
PYPROJECT = HERE.parent / "pyproject.toml"
LAYERS = ("core", "hf", "finetune", "dev")
TORCH = ("cuda-", "nvidia-", "torch", "triton")
HEAD = """\
# Written by `make lock`: see lock.py.
--require-hashes
--only-binary :all:
"""
# The wheels for Python 3.11 on Linux, x86_64 and aarch64. PyPI does not have them, so uv cannot find their digests.
CPU_BUILD = """\
torch==2.13.0+cpu \\
    --hash=sha256:6746dbcbeb526eb61330b76b41ff1b4eb848951103a892eeb080dfa2b264667b \\
    --hash=sha256:84453b69508ec79902f899c5ed9495acb9e2bbe9fda5f1d5d6f19e3c3842e1a7
"""


def main() -> None:
    upgrade = sys.argv[1:]
    before = [path.read_text() for path in sorted(HERE.glob("*.txt")) if path.name != "torch-cpu.txt"]
    kept = "".join(blocks("".join(before)).values())
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for file in ("whole", "uv"):
            (folder / file).write_text(kept)
        wanted = [f"--extra={layer}" for layer in LAYERS[1:]]
        found = blocks(resolve(folder / "whole", *wanted, "--generate-hashes", *upgrade))
        tool = blocks(uv(folder / "uv", "-", "--generate-hashes", *upgrade, said="uv"))
        dealt = {name for name in found if name.startswith(TORCH)}
        parts = {"uv": [*tool.values()], "torch-cpu": [CPU_BUILD], "torch": [found[name] for name in sorted(dealt)]}
        for number, layer in enumerate(LAYERS):
            needed = blocks(resolve(folder / layer, *wanted[:number], f"--constraints={folder / 'whole'}"))
            parts[layer] = [found[name] for name in sorted(needed.keys() - dealt)]
            dealt |= needed.keys()
    if dealt != found.keys():
        raise SystemExit(f"in no layer: {sorted(found.keys() - dealt)}")
    pin = found["torch"].split()[0]
    if CPU_BUILD.partition("+")[0] != pin:
        raise SystemExit(f"CPU_BUILD is not of {pin}: put in the digests of its wheels")
    for file, requirements in parts.items():
        below = LAYERS.index(file) - 1 if file in LAYERS else -1
        included = f"-r {LAYERS[below]}.txt\n" if below >= 0 else ""
        (HERE / f"{file}.txt").write_text(HEAD + included + "".join(requirements))


def resolve(into: Path, *options: str) -> str:
    """What the project needs, its build included; an editable install takes hatchling's `editables`."""
    built_with = tomllib.loads(PYPROJECT.read_text())["build-system"]["requires"]
    return uv(into, str(PYPROJECT), "-", *options, said="\n".join([*built_with, "editables"]))


def uv(into: Path, *arguments: str, said: str) -> str:
    """uv's resolution, for every platform, of the files named and of `said`; a version that `into` names is kept."""
    shape = ["--universal", "--python-version=3.11", "--no-header", "--no-annotate", "--no-config", "--quiet"]
    command = [sys.executable, "-m", "uv", "pip", "compile", *arguments, *shape, f"--output-file={into}"]
    done = subprocess.run(command, input=said, text=True, cwd=HERE.parent)
    if done.returncode:
        raise SystemExit(done.returncode)
    return into.read_text()


def blocks(text: str) -> dict[str, str]:
    """A requirement and its digests, by name; each name comes once."""
    found = re.findall(r"^([a-z0-9][\w.-]*)(==.*(?:\n    --hash.*)*\n)", text, re.MULTILINE)
    if len(found) != len(dict(found)):
        raise SystemExit("a package is in two versions: one resolution must serve every platform")
    return {name: name + rest for name, rest in found}


if __name__ == "__main__":
    main()
