"""Bounds on numbers: round thresholds that part values into two sides, and how they are shown and tested.

Promises: a threshold leaves a value on either side, and is as round as the gap between two values allows.
Does not: word anything; see phrases.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal
from itertools import pairwise

from benchmark.datasets.builtin_train.source import Source
from benchmark.datasets.builtin_train.worlds import Cell

COMPARE: dict[str, Callable[[Decimal, Decimal], bool]] = {
    ">": lambda left, right: left > right,
    ">=": lambda left, right: left >= right,
    "<": lambda left, right: left < right,
    "<=": lambda left, right: left <= right,
}
_STEPS = tuple(map(Decimal, ("1000", "500", "100", "50", "10", "5", "1", "0.5", "0.1", "0.05", "0.01")))


def threshold(source: Source, values: Sequence[Cell], operators: str = "> >= < <=") -> tuple[str, Decimal] | None:
    """An operator and a round number that part the values into two sides, neither of them empty."""
    present = sorted({Decimal(str(value)) for value in values if value is not None})
    if len(present) < 2:
        return None
    low, high = source.choice(list(pairwise(present)))
    operator = source.choice(operators.split())
    return operator, _round_between(low, high, upper=operator in (">=", "<"))


def _round_between(low: Decimal, high: Decimal, *, upper: bool) -> Decimal:
    """The roundest number of (low, high] if `upper`, else of [low, high)."""
    for step in _STEPS:
        number = (high // step if upper else -(-low // step)) * step
        if (low < number <= high) if upper else (low <= number < high):
            return number
    return high if upper else low


def shown(number: Decimal, decimals: int) -> str:
    """A threshold as text: without a fraction where it has none.

    >>> shown(Decimal("12.0"), 1), shown(Decimal("7.5"), 2)
    ('12', '7.50')
    """
    return str(int(number)) if number == int(number) else str(number.quantize(Decimal(1).scaleb(-max(1, decimals))))


def sayable(operator: str, number: Decimal) -> tuple[str, Decimal]:
    """The same bound on a count without the number 1, which would need a singular: 'at least 2' for 'more than 1'."""
    return {(">", 1): (">=", Decimal(2)), ("<=", 1): ("<", Decimal(2))}.get((operator, int(number)), (operator, number))


def compare(operator: str, value: Decimal, limit: str) -> bool:
    """Whether a value passes a bound.

    >>> compare(">=", Decimal(3), "3"), compare("<", Decimal(3), "3")
    (True, False)
    """
    return COMPARE[operator](value, Decimal(limit))


def half(value: Decimal | None, digits: int) -> bool:
    """Whether rounding to so many digits would have to break a tie, which engines do differently.

    >>> half(Decimal("2.125"), 2), half(Decimal("2.12"), 2)
    (True, False)
    """
    rest = ((value or Decimal(0)) * 10**digits) % 1
    return bool(abs(rest - Decimal("0.5")) < Decimal("0.001"))
