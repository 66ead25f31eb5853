"""Scoring run folders: many runs on the same examples together, as one stream through the SQL workers.

Promises: a statement that several runs predict for an example runs once; memory does not grow with the texts; an old
scores.jsonl is replaced in one step, when all new scores are there; verdicts that came with imported predictions stay.
Does not: need the dataset, a model or a key; the run folder holds all it takes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import replace
from itertools import groupby
from typing import Any

from benchmark.answers import Answers
from benchmark.errors import UsageError
from benchmark.metrics import score_records
from benchmark.sqlengine.pool import Pool
from benchmark.store import RunFolder, plain
from benchmark.terms import TERM_KEYS, Terms
from benchmark.types import RunManifest, Score
from benchmark.validate import health_of

#: Called as progress(stage, done, total).
Progress = Callable[[str, int, int], None]


def rescore(
    folders: Sequence[RunFolder], metrics: Sequence[str], terms: Terms, progress: Progress, workers: int | None = None
) -> None:
    """Score stored generations anew; each manifest notes the terms. Raises RunConflict, UsageError, UnknownName."""
    ordered = sorted(folders, key=_fingerprint)
    with Pool(workers) as pool:
        for _, group in groupby(ordered, key=_fingerprint):
            runs = list(group)
            with ExitStack() as locks:
                for run in runs:
                    locks.enter_context(run.writing())
                score_together(runs, metrics, terms, pool, progress)
                for run in runs:
                    run.write_manifest(scored_under(run.manifest(), terms))


def scored_under(manifest: RunManifest, terms: Terms) -> RunManifest:
    """The manifest of a run that was scored anew: its terms change, and those it was made under, which its id hashes,
    are kept in its provenance."""
    identity: dict[str, Any] = plain({**manifest.identity, **terms.identity()})
    provenance = dict(manifest.provenance)
    if identity != plain(manifest.identity):
        provenance.setdefault("made_under", {key: manifest.identity.get(key) for key in TERM_KEYS})
    return replace(manifest, identity=identity, provenance=provenance)


def score_together(
    runs: Sequence[RunFolder], metrics: Sequence[str], terms: Terms, pool: Pool, progress: Progress
) -> None:
    """Write the scores of runs that share their examples, and how sound those are; the caller holds their locks."""
    positions = {example.id: place for place, example in enumerate(runs[0].iter_examples())}
    if not positions:
        raise UsageError(f"{runs[0].path} holds no examples.jsonl", "Run it again; it is written at the start.")
    with ExitStack() as files:
        answers = [files.enter_context(Answers(run.path / "generations.jsonl", positions)) for run in runs]
        writers = [files.enter_context(run.new_scores()) for run in runs]
        items = ((example, [run.of(example.id) for run in answers]) for example in runs[0].iter_examples())
        external = [_external(run) for run in runs]
        scored = zip(runs[0].iter_examples(), score_records(items, metrics, terms, pool), strict=True)
        for done, (example, groups) in enumerate(scored, 1):
            for write, scores, given in zip(writers, groups, external, strict=True):
                write([*scores, *given.get(example.id, ())])
            progress("score", done, len(positions))
    _write_health(runs, pool)


def _write_health(runs: Sequence[RunFolder], pool: Pool) -> None:
    with ExitStack() as files:
        writers = [files.enter_context(run.new_health()) for run in runs]
        for health in health_of(runs[0].iter_examples, pool):
            for write in writers:
                write([health])


def _external(run: RunFolder) -> dict[str, list[Score]]:
    """A run's external verdicts by example."""
    found: dict[str, list[Score]] = {}
    for score in run.external():
        found.setdefault(score.example_id, []).append(score)
    return found


def _fingerprint(run: RunFolder) -> str:
    return str(run.manifest().identity["dataset"]["fingerprint"])
