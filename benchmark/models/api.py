"""Models behind an API: any litellm name, or any OpenAI-compatible server with --api-base."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from benchmark.chat import Budget, ChatClient, ChatReply, ChatSettings, Prices, without_credentials
from benchmark.errors import BudgetExceeded, UsageError
from benchmark.models.base import Decoding, Model, ModelOptions
from benchmark.types import Generation, Prompt


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What asking may take: USD by a budget that others may share, requests and tokens in any minute (None: any)."""

    budget: Budget = field(default_factory=Budget)
    prices: Prices | None = None
    rpm: int | None = None
    tpm: int | None = None


class ApiModel:
    """A chat model at a provider; a batch is as many calls as may be under way at once.

    Its answers do not depend on each other (`independent`), so that a rerun need not pay for a whole batch again. Where
    the budget is reached `generate` returns what was paid for, and `over_budget` is the refusal.
    """

    prompted = True
    independent = True

    def __init__(self, spec: str, options: ModelOptions) -> None:
        self.spec = spec
        self.batch_size = options.concurrency
        self._options = options
        self.over_budget: BudgetExceeded | None = None
        self.limit(Limits())

    def limit(self, limits: Limits) -> None:
        """Keep these limits from now on. Raises UsageError for a limit in USD where no price is known."""
        settings = ChatSettings(concurrency=self._options.concurrency, seed=0, rpm=limits.rpm, tpm=limits.tpm)
        self._client = ChatClient(
            self.spec, settings, self._options.api_base, prices=limits.prices, budget=limits.budget
        )
        self._takes_seed = "seed" not in self._client.left_out

    def identity(self) -> dict[str, Any]:
        identity = {"spec": self.spec, "api_base": without_credentials(self._options.api_base)}
        return identity if self._takes_seed else {**identity, "not_sent": ["seed"]}

    def prepare(self) -> None:
        pass

    def count_tokens(self, prompt: Prompt) -> int | None:
        return None

    def generate(self, prompts: Sequence[Prompt], decoding: Decoding) -> list[Generation]:
        seed = decoding.seed + decoding.sample if self._takes_seed and decoding.temperature > 0 else None
        self._client.use(_settings(self._client.settings, decoding, seed))
        if self._client.left_out:
            left_out = ", ".join(f"{name} {getattr(decoding, name)}" for name in self._client.left_out)
            raise UsageError(
                f"{self.spec} does not take {left_out}, and a run never leaves a setting out in silence",
                "Choose a value that it takes, such as --temperature 1 for a reasoning model.",
            )
        replies, self.over_budget = self._client.complete_within([prompt.messages for prompt in prompts])
        paired = zip(prompts, replies, strict=True)
        return [_generation(prompt, reply) for prompt, reply in paired if reply is not None]


def open_api(spec: str, options: ModelOptions) -> Model:
    return ApiModel(spec, options)


def _settings(now: ChatSettings, decoding: Decoding, seed: int | None) -> ChatSettings:
    return replace(
        now,
        temperature=decoding.temperature,
        top_p=None if decoding.top_p == 1.0 else decoding.top_p,
        top_k=decoding.top_k or None,
        max_tokens=decoding.max_new_tokens,
        seed=seed,
    )


def _generation(prompt: Prompt, reply: ChatReply) -> Generation:
    return Generation(
        example_id=prompt.example_id,
        text=reply.text,
        finish_reason=reply.finish_reason,
        prompt_tokens=reply.prompt_tokens,
        completion_tokens=reply.completion_tokens,
        cost_usd=reply.cost_usd,
        error=reply.error,
        timing=reply.timing,
    )
