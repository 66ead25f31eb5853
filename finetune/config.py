"""Recipe: all that decides an adapter, from YAML and dotted overrides, validated once and together.

Promises: all problems are reported at once; an unknown key gets a did-you-mean; the defaults are those of `seed_fixed`.
Does not: check what only the machine can tell (a GPU for a paged optimizer); `finetune.train` does that first.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, is_dataclass
from pathlib import Path
from typing import Any, Literal, get_type_hints

import msgspec

from benchmark.datasets.base import REGISTRY as DATASETS
from benchmark.datasets.base import kind_of
from benchmark.errors import UnknownName, UsageError, did_you_mean
from benchmark.prompts import SCHEMAS, TEMPLATES

FOLDER = Path(__file__).with_name("recipes")
LINEAR = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")
SCHEDULES = ("constant", "constant_with_warmup", "linear", "cosine")


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelPart:
    """The base model. `spec` is an `hf/…` or `builtin/…` spec string without an adapter."""

    spec: str
    dtype: Literal["auto", "bfloat16", "float16", "float32"] = "auto"
    load_in_4bit: bool = True
    attention: str | None = None
    trust_remote_code: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class DataPart:
    """Which rows are trained on, and which the loss is watched on. None: all rows; 0 evaluation rows: none.

    `where` keeps rows by tag, as `sqlgauge run --where` does: 'complexity=basic SQL|single join'. `test` is the dataset
    whose `test_split` must not be trained on, by default the same one; `test_items` says what becomes of rows of it.
    """

    dataset: str
    train_split: str = "train"
    train_rows: int | None = None
    where: tuple[str, ...] = ()
    eval_split: str = "test"
    eval_rows: int = 0
    seed: int = 2024
    test: str = ""
    test_split: str = "test"
    test_items: Literal["refuse", "drop", "allow"] = "refuse"


@dataclass(frozen=True, slots=True, kw_only=True)
class FormatPart:
    """How a row becomes tokens. `pad` of 'eos' is the seed notebook's fault: no end token is learnt then."""

    prompt: str = "zero_shot"
    schema: str = "ddl"
    loss: Literal["completion", "all"] = "completion"
    pad: Literal["tokenizer", "eos"] = "tokenizer"
    max_length: int = 1024
    too_long: Literal["drop", "cut"] = "drop"


@dataclass(frozen=True, slots=True, kw_only=True)
class LoraPart:
    """The adapter (E. Hu et al., ICLR 2022)."""

    r: int = 64
    alpha: int = 64
    dropout: float = 0.05
    target_modules: tuple[str, ...] = LINEAR


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainPart:
    """The optimisation. A step is `batch_size` x `accumulation` rows."""

    steps: int = 1000
    batch_size: int = 1
    accumulation: int = 2
    optimizer: str = "paged_adamw_8bit"
    learning_rate: float = 2e-4
    schedule: str = "cosine"
    warmup_ratio: float = 0.03
    weight_decay: float = 0.05
    max_grad_norm: float = 0.3
    seed: int = 2024
    gradient_checkpointing: bool = True
    group_by_length: bool = False
    save_steps: int = 100
    eval_steps: int = 0
    log_steps: int = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """One fine-tuning run."""

    model: ModelPart
    data: DataPart
    format: FormatPart = field(default_factory=FormatPart)
    lora: LoraPart = field(default_factory=LoraPart)
    train: TrainPart = field(default_factory=TrainPart)


def recipe_names() -> list[str]:
    """The recipes that come with sqlgauge."""
    return sorted(path.stem for path in FOLDER.glob("*.yaml"))


def load_recipe(name: str, overrides: Sequence[str] = ()) -> Recipe:
    """A recipe by name or path, with 'part.key=value' overrides. Raises UsageError that lists every problem."""
    values = _flat(_read(name))
    problems = []
    for override in overrides:
        key, equals, text = override.partition("=")
        if not equals or "." not in key:
            problems.append(f"'{override}' is no override: it wants part.key=value, as in train.steps=100")
            continue
        try:
            values[key] = msgspec.yaml.decode(text.encode()) if text else ""
        except (msgspec.DecodeError, UnicodeDecodeError):
            values[key] = text
    known = {f"{part}.{key}": kind for part, keys in _keys().items() for key, kind in keys.items()}
    problems += [f"unknown key '{key}': {did_you_mean(key, known)}" for key in values if key not in known]
    problems += [f"'{key}' is missing" for key in ("model.spec", "data.dataset") if not values.get(key)]
    problems += [problem for key, value in values.items() if key in known for problem in _type(key, value, known[key])]
    if not problems:
        recipe = msgspec.convert(_nested(values), Recipe, strict=False)
        problems = list(_values(recipe))
        if not problems:
            return recipe
    listed = "\n  ".join(problems)
    raise UsageError(f"recipe {name} has problems:\n  {listed}", "See 'sqlgauge finetune --help'.")


