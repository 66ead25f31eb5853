"""How many items a paired comparison needs, and what a given number of items can show.

Promises: `items_needed` and `minimum_detectable_difference` invert each other; no numpy.
Does not: promise the power of the exact test, which is a little more cautious than this approximation.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import NormalDist


def items_needed(
    difference: float, discordance: float, power: float = 0.8, alpha: float = 0.05, effect: float = 1.0
) -> int:
    """Items for McNemar's two-sided test at `alpha` to find a true `difference` with probability `power`.

    `difference` is P(only B right) - P(only A right), its sign is ignored; `discordance` is the sum of the two; both
    are proportions. The formula is (z_alpha/2 sqrt(psi) + z_power sqrt(psi - delta^2))^2 / delta^2 (R. J. Connor,
    Biometrics 43, 1987, 207-211, after O. S. Miettinen, Biometrics 24, 1968, 339-352), times the design `effect`.

    Raises ValueError for a difference of 0 or above the discordance, and for rates outside (0, 1].

    >>> items_needed(0.02, discordance=0.10)
    1960
    """
    delta = abs(difference)
    check_rates(discordance, power, alpha, effect)
    if not 0 < delta <= discordance:
        raise ValueError(f"the difference must lie in (0, {discordance}], the discordance, not {delta}")
    z_alpha, z_power = quantiles(power, alpha)
    root = (z_alpha * math.sqrt(discordance) + z_power * math.sqrt(discordance - delta * delta)) / delta
    return math.ceil(round(effect * root * root, 6))  # rounded first: 200.00000000000003 items are 200


def minimum_detectable_difference(
    n: int, discordance: float, power: float = 0.8, alpha: float = 0.05, effect: float = 1.0
) -> float:
    """The smallest true difference that n items find with probability `power`: `items_needed` solved for it.

    With m = n / effect it is sqrt(psi) (sqrt(m) z_alpha/2 + z_power sqrt(m + z_power^2 - z_alpha/2^2)) / (m +
    z_power^2), a proportion. NaN where even a difference as large as the discordance would not be found.
    Raises ValueError for rates outside (0, 1] or a negative n.

    >>> round(minimum_detectable_difference(240, discordance=0.10), 3)
    0.057
    """
    check_rates(discordance, power, alpha, effect)
    if n < 0:
        raise ValueError(f"n must not be negative: {n}")
    z_alpha, z_power = quantiles(power, alpha)
    m = n / effect
    under = m + z_power**2 - z_alpha**2
    if under < 0:
        return math.nan
    found = math.sqrt(discordance) * (math.sqrt(m) * z_alpha + z_power * math.sqrt(under)) / (m + z_power**2)
    return found if found <= discordance else math.nan


def design_effect(cluster_sizes: Sequence[int], icc: float) -> float:
    """By how much clusters inflate the variance of a mean: 1 + (m - 1) icc (L. Kish, "Survey Sampling", 1965, 5.4).

    `icc` is the correlation of two items of one cluster. With unequal sizes m is the size of the average item's
    cluster, sum(m_g^2) / sum(m_g) (A. Donner, N. Birkett and C. Buck, American Journal of Epidemiology 114, 1981).
    Raises ValueError without items, and for an icc outside [0, 1].

    >>> design_effect([50] * 20, icc=0.1)
    5.9
    """
    if not cluster_sizes or min(cluster_sizes) < 1:
        raise ValueError("every cluster needs at least one item, and there must be one")
    if not 0 <= icc <= 1:
        raise ValueError(f"icc must lie in [0, 1], not {icc}")
    return 1 + (sum(size * size for size in cluster_sizes) / sum(cluster_sizes) - 1) * icc


def quantiles(power: float, alpha: float) -> tuple[float, float]:
    """The normal quantiles of a two-sided test at `alpha`, and of `power`."""
    normal = NormalDist()
    return normal.inv_cdf(1 - alpha / 2), normal.inv_cdf(power)


def check_rates(discordance: float, power: float, alpha: float, effect: float) -> None:
    """Raises ValueError, naming the argument, for one that is out of its range."""
    if not 0 < discordance <= 1:
        raise ValueError(f"discordance must lie in (0, 1], not {discordance}")
    for name, value in (("power", power), ("alpha", alpha)):
        if not 0 < value < 1:
            raise ValueError(f"{name} must lie between 0 and 1, not {value}")
    if not effect > 0:
        raise ValueError(f"effect must be positive, not {effect}")
