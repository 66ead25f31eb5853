"""How SQL names tables and columns: aliases, references and FROM clauses in the idiom of the test split.

Promises: aliases are single letters where they can be, and never clash inside a statement.
Does not: decide which tables a query needs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from benchmark.datasets.builtin_train.conditions import Condition
from benchmark.datasets.builtin_train.schemas import Column, Table
from benchmark.datasets.builtin_train.source import Source
from benchmark.datasets.builtin_train.worlds import World


@dataclass(frozen=True, slots=True)
class Names:
    """The aliases of one query by table name (none: tables go by their own names), and ' AS ' or ' ' before them."""

    aliases: dict[str, str]
    glue: str

    def ref(self, column: Column) -> str:
        """A column as the query writes it."""
        alias = self.aliases.get(column.table)
        return f"{alias}.{column.name}" if alias else column.name

    def refs(self, columns: Sequence[Column]) -> str:
        """Several columns, as SELECT lists them."""
        return ", ".join(map(self.ref, columns))

    def table(self, table: Table) -> str:
        """A table as FROM writes it."""
        alias = self.aliases.get(table.name)
        return f"{table.name}{self.glue}{alias}" if alias else table.name

    def where(self, conditions: Sequence[Condition], word: str = "WHERE") -> str:
        """' WHERE ...' for the conditions, or nothing."""
        tests = [condition.sql(self.ref(condition.column)) for condition in conditions]
        return f" {word} {' AND '.join(tests)}" if tests else ""

    def join(self, world: World, ref: Column, kind: str = "JOIN") -> str:
        """The join to the parent of a column."""
        parent = world.parent(ref)
        return f"{kind} {self.table(parent)} ON {self.ref(parent.key[0])} = {self.ref(ref)}"

    def back(self, world: World, ref: Column, kind: str = "JOIN") -> str:
        """The join from a parent to the table that holds the column."""
        return f"{kind} {self.table(world.tables[ref.table])} ON {self.ref(ref)} = {self.ref(world.parent(ref).key[0])}"


PLAIN = Names({}, " ")


def naming(source: Source, *tables: Table, taken: Sequence[str] = ()) -> Names:
    """Aliases for the tables of one query."""
    return Names(_aliases(tables, taken), source.pick(" AS ", " "))


def _aliases(tables: Sequence[Table], taken: Sequence[str]) -> dict[str, str]:
    aliases: dict[str, str] = {}
    for table in tables:
        letters = [table.name[0], *(word[0] for word in table.name.split("_")), *table.name.replace("_", "")]
        used = {*taken, *aliases.values()}
        aliases[table.name] = next((letter for letter in letters if letter not in used), f"{table.name[0]}2")
    return aliases


def all_joins(world: World, names: Names, child: Table, refs: Sequence[Column], *, downwards: bool) -> str:
    """FROM with the child and its chain of parents, written from the child up or from the last parent down."""
    if not downwards:
        return " ".join([f"FROM {names.table(child)}", *(names.join(world, ref) for ref in refs)])
    top = world.parent(refs[-1])
    return " ".join([f"FROM {names.table(top)}", *(names.back(world, ref) for ref in reversed(refs))])
