"""A guard between training and test: no test item is trained on unless that is asked for, and overlap is written down.

Promises: what is found goes into the adapter's manifest, whatever was allowed; where nothing could be checked, the
manifest says so and why.
Does not: know test splits that nobody names; the dataset's own is the default (`data.test`).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from benchmark.contamination import as_items, find_overlaps, items_of_test
from benchmark.datasets import Dataset, load_dataset
from benchmark.errors import DatasetError, UsageError
from benchmark.overlap import Overlap, counts
from finetune.config import DataPart


@dataclass(frozen=True, slots=True, kw_only=True)
class Guard:
    """What was checked, and found: `same` training rows are test items, `dropped` of them were left out.

    `unchecked` says why nothing could be checked; it is empty where something was.
    """

    test: str = ""
    fingerprint: str = ""
    policy: str = "refuse"
    same: int = 0
    dropped: int = 0
    overlaps: tuple[Overlap, ...] = ()
    unchecked: str = ""

    def record(self) -> dict[str, Any]:
        """The guard as a manifest keeps it."""
        if self.unchecked:
            return {"test_items": self.policy, "unchecked": self.unchecked}
        found: dict[str, Any] = {"test": self.test, "fingerprint": self.fingerprint, "test_items": self.policy}
        return {**found, "same_items": self.same, "dropped": self.dropped, **counts(self.overlaps)}


def guarded(train: Dataset, data: DataPart) -> tuple[Dataset, Guard]:
    """The rows that may be trained on, and what they have in common with the test. Raises UsageError, DatasetError."""
    test = _test_split(data)
    if isinstance(test, str):
        return train, Guard(policy=data.test_items, unchecked=test)
    test_items = as_items(test.examples)
    same = items_of_test(as_items(train.examples), test_items)
    if same and data.test_items == "refuse":
        raise _refusal(train, test, same)
    dropped = same if data.test_items == "drop" else {}
    kept = replace(train, examples=tuple(one for one in train.examples if one.id not in dropped))
    if not kept.examples:
        raise UsageError(f"every row of {train.name} is an item of {test.name}", "Choose another data.train_split.")
    overlaps = find_overlaps(as_items(kept.examples), test_items)
    return kept, Guard(
        test=test.name,
        fingerprint=test.fingerprint,
        policy=data.test_items,
        same=len(same),
        dropped=len(dropped),
        overlaps=tuple(overlaps),
    )


def _refusal(train: Dataset, test: Dataset, same: dict[str, str]) -> UsageError:
    shown = ", ".join(f"{train_id} is {test_id}" for train_id, test_id in list(same.items())[:3])
    return UsageError(
        f"{len(same)} of {len(train.examples)} training rows of {train.name} are items of {test.name} ({shown})",
        "data.test_items=drop trains without them; data.test_items=allow trains on them, and the manifest says so.",
    )


def _test_split(data: DataPart) -> Dataset | str:
    """The test split to keep clear of, or why there is none. A split that the recipe names must be there."""
    if data.test:
        return load_dataset(data.test, data.test_split)
    if data.train_split == data.test_split:
        return load_dataset(data.dataset, data.test_split)
    try:
        test = load_dataset(data.dataset, data.test_split)
    except DatasetError as error:
        return f"{data.dataset} has no {data.test_split} split that can be read ({error}); name one as data.test"
    if test.examples == load_dataset(data.dataset, data.train_split).examples:
        return f"{data.dataset} is one file without splits; name a test split as data.test"
    return test
