"""How fast a model may be asked: at most so many requests and tokens within any minute.

Promises: a sliding window, not a bucket, so that no minute holds more than the limit, wherever it starts. A request
counts from when it is sent until a window after its answer, for nobody else knows when it reached the provider; where
the answer takes long, until a window and `GRACE` of it after the sending. It survives the end of an event loop.
Does not: know of other processes, or of what was sent before this one began.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

#: The share of a window within which a request is taken to have reached the provider.
GRACE = 1 / 6


class TooLarge(Exception):
    """A request that no waiting makes small enough: what HTTP calls 413."""

    status_code = 413


@dataclass(slots=True)
class Turn:
    """One request and its tokens; it counts until `until`, in seconds of the clock."""

    tokens: float
    until: float


class Pace:
    """At most `rpm` requests and `tpm` tokens in any `window` seconds; None is no limit."""

    def __init__(
        self,
        rpm: int | None = None,
        tpm: int | None = None,
        window: float = 60.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.rpm, self.tpm, self.window, self._clock = rpm, tpm, window, clock
        self._turns: deque[Turn] = deque()
        self._tokens = 0.0

    def wait(self, tokens: float = 0.0) -> float:
        """Seconds until a request of so many tokens may be sent, as far as one can see; 0 is now. Raises TooLarge."""
        if self.tpm is not None and tokens > self.tpm:
            raise TooLarge(f"one request takes up to {tokens:,.0f} tokens, and --tpm allows {self.tpm:,} a minute")
        now = self._clock()
        while self._turns and self._turns[0].until <= now:
            self._tokens -= self._turns.popleft().tokens
        full = self.rpm is not None and len(self._turns) >= self.rpm
        full |= self.tpm is not None and bool(self._turns) and self._tokens + tokens > self.tpm
        return self._turns[0].until - now if full else 0.0

    def take(self, tokens: float = 0.0) -> Turn:
        """Count a request that is sent now."""
        turn = Turn(tokens, self._clock() + self.window * (1 + GRACE))
        self._turns.append(turn)
        self._tokens += tokens
        return turn

    def end(self, turn: Turn, tokens: float | None = None) -> None:
        """Its answer is there; `tokens` is what it took in truth, if that is known."""
        turn.until = min(turn.until, self._clock() + self.window)
        if tokens is not None:
            self._tokens += tokens - turn.tokens
            turn.tokens = tokens
