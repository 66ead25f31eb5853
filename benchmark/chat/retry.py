"""Which failed requests are sent again, and when.

Promises: what the provider will refuse every time (no key, no such model, a bad request, no credit) is not sent again;
its Retry-After decides the wait, and then holds for every call of the same client.
"""

from __future__ import annotations

import random
import time
from collections.abc import Mapping
from email.utils import parsedate_to_datetime

#: HTTP statuses that may go away by themselves, beside the 5xx ones.
PASSING = frozenset({408, 409, 425, 429})
#: How long a backoff may get, in seconds.
LONGEST_BACKOFF = 30.0
#: A 429 that no waiting helps.
_NO_CREDIT = ("insufficient_quota", "billing_hard_limit")
#: HTTP statuses that speak of the caller or the model, and not of one request: no key, no money, no such model.
FINAL = frozenset({401, 402, 404})
#: What an operating system and HTTP clients say of a server that is not there.
_NOBODY_THERE = (
    "Connection refused",
    "Cannot connect to host",
    "All connection attempts failed",
    "Name or service not",
)
#: litellm's 422 for a body of a 200 that it cannot read.
_UNREADABLE = "Error converting to valid response"


def status_of(error: BaseException) -> int | None:
    """The HTTP status behind an error of litellm's, if there is one."""
    status = getattr(error, "status_code", None)
    try:
        return None if status is None else int(status)
    except (TypeError, ValueError):
        return None


def is_passing(error: BaseException) -> bool:
    """Whether the same request may do better later."""
    text, status = str(error), status_of(error)
    if any(mark in text for mark in _NO_CREDIT):
        return False
    return status is None or status in PASSING or status >= 500 or _UNREADABLE in text


def is_final(error: BaseException) -> bool:
    """Whether every other request will fail in the same way."""
    return status_of(error) in FINAL or any(mark in str(error) for mark in _NO_CREDIT)


def is_unreachable(error: BaseException) -> bool:
    """Whether there is no server where the request was sent: the causes of an error are looked at, too."""
    found: BaseException | None = error
    for _ in range(8):
        if found is None:
            return False
        if isinstance(found, ConnectionRefusedError) or any(mark in str(found) for mark in _NOBODY_THERE):
            return True
        found = found.__cause__ or found.__context__
    return False


def is_unbilled(error: BaseException) -> bool:
    """Whether the provider said that it did not do the work. A lost connection or an unreadable body says nothing."""
    text, status = str(error), status_of(error)
    if is_unreachable(error):
        return True
    if status is None or _UNREADABLE in text or type(error).__name__ in ("APIConnectionError", "Timeout"):
        return False
    return "Expecting value" not in text and "Connection error" not in text


def asked_wait(error: BaseException, now: float | None = None) -> float | None:
    """The seconds that the provider asked to wait (Retry-After in seconds or as a date, retry-after-ms), if it did."""
    headers = _headers(error)
    try:
        if (milliseconds := headers.get("retry-after-ms")) is not None:
            return max(0.0, float(milliseconds) / 1000)
        value = headers.get("retry-after")
        if value is None:
            return None
        if value.strip().replace(".", "", 1).isdigit():
            return float(value)
        return max(0.0, parsedate_to_datetime(value).timestamp() - (time.time() if now is None else now))
    except (TypeError, ValueError):
        return None


def backoff(attempt: int, first: float) -> float:
    """Seconds before sending a request again for the `attempt`th time (from 1): doubling, with jitter.

    >>> 0.25 <= backoff(1, 0.5) <= 0.5 and backoff(50, 0.5) <= LONGEST_BACKOFF
    True
    """
    return float(min(first * 2 ** min(attempt - 1, 20), LONGEST_BACKOFF) * random.uniform(0.5, 1.0))  # noqa: S311


def _headers(error: BaseException) -> Mapping[str, str]:
    for found in (getattr(error, "litellm_response_headers", None), getattr(_response(error), "headers", None)):
        if isinstance(found, Mapping) and found:
            return {str(name).lower(): str(value) for name, value in found.items()}
    return {}


def _response(error: BaseException) -> object:
    return getattr(error, "response", None)
