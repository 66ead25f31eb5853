"""Equivalence of single queries, outside any run."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from sqlgauge.verbs.common import Progress, silent
from sqlgauge.verbs.common import terms as make_terms

if TYPE_CHECKING:
    from benchmark.equivalence import PairVerdict


def equiv(
    gold: str,
    prediction: str,
    *,
    dialect: str = "sqlite",
    schema: Path | None = None,
    schema_sql: str | None = None,
    policy: str = "default",
    databases: int | None = None,
    seconds: float | None = None,
    seed: int | None = None,
) -> PairVerdict:
    """Whether a prediction is equivalent to a gold under a schema: a script, or a file that holds one or a database.

    `databases` and `seconds` bound the search for a counterexample; 0 databases switch it off.
    """
    from benchmark.equivalence import decide_pairs
    from benchmark.pairs import Pair, check_dialect, schema_of_file
    from benchmark.sqlengine.pool import Pool

    terms = make_terms(policy, databases, seconds, seed)
    check_dialect(dialect)
    script, db = (schema_sql or "", None) if schema is None else schema_of_file(Path(schema), dialect)
    pair = Pair(id="1", dialect=dialect, schema_sql=script, golds=(gold,), pred=prediction, db=db)
    with Pool(1) as pool:
        (found,) = decide_pairs([pair], terms, pool)
    return found


def equiv_batch(
    pairs: Path,
    *,
    out: Path,
    policy: str = "default",
    databases: int | None = None,
    seconds: float | None = None,
    seed: int | None = None,
    workers: int | None = None,
    progress: Progress = silent,
) -> dict[str, int]:
    """Write a verdict for each pair of a file of JSON lines, in its order. How many there are of each verdict."""
    from benchmark.equivalence import decide_file

    return decide_file(Path(pairs), Path(out), make_terms(policy, databases, seconds, seed), progress, workers)


def check_equivalent(counts: Mapping[str, int]) -> None:
    """Raise CheckFailed unless every verdict is 'equivalent'."""
    from benchmark.errors import CheckFailed

    others = {verdict: count for verdict, count in counts.items() if verdict != "equivalent"}
    if others:
        shown = ", ".join(f"{count} {verdict}" for verdict, count in others.items())
        raise CheckFailed(f"not proved equivalent: {shown}", "Only 'equivalent' is a proof; 'undecided' is none.")
