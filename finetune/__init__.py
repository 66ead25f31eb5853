"""Fine-tuning: QLoRA adapters for text-to-SQL, from the same prompts that the benchmark uses.

    from finetune import load_recipe, train_adapter
    folder = train_adapter(load_recipe("demo", ["train.steps=20"]), "adapters")
Importing it loads no torch.
"""

from finetune.config import Recipe, load_recipe, recipe_names
from finetune.train import train_adapter

__all__ = ["Recipe", "load_recipe", "recipe_names", "train_adapter"]
