"""Values for a column: those that a statement compares it with, their neighbours, and a few plain ones.

Promises: a value fits the column's kind, so that no engine has to guess; the same call gives the same list.
Does not: know about keys or rows.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from typing import Literal

from benchmark.sqlengine.results import Cell
from benchmark.sqlengine.schema import Kind

#: What values of a column look like: a kind of the schema, or text that holds numbers, dates or times only.
Look = Literal[Kind, "digits"]

_INTEGER = re.compile(r"[+-]?\d{1,15}")
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,2})?")
_DATE = re.compile(r"(\d{4})-(\d\d)-(\d\d)")
_TIME = re.compile(r"\d\d:\d\d(:\d\d(\.\d+)?)?")
_CLOCKS = ("00:00:00", "12:30:00", "23:59:59")
#: Numbers beyond this are left out: sums and products of them would overflow, which proves nothing.
_LARGEST = 10**12
_PLAIN: dict[str, tuple[Cell, ...]] = {
    "integer": (1, 2, 3, 0, 5),
    "real": (1.0, 2.5, 3.0, 0.0, 4.25),
    "text": ("a", "b", "c", "B", ""),
    "digits": ("1", "2", "10"),
    "boolean": (1, 0),
    "date": ("2020-01-15", "2020-01-16", "2021-06-30"),
    "timestamp": ("2020-01-15 00:00:00", "2020-01-15 12:30:00", "2021-06-30 23:59:59"),
    "time": _CLOCKS,
    "blob": (b"a", b"b", b""),
    "any": ("a", "b", "c"),
}


def look_of(kind: Kind, seen: Iterable[Cell]) -> Look:
    """What a column's values look like, by its declared kind and by values that it holds."""
    values = [value for value in seen if value is not None]
    numbers = [value for value in values if isinstance(value, (int, float))]
    if not values or kind == "blob" or (numbers and kind in ("integer", "real", "boolean")):
        return kind
    if len(numbers) == len(values):
        return kind if kind != "any" else "integer" if all(isinstance(value, int) for value in values) else "real"
    texts = [value for value in values if isinstance(value, str) and value]
    if not texts or len(texts) < len([value for value in values if value != ""]):
        return kind
    if all(_NUMBER.fullmatch(text) for text in texts):
        return "digits"
    if all(_DATE.fullmatch(text) for text in texts):
        return "date"
    if all(_DATE.match(text) and _TIME.fullmatch(text[11:]) for text in texts):
        return "timestamp"
    return "time" if all(_TIME.fullmatch(text) for text in texts) else "any" if kind == "any" else "text"


def plain(look: Look) -> tuple[Cell, ...]:
    """Values that any column of this look may hold."""
    return _PLAIN[look]


def fitted(value: Cell, look: Look) -> Iterator[Cell]:
    """A constant of a statement, and its neighbours, as values of a column; nothing where it cannot be one."""
    if value is None or isinstance(value, bytes):
        yield from (value,) if isinstance(value, bytes) and look == "blob" else ()
    elif look in ("integer", "real", "digits"):
        yield from _numbers(value, look)
    elif look == "boolean":
        yield from (1, 0)
    elif look in ("date", "timestamp"):
        yield from _dates(value, look)
    elif look == "time":
        yield from (value, *_CLOCKS) if isinstance(value, str) and _TIME.fullmatch(value) else ()
    elif look != "blob":
        yield from _texts(value)


def _numbers(value: Cell, look: Look) -> Iterator[Cell]:
    text = str(value).strip()
    if not _NUMBER.fullmatch(text):
        return
    number = float(text)
    if abs(number) > _LARGEST:
        return
    if look == "real":
        yield from (number, number + 1, number - 1, number + 0.5)
        return
    whole = int(number)
    around = (whole, whole + 1, whole - 1) if number == whole else (whole, whole + 1)
    if look == "digits":
        yield text
    yield from (str(n).zfill(len(text)) for n in around if n >= 0) if look == "digits" else around


