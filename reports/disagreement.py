"""How often the metrics agree: every scored answer by the combination of its verdicts.

Promises: each answer is counted once; a verdict that could not be given is said to be missing, not wrong.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from itertools import chain, zip_longest

import numpy as np

from benchmark.types import EXTERNAL
from reports.board import Answered, Combination, Disagreement
from reports.reading import JUDGE_PREFIX, IntArray, Items, RunData

COMPARED = ("exact", "ast", "execution", "equivalence")
EXAMPLES = 5
MISSING, WRONG, RIGHT = range(3)
SAYS = {MISSING: None, WRONG: False, RIGHT: True}


def disagreement(runs: Sequence[RunData], columns: Iterable[str], items: Items) -> Disagreement | None:
    """The table of all answers of some runs; None where fewer than two columns can be compared.

    Right is a value of 1. A judge's 'unsure' is not right, as in its figure.
    """
    compared = tuple(c for c in columns if c in COMPARED or c.startswith((EXTERNAL, JUDGE_PREFIX)))
    if len(compared) < 2:
        return None
    counts: Counter[tuple[int, ...]] = Counter()
    examples: dict[tuple[int, ...], list[list[Answered]]] = defaultdict(list)
    for run in runs:
        for said, ids in combinations(run, compared, items):
            counts[said] += len(ids)
            first = sorted(set(ids))[:EXAMPLES]
            examples[said].append([Answered(run_id=run.manifest.run_id, example_id=one) for one in first])
    return Disagreement(
        columns=compared,
        combinations=tuple(
            Combination(verdicts=tuple(SAYS[v] for v in said), count=counts[said], examples=spread(examples[said]))
            for said in sorted(counts, key=lambda said: (-counts[said], said))
        ),
    )


def combinations(run: RunData, columns: Sequence[str], items: Items) -> list[tuple[tuple[int, ...], list[str]]]:
    """Each combination of one run with the ids of its answers, as often as they were answered."""
    keys, verdicts = verdict_matrix(run, columns)
    codes = verdicts.T @ 3 ** np.arange(len(columns), dtype=np.int64)
    ids, samples = items.ids, samples_of(run)
    return [
        (tuple(int(code) // 3**place % 3 for place in range(len(columns))), [ids[key // samples] for key in found])
        for code in np.unique(codes).tolist()
        if code  # 0: no verdict at all
        for found in [keys[codes == code].tolist()]
    ]


def verdict_matrix(run: RunData, columns: Sequence[str]) -> tuple[IntArray, IntArray]:
    """Keys of the answers (m,), place * samples + sample, and what each column says of them (columns, m)."""
    samples, found = samples_of(run), {}
    for number, name in enumerate(columns):
        if name in run.columns:
            places, sample, values = run.columns[name].arrays()
            said = np.where(np.isnan(values), MISSING, np.where(values >= 1, RIGHT, WRONG))
            found[number] = places * samples + sample, said
    keys = np.unique(np.concatenate([key for key, _ in found.values()] or [np.array([], np.int64)]))
    matrix = np.full((len(columns), keys.size), MISSING, np.int64)
    for number, (key, said) in found.items():
        matrix[number, np.searchsorted(keys, key)] = said
    return keys, matrix


def samples_of(run: RunData) -> int:
    """One more than the highest sample number of a run."""
    return 1 + max(chain.from_iterable(column.samples for column in run.columns.values()), default=0)


def spread(of_runs: Iterable[Sequence[Answered]]) -> tuple[Answered, ...]:
    """A few examples, in turn from each run."""
    turns = chain.from_iterable(zip_longest(*of_runs))
    return tuple(answer for answer in turns if answer is not None)[:EXAMPLES]
