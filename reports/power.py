"""What a test set can show: the smallest difference that n items find, and the items that a difference needs.

Promises: a difference that no number of such items would show is NaN and said in words; nothing is run.
Does not: compute statistics (`benchmark.stats.power`) or compare runs (`reports.comparison`).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import msgspec

from benchmark.errors import UsageError
from benchmark.stats import Interval, wilson
from benchmark.stats.power import design_effect, items_needed, minimum_detectable_difference
from reports.comparison import Comparison

#: The seed project's number, the embedded split's, round ones, and the test split of gretel.
SIZES = (30, 100, 240, 500, 1000, 5851)
SEED_ITEMS = 30
#: Assumed where nothing is known of the two models: a rather high share, so that small numbers get a figure at all.
DISCORDANCE = 0.30


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """What is assumed. `discordance` is the share of items that one model has right and the other has not."""

    discordance: float
    source: str
    interval: Interval | None = None
    power: float = 0.8
    alpha: float = 0.05
    effect: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """n items, and the smallest difference (a proportion, NaN for none) that they find."""

    n: int
    difference: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Power:
    """The answer: `asked` for --n, `needed` items for a wanted `difference`, and the table."""

    setting: Setting
    asked: Line | None
    difference: float | None
    needed: int | None
    table: tuple[Line, ...]


def assume(
    discordance: float | None,
    found: Comparison | None,
    *,
    power: float,
    alpha: float,
    cluster_size: int | None,
    icc: float | None,
) -> Setting:
    """The setting from options, or from two compared runs. Raises UsageError."""
    if (cluster_size is None) != (icc is None):
        raise UsageError("--cluster-size and --icc belong together", "For instance --cluster-size 20 --icc 0.1.")
    source, interval = "assumed" if discordance is None else "given", None
    if found is not None:
        differing = len(found.only_a) + len(found.only_b)
        if not differing:
            raise UsageError(
                f"the runs agree on all {found.n} items: their discordance cannot be estimated",
                "Give one with --discordance, for instance 0.1.",
            )
        discordance, interval = differing / found.n, wilson(differing, found.n)
        source = f"{differing} of {found.n} items of {found.a.model} and {found.b.model}"
    try:
        effect = 1.0 if cluster_size is None or icc is None else design_effect([cluster_size], icc)
    except ValueError as error:
        raise UsageError(str(error), "For instance --cluster-size 20 --icc 0.1.") from None
    share = DISCORDANCE if discordance is None else discordance
    return Setting(
        discordance=share, source=source, interval=interval, power=power, alpha=alpha, effect=effect
    )  # fmt: skip


def plan(setting: Setting, n: int | None = None, difference: float | None = None) -> Power:
    """The table of a setting, the line of n items, and the items that a difference needs. Raises UsageError."""
    try:
        return Power(
            setting=setting,
            asked=None if n is None else _line(n, setting),
            difference=difference,
            needed=None if difference is None else items_needed(difference, *_rates(setting)),
            table=tuple(_line(size, setting) for size in SIZES),
        )
    except ValueError as error:
        raise UsageError(str(error), "Rates are shares such as 0.3, or percentage points such as 30pp.") from None


def as_json(found: Power) -> bytes:
    """The answer as JSON; NaN becomes null."""
    return msgspec.json.format(msgspec.json.encode(found, order="sorted"), indent=2)


def as_text(found: Power) -> str:
    """Sentences and the table."""
    setting = found.setting
    lines = [
        f"Two models that differ on {setting.discordance:.1%} of the items ({_source(setting)}), McNemar's two-sided "
        f"test at {setting.alpha:g}, power {setting.power:g}{_clusters(setting)}:",
        "",
    ]
    if found.asked is not None:
        lines.append(sentence(found.asked))
    if found.needed is not None and found.difference is not None:
        lines.append(f"A difference of {_points(found.difference)} needs {found.needed} items.")
    if found.asked is None or found.asked.n != SEED_ITEMS:
        lines.append(sentence(found.table[SIZES.index(SEED_ITEMS)], "(the seed project's number) "))
    lines += ["", f"{'items':>6}  smallest difference"]
    lines += [f"{line.n:>6}  {_points(line.difference)}" for line in found.table]
    lines += ["", "An approximation: the exact test is a little more cautious."]
    return "\n".join(lines)


def sentence(line: Line, aside: str = "") -> str:
    """What n items can show, as a sentence."""
    if math.isnan(line.difference):
        return f"{line.n} items {aside}cannot separate such models, not even if one won every item that they differ on."
    return f"{line.n} items {aside}cannot separate less than {_points(line.difference)}."


def _rates(setting: Setting) -> tuple[float, float, float, float]:
    return setting.discordance, setting.power, setting.alpha, setting.effect


def _line(n: int, setting: Setting) -> Line:
    return Line(n=n, difference=minimum_detectable_difference(n, *_rates(setting)))


def _points(difference: float) -> str:
    return "none" if math.isnan(difference) else f"{100 * difference:.1f} points"


def _source(setting: Setting) -> str:
    if setting.interval is None:
        return setting.source
    return f"{setting.source}; 95% {setting.interval.low:.1%} to {setting.interval.high:.1%}"


def _clusters(setting: Setting) -> str:
    return "" if setting.effect == 1.0 else f", design effect {setting.effect:g}"
