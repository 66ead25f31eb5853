"""Rows that make a query return something, or that miss one of its conditions by as little as possible.

Promises: draws from a column's own values wherever one of them satisfies the conditions.
Does not: see to keys and foreign keys (`draft.py`).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from random import Random

from benchmark.sqlengine.datagen.layout import Layout
from benchmark.sqlengine.datagen.plan import OPPOSITE, Atom, Formula, Link, Rows, Var
from benchmark.sqlengine.results import Cell

#: What one row of a table must hold.
Wanted = tuple[str, dict[str, Cell]]
_TWISTS = {
    "=": ("<>", "null", "<>"),
    "<>": ("=", "null"),
    "<": (">=", "edge", "null"),
    "<=": (">", "edge", "null"),
    ">": ("<=", "edge", "null"),
    ">=": ("<", "edge", "null"),
    "in": ("out", "null"),
    "out": ("in", "null"),
    "null": ("some",),
    "some": ("null",),
    "like": ("unlike", "null"),
    "unlike": ("like", "null"),
}


class _Choice:
    """One way through a plan's alternatives: the rows and conditions that it asks for."""

    def __init__(self, plan: Rows, rng: Random) -> None:
        self.slots: dict[int, str] = {}
        self.atoms: list[Atom] = []
        self.links: list[Link] = []
        self._rng = rng
        self._take(plan)

    def _take(self, part: Formula) -> None:
        if isinstance(part, Atom):
            self.atoms.append(part)
        elif isinstance(part, Link):
            self.links.append(part)
        elif isinstance(part, Rows):
            self.slots.update(part.slots)
            for inner in part.parts:
                self._take(inner)
        elif part.every:
            for inner in part.parts:
                self._take(inner)
        elif part.parts:
            taken = int(self._rng.random() * len(part.parts))
            self._take(part.parts[taken])
            apart = self._rng.random() < 0.6  # or else two alternatives may hold at once
            for n, inner in enumerate(part.parts):
                if apart and n != taken and isinstance(inner, Atom):
                    self.atoms.append(Atom(inner.var, OPPOSITE[inner.op], inner.values, inner.text))


#: The values of a group of cells that satisfy its conditions, found once.
Known = dict[tuple[tuple[Var, ...], tuple[str, ...]], list[Cell]]


def witness(
    plan: Rows,
    layout: Layout,
    rng: Random,
    twisted: bool,
    focus: frozenset[str],
    fresh: Callable[[str, str], Cell],
    known: Known,
) -> list[Wanted]:
    """What the rows of one witness hold. `twisted`: one condition, rather one of `focus`, is missed.

    `fresh(table, column)` gives a number that no key of one column has yet, or None where the column is no such key.
    `known` belongs to this plan and layout, and is filled.
    """
    choice = _Choice(plan, rng)
    atoms, links = choice.atoms, choice.links
    if twisted and (atoms or links):
        atoms, links = _twist(atoms, links, rng, focus)
    leader = _leaders(links)
    members: dict[Var, list[Var]] = {}
    for var in dict.fromkeys([*leader, *(atom.var for atom in atoms)]):
        members.setdefault(_find(leader, var), []).append(var)
    rows: dict[int, dict[str, Cell]] = {slot: {} for slot in choice.slots}
    for group in members.values():
        bound = [atom for atom in atoms if atom.var in group]
        value = _value(group, bound, choice.slots, layout, rng, fresh, known)
        for slot, column in group:
            if slot in rows:
                rows[slot][column] = value
    _settle(links, rows, choice.slots, layout, rng)
    return [(choice.slots[slot], cells) for slot, cells in rows.items() if choice.slots[slot] in layout]


def _twist(atoms: list[Atom], links: list[Link], rng: Random, focus: frozenset[str]) -> tuple[list[Atom], list[Link]]:
    every: list[Atom | Link] = [*atoms, *links]
    special = [part for part in every if part.text in focus]
    some = special if special and rng.random() < 0.7 else every
    missed = some[int(rng.random() * len(some))]
    links = [part for part in links if part is not missed]
    atoms = [part for part in atoms if part is not missed]
    if isinstance(missed, Atom):
        ways = _TWISTS[missed.op]
        way = ways[int(rng.random() * len(ways))]
        op, values = ("=", missed.values) if way == "edge" else (way, missed.values)
        atoms.append(Atom(missed.var, op, values, missed.text))
    return atoms, links


