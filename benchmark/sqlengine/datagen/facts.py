"""What a statement says about values: its tables, which constants meet which columns, and which columns meet.

Promises: reads any tree that sqlglot makes, and the bare text where it makes none; says less rather than fail.
Does not: understand scopes. A name means every table of the statement that has such a column.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from sqlglot import exp

from benchmark.sqlengine.datagen.values import glob_strings, like_strings
from benchmark.sqlengine.parse import parse
from benchmark.sqlengine.results import Cell
from benchmark.sqlengine.schema import Schema, Table

#: A column: its table and its name, both in lower case.
Place = tuple[str, str]

#: Its value is decided by the clock, a generator of random numbers, or the connection: no database tells it apart.
_UNSETTLED = re.compile(
    r"\b(?:random|randomblob|gen_random_uuid|uuid|uuidv[47]|now|today|get_current_\w+|current_setting|setseed"
    r"|transaction_timestamp|last_insert_rowid|changes|total_changes|nextval|currval|txid_current|age)\s*\("
    r"|\bcurrent_(?:date|time|timestamp|user)\b|\blocaltime(?:stamp)?\b|'(?:now|today|tomorrow|yesterday)\b"
    r"|\b(?:date|time|datetime|julianday|unixepoch)\s*\(\s*\)|\bstrftime\s*\(\s*'[^']*'\s*\)|\btablesample\b",
    re.IGNORECASE,
)
#: Picks one of several values, or an order, without a rule.
_ARBITRARY = re.compile(
    r"\b(?:any_value|arbitrary|first|last|mode|arg_?max|arg_?min|max_by|min_by|approx_\w+|reservoir_quantile)\s*\(",
    re.IGNORECASE,
)
_STAR = re.compile(r"(?:\bselect\s+(?:distinct\s+)?|,\s*|\.)\*|\bnatural\b|\bcolumns\s*\(", re.IGNORECASE)
_WORD = re.compile(r"\w+")
_CONSTANT = re.compile(r"'((?:[^']|'')*)'|\b(\d+(?:\.\d+)?)\b")
_MEETS = (
    exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.NullSafeEQ, exp.In, exp.Between,
    exp.Like, exp.ILike, exp.Glob, exp.Case, exp.RegexpLike, exp.StartsWith, exp.Mod,
)  # fmt: skip
_PATTERNS = (exp.Like, exp.ILike, exp.Glob)
_MOST = 12


@dataclass
class Facts:
    """What statements say together. `counts` are group sizes and row counts that they ask for."""

    tables: set[str] = field(default_factory=set)
    words: set[str] = field(default_factory=set)
    constants: dict[Place, list[Cell]] = field(default_factory=dict)
    loose: list[Cell] = field(default_factory=list)
    meetings: list[tuple[Place, Place]] = field(default_factory=list)
    counts: set[int] = field(default_factory=set)
    #: Whether columns may matter that no statement names.
    every_column: bool = False


def settled(sql: str) -> bool:
    """Whether a statement's answer depends on the database alone."""
    return not _UNSETTLED.search(sql)


def arbitrary(sql: str) -> bool:
    """Whether a statement picks some value by a function that promises none in particular."""
    return bool(_ARBITRARY.search(sql))


def words_of(sql: str) -> set[str]:
    """Every word of a text, in lower case."""
    return set(map(str.lower, _WORD.findall(sql)))


def facts_of(statements: list[str], schema: Schema, dialect: str) -> Facts:
    """The facts of some statements under one schema."""
    facts = Facts()
    for sql in statements:
        facts.words |= words_of(sql)
        facts.every_column |= bool(_STAR.search(sql)) or not sql.lstrip(" (\n").lower().startswith("select")
        tree = parse(sql, dialect)
        if tree is None:
            facts.tables |= facts.words & set(schema.tables)
            facts.loose += [text.replace("''", "'") if text else _number(n) for text, n in _CONSTANT.findall(sql)]
        else:
            _Reader(facts, tree, schema).read()
    return facts


def facts_of_checks(facts: Facts, tables: list[Table], schema: Schema) -> None:
    """Add what the CHECK conditions of tables compare their columns with."""
    for table in tables:
        for check in table.checks:
            reader = _Reader(facts, check, schema)
            reader.aliases[table.name.lower()] = table.name.lower()
            reader.read()


