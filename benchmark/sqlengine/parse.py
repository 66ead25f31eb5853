"""Parsing SQL with sqlglot, with every way that it can fail turned into None.

Promises: no exception of sqlglot's leaves this module, deep nesting included.
Does not: decide whether SQL runs; only an engine knows that.
"""

from __future__ import annotations

import logging
import re
from functools import lru_cache
from typing import NamedTuple

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError
from sqlglot.tokenizer_core import TokenType

logging.getLogger("sqlglot").setLevel(logging.ERROR)  # it warns about statements that we then turn down

#: Beyond this length a statement is treated as unparseable: sqlglot is linear but slow, and no gold is that long.
MAX_SQL_CHARS = 100_000
_SEMICOLON_OR_QUOTED = re.compile(
    r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|`[^`]*`|\[[^\]\n]{0,200}\]|--[^\n]*|/\*.*?(?:\*/|\Z)|;", re.DOTALL
)
#: What sqlglot raises on a text that it cannot read: its own errors, and on odd ones (an operator alone) whatever its
#: compiled parser trips over.
UNREADABLE = (SqlglotError, RecursionError, ValueError, TypeError, AttributeError, LookupError)
_COMMENT = re.compile(r"--[^\n]*|/\*.*?(?:\*/|\Z)", re.DOTALL)
_DISTINCT_OR_QUOTED = re.compile(
    r"('(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|`[^`]*`|--[^\n]*|/\*.*?\*/)|\bdistinct\b", re.DOTALL | re.IGNORECASE
)
_CURRENT_YEAR = re.compile(r"YEAR\s*\(\s*CURDATE\s*\(\s*\)\s*\)\s*", re.IGNORECASE)
_NAMES = {TokenType.VAR, TokenType.IDENTIFIER}
_LITERALS = {TokenType.STRING, TokenType.NUMBER, TokenType.HEX_STRING, TokenType.BIT_STRING}


def parse(sql: str, dialect: str) -> exp.Expr | None:
    """The tree of the one statement in `sql`, or None if it holds no statement, several, or something unknown."""
    if len(sql) > MAX_SQL_CHARS:
        return None
    try:
        trees = [tree for tree in sqlglot.parse(sql, read=dialect) if not isinstance(tree, (exp.Semicolon, type(None)))]
    except UNREADABLE:
        return None
    if len(trees) != 1 or not isinstance(trees[0], (exp.Query, exp.Values, exp.DML, exp.DDL, exp.Alter, exp.Drop)):
        return None
    return trees[0]


@lru_cache(maxsize=4_000)
def folded_tokens(sql: str, dialect: str) -> tuple[str, ...] | None:
    """The statement as tokens: white space, comments and trailing semicolons gone, keywords in upper case.

    Names and literals keep their letters; strings keep their quotes. None if the text cannot be cut into tokens.

    >>> folded_tokens("select a\\n from T where b='x y' ;", "sqlite")
    ('SELECT', 'a', 'FROM', 'T', 'WHERE', 'b', '=', "'x y'")
    """
    if len(sql) > MAX_SQL_CHARS:
        return None
    try:
        tokens = sqlglot.tokenize(sql, read=dialect)
    except UNREADABLE:
        return None
    folded = []
    for token in tokens:
        text = sql[token.start : token.end + 1]
        keep = token.token_type in _NAMES or token.token_type in _LITERALS
        folded.append(text if keep else text.upper())
    while folded and folded[-1] == ";":
        folded.pop()
    return tuple(folded)


@lru_cache(maxsize=4_000)
def check_constraints(create_sql: str, dialect: str) -> tuple[str, ...]:
    """The CHECK conditions of a CREATE TABLE, sorted, names in lower case. The whole text if it cannot be parsed."""
    if not re.search(r"\bcheck\b", create_sql, re.IGNORECASE):
        return ()
    tree = parse(create_sql, dialect)
    if tree is None:
        return (create_sql,)
    checks = [node.this for node in tree.find_all(exp.CheckColumnConstraint)]
    for check in checks:
        for identifier in check.find_all(exp.Identifier):
            identifier.set("this", identifier.name.lower())
            identifier.set("quoted", False)
    return tuple(sorted(check.sql(dialect) for check in checks))


def as_spider_runs_it(sql: str) -> str:
    """A query as Spider's official evaluator prepares it: no DISTINCT, split operators joined, YEAR(CURDATE()) fixed.

    >>> as_spider_runs_it("SELECT COUNT(DISTINCT a) FROM t WHERE b = 'distinct' AND c > = 2")
    "SELECT COUNT( a) FROM t WHERE b = 'distinct' AND c >= 2"
    """
    for split in ("> =", "< =", "! ="):
        sql = sql.replace(split, split.replace(" ", ""))
    sql = _DISTINCT_OR_QUOTED.sub(lambda match: match.group(1) or "", sql)
    return _CURRENT_YEAR.sub("2020", sql)


def table_columns(create_sql: str, dialect: str = "sqlite") -> tuple[str, tuple[str, ...]] | None:
    """The name and column names of a CREATE TABLE with a column list, or None for anything else."""
    tree = parse(create_sql, dialect)
    if not isinstance(tree, exp.Create) or tree.kind != "TABLE" or not isinstance(tree.this, exp.Schema):
        return None
    columns = tuple(node.name for node in tree.this.expressions if isinstance(node, exp.ColumnDef))
    return tree.this.this.name, columns


