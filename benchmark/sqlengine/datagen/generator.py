"""Databases one after the other: empty, of one row, witnesses of the statements, near misses, random rows, and edits.

Promises: the same schema, statements, samples and seed give the same databases in the same order.
Does not: know how statements answer; it is told which databases are worth editing.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random

from benchmark.sqlengine.datagen.draft import Accepts, Draft
from benchmark.sqlengine.datagen.layout import Layout, Rows
from benchmark.sqlengine.datagen.plan import Rows as Plan
from benchmark.sqlengine.datagen.witness import Known, Wanted, witness
from benchmark.sqlengine.results import Cell

_MOST_EXTRA = 3


@dataclass
class Generator:
    """Draws databases under a layout. `plans` come with the conditions that only one of the statements has."""

    layout: Layout
    rng: Random
    accepts: Accepts
    plans: list[Plan]
    focus: frozenset[str] = frozenset()
    counts: tuple[int, ...] = ()
    seen: Rows = field(default_factory=dict)
    _known: dict[int, Known] = field(default_factory=dict)  # by the identity of a plan, all of which live as long

    def empty(self) -> Rows:
        """All tables without rows."""
        return {table: [] for table in self.layout}

    def draw(self, number: int) -> Rows:
        """Database `number` of a series: the first ones are plain, the later ones mix everything."""
        if number == 0:
            return self.empty()
        draft = Draft(self.layout, self.rng, self.accepts, 14 + (max(self.counts) if self.counts else 0))
        plans = self.plans
        if number == 1 or not plans:
            self._random(draft, 1 if number == 1 else 1 + int(self.rng.random() * 5))
            return draft.rows
        plan = plans[number % len(plans)]
        self._witness(draft, plan, False)
        if number >= 2 + len(plans):
            self._mix(draft)
        return draft.rows

    def edit(self, rows: Rows) -> Rows:
        """A database that differs a little: cells changed, rows copied or gone."""
        draft = Draft(self.layout, self.rng, self.accepts, 20)
        places = [(table, n) for table, found in rows.items() for n in range(len(found))]
        if not places:
            return rows
        changed = {places[int(self.rng.random() * len(places))] for _ in range(1 + int(self.rng.random() * 3))}
        way = int(self.rng.random() * 5)
        for table, found in rows.items():
            slots = self.layout[table]
            for n, row in enumerate(found):
                fixed = dict(zip(slots.columns, row, strict=True))
                if (table, n) in changed:
                    if way == 0:
                        continue
                    if way == 1:
                        self._copy(draft, table, fixed)
                    else:
                        fixed.pop(slots.columns[int(self.rng.random() * len(slots.columns))])
                draft.add(table, fixed)
        return draft.rows

    def _mix(self, draft: Draft) -> None:
        rng = self.rng
        for _ in range(int(rng.random() * 4)):
            self._witness(draft, self.plans[int(rng.random() * len(self.plans))], rng.random() < 0.75)
        if self.counts and rng.random() < 0.4:
            self._group(draft, self.counts[int(rng.random() * len(self.counts))] + int(rng.random() * 2))
        if rng.random() < 0.5:
            self._random(draft, 1 + int(rng.random() * _MOST_EXTRA))
        if rng.random() < 0.2:
            self._twin(draft)
        elif rng.random() < 0.4:
            self._repeat(draft)
        if self.seen and rng.random() < 0.3:
            self._sample(draft)

    def _witness(self, draft: Draft, plan: Plan, twisted: bool) -> list[Wanted]:
        """Add the rows of a witness; what was added."""

        def fresh(table: str, column: str) -> Cell:
            slots = self.layout.get(table)
            position = slots.at.get(column) if slots else None
            if slots is None or position is None:
                return None
            single = (position,) in slots.keys and slots.looks[position] == "integer" and not slots.table.checks
            return draft.free_number(table, (position,)) if single else None

        known = self._known.setdefault(id(plan), {})
        found = witness(plan, self.layout, self.rng, twisted, self.focus, fresh, known)
        order = {table: n for n, table in enumerate(self.layout)}
        rows = []
        for table, fixed in _parents_first(sorted(found, key=lambda wanted: order[wanted[0]]), self.layout):
            if (row := draft.add(table, fixed)) is not None:
                rows.append((table, dict(zip(self.layout[table].columns, row, strict=True))))
        return rows

    def _group(self, draft: Draft, size: int) -> None:
        """One witness several times over, its own keys apart, so that groups reach a size."""
        plan = self.plans[int(self.rng.random() * len(self.plans))]
        found = self._witness(draft, plan, False)
        tables = [table for table in reversed(list(self.layout)) if any(table == wanted[0] for wanted in found)]
        for table in tables[: 1 + int(self.rng.random() * 2)]:
            fixed = next(cells for name, cells in found if name == table)
            for _ in range(size - 1):
                self._copy(draft, table, fixed)

    def _twin(self, draft: Draft) -> None:
        """The whole database a second time, equal but for its keys: groups and results come twice."""
        twins: dict[tuple[str, int, Cell], Cell] = {}
        for table, rows in draft.rows.items():
            slots = self.layout[table]
            for row in list(rows):
                fixed = dict(zip(slots.columns, row, strict=True))
                for key in slots.keys:
                    if len(key) == 1:
                        fixed.pop(slots.columns[key[0]], None)
                for reference in slots.references:
                    for here, there in zip(reference.columns, reference.there, strict=True):
                        fixed[slots.columns[here]] = twins.get((reference.table, there, row[here]), row[here])
                if (twin := draft.add(table, fixed)) is not None:
                    twins |= {(table, p, row[p]): twin[p] for positions in slots.watched for p in positions}

    def _repeat(self, draft: Draft) -> None:
        for table, rows in list(draft.rows.items()):
            if rows and self.rng.random() < 0.6:
                row = rows[int(self.rng.random() * len(rows))]
                self._copy(draft, table, dict(zip(self.layout[table].columns, row, strict=True)))

    def _copy(self, draft: Draft, table: str, fixed: dict[str, Cell]) -> None:
        """Add a row again, its keys left to be drawn anew."""
        slots = self.layout[table]
        keys = {slots.columns[position] for key in slots.keys for position in key}
        draft.add(table, {column: value for column, value in fixed.items() if column not in keys})

    def _random(self, draft: Draft, most: int) -> None:
        for table in self.layout:
            for _ in range(most if most == 1 else int(self.rng.random() * (most + 1))):
                draft.add(table, {})

    def _sample(self, draft: Draft) -> None:
        for table, rows in self.seen.items():
            for _ in range(int(self.rng.random() * 3) if rows else 0):
                row = rows[int(self.rng.random() * len(rows))]
                draft.add(table, dict(zip(self.layout[table].columns, row, strict=False)))


def _parents_first(wanted: list[Wanted], layout: Layout) -> list[Wanted]:
    """Rows in an order in which one that another of the same table refers to comes before it, if there is one."""
    if not any(reference.table == name for name, _ in wanted for reference in layout[name].references):
        return wanted
    ordered: list[Wanted] = []
    left = list(wanted)
    while left:
        ready = next((row for row in left if not any(_refers(row, other, layout) for other in left)), left[0])
        left.remove(ready)
        ordered.append(ready)
    return ordered


def _refers(row: Wanted, other: Wanted, layout: Layout) -> bool:
    if row is other or row[0] != other[0]:
        return False
    slots = layout[row[0]]
    for reference in slots.references:
        here = [row[1].get(slots.columns[position]) for position in reference.columns]
        there = [other[1].get(slots.columns[position]) for position in reference.there]
        if reference.table == row[0] and here == there and None not in here:
            return True
    return False
