"""Training on a tiny random Gemma 2: the loss, a kill and a resume, the folder, merging, the verbs."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from benchmark.errors import RunConflict, UsageError
from benchmark.models import Decoding, ModelOptions, open_model
from benchmark.models.hf import HfModel
from benchmark.prompts import render
from benchmark.types import Example
from finetune.base import with_adapter
from finetune.config import LoraPart, Recipe, load_recipe
from finetune.folder import AdapterFolder
from finetune.train import check_device, train_adapter
from sqlgauge import verbs

Cli = Callable[..., subprocess.CompletedProcess[str]]
ROOT = Path(__file__).resolve().parents[3]
pytestmark = [
    pytest.mark.filterwarnings("ignore::FutureWarning"),  # TRL and transformers deprecate each other's options
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::UserWarning"),
]


@pytest.fixture
def settings(tiny_gemma: Path, tmp_path: Path) -> list[str]:
    rows = [
        {
            "sql_prompt": f"Which a is {i}?",
            "sql_context": "CREATE TABLE t (a INT)",
            "sql": f"SELECT a FROM t WHERE a={i}",
        }
        for i in range(40)
    ]
    (tmp_path / "train.jsonl").write_text("\n".join(map(json.dumps, rows)))
    return [
        f"model.spec=hf/{tiny_gemma}",
        f"data.dataset=gretel:{tmp_path / 'train.jsonl'}",
        "data.where=[]",
        "train.steps=8",
        "train.batch_size=2",
        "train.save_steps=2",
        "train.log_steps=1",
        "lora.dropout=0.1",
        "lora.r=4",
    ]


def weights(folder: Path) -> bytes:
    return (folder / "adapter_model.safetensors").read_bytes()


@pytest.mark.parametrize("four_bit", [True, False])
def test_a_killed_training_ends_in_the_same_adapter(settings: list[str], tmp_path: Path, four_bit: bool) -> None:
    settings = [*settings, f"model.load_in_4bit={four_bit}"]
    whole = train_adapter(load_recipe("demo", settings), tmp_path, "whole")
    script = (
        "import sys; from finetune import *; train_adapter(load_recipe('demo', sys.argv[2:]), sys.argv[1], 'killed')"
    )
    killed = tmp_path / "killed"
    process = subprocess.Popen(
        [sys.executable, "-c", script, str(tmp_path), *settings, "train.save_steps=3"],
        cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        end = time.monotonic() + 120
        while not (killed / "checkpoints" / "checkpoint-3" / "trainer_state.json").exists():
            assert process.poll() is None, "it ended before it could be killed"
            assert time.monotonic() < end
            time.sleep(0.005)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert not AdapterFolder(killed).complete()
    torn = killed / "checkpoints" / "checkpoint-900"
    torn.mkdir()
    (torn / "trainer_state.json").write_text('{"global_')
    assert train_adapter(load_recipe("demo", settings), tmp_path, "killed") == killed
    assert weights(killed) == weights(whole)
    steps = [json.loads(line)["step"] for line in (killed / "log.jsonl").read_text().splitlines()]
    assert steps[-1] == 8
    assert 4 in steps
    manifests = [json.loads((folder / "manifest.json").read_text()) for folder in (whole, killed)]
    assert manifests[0]["identity"] == manifests[1]["identity"]
    assert manifests[1]["complete"]
    assert manifests[1]["tokens"]["kept"] == 40
    assert {"torch", "peft", "trl", "bitsandbytes"} <= manifests[1]["provenance"]["versions"].keys()
    assert not torn.exists()


def test_training_learns_and_a_finished_one_is_not_repeated(settings: list[str], tmp_path: Path) -> None:
    recipe = load_recipe("demo", [*settings, "train.steps=30", "train.learning_rate=0.01", "data.eval_rows=8",
                                  "data.eval_split=test", "train.eval_steps=10"])  # fmt: skip
    told: list[tuple[str, int, int]] = []
    folder = train_adapter(recipe, tmp_path / "a", None, lambda *news: told.append(news))
    assert told[-1] == ("train", 30, 30)
    log = [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]
    losses = [entry["loss"] for entry in log if "loss" in entry]
    assert losses[-1] < 0.8 * losses[0]
    watched = [entry["eval_loss"] for entry in log if "eval_loss" in entry]
    assert len(watched) == 3
    assert watched[-1] < watched[0]
    before = weights(folder)
    assert train_adapter(recipe, tmp_path / "a") == folder
    assert weights(folder) == before
    assert not (folder / "checkpoints").exists()
    config = json.loads((folder / "adapter_config.json").read_text())
    assert (config["r"], config["lora_alpha"], config["lora_dropout"]) == (4, 32, 0.1)


def test_another_training_in_the_same_folder_is_refused(settings: list[str], tmp_path: Path) -> None:
    train_adapter(load_recipe("demo", [*settings, "train.steps=1"]), tmp_path, "one")
    with pytest.raises(RunConflict, match=r"train\.learning_rate"):
        train_adapter(load_recipe("demo", [*settings, "train.steps=1", "train.learning_rate=0.5"]), tmp_path, "one")


def test_what_the_machine_cannot_do_is_said_first() -> None:
    with pytest.raises(UsageError, match="paged_adamw_8bit needs a CUDA GPU"):
        check_device(load_recipe("seed"), "cpu")
    check_device(load_recipe("seed"), "cuda")
    check_device(load_recipe("demo"), "cpu")


def opened(spec: str, **options: Any) -> HfModel:
    model = open_model(spec, ModelOptions(dtype="float32", **options), ())
    assert isinstance(model, HfModel)
    return model


def test_the_lean_loss_is_transformers_own(tiny_gemma: Path) -> None:
    """Value and gradients, with Gemma's softcap, padding and ignored labels."""
    import torch

    from finetune.lean_loss import labelled_loss

    model = with_adapter(opened(f"hf/{tiny_gemma}").model, LoraPart(r=4, alpha=8, dropout=0.0), 1)
    torch.manual_seed(0)
    inputs = {"input_ids": torch.randint(6, 90, (3, 40)), "attention_mask": torch.ones(3, 40, dtype=torch.long)}
    inputs["attention_mask"][1, 30:] = 0
    labels = inputs["input_ids"].clone()
    labels[:, :17] = -100
    labels[1, 30:] = -100
    expected = model(**inputs, labels=labels).loss
    expected.backward()
    gradients = {name: p.grad.clone() for name, p in model.named_parameters() if p.grad is not None}
    model.zero_grad()
    total, count = labelled_loss(model.get_base_model(), {**inputs, "labels": labels})
    assert count == int((labels[:, 1:] != -100).sum())
    (total / count).backward()
    assert torch.isclose(total / count, expected, rtol=1e-5)
    for name, parameter in model.named_parameters():
        if parameter.grad is not None:
            assert torch.allclose(parameter.grad, gradients[name], rtol=1e-3, atol=1e-5), name


