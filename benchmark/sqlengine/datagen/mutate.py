"""Small changes of a statement, each a mistake that a model makes: a database is worth keeping when one shows on it.

Promises: mutants are texts that differ from the statement in one place; the same statement gives the same list.
Does not: promise that they parse or run; whoever runs them drops those that do not.
"""

from __future__ import annotations

from collections.abc import Iterator

import sqlglot
from sqlglot.tokenizer_core import Token, TokenType

from benchmark.sqlengine.parse import UNREADABLE

_SWAPS: dict[TokenType, tuple[str, ...]] = {
    TokenType.GT: (">=",),
    TokenType.GTE: (">",),
    TokenType.LT: ("<=",),
    TokenType.LTE: ("<",),
    TokenType.EQ: ("<>", ">="),
    TokenType.NEQ: ("=",),
    TokenType.DISTINCT: ("",),
    TokenType.DESC: ("ASC",),
    TokenType.ASC: ("DESC",),
    TokenType.OR: ("AND",),
    TokenType.INTERSECT: ("UNION",),
    TokenType.EXCEPT: ("INTERSECT",),
    TokenType.LEFT: ("INNER",),
    TokenType.JOIN: ("LEFT JOIN",),
    TokenType.SELECT: ("SELECT DISTINCT",),
}
_QUALIFIED = (TokenType.LEFT, TokenType.CROSS, TokenType.OUTER, TokenType.INNER)
_NAMES = {"max": "MIN", "min": "MAX", "sum": "AVG", "avg": "MAX", "count": "MIN"}


def mutants(sql: str, dialect: str, most: int) -> list[str]:
    """At most `most` mutants, from all over the statement.

    >>> mutants("SELECT a FROM t WHERE b > 1", "sqlite", 9)
    ['SELECT DISTINCT a FROM t WHERE b > 1', 'SELECT a FROM t WHERE b >= 1', 'SELECT a FROM t WHERE b > 2']
    """
    try:
        tokens = sqlglot.tokenize(sql, read=dialect)
    except UNREADABLE:
        return []
    found = [sql[: token.start] + text + sql[token.end + 1 :] for token, text in _changes(tokens)]
    step = max(1, len(found) // most) if most else 1
    return list(dict.fromkeys(found[::step]))[:most]


def _changes(tokens: list[Token]) -> Iterator[tuple[Token, str]]:
    between = False
    for n, token in enumerate(tokens):
        kind = token.token_type
        before = tokens[n - 1].token_type if n else None
        after = tokens[n + 1].token_type if n + 1 < len(tokens) else None
        if kind is TokenType.AND:
            if not between:
                yield token, "OR"
            between = False
        elif kind is TokenType.BETWEEN:
            between = True
        elif kind is TokenType.NUMBER and token.text.isdigit():
            yield token, str(int(token.text) + 1)
        elif kind is TokenType.STRING and before is TokenType.EQ:
            yield token, "'" + token.text.swapcase().replace("'", "''") + "'"
        elif kind is TokenType.UNION:
            yield token, "UNION ALL" if after is not TokenType.ALL else "EXCEPT"
        elif token.text.lower() in _NAMES and after is TokenType.L_PAREN:
            yield token, _NAMES[token.text.lower()]
        elif not (kind is TokenType.JOIN and before in _QUALIFIED) and after is not TokenType.DISTINCT:
            yield from ((token, text) for text in _SWAPS.get(kind, ()))
