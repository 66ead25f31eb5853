"""What a dataset is, how a spec string names one, and how rows are chosen from it.

Promises: a fingerprint covers every byte that a score depends on, and not the order of the file; a sample depends on
the seed and the ids alone, so it is the same on every machine and with every library version.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from benchmark.errors import DatasetError, UsageError, did_you_mean
from benchmark.identity import digest, file_digest
from benchmark.registry import load
from benchmark.types import Example

REGISTRY = {
    "bird": "benchmark.datasets.bird:load_bird",
    "builtin": "benchmark.datasets.builtin:load_builtin",
    "csv": "benchmark.datasets.table:load_csv",
    "gretel": "benchmark.datasets.gretel:load_gretel",
    "jsonl": "benchmark.datasets.table:load_jsonl",
    "parquet": "benchmark.datasets.table:load_parquet",
    "spider": "benchmark.datasets.spider:load_spider",
}
#: Those that take a revision.
ON_THE_HUB = ("gretel",)


@dataclass(frozen=True, slots=True, kw_only=True)
class Dataset:
    """A named split: its examples in order, its licence, and what a reader of a score must know about it."""

    name: str
    split: str
    examples: tuple[Example, ...]
    licence: str
    note: str = ""

    @property
    def fingerprint(self) -> str:
        """The tagged hash of all examples, whatever their order; a database file counts by its bytes, not its place."""
        paths = {example.db for example in self.examples if example.db is not None}
        files = {path: file_digest(Path(path)) for path in paths}
        placeless = (one if one.db is None else replace(one, db=files[one.db]) for one in self.examples)
        return digest(sorted(map(digest, placeless)))


def kind_of(spec: str) -> str:
    """What kind of dataset a spec string names.

    >>> kind_of("gretel@abc"), kind_of("jsonl:a@b.jsonl")
    ('gretel', 'jsonl')
    """
    return spec.partition(":")[0].partition("@")[0]


def load_dataset(spec: str, split: str = "test") -> Dataset:
    """The split that a spec string names: 'builtin', 'gretel@REVISION', 'jsonl:PATH'. Raises UnknownName, DatasetError.

    A revision is a commit, a tag or a branch of a dataset on the Hub.
    """
    before, _, argument = spec.partition(":")
    kind, at, revision = before.partition("@")
    loader = load("dataset", REGISTRY, kind)
    if at and (kind not in ON_THE_HUB or argument or not revision):
        raise UsageError(
            f"'{spec}' names no revision of a dataset on the Hub", f"Those are read as {'@REV, '.join(ON_THE_HUB)}@REV."
        )
    dataset: Dataset = loader(argument, split, revision) if at else loader(argument, split)
    if not dataset.examples:
        raise DatasetError(f"dataset {spec} has no rows in split '{split}'", "Check the path and --split.")
    repeated = _first_repeated([example.id for example in dataset.examples])
    if repeated is not None:
        raise DatasetError(f"dataset {spec} has the id '{repeated}' more than once", "Give every row its own id.")
    return dataset


def select(
    dataset: Dataset,
    *,
    limit: int | None = None,
    sample: int | None = None,
    seed: int = 0,
    where: Sequence[str] = (),
) -> Dataset:
    """A part of a dataset: `where` filters by 'tag=value' or 'tag=one|another', all of which must hold; `sample` draws
    that many, `limit` takes the first ones.

    The name says what was done, in the order in which it was done: 'builtin/test@30:seed=2024'; a part of that part is
    'builtin/test@30:seed=2024[complexity=CTEs]@first2'. Raises UsageError.
    """
    if min(1 if limit is None else limit, 1 if sample is None else sample) < 1:
        raise UsageError("--limit and --sample must be 1 or more", "Leave them out for all rows.")
    examples, name = list(dataset.examples), dataset.name
    for condition in where:
        tag, equals, value = condition.partition("=")
        _check_tag(dataset, condition, tag, equals)
        wanted = value.split("|")
        examples = [example for example in examples if example.tags.get(tag) in wanted]
        name += f"[{condition}]"
    if not examples:
        raise UsageError(f"--where {' '.join(where)} leaves no row of {dataset.name}", "Look at the tag's values.")
    if sample is not None:
        drawn = sorted(examples, key=lambda example: hashlib.sha256(f"{seed}:{example.id}".encode()).digest())
        kept = {example.id for example in drawn[:sample]}
        examples = [example for example in examples if example.id in kept]
        name += f"@{len(examples)}:seed={seed}"
    if limit is not None and limit < len(examples):
        examples = examples[:limit]
        name += f"@first{limit}"
    return replace(dataset, name=name, examples=tuple(examples))


def _check_tag(dataset: Dataset, condition: str, tag: str, equals: str) -> None:
    tags = {name for example in dataset.examples for name in example.tags}
    if not equals:
        raise UsageError(f"--where wants tag=value, not '{condition}'", f"Tags: {', '.join(sorted(tags))}.")
    if tag not in tags:
        hint = did_you_mean(tag, tags) if tags else "Its rows carry no tags; leave the condition out."
        raise UsageError(f"{dataset.name} has no tag '{tag}'", hint)


def _first_repeated(ids: Sequence[str]) -> str | None:
    seen: set[str] = set()
    for one in ids:
        if one in seen:
            return one
        seen.add(one)
    return None
