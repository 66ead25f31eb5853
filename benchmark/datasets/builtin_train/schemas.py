"""The hand-curated parts of the train split: domains, their tables and columns, and how a person speaks of them.

Promises: a file in parts/ with an unknown key, a missing word or a reference to nowhere is an error that names it.
Does not: make rows or questions; it says which values a column may hold and which words belong to it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from pathlib import Path

import msgspec

from benchmark.errors import DatasetError

PARTS = Path(__file__).with_name("parts")
#: What a column holds, and the key of its part that says so.
KINDS = {
    "key": "key",
    "names": "name",
    "pool": "category",
    "num": "number",
    "year": "year",
    "date": "date",
    "flag": "flag",
    "to": "ref",
    "text": "text",
}
_WIDTHS = (2, 3, 4, 6, 8, 10, 12, 15, 20, 30, 40, 60, 80)


class ColumnPart(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One column as a part file writes it; parts/README.md explains each key."""

    say: str = ""
    key: int | list[str] | None = None
    names: list[str] | None = None
    pool: list[str] | None = None
    num: tuple[float, float, float] | None = None
    year: tuple[int, int] | None = None
    date: str | None = None
    flag: tuple[str, str] | None = None
    to: str | None = None
    text: list[str] | None = None
    after: str | None = None
    unit: str = ""
    count: bool = False
    add: bool = False
    top: str = ""
    low: str = ""
    verb: str = ""
    did: str = ""
    like: str = ""
    pre: bool = False
    none: str = ""
    via: str = "of {v}"


class TablePart(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One table: what a row is called, its columns, and a product of two columns that has a name."""

    one: str
    columns: dict[str, ColumnPart]
    many: str = ""
    unique: list[str] = []
    calc: tuple[str, str, str, str] | None = None


class DomainPart(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One domain: what it is about, who asks (openings of a request), and its tables, referenced ones first."""

    domain: str
    about: str
    scenes: list[str]
    tables: dict[str, TablePart]


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table, with its words. `id` is unique in a domain; `says` begins with the plainest word."""

    table: str
    name: str
    kind: str
    says: tuple[str, ...]
    one: str
    part: ColumnPart

    @property
    def id(self) -> str:
        """How rows name the column: 'table.column'."""
        return f"{self.table}.{self.name}"

    @property
    def say(self) -> str:
        """The plainest word for the column."""
        return self.says[0]

    @property
    def nullable(self) -> bool:
        """Whether values may be missing."""
        return bool(self.part.none)

    @property
    def decimals(self) -> int:
        """Digits after the point of a number."""
        return max(0, -int(Decimal(str(self.part.num[2])).normalize().as_tuple().exponent)) if self.part.num else 0

    @property
    def texts(self) -> list[str]:
        """The values that a text column may hold."""
        part = self.part
        keys = part.key if isinstance(part.key, list) else []
        return keys or part.names or part.pool or part.text or []


@dataclass(frozen=True, slots=True)
class Table:
    """A table: what one row and several rows are called, its columns, and the columns of its primary key."""

    name: str
    one: str
    many: str
    columns: tuple[Column, ...]
    keys: tuple[str, ...]
    calc: tuple[str, str, str, str] | None

    def of(self, *kinds: str) -> list[Column]:
        """The columns of these kinds."""
        return [column for column in self.columns if column.kind in kinds]

    def column(self, name: str) -> Column:
        """The column of that name."""
        return next(column for column in self.columns if column.name == name)

    @property
    def key(self) -> tuple[Column, ...]:
        """The columns of the primary key."""
        return tuple(self.column(name) for name in self.keys)

    @property
    def label(self) -> Column:
        """What a person calls a row by: its name, else its key."""
        return next(iter(self.of("name")), self.key[0])


@dataclass(frozen=True, slots=True)
class Domain:
    """A domain and its tables, referenced ones first."""

    name: str
    about: str
    scenes: tuple[str, ...]
    tables: tuple[Table, ...]


@cache
def domains() -> tuple[Domain, ...]:
    """All domains, in the order of their names. Raises DatasetError that names the broken part."""
    found = [domain for path in sorted(PARTS.glob("*.yaml")) for domain in read_parts(path)]
    return tuple(sorted(found, key=lambda domain: domain.name))


def sql_type(column: Column, tables: dict[str, Table]) -> str:
    """The column's SQL type, without constraints."""
    if column.kind == "ref":
        return sql_type(tables[column.part.to or ""].key[0], tables)
    if column.kind == "date":
        return "DATE"
    if column.texts:
        longest = max(map(len, column.texts))
        return f"VARCHAR({next(width for width in _WIDTHS if width >= longest)})"
    if column.decimals == 0:
        return "INTEGER"
    return "DOUBLE" if column.decimals == 1 and len(column.name) % 2 else f"DECIMAL(9,{column.decimals})"


def read_parts(path: Path) -> Iterator[Domain]:
    """The domains of one file. Raises DatasetError."""
    try:
        parts = msgspec.yaml.decode(path.read_bytes(), type=list[DomainPart])
    except msgspec.DecodeError as error:
        raise DatasetError(f"{path}: {error}", "Reinstall sqlgauge, or see parts/README.md.") from None
    for part in parts:
        keys = {name: _key_word(table) for name, table in part.tables.items()}
        tables = tuple(_table(name, table, keys) for name, table in part.tables.items())
        _check(path, part.domain, tables)
        yield Domain(part.domain, part.about, tuple(part.scenes), tables)


def _key_word(part: TablePart) -> str:
    """What the key of a table is called: columns that refer to it are called the same."""
    return next((words.say for words in part.columns.values() if words.key is not None), "").split("|")[0]


def _table(name: str, part: TablePart, key_words: dict[str, str]) -> Table:
    columns = tuple(_column(name, part.one, column, words, key_words) for column, words in part.columns.items())
    keys = tuple(part.unique) or tuple(column.name for column in columns if column.kind == "key")
    return Table(name, part.one, part.many or name.replace("_", " "), columns, keys, part.calc)


def _column(table: str, one: str, name: str, part: ColumnPart, key_words: dict[str, str]) -> Column:
    kinds = [kind for key, kind in KINDS.items() if getattr(part, key) is not None]
    if len(kinds) != 1:
        raise DatasetError(f"column {table}.{name} is of the kinds {kinds}", "Give it exactly one kind.")
    says = tuple((part.say or key_words.get(part.to or "") or name.replace("_", " ")).split("|"))
    return Column(table, name, kinds[0], says, one, part)


def _check(path: Path, domain: str, tables: tuple[Table, ...]) -> None:
    seen: dict[str, Table] = {}
    problems: list[str] = []
    for table in tables:
        names = [column.name for column in table.columns]
        problems += [f"{table.name} has no key"] * (not table.keys)
        named = [*table.keys, *(table.calc or ())[:2], *(c.part.after for c in table.columns if c.part.after)]
        problems += [f"{table.name} names a column {name}" for name in named if name not in names]
        problems += [f"{column.id} refers to nowhere" for column in table.of("ref") if column.part.to not in seen]
        seen[table.name] = table
    if problems:
        raise DatasetError(f"{path}, {domain}: {', '.join(problems)}", "See parts/README.md.")
