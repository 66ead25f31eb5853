"""Which column a name means: the look-up of names in the sources of a SELECT and of the SELECTs around it.

Promises: SQLite's and DuckDB's own order of look-up: the sources, then the output names, then one level further out.
What is ambiguous, or hangs on a table whose columns are unknown, is not guessed.
Does not: read anything but names.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from sqlglot import exp

from benchmark.sqlengine.canonical.ir import E


class Unreadable(Exception):
    """The statement has something that no rule may reason about; it has no canonical form."""


@dataclass(slots=True)
class Visible:
    """A source under the name by which the statement calls it. `columns` is None where the schema is silent.

    `columns` maps a name in lower case to how the source calls it inside, None for a name that it has twice.
    """

    name: str
    alias: str
    columns: dict[str, str | None] | None
    #: Columns that a USING or NATURAL join took from an earlier source: hidden from `*` and from bare names.
    merged: set[str] = field(default_factory=set)


@dataclass(slots=True)
class Scope:
    """The names of one SELECT. `outputs` gives the expression behind an output name, read on demand."""

    parent: Scope | None
    visible: list[Visible] = field(default_factory=list)
    outputs: dict[str, Callable[[], E]] = field(default_factory=dict)

    def column(self, qualifier: str, name: str) -> E | None:
        """The column that a name means here or further out; None where there is no such name. Raises Unreadable."""
        found = self._here(qualifier, name)
        if found is not None:
            return found
        if not qualifier and name in self.outputs:
            return self.outputs[name]()
        if any(source.columns is None for source in self.visible) and (self.parent or len(self.visible) > 1):
            raise Unreadable(f"{name} may be a column of a table whose columns are not known")
        return self.parent.column(qualifier, name) if self.parent else None

    def _here(self, qualifier: str, name: str) -> E | None:
        hits = []
        for source in self.visible:
            if qualifier:
                if source.name != qualifier:
                    continue
            elif name in source.merged:
                continue
            if source.columns is None:
                if qualifier or (len(self.visible) == 1 and not self.parent and name not in self.outputs):
                    hits.append(("col", source.alias, name))
            elif name in source.columns:
                inner = source.columns[name]
                if inner is None:
                    raise Unreadable(f"{name} is ambiguous")
                hits.append(("col", source.alias, inner))
        if len(hits) > 1:
            raise Unreadable(f"{name} is ambiguous")
        return hits[0] if hits else None

    def star(self, qualifier: str) -> list[tuple[str, E]]:
        """What `*` or `name.*` stands for: output names and columns. Raises Unreadable."""
        chosen = [source for source in self.visible if not qualifier or source.name == qualifier]
        if not chosen or (len(chosen) > 1 and qualifier):
            raise Unreadable("a star of nothing")
        found: list[tuple[str, E]] = []
        for source in chosen:
            if source.columns is None or None in source.columns.values():
                raise Unreadable("a star of a table whose columns are not known")
            for name, inner in source.columns.items():
                if qualifier or name not in source.merged:
                    found.append((name, ("col", source.alias, inner)))
        return found


def only(node: exp.Expr, names: Any) -> None:
    """Raises Unreadable if a node has anything but the arguments that its reader reads."""
    for name, value in node.args.items():
        if value and name not in names:
            raise Unreadable(f"{type(node).__name__} with {name}")
