"""Scripts: which statements of a schema some statements need, and a whole small database as text.

Promises: a script that is pasted into the engine's own shell makes the database. Triggers come after the rows.
Does not: understand DDL beyond the name that a statement defines.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from benchmark.sqlengine.datagen.facts import words_of
from benchmark.sqlengine.sandbox.rows import Filling, insertion

_DEFINES = re.compile(
    r"(?:\s|--[^\n]*\n|/\*.*?\*/)*create\s+(?:or\s+replace\s+)?(?:temp(?:orary)?\s+|unique\s+|virtual\s+)*(\w+)\s+"
    r"(?:if\s+not\s+exists\s+)?((?:[\"`\[]?[\w$ ]+?[\"`\]]?\.)?(?:\"[^\"]+\"|`[^`]+`|\[[^\]]+\]|[\w$]+))",
    re.IGNORECASE | re.DOTALL,
)
_ON = re.compile(r"\bon\s+[\"`\[]?([\w$ ]+?)[\"`\]]?\s*(?:\(|using\b|begin\b|for\b|when\b|as\b|$)", re.IGNORECASE)


def relevant(ddl: Sequence[str], words: set[str], tables: Iterable[str]) -> list[str]:
    """The statements that define what is named in `words` or `tables`, and what those name in turn, in order."""
    named = {*words, *tables}
    kept: set[int] = set()
    grown = True
    while grown:
        grown = False
        for place, sql in enumerate(ddl):
            if place in kept or not _concerns(sql, named, set(tables)):
                continue
            kept.add(place)
            if (defined := _DEFINES.match(sql)) and defined.group(1).lower() in (
                "view",
                "trigger",
                "macro",
                "function",
            ):
                named |= words_of(sql)
                grown = True
    return [sql for place, sql in enumerate(ddl) if place in kept]


def is_trigger(sql: str) -> bool:
    """Whether a statement makes a trigger."""
    found = _DEFINES.match(sql)
    return found is not None and found.group(1).lower() == "trigger"


def setup_sql(ddl: Sequence[str], fillings: Sequence[Filling]) -> str:
    """A script that makes the tables and fills them."""
    before = [sql for sql in ddl if not is_trigger(sql)]
    rows = [insertion(filling) for filling in fillings if filling.rows]
    return "".join(f"{sql.rstrip().rstrip(';')};\n" for sql in [*before, *rows, *filter(is_trigger, ddl)])


def _concerns(sql: str, named: set[str], tables: set[str]) -> bool:
    found = _DEFINES.match(sql)
    if found is None:
        return bool(words_of(sql) & tables)
    kind, name = found.group(1).lower(), found.group(2).rpartition(".")[2].strip('"`[]').lower()
    if kind in ("index", "trigger"):
        on = _ON.search(sql)
        return on is not None and on.group(1).strip().lower() in tables | named
    return kind in ("type", "sequence", "schema") or name in named or words_of(name) <= named
