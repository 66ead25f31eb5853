"""Fine-tuning: what a recipe would do, doing it, and merging the adapter."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from sqlgauge.verbs.common import Progress, silent

if TYPE_CHECKING:
    from finetune.preview import Preview


def finetune(
    recipe: str,
    overrides: Sequence[str] = (),
    *,
    out: Path = Path("adapters"),
    name: str | None = None,
    progress: Progress = silent,
) -> Path:
    """Train an adapter by a recipe (a name or a YAML file) with 'part.key=value' overrides. Its folder."""
    from finetune import load_recipe, train_adapter

    return train_adapter(load_recipe(recipe, overrides), out, name, progress)


def preview(recipe: str, overrides: Sequence[str] = ()) -> Preview:
    """What `finetune` would do, without loading weights."""
    from finetune import load_recipe
    from finetune.preview import preview as look

    return look(load_recipe(recipe, overrides))


def merge(adapter: Path, *, out: Path, dtype: str = "bfloat16", base: str | None = None) -> Path:
    """Write an adapter and its base as one model folder."""
    from finetune.merge import merge_adapter

    return merge_adapter(Path(adapter), Path(out), dtype, base)
