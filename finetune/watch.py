"""What the trainer tells while it works: progress for a person, losses for log.jsonl."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from finetune.folder import AdapterFolder

KEPT = ("loss", "eval_loss", "learning_rate", "grad_norm", "mean_token_accuracy", "eval_mean_token_accuracy")


def watch(folder: AdapterFolder, progress: Callable[[str, int, int], None] | None) -> Any:
    """The trainer's callback."""
    from transformers import TrainerCallback

    class Watch(TrainerCallback):  # type: ignore[misc]
        def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            if progress is not None:
                progress("train", state.global_step, state.max_steps)

        def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **_: Any) -> None:
            kept = {name: float(value) for name, value in (logs or {}).items() if name in KEPT}
            if kept:
                folder.log({"step": state.global_step, **kept})

    return Watch()
