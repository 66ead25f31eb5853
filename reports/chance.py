"""What chance moves: the samples of one run, and runs that differ in nothing but their seeds.

Promises: draws are compared on the items that all of them have a value for, without those that leave the headline.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from benchmark.identity import digest
from benchmark.samples import METRIC, sample_figures
from benchmark.stats.clustered import Estimate
from benchmark.stats.components import Components, components
from benchmark.store import plain
from reports.figures import Cell, Chance
from reports.names import shown_model
from reports.reading import FloatArray, Items, RunData


def chance_of(
    runs: Sequence[RunData], leading: Mapping[str, FloatArray], vacuous: frozenset[int], items: Items, headline: str
) -> tuple[Chance, ...]:
    """Runs with several samples an item, then groups of runs that only seeds tell apart, each in the order given.

    `leading` is each run's headline by item, shape (items,), NaN where it has no value, by run id.
    """
    sampled = (_of_samples(run, vacuous, items) for run in runs) if headline == METRIC else ()
    return (*(one for one in sampled if one is not None), *_of_seeds(runs, leading, items))


def _of_samples(run: RunData, vacuous: frozenset[int], items: Items) -> Chance | None:
    telling = {key: items.groups[place] for key, place in items.places.items() if place not in vacuous}
    found = sample_figures(run.sampled, telling) if run.sampled else None
    if found is None:
        return None
    return _chance(
        [run],
        found.spread,
        pass_at={str(k): _cell(estimate) for k, estimate in found.pass_at.items()},
        majority=_cell(found.majority),
    )


def _of_seeds(runs: Sequence[RunData], leading: Mapping[str, FloatArray], items: Items) -> list[Chance]:
    groups: dict[str, dict[str, RunData]] = defaultdict(dict)
    for run in runs:
        rest, seeds = without_seeds(run)
        if seeds and run.manifest.run_id in leading:
            groups[digest(rest)].setdefault(seeds, run)
    found = []
    for group in groups.values():
        if len(group) < 2:
            continue
        table = np.stack([leading[run.manifest.run_id] for run in group.values()])
        common = np.flatnonzero(np.isfinite(table).all(axis=0))
        clusters = [items.groups[place] for place in common.tolist()]
        if clusters:
            found.append(_chance(list(group.values()), components(table[:, common], clusters), seeds=tuple(group)))
    return found


def without_seeds(run: RunData) -> tuple[Any, str]:
    """A run's identity without the seeds of its decoding and of its adapter's training, and those, '' without any.

    An adapter of ours is known by its training, recipe and data, instead of by its weights.
    """
    identity: dict[str, Any] = plain(run.manifest.identity)
    decoding = identity.get("decoding")
    sampling = decoding.pop("seed", None) if isinstance(decoding, dict) else None
    recipe = run.training.get("recipe")
    train = recipe.get("train") if isinstance(recipe, Mapping) else None
    model = identity.get("model")
    if not isinstance(train, Mapping) or not isinstance(recipe, Mapping) or not isinstance(model, dict):
        return identity, "" if sampling is None else str(sampling)
    for key in ("spec", "adapter"):
        model.pop(key, None)
    unseeded = {**recipe, "train": {key: value for key, value in train.items() if key != "seed"}}
    seeds = f"{train.get('seed')}" + ("" if sampling is None else f"/{sampling}")
    return [identity, {**run.training, "recipe": unseeded}], seeds


def _chance(runs: Sequence[RunData], found: Components, **more: Any) -> Chance:
    return Chance(
        model=shown_model(str(runs[0].manifest.identity["model"]["spec"])),
        run_ids=tuple(run.manifest.run_id for run in runs),
        draws=found.draws,
        mean=_cell(found.mean),
        chance=found.chance,
        low=found.low,
        high=found.high,
        items=found.items,
        **more,
    )


def _cell(found: Estimate) -> Cell:
    """An estimate over clusters as a figure; t intervals are cut to [0, 1], outside of which there is no accuracy."""
    low, high = np.clip([found.low, found.high], 0, 1).tolist()  # NaN stays
    return Cell(value=found.value, n=found.n, low=low, high=high)
