"""What a search works on: the statements, the tables that they need, values for these, and an arena to run them in.

Promises: the same job and database give the same terrain. None where nothing can be searched.
Does not: search (`distinguish.py`).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from benchmark.sqlengine.arena import Arena, Reads, Writes
from benchmark.sqlengine.datagen.facts import Facts, facts_of, settled
from benchmark.sqlengine.datagen.generator import Generator
from benchmark.sqlengine.datagen.layout import Layout, Rows, Slots, layout_of, needed
from benchmark.sqlengine.datagen.plan import Atom, Both, Formula, Link, plan_of
from benchmark.sqlengine.datagen.plan import Rows as Plan
from benchmark.sqlengine.datagen.script import is_trigger, relevant
from benchmark.sqlengine.given import Given, usable
from benchmark.sqlengine.parse import as_spider_runs_it, parse
from benchmark.sqlengine.protocol import Search
from benchmark.sqlengine.results import Cell, Row
from benchmark.sqlengine.sandbox import Filling, Stopped
from benchmark.sqlengine.sandbox.rows import literal, quoted
from benchmark.sqlengine.schema import schema_of

_ROW_IDS = re.compile(r"\b(?:rowid|_rowid_|oid)\b", re.IGNORECASE)


@dataclass
class Terrain:
    """One job's statements and tables. `golds` are as they run, `gold_texts` as they were written."""

    golds: list[str]
    gold_texts: list[str]
    predictions: dict[int, str]
    layout: Layout
    ddl: tuple[str, ...]
    arena: Arena
    seed: str
    _facts: Facts
    _plans: dict[str, Plan | None]
    _checks: _Checks
    _seen: Rows

    def fillings(self, rows: Rows) -> list[Filling]:
        """Rows as the engine takes them, parents first."""
        return [Filling(s.table.name, s.names, rows.get(name, [])) for name, s in self.layout.items()]

    def generator(self, prediction: int | None = None) -> Generator:
        """Databases for the golds and one prediction, or for all of them."""
        texts = [self.predictions[prediction]] if prediction is not None else list(self.predictions.values())
        golds = [self._plans[sql] for sql in self.golds[:2]]
        others = [self._plans[sql] for sql in texts[:4]]
        plans = [plan for pair in zip(golds[:1] * max(1, len(others)), others, strict=False) for plan in pair]
        conditions = [_texts(plan) for plan in plans]
        focus = frozenset[str]().union(*(a ^ b for a in conditions[:1] for b in conditions[1:]))
        return Generator(
            self.layout,
            Random(f"{self.seed}\0{'' if prediction is None else texts[0]}"),  # noqa: S311
            self._checks.accepts,
            [plan for plan in plans if plan is not None],
            focus,
            tuple(sorted(self._facts.counts)),
            self._seen,
        )


def terrain_of(given: Given, search: Search, golds: Sequence[str], hunted: list[int]) -> Terrain | None:
    """The terrain of a job, or None: no known table, or an answer that the database alone does not decide."""
    job = given.job
    as_run = as_spider_runs_it if job.policy == "spider" else str
    predictions = {n: as_run(job.predictions[n]) for n in hunted if settled(job.predictions[n])}
    if not predictions or not all(map(settled, golds)):
        return None
    running = [as_run(sql) for sql in golds]
    statements = list(dict.fromkeys([*running, *predictions.values()]))
    ddl = given.ddl()
    schema = schema_of(";\n".join(ddl), job.dialect)
    facts = facts_of(statements, schema, job.dialect)
    names = needed(facts.tables | (facts.words & set(schema.tables)), schema)
    if not names:
        return None
    kept = relevant(ddl, facts.words, names)
    try:
        arena = _arena(given, kept, statements)
    except (Stopped, OSError):
        return None
    checks = _Checks(given)
    seen = given.sampled([schema.tables[name] for name in names])
    layout = layout_of(names, schema, facts, seen, checks.passing)
    if not layout:
        arena.close()
        return None
    return Terrain(
        running,
        list(golds),
        predictions,
        layout,
        arena.ddl,
        arena,
        "\0".join([str(search.seed), job.dialect, *golds]),
        facts,
        {sql: plan_of(parse(sql, job.dialect), schema) for sql in statements},
        checks,
        usable(seen, layout),
    )


def _arena(given: Given, ddl: list[str], statements: list[str]) -> Arena:
    if given.job.task == "write":
        return Writes(given.job, ddl, given.allowed)
    keep_keys = any(map(_ROW_IDS.search, statements))
    return Reads(given.job, [sql for sql in ddl if not is_trigger(sql)], keep_keys=keep_keys)


class _Checks:
    """CHECK conditions, put to the engine."""

    def __init__(self, given: Given) -> None:
        self._given = given
        self._known: dict[tuple[str, Row], bool] = {}

    def accepts(self, slots: Slots, row: Row) -> bool:
        """Whether a row satisfies the conditions that need several columns."""
        key = slots.table.name, row
        if key not in self._known:
            self._known[key] = self.passing(slots, slots.wide_checks, slots.columns, [row])[0]
        return self._known[key]

    def passing(self, slots: Slots, checks: Sequence[int], columns: Sequence[str], rows: Sequence[Row]) -> list[bool]:
        """Which rows satisfy some of a table's conditions; all of them where the engine cannot tell."""
        types = [column.declared for column in map(slots.table.column, columns) if column]
        names = list(map(quoted, columns))
        candidates = " UNION ALL ".join(
            f"SELECT {n} AS row_number, " + ", ".join(map(self._cell, row, types, names)) for n, row in enumerate(rows)
        )
        conditions = " AND ".join(
            f"(({slots.table.checks[n].sql(self._given.job.dialect)}) IS NOT FALSE)" for n in checks
        )
        sql = f"SELECT row_number FROM ({candidates}) AS {quoted(slots.table.name)} WHERE {conditions}"  # noqa: S608
        found = self._given.select(sql) if rows else []
        if found is None:
            return [True] * len(rows)
        good = {row[0] for row in found}
        return [n in good for n in range(len(rows))]

    def _cell(self, value: Cell, declared: str, name: str) -> str:
        typed = declared and self._given.job.dialect != "sqlite"
        return f"CAST({literal(value)} AS {declared}) AS {name}" if typed else f"{literal(value)} AS {name}"


def _texts(part: Formula | None) -> frozenset[str]:
    """The conditions of a plan, as texts."""
    if isinstance(part, (Atom, Link)):
        return frozenset({part.text})
    inner = part.parts if isinstance(part, (Both, Plan)) else ()
    return frozenset[str]().union(*map(_texts, inner))
