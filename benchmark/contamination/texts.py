"""Items as contamination sees them: a question and its golds, and the forms in which two of them are compared.

Promises: equal forms mean what `benchmark.overlap.MEANING` says of them; the same text gives the same form everywhere.
Does not: need a schema, a database or an id; a file with nothing but questions and golds will do.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property

from sqlglot import exp

from benchmark.datasets import load_dataset
from benchmark.datasets.table import find_columns
from benchmark.errors import DatasetError
from benchmark.identity import digest
from benchmark.rows import as_text, chosen_rows, read_rows, report_broken, split_choices
from benchmark.sqlengine.parse import parse
from benchmark.types import Example

_WORD = re.compile(r"[^\W_]+")
_NUMBER = re.compile(r"\d+")
_IGNORED_IN_SQL = re.compile(r"[\s;\"`\[\]]+")
_LITERAL_TEXT = re.compile(r"'((?:[^']|'')*)'|\b\d+(?:\.\d+)?\b")
_QUOTED = re.compile(r"'[^'\n]+'|\"[^\"\n]+\"|“[^”\n]+”|‘[^’\n]+’")
#: What stands for a literal.
OPEN = "?"


@dataclass(frozen=True)
class Item:
    """A question with its golds. Its forms are computed when they are asked for, and once."""

    id: str
    question: str
    golds: tuple[str, ...]
    dialect: str = "sqlite"

    @cached_property
    def words(self) -> tuple[str, ...]:
        """The question's words in lower case, without punctuation."""
        return words(self.question)

    @cached_property
    def open_words(self) -> tuple[str, ...]:
        """The same with numbers, quoted texts and the golds' literals left open."""
        text = f" {' '.join(words(_QUOTED.sub(f' {_MARK} ', self.question)))} "
        for literal in sorted(set(_literals(self.golds)), key=len, reverse=True):
            text = text.replace(f" {literal} ", f" {_MARK} ")
        return tuple(OPEN if word == _MARK or _NUMBER.fullmatch(word) else word for word in text.split())

    @cached_property
    def bag(self) -> Counter[str]:
        """The question's words whatever their order, without numbers and the words of the golds' literals."""
        left_out = {word for literal in _literals(self.golds) for word in literal.split()}
        return Counter(word for word in self.words if word not in left_out and not _NUMBER.fullmatch(word))

    @cached_property
    def plain_golds(self) -> tuple[str, ...]:
        """The golds in lower case, without white space, quotes around names and semicolons."""
        return tuple(plain_sql(gold) for gold in self.golds)

    @cached_property
    def trees(self) -> tuple[str, ...]:
        """The golds as trees with their literals left open."""
        return tuple(open_tree(gold, self.dialect) for gold in self.golds)

    @cached_property
    def gold_words(self) -> frozenset[str]:
        """The words of the golds' trees."""
        return frozenset(word for tree in self.trees for word in words(tree))


_MARK = "openliteral"


def as_items(examples: Iterable[Example]) -> list[Item]:
    """Examples as items."""
    return [Item(one.id, one.question, one.golds, one.dialect) for one in examples]


def item_digest(item: Item | Example) -> str:
    """The tagged hash of question and golds: the same item has it in every sample and under every id."""
    return digest([item.question, list(item.golds)])


def load_items(spec: str, split: str = "test") -> tuple[str, list[Item]]:
    """A dataset's name and its items; a local file need hold no more than questions and golds. Raises DatasetError."""
    kind, _, argument = spec.partition(":")
    try:
        dataset = load_dataset(spec, split)
    except DatasetError as error:
        if kind != "gretel" or not argument:
            raise
        return f"{kind}:{split_choices(argument)[0].name}/{split}", _from_table(argument, error)
    return dataset.name, as_items(dataset.examples)


def _from_table(argument: str, refusal: DatasetError) -> list[Item]:
    """The questions and golds of a file that is no whole dataset. Raises the refusal where it has none either."""
    path, choices = split_choices(argument)
    rows = chosen_rows(read_rows(path), choices, str(path))
    try:
        layout = find_columns(list(dict.fromkeys(name for row in rows for name in row)), {}, str(path))
    except DatasetError:
        raise refusal from None
    question, gold = layout["question"], layout["gold"]
    broken = [
        f"row {number}: no text in {column}"
        for number, row in enumerate(rows, 1)
        for column in (question, gold)
        if not isinstance(row.get(column), str) or not row[column].strip()
    ]
    report_broken(str(path), broken, "Every row needs a question and a gold.")
    named = layout.get("id")
    return [
        Item(as_text(row[named]) if named else f"row {number}", row[question].strip(), (row[gold].strip(),))
        for number, row in enumerate(rows, 1)
    ]


def words(text: str) -> tuple[str, ...]:
    """The words of a text in lower case.

    >>> words("How many  CATS-are there, in 'St. Ives'?")
    ('how', 'many', 'cats', 'are', 'there', 'in', 'st', 'ives')
    """
    return tuple(_WORD.findall(unicodedata.normalize("NFKC", text).casefold()))


def plain_sql(sql: str) -> str:
    """A statement in lower case without white space, semicolons and quotes around names; operators stay.

    >>> plain_sql('SELECT  "a" FROM t WHERE b >= 1 ;')
    'selectafromtwhereb>=1'
    """
    return _IGNORED_IN_SQL.sub("", sql).casefold()


def open_tree(sql: str, dialect: str) -> str:
    """A statement's tree as text: literals left open, names in lower case; by its text where it cannot be parsed.

    >>> open_tree("SELECT a FROM T WHERE b = 'x' AND c IN (1, 2)", "sqlite")
    'SELECT a FROM t WHERE b = ? AND c IN (?)'
    """
    tree = parse(sql, dialect)
    if tree is None:
        return " ".join(_LITERAL_TEXT.sub(OPEN, sql).casefold().rstrip("; \n").split())
    for node in list(tree.walk()):
        node.comments = None
        if isinstance(node, exp.Identifier):
            node.set("this", node.name.lower())
            node.set("quoted", False)
        elif isinstance(node, exp.In) and node.expressions and all(map(_is_literal, node.expressions)):
            node.set("expressions", [exp.Placeholder()])
        elif isinstance(node, exp.Literal) and node.parent is not None:
            node.replace(exp.Placeholder())
    try:
        return tree.sql(dialect)
    except (ValueError, RecursionError):
        return plain_sql(sql)


def _is_literal(node: exp.Expr) -> bool:
    return isinstance(node, exp.Literal) or (isinstance(node, exp.Neg) and isinstance(node.this, exp.Literal))


def _literals(golds: Iterable[str]) -> Iterator[str]:
    """The literals of some golds as they may stand among a question's words, without a pattern's wildcards."""
    for gold in golds:
        for match in _LITERAL_TEXT.finditer(gold):
            found = " ".join(words((match[1] or match[0]).replace("%", " ")))
            if found:
                yield found
