"""What tokens cost: prices of one's own first, then litellm's map.

Promises: a model without a price has none; that is never 0. Does not: know discounts beyond those in litellm's map.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from benchmark.chat.provider import load_litellm
from benchmark.errors import UsageError


class Price(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """USD for a million tokens of a prompt and of an answer."""

    input_per_million: float
    output_per_million: float

    def of(self, prompt_tokens: float, completion_tokens: float) -> float:
        """USD for so many tokens.

        >>> Price(2.0, 10.0).of(1000, 100)
        0.003
        """
        return (prompt_tokens * self.input_per_million + completion_tokens * self.output_per_million) / 1e6


class Prices:
    """Prices by model name; `own` ones win over litellm's."""

    def __init__(self, own: Mapping[str, Price] | None = None) -> None:
        self._own = dict(own or {})

    @classmethod
    def read(cls, file: Path | None) -> Prices:
        """From a YAML or JSON file {model: {input_per_million, output_per_million}}. Raises UsageError."""
        if file is None:
            return cls()
        hint = "A price file maps a model to {input_per_million: USD, output_per_million: USD}."
        try:
            found = msgspec.yaml.decode(file.read_bytes(), type=dict[str, Price])
        except OSError as error:
            raise UsageError(f"cannot read the price file {file}: {error.strerror}", hint) from None
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise UsageError(f"{file}: {error}", hint) from None
        wrong = [model for model, price in found.items() if not (0 <= price.of(1, 0) < 1 and 0 <= price.of(0, 1) < 1)]
        if wrong:
            raise UsageError(f"{file}: that can be no price, of {', '.join(wrong)}", hint)
        return cls(found)

    def of(self, model: str, name: str, provider: str) -> Price | None:
        """The price of `model` ('provider/name'); None if nobody knows it."""
        if model in self._own or name in self._own:
            return self._own.get(model) or self._own[name]
        try:
            found = load_litellm().get_model_info(name, provider)
            return Price(1e6 * float(found["input_cost_per_token"]), 1e6 * float(found["output_cost_per_token"]))
        except Exception:  # noqa: BLE001 - litellm raises a bare Exception for an unknown model
            return None

    def paid(self, model: str, name: str, provider: str, usage: Any) -> float | None:
        """USD for a call with litellm's `usage`, cached and reasoning tokens at their own rates; None: unknown."""
        if usage is None:
            return None
        own = self._own.get(model) or self._own.get(name)
        if own is not None:
            return own.of(usage.prompt_tokens or 0, usage.completion_tokens or 0)
        try:
            cost = load_litellm().cost_per_token(model=name, custom_llm_provider=provider, usage_object=usage)
        except Exception:  # noqa: BLE001 - litellm raises a bare Exception for an unknown model
            return None
        return float(sum(cost))
