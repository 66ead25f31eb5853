"""Overlap as files and as text: JSON lines for machines, a page in Markdown, a summary for a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmark.contamination.texts import Item
from benchmark.files import line_of, write_atomically
from benchmark.markdown import cell, table
from benchmark.overlap import MEANING, SEEN, Overlap, counts

#: Pairs that the summary shows; the page shows all.
SHOWN = 5
FILES = ("contamination.jsonl", "contamination.md")


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """A training and a test split, and what each test item has in common with the former."""

    train: str
    test: str
    train_items: Sequence[Item]
    test_items: Sequence[Item]
    overlaps: Sequence[Overlap]


def write_report(folder: Path, found: Comparison) -> list[Path]:
    """Write both files into a folder, made if need be."""
    folder.mkdir(parents=True, exist_ok=True)
    lines, page = (folder / name for name in FILES)
    write_atomically(lines, b"".join(map(line_of, found.overlaps)))
    write_atomically(page, ("\n".join(_page(found)) + "\n").encode())
    return [lines, page]


def as_json(found: Comparison) -> dict[str, Any]:
    """The figures, and every test item with any overlap."""
    number = counts(found.overlaps)
    return {
        "train": found.train,
        "test": found.test,
        "train_items": len(found.train_items),
        "test_items": number["items"],
        "seen": number["seen"],
        "seen_share": number["seen"] / number["items"] if number["items"] else 0.0,
        "kinds": {kind: number[kind] for kind in MEANING},
        "overlaps": [
            {"id": one.example_id, "seen": one.seen, "kinds": dict(one.kinds), "similarity": one.similarity}
            for one in found.overlaps
            if one.kinds
        ],
    }


def summary(found: Comparison) -> list[str]:
    """Lines for a terminal."""
    number = counts(found.overlaps)
    lines = [f"{found.test} by {found.train} ({len(found.train_items)} items): {_share(number)}"]
    lines += [f"  {kind:<16} {number[kind]:>6}  {meaning}" for kind, meaning in MEANING.items()]
    for _, kinds, test, train in _pairs(found)[:SHOWN]:
        lines += [f"  {kinds}", f"    {test.id}: {' '.join(test.question.split())}",
                  f"    {train.id}: {' '.join(train.question.split())}"]  # fmt: skip
    return lines


def _share(number: Mapping[str, int]) -> str:
    share = number["seen"] / number["items"] if number["items"] else 0.0
    return f"{number['seen']} of {number['items']} items may have been seen ({share:.2%})"


def _pairs(found: Comparison) -> list[tuple[Overlap, str, Item, Item]]:
    """Each seen item with its kinds and the training item of the surest of them."""
    train, test = ({item.id: item for item in items} for items in (found.train_items, found.test_items))
    seen = [(one, [kind for kind in MEANING if kind in one.kinds]) for one in found.overlaps if one.seen]
    return [
        (one, ", ".join(kinds), test[one.example_id], train[one.kinds[next(kind for kind in kinds if kind in SEEN)]])
        for one, kinds in seen
    ]


def _page(found: Comparison) -> Iterator[str]:
    number = counts(found.overlaps)
    yield f"# {cell(found.test)} by {cell(found.train)}\n"
    yield f"{_share(number)}; {len(found.train_items)} training items.\n"
    kinds = [(kind, number[kind], meaning) for kind, meaning in MEANING.items()]
    yield from table(("kind", "items", "what a training item has too"), kinds)
    pairs = [(test.id, kinds, test.question, train.id, train.question) for _, kinds, test, train in _pairs(found)]
    if pairs:
        yield "\n## Items that may have been seen\n"
        yield from table(("test item", "kinds", "its question", "training item", "its question"), pairs)
