"""What a schema promises about every database under it: columns and their types, keys, NOT NULL, foreign keys, checks.

Promises: only what the engine enforces, or the DDL says about other tables; a table that is altered later, or that
cannot be read, is left out, and nothing is assumed about it. SQLite lets NULL into most primary keys, so `not_null`
says whether a column of one really never holds it.
Does not: look at rows, or ask an engine.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Literal

from sqlglot import exp

from benchmark.sqlengine.parse import parse, split_statements

#: What a column holds in a database that honours its declared type. `any` promises nothing.
Kind = Literal["integer", "real", "text", "boolean", "date", "timestamp", "time", "blob", "any"]

_DATA_STATEMENT = re.compile(
    r"\s*(?:insert|replace|update|delete|select|with|values|begin|commit|pragma)\b", re.IGNORECASE
)
#: SQLite's options after a table's columns, which sqlglot does not read.
_TABLE_OPTIONS = re.compile(r"\)\s*(?:(?:WITHOUT\s+ROWID|STRICT)\s*,?\s*)+;?\s*\Z", re.IGNORECASE)
_KINDS: tuple[tuple[str, Kind], ...] = (
    ("BOOL", "boolean"),
    ("TIMESTAMP", "timestamp"),
    ("DATETIME", "timestamp"),
    ("DATE", "date"),
    ("INTERVAL", "any"),
    ("TIME", "time"),
    ("YEAR", "integer"),
    ("INT", "integer"),
    ("SERIAL", "integer"),
    ("CHAR", "text"),
    ("CLOB", "text"),
    ("TEXT", "text"),
    ("STRING", "text"),
    ("ENUM", "text"),
    ("BLOB", "blob"),
    ("BINARY", "blob"),
    ("BYTEA", "blob"),
    ("REAL", "real"),
    ("FLOA", "real"),
    ("DOUB", "real"),
    ("DEC", "real"),
    ("NUM", "real"),
    ("MONEY", "real"),
)
_EMPTY: Mapping[str, Table] = {}


@dataclass(frozen=True, slots=True)
class Column:
    """One column. `name` is as the DDL writes it; `declared` the type's text, empty where there is none."""

    name: str
    kind: Kind
    declared: str = ""
    not_null: bool = False
    #: Compared without letter case, or in another order than that of its bytes.
    collated: bool = False
    #: Has no value of its own to insert (GENERATED ALWAYS).
    generated: bool = False


@dataclass(frozen=True, slots=True)
class ForeignKey:
    """`columns` here hold NULL or a row's `references` there. All names in lower case."""

    columns: tuple[str, ...]
    table: str
    references: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """One table. Keys and foreign keys name columns in lower case."""

    name: str
    columns: tuple[Column, ...]
    primary_key: tuple[str, ...] = ()
    #: Sets of columns whose values are unique where none is NULL, the primary key among them.
    uniques: tuple[frozenset[str], ...] = ()
    foreign_keys: tuple[ForeignKey, ...] = ()
    #: CHECK conditions, as trees.
    checks: tuple[exp.Expr, ...] = ()
    _by_name: dict[str, Column] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_by_name", {column.name.lower(): column for column in self.columns})

    def column(self, name: str) -> Column | None:
        """By name in any letter case."""
        return self._by_name.get(name.lower())

    def not_null(self, name: str) -> bool:
        """Whether the column exists and never holds NULL."""
        column = self.column(name)
        return column is not None and column.not_null

    @property
    def keys(self) -> tuple[frozenset[str], ...]:
        """Sets of columns that tell any two rows apart: unique, and never NULL."""
        return tuple(unique for unique in self.uniques if all(map(self.not_null, unique)))


@dataclass(frozen=True, slots=True)
class Schema:
    """Tables by name in lower case."""

    tables: Mapping[str, Table] = field(default_factory=lambda: _EMPTY)

    def table(self, name: str) -> Table | None:
        """By name in any letter case."""
        return self.tables.get(name.lower())


@lru_cache(maxsize=256)
def schema_of(schema_sql: str, dialect: str) -> Schema:
    """The schema that a script makes; what the script inserts is passed over. Treat the result as read-only.

    >>> schema_of("CREATE TABLE t(id INTEGER PRIMARY KEY, a TEXT UNIQUE)", "sqlite").tables["t"].keys
    (frozenset({'id'}),)
    """
    tables: dict[str, Table] = {}
    for text in ddl_statements(schema_sql):
        tree = parse(_TABLE_OPTIONS.sub(")", text), dialect)
        if isinstance(tree, exp.Create) and tree.kind == "TABLE":
            made = _table(tree, text, dialect)
            tables.pop(tree.find(exp.Table).name.lower(), None) if made is None else None  # type: ignore[union-attr]
            if made is not None:
                tables[made.name.lower()] = made
        elif isinstance(tree, exp.Create) and tree.kind == "INDEX":
            _add_unique_index(tree, tables)
        elif not isinstance(tree, exp.Create):  # ALTER, DROP, or what nobody can read
            for name in re.findall(r"\w+", text.lower()):
                tables.pop(name, None)
    return Schema({name: _with_references(table, tables) for name, table in tables.items()})


@lru_cache(maxsize=64)
def ddl_statements(schema_sql: str) -> tuple[str, ...]:
    """The statements of a script that define something, in order: all but those that insert, change or read rows."""
    return tuple(s.text for s in split_statements(schema_sql) if not _DATA_STATEMENT.match(s.text))


