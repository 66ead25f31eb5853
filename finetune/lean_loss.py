"""The loss of the labelled tokens alone, for machines without Triton.

TRL's fused head scores every position there, prompt and padding included; with completion-only labels that is several
times the work that the loss needs (a vocabulary is wider than all layers of a small model together).
Promises: the value and the gradient of transformers' own loss on the same labels.
"""

from __future__ import annotations

from typing import Any


def lean_trainer() -> Any:
    """A subclass of SFTTrainer that applies the output head to labelled positions only."""
    import torch
    from trl import SFTTrainer

    class LeanTrainer(SFTTrainer):  # type: ignore[misc]
        def compute_loss(
            self, model: Any, inputs: dict[str, Any], return_outputs: bool = False, num_items_in_batch: Any = None
        ) -> Any:
            """The mean loss a labelled token; with `num_items_in_batch`, this batch's part of the step's mean."""
            loss_sum, count = labelled_loss(model.get_base_model(), inputs)
            loss = loss_sum / torch.as_tensor(count if num_items_in_batch is None else num_items_in_batch).clamp(min=1)
            return (loss, {"loss": loss.detach()}) if return_outputs else loss

    return LeanTrainer


def labelled_loss(model: Any, inputs: dict[str, Any]) -> tuple[Any, int]:
    """The summed cross-entropy (nats, a scalar tensor) of the next-token labels that are not -100, and their number."""
    import torch
    from torch.nn.functional import cross_entropy

    labels = inputs["labels"][:, 1:]
    wanted = labels != -100
    hidden = model.base_model(
        input_ids=inputs["input_ids"], attention_mask=inputs["attention_mask"], use_cache=False
    ).last_hidden_state[:, :-1]
    logits = model.get_output_embeddings()(hidden[wanted]).float()
    cap = getattr(model.config, "final_logit_softcapping", None)
    if cap is not None:
        logits = torch.tanh(logits / cap) * cap
    return cross_entropy(logits, labels[wanted], reduction="sum"), int(wanted.sum())