def test_an_adapter_and_its_merge_answer_alike(
    settings: list[str], tiny_gemma: Path, tmp_path: Path, shop: list[Example], cli: Cli
) -> None:
    import torch

    recipe = load_recipe("demo", [*settings, "train.learning_rate=0.02"])
    adapter = train_adapter(recipe, tmp_path, "adapter")
    cli("merge", adapter, "--out", tmp_path / "merged", "--dtype", "float32")
    base = opened(f"hf/{tiny_gemma}")
    models = [
        opened(f"hf/{tiny_gemma}+{adapter}"),
        opened(f"hf/{tiny_gemma}+{adapter}", merge_adapter=True),
        opened(f"hf/{tmp_path / 'merged'}"),
    ]
    prompts, decoding = [render(example) for example in shop], Decoding(max_new_tokens=24)
    texts = [[g.text for g in model.generate(prompts, decoding)] for model in models]
    assert texts[0] == texts[1] == texts[2]
    assert texts[0] != [g.text for g in base.generate(prompts, decoding)], "an adapter that does nothing proves nothing"
    ids = torch.randint(6, 90, (2, 50))
    with torch.inference_mode():
        logits = [model.model(ids).logits for model in models]
    assert torch.allclose(logits[0], logits[1], atol=1e-3)
    assert torch.equal(logits[1], logits[2])
    assert models[0].identity()["merged"] is False
    assert models[1].identity()["merged"] is True
    refused = cli("merge", adapter, "--out", tmp_path / "merged", check=2)
    assert "is not empty" in refused.stderr


