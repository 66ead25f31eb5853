"""Every rule alone, the whole canonical form, and `prove` itself, against random queries on random databases.

Promises: deterministic, and under a minute. A rule that the random queries rarely meet has seeds of its own below, so
each is tried many times. Longer hunts: raise `_QUERIES` and `_PAIRS`, or start elsewhere with `_FIRST`.
"""

from __future__ import annotations

from collections import Counter
from functools import lru_cache

import pytest
from mutants import mutated
from worlds import SCHEMA, World, Writer, agree, template, worlds

from benchmark.sqlengine import canonical
from benchmark.sqlengine.canonical import Rules, rewritten
from benchmark.sqlengine.canonical.facts import Context
from benchmark.sqlengine.canonical.ir import LEAVES, Block, Query, is_query, parts, subqueries
from benchmark.sqlengine.canonical.read import Reader
from benchmark.sqlengine.canonical.scopes import Unreadable
from benchmark.sqlengine.canonical.write import to_sql
from benchmark.sqlengine.parse import as_spider_runs_it, orders_result, parse
from benchmark.sqlengine.prove import prove
from benchmark.sqlengine.results import same_bag
from benchmark.sqlengine.schema import schema_of

_FIRST, _QUERIES, _TEMPLATES, _PAIRS, _WORLDS, _MORE_WORLDS = 0, 400, 1_000, 900, 8, 25
_LEAST = 10
#: Rules that see what they are for only after these.
_BEFORE = {"rows_in_a_group": "comparison_direction"}
#: What SQLite never meets.
_OF_DUCKDB = {"date_parts", "like_without_wildcards"}
_NAMES = sorted({rule.__name__ for rule in canonical.RULES})


def few(dialect: str) -> tuple[World, ...]:
    """The databases on which each rule is tried."""
    return worlds(_WORLDS if dialect == "sqlite" else 4, dialect)


@lru_cache(maxsize=2)
def read(dialect: str) -> list[tuple[str, Query, Reader]]:
    """Random queries that every database answers and the reader can read."""
    found = []
    part = 1 if dialect == "sqlite" else 5
    texts = [Writer(seed).query() for seed in range(_FIRST, _FIRST + _QUERIES // part)]
    texts += [template(seed) for seed in range(_FIRST, _FIRST + _TEMPLATES // part)]
    for sql in texts:
        tree = parse(sql, dialect)
        reader = Reader(sql, dialect, schema_of(SCHEMA, dialect))
        if tree is None or any(world.answer(sql) is None for world in few(dialect)):
            continue
        try:
            found.append((sql, reader.query(tree), reader))
        except Unreadable:
            continue
    return found


def odd(value: object) -> bool:
    """Whether a literal stands among the keys of an ORDER BY or GROUP BY, where its text would be a position."""
    if isinstance(value, tuple):
        return value[0] not in LEAVES and any(map(odd, value[1:]))
    if not is_query(value):
        return False
    if isinstance(value, Block):
        keys = [*(key.value for key in value.order), *(value.group or ())]
        if any(e[0] in ("num", "str") for e in keys):
            return True
    return any(map(odd, parts(value))) or any(map(odd, subqueries(value)))  # type: ignore[arg-type]


def wrong(sql: str, made: Query, dialect: str) -> str:
    """How a rewritten query answers otherwise than the text it comes from; empty where it does not."""
    if odd(made):
        return ""
    text = to_sql(made, dialect)
    for world in few(dialect):
        before, after = world.answer(sql), world.answer(text)
        assert before is not None
        if after is None and dialect == "duckdb":
            return ""  # it wants what a key determines in GROUP BY too
        if after is None or not same_bag(before.rows, after.rows):
            return f"database {world.seed}\n  {sql}\n  {text}\n  {before.rows}\n  {after.rows if after else 'refused'}"
    return ""


@pytest.mark.parametrize("dialect", ["sqlite", "duckdb"])
def test_reading_and_writing_keeps_the_answer(dialect: str) -> None:
    faults = [found for sql, query, _ in read(dialect) if (found := wrong(sql, query, dialect))]
    assert not faults, faults[0]
    assert len(read(dialect)) > 100


@pytest.mark.parametrize("name", _NAMES)
def test_each_rule_alone_keeps_the_answer(name: str) -> None:
    rules = Rules(tuple(rule for rule in canonical.RULES if rule.__name__ in (name, _BEFORE.get(name))))
    dialect = "duckdb" if name in _OF_DUCKDB else "sqlite"
    fired = 0
    faults = []
    for sql, query, reader in read(dialect):
        context = Context(dialect, dict(reader.tables))
        made = rewritten(query, context, rules)
        if name in context.fired:
            fired += 1
            faults += [found] if (found := wrong(sql, made, dialect)) else []
    assert not faults, f"{len(faults)} of {fired}: {faults[0]}"
    assert fired >= _LEAST or name in _OF_DUCKDB, f"only {fired} times"


@pytest.mark.parametrize("dialect", ["sqlite", "duckdb"])
def test_the_canonical_form_keeps_the_answer(dialect: str) -> None:
    fired: Counter[str] = Counter()
    faults = []
    for sql, query, reader in read(dialect):
        context = Context(dialect, dict(reader.tables))
        made = canonical.canonical(query, context)
        fired.update(context.fired)
        faults += [found] if (found := wrong(sql, made, dialect)) else []
    assert not faults, f"{len(faults)}: {faults[0]}"
    if dialect == "sqlite":
        print(", ".join(f"{name} {count}" for name, count in fired.most_common()))
        assert set(_NAMES) - _OF_DUCKDB <= set(fired)


@pytest.mark.parametrize("policy", ["default", "strict", "bird", "spider", "subset"])
def test_no_small_change_is_proved_wrongly(policy: str) -> None:
    proved = 0
    faults = []
    for seed in range(_FIRST, _FIRST + _PAIRS):
        gold = Writer(seed).query() if seed % 3 else template(seed)
        prediction = mutated(gold, seed)
        if prediction is None or prove(gold, prediction, "sqlite", SCHEMA, policy) is None:
            continue
        proved += 1
        if policy == "spider":
            gold, prediction = as_spider_runs_it(gold), as_spider_runs_it(prediction)
        ordered = policy != "bird" and orders_result(gold, "sqlite") and "LIMIT" not in gold
        for world in worlds(_MORE_WORLDS):
            before, after = world.answer(gold), world.answer(prediction)
            total = ordered and policy in ("strict", "spider")
            if before is not None and not agree(before, after, policy, ordered=total):
                faults.append(f"database {world.seed}\n  {gold}\n  {prediction}\n  {before}\n  {after}")
                break
    assert not faults, f"{len(faults)} of {proved}: {faults[0]}"
    assert proved > 50
