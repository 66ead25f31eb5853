"""A run: dataset -> prompts -> model -> generations -> scores, into a run folder, resumable at any batch.

Promises: batches are cut from the full item list at a size fixed in the manifest, so a resumed run gives the texts of
an undisturbed one; what is on disk is never generated again, failed generations excepted.
Does not: ask judges; `sqlgauge.verbs` composes that.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import msgspec

from benchmark import adapters, provenance
from benchmark.asking import Asked, ask, refusals
from benchmark.config import RunConfig
from benchmark.contamination.keep import of_model, write_into
from benchmark.datasets import Dataset, load_dataset, select
from benchmark.datasets.table import mapped
from benchmark.files import line_of, write_atomically
from benchmark.generating import Questions, generate, missing
from benchmark.identity import digest, slug
from benchmark.models import Model, open_model
from benchmark.models.file import FileModel
from benchmark.prompts import template_hash
from benchmark.recipe import recipe_of
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
    asked: Asked
    manifest: RunManifest

    @property
    def prompts(self) -> tuple[Prompt, ...]:
        """One an item, but for items whose schema does not fit."""
        return self.asked.prompts

    @property
    def questions(self) -> Questions:
        decoding, samples = self.config.decoding, self.config.n if self.model.prompted else 1
        return Questions(model=self.model, prompts=self.prompts, decoding=decoding, samples=samples)

    @property
    def folder(self) -> RunFolder:
        return RunFolder(Path(self.config.out) / self.manifest.run_id)


def plan(config: RunConfig, opened: Model | None = None) -> Plan:
    """Check the configuration, the dataset and the model, which is `opened` where it is here already.

    Raises UsageError and its kind before any work starts.
    """
    dataset = select(
        load_dataset(mapped(config.dataset, config.map), config.split),
        limit=config.limit,
        sample=config.sample,
        seed=config.seed,
        where=config.where,
    )
    template_hash(config.prompt)
    model = opened or open_model(config.model, config.model_options, dataset.examples)
    asked = ask(config, dataset, model)
    identity = plain(_identity(config, dataset, model, asked))
    run_id = config.name or f"{slug(config.model)[:60]}--{slug(dataset.name)[:40]}--{digest(identity)[7:15]}"
    origin = {"licence": dataset.licence, "note": dataset.note}
    about = {**provenance.collect(), "dataset": origin, "config": recipe_of(config)}
    return Plan(config, dataset, model, asked, RunManifest(run_id=run_id, identity=identity, provenance=about))


def execute(plan: Plan, progress: Progress, max_errors: float = 1.0) -> RunFolder:
    """Generate what is missing, then score. Raises RunConflict, SqlgaugeError when every prompt fails, BudgetExceeded
    where the model's budget is reached or more than the share `max_errors` of the answers failed (what was generated is
    stored, and nothing scored)."""
    folder = plan.folder
    questions = plan.questions
    if missing(questions, folder):
        plan.model.prepare()
    with folder.writing():
        manifest = folder.claim(plan.manifest)
        versions = " ".join(f"{package}={version}" for package, version in provenance.versions().items())
        folder.log(
            f"started with {missing(questions, folder)} of {len(questions.keys)} answers to generate; {versions}"
        )
        folder.write_examples(plan.dataset.examples)
        write_into(folder, of_model(plan.config.model))
        adapters.keep(folder, plan.config.model)
        if isinstance(plan.model, FileModel):
            folder.write_external(plan.model.external)
        _keep_shown(plan.asked, folder)
        generations = [*generate(questions, folder, progress, max_errors), *_refuse(plan, folder)]
        with Pool(plan.config.workers) as pool:
            score_together([folder], plan.config.metrics, plan.config.terms, pool, progress)
        finished = _finished(manifest, plan, generations)
        folder.write_manifest(finished)
        folder.log(f"ended: {dict(finished.counts)}")
    return folder


def _keep_shown(asked: Asked, folder: RunFolder) -> None:
    """Keep what each prompt shows, where that was a matter of choice."""
    for note in asked.notes:
        folder.log(note)
    if asked.notes:
        write_atomically(folder.path / "prompts.jsonl", b"".join(map(line_of, asked.shown)))


def _refuse(plan: Plan, folder: RunFolder) -> list[Generation]:
    """The failures of items whose schemas do not fit, kept once."""
    failures = refusals(plan.asked, plan.questions.samples)
    known = {(one.example_id, one.sample) for one in folder.generations()} if failures else set()
    folder.append_generations(one for one in failures if (one.example_id, one.sample) not in known)
    return failures


def _identity(config: RunConfig, dataset: Dataset, model: Model, asked: Asked) -> dict[str, Any]:
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
        "prompt": {**_prompt_identity(config), **asked.identity} if model.prompted else None,
        "decoding": _decoding_identity(config) if model.prompted else None,
        "batch_size": model.batch_size if model.prompted else None,
        **config.terms.identity(),
    }


def _decoding_identity(config: RunConfig) -> dict[str, Any]:
    """How tokens are chosen, and how often an item is asked where that is more than once."""
    found: dict[str, Any] = msgspec.to_builtins(config.decoding)
    found.pop("sample")
    return found if config.n == 1 else {**found, "samples": config.n}


def _prompt_identity(config: RunConfig) -> dict[str, str]:
    return {"name": Path(config.prompt).name, "hash": template_hash(config.prompt), "schema": config.schema}


def _finished(manifest: RunManifest, plan: Plan, generations: Sequence[Generation]) -> RunManifest:
    errors = sum(generation.error is not None for generation in generations)
    counts = {"examples": len(plan.dataset.examples), "generations": len(generations), "errors": errors}
    return replace(manifest, counts=counts | plan.asked.counts, complete=errors == 0)
