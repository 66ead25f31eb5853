"""A benchmark from Python: by spec, of a model of this process, and while one trains."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import sqlgauge
from benchmark.errors import UsageError
from benchmark.models.live import LiveModel, fingerprint

torch = pytest.importorskip("torch")


@pytest.fixture
def live(tiny_gemma: Path) -> tuple[Any, Any]:
    from transformers import AutoModelForCausalLM, AutoTokenizer

    return AutoModelForCausalLM.from_pretrained(tiny_gemma), AutoTokenizer.from_pretrained(tiny_gemma)


OPTIONS: dict[str, Any] = {"limit": 4, "max_new_tokens": 8, "metrics": ("execution",)}


def test_by_spec(tmp_path: Path) -> None:
    found = sqlgauge.evaluate("gold", "builtin", limit=6, out=str(tmp_path), metrics=("execution", "ast"))
    assert (found.accuracy, found.n) == (1.0, 6)
    assert found.interval is not None
    assert found.metrics == {"execution": 1.0, "ast": 1.0}
    assert (found.folder.path / "scores.jsonl").is_file()


def test_a_wrong_option_is_said(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="sampel"):
        sqlgauge.evaluate("gold", "builtin", sampel=3, out=str(tmp_path))


def test_a_model_of_this_process_says_what_its_folder_says(
    live: tuple[Any, Any], tiny_gemma: Path, tmp_path: Path
) -> None:
    here = sqlgauge.evaluate(live, "builtin", out=str(tmp_path), **OPTIONS)
    there = sqlgauge.evaluate(f"hf/{tiny_gemma}", "builtin", out=str(tmp_path), dtype="float32", **OPTIONS)
    texts = [{one.example_id: one.text for one in found.folder.generations()} for found in (here, there)]
    assert texts[0] == texts[1]
    assert len(set(texts[0].values())) > 1
    assert here.folder.path != there.folder.path


def test_another_step_is_another_run_and_the_same_weights_are_found_again(
    live: tuple[Any, Any], tmp_path: Path
) -> None:
    model, tokenizer = live
    first = sqlgauge.evaluate(live, "builtin", out=str(tmp_path), **OPTIONS)
    again = sqlgauge.evaluate((model, tokenizer), "builtin", out=str(tmp_path), **OPTIONS)
    assert again.folder.path == first.folder.path
    with torch.no_grad():
        next(iter(model.parameters()))[0, 0] += 0.01
    other = sqlgauge.evaluate(live, "builtin", out=str(tmp_path), **OPTIONS)
    assert other.folder.path != first.folder.path
    assert fingerprint(model) == other.folder.manifest().identity["model"]["weights"]


def test_training_goes_on_as_if_nothing_had_been_benchmarked(live: tuple[Any, Any], tmp_path: Path) -> None:
    model, tokenizer = live
    model.train()
    model.model.layers[0].eval()
    modes = [module.training for module in model.modules()]
    side, state = tokenizer.padding_side, torch.get_rng_state()
    sqlgauge.evaluate(live, "builtin", out=str(tmp_path), temperature=1.0, **OPTIONS)
    assert [module.training for module in model.modules()] == modes
    assert tokenizer.padding_side == side
    assert torch.equal(torch.get_rng_state(), state)
    assert all(weight.grad is None for weight in model.parameters())


def test_a_live_model_is_asked_in_small_batches(live: tuple[Any, Any]) -> None:
    from benchmark.models import ModelOptions

    assert LiveModel("x", *live, ModelOptions()).batch_size == 16
    assert LiveModel("x", *live, ModelOptions(batch_size=3)).batch_size == 3


def test_the_callback_benchmarks_each_evaluation_of_a_real_trainer(live: tuple[Any, Any], tmp_path: Path) -> None:
    from torch.utils.data import Dataset
    from transformers import Trainer, TrainingArguments

    class Rows(Dataset):  # type: ignore[type-arg]
        def __len__(self) -> int:
            return 4

        def __getitem__(self, place: int) -> dict[str, list[int]]:
            ids = [2, 10 + place, 20, 1]
            return {"input_ids": ids, "labels": ids, "attention_mask": [1] * 4}

    model, tokenizer = live
    arguments = TrainingArguments(
        output_dir=str(tmp_path / "trainer"), max_steps=4, eval_strategy="steps", eval_steps=2, report_to=[],
        save_strategy="no", per_device_train_batch_size=2, use_cpu=True, disable_tqdm=True, learning_rate=0.01,
    )  # fmt: skip
    callback = sqlgauge.benchmark_callback("builtin", out=tmp_path / "runs", **OPTIONS)
    trainer = Trainer(
        model, arguments, train_dataset=Rows(), eval_dataset=Rows(), processing_class=tokenizer, callbacks=[callback]
    )
    trainer.train()
    logged = [line for line in trainer.state.log_history if "sqlgauge_accuracy" in line]
    assert [line["step"] for line in logged] == [2, 4]
    assert all(0 <= line["sqlgauge_accuracy"] <= 1 for line in logged)
    assert sorted(path.name for path in (tmp_path / "runs").iterdir()) == ["step-2", "step-4"]
