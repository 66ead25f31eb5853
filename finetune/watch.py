"""What the trainer tells while it works: progress for a person, losses for log.jsonl."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from transformers import TrainerCallback

from finetune.folder import AdapterFolder

KEPT = ("loss", "eval_loss", "learning_rate", "grad_norm", "mean_token_accuracy", "eval_mean_token_accuracy")


class Watch(TrainerCallback):  # type: ignore[misc]
    """The trainer's callback."""

    def __init__(self, folder: AdapterFolder, progress: Callable[[str, int, int], None] | None) -> None:
        self._folder = folder
        self._progress = progress or (lambda stage, done, total: None)

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        self._progress("train", state.global_step, state.max_steps)

    def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **_: Any) -> None:
        kept = {name: float(value) for name, value in (logs or {}).items() if name in KEPT}
        if kept:
            self._folder.log({"step": state.global_step, **kept})