def _dates(value: Cell, look: Look) -> Iterator[Cell]:
    text = str(value).strip()
    clock = text[11:] if _TIME.fullmatch(text[11:]) else ""
    if match := _DATE.match(text):
        days = list(_days(*map(int, match.groups())))
    elif _INTEGER.fullmatch(text) and 1000 <= int(text) <= 9998:
        year = int(text)
        days = [date(year, 1, 1), date(year, 12, 31), date(year + 1, 1, 1), date(year - 1, 12, 31), date(year, 6, 15)]
    elif _INTEGER.fullmatch(text) and 1 <= int(text) <= 12:
        days = [date(2020, int(text), 15), date(2021, int(text), 1), date(2020, int(text) % 12 + 1, 15)]
    elif re.fullmatch(r"\d{4}-\d\d", text):
        days = list(_days(int(text[:4]), int(text[5:]), 1))
    else:
        return
    for day in days:
        if look == "date":
            yield day.isoformat()
        else:
            yield from (f"{day.isoformat()} {hour}" for hour in dict.fromkeys((clock, *_CLOCKS)) if hour)


def _days(year: int, month: int, day: int) -> Iterator[date]:
    try:
        found = date(year, month, day)
        yield from (found, found + timedelta(days=1), found - timedelta(days=1))
    except (ValueError, OverflowError):
        return


def _texts(value: Cell) -> Iterator[Cell]:
    text = str(value)
    if len(text) > 200:
        return
    yield text
    swapped = text.swapcase()
    yield from (other for other in (swapped, text.lower(), text.capitalize()) if other != text)
    yield from (text + "x", "x" + text, text[:-1], "")


def like_strings(pattern: str) -> list[str]:
    """Strings that match a LIKE pattern, then some that nearly do.

    >>> like_strings("%Bob_")[:4]
    ['Bobx', 'xBobx', 'bOBX', 'Bob']
    """
    shortest = pattern.replace("%", "").replace("_", "x")
    longer = pattern.replace("%", "x").replace("_", "x")
    bare = pattern.replace("%", "").replace("_", "")
    near = [bare, "x" + shortest, shortest + "x", bare[:-1], bare[1:], ""]
    return list(dict.fromkeys([shortest, longer, shortest.swapcase(), *near]))


def glob_strings(pattern: str) -> list[str]:
    """Strings that match a GLOB pattern: of a class in brackets, its first, last and middle letters.

    >>> glob_strings("[0-9][a-c]*")
    ['0a', '9c', '1a', '5b']
    """
    picks: list[list[str]] = []
    for part in re.findall(r"\[[^\]]*\]|.", pattern, re.DOTALL):
        if part.startswith("[") and len(part) > 2:
            letters = _letters(part[1:-1])
            second = letters[1] if len(letters) > 2 else letters[0]
            picks.append([letters[0], letters[-1], second, letters[len(letters) // 2]])
        elif part != "*":
            picks.append(["x" if part == "?" else part] * 4)
    whole = ["".join(pick[i] for pick in picks) for i in (0, 1)]
    mixed = ["".join(pick[2 if n == 0 else 0] for n, pick in enumerate(picks)), "".join(pick[3] for pick in picks)]
    return list(dict.fromkeys(whole + mixed))


def _letters(inside: str) -> str:
    found = ""
    for match in re.finditer(r"(.)-(.)|(.)", inside):
        first, last, single = match.groups()
        found += single or "".join(map(chr, range(ord(first), min(ord(last), ord(first) + 99) + 1)))
    return found or "x"


def fits(value: Cell, look: Look) -> bool:
    """Whether a value that was seen may stand in generated rows of a column."""
    if value is None:
        return True
    if look in ("integer", "boolean", "real"):
        return isinstance(value, (int, float)) and abs(value) <= _LARGEST
    return isinstance(value, bytes) is (look == "blob") and (look == "any" or not isinstance(value, (int, float)))