def test_the_verbs(settings: list[str], cli: Cli, tmp_path: Path) -> None:
    shown = cli("finetune", "demo", *settings, "--dry-run").stdout
    assert "⟦```sql" in shown
    assert "rows      40 of 40" in shown
    assert not (tmp_path / "adapters").exists()
    plan = json.loads(cli("finetune", "demo", *settings, "--dry-run", "--json").stdout)
    assert plan["steps"] == 8
    assert plan["memory_gib"] > 0
    assert plan["seconds"] > 0
    done = cli("finetune", "demo", *settings, "train.steps=2", "train.log_steps=5", "--name", "x")
    assert "2 steps\n" in done.stdout
    assert "benchmark it: sqlgauge run --model hf/" in done.stdout
    assert (tmp_path / "adapters" / "x" / "adapter_model.safetensors").exists()
    again = cli("finetune", "demo", *settings, "train.steps=2", "--name", "x", "--json")
    assert json.loads(again.stdout)["complete"]
    assert "'demo'" in cli("finetune", "dem", check=2).stderr
    assert "needs a CUDA GPU" in cli("finetune", "demo", *settings, "train.optimizer=paged_adamw_8bit", check=2).stderr


def test_a_recipe_is_frozen(settings: list[str]) -> None:
    recipe = load_recipe("demo", settings)
    assert isinstance(recipe, Recipe)
    with pytest.raises(AttributeError):
        recipe.train.steps = 5  # type: ignore[misc]


def test_a_run_of_an_adapter_knows_which_items_it_was_trained_on(
    settings: list[str], tiny_gemma: Path, tmp_path: Path
) -> None:
    rows = [json.loads(line) for line in (tmp_path / "train.jsonl").read_text().splitlines()]
    test = [{"id": "leaked", **rows[3]}, {"id": "fresh", **rows[0], "sql_prompt": "How much?", "sql": "SELECT 7"}]
    (tmp_path / "test.jsonl").write_text("\n".join(map(json.dumps, test)))
    spec = f"gretel:{tmp_path / 'test.jsonl'}"
    asked = [*settings, "train.steps=1", f"data.test={spec}"]
    with pytest.raises(UsageError, match="1 of 40 training rows"):
        train_adapter(load_recipe("demo", asked), tmp_path, "refused")
    assert not (tmp_path / "refused").exists()
    adapter = train_adapter(load_recipe("demo", [*asked, "data.test_items=allow"]), tmp_path, "allowed")
    found = json.loads((adapter / "manifest.json").read_text())["contamination"]
    assert (found["test_items"], found["same_items"], found["seen"], found["items"]) == ("allow", 1, 1, 2)
    run = verbs.run(
        model=f"hf/{tiny_gemma}+{adapter}", dataset=spec, out=str(tmp_path / "runs"), max_new_tokens=2, dtype="float32"
    )
    assert {key: one.seen for key, one in run.contamination().items()} == {"leaked": True, "fresh": False}
    dropped = train_adapter(load_recipe("demo", [*asked, "data.test_items=drop"]), tmp_path, "dropped")
    manifest = json.loads((dropped / "manifest.json").read_text())
    assert manifest["tokens"]["rows"] == 39
    assert manifest["contamination"]["dropped"] == 1
