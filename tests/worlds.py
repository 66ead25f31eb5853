"""Random databases for the golden schema, random queries over them, and engines that run both in this process.

Promises: everything follows from a seed. Every database keeps types, keys, NOT NULL and foreign keys; domains are
small, so that NULLs, duplicates, ties, texts that differ in letter case and empty tables are common. A query's answer
is never an arbitrary choice: a LIMIT stands only under an order over all outputs, and a group reads what it groups by.
"""

# ruff: noqa: E501 - a statement reads best on one line
from __future__ import annotations

import random
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from typing import Any

import apsw

from benchmark.sqlengine.results import POLICIES, Table

SCHEMA = (Path(__file__).parent / "golden" / "rules" / "schema.sql").read_text()
_TEXTS = ("a", "A", "b", "", "5", "05", "ab")
_DAYS = ("2020-01-01", "2020-02-29", "2021-07-01")

#: Columns by table: i integer, r real, t text; a capital letter is never NULL.
COLUMNS = {
    "city": {"id": "I", "name": "T", "region": "t", "size": "i"},
    "person": {"id": "I", "name": "t", "city_id": "i", "boss_id": "i", "age": "I", "score": "r"},
    "visit": {"person_id": "I", "place": "T", "city_id": "I", "day": "i", "cost": "r"},
    "tag": {"code": "T", "label": "t"},
    "log": {"a": "i", "b": "I", "c": "i", "s": "t", "t": "T", "r": "r"},
}


def rows(seed: int, most: int = 5) -> dict[str, list[tuple[Any, ...]]]:
    """The rows of a random database, by table."""
    draw = random.Random(seed)

    def size() -> int:
        return draw.choice((0, 1, 2, 3, most, most))

    def maybe(value: Any) -> Any:
        return None if draw.random() < 0.25 else value

    def integer() -> int:
        return draw.choice((-1, 0, 1, 1, 2, 3, 5))

    def real() -> float:
        return draw.choice((-1.0, 0.0, 0.5, 1.0, 2.0, 2.5, 5.0))

    def text() -> str:
        return draw.choice(_TEXTS)

    def numbers(n: int) -> list[int]:
        return sorted(draw.sample((-1, 0, 1, 2, 3, 4, 5, 7), n))

    cities = [(i, text(), maybe(text()), maybe(integer())) for i in numbers(size())]
    people: list[tuple[Any, ...]] = []
    for i in numbers(size()):
        home = maybe(draw.choice(cities)[0]) if cities else None
        boss = maybe(draw.choice([*(p[0] for p in people), i]))
        people.append((i, maybe(text()), home, boss, integer(), maybe(real())))
    visits: dict[tuple[int, str], tuple[Any, ...]] = {}
    for _ in range(size() if people and cities else 0):
        who, where = draw.choice(people)[0], text()
        visits[who, where] = (who, where, draw.choice(cities)[0], maybe(integer()), maybe(real()))
    tags = [(code, maybe(text())) for code in draw.sample(_TEXTS, size())]
    logs = [
        (maybe(integer()), integer(), maybe(integer()), maybe(text()), text(), maybe(real())) for _ in range(size())
    ]
    logs += draw.choices(logs, k=draw.choice((0, 2))) if logs else []
    words = [(i, maybe(text()), maybe(text())) for i in numbers(size())]
    events = [(i, draw.choice(_DAYS), maybe(draw.choice(_DAYS))) for i in numbers(size())]
    return {
        "city": cities, "person": people, "visit": list(visits.values()), "tag": tags, "log": logs,
        "word": words, "event": events,
    }  # fmt: skip


class World:
    """One database in one engine."""

    def __init__(self, seed: int, dialect: str = "sqlite", most: int = 5) -> None:
        self.seed = seed
        self._known: dict[str, Table | None] = {}
        if dialect == "duckdb":
            import duckdb

            self._run: Any = duckdb.connect(config={"threads": 1})
        else:
            self._run = apsw.Connection(":memory:")
            self._run.set_progress_handler(self._too_long, 200_000)
        self.dialect = dialect
        self._run.execute(SCHEMA)
        for table, found in rows(seed, most).items():
            for row in found:
                if dialect == "duckdb" and table == "person" and row[3] == row[0]:
                    row = (*row[:3], None, *row[4:])  # DuckDB lets no row refer to itself
                self._run.execute(f"INSERT INTO {table} VALUES ({', '.join('?' * len(row))})", row)

    @staticmethod
    def _too_long() -> bool:
        return True

    def answer(self, sql: str) -> Table | None:
        """The result of a query, or None if the engine refuses it."""
        try:
            if self.dialect == "duckdb":
                done = self._run.execute(sql)
                return Table(len(done.description), [tuple(map(_plain, row)) for row in done.fetchall()])
            cursor = self._run.cursor()
            found = cursor.execute(sql).fetchall()
            return Table(len(found[0]) if found else 0, found)
        except Exception:  # noqa: BLE001 - each engine has its own errors, and each means "no answer"
            return None


