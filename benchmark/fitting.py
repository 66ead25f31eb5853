"""A schema in at most so many tokens: what is left out for it, step by step, and never in silence.

Promises: fewer rows, then none, then a line a table, then without the tables whose names and columns have least in
common with the question; every step is told, and what does not fit even then is told too and never cut.
Does not: look at golds.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from benchmark.rendering import BEFORE, INSERTS, ROWS, schema_ddl, shown_schema
from benchmark.sqlengine.parse import split_statements, table_columns
from benchmark.types import Example

Count = Callable[[str], int]
#: Changes when `estimated_tokens` counts otherwise: part of a run's identity.
ESTIMATE = "estimate-1"
#: Part of a run's identity: raise it when the order in which a schema is shortened changes.
ORDER = 1
_PIECES = re.compile(r"[A-Za-z]+|[^\sA-Za-z]")
_LETTERS_A_TOKEN = 6
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+|[^\W\d_A-Za-z]+")
_OBJECT = re.compile(
    rf"{BEFORE}create\s+(?:or\s+replace\s+)?(?:temp\w*\s+)?(?P<kind>table|view|virtual\s+table|\w+(?:\s+\w+)?)\s+"
    r"(?:if\s+not\s+exists\s+)?(?P<name>\"[^\"]+\"|`[^`]+`|\[[^\]]+\]|[\w$]+)",
    re.IGNORECASE | re.DOTALL,
)


class Fitted(NamedTuple):
    """A schema as it is shown, its length, what was left out for it, and whether it fits."""

    text: str
    tokens: int
    steps: tuple[str, ...] = ()
    fits: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """The most tokens of a schema, and who counts them: the model's tokenizer ('model'), or `ESTIMATE`."""

    most: int
    count: Count
    counted_by: str


def estimated_tokens(text: str) -> int:
    """Tokens by a rule of thumb: one for every six letters of a word or part of them, for each digit, other sign or
    byte of another alphabet, and for each line end.

    On schemas of Spider and the embedded split it gives 0.85 to 1.2 of SmolLM2's count, 1.0 to 1.7 of GPT-4o's.

    >>> estimated_tokens("CREATE TABLE t (id INT);")
    8
    """
    pieces = _PIECES.findall(text)
    words = sum(math.ceil(len(one) / _LETTERS_A_TOKEN) for one in pieces if one.isascii() and one.isalpha())
    return words + sum(len(one.encode()) for one in pieces if not (one.isascii() and one.isalpha())) + text.count("\n")


def fit(example: Example, schema: str, rows: int, budget: Budget | None) -> Fitted:
    """An example's schema within a budget; without one, as it is."""
    if budget is None:
        return Fitted(shown_schema(example, schema, rows), 0)
    tokens, steps = 0, list[str]()
    for step, text in _ladder(example, schema, rows):
        steps += [step] if step else []
        tokens = budget.count(text)
        if tokens <= budget.most:
            return Fitted(text, tokens, tuple(steps))
    return Fitted("", tokens, tuple(steps), fits=False)


def _ladder(example: Example, schema: str, rows: int) -> Iterator[tuple[str, str]]:
    """Ever shorter texts, each with what it leaves out beyond the one before; nothing for the first."""
    yield "", shown_schema(example, schema, rows)
    if schema == "rows" or (schema == "full" and example.db is None):  # a file's script holds no rows
        fewer = rows if schema == "rows" else ROWS + 1
        while fewer > 1:
            fewer = fewer // 2
            yield f"{fewer} row{'s' * (fewer > 1)} a table", shown_schema(example, "rows", fewer)
        yield "no rows", schema_ddl(example.schema_sql)
    lines = list(_lines(schema_ddl(example.schema_sql), example.dialect))
    if schema != "compact" or shown_schema(example, schema) != _joined(lines):
        yield "compact", _joined(lines)
    left = sorted(lines, key=lambda line: (line.related(example), -line.place))
    for dropped in left[:-1]:
        lines.remove(dropped)
        yield f"without {dropped.name}", _joined(lines)


class _Line(NamedTuple):
    """A table or view in the shortest form there is of it."""

    place: int
    name: str
    text: str

    def related(self, example: Example) -> int:
        """How many different words of the question and its hint are among the names in the line."""
        return len(_words(f"{example.question} {example.evidence or ''}") & _words(self.text))


@lru_cache(maxsize=1024)
def _lines(ddl: str, dialect: str) -> tuple[_Line, ...]:
    """The tables and views of a script; what else it creates shows a model no column and has no line."""
    found = []
    for place, (text, _) in enumerate(split_statements(ddl)):
        table = table_columns(text, dialect)
        made = _OBJECT.match(text)
        if table is not None:
            found.append(_Line(place, table[0], f"{table[0]}({', '.join(table[1])})"))
        elif made is None and INSERTS.match(text):
            continue
        elif made is None or made["kind"].lower().split()[-1] in ("table", "view"):
            name = made["name"].strip('"`[]') if made is not None else f"statement {place + 1}"
            found.append(_Line(place, name, f"{text};"))
    return tuple(found)


def _joined(lines: list[_Line]) -> str:
    return "\n".join(line.text for line in lines)


@lru_cache(maxsize=4096)
def _words(text: str) -> frozenset[str]:
    """Words in lower case without a plural's s, those inside names too.

    >>> sorted(_words("SingerID of stadium_names"))
    ['id', 'name', 'of', 'singer', 'stadium']
    """
    return frozenset(words_of(text))


def words_of(text: str) -> tuple[str, ...]:
    """The same, in their order and as often as they come."""
    return tuple(_singular(word.lower()) for word in _WORD.findall(text))


def _singular(word: str) -> str:
    return word[:-1] if len(word) > 2 and word.endswith("s") and not word.endswith("ss") else word
