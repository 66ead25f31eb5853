"""The one way from an Example to a Prompt, for training and evaluation alike.

Promises: the same example and template give the same text; a template's name and hash travel with every prompt.
Does not: apply a chat template or count tokens; that is the model's.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

from benchmark.identity import text_digest
from benchmark.sqlengine.parse import split_statements, table_columns
from benchmark.templates import TemplateFolder
from benchmark.types import Example, Message, Prompt

#: How a template begins that holds the whole text a model reads, turn markers included.
_BY_HAND = "{# text"
TEMPLATES = TemplateFolder("prompt template", Path(__file__).with_name("prompt_templates"))


@lru_cache(maxsize=32)
def template_hash(name: str) -> str:
    """The tagged hash of a template's text."""
    return text_digest(TEMPLATES.text(name))


def render(example: Example, template: str = "zero_shot", schema: str = "ddl") -> Prompt:
    """The prompt for one example: a single user message, because some chat templates reject a system role."""
    text = TEMPLATES.render(
        template,
        question=example.question,
        schema=SCHEMAS[schema](example.schema_sql),
        dialect=example.dialect,
        evidence=example.evidence,
    )
    return Prompt(
        example_id=example.id,
        messages=(Message(role="user", content=text),),
        template=template,
        template_hash=template_hash(template),
        text=text if TEMPLATES.text(template).startswith(_BY_HAND) else None,
    )


def render_answer(sql: str, template: str = "zero_shot") -> str:
    """What a model that is trained on `template` learns to write for `sql`: NAME.answer.j2, or the bare SQL.

    >>> render_answer("SELECT 1;")
    '```sql\\nSELECT 1;\\n```'
    """
    own = template.endswith(".j2")
    answer = f"{template.removesuffix('.j2')}.answer" + (".j2" if own else "")
    return TEMPLATES.render(answer, sql=sql) if TEMPLATES.has(answer) else sql


def schema_in_full(schema_sql: str) -> str:
    """The whole script, rows included: what the seed notebook showed its model."""
    return schema_sql


@lru_cache(maxsize=4096)
def schema_ddl(schema_sql: str) -> str:
    """The script without its rows. A script that is nothing but rows stays as it is.

    >>> schema_ddl("CREATE TABLE t (a INT); INSERT INTO t VALUES (1);")
    'CREATE TABLE t (a INT);'
    """
    statements = [statement.text for statement in split_statements(schema_sql)]
    kept = [text for text in statements if not _INSERT.match(text)]
    return "\n".join(f"{text};" for text in kept) if kept else schema_sql


@lru_cache(maxsize=4096)
def schema_compact(schema_sql: str) -> str:
    """One line a table, `name(column, column)`; the DDL where a statement other than CREATE TABLE stands in it.

    >>> schema_compact("CREATE TABLE t (a INT PRIMARY KEY, b TEXT); INSERT INTO t VALUES (1, 'x');")
    't(a, b)'
    """
    ddl = schema_ddl(schema_sql)
    tables = [table_columns(statement.text) for statement in split_statements(ddl)]
    if not all(tables):
        return ddl
    return "\n".join(f"{name}({', '.join(columns)})" for name, columns in filter(None, tables))


#: How much of a database the prompt shows.
SCHEMAS: dict[str, Callable[[str], str]] = {
    "ddl": schema_ddl,
    "compact": schema_compact,
    "full": schema_in_full,
}
_INSERT = re.compile(r"\s*(?:insert|replace)\b", re.IGNORECASE)
