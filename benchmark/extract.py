"""From what a model said to the SQL in it.

Promises: special tokens, reasoning blocks, fences, labels and surrounding prose go; the SQL itself is never edited
(literals and comments keep every character). What could not be found is a status, never an empty query. It takes a
second or so at most, whatever a model said: of its answer, reasoning aside, the first `LONGEST` characters are read.
Does not: judge whether the SQL is right, or run it.
"""

from __future__ import annotations

import re

from benchmark.sqlengine.parse import MAX_SQL_CHARS, split_statements
from benchmark.types import Extraction, ExtractionStatus, FinishReason

#: Characters of an answer that are looked through; a statement that is not whole by then is truncated.
LONGEST = MAX_SQL_CHARS
_SPECIAL_TOKENS = re.compile(
    r"<\|?(?:end_of_turn|start_of_turn|im_end|im_start|endoftext|eot_id|end_of_text|end|eos|bos)\|?>|</?s>"
)
_OPEN_THINKING = re.compile(r"<(think|thinking|reasoning)>", re.IGNORECASE)
_CLOSE_THINKING = {
    name: re.compile(f"</{name}>", re.IGNORECASE) for name in ("think", "thinking", "reasoning")
}  # fmt: skip
_FENCE = re.compile(r"```[ \t]*([A-Za-z0-9_+-]*)[ \t]*\r?\n?(.*?)(```|\Z)", re.DOTALL)
_START = (
    r"(?:select|with|insert|update|delete|replace|merge|create|alter|drop|truncate|values|pragma|attach|detach|vacuum"
    r"|copy|explain|begin|commit|install|load|set|grant|revoke|call|exec|reindex|analyze)"
)
#: Comments before a statement: a few, and none without measure, for a hostile answer may consist of nothing else.
_COMMENTS = r"(?:/\*(?:[^*]{1,2000}+|\*+(?![*/])){0,200}+\*+/\s*+){0,8}+"
#: A statement begins at the start of a line, after at most a short label such as "SQL query:".
_STATEMENT = re.compile(
    r"^[ \t>*`]*+(?:(?:[A-Za-z ]{0,30})?(?:sql|query|answer|statement|output|response)[ \t]*(?:query)?[*`]*[ \t]*:[*`]*"
    r"\s*)?"
    rf"[`(]*({_COMMENTS}{_START}\b)",
    re.IGNORECASE | re.MULTILINE,
)
#: Words that must follow the first one for prose such as "With this query ..." or "Update: ..." not to count as SQL.
_PLAUSIBLE = re.compile(
    _COMMENTS + r"(?:select\b|values\s*\("
    r"|with\s+(?:recursive\s+)?[\"`\[\w]+\s*(?:\([^)]*\)\s*)?as\s*(?:not\s+materialized\s*|materialized\s*)?\("
    r"|(?:insert|replace)\s+(?:or\s+\w+\s+)?into\b|update\s+[\"`\[\w.]+(?:\s+(?:as\s+)?\w+)?\s+set\b|delete\s+from\b|merge\s+into\b"
    r"|(?:create|drop|alter)\s+(?:or\s+replace\s+)?(?:unique\s+|temp\s+|temporary\s+|virtual\s+|materialized\s+)*(?:table|view|index|trigger|schema|database|sequence|type|function|procedure|role|user)\b"
    r"|truncate\b|pragma\s+\w+|(?:attach|detach)\b|vacuum\b|copy\b|explain\s+\w+|begin\b|commit\b|install\s+\w+|load\s+['\w]+"
    r"|set\s+\w+|grant\s+\w+|revoke\s+\w+|call\s+\w+|exec\w*\s+\w+|reindex\b|analyze\b)",
    re.IGNORECASE,
)
_REFUSAL = re.compile(
    r"\b(?:i(?:'m| am) (?:sorry|unable|not able)|i (?:can(?:'|no)t|cannot|won't|am not able)|as an ai\b"
    r"|i do(?:n't| not) have (?:access|enough)|not possible to (?:answer|write))",
    re.IGNORECASE,
)
_PROSE = re.compile(r"\n[ \t]*\n(?=[ \t]*(?![-/(])[A-Z*#>][^\n]*)")


def extract(example_id: str, text: str, finish_reason: FinishReason) -> Extraction:
    """The SQL in a model's answer, with the status that says how it was found.

    >>> extract("1", "Sure!\\n```sql\\nSELECT 1;\\n```", "stop").sql
    'SELECT 1'
    """
    sql, status = _find(text, cut=finish_reason == "length")
    return Extraction(example_id=example_id, sql=sql, status=status)


