"""The prompts of a run: schemas rendered and fitted into their budget, examples chosen from a train split.

Promises: whatever changes a prompt beside its template is in `identity`, and only where it is used; what was left out
of a schema is told for every item; an item whose schema fits no budget has no prompt, and is told as a failure.
Does not: call a model, but to have it count tokens.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from benchmark.config import RunConfig
from benchmark.datasets import Dataset, load_dataset
from benchmark.datasets.table import mapped
from benchmark.errors import UsageError
from benchmark.fitting import ESTIMATE, ORDER, Budget, Fitted, estimated_tokens, fit
from benchmark.identity import digest
from benchmark.models import Model
from benchmark.prompts import render
from benchmark.shots import choose_shots
from benchmark.types import Example, Failure, Generation, Prompt

TRAIN = "train"


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What stands in one item's prompt: tokens of its schema (0: not counted), what was left out of it, in order,
    whether it fits, the examples' ids, and what was left out of their schemas."""

    example_id: str
    schema_tokens: int
    steps: tuple[str, ...]
    fits: bool
    shots: tuple[str, ...] = ()
    shot_steps: tuple[tuple[str, ...], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A run's prompts, without those of items that do not fit. `notes` are lines for people; `counted` says that there
    is a budget which such items fail."""

    prompts: tuple[Prompt, ...]
    shown: tuple[Shown, ...]
    identity: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    counted: bool = False

    @property
    def counts(self) -> dict[str, int]:
        """How many schemas had something left out, and how many did not fit; nothing without a budget."""
        if not self.counted:
            return {}
        pruned = sum(bool(one.steps) and one.fits for one in self.shown)
        return {"schemas_pruned": pruned, "schemas_too_long": len(self.unfit)}

    @property
    def unfit(self) -> tuple[Shown, ...]:
        return tuple(one for one in self.shown if not one.fits and self.counted)


def ask(config: RunConfig, dataset: Dataset, model: Model) -> Asked:
    """The prompts for a dataset. Raises UsageError where nothing fits, or no examples can be had."""
    budget = _budget(config, model)
    fitted = _Fitting(config, budget)
    chosen, about_shots = _shots(config, dataset, fitted)
    shown, prompts = [], []
    for example, shots in zip(dataset.examples, chosen, strict=True):
        of_schema = fitted(example)
        shown.append(
            Shown(
                example_id=example.id,
                schema_tokens=of_schema.tokens,
                steps=of_schema.steps,
                fits=of_schema.fits,
                shots=tuple(shot.id for shot in shots),
                shot_steps=tuple(fitted(shot).steps for shot in shots) if budget is not None else (),
            )
        )
        if of_schema.fits or not model.prompted:  # a look-up of answers reads none of it
            prompts.append(render(example, config.prompt, shots=shots, show=lambda one: fitted(one).text))
    if not prompts:
        raise UsageError(
            f"no schema of {dataset.name} fits into {config.schema_tokens} tokens", "Raise --schema-tokens."
        )
    return Asked(
        prompts=tuple(prompts),
        shown=tuple(shown),
        identity=_identity(config, budget, about_shots),
        notes=tuple(_notes(config, budget, shown, about_shots)),
        counted=budget is not None and model.prompted,
    )


def refusals(asked: Asked, samples: int) -> list[Generation]:
    """The outcome of items whose schema does not fit: a failure of every sample, which no score counts."""
    return [
        Generation(
            example_id=one.example_id,
            text="",
            finish_reason="error",
            sample=sample,
            error=Failure(
                type="SchemaTooLong",
                message=f"its schema has {one.schema_tokens} tokens even so: {'; '.join(one.steps) or 'as it is'}",
            ),
        )
        for one in asked.unfit
        for sample in range(samples)
    ]


class _Fitting:
    """Schemas within a run's budget, each fitted once."""

    def __init__(self, config: RunConfig, budget: Budget | None) -> None:
        self._config = config
        self._budget = budget
        self._known: dict[tuple[str, str | None, str, str | None], Fitted] = {}

    def __call__(self, example: Example) -> Fitted:
        key = example.question, example.evidence, example.schema_sql, example.db
        if key not in self._known:
            self._known[key] = fit(example, self._config.schema, self._config.schema_rows, self._budget)
        return self._known[key]


def _budget(config: RunConfig, model: Model) -> Budget | None:
    if config.schema_tokens is None:
        return None
    if model.count_tokens(_bare("SELECT")) is None:
        return Budget(most=config.schema_tokens, count=estimated_tokens, counted_by=ESTIMATE)
    return Budget(
        most=config.schema_tokens, count=lambda text: model.count_tokens(_bare(text)) or 0, counted_by="model"
    )


def _bare(text: str) -> Prompt:
    """A text as a model reads it, without a template around it."""
    return Prompt(example_id="", messages=(), template="", template_hash="", text=text)


def _shots(
    config: RunConfig, dataset: Dataset, fitted: _Fitting
) -> tuple[Sequence[tuple[Example, ...]], dict[str, Any] | None]:
    """The examples before each item's question, and what a run's identity says of them."""
    if not config.shots:
        return [()] * len(dataset.examples), None
    train, split = _splits(config)
    chosen = choose_shots(
        train.examples,
        dataset.examples,
        config.shots,
        by=config.shots_by,
        seed=config.seed,
        usable=lambda shot: fitted(shot).fits,
        split=split,
    )
    ids = {example.id: [shot.id for shot in shots] for example, shots in zip(dataset.examples, chosen, strict=True)}
    about = {"k": config.shots, "by": config.shots_by, "from": train.name, "fingerprint": train.fingerprint}
    return chosen, {**about, "chosen": digest(ids)}


def _splits(config: RunConfig) -> tuple[Dataset, tuple[Example, ...]]:
    """The split that examples come from, and the whole one that is asked about. UsageError if both are one."""
    test = mapped(config.dataset, config.map)
    spec = config.shots_from or test
    train = load_dataset(spec, TRAIN)
    asked = load_dataset(test, config.split).examples
    if train.examples == asked:
        raise UsageError(
            f"the examples of --shots come from a train split only, and {spec} has none beside the items asked about",
            "Name another dataset as --shots-from, such as jsonl:train.jsonl.",
        )
    return train, asked


def _identity(config: RunConfig, budget: Budget | None, shots: Mapping[str, Any] | None) -> dict[str, Any]:
    """What changes a prompt, where it is used: old runs knew none of it and keep their names."""
    rows = {"rows": config.schema_rows} if config.schema == "rows" else {}
    fits = (
        {}
        if budget is None
        else {"schema_tokens": {"most": budget.most, "counted_by": budget.counted_by, "order": ORDER}}
    )
    return {**rows, **fits, **({} if shots is None else {"shots": dict(shots)})}


def _notes(
    config: RunConfig, budget: Budget | None, shown: Sequence[Shown], shots: Mapping[str, Any] | None
) -> list[str]:
    """What was done to prompts, for the log and the terminal."""
    notes = []
    if shots is not None:
        notes.append(f"{shots['k']} {shots['by']} examples before each question, from {shots['from']}")
    if budget is not None:
        last = Counter(_word(one.steps[-1]) for one in shown if one.steps and one.fits)
        pruned = ", ".join(f"{number} {step}" for step, number in sorted(last.items())) or "none shortened"
        long = sum(not one.fits for one in shown)
        notes.append(
            f"schemas in at most {budget.most} tokens (counted by {budget.counted_by}), {len(shown)} items: {pruned}"
            f"{f'; {long} do not fit and are errors' if long else ''}"
        )
    return notes


def _word(step: str) -> str:
    return "without some tables" if step.startswith("without ") else step if step == "compact" else f"with {step}"