def _leaders(links: list[Link]) -> dict[Var, Var]:
    leader: dict[Var, Var] = {}
    for link in links:
        leader.setdefault(link.left, link.left)
        leader.setdefault(link.right, link.right)
        if link.op == "=":
            leader[_find(leader, link.right)] = _find(leader, link.left)
    return leader


def _find(leader: dict[Var, Var], var: Var) -> Var:
    while (above := leader.get(var, var)) != var:
        var = above
    return var


def _value(
    group: list[Var],
    atoms: list[Atom],
    slots: dict[int, str],
    layout: Layout,
    rng: Random,
    fresh: Callable[[str, str], Cell],
    known: Known,
) -> Cell:
    """One value for cells that must be equal."""
    if any(atom.op == "null" for atom in atoms):
        return None
    if not atoms:
        for slot, column in group:
            if slot in slots and (number := fresh(slots[slot], column)) is not None:
                return number
    key = tuple(group), tuple([f"{atom.op} {atom.text}" for atom in atoms])
    good = known.get(key)
    if good is None:
        good = known[key] = _satisfying(group, atoms, slots, layout)
    return good[int(rng.random() * len(good))] if good else None


def _satisfying(group: list[Var], atoms: list[Atom], slots: dict[int, str], layout: Layout) -> list[Cell]:
    """Values of any of the cells' columns that satisfy the conditions, or all values where none does."""
    pool: list[Cell] = []
    allowed: list[tuple[Cell, ...]] = []
    for slot, column in group:
        target = layout.get(slots.get(slot, ""))
        if target is not None and column in target.at:
            values = target.pools[target.at[column]]
            pool += values
            allowed += [values] if target.checked[target.at[column]] else []
    pool = [value for value in dict.fromkeys(pool) if all(value in values for values in allowed)]
    return [value for value in pool if all(_holds(value, atom) for atom in atoms)] or pool


def _settle(
    links: list[Link], rows: dict[int, dict[str, Cell]], slots: dict[int, str], layout: Layout, rng: Random
) -> None:
    """Try to make comparisons between cells that are not equalities hold, by other values on the left."""
    for link in links:
        (left, a), (right, b) = link.left, link.right
        if link.op == "=" or left not in rows or right not in rows or slots[left] not in layout:
            continue
        target = layout[slots[left]]
        if a not in target.at:
            continue
        pool = target.pools[target.at[a]]
        other = rows[right].get(b)
        good = [value for value in pool if other is not None and _compare(value, link.op, other)]
        if good and not (a in rows[left] and _compare(rows[left][a], link.op, other)):
            rows[left][a] = good[int(rng.random() * len(good))]


def _holds(value: Cell, atom: Atom) -> bool:
    op, values = atom.op, atom.values
    if value is None:
        return op == "null"
    if op in ("in", "out"):
        return any(_compare(value, "=", other) for other in values) is (op == "in")
    if op in ("like", "unlike"):
        pattern = values[0]
        return not isinstance(pattern, str) or bool(_like(pattern).fullmatch(str(value))) is (op == "like")
    return op == "some" or any(other is None or _compare(value, op, other) for other in values)


def _compare(a: Cell, op: str, b: Cell) -> bool:
    if a is None or b is None:
        return False
    if isinstance(a, str) is not isinstance(b, str):
        try:
            a, b = float(a), float(b)
        except (ValueError, TypeError):
            a, b = str(a), str(b)
    if op == "=":
        return a == b
    if op == "<>":
        return a != b
    less, same = a < b, a == b  # type: ignore[operator]
    return less if op == "<" else less or same if op == "<=" else not less if op == ">=" else not (less or same)


@lru_cache(maxsize=256)
def _like(pattern: str) -> re.Pattern[str]:
    parts = (".*" if letter == "%" else "." if letter == "_" else re.escape(letter) for letter in pattern)
    return re.compile("".join(parts), re.IGNORECASE | re.DOTALL)
