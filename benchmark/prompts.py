"""The one way from an Example to a Prompt, for training and evaluation alike.

Promises: the same example and template give the same text; a template's name and hash travel with every prompt.
Does not: apply a chat template or count tokens; that is the model's.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache, partial
from pathlib import Path

from benchmark.identity import text_digest
from benchmark.rendering import ROWS, shown_schema
from benchmark.rendering import SCHEMAS as SCHEMAS
from benchmark.templates import TemplateFolder
from benchmark.types import Example, Message, Prompt

#: How a template begins that holds the whole text a model reads, turn markers included.
_BY_HAND = "{# text"
TEMPLATES = TemplateFolder("prompt template", Path(__file__).with_name("prompt_templates"))


@lru_cache(maxsize=32)
def template_hash(name: str) -> str:
    """The tagged hash of a template's text."""
    return text_digest(TEMPLATES.text(name))


def render(
    example: Example,
    template: str = "zero_shot",
    schema: str = "ddl",
    rows: int = ROWS,
    shots: Sequence[Example] = (),
    show: Callable[[Example], str] | None = None,
) -> Prompt:
    """The prompt for one example: a user message, because some chat templates reject a system role.

    Before it come `shots`, each a user message and the assistant's answer as training would have it. `show` gives the
    text of a schema in place of `schema` and `rows`. Raises DatasetError where a database file cannot be read.
    """
    shown = show or partial(shown_schema, schema=schema, rows=rows)
    turns = [(_ask(shot, template, shown(shot)), render_answer(shot.golds[0], template)) for shot in shots]
    text = _ask(example, template, shown(example))
    before = [message for asked, answer in turns for message in (Message(role="user", content=asked),
              Message(role="assistant", content=answer))]  # fmt: skip
    by_hand = TEMPLATES.text(template).startswith(_BY_HAND)
    return Prompt(
        example_id=example.id,
        messages=(*before, Message(role="user", content=text)),
        template=template,
        template_hash=template_hash(template),
        text="\n".join([*(part for turn in turns for part in turn), text]) if by_hand else None,
    )


def _ask(example: Example, template: str, schema: str) -> str:
    return TEMPLATES.render(
        template, question=example.question, schema=schema, dialect=example.dialect, evidence=example.evidence
    )


def render_answer(sql: str, template: str = "zero_shot") -> str:
    """What a model that is trained on `template` learns to write for `sql`: NAME.answer.j2, or the bare SQL.

    >>> render_answer("SELECT 1;")
    '```sql\\nSELECT 1;\\n```'
    """
    own = template.endswith(".j2")
    answer = f"{template.removesuffix('.j2')}.answer" + (".j2" if own else "")
    return TEMPLATES.render(answer, sql=sql) if TEMPLATES.has(answer) else sql
