"""The wording of requests: lists, bounds, dates, orders, and the many ways to ask for rows.

Promises: a phrase says exactly what the SQL beside it does; nouns and verbs come from the parts.
Does not: look at rows; what is true of them is decided where a question is built.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from benchmark.datasets.builtin_train.schemas import Column, Domain
from benchmark.datasets.builtin_train.source import Source

_MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip
_BOUNDS = {
    ">": ("more than {v}", "over {v}", "more than {v}"),
    ">=": ("at least {v}", "{v} or more", "no less than {v}"),
    "<": ("less than {v}", "under {v}", "less than {v}"),
    "<=": ("at most {v}", "{v} or less", "no more than {v}"),
}
_COUNT_BOUNDS = {
    ">": ("more than {v}", "over {v}"),
    ">=": ("at least {v}", "{v} or more"),
    "<": ("fewer than {v}", "under {v}"),
    "<=": ("at most {v}", "{v} or fewer"),
}
_DATE_BOUNDS = {">": "after {v}", ">=": "on or after {v}", "<": "before {v}", "<=": "on or before {v}"}
_YEAR_BOUNDS = {">": "after {v}", ">=": "in {v} or later", "<": "before {v}", "<=": "in {v} or earlier"}

#: {cols} a list of columns, {who} the rows in the plural, {one} one of them, {order} ', heaviest first' or nothing.
_REQUESTS = (
    "List the {cols} of all {who}{order}.",
    "List {cols} for the {who}{order}.",
    "Show {cols} for all {who}{order}.",
    "Show the {cols} of the {who}{order}.",
    "Show me all {who} with their {cols}{order}.",
    "Give me the {cols} of every {one}{order}.",
    "Give {cols} of all {who}{order}.",
    "I need the {cols} of every {one}{order}.",
    "I need all {who}{order}. Columns wanted are {cols}.",
    "I'd like the {cols} of all {who}{order}.",
    "We need a list of the {who}{order}. Show {cols}.",
    "Find all {who}{order}. Show {cols}.",
    "Find the {who} and return {cols}{order}.",
    "Which {who} are there? Show {cols}{order}.",
    "Which {who} do we have on record? Give {cols}{order}.",
    "What are the {cols} of the {who}?{Order}",
    "Can you pull the {cols} of all {who}{order}?",
    "Pull up all {who}{order}. {Cols}, please.",
    "Pull {cols} for every {one}{order}.",
    "Please list every {one} with {cols}{order}.",
    "For every {one}, return {cols}{order}.",
    "{Who} - {cols}{order}.",
    "{Who}, please, with {cols}{order}.",
    "{Who}: {cols}{order}.",
    "{who} - {cols}{order}",
    "Look up all {who}{order}. {Cols} will do.",
    "Get the {cols} for {who}{order}.",
    "Are there any {who}? If so, show {cols}{order}.",
    "Return {cols} of all {who}{order}.",
    "{Cols} of all {who}{order}, please.",
    "{Cols} for every {one}{order}",
    "Let me see the {who}{order}. I want {cols}.",
    "Which are the {who}? I need {cols}{order}.",
    "What {who} are on file? Show {cols}{order}.",
    "Which {who} can you find? {Cols}{order}.",
    "What do we know about the {who}? Give {cols}{order}.",
    "Do we have {who}? List {cols}{order}.",
    "Could you list the {cols} of all {who}{order}?",
    "May I have the {cols} of every {one}{order}?",
    "Can I get {cols} for the {who}{order}?",
    "Which {who} have we got? {Cols}, please{order}.",
)
#: The same for a few rows that are first in an order: {who} begins with 'the three'.
_TOP_REQUESTS = (
    "List the {cols} of {who}{order}.",
    "Show {who}{order}. {Cols}, please.",
    "Give me {who}{order}, with {cols}.",
    "What are {who}? Give {cols}{order}.",
    "Which are {who}? Show {cols}{order}.",
    "I need {cols} of {who}{order}.",
    "Find {who} and return {cols}{order}.",
    "{Who}: {cols}{order}.",
    "{Cols} of {who}{order}, please.",
    "{who} - {cols}{order}",
    "Pull up {who}{order}. {Cols} will do.",
)


@dataclass(frozen=True, slots=True)
class Draft:
    """One item before it is placed: the request, its gold and one sentence about the gold."""

    question: str
    sql: str
    explanation: str


@dataclass(frozen=True, slots=True)
class Who:
    """The rows that a request is about, in the plural and in the singular."""

    many: str
    one: str


def listing(words: Sequence[str]) -> str:
    """Words as English lists them.

    >>> listing(["name"]), listing(["name", "age", "town"])
    ('name', 'name, age and town')
    """
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def several(noun: str) -> bool:
    """Whether a column's word is a plural.

    >>> several("hours worked"), several("number of hives"), several("couple's name"), several("process")
    (True, False, False, False)
    """
    head = re.split(r" (?:of|in|per|until|from) ", noun)[0].split()
    return any(word.endswith("s") and not word.endswith(("ss", "'s", "species")) for word in head)


def be(noun: str) -> str:
    """The noun with 'is' or 'are'."""
    return f"{noun} {'are' if several(noun) else 'is'}"


def article(noun: str) -> str:
    """The noun with 'a' or 'an', or alone if it is a plural.

    >>> article("hourly rate"), article("unit price"), article("opening year"), article("crew hours")
    ('an hourly rate', 'a unit price', 'an opening year', 'crew hours')
    """
    if several(noun):
        return noun
    vowel = noun[0] in "aeiou" and not noun.startswith(("uni", "use", "eu", "one"))
    return f"{'an' if vowel or noun.startswith(('hour', 'hono')) else 'a'} {noun}"


def capital(text: str) -> str:
    """The text with its first letter in upper case."""
    return text[:1].upper() + text[1:]


def day(source: Source, iso: str) -> str:
    """A date as a person writes it: '2024-03-01' or '1 March 2024'."""
    return iso if source.chance(45) else f"{int(iso[8:])} {month(iso)}"


def month(iso: str) -> str:
    """The month of a date, in English whatever the locale.

    >>> month("2024-03-01")
    'March 2024'
    """
    return f"{_MONTHS[int(iso[5:7]) - 1]} {iso[:4]}"


def bound(source: Source, operator: str, value: object, *, count: bool = False, unit: str = "") -> str:
    """A comparison in words: 'more than 5 kg'."""
    words = source.choice((_COUNT_BOUNDS if count else _BOUNDS)[operator])
    shown = f"{value}{unit}" if unit.startswith("%") else f"{value} {unit}".strip()
    return words.replace("{v}", shown)


def date_bound(source: Source, operator: str, iso: str) -> str:
    """A comparison of dates in words: 'on or after 1 March 2024'."""
    return _DATE_BOUNDS[operator].replace("{v}", day(source, iso))


def year_bound(operator: str, year: object) -> str:
    """A comparison of years in words: 'in 2015 or later'."""
    return _YEAR_BOUNDS[operator].replace("{v}", str(year))


def order_words(source: Source, column: Column, *, falling: bool) -> str:
    """How a request asks for an order by one column."""
    say, part = column.say, column.part
    if column.kind == "number":
        word = (part.top or "") if falling else (part.low or "")
        plain = f"highest {say} first" if falling else f"lowest {say} first"
        sides = "from high to low" if falling else "from low to high"
        fixed = (f"sorted by {say} {sides}", f"by {'falling' if falling else 'rising'} {say}", plain)
        return f"{word} first" if word and source.chance(60) else source.choice(fixed)
    if column.kind in ("date", "year"):
        if falling:
            return source.pick(f"latest {say} first", f"sorted by {say}, newest first", f"most recent {say} first")
        return source.pick(f"earliest {say} first", f"in order of {say}", f"sorted by {say}")
    if column.kind == "key":
        return source.pick(f"in order of {say}", f"sorted by {say}", f"ordered by {say}")
    return source.pick(
        f"sorted by {say}", f"in alphabetical order of {say}", f"ordered by {say}", f"by {say} from A to Z"
    )


def tie_words(source: Source, says: Sequence[str]) -> str:
    """How a request settles equal values."""
    by = listing(says)
    return source.pick(f", then by {by}", f", ties by {by}", f" and by {by} where equal", f", equal ones by {by}")


def ask(source: Source, domain: Domain, says: Sequence[str], who: Who, order: str = "", *, top: bool = False) -> str:
    """A whole request for columns of rows, in one of many registers; `top`: of a few rows that are first."""
    frame = source.choice(_TOP_REQUESTS if top else _REQUESTS)
    cols = listing(says)
    ending = source.pick(", {}", ", {}", " {}") if order.startswith(("sorted", "in ", "ordered")) else ", {}"
    filled = {
        "{cols}": cols,
        "{Cols}": capital(cols),
        "{who}": who.many,
        "{Who}": capital(who.many),
        "{one}": who.one,
        "{order}": ending.format(order) if order else "",
        "{Order}": f" {capital(order)}." if order else "",
    }
    for place, words in filled.items():
        frame = frame.replace(place, words)
    return opened(source, domain, frame)


def opened(source: Source, domain: Domain, request: str) -> str:
    """A request, now and then opened with who asks or what it is for."""
    if not source.chance(16):
        return request
    scene = source.choice(domain.scenes)
    first, second = request[:1], request[1:2]
    lowered = first.lower() + request[1:] if second.islower() and not request.startswith("Latin ") else request
    polite = "" if scene.endswith(("asks", "know")) or "please" in request.casefold() else ", please"
    return source.pick(f"{scene} - {lowered}", f"{scene}: {lowered}", f"{scene}{polite}: {lowered}")
