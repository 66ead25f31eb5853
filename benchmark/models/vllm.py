"""Local models through vLLM's offline engine: the same spec strings as hf, for machines where vLLM is installed.

    vllm/google/gemma-2-2b-it@REVISION      vllm/PATH+ADAPTER_DIR
Promises: the prompts, end tokens and finish reasons of the hf back-end; a sampled answer has a seed of its own, made of
run, item and sample. Does not: run in this project's tests; they hold the calls against a stand-in of vLLM's interface
(0.10 and later), and nothing here was measured on vLLM itself.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from benchmark.errors import MissingDependency, ModelUnavailable, UsageError
from benchmark.models.base import Decoding, Model, ModelOptions, chance_of
from benchmark.models.chat_text import STATEMENT_ENDS, end_strings, is_completed, prompt_text
from benchmark.models.source import HfSource, parse_source, unavailable
from benchmark.types import Example, Generation, Prompt, Timing

#: Prompts that are handed over at once; vLLM batches them as its memory allows.
BATCH = 512
#: The largest rank of a LoRA adapter that room is made for.
MAX_RANK = 256


def open_vllm(spec: str, argument: str, options: ModelOptions, examples: Sequence[Example]) -> Model:
    """The model behind 'vllm/ID'. Raises MissingDependency, ModelUnavailable, UsageError."""
    return VllmModel(spec, parse_source(spec, argument), options)


class VllmModel:
    """A causal language model in vLLM's offline engine, which is started at the first `generate`."""

    prompted = True

    def __init__(self, spec: str, source: HfSource, options: ModelOptions) -> None:
        self._vllm = _import_vllm()
        if options.load_in_8bit:
            raise UsageError("vLLM loads no 8-bit weights on the way", "Use --load-in-4bit, or hf/ instead of vllm/.")
        if options.merge_adapter and source.adapter:
            raise UsageError(
                "vLLM applies an adapter without merging it",
                "Leave --merge-adapter out, or merge first: sqlgauge merge ADAPTER --out DIR.",
            )
        self.spec, self.source, self.options = spec, source, options
        self.batch_size = options.batch_size or BATCH
        self._engine: Any = None

    def identity(self) -> dict[str, Any]:
        return {
            **self.source.identity,
            "engine": "vllm",
            "dtype": self.options.dtype,
            "load_in_4bit": self.options.load_in_4bit,
            "trust_remote_code": self.options.trust_remote_code,
        }

    def prepare(self) -> None:
        _ = self.engine

    def count_tokens(self, prompt: Prompt) -> int:
        return len(self._tokens(prompt))

    def generate(self, prompts: Sequence[Prompt], decoding: Decoding) -> list[Generation]:
        started = time.perf_counter()
        answers = self.engine.generate(
            [{"prompt_token_ids": self._tokens(prompt)} for prompt in prompts],
            sampling_params=[self._sampling(prompt, decoding) for prompt in prompts],
            lora_request=self._adapter(),
            use_tqdm=False,
        )
        seconds = (time.perf_counter() - started) / len(prompts)
        return [_generation(prompt, answer, seconds) for prompt, answer in zip(prompts, answers, strict=True)]

    @property
    def engine(self) -> Any:
        """vLLM's engine. Raises ModelUnavailable."""
        if self._engine is None:
            options: dict[str, Any] = {"enable_lora": True, "max_lora_rank": MAX_RANK} if self.source.adapter else {}
            if self.options.load_in_4bit:
                options["quantization"] = "bitsandbytes"
            else:
                options["load_format"] = "safetensors"  # no pickle
            try:
                self._engine = self._vllm.LLM(
                    model=self.source.name,
                    revision=self.source.revision,
                    dtype=self.options.dtype,
                    trust_remote_code=self.options.trust_remote_code,
                    seed=0,
                    **options,
                )
            except (OSError, ValueError) as error:
                raise unavailable(self.source, error) from None
        return self._engine

    def _tokens(self, prompt: Prompt) -> list[int]:
        tokenizer = self.engine.get_tokenizer()
        found: list[int] = tokenizer(prompt_text(tokenizer, prompt), add_special_tokens=False)["input_ids"]
        return found

    def _sampling(self, prompt: Prompt, decoding: Decoding) -> Any:
        tokenizer = self.engine.get_tokenizer()
        ends = [number for number in tokenizer.convert_tokens_to_ids(end_strings(tokenizer)) if number is not None]
        if not ends:
            raise ModelUnavailable(f"{self.spec} has no end token", "Set eos_token in its tokenizer_config.json.")
        return self._vllm.SamplingParams(
            max_tokens=decoding.max_new_tokens,
            temperature=decoding.temperature,
            top_p=decoding.top_p,
            top_k=decoding.top_k or -1,
            seed=_seed(prompt, decoding) if decoding.temperature > 0 else None,
            stop_token_ids=sorted(ends),
            stop=list(STATEMENT_ENDS) if is_completed(tokenizer, prompt) else None,
            include_stop_str_in_output=is_completed(tokenizer, prompt),
        )

    def _adapter(self) -> Any:
        if self.source.adapter is None:
            return None
        from vllm.lora.request import LoRARequest

        return LoRARequest("adapter", 1, self.source.adapter)


def _seed(prompt: Prompt, decoding: Decoding) -> int:
    """A seed of 31 bits that follows from run, sample and item."""
    return int.from_bytes(chance_of(prompt, decoding)[:4], "little") & 0x7FFFFFFF


def _generation(prompt: Prompt, answer: Any, seconds: float) -> Generation:
    said = answer.outputs[0]
    return Generation(
        example_id=prompt.example_id,
        text=said.text,
        finish_reason="length" if said.finish_reason == "length" else "stop",
        prompt_tokens=len(answer.prompt_token_ids),
        completion_tokens=len(said.token_ids),
        timing=Timing(seconds=seconds),
    )


def _import_vllm() -> Any:
    try:
        import vllm
    except ImportError:
        raise MissingDependency(
            "vllm/ models need the package vllm, which is not installed",
            "pip install vllm on a machine with a GPU that it supports, or use hf/ instead of vllm/.",
        ) from None
    return vllm
