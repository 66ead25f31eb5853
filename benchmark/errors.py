"""The exceptions of sqlgauge. Each carries a message that names what failed and a hint: the next thing to do.

SqlgaugeError                 exit 1   our own failure
├── UsageError                exit 2   the command, the configuration or the environment must change
│   ├── UnknownName           exit 2   no such model, dataset, metric, ... (with a did-you-mean)
│   ├── DatasetError          exit 2   a dataset is missing, malformed or empty
│   ├── MissingDependency     exit 2   an optional package is not installed
│   ├── ModelUnavailable      exit 2   weights cannot be reached: network, licence, path
│   ├── MissingKey            exit 2   no API key for a provider
│   ├── StoreUnavailable      exit 2   what is published to cannot be reached: network, credentials, bucket
│   └── RunConflict           exit 2   a run folder holds another configuration, or has another writer
├── BudgetExceeded            exit 3   too many errors, or too much money
└── CheckFailed               exit 4   a check that was asked for did not hold
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class SqlgaugeError(Exception):
    """Base of all; `hint` is one sentence or command that helps."""

    exit_code = 1

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


class UsageError(SqlgaugeError):
    exit_code = 2


class DatasetError(UsageError):
    pass


class MissingDependency(UsageError):
    pass


class ModelUnavailable(UsageError):
    pass


class MissingKey(UsageError):
    pass


class StoreUnavailable(UsageError):
    pass


class RunConflict(UsageError):
    pass


class BudgetExceeded(SqlgaugeError):
    exit_code = 3


class CheckFailed(SqlgaugeError):
    exit_code = 4


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """A hint for an unknown name: the nearest known ones, or all of them."""
    names = sorted(known)
    folded = {candidate.lower(): candidate for candidate in names}
    close = difflib.get_close_matches(name.lower(), folded, n=3, cutoff=0.6)
    if close:
        return "Did you mean " + " or ".join(f"'{folded[c]}'" for c in close) + "?"
    return "Known: " + ", ".join(names) + "."


class UnknownName(UsageError):
    """`kind` has no member `name`."""

    def __init__(self, kind: str, name: str, known: Iterable[str]) -> None:
        super().__init__(f"unknown {kind} '{name}'", did_you_mean(name, known))
