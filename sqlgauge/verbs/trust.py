"""What a score can be trusted for: the health of golds, overlap with training data, and a split of one's own."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from sqlgauge.verbs.common import Progress, silent

if TYPE_CHECKING:
    from benchmark.contamination.report import Comparison
    from benchmark.datasets import Dataset
    from benchmark.health import Health

#: The share of healthy items that `validate` asks for unless it is told otherwise.
THRESHOLD = 0.9


def validate(
    dataset: str,
    *,
    split: str = "test",
    limit: int | None = None,
    sample: int | None = None,
    seed: int = 0,
    where: Sequence[str] = (),
    out: Path | None = None,
    workers: int | None = None,
    progress: Progress = silent,
) -> tuple[Dataset, list[Health]]:
    """Run every gold of a split and say what is wrong with it; `out` gets health.jsonl and health.md."""
    from benchmark.datasets import load_dataset, select
    from benchmark.sqlengine.pool import Pool
    from benchmark.validate import check_examples
    from benchmark.validate.report import write_report

    chosen = select(load_dataset(dataset, split), limit=limit, sample=sample, seed=seed, where=where)
    found = []
    with Pool(workers) as pool:
        for done, health in enumerate(check_examples(chosen.examples, pool), 1):
            found.append(health)
            progress("validate", done, len(chosen.examples))
    if out is not None:
        write_report(Path(out), chosen, found)
    return chosen, found


def check_healthy(health: Sequence[Health], threshold: float = THRESHOLD) -> None:
    """Raise CheckFailed where fewer than this share of the items are healthy."""
    from benchmark.errors import CheckFailed
    from benchmark.health import healthy_share

    share = healthy_share(health)
    if share < threshold:
        raise CheckFailed(
            f"{share:.1%} of the items are healthy, and {threshold:.1%} are asked for",
            "Mend what is listed above, leave it out, or lower --threshold.",
        )


def contamination(
    train: str,
    test: str,
    *,
    train_split: str = "train",
    test_split: str = "test",
    out: Path | None = None,
    runs: Iterable[Path] = (),
    progress: Progress = silent,
) -> Comparison:
    """Which items of a test split a training split holds too; `out` gets the findings, `runs` those of their items."""
    from benchmark.contamination import find_overlaps, load_items
    from benchmark.contamination.keep import write_into
    from benchmark.contamination.report import Comparison, write_report
    from benchmark.store import find_runs

    folders = find_runs(runs) if runs else []
    train_name, train_items = load_items(train, train_split)
    test_name, test_items = load_items(test, test_split)
    found = Comparison(
        train=train_name,
        test=test_name,
        train_items=train_items,
        test_items=test_items,
        overlaps=find_overlaps(train_items, test_items, progress),
    )
    if out is not None:
        write_report(Path(out), found)
    for folder in folders:
        write_into(folder, found.overlaps)
    return found


def check_clean(found: Comparison, most: float) -> None:
    """Raise CheckFailed where more than this share of the test items may have been seen."""
    from benchmark.errors import CheckFailed
    from benchmark.overlap import counts

    number = counts(found.overlaps)
    if number["seen"] > most * number["items"]:
        raise CheckFailed(
            f"{number['seen']} of {number['items']} test items may have been seen, and {most:.1%} are allowed",
            "Train without them: 'sqlgauge finetune RECIPE data.test_items=drop'.",
        )


def dataset_init(database: Path, *, out: Path | None = None) -> tuple[Path, list[Health]]:
    """Draft a test split about a database: a JSON-lines file with worked examples that run. The file, their health."""
    from benchmark.validate.draft import draft_split

    place = Path(out) if out is not None else Path(f"{Path(database).stem}_questions.jsonl")
    return place, draft_split(Path(database), place)
