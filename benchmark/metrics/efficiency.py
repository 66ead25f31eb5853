"""`efficiency`: the gold's time over the prediction's, where execution agrees. Not among the default metrics.

Does not: repeat. Times are wall-clock, so two equal runs may differ in it; what was measured stands in `timing`.
"""

from __future__ import annotations

from dataclasses import replace

from benchmark.metrics.base import Judgement, Record
from benchmark.metrics.execution import execution
from benchmark.types import Measured

#: What takes less counts as taking this long: below, one measures the machine and not the statement.
RESOLUTION_SECONDS = 0.001


def efficiency(record: Record) -> Judgement:
    """min(1, gold / prediction), to two digits; 0 where execution does not agree. The gold is the fastest that runs."""
    judgement, outcome = execution(record), record.outcome
    ran = [gold.seconds for gold in record.golds if gold.status == "ok"]
    if outcome is None or not ran or not judgement.value:
        return judgement
    gold, prediction = (max(RESOLUTION_SECONDS, seconds) for seconds in (min(ran), outcome.seconds))
    measured = Measured(seconds=outcome.seconds, gold_seconds=min(ran))
    return replace(judgement, value=round(min(1.0, gold / prediction), 2), timing=measured)
