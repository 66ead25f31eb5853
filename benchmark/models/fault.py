"""A test double that is a real back-end: fixed answers, and faults on request.

    fault/empty             answers the empty string         fault/null              answers SELECT NULL
    fault/delete            deletes every row of a table     fault/prose             answers without SQL
    fault/error:0.2         fails on a fifth of the prompts, the same ones each time
    fault/flaky:0.2         fails on a fifth of the prompts, but only the first time in this process
    fault/slow:0.5          the gold's answer after half a second a batch
    fault/storm:0.15        meets each of 15% of the prompts with one of `STORM`, the first time in this process
Where nothing else is said it answers with the gold.
"""

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import Callable, Sequence
from typing import Any

from benchmark.errors import UnknownName, UsageError
from benchmark.models.base import Decoding, Model, ModelOptions, failed
from benchmark.types import Example, Generation, Prompt

_TABLE = re.compile(r"create\s+table\s+(?:if\s+not\s+exists\s+)?[\"`\[]?(\w+)", re.IGNORECASE)
ANSWERS: dict[str, Callable[[Example], str]] = {
    "empty": lambda example: "",
    "null": lambda example: "SELECT NULL",
    "delete": lambda example: f"DELETE FROM {first_table(example)}",  # noqa: S608
    "prose": lambda example: "Let me think about what you are asking here.",
}
FAULTS = ("error", "flaky", "slow", "storm")
#: What a storm does: fail a whole batch, hang until `PATIENCE` seconds are over, leave an answer out, answer with 1 MB,
#: or with half a character, which UTF-8 cannot hold. The last two are answers, and right ones.
STORM = ("raise", "hang", "nothing", "long", "garbled")
PATIENCE = 0.02
LENGTH = 1_000_000


class InjectedFault(RuntimeError):
    """The failure that the fault back-end raises on purpose."""


class FaultModel:
    """Answers by rule, and fails as told. Deterministic: which prompts fail depends on their ids alone."""

    batch_size = 8
    prompted = False

    def __init__(self, spec: str, kind: str, amount: float, examples: Sequence[Example]) -> None:
        self.spec, self._kind, self._amount = spec, kind, amount
        self._examples = {example.id: example for example in examples}
        self._failed: set[str] = set()

    def identity(self) -> dict[str, Any]:
        return {"spec": self.spec}

    def prepare(self) -> None:
        pass

    def count_tokens(self, prompt: Prompt) -> int | None:
        return None

    def generate(self, prompts: Sequence[Prompt], decoding: Decoding) -> list[Generation]:
        if self._kind == "slow":
            time.sleep(self._amount)
        if self._kind == "storm":
            return self._storm(prompts)
        return [self._one(prompt) for prompt in prompts]

    def _storm(self, prompts: Sequence[Prompt]) -> list[Generation]:
        met = {prompt.example_id: self._weather(prompt.example_id) for prompt in prompts}
        if "raise" in met.values():
            self._failed |= {key for key, fault in met.items() if fault == "raise"}
            raise InjectedFault("injected fault")
        self._failed |= met.keys()
        return [
            self._in_storm(prompt, met[prompt.example_id]) for prompt in prompts if met[prompt.example_id] != "nothing"
        ]

    def _weather(self, example_id: str) -> str | None:
        """What a prompt meets: the share of `amount` is cut into equal parts, one a fault."""
        share = _share(example_id)
        if share >= self._amount or example_id in self._failed:
            return None
        return STORM[int(share / self._amount * len(STORM))]

    def _in_storm(self, prompt: Prompt, fault: str | None) -> Generation:
        gold = _gold(self._examples[prompt.example_id])
        if fault == "hang":
            time.sleep(PATIENCE)
            return failed(prompt, TimeoutError(f"no answer within {PATIENCE} s"), retryable=True)
        text = {"long": f"```sql\n{gold}\n```\n{'x' * LENGTH}", "garbled": f"{gold} -- \ud83d"}.get(fault or "", gold)
        return Generation(example_id=prompt.example_id, text=text, finish_reason="stop")

    def _one(self, prompt: Prompt) -> Generation:
        if self._fails(prompt.example_id):
            self._failed.add(prompt.example_id)
            return failed(prompt, InjectedFault("injected fault"), retryable=True)
        text = ANSWERS.get(self._kind, _gold)(self._examples[prompt.example_id])
        return Generation(example_id=prompt.example_id, text=text, finish_reason="stop")

    def _fails(self, example_id: str) -> bool:
        if self._kind not in ("error", "flaky") or _share(example_id) >= self._amount:
            return False
        return self._kind == "error" or example_id not in self._failed


def open_fault(spec: str, argument: str, options: ModelOptions, examples: Sequence[Example]) -> Model:
    kind, _, amount = argument.partition(":")
    if kind not in (*ANSWERS, *FAULTS):
        raise UnknownName("fault", kind, (*ANSWERS, *FAULTS))
    try:
        return FaultModel(spec, kind, float(amount or 0), examples)
    except ValueError:
        raise UsageError(f"fault/{kind} wants a number, not '{amount}'", f"For instance fault/{kind}:0.2.") from None


def _gold(example: Example) -> str:
    return example.golds[0]


def first_table(example: Example) -> str:
    """The first table that a schema creates; 't' if none can be seen."""
    match = _TABLE.search(example.schema_sql)
    return match.group(1) if match else "t"


def _share(text: str) -> float:
    """A number in [0, 1) that depends on the text alone."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") / 2**64