class _Reader:
    def __init__(self, facts: Facts, tree: exp.Expr, schema: Schema) -> None:
        self.facts = facts
        self.tree = tree
        self.schema = schema
        self.aliases: dict[str, str] = {}
        self.literals: set[int] = set()

    def read(self) -> None:
        for table in self.tree.find_all(exp.Table):
            if (name := table.name.lower()) in self.schema.tables:
                self.facts.tables.add(name)
                self.aliases[table.alias_or_name.lower()] = name
        self.aliases |= {name: name for name in self.aliases.values()}
        for node in self.tree.find_all(*_MEETS):
            self._meeting(node)
        for counted in self.tree.find_all(exp.Limit, exp.Offset, exp.Having):
            self._counts(counted)
        for both in self.tree.find_all(exp.SetOperation):
            self._positions(both)
        for join in self.tree.find_all(exp.Join):
            self._shared_names(join)
        for literal in self.tree.find_all(exp.Literal):
            if id(literal) not in self.literals:
                self.facts.loose.append(constant(literal))

    def places(self, node: exp.Expr) -> Iterator[Place]:
        """The columns inside an expression; of a subquery, those that it returns."""
        for column in node.find_all(exp.Column):
            yield from self._places_of(column)

    def _places_of(self, column: exp.Column) -> list[Place]:
        name, alias = column.name.lower(), column.table.lower()
        tables = [self.aliases[alias]] if alias in self.aliases else list(dict.fromkeys(self.aliases.values()))
        return [(table, name) for table in tables if self.schema.tables[table].column(name)]

    def _meeting(self, node: exp.Expr) -> None:
        if isinstance(node, exp.In) and isinstance(query := node.args.get("query"), exp.Subquery):
            self._link(self._returned(query.this), list(self.places(node.this)))
            return
        sides = list(node.iter_expressions())
        queries = [side for side in sides if isinstance(side, exp.Subquery)]
        if queries:
            rest = [place for side in sides if side not in queries for place in self.places(side)]
            self._link([place for query in queries for place in self._returned(query.this)], rest)
            return
        places = list(dict.fromkeys(self.places(node)))
        self._link(places[:1], places[1:_MOST])
        for literal in list(node.find_all(exp.Literal)):
            self.literals.add(id(literal))
            for value in self._candidates(literal, node):
                for place in places:
                    self.facts.constants.setdefault(place, []).append(value)
        for column in node.find_all(exp.Column):  # in SQLite a name in double quotes may be a string
            if column.this.args.get("quoted") and not self._places_of(column):
                for place in places:
                    self.facts.constants.setdefault(place, []).append(column.name)

    def _candidates(self, literal: exp.Expr, node: exp.Expr) -> list[Cell]:
        value = constant(literal)
        if isinstance(node, _PATTERNS) and isinstance(value, str):
            return [*(glob_strings(value) if isinstance(node, exp.Glob) else like_strings(value))]
        if isinstance(value, (int, float)):
            return [value, *_solved(literal, value), *_shares(node, value)]
        return [value]

    def _returned(self, query: exp.Expr) -> list[Place]:
        if not isinstance(query, exp.Query):
            return []
        return [place for select in query.selects[:1] for place in self.places(select)]

    def _link(self, some: list[Place], others: list[Place]) -> None:
        self.facts.meetings += [(a, b) for a in some[:_MOST] for b in others[:_MOST] if a != b]

    def _positions(self, node: exp.SetOperation) -> None:
        for a, b in zip(node.left.selects, node.right.selects, strict=False):
            self._link(list(self.places(a)), list(self.places(b)))

    def _shared_names(self, join: exp.Join) -> None:
        names = {name.name.lower() for name in join.args.get("using") or []}
        tables = list(dict.fromkeys(self.aliases.values()))
        for a in tables:
            for column in self.schema.tables[a].columns:
                name = column.name.lower()
                if name in names or (not names and join.args.get("method") == "NATURAL"):
                    found = [(b, name) for b in tables if b != a and self.schema.tables[b].column(name)]
                    self._link([(a, name)], found)

    def _counts(self, node: exp.Expr) -> None:
        for literal in node.find_all(exp.Literal):
            value = constant(literal)
            if isinstance(value, int) and 0 < value <= _MOST:
                self.facts.counts.add(value)
            self.literals.add(id(literal)) if not isinstance(node, exp.Having) else None


def constant(literal: exp.Expr) -> Cell:
    """A literal's value, its sign included."""
    if not isinstance(literal, exp.Literal) or literal.is_string:
        return str(literal.name)
    value = _number(literal.name)
    return -value if isinstance(literal.parent, exp.Neg) else value


def _number(text: str) -> int | float:
    try:
        return int(text) if text.lstrip("+-").isdigit() else float(text)
    except (ValueError, OverflowError):
        return 0


def _solved(literal: exp.Expr, value: int | float) -> list[Cell]:
    """`column * 2 > 200`: the constant of the other side, with this side's arithmetic undone."""
    found: list[Cell] = []
    top = literal.parent
    if not isinstance(top, (exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE)):
        return found
    other = top.left if top.right is literal else top.right
    for node in other.find_all(exp.Mul, exp.Div, exp.Add, exp.Sub):
        factor = node.right if isinstance(node.right, exp.Literal) else node.left
        number = constant(factor) if isinstance(factor, exp.Literal) else None
        if not isinstance(number, (int, float)) or not number:
            continue
        undone: int | float
        if isinstance(node, (exp.Mul, exp.Div)):
            undone = value / number if isinstance(node, exp.Mul) else value * number
        else:
            undone = value - number if isinstance(node, exp.Add) else value + number
        found.append(int(undone) if undone == int(undone) else undone)
    return found


def _shares(node: exp.Expr, value: int | float) -> list[Cell]:
    """`SUM(x) >= 100`: a half of the constant, so that two rows reach it; `LENGTH(x) > 3`: a string of that length."""
    found: list[Cell] = []
    if node.find(exp.Sum):
        found.append(value // 2 if isinstance(value, int) else value / 2)
    if node.find(exp.Length) and 0 <= value <= 60:
        found += ["m" * int(value), "m" * (int(value) + 1)]
    return found
