"""What is wrong with the wrong answers of a table's runs, counted by category.

Promises: an answer to several golds is held against the one it is nearest to; a gold is taken apart once for all runs.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence

from benchmark.taxonomy import classify
from reports.figures import ErrorCount
from reports.reading import Items, RunData, Wrong

EXAMPLES = 5
Found = tuple[int, int, tuple[str, ...]]  # run, place of the item, categories


def count_errors(runs: Sequence[RunData], items: Items) -> list[dict[str, ErrorCount]]:
    """For each run its wrong answers by category."""
    main: list[Counter[str]] = [Counter() for _ in runs]
    every: list[Counter[str]] = [Counter() for _ in runs]
    places: list[dict[str, set[int]]] = [defaultdict(set) for _ in runs]
    for run, place, categories in classified(runs, items):
        main[run][categories[0]] += 1
        every[run].update(categories)
        places[run][categories[0]].add(place)
    ids = items.ids
    return [
        {
            name: ErrorCount(
                main=first[name], any=all_of[name], examples=tuple(sorted(ids[one] for one in where[name])[:EXAMPLES])
            )
            for name in sorted(all_of)
        }
        for first, all_of, where in zip(main, every, places, strict=True)
    ]


def classified(runs: Sequence[RunData], items: Items) -> Iterator[Found]:
    """Every wrong answer with its categories, item by item, so that what several runs say is taken apart once."""
    wrong = [(answer.place, number, answer) for number, run in enumerate(runs) for answer in run.wrong]
    for place, number, answer in sorted(wrong, key=lambda found: found[:2]):
        yield number, place, categories_of(answer, items.golds[place] or ("",), items.dialects[place])


def categories_of(answer: Wrong, golds: Sequence[str], dialect: str) -> tuple[str, ...]:
    """Against the gold that the answer is nearest to: the one with the fewest categories."""
    return min((classify(gold, answer.sql, dialect, answer.status, answer.reason) for gold in golds), key=len)