def kind_of(declared: str, dialect: str = "") -> Kind:
    """The kind of values under a declared type, by the words in it."""
    upper = declared.upper()
    if dialect == "sqlite" and ("STRING" in upper or "ENUM" in upper):
        return "any"  # they turn texts that look like numbers into numbers there
    for word, kind in _KINDS:
        if word in upper:
            return kind
    return "any"


def _table(tree: exp.Create, text: str, dialect: str) -> Table | None:
    if not isinstance(tree.this, exp.Schema):
        return None
    name = tree.this.this.name
    columns: list[Column] = []
    uniques: list[frozenset[str]] = []
    foreign: list[ForeignKey] = []
    checks: list[exp.Expr] = []
    primary: tuple[str, ...] = ()
    for node in tree.this.expressions:
        if isinstance(node, exp.ColumnDef):
            column, is_primary, is_unique = _column(node, dialect)
            columns.append(column)
            if is_primary:
                primary = (column.name.lower(),)
            if is_unique:
                uniques.append(frozenset({column.name.lower()}))
        inner = node.expressions if isinstance(node, exp.Constraint) else [node]
        for part in inner:
            if isinstance(part, exp.PrimaryKey):
                primary = tuple(_names(part.expressions))
            elif isinstance(part, exp.UniqueColumnConstraint) and isinstance(part.this, exp.Schema):
                uniques.append(frozenset(_names(part.this.expressions)))
            elif isinstance(part, exp.ForeignKey):
                foreign += _foreign_key(tuple(_names(part.expressions)), part.args.get("reference"))
        if isinstance(node, exp.ColumnDef):
            for reference in node.find_all(exp.Reference):
                foreign += _foreign_key((node.name.lower(),), reference)
        checks += [check.this for check in node.find_all(exp.CheckColumnConstraint)]
    if primary:
        uniques.insert(0, frozenset(primary))
        if not _lets_null_in(text, primary, dialect):
            columns = [_never_null(c) if c.name.lower() in primary else c for c in columns]
    return Table(name, tuple(columns), primary, tuple(dict.fromkeys(uniques)), tuple(foreign), tuple(checks))


def _column(node: exp.ColumnDef, dialect: str) -> tuple[Column, bool, bool]:
    declared = node.kind.sql(dialect) if node.kind else ""
    kinds = [constraint.kind for constraint in node.args.get("constraints") or []]
    has = {type(kind) for kind in kinds}
    not_null = any(isinstance(kind, exp.NotNullColumnConstraint) and not kind.args.get("allow_null") for kind in kinds)
    collations = [kind.this.name.upper() for kind in kinds if isinstance(kind, exp.CollateColumnConstraint)]
    generated = bool({exp.ComputedColumnConstraint, exp.GeneratedAsRowColumnConstraint} & has)
    collated = any(collation != "BINARY" for collation in collations)
    column = Column(node.name, kind_of(declared, dialect), declared, not_null, collated, generated)
    return column, exp.PrimaryKeyColumnConstraint in has, exp.UniqueColumnConstraint in has


def _lets_null_in(text: str, primary: tuple[str, ...], dialect: str) -> bool:
    """SQLite's old flaw: a primary key other than INTEGER PRIMARY KEY may hold NULL, except WITHOUT ROWID or STRICT."""
    if dialect != "sqlite" or _TABLE_OPTIONS.search(text):
        return False
    row_number = rf"[(,]\s*[\"`\[]?{re.escape(primary[0])}[\"`\]]?\s+INTEGER\b"
    return len(primary) > 1 or not re.search(row_number, text, re.IGNORECASE)


def _never_null(column: Column) -> Column:
    return Column(column.name, column.kind, column.declared, True, column.collated, column.generated)


def _foreign_key(columns: tuple[str, ...], reference: exp.Expr | None) -> Iterator[ForeignKey]:
    if reference is None or not isinstance(reference, exp.Reference):
        return
    target = reference.this
    if isinstance(target, exp.Schema):
        yield ForeignKey(columns, target.this.name.lower(), tuple(_names(target.expressions)))
    elif isinstance(target, exp.Table):
        yield ForeignKey(columns, target.name.lower(), ())


def _with_references(table: Table, tables: Mapping[str, Table]) -> Table:
    """The same table; a foreign key that names no columns means the other table's primary key."""
    whole = []
    for key in table.foreign_keys:
        target = tables.get(key.table)
        references = key.references or (target.primary_key if target else ())
        if target and len(references) == len(key.columns) and all(map(target.column, references)):
            whole.append(ForeignKey(key.columns, key.table, references))
    uniques = tuple(unique for unique in table.uniques if all(map(table.column, unique)))
    return Table(table.name, table.columns, table.primary_key, uniques, tuple(whole), table.checks)


def _add_unique_index(tree: exp.Create, tables: dict[str, Table]) -> None:
    index = tree.this
    table = index.args.get("table") if isinstance(index, exp.Index) else None
    params = index.args.get("params") if isinstance(index, exp.Index) else None
    if not (tree.args.get("unique") and table is not None and params is not None) or params.args.get("where"):
        return
    keys = [part.this if isinstance(part, exp.Ordered) else part for part in params.args.get("columns") or []]
    found = tables.get(table.name.lower())
    if found and keys and all(isinstance(key, exp.Column) for key in keys):
        unique = frozenset(key.name.lower() for key in keys)
        uniques = tuple(dict.fromkeys((*found.uniques, unique)))
        tables[table.name.lower()] = Table(
            found.name, found.columns, found.primary_key, uniques, found.foreign_keys, found.checks
        )


def _names(nodes: list[exp.Expr]) -> list[str]:
    return [node.this.name.lower() if isinstance(node, exp.Ordered) else node.name.lower() for node in nodes]