def _find(text: str, *, cut: bool) -> tuple[str | None, ExtractionStatus]:
    cleaned = _SPECIAL_TOKENS.sub("", _without_thinking(text)).strip()
    cleaned, cut = cleaned[:LONGEST], cut or len(cleaned) > LONGEST
    if not cut and _is_bare_statement(cleaned):
        return cleaned.rstrip(";").rstrip(), "ok"
    if not cleaned:
        return None, "truncated" if cut else "empty"
    if _OPEN_THINKING.search(cleaned):
        if cut:
            return None, "truncated"
        cleaned = _OPEN_THINKING.split(cleaned)[0] or cleaned
    block, closed = _block(cleaned)
    if block is None:
        return None, "truncated" if cut else "refused" if _REFUSAL.search(cleaned) else "no_sql"
    statements = split_statements(block)
    if cut and not closed and not statements[-1].ended:
        statements.pop()
    if not statements:
        return None, "truncated"
    distinct = list(dict.fromkeys(statement.text for statement in statements))
    if len(distinct) == 1:
        return distinct[0], "ok"
    return ";\n".join(distinct), "multiple"


def _without_thinking(text: str) -> str:
    """A text without its whole blocks of reasoning."""
    kept, place, never_closed = [], 0, set[str]()
    for opening in _OPEN_THINKING.finditer(text):
        name = opening[1].lower()
        if opening.start() < place or name in never_closed:
            continue
        closing = _CLOSE_THINKING[name].search(text, opening.end())
        if closing is None:
            never_closed.add(name)
            continue
        kept.append(text[place : opening.start()])
        place = closing.end()
    return "".join([*kept, text[place:]])


def _is_bare_statement(text: str) -> bool:
    """Whether a text is one line that is one statement and nothing else: the common case, told without a search."""
    return (
        _PLAUSIBLE.match(text) is not None
        and "\n" not in text
        and "`" not in text
        and "--" not in text
        and ";" not in text[:-1]
        and not text.endswith("*")
        and _OPEN_THINKING.search(text) is None
    )


def _block(text: str) -> tuple[str | None, bool]:
    """The stretch of text that is SQL, and whether something after it shows that it is whole."""
    for label, body, end in _FENCE.findall(text):
        start = _statement_start(body)
        if start is not None and label.lower() in ("", "sql", "sqlite", "sqlite3", "duckdb", "postgresql", "mysql"):
            return body[start:], bool(end)
    start = _statement_start(text)
    if start is None:
        return None, False
    return _until_prose(_without_markup(text[start:].split("```")[0]))


def _without_markup(body: str) -> str:
    """Drop what closes Markdown's bold or inline code after a statement; a quoted name keeps its backtick."""
    body = body.rstrip()
    while body.endswith("**") or (body.endswith("`") and body.count("`") % 2):
        body = body.removesuffix("**") if body.endswith("**") else body[:-1]
        body = body.rstrip()
    return body


def _statement_start(text: str) -> int | None:
    """Where the first statement begins, a leading comment or WITH included."""
    for match in _STATEMENT.finditer(text):
        begin = match.start(1)
        if _PLAUSIBLE.match(text, begin):
            return begin - len(text[:begin]) + len(text[:begin].rstrip("("))
    return None


def _until_prose(body: str) -> tuple[str, bool]:
    """Cut an unfenced answer after its first statement if prose follows; SQL that follows is kept, and counted."""
    statements = split_statements(body)
    kept: list[str] = []
    for statement in statements:
        if kept and not _PLAUSIBLE.match(statement.text.lstrip("(`* \t\n")):
            return ";".join(kept) + ";", True
        paragraph = _PROSE.split(statement.text, maxsplit=1)
        if len(paragraph) > 1 and not _balanced_prefix(paragraph[0]):
            paragraph = [statement.text]
        kept.append(paragraph[0])
        if len(paragraph) > 1:
            return ";".join(kept) + ";", True
    return body, False


def _balanced_prefix(text: str) -> bool:
    """Whether a text could be a whole statement: its parentheses close and it does not end in the middle."""
    return text.count("(") == text.count(")") and not re.search(
        r"(?:,|\b(?:from|where|and|or|join|on|select|by|set|values|as|union|all|intersect|except|having))\s*$",
        text,
        re.IGNORECASE,
    )
