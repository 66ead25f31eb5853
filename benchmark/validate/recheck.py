"""Whether a folder's health records, which decide what leaves its headline, say what a look at the golds says.

Promises: a difference that a timeout, the day or another version of the look explains is told from one that nothing
explains.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import Literal, NamedTuple

from benchmark.health import Health
from benchmark.sqlengine.pool import Pool
from benchmark.types import Example
from benchmark.validate.items import reads_clock
from benchmark.validate.kept import health_of

#: Ids that a finding names.
_SHOWN = 5


class Recheck(NamedTuple):
    """A finding: a problem, a gap (it could not be checked here), or a note."""

    kind: Literal["problem", "gap", "note"]
    text: str


def recheck(
    published: Mapping[str, Health], examples: Callable[[], Iterable[Example]], ids: Collection[str], pool: Pool
) -> Iterator[Recheck]:
    """What is found about the records of a run. `examples()` are those whose database is here, `ids` those of all."""
    if not published:
        yield Recheck("note", "there is no health.jsonl: which items tell nothing is not known to a reader")
        return
    fresh = {one.example_id: one for one in health_of(examples, pool)}
    yield from _listed("health records have no example", sorted(published.keys() - set(ids)))
    yield from _listed("examples have no health record", sorted(fresh.keys() - published.keys()))
    differ = {key: (published[key], one) for key, one in fresh.items()
              if key in published and published[key].status != one.status}  # fmt: skip
    changing = {example.id for example in examples() if any(map(reads_clock, example.golds))} if differ else set()
    by_machine = {key for key, pair in differ.items() if key in changing or "timeout" in {one.status for one in pair}}
    other = {key for key, (there, here) in differ.items() if there.inspection != here.inspection} - by_machine
    wrong = [f"{key} ({there.status}, here {here.status})" for key, (there, here) in differ.items()
             if key not in by_machine | other]  # fmt: skip
    yield from _listed("health records differ from a look at the golds", wrong)
    if by_machine:
        yield Recheck("note", f"{len(by_machine)} health records differ by a timeout or by the day")
    if other:
        yield Recheck("gap", f"{len(other)} health records were made by another look; 'sqlgauge score' makes them anew")


def _listed(what: str, ids: list[str]) -> Iterator[Recheck]:
    if ids:
        shown = ", ".join(ids[:_SHOWN]) + (" ..." if len(ids) > _SHOWN else "")
        yield Recheck("problem", f"{len(ids)} {what}: {shown}")
