"""A limit in USD that several clients share.

Promises: no request is sent that could pass the limit, those under way counted at their estimates.
Does not: know more than the estimates say; a request whose fate is unknown is counted at its estimate.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from benchmark.errors import BudgetExceeded


@dataclass(slots=True)
class Bill:
    """What a request under way costs: its estimate, until `usd` says better."""

    usd: float


class Budget:
    """At most `limit` USD; None is no limit."""

    def __init__(self, limit: float | None = None) -> None:
        self.limit = limit
        self.spent = 0.0
        self._held = 0.0
        self._under_way = 0
        self._waiting: list[asyncio.Future[None]] = []

    @asynccontextmanager
    async def hold(self, estimate: float) -> AsyncIterator[Bill]:
        """Set `estimate` USD aside for one request; what its bill says at the end is spent.

        Waits where only requests under way stand in the way. Raises BudgetExceeded.
        """
        while not self._fits(estimate):
            if not self._under_way:
                raise BudgetExceeded(
                    f"the limit of {self.limit:g} USD is reached: {self.spent:.4f} USD are spent, and the next call "
                    f"may cost {estimate:.4f} USD",
                    "All that was paid for is stored; the same command with more --max-cost goes on from there.",
                )
            waiter = asyncio.get_running_loop().create_future()
            self._waiting.append(waiter)
            await waiter
        bill = Bill(estimate)
        self._held += estimate
        self._under_way += 1
        try:
            yield bill
        finally:
            self._held -= estimate
            self._under_way -= 1
            self.spent += bill.usd
            self._wake()

    def _fits(self, estimate: float) -> bool:
        return self.limit is None or self.spent + self._held + estimate <= self.limit

    def _wake(self) -> None:
        for waiter in self._waiting:
            if not waiter.done():
                waiter.set_result(None)
        self._waiting.clear()
