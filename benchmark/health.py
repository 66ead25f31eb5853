"""How sound a test item is before any model answers it: one record an item, and which items leave the headline.

Promises: pure records and functions; whoever reads a run folder needs nothing else to leave vacuous items out.
Does not: look at golds (`benchmark.validate` does).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from benchmark.types import SCHEMA_VERSION

HealthStatus = Literal[
    "ok",
    "text_only",
    "schema_fails",
    "fails",
    "timeout",
    "unreadable",
    "no_rows",
    "one_null",
    "vacuous_write",
    "nondeterministic",
    "not_itself",
]
#: Items that can be scored and whose score means something.
HEALTHY: frozenset[str] = frozenset({"ok", "text_only"})
#: Items that no model can be scored on: the status of their scores is `gold_error`.
FAILING: frozenset[str] = frozenset({"schema_fails", "fails", "timeout"})
#: Items that run and tell nothing: they leave the headline.
TELLS_NOTHING: frozenset[str] = frozenset({"no_rows", "one_null", "vacuous_write", "nondeterministic", "not_itself"})

#: What a status means, and what somebody can do who owns the dataset.
MEANING: Mapping[str, str] = {
    "ok": "nothing was found against it",
    "text_only": "it comes without a database, so nothing can be run",
    "schema_fails": "its database does not load",
    "fails": "no gold of it runs",
    "timeout": "no gold of it ends in time, or within its memory",
    "unreadable": "it has no database, and no gold of it can be parsed",
    "no_rows": "its gold returns no rows, as any query does that finds nothing",
    "one_null": "its gold returns one row of NULLs, as SELECT NULL does",
    "vacuous_write": "its gold leaves the database that a blanket write leaves, or that nothing at all does",
    "nondeterministic": "its gold returns something else each time it runs",
    "not_itself": "its gold, given as an answer, is not scored as right",
}
ADVICE: Mapping[str, str] = {
    "text_only": "Add a schema with rows, or the path of a database, to have its answers executed.",
    "schema_fails": "Mend the schema script, or the path of the database, so that this dialect's engine loads it.",
    "fails": "Mend the gold, or the schema that it names, so that it runs in the item's dialect.",
    "timeout": "Make the gold faster (an index, a smaller database), or leave the item out.",
    "unreadable": "Mend the gold's syntax, or name its dialect.",
    "no_rows": "Add rows that the gold finds, or ask for something that is there.",
    "one_null": "Add rows that the gold finds, so that its aggregate has something to work on.",
    "vacuous_write": "Add rows that the write must spare, and one that it must change.",
    "nondeterministic": "Take RANDOM() and its like out of the gold.",
    "not_itself": "Write the gold as one plain statement; if it is one, please report it.",
}


#: Kinds of blanket writes. Who writes the last one knows the gold but for its condition; it makes no item vacuous.
BLANKET: Mapping[str, str] = {
    "nothing": "no write at all",
    "delete": "DELETE FROM t",
    "delete_all": "DELETE FROM every table",
    "drop": "DROP TABLE t",
    "update": "UPDATE t SET column = NULL, 0 or 1",
    "no_condition": "the gold without its WHERE",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """One item: its status, why in words, and what else is worth knowing.

    `blanket` holds, for an item that writes, each kind of blanket write that leaves the gold's database, with its text;
    `inspection` is the version of the look that was taken.
    """

    example_id: str
    status: HealthStatus
    task: Literal["read", "write"] = "read"
    reason: str = ""
    advice: str = ""
    notes: tuple[str, ...] = ()
    blanket: Mapping[str, str] = field(default_factory=dict)
    inspection: str = ""
    schema_version: int = SCHEMA_VERSION

    @property
    def healthy(self) -> bool:
        return self.status in HEALTHY


def excluded(health: Mapping[str, Health]) -> dict[str, str]:
    """Ids of the items that leave the headline, each with the reason; items that fail have no value anyway."""
    return {key: f"{one.status}: {one.reason}" for key, one in health.items() if one.status in TELLS_NOTHING}


@dataclass(frozen=True, slots=True, kw_only=True)
class BlanketScore:
    """How many of the items that write and run a kind of blanket write gets right."""

    kind: str
    right: int
    of: int


def blanket_scores(health: Iterable[Health]) -> tuple[BlanketScore, ...]:
    """One for each kind of blanket write, where any item writes; a kind with a table in it takes the best table."""
    writes = [one for one in health if one.task == "write" and one.status not in FAILING and one.status != "text_only"]
    if not writes:
        return ()
    return tuple(
        BlanketScore(kind=kind, right=sum(kind in one.blanket for one in writes), of=len(writes)) for kind in BLANKET
    )


def by_status(health: Iterable[Health]) -> dict[str, list[Health]]:
    """The items of each status that occurs, in the order of `MEANING`."""
    found: dict[str, list[Health]] = {status: [] for status in MEANING}
    for one in health:
        found[one.status].append(one)
    return {status: items for status, items in found.items() if items}


def healthy_share(health: Iterable[Health]) -> float:
    """The share of items with nothing against them; 1 of none."""
    items = list(health)
    return sum(one.healthy for one in items) / len(items) if items else 1.0