def _plain(cell: Any) -> Any:
    if isinstance(cell, Decimal):
        return float(cell)
    return cell if cell is None or isinstance(cell, (int, float, str, bytes)) else str(cell)


@lru_cache(maxsize=8)
def worlds(count: int, dialect: str = "sqlite", first: int = 0) -> tuple[World, ...]:
    """The first databases of the endless row."""
    return tuple(World(first + seed, dialect) for seed in range(count))


def agree(a: Table | None, b: Table | None, policy: str = "default", *, ordered: bool = False) -> bool:
    """Whether two results agree, columns in place for `bag`. Two empty results do."""
    if a is None or b is None:
        return a is b
    if not a.rows or not b.rows:
        return not a.rows and not b.rows
    if ordered:
        return POLICIES["strict"](a, b, [1] * len(a.rows))
    return bool(POLICIES[policy](a, b, None))


class Writer:
    """Writes random queries. All choices come from one source of randomness."""

    def __init__(self, seed: int) -> None:
        self.draw = random.Random(seed)
        self._made = 0

    def query(self) -> str:
        """A whole statement."""
        shape = self.draw.random()
        if shape < 0.12:
            return self.set_operation()
        if shape < 0.2:
            return self.with_query()
        return self.select(1)

    def alias(self) -> str:
        self._made += 1
        return f"q{self._made}"

    def set_operation(self) -> str:
        kinds = [self.draw.choice("it") for _ in range(self.draw.choice((1, 1, 2)))]
        if self.draw.random() < 0.35:
            return self._similar_branches()
        branches = [self.plain(kinds) for _ in range(self.draw.choice((2, 2, 3)))]
        whole = branches[0]
        for branch in branches[1:]:
            whole += f" {self.draw.choice(('UNION', 'UNION ALL', 'INTERSECT', 'EXCEPT', 'UNION'))} {branch}"
        if self.draw.random() < 0.25:
            whole += " ORDER BY " + ", ".join(str(i + 1) for i in range(len(kinds)))
            if self.draw.random() < 0.5:
                whole += f" LIMIT {self.draw.choice((1, 2, 3))}"
        return whole

    def _similar_branches(self) -> str:
        sources, scope = self.sources(0)
        outputs = ", ".join(self.column(scope, self.draw.choice("it")) for _ in range(self.draw.choice((1, 2))))
        branches = [f"SELECT {outputs} FROM {sources} WHERE {self.condition(scope, 0)}" for _ in (1, 2)]
        if self.draw.random() < 0.4:
            column = self.column(scope, "i")
            at = self.draw.choice((0, 1, 2, 3))
            branches = [f"SELECT {outputs} FROM {sources} WHERE {column} {c} {at}" for c in ("<", ">=")]
        return f" {self.draw.choice(('UNION', 'UNION ALL', 'INTERSECT', 'EXCEPT'))} ".join(branches)

    def with_query(self) -> str:
        name = self.draw.choice(("w", "city", "part"))
        inner = self.plain(["i", "t"])
        rest = self.draw.choice((
            "SELECT {w}.c0 FROM {w}", "SELECT x.c1, y.c0 FROM {w} AS x JOIN {w} AS y ON x.c0 = y.c0",
            "SELECT c1, COUNT(*) FROM {w} GROUP BY c1", "SELECT c0 FROM {w} WHERE c1 IN (SELECT c1 FROM {w} WHERE c0 > 1)",
            "SELECT person.name, {w}.c1 FROM person LEFT JOIN {w} ON {w}.c0 = person.id",
        ))  # fmt: skip
        if name == "city":
            inner = self._without(inner, "city")
        return f"WITH {name}(c0, c1) AS ({inner}) " + rest.format(w=name)

    def _without(self, sql: str, table: str) -> str:
        for _ in range(20):
            if f" {table} " not in f"{sql} ":
                return sql
            sql = self.plain(["i", "t"])
        return "SELECT a, s FROM log"

    def plain(self, kinds: list[str]) -> str:
        """A SELECT of columns or simple expressions of the kinds asked for."""
        sources, scope = self.sources(0)
        outputs = [f"{self.value(scope, kind)} AS c{i}" for i, kind in enumerate(kinds)]
        distinct = "DISTINCT " if self.draw.random() < 0.25 else ""
        where = f" WHERE {self.condition(scope, 0)}" if self.draw.random() < 0.6 else ""
        return f"SELECT {distinct}{', '.join(outputs)} FROM {sources}{where}"

    def sources(self, depth: int) -> tuple[str, dict[str, dict[str, str]]]:
        """A FROM clause, and the columns that it shows, by alias."""
        scope: dict[str, dict[str, str]] = {}
        text = ""
        for place in range(self.draw.choice((1, 1, 1, 2, 2, 3))):
            source, alias, columns = self.source(depth)
            if place == 0:
                text = source
                scope[alias] = columns
                continue
            before = dict(scope)
            scope[alias] = columns
            on = self.link(before, alias, columns) if self.draw.random() < 0.85 else self.condition(scope, 0)
            if self.draw.random() < 0.25:
                on += f" AND {self.condition(scope, 0)}"
            text += f" {self.draw.choice(('JOIN', 'JOIN', 'LEFT JOIN', 'LEFT JOIN'))} {source} ON {on}"
        return text, scope

    def source(self, depth: int) -> tuple[str, str, dict[str, str]]:
        alias = self.alias()
        if self.draw.random() < (0.2 if depth else 0.12):
            kinds = [self.draw.choice("iitr") for _ in range(self.draw.choice((1, 2, 3)))]
            shape = self.draw.random()
            if shape < 0.5:
                inner = self.plain(kinds)
            elif shape < 0.7:
                inner = (
                    f"{self.plain(kinds)} {self.draw.choice(('UNION ALL', 'UNION ALL', 'UNION'))} {self.plain(kinds)}"
                )
            else:
                inner, kinds = self.grouped_plain()
            return f"({inner}) AS {alias}", alias, {f"c{i}": kind for i, kind in enumerate(kinds)}
        table = self.draw.choice(tuple(COLUMNS))
        return f"{table} AS {alias}", alias, COLUMNS[table]

    def grouped_plain(self) -> tuple[str, list[str]]:
        sources, scope = self.sources(0)
        kind = self.draw.choice("it")
        column = self.column(scope, kind)
        return f"SELECT {column} AS c0, {self.aggregate(scope)} AS c1 FROM {sources} GROUP BY {column}", [kind, "i"]

    def link(self, before: dict[str, dict[str, str]], alias: str, columns: dict[str, str]) -> str:
        """An equality between a new source and the others, along a foreign key where there is one."""
        links = [
            (f"{a}.{x}", f"{alias}.{y}")
            for a, known in before.items() for x in known for y in columns
            if (x, y) in {("city_id", "id"), ("id", "city_id"), ("person_id", "id"), ("id", "person_id"),
                          ("boss_id", "id"), ("id", "boss_id"), ("id", "id"), ("city_id", "city_id"),
                          ("person_id", "person_id"), ("place", "place"), ("place", "code"), ("name", "code")}
        ]  # fmt: skip
        if links and self.draw.random() < 0.85:
            a, b = self.draw.choice(links)
            if "person_id" in a and "person_id" in b and self.draw.random() < 0.5:
                return f"{a} = {b} AND {a.replace('person_id', 'place')} = {b.replace('person_id', 'place')}"
            return f"{a} = {b}" if self.draw.random() < 0.5 else f"{b} = {a}"
        kind = self.draw.choice("it")
        return f"{self.column(before, kind)} = {self.column({alias: columns}, kind)}"

    def column(self, scope: dict[str, dict[str, str]], kind: str = "") -> str:
        """A column of a kind, or a literal where there is none."""
        found = [f"{a}.{c}" for a, known in scope.items() for c, k in known.items() if not kind or k.lower() == kind]
        return self.draw.choice(found) if found else self.literal(kind)

    def literal(self, kind: str) -> str:
        if kind == "t":
            return self.draw.choice(("'a'", "'A'", "'b'", "''", "'5'", "'ab'"))
        if kind == "r":
            return self.draw.choice(("0.5", "1.0", "2", "2.50", "1e0"))
        return self.draw.choice(("0", "1", "2", "3", "-1", "5"))

    def value(self, scope: dict[str, dict[str, str]], kind: str, depth: int = 1) -> str:
        shape = self.draw.random()
        column = self.column(scope, kind)
        if shape < 0.62 or not depth:
            return column
        if shape < 0.7:
            return self.literal(kind)
        if shape < 0.76:
            return f"COALESCE({column}, {self.value(scope, kind, 0)})"
        if shape < 0.82:
            condition = self.predicate(scope)
            other = self.draw.choice(("", f" ELSE {self.value(scope, kind, 0)}"))
            return f"CASE WHEN {condition} THEN {column}{other} END"
        if shape < 0.86:
            x, y = self.draw.choice(("IS NOT NULL THEN {0} ELSE {1}", "IS NULL THEN {1} ELSE {0}")), self.literal(kind)
            return f"CASE WHEN {column} " + x.format(column, y) + " END"
        if shape < 0.93:
            to = {"i": "INTEGER", "t": "TEXT", "r": "REAL"}[kind]
            return f"CAST({self.column(scope, self.draw.choice((kind, kind, 'i')))} AS {to})"
        if kind == "t":
            return self.draw.choice((f"LOWER({column})", f"({column} || 'a')", f"UPPER({column})"))
        if self.draw.random() < 0.2 and kind == "r":
            return f"({column} * 1.0)"
        other = self.draw.choice((self.literal("i"), self.column(scope, kind)))
        return f"({column} {self.draw.choice('+-*')} {other})"

    def comparison(self, scope: dict[str, dict[str, str]]) -> str:
        kind = self.draw.choice("iiittr")
        op = self.draw.choice(("=", "=", "<>", "<", "<=", ">", ">="))
        left = self.value(scope, kind)
        shape = self.draw.random()
        if shape < 0.55:
            right = self.literal(kind)
        elif shape < 0.62:
            right = self.draw.choice(("'5'", "5", "5.0", "NULL", "'05'", "1.5"))
        else:
            right = self.value(scope, self.draw.choice((kind, kind, kind, "i")))
        return f"{left} {op} {right}" if self.draw.random() < 0.8 else f"{right} {op} {left}"

    def predicate(self, scope: dict[str, dict[str, str]]) -> str:
        """A condition without nested queries."""
        shape = self.draw.random()
        kind = self.draw.choice("iit")
        column = self.column(scope, kind)
        if shape < 0.5:
            return self.comparison(scope)
        if shape < 0.6:
            items = ", ".join(self.literal(kind) for _ in range(self.draw.choice((1, 2, 3))))
            return f"{column} {self.draw.choice(('', 'NOT '))}IN ({items})"
        if shape < 0.68:
            low, high = self.literal(kind), self.literal(kind)
            return f"{column} {self.draw.choice(('', 'NOT '))}BETWEEN {low} AND {high}"
        if shape < 0.78:
            return f"{self.value(scope, kind)} IS {self.draw.choice(('', 'NOT '))}NULL"
        if shape < 0.82:
            return f"{column} IS {self.draw.choice(('', 'NOT '))}{self.column(scope, kind)}"
        if shape < 0.87:
            return f"{self.column(scope, 't')} {self.draw.choice(('', 'NOT '))}LIKE {self.draw.choice(_PATTERNS)}"
        if shape < 0.92:
            return f"{self.column(scope, 'i')} * {self.draw.choice((2, 3, -1))} > {self.literal('i')}"
        if shape < 0.95:
            return f"({self.comparison(scope)}) IS {self.draw.choice(('TRUE', 'FALSE', 'NOT NULL'))}"
        return self.draw.choice(("1 = 1", "1 = 0", "NULL", "2 > 1", "'a' = 'A'"))

    def condition(self, scope: dict[str, dict[str, str]], depth: int) -> str:
        shape = self.draw.random()
        if shape < 0.5 or (shape > 0.85 and not depth):
            return self.predicate(scope)
        if shape < 0.65:
            return f"({self.condition(scope, depth)} AND {self.condition(scope, depth)})"
        if shape < 0.78:
            return f"({self.condition(scope, depth)} OR {self.condition(scope, depth)})"
        if shape < 0.82:
            a, b, c = (self.predicate(scope) for _ in range(3))
            return self.draw.choice((f"(({a} AND {b}) OR ({a} AND {c}))", f"({a} OR ({a} AND {b}))",
                                     f"({a} AND ({a} OR {b}))"))  # fmt: skip
        if shape < 0.85:
            return f"NOT ({self.condition(scope, depth)})"
        return self.nested_condition(scope)

    def nested_condition(self, scope: dict[str, dict[str, str]]) -> str:
        alias = self.alias()
        shape = self.draw.random()
        negated = self.draw.choice(("", "", "NOT "))
        table = self.draw.choice(tuple(COLUMNS))
        inner = {alias: COLUMNS[table]}
        kind = self.draw.choice("iit")
        where = self.condition(inner, 0)
        if shape < 0.4:
            tail = self.draw.choice(("", "", f" WHERE {where}", f" WHERE {where}"))
            distinct = self.draw.choice(("", "DISTINCT "))
            return (
                f"{self.column(scope, kind)} {negated}IN "
                f"(SELECT {distinct}{self.column(inner, kind)} FROM {table} AS {alias}{tail})"
            )
        if shape < 0.85:
            extra = self.draw.choice(("", f" AND {where}", f" AND {self.predicate({**scope, **inner})}"))
            link = self.link(scope, alias, inner[alias])
            what = self.draw.choice(("1", "*", f"{alias}.{next(iter(inner[alias]))}"))
            return f"{negated}EXISTS (SELECT {what} FROM {table} AS {alias} WHERE {link}{extra})"
        op = self.draw.choice(("=", "<", ">="))
        aggregate = self.draw.choice(("COUNT(*)", f"MAX({self.column(inner, 'i')})", f"MIN({self.column(inner, 'i')})"))
        link = self.draw.choice((where, self.link(scope, alias, inner[alias])))
        return f"{self.column(scope, 'i')} {op} (SELECT {aggregate} FROM {table} AS {alias} WHERE {link})"

    def aggregate(self, scope: dict[str, dict[str, str]]) -> str:
        kind = self.draw.choice("iir")
        column = self.column(scope, kind)
        return self.draw.choice((
            "COUNT(*)", "COUNT(1)", f"COUNT({self.column(scope)})", f"COUNT(DISTINCT {self.column(scope)})",
            f"SUM({column})", f"MIN({self.column(scope)})", f"MAX({self.column(scope, self.draw.choice('it'))})",
            f"AVG({column})", f"SUM(DISTINCT {column})", f"MIN(DISTINCT {column})",
            f"COUNT(CASE WHEN {self.predicate(scope)} THEN 1 END)", f"SUM(CASE WHEN {self.predicate(scope)} THEN 1 ELSE 0 END)",
            f"SUM({column}) * 1.0 / COUNT({column})", f"CAST(SUM({column}) AS REAL) / COUNT(*)",
            f"MAX({self.value(scope, 'i')})",
        ))  # fmt: skip

    def select(self, depth: int) -> str:
        sources, scope = self.sources(depth)
        where = f" WHERE {self.condition(scope, depth)}" if self.draw.random() < 0.75 else ""
        shape = self.draw.random()
        if shape < 0.12:
            outputs = [self.aggregate(scope) for _ in range(self.draw.choice((1, 2)))]
            having = f" HAVING {self.aggregate(scope)} > {self.literal('i')}" if self.draw.random() < 0.15 else ""
            return f"SELECT {', '.join(outputs)} FROM {sources}{where}{having}"
        if shape < 0.42:
            return self._grouped(sources, scope, where)
        kinds = [self.draw.choice("iitr") for _ in range(self.draw.choice((1, 2, 2, 3)))]
        outputs = [self.value(scope, kind) for kind in kinds]
        distinct = "DISTINCT " if self.draw.random() < 0.3 else ""
        named = ", ".join(f"{value} AS c{i}" for i, value in enumerate(outputs))
        whole = f"SELECT {distinct}{named} FROM {sources}{where}{self._order(outputs)}"
        if self.draw.random() < 0.12:
            return self._wrapped(whole, kinds)
        return whole

    def _order(self, outputs: list[str]) -> str:
        if self.draw.random() < 0.7:
            return ""
        places = [str(i + 1) for i, output in enumerate(outputs) if "q" in output]
        if not places:
            return ""
        self.draw.shuffle(places)
        keys = ", ".join(place + self.draw.choice(("", " DESC", " NULLS LAST", " ASC")) for place in places)
        limit = self.draw.choice(
            ("", f" LIMIT {self.draw.choice((0, 1, 2, 3))}", " LIMIT 2 OFFSET 1", " LIMIT 3 OFFSET 0")
        )
        return f" ORDER BY {keys}{limit}"

    def _grouped(self, sources: str, scope: dict[str, dict[str, str]], where: str) -> str:
        keys = list(
            dict.fromkeys(self.column(scope, self.draw.choice("iit")) for _ in range(self.draw.choice((1, 1, 2))))
        )
        keys = [key for key in keys if "." in key] or [self.column(scope)]
        outputs = [*keys] if self.draw.random() < 0.8 else keys[:1]
        outputs += [self.aggregate(scope) for _ in range(self.draw.choice((0, 1, 1, 2)))]
        having = ""
        if self.draw.random() < 0.35:
            choice = self.draw.choice((f"{self.aggregate(scope)} >= {self.literal('i')}", f"{keys[0]} IS NOT NULL",
                                       f"{keys[0]} <> {self.literal('i')}", f"MIN({keys[0]}) = {self.literal('i')}"))  # fmt: skip
            having = f" HAVING {choice}"
        distinct = "DISTINCT " if self.draw.random() < 0.1 else ""
        named = ", ".join(f"{value} AS c{i}" for i, value in enumerate(outputs))
        group = f" GROUP BY {', '.join(keys)}{having}"
        whole = f"SELECT {distinct}{named} FROM {sources}{where}{group}{self._order(outputs)}"
        return self._wrapped(whole, ["i"] * len(outputs)) if self.draw.random() < 0.15 else whole

    def _wrapped(self, inner: str, kinds: list[str]) -> str:
        alias = self.alias()
        scope = {alias: {f"c{i}": kind for i, kind in enumerate(kinds)}}
        if self.draw.random() < 0.3:
            column = self.column(scope)
            return f"SELECT COUNT({self.draw.choice(('*', column))}) FROM ({inner}) AS {alias}"
        outputs = self.draw.choice(("*", f"{alias}.c0", f"{self.column(scope)} AS z"))
        where = self.draw.choice(("", f" WHERE {self.predicate(scope)}"))
        return f"SELECT {outputs} FROM ({inner}) AS {alias}{where}"


