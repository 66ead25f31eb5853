"""Training an adapter: rows, base in NF4, TRL's SFTTrainer, checkpoints, and a folder that says how it was made.

Promises: everything that can be refused is refused before weights load; a killed training goes on at its last whole
checkpoint, bit for bit on a CPU; a folder that holds another training is refused with the difference.
Does not: choose hyper-parameters, or benchmark the result (`sqlgauge run --model BASE+ADAPTER_DIR`).
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import msgspec

from benchmark.errors import MissingDependency, UsageError
from benchmark.identity import digest, slug
from benchmark.models.hf import HfModel, quiet_transformers
from finetune.base import open_base, pad_token, with_adapter
from finetune.config import Recipe
from finetune.data import Rows, TokenRow, rows_fingerprint, training_rows
from finetune.folder import AdapterFolder
from finetune.lean_loss import lean_trainer
from finetune.watch import watch

#: Called as progress(stage, done, total).
Progress = Callable[[str, int, int], None]
_NEEDS_CUDA = ("paged", "8bit")


def train_adapter(recipe: Recipe, out: Path | str, name: str | None = None, progress: Progress | None = None) -> Path:
    """Train the recipe's adapter, or go on with it. The folder of the PEFT adapter, ready for BASE+FOLDER.

    Raises UsageError and its kind before any work, RunConflict when `name` holds another training.
    """
    _check_packages()
    quiet_transformers()
    base = open_base(recipe.model)
    check_device(recipe, base.device)
    rows, watched = training_rows(recipe.data, recipe.format, base.tokenizer)
    identity = training_identity(recipe, base, rows, watched)
    label = f"{slug(recipe.model.spec)[:40]}--{slug(rows.dataset)[:40]}--{digest(identity)[7:15]}"
    folder = AdapterFolder(Path(out) / (name or label))
    with folder.writing():
        folder.claim(identity)
        if rows.guard is not None:
            folder.write_overlaps(rows.guard.overlaps)
        if not folder.complete():
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", FutureWarning)  # TRL's and transformers' about each other's options
                trainer = _trainer(recipe, base, rows, watched, folder, progress)
                trainer.train(resume_from_checkpoint=folder.last_checkpoint())
            folder.finish(trainer.model, _outcome(trainer, rows, watched))
    return folder.path


def training_identity(recipe: Recipe, base: HfModel, rows: Rows, watched: Rows | None) -> dict[str, Any]:
    """All that decides the adapter. How often progress is saved or logged does not."""
    settings = msgspec.to_builtins(recipe)
    for key in ("save_steps", "eval_steps", "log_steps"):
        settings["train"].pop(key)
    for key in ("eval_split", "eval_rows", "test", "test_split", "test_items"):
        settings["data"].pop(key)
    return {
        "recipe": settings,
        "base": base.identity(),
        "data": {"dataset": rows.dataset, "fingerprint": rows.fingerprint, "rows": rows_fingerprint(rows.rows)},
    }


def check_device(recipe: Recipe, device: str) -> None:
    """Raise UsageError for what this machine cannot do."""
    if device != "cuda" and any(word in recipe.train.optimizer for word in _NEEDS_CUDA):
        raise UsageError(
            f"the optimizer {recipe.train.optimizer} needs a CUDA GPU, and there is none here",
            "Add train.optimizer=adamw_torch, or start from the recipe 'demo'.",
        )


def _check_packages() -> None:
    for name in ("torch", "transformers", "peft", "trl", "bitsandbytes", "datasets"):
        if find_spec(name) is None:
            raise MissingDependency(
                f"fine-tuning needs {name}, which is not installed", "pip install 'sqlgauge[finetune]'"
            )


def _trainer(
    recipe: Recipe, base: HfModel, rows: Rows, watched: Rows | None, folder: AdapterFolder, progress: Progress | None
) -> Any:
    """TRL's trainer on the prepared rows, with the adapter in fp32.

    TRL casts a QLoRA adapter to bf16, and Adam would keep its moments in bf16 too; small steps are lost there.
    """
    import torch
    from transformers.trainer_callback import PrinterCallback
    from trl import SFTTrainer

    base.tokenizer.pad_token = pad_token(base.tokenizer, recipe.format.pad)
    model = with_adapter(base.model, recipe.lora, recipe.train.seed)
    trainer = (SFTTrainer if base.device == "cuda" else lean_trainer())(
        model=model,
        args=_arguments(recipe, base, folder),
        train_dataset=_as_dataset(rows.rows),
        eval_dataset=_as_dataset(watched.rows) if watched and recipe.train.eval_steps else None,
        processing_class=base.tokenizer,
        callbacks=[watch(folder, progress)],
    )
    trainer.remove_callback(PrinterCallback)  # `watch` tells what is worth telling
    for parameter in trainer.model.parameters():
        if parameter.requires_grad:
            parameter.data = parameter.data.to(torch.float32)
    return trainer


def _arguments(recipe: Recipe, base: HfModel, folder: AdapterFolder) -> Any:
    from trl import SFTConfig

    part = recipe.train
    return SFTConfig(
        output_dir=str(folder.checkpoints),
        max_steps=part.steps,
        per_device_train_batch_size=part.batch_size,
        per_device_eval_batch_size=max(8, part.batch_size),
        gradient_accumulation_steps=part.accumulation,
        optim=part.optimizer,
        learning_rate=part.learning_rate,
        lr_scheduler_type=part.schedule,
        warmup_steps=math.ceil(part.warmup_ratio * part.steps),
        weight_decay=part.weight_decay,
        max_grad_norm=part.max_grad_norm,
        seed=part.seed,
        data_seed=part.seed,
        bf16=base.dtype == "bfloat16",
        fp16=base.dtype == "float16",
        gradient_checkpointing=part.gradient_checkpointing,
        train_sampling_strategy="group_by_length" if part.group_by_length else "random",
        max_length=None,  # `finetune.data` has dealt with long rows, and counted them
        save_strategy="steps",
        save_steps=part.save_steps,
        save_total_limit=2,
        eval_strategy="steps" if part.eval_steps else "no",
        eval_steps=part.eval_steps or None,
        logging_steps=part.log_steps,
        report_to="none",
        disable_tqdm=True,
        use_cpu=base.device == "cpu",
    )


def _as_dataset(rows: tuple[TokenRow, ...]) -> Any:
    from datasets import Dataset

    return Dataset.from_dict(
        {"input_ids": [list(row.input_ids) for row in rows], "labels": [list(row.labels) for row in rows]}
    )


def _outcome(trainer: Any, rows: Rows, watched: Rows | None) -> dict[str, Any]:
    """What the training saw and how it ended, for the manifest."""
    losses = [entry["loss"] for entry in trainer.state.log_history if "loss" in entry]
    return {
        "tokens": msgspec.to_builtins(rows.stats),
        "watched": msgspec.to_builtins(watched.stats) if watched else None,
        "contamination": rows.guard.record() if rows.guard else None,
        "steps": trainer.state.global_step,
        "epochs": trainer.state.epoch,
        "last_loss": losses[-1] if losses else None,
    }
