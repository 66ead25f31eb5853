"""A run: dataset -> prompts -> model -> generations -> scores, into a run folder, resumable at any batch.

Promises: batches are cut from the full item list at a size fixed in the manifest, so a resumed run gives the texts of
an undisturbed one; what is on disk is never generated again, failed generations excepted.
Does not: ask judges; `sqlgauge.verbs` composes that.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import msgspec

from benchmark import provenance
from benchmark.config import RunConfig
from benchmark.contamination.keep import of_model, write_into
from benchmark.datasets import Dataset, load_dataset, select
from benchmark.errors import SqlgaugeError
from benchmark.identity import digest, slug
from benchmark.models import Model, open_model
from benchmark.models.base import failed, notes_of
from benchmark.models.file import FileModel
from benchmark.prompts import render, template_hash
from benchmark.scoring import Progress, score_together
from benchmark.sqlengine.pool import Pool
from benchmark.store import RunFolder, plain
from benchmark.types import Generation, Prompt, RunManifest


@dataclass(frozen=True, slots=True)
class Plan:
    """A run before it starts: everything is checked, nothing is loaded or written."""

    config: RunConfig
    dataset: Dataset
    model: Model
    prompts: tuple[Prompt, ...]
    manifest: RunManifest

    @property
    def folder(self) -> RunFolder:
        return RunFolder(Path(self.config.out) / self.manifest.run_id)


def plan(config: RunConfig) -> Plan:
    """Check the configuration, the dataset and the model. Raises UsageError and its kind before any work starts."""
    dataset = select(
        load_dataset(config.dataset, config.split),
        limit=config.limit,
        sample=config.sample,
        seed=config.seed,
        where=config.where,
    )
    template_hash(config.prompt)
    model = open_model(config.model, config.model_options, dataset.examples)
    prompts = tuple(render(example, config.prompt, config.schema) for example in dataset.examples)
    identity = plain(_identity(config, dataset, model))
    run_id = config.name or f"{slug(config.model)[:60]}--{slug(dataset.name)[:40]}--{digest(identity)[7:15]}"
    about = {**provenance.collect(), "dataset": {"licence": dataset.licence, "note": dataset.note}}
    return Plan(config, dataset, model, prompts, RunManifest(run_id=run_id, identity=identity, provenance=about))


def execute(plan: Plan, progress: Progress) -> RunFolder:
    """Generate what is missing, then score. Raises RunConflict, SqlgaugeError when every prompt fails, BudgetExceeded
    where the model's budget is reached (what was generated is stored, and nothing scored)."""
    folder = plan.folder
    if _missing(plan, folder):
        plan.model.prepare()
    with folder.writing():
        manifest = folder.claim(plan.manifest)
        versions = " ".join(f"{package}={version}" for package, version in provenance.versions().items())
        folder.log(f"started with {len(_missing(plan, folder))} of {len(plan.prompts)} items to generate; {versions}")
        folder.write_examples(plan.dataset.examples)
        write_into(folder, of_model(plan.config.model))
        if isinstance(plan.model, FileModel):
            folder.write_external(plan.model.external)
        generations = _generate(plan, folder, progress)
        with Pool(plan.config.workers) as pool:
            score_together([folder], plan.config.metrics, plan.config.terms, pool, progress)
        finished = _finished(manifest, plan, generations)
        folder.write_manifest(finished)
        folder.log(f"ended: {dict(finished.counts)}")
    return folder


def _identity(config: RunConfig, dataset: Dataset, model: Model) -> dict[str, Any]:
    about = model.identity()
    return {
        "model": about,
        "dtype": about.get("dtype"),
        "dataset": {
            "name": dataset.name,
            "split": dataset.split,
            "fingerprint": dataset.fingerprint,
            "n": len(dataset.examples),
            "dialect": "+".join(sorted({example.dialect for example in dataset.examples})),
        },
        "prompt": _prompt_identity(config) if model.prompted else None,
        "decoding": msgspec.to_builtins(config.decoding) if model.prompted else None,
        "batch_size": model.batch_size if model.prompted else None,
        **config.terms.identity(),
    }


def _prompt_identity(config: RunConfig) -> dict[str, str]:
    return {"name": Path(config.prompt).name, "hash": template_hash(config.prompt), "schema": config.schema}


def cut_batches(prompts: Sequence[Prompt], size: int) -> list[list[Prompt]]:
    """All prompts in batches of similar length, longest first: little padding, and trouble with memory comes early."""
    ordered = sorted(prompts, key=lambda prompt: (-sum(len(m.content) for m in prompt.messages), prompt.example_id))
    return [ordered[start : start + size] for start in range(0, len(ordered), size)]


def _generate(plan: Plan, folder: RunFolder, progress: Progress) -> list[Generation]:
    done = {g.example_id: g for g in folder.generations() if g.error is None}
    progress("generate", len(done), len(plan.prompts))
    for batch in cut_batches(plan.prompts, plan.model.batch_size):
        missing = {prompt.example_id for prompt in batch} - done.keys()
        if not missing:
            continue
        alone = getattr(plan.model, "independent", False)  # then nobody pays for the rest of a batch again
        asked = [prompt for prompt in batch if prompt.example_id in missing] if alone else batch
        fresh = [g for g in _ask(plan, asked) if g.example_id in missing]
        folder.append_generations(fresh)
        if (refusal := getattr(plan.model, "over_budget", None)) is not None:
            folder.log(f"stopped: {refusal}")
            raise refusal
        for note in notes_of(plan.model):
            folder.log(note)
        for error in (g.error for g in fresh if g.error is not None):
            folder.log(f"an item failed: {error.type}: {error.message.splitlines()[0] if error.message else ''}")
        _stop_if_hopeless(plan, fresh, done)
        done.update({g.example_id: g for g in fresh})
        progress("generate", len(done), len(plan.prompts))
    return [done[prompt.example_id] for prompt in plan.prompts]


def _missing(plan: Plan, folder: RunFolder) -> set[str]:
    """Ids of the items that have no answer yet, or a failed one."""
    answered = {generation.example_id for generation in folder.generations() if generation.error is None}
    return {prompt.example_id for prompt in plan.prompts} - answered


def _ask(plan: Plan, batch: list[Prompt]) -> list[Generation]:
    """A batch's generations. A back-end that raises has failed on each of its prompts; that is recorded, not scored."""
    try:
        return plan.model.generate(batch, plan.config.decoding)
    except SqlgaugeError:
        raise
    except Exception as error:  # noqa: BLE001 - whatever a back-end raises is recorded
        return [failed(prompt, error, retryable=True) for prompt in batch]


def _stop_if_hopeless(plan: Plan, fresh: Sequence[Generation], done: Mapping[str, Generation]) -> None:
    if done or not fresh or any(generation.error is None for generation in fresh):
        return
    error = fresh[0].error
    assert error is not None
    raise SqlgaugeError(
        f"{plan.config.model} failed on every prompt of the first batch: {error.type}: {error.message}",
        "Nothing was scored. Mend the cause and run the same command again; it goes on where it stopped.",
    )


def _finished(manifest: RunManifest, plan: Plan, generations: Sequence[Generation]) -> RunManifest:
    errors = sum(generation.error is not None for generation in generations)
    counts = {"examples": len(plan.prompts), "generations": len(generations), "errors": errors}
    return replace(manifest, counts=counts, complete=errors == 0)