_PATTERNS = ("'a'", "'%a%'", "'A_'", "''", "'%'")


#: Shapes that meet the rules which random queries seldom meet. `{w}` is a condition on the alias p (a person).
_TEMPLATES = (
    "SELECT c.name AS c0 FROM city AS c LEFT JOIN person AS p ON p.city_id = c.id AND {w} WHERE p.id IS NULL",
    "SELECT c.id AS c0, COUNT(*) AS c1 FROM city AS c LEFT JOIN person AS p ON p.city_id = c.id WHERE p.age IS NULL GROUP BY c.id",
    "SELECT p.name AS c0 FROM person AS p WHERE {n}EXISTS (SELECT 1 FROM person AS q WHERE q.id = p.id AND q.age > {i})",
    "SELECT p.name AS c0 FROM person AS p WHERE {n}EXISTS (SELECT 1 FROM person AS q WHERE q.id = p.id AND q.score > {i})",
    "SELECT v.day AS c0 FROM visit AS v WHERE EXISTS (SELECT 1 FROM visit AS u WHERE u.person_id = v.person_id AND u.place = v.place AND u.cost > {i})",
    "SELECT * FROM (SELECT a AS c0 FROM log UNION SELECT p.{c} FROM person AS p WHERE {w}) AS z",
    "SELECT * FROM (SELECT b, a FROM log {u} SELECT p.id, p.{c} FROM person AS p) AS z",
    "SELECT z.b AS c0, z.a AS c1 FROM (SELECT a, b FROM log {u} SELECT p.age, p.id FROM person AS p WHERE {w}) AS z",
    "SELECT p.{c} AS c0 FROM person AS p WHERE {w} GROUP BY p.{c} HAVING 1 <= COUNT(*)",
    "SELECT p.{c} AS c0, MAX(p.age) AS c1 FROM person AS p GROUP BY p.{c} HAVING COUNT(p.id) > 0 AND MAX(p.age) > {i}",
    "SELECT COUNT(*) AS c0 FROM (SELECT DISTINCT p.{c} FROM person AS p WHERE {w}) AS z",
    "SELECT COUNT(*) AS c0 FROM (SELECT DISTINCT p.age FROM person AS p JOIN city AS c ON c.id = p.city_id WHERE {w}) AS z",
    "SELECT p.{c} AS c0, COUNT(DISTINCT p.id) AS c1 FROM person AS p WHERE {w} GROUP BY p.{c}",
    "SELECT COUNT(DISTINCT p.id) AS c0, SUM(DISTINCT p.age) AS c1 FROM person AS p LEFT JOIN city AS c ON c.id = p.city_id",
    "SELECT DISTINCT z.c0 FROM (SELECT DISTINCT p.name AS c0, p.{c} AS c1 FROM person AS p WHERE {w}) AS z",
    "SELECT c.id AS c0, z.c1 AS c1 FROM city AS c JOIN (SELECT DISTINCT p.city_id AS c1 FROM person AS p WHERE {w}) AS z ON z.c1 = c.id",
    "SELECT c.id AS c0, z.n AS c1 FROM city AS c LEFT JOIN (SELECT p.city_id, p.name AS n, p.age FROM person AS p WHERE {w}) AS z ON z.city_id = c.id",
    "SELECT c.id AS c0, z.age AS c1 FROM city AS c LEFT JOIN (SELECT * FROM person AS p WHERE {w}) AS z ON z.city_id = c.id WHERE z.id NOT IN (SELECT b FROM log) OR c.id > {i}",
    "SELECT z.c0 FROM (SELECT a AS c0, t AS c1 FROM log UNION ALL SELECT p.{c}, p.name FROM person AS p) AS z WHERE z.c0 > {i}",
    "SELECT z.c1, k.label FROM (SELECT a AS c0, t AS c1 FROM log UNION ALL SELECT p.{c}, p.name FROM person AS p) AS z JOIN tag AS k ON k.code = z.c1",
    "SELECT p.name AS c0 FROM person AS p WHERE p.age < {i} UNION ALL SELECT q.name FROM person AS q WHERE q.age >= {i}",
    "SELECT p.name AS c0 FROM person AS p WHERE {w} UNION SELECT q.name FROM person AS q WHERE q.age > {i}",
    "SELECT a.name AS c0 FROM person AS a JOIN person AS p ON a.id = p.id WHERE {w}",
    "SELECT v.day AS c0 FROM visit AS v JOIN visit AS u ON v.person_id = u.person_id AND u.place = v.place WHERE u.cost > {i}",
    "SELECT v.place AS c0 FROM visit AS v JOIN person AS p ON p.id = v.person_id JOIN city AS c ON c.id = p.city_id WHERE {w}",
    "SELECT p.{c} AS c0 FROM person AS p JOIN city AS c ON c.id = p.city_id",
    "SELECT p.id AS c0, p.{c} AS c1 FROM person AS p LEFT JOIN city AS c ON p.city_id = c.id LEFT JOIN person AS b ON b.id = p.boss_id WHERE {w}",
    "SELECT p.id AS c0 FROM person AS p LEFT JOIN tag AS k ON k.code = p.name LEFT JOIN tag AS m ON m.code = k.label",
    "SELECT p.id AS c0, MAX(p.{c}) AS c1, COUNT(p.name) AS c2, SUM(p.age) AS c3 FROM person AS p WHERE {w} GROUP BY p.id HAVING MIN(p.age) >= {i}",
    "SELECT v.person_id AS c0, v.place AS c1, COUNT(*) AS c2 FROM visit AS v JOIN person AS p ON p.id = v.person_id GROUP BY v.person_id, v.place, p.name",
    "SELECT p.id AS c0, p.name AS c1, COUNT(*) AS c2 FROM person AS p LEFT JOIN visit AS v ON v.person_id = p.id WHERE {w} GROUP BY p.id, p.name",
    "SELECT p.{c} AS c0 FROM person AS p WHERE {w} {x} SELECT city_id FROM visit",
    "SELECT p.{c} AS c0, p.age AS c1 FROM person AS p {x} SELECT a, b FROM log WHERE a > {i}",
    "SELECT z.c0 AS c0 FROM (SELECT p.city_id AS c0, COUNT(*) AS c1 FROM person AS p WHERE {w} GROUP BY p.city_id) AS z WHERE z.c1 > {i}",
    "SELECT p.id AS c0 FROM person AS p WHERE p.age = {i} AND p.{c} = p.age",
    "SELECT p.age AS c0, COUNT(*) AS c1 FROM person AS p WHERE p.age = {i}",
    "SELECT p.age AS c0, COUNT(*) AS c1 FROM person AS p WHERE p.age = {i} GROUP BY p.age",
    "SELECT p.{c} AS c0, p.id AS c1, p.name AS c2 FROM person AS p WHERE {w} ORDER BY p.{c}, p.id, p.name LIMIT 2 OFFSET 0",
    "SELECT COUNT(*) AS c0, MAX(p.{c}) AS c1 FROM person AS p WHERE {w} ORDER BY 1 LIMIT {i}",
    "SELECT p.name AS c0 FROM person AS p WHERE p.{c} IN (SELECT q.{c} FROM person AS q WHERE q.age > {i}) OR p.{c} {n}IN (SELECT id FROM city)",
    "SELECT p.name AS c0 FROM person AS p WHERE p.age {n}IN (SELECT id FROM city) AND p.{c} IS NOT NULL AND p.{c} NOT IN (SELECT size FROM city)",
    "SELECT c.id AS c0 FROM city AS c LEFT JOIN person AS p ON p.city_id = c.id WHERE NOT (p.{c} = {i} OR p.age < {i})",
    "SELECT c.id AS c0, COUNT(p.id) AS c1, COUNT(p.{c}) AS c2 FROM city AS c LEFT JOIN person AS p ON p.city_id = c.id GROUP BY c.id, c.name",
    "SELECT DISTINCT p.id AS c0, c.name AS c1 FROM person AS p JOIN city AS c ON c.id = p.city_id WHERE {w}",
    "SELECT l.a AS c0, COUNT(*) AS c1 FROM log AS l LEFT JOIN (SELECT id AS x FROM person UNION SELECT id FROM city) AS z ON z.x = l.a GROUP BY l.a, z.x",
    "SELECT SUM(p.{c}) * 1.0 / COUNT(p.{c}) AS c0, CAST(SUM(p.age) AS REAL) / COUNT(*) AS c1 FROM person AS p WHERE {w}",
    "SELECT p.id AS c0 FROM person AS p WHERE p.{c} > '{i}' OR p.score = '{i}'",
    "SELECT c.id AS c0 FROM city AS c WHERE c.name = {i} OR c.region < {i}",
    "SELECT c.id AS c0 FROM city AS c WHERE c.name = 5 AND c.region <> 5.0 OR COALESCE(c.name, 'a') = 5",
    "SELECT p.id AS c0, k.code AS c1 FROM person AS p, tag AS k WHERE p.age = {i} AND p.{c} = k.code",
    "SELECT p.id AS c0, c.name AS c1 FROM person AS p LEFT JOIN city AS c ON FALSE WHERE {w}",
    "SELECT p.id AS c0, z.a AS c1 FROM person AS p LEFT JOIN (SELECT a FROM log WHERE FALSE) AS z ON z.a = p.{c}",
    "SELECT p.{c} AS c0, p.age AS c1 FROM person AS p WHERE {w} GROUP BY p.{c}, p.age",
    "SELECT p.id AS c0, p.name AS c1 FROM person AS p WHERE {w} GROUP BY p.id, p.name",
    "SELECT p.id AS c0, p.{c} < NULL AS c1 FROM person AS p WHERE NOT (NULL = p.age AND {w})",
    "SELECT CASE WHEN {w} THEN p.{c} ELSE p.{c} END AS c0, CASE WHEN TRUE THEN p.name END AS c1 FROM person AS p",
    "SELECT CASE WHEN FALSE THEN 1 WHEN {w} THEN p.age ELSE p.age END AS c0 FROM person AS p",
    "SELECT p.id AS c0 FROM person AS p WHERE {w} UNION SELECT p.id FROM person AS p WHERE p.{c} = {i} UNION SELECT b FROM log",
    "SELECT p.{c} AS c0 FROM person AS p WHERE p.age < {i} AND {w} UNION ALL SELECT p.{c} FROM person AS p WHERE p.age > {i}",
    "SELECT (SELECT COUNT(*) FROM visit AS v WHERE v.person_id = p.id) AS c0, p.{c} OR ({w} AND p.{c}) AS c1 FROM person AS p",
    "SELECT p.{c} OR (p.{c} AND p.age) AS c0, p.{c} AND (p.{c} OR p.age) AS c1 FROM person AS p",
    "SELECT z.n AS c0 FROM (SELECT p.{c} AS k, COUNT(*) AS n FROM person AS p GROUP BY p.{c}) AS z WHERE EXISTS (SELECT 1 FROM log WHERE log.b = z.n)",
    "SELECT (SELECT z.n + {i}) AS c0 FROM (SELECT p.{c} AS k, COUNT(*) AS n FROM person AS p GROUP BY p.{c}) AS z",
    "SELECT z.a AS c0, z.b AS c1 FROM (SELECT p.{c} AS a, COUNT(*) AS b FROM person AS p WHERE p.{c} = {i}) AS z WHERE z.a IS NOT NULL",
    "SELECT p.id AS c0 FROM person AS p WHERE p.score = {i}e0 AND p.score = {i}",
    "SELECT p.id AS c0 FROM person AS p WHERE p.score > {i} AND p.score >= {i}.0 AND p.score <> {i} OR p.age IN ({i}, 1, 2)",
    "SELECT z.x AS c0 FROM (SELECT code AS x FROM tag UNION ALL SELECT p.{c} FROM person AS p) AS z WHERE z.x = 5 OR z.x = '{i}'",
    "SELECT z.x / 2 AS c0 FROM (SELECT p.{c} AS x FROM person AS p {u} SELECT r FROM log) AS z",
)  # fmt: skip


def template(seed: int) -> str:
    """A query of one of the shapes, filled at random."""
    draw = random.Random(seed)
    writer = Writer(seed)
    return _TEMPLATES[seed % len(_TEMPLATES)].format(
        w=writer.predicate({"p": COLUMNS["person"]}),
        i=draw.choice(("0", "1", "2", "3")),
        c=draw.choice(("city_id", "boss_id", "age", "id")),
        n=draw.choice(("", "NOT ")),
        u=draw.choice(("UNION", "UNION ALL", "EXCEPT")),
        x=draw.choice(("INTERSECT", "EXCEPT")),
    )
