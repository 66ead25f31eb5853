"""Conditions on rows: the SQL, the words, and the same test in Python, so that none is vacuous.

Promises: `some` returns conditions that keep at least one row, and each of which excludes a row of its own.
Does not: compare columns with each other, or text other than by equality and by its beginning.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise

from benchmark.datasets.builtin_train import bounds, phrases
from benchmark.datasets.builtin_train.phrases import Who
from benchmark.datasets.builtin_train.schemas import Column, Table
from benchmark.datasets.builtin_train.source import Source
from benchmark.datasets.builtin_train.worlds import Cell, Row, literal

_PREPOSITIONS = ("in ", "at ", "of ", "from ", "for ", "on ", "by ", "to ", "under ", "near ")


@dataclass(frozen=True, slots=True)
class Condition:
    """A test of one column. `words` follow the noun, or stand `before` it; `{c}` in `template` is the column."""

    column: Column
    template: str
    words: str
    holds: Callable[[Cell], bool]
    before: bool = False

    def sql(self, ref: str) -> str:
        """The condition, with the column written as `ref`."""
        return self.template.replace("{c}", ref)

    def keeps(self, row: Row) -> bool:
        """Whether a row passes."""
        return self.holds(row[self.column.id])


def some(source: Source, rows: list[Row], columns: Sequence[Column], size: int) -> list[Condition] | None:
    """`size` conditions on different columns, all of them needed to get the rows that they keep. None if none found."""
    for _ in range(12):
        chosen = source.sample(columns, size)
        found = [made for column in chosen if (made := on(source, rows, column))]
        if len(found) == size and needed(rows, found):
            return found
    return None


def kept(rows: list[Row], conditions: Sequence[Condition]) -> list[Row]:
    """The rows that pass all conditions."""
    return [row for row in rows if all(condition.keeps(row) for condition in conditions)]


def needed(rows: list[Row], conditions: Sequence[Condition]) -> bool:
    """Whether some row passes, and more would without any one of the conditions."""
    left = len(kept(rows, conditions))
    rest = ([*conditions[:place], *conditions[place + 1 :]] for place in range(len(conditions)))
    return left > 0 and all(len(kept(rows, others)) > left for others in rest)


def who(table: Table, conditions: Sequence[Condition], ending: str = "") -> Who:
    """The rows of a table that pass the conditions, in words; `ending` says what they belong to."""
    front = " ".join(condition.words for condition in conditions if condition.before)
    words = [condition.words for condition in conditions if not condition.before]
    nested = any(word in ending for word in ("whose ", " with ", " and "))
    words += [ending] if ending and not nested else []
    words = sorted(words, key=lambda text: (text.startswith("whose "), not text.startswith(_PREPOSITIONS)))
    back = "".join(_joint(last, text) for last, text in pairwise(["", *words]))
    if nested:
        back += f" and {ending}" if words and words[-1].startswith(("whose ", "with ")) else f" {ending}"
    return Who(f"{front} {table.many}{back}".strip(), f"{front} {table.one}{back}".strip())


def _joint(last: str, text: str) -> str:
    """How a phrase follows the one before it: 'in Devon' + 'with a pump', 'made by Ann' + 'and before 2024'."""
    verb, _, rest = text.partition(" ")
    if last.startswith(f"{verb} ") and verb not in ("whose", "with", "without", "not"):
        return f" and {rest}"
    apart = not last or last.startswith(_PREPOSITIONS)
    apart = apart or (verb == "whose" and not last.startswith("whose "))
    return f" {text}" if apart else f" and {text}"


def on(source: Source, rows: list[Row], column: Column) -> Condition | None:
    """A condition on one column whose constants come from the rows. None if the column offers none."""
    values = [row[column.id] for row in rows]
    if column.nullable and None in values and source.chance(75):
        return missing(source, column)
    makers = {
        "category": _category,
        "number": _number,
        "date": _date,
        "year": _year,
        "flag": _flag,
        "name": _beginning,
    }
    present: list[Cell] = sorted({value for value in values if value is not None}, key=_rank)
    maker = makers.get(column.kind)
    return maker(source, column, present) if maker and len(present) > 1 else None


def missing(source: Source, column: Column, *, absent: bool | None = None) -> Condition:
    """The column is NULL, or is not; which of the two is drawn unless it is said."""
    if source.chance(80) if absent is None else absent:
        return Condition(column, "{c} IS NULL", column.part.none, lambda cell: cell is None)
    words = source.pick(f"with {phrases.article(column.say)} on record", f"whose {phrases.be(column.say)} known")
    return Condition(column, "{c} IS NOT NULL", words, lambda cell: cell is not None)


def equal(source: Source, column: Column, value: Cell) -> Condition:
    """The column has this value; a category is said in the words of its part."""
    quoted = f"'{value}'" if source.chance(20) else str(value)
    before = column.part.pre and source.chance(75)
    words = str(value) if before else _like(source, column, quoted)
    return Condition(column, f"{{c}} = {literal(value)}", words, lambda cell: cell == value, before)


def _rank(value: Cell) -> tuple[bool, Decimal, str]:
    text = isinstance(value, str)
    return text, Decimal(0) if text else Decimal(str(value)), str(value)


def _like(source: Source, column: Column, value: str) -> str:
    if column.part.like:
        return column.part.like.replace("{v}", value)
    return source.pick(
        f"whose {phrases.be(column.say)} {value}", f"with {column.say} {value}", f"with the {column.say} {value}"
    )


def _category(source: Source, column: Column, present: Sequence[Cell]) -> Condition:
    if len(present) > 2 and source.chance(25):
        pair = source.kept(present, 2)
        words = _like(source, column, f"{pair[0]} or {pair[1]}")
        listed = ", ".join(map(literal, pair))
        return Condition(column, f"{{c}} IN ({listed})", words, lambda cell: cell in pair)
    value = source.choice(present)
    if not column.nullable and column.part.like and source.chance(12):
        words = f"not {_like(source, column, str(value))}"
        return Condition(column, f"{{c}} <> {literal(value)}", words, lambda cell: cell != value)
    return equal(source, column, value)


def _number(source: Source, column: Column, present: Sequence[Cell]) -> Condition | None:
    found = bounds.threshold(source, present)
    if found is None:
        return None
    operator, number = bounds.sayable(*found) if column.part.count else found
    value = bounds.shown(number, column.decimals)
    words = number_words(source, column, operator, value)
    return Condition(column, f"{{c}} {operator} {value}", words, _test(operator, number))


def number_words(source: Source, column: Column, operator: str, value: str) -> str:
    """A bound on a number as it follows a noun: 'weighing over 3 kg', 'with 12 or more frames'."""
    part = column.part
    unit = "" if part.unit in column.say and not part.verb else part.unit
    limit = phrases.bound(source, operator, value, count=part.count, unit=unit)
    if part.verb:
        return f"{part.verb} {limit}"
    if part.count:
        return f"with {limit} {column.says[-1]}"
    return source.pick(f"with {phrases.article(column.say)} of {limit}", f"whose {phrases.be(column.say)} {limit}")


def _test(operator: str, number: Decimal) -> Callable[[Cell], bool]:
    compare = bounds.COMPARE[operator]
    return lambda cell: cell is not None and compare(Decimal(str(cell)), number)


def _date(source: Source, column: Column, present: Sequence[Cell]) -> Condition:
    opening = column.part.did or f"whose {column.say} is"
    days = [str(value) for value in present]
    if source.chance(30):
        return _span(source, column, opening, days)
    operator = source.pick(">", ">=", "<", "<=")
    limit = source.choice(days[1:] if operator in (">=", "<") else days[:-1])
    words = f"{opening} {phrases.date_bound(source, operator, limit)}"
    tests = {">": limit.__lt__, ">=": limit.__le__, "<": limit.__gt__, "<=": limit.__ge__}
    test = tests[operator]
    return Condition(column, f"{{c}} {operator} '{limit}'", words, lambda cell: cell is not None and test(str(cell)))


def _span(source: Source, column: Column, opening: str, days: list[str]) -> Condition:
    """A month, a year, or two days with both included."""
    chosen = date.fromisoformat(source.choice(days))
    shape = source.pick("month", "year", "days")
    if shape == "month":
        following = (chosen.replace(day=1) + timedelta(32)).replace(day=1)
        first, last, words = chosen.replace(day=1), following - timedelta(1), f"in {phrases.month(str(chosen))}"
    elif shape == "year":
        first, last, words = chosen.replace(month=1, day=1), chosen.replace(month=12, day=31), f"in {chosen.year}"
    else:
        first, last = chosen, chosen + timedelta(source.pick(30, 45, 60, 90))
        words = f"between {phrases.day(source, str(first))} and {phrases.day(source, str(last))} (both days included)"
    if not column.part.did and shape != "days":
        opening = opening.replace(" is", " falls")
    low, high = str(first), str(last)
    template = f"{{c}} BETWEEN '{low}' AND '{high}'"
    return Condition(column, template, f"{opening} {words}", lambda cell: cell is not None and low <= str(cell) <= high)


def _year(source: Source, column: Column, present: Sequence[Cell]) -> Condition | None:
    operator = source.pick(">", ">=", "<", "<=")
    limit = source.choice(present[1:] if operator in (">=", "<") else present[:-1])
    opening = column.part.did or f"whose {column.say} is"
    words = phrases.year_bound(operator, limit)
    words = words if column.part.did else words.removeprefix("in ")
    return Condition(column, f"{{c}} {operator} {limit}", f"{opening} {words}", _test(operator, Decimal(str(limit))))


def _flag(source: Source, column: Column, present: Sequence[Cell]) -> Condition:
    value = source.choice(present)
    words = (column.part.flag or ("", ""))[0 if value else 1]
    return Condition(column, f"{{c}} = {value}", words, lambda cell: cell == value)


def _beginning(source: Source, column: Column, present: Sequence[Cell]) -> Condition | None:
    if not source.chance(30):
        return None
    start = str(source.choice(present))[: 1 + source.below(2)].strip()
    if not start.isalpha():
        return None
    words = source.pick(f"whose {column.say} starts with '{start}'", f"with a {column.say} beginning with '{start}'")
    return Condition(column, f"{{c}} LIKE '{start}%'", words, lambda cell: str(cell).startswith(start))