def _read(name: str) -> dict[str, Any]:
    path = Path(name) if name.endswith((".yaml", ".yml")) else FOLDER / f"{name}.yaml"
    if not path.is_file():
        if path.parent == FOLDER:
            raise UnknownName("recipe", name, recipe_names())
        raise UsageError(f"no such recipe file: {name}", f"Built in: {', '.join(recipe_names())}.")
    try:
        return msgspec.yaml.decode(path.read_bytes(), type=dict[str, Any])
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise UsageError(
            f"{path}: {error}", "A recipe is YAML with the parts model, data, format, lora, train."
        ) from None


def _keys() -> dict[str, dict[str, Any]]:
    parts = get_type_hints(Recipe)
    assert all(map(is_dataclass, parts.values()))
    return {name: get_type_hints(part) for name, part in parts.items()}


def _flat(values: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for part, keys in values.items():
        found |= {f"{part}.{key}": value for key, value in keys.items()} if isinstance(keys, Mapping) else {part: keys}
    return found


def _nested(values: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    nested: dict[str, dict[str, Any]] = {part.name: {} for part in fields(Recipe)}
    for key, value in values.items():
        part, _, name = key.partition(".")
        nested[part][name] = value
    return nested


def _type(key: str, value: Any, kind: Any) -> list[str]:
    try:
        msgspec.convert(value, kind, strict=False)  # YAML takes 4e-4 for a text
    except msgspec.ValidationError as error:
        return [f"'{key}': {error}"]
    return []


def _values(recipe: Recipe) -> list[str]:
    train, data, form, lora = recipe.train, recipe.data, recipe.format, recipe.lora
    at_least_one = {"train.steps": train.steps, "train.batch_size": train.batch_size}
    at_least_one |= {"train.accumulation": train.accumulation, "lora.r": lora.r, "lora.alpha": lora.alpha}
    at_least_one |= {"train.save_steps": train.save_steps, "train.log_steps": train.log_steps}
    at_least_one |= {"format.max_length": form.max_length}
    if data.train_rows is not None:
        at_least_one["data.train_rows"] = data.train_rows
    problems = [f"'{key}' must be at least 1, not {value}" for key, value in at_least_one.items() if value < 1]
    from_zero: dict[str, float] = {"data.eval_rows": data.eval_rows, "train.eval_steps": train.eval_steps}
    from_zero |= {"train.weight_decay": train.weight_decay, "train.warmup_ratio": train.warmup_ratio}
    problems += [f"'{key}' must not be negative, not {value}" for key, value in from_zero.items() if value < 0]
    above_zero = {"train.learning_rate": train.learning_rate, "train.max_grad_norm": train.max_grad_norm}
    problems += [f"'{key}' must be above 0, not {value}" for key, value in above_zero.items() if value <= 0]
    if not 0 <= lora.dropout < 1:
        problems.append(f"'lora.dropout' must lie in [0, 1), not {lora.dropout}")
    if train.warmup_ratio > 1:
        problems.append(f"'train.warmup_ratio' must lie in [0, 1], not {train.warmup_ratio}")
    choices: dict[str, tuple[str, Sequence[str]]] = {
        "train.schedule": (train.schedule, SCHEDULES),
        "format.schema": (form.schema, list(SCHEMAS)),
        "data.dataset": (kind_of(data.dataset), list(DATASETS)),
        "data.test": (kind_of(data.test or data.dataset), list(DATASETS)),
        "model.spec": (recipe.model.spec.partition("/")[0], ("hf", "builtin")),
    }
    problems += [
        f"'{key}': no '{value}'. {did_you_mean(value, of)}" for key, (value, of) in choices.items() if value not in of
    ]
    if not TEMPLATES.has(form.prompt):
        problems.append(f"'format.prompt': no '{form.prompt}'. {did_you_mean(form.prompt, TEMPLATES.names())}")
    if "+" in recipe.model.spec:
        problems.append("'model.spec' names an adapter; a new one is trained on the base model alone")
    if train.eval_steps and not data.eval_rows:
        problems.append("'train.eval_steps' needs 'data.eval_rows'")
    return problems
