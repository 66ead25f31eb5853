"""Which items the train split has: how many of each kind, from which worlds, in which order.

Promises: the proportions of the test split, no question or gold twice, the same rows on every machine.
Does not: run SQL; the builders know the rows that they ask about.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache

from benchmark.datasets.builtin_train import (
    aggregates,
    ctes,
    definitions,
    joins,
    multijoins,
    nested_writes,
    ranks,
    reads,
    setops,
    subqueries,
    windows,
    writes,
)
from benchmark.datasets.builtin_train.phrases import Draft
from benchmark.datasets.builtin_train.schemas import domains
from benchmark.datasets.builtin_train.source import Source
from benchmark.datasets.builtin_train.worlds import World, make_world

#: Databases of each domain.
WORLDS = 6
_ATTEMPTS = 400

Builder = Callable[[World, Source], Draft | None]

COMPLEXITIES = {
    "basic SQL": "one simple SELECT or one simple statement, without a join",
    "single join": "exactly one join between two tables",
    "multiple_joins": "two or more joins",
    "aggregation": "aggregate functions (COUNT, SUM, AVG, MIN, MAX) with GROUP BY, and HAVING where groups"
    " are filtered",
    "subqueries": "nested queries: scalar, IN, EXISTS, correlated or not",
    "set operations": "results combined with UNION, INTERSECT or EXCEPT",
    "window functions": "functions OVER a window: ranking, running totals, neighbouring rows",
    "CTEs": "named subqueries in a WITH clause",
}
TASK_TYPES = {
    "data retrieval": "fetching the rows that answer a question",
    "analytics and reporting": "generating reports, dashboards, and analytical insights",
    "data manipulation": "inserting, updating or deleting rows",
    "data definition": "creating, changing or dropping tables, views and indexes",
}


@dataclass(frozen=True, slots=True)
class Quota:
    """So many items of one complexity and task type, made by these builders in these parts."""

    complexity: str
    task_type: str
    parts: tuple[tuple[Builder, int], ...]

    @property
    def size(self) -> int:
        """How many items."""
        return sum(count for _, count in self.parts)


READING, REPORTING, CHANGING, DEFINING = TASK_TYPES

#: The test split's 240 items, scaled to 2,000.
QUOTAS = (
    Quota(
        "basic SQL",
        READING,
        (
            (reads.filtered, 110), (reads.top, 28), (reads.distinct, 18), (reads.classified, 14), (reads.filled, 12),
            (reads.computed, 10), (reads.lettered, 10), (reads.either, 12), (reads.keyed, 11),
        ),
    ),
    Quota(
        "basic SQL",
        CHANGING,
        (
            (writes.insert, 22), (writes.insert_two, 8), (writes.set_one, 18), (writes.set_where, 16),
            (writes.shift, 18), (writes.fill, 8), (writes.remove, 18),
        ),
    ),
    Quota(
        "basic SQL",
        DEFINING,
        (
            (definitions.view, 18), (definitions.summary_view, 6), (definitions.copy, 12),
            (definitions.add_column, 18), (definitions.rename_column, 10), (definitions.index, 12),
            (definitions.new_table, 10), (definitions.drop, 6),
        ),
    ),
    Quota(
        "subqueries",
        READING,
        (
            (subqueries.above_average, 42), (subqueries.never, 44), (subqueries.having_some, 28),
            (subqueries.by_parent, 20), (subqueries.enough, 18), (subqueries.with_number, 12),
            (subqueries.extreme, 20), (subqueries.than_named, 8), (subqueries.busier, 8),
        ),
    ),
    Quota(
        "subqueries",
        CHANGING,
        (
            (nested_writes.remove_by_parent, 32), (nested_writes.set_by_parent, 24),
            (nested_writes.remove_childless, 18), (nested_writes.move, 18),
        ),
    ),
    Quota(
        "single join",
        READING,
        (
            (joins.joined, 150), (joins.kept_left, 18), (joins.childless, 32), (joins.counted, 24),
            (joins.parents_of, 18),
        ),
    ),
    Quota(
        "multiple_joins",
        REPORTING,
        ((multijoins.report, 130), (multijoins.with_zeros, 24), (multijoins.different, 26), (multijoins.two_kinds, 20)),
    ),
    Quota("multiple_joins", READING, ((multijoins.chain_list, 17),)),
    Quota("multiple_joins", DEFINING, ((definitions.joined_view, 8),)),
    Quota(
        "aggregation",
        REPORTING,
        (
            (aggregates.by_group, 104), (aggregates.distinct_values, 20), (aggregates.split_count, 18),
            (aggregates.rounded, 36), (aggregates.classes, 12), (aggregates.null_aware, 18),
        ),
    ),
    Quota("aggregation", READING, ((aggregates.whole, 9),)),
    Quota(
        "set operations",
        READING,
        (
            (setops.both_or_not, 86), (setops.either, 26), (setops.either_here, 24), (setops.unused, 26),
            (setops.overview, 22), (setops.timeline, 16),
        ),
    ),
    Quota(
        "window functions",
        REPORTING,
        (
            (ranks.ranked, 52), (ranks.newest, 22), (ranks.top_ties, 18), (windows.running, 24),
            (windows.neighbour, 26), (windows.share, 14), (windows.gap, 16), (ranks.tiles, 12),
            (ranks.numbered, 8), (windows.per_day, 8),
        ),
    ),
    Quota(
        "CTEs",
        REPORTING,
        (
            (ctes.above_mean, 32), (ctes.totals, 42), (ctes.two_steps, 22), (ctes.shares, 22), (ctes.history, 20),
            (ctes.best, 20), (ctes.filtered_first, 22), (ctes.mean_of_totals, 19),
        ),
    ),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Planned:
    """An item with what it was planned as and where it was asked."""

    quota: Quota
    world: World
    draft: Draft


def train_rows() -> list[dict[str, str]]:
    """The 2,000 rows of the train split, in the columns of gretelai/synthetic_text_to_sql."""
    mixed = Source("order").shuffled(list(_items()))
    return [_row(number, item) for number, item in enumerate(mixed, 1)]


def _row(number: int, item: Planned) -> dict[str, str]:
    return {
        "id": f"train-{number}",
        "domain": item.world.domain.name,
        "domain_description": item.world.domain.about,
        "sql_complexity": item.quota.complexity,
        "sql_complexity_description": COMPLEXITIES[item.quota.complexity],
        "sql_task_type": item.quota.task_type,
        "sql_task_type_description": TASK_TYPES[item.quota.task_type],
        "sql_prompt": item.draft.question,
        "sql_context": item.world.script,
        "sql": item.draft.sql,
        "sql_explanation": item.draft.explanation,
    }


def _items() -> Iterator[Planned]:
    questions: set[str] = set()
    golds: set[str] = set()
    for quota in QUOTAS:
        for builder, count in quota.parts:
            made = 0
            for world, draft in _drafts(builder):
                question, gold = normal(draft.question), normal(draft.sql)
                if question in questions or gold in golds:
                    continue
                questions.add(question)
                golds.add(gold)
                yield Planned(quota, world, draft)
                made += 1
                if made == count:
                    break


def _drafts(builder: Builder) -> Iterator[tuple[World, Draft]]:
    """What a builder makes of one world after the other: each domain once, then each again in another world."""
    name = f"{builder.__module__.rpartition('.')[2]}.{builder.__name__}"
    source = Source("plan", name)
    for turn in range(_ATTEMPTS):
        for place in source.shuffled(range(len(domains()))):
            world = _world(place, (turn + place) % WORLDS)
            draft = builder(world, source)
            if draft is not None:
                yield world, draft


def normal(text: str) -> str:
    """A text without what does not tell two texts apart: case, spaces and a final mark."""
    return " ".join(text.casefold().split()).rstrip(".?;")


@cache
def _world(place: int, number: int) -> World:
    return make_world(domains()[place], number)