def order_keys(sql: str, dialect: str) -> exp.Expr | None:
    """For a query whose outermost level orders: the same query with its ORDER BY keys as extra columns at the end.

    None where the keys cannot be told from the text. The extra columns may change the rows of a query with DISTINCT
    or LIMIT; the caller compares.
    """
    tree = parse(sql, dialect)
    if not isinstance(tree, exp.Query) or not tree.args.get("order"):
        return None
    keys = [key.this for key in tree.args["order"].expressions]
    if isinstance(tree, exp.SetOperation):
        named = [_output_name(tree, key) for key in keys]
        whole = exp.select("*").from_(tree.subquery("_whole", copy=True))
        return whole.select(*named) if all(named) else None
    if not isinstance(tree, exp.Select) or (tree.is_star and any(isinstance(key, exp.Literal) for key in keys)):
        return None  # a position is not known to the text when a star stands before it
    outputs = {name.lower() for name in tree.named_selects}
    if any(
        isinstance(key, exp.Literal) or (isinstance(key, exp.Column) and key.name.lower() in outputs) for key in keys
    ):
        keys = [_resolve(tree, key) for key in keys]
    return tree.select(*[exp.alias_(key.copy(), f"_order_key_{i}") for i, key in enumerate(keys)])


@lru_cache(maxsize=4_000)
def orders_result(sql: str, dialect: str) -> bool:
    """Whether the outermost query has an ORDER BY; text inside literals and subqueries does not count."""
    if "order" not in sql.lower():
        return False
    tree = parse(sql, dialect)
    while isinstance(tree, exp.Subquery) and not tree.args.get("order"):
        tree = tree.this
    return tree is not None and bool(tree.args.get("order"))


def _resolve(tree: exp.Select, key: exp.Expr) -> exp.Expr:
    """An ORDER BY key that names an output, by position or alias, as that output's expression."""
    if isinstance(key, exp.Literal) and key.is_int and 1 <= int(key.name) <= len(tree.selects):
        return tree.selects[int(key.name) - 1].unalias()
    if isinstance(key, exp.Column) and not key.table:
        for output in tree.selects:
            if output.alias.lower() == key.name.lower():
                return output.unalias()
    return key


@lru_cache(maxsize=4_000)
def reads_table(sql: str, dialect: str) -> bool:
    """Whether a statement reads any table of the database, hidden ones aside; True where the text cannot be parsed.

    >>> reads_table("WITH t AS (SELECT 1 AS a) SELECT a FROM t", "sqlite"), reads_table("SELECT a FROM t", "sqlite")
    (False, True)
    """
    tree = parse(sql, dialect)
    return tree is None or _reads(tree, frozenset())


def _reads(node: exp.Expr, hidden: frozenset[str]) -> bool:
    """Whether a table is read below a node; `hidden` are the names of common table expressions, which hide tables."""
    ctes = node.args.get("with_")
    if ctes is not None:
        hidden |= {cte.alias.lower() for cte in ctes.expressions}
    if isinstance(node, exp.Table) and isinstance(node.this, exp.Identifier):
        name = node.name.lower()
        if not name.startswith("sqlite_") and (node.args.get("db") is not None or name not in hidden):
            return True
    return any(_reads(child, hidden) for child in node.iter_expressions())


class Statement(NamedTuple):
    """One statement of a text, and whether a semicolon ended it."""

    text: str
    ended: bool


def split_statements(sql: str) -> list[Statement]:
    """Cut at semicolons outside quotes, comments and trigger bodies; empty statements are dropped.

    >>> [statement.text for statement in split_statements("SELECT ';'; -- one\\nSELECT 2")]
    ["SELECT ';'", '-- one\\nSELECT 2']
    """
    found: list[Statement] = []
    start = 0
    for match in _SEMICOLON_OR_QUOTED.finditer(sql):
        if match.group() != ";":
            continue
        piece = sql[start : match.start()]
        in_trigger = re.search(r"\bcreate\s+(?:temp\w*\s+)?trigger\b", piece, re.IGNORECASE)
        if in_trigger and not re.search(r"\bend$", piece.rstrip()[-4:], re.IGNORECASE):
            continue
        found.append(Statement(piece.strip(), True))
        start = match.end()
    found.append(Statement(sql[start:].strip(), False))
    return [statement for statement in found if _COMMENT.sub("", statement.text).strip()]


def _output_name(tree: exp.SetOperation, key: exp.Expr) -> exp.Expr | None:
    """An ORDER BY key of a set operation as the name of the one output that it means, or None."""
    outputs = [name.lower() for name in tree.named_selects]
    name = key.name.lower() if isinstance(key, exp.Column) and not key.table else ""
    if isinstance(key, exp.Literal) and key.is_int and 1 <= int(key.name) <= len(outputs):
        name = outputs[int(key.name) - 1]
    found = bool(name) and not tree.is_star and outputs.count(name) == 1
    return exp.column(name, quoted=True) if found else None
