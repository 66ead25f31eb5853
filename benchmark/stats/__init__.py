"""Statistics of a benchmark: pure functions over arrays, each with its source.

Promises: a figure that cannot be had is NaN, never 0. Importing this package, `intervals`, `power` or `ranks` loads
neither numpy nor scipy, so that the command line starts quickly.
Does not: read runs or print. What needs arrays is imported from its own file: `clustered`, `paired`, `bootstrap`.
"""

from benchmark.stats.intervals import Interval, clopper_pearson, wilson

__all__ = ["Interval", "clopper_pearson", "wilson"]
