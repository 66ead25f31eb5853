"""Causal language models through transformers: Hub ids, local folders, PEFT adapters, 4-bit.

    hf/google/gemma-2-2b-it@REVISION      hf/PATH      hf/MODEL+ADAPTER_DIR
Promises: the tokenizer's own chat template, exactly one BOS, left padding with an attention mask, stops on the
template's end tokens, finish reasons. Weights load at the first `generate`; code from the Hub runs only when asked.
On CUDA answers are decoded over a cache of fixed size, a step being one graph (`static`); what runs out of memory is
done again with half as many prompts at once, and said. A sampled answer follows from seed, item and sample alone, where
a model can be decoded that way; else from the batch too.
Does not: promise the same text at another batch size in half precision; the batch size is part of a run's identity.
"""

from __future__ import annotations

import logging
import time
import warnings
from collections.abc import Sequence
from typing import Any

from benchmark.errors import MissingDependency, ModelUnavailable, UsageError
from benchmark.models import static
from benchmark.models.base import Decoding, Model, ModelOptions, failed
from benchmark.models.chat_text import end_strings, first_end, is_completed, prompt_text, statement_ends
from benchmark.models.memory import fitting_batch
from benchmark.models.source import HfSource, parse_source, unavailable
from benchmark.types import Example, Generation, Prompt, Timing

DTYPES = ("auto", "bfloat16", "float16", "float32")
#: Prompts at once on a CPU.
CPU_BATCH = 32
#: Part of the identity where decoding is ours: raise it when it can change a text.
DECODER = 1


def open_hf(spec: str, argument: str, options: ModelOptions, examples: Sequence[Example]) -> Model:
    return HfModel(spec, parse_source(spec, argument), options)


class HfModel:
    """A causal language model on this machine."""

    prompted = True

    def __init__(self, spec: str, source: HfSource, options: ModelOptions) -> None:
        if options.dtype not in DTYPES:
            raise UsageError(f"unknown dtype '{options.dtype}'", f"Known: {', '.join(DTYPES)}.")
        self._torch = _import_torch()
        self.spec, self.source, self.options = spec, source, options
        self.device = "cuda" if self._torch.cuda.is_available() else "cpu"
        self.dtype = self._choose_dtype(options.dtype)
        self.notes: list[str] = []
        self._tokenizer: Any = None
        self._model: Any = None
        self._decoder: static.StaticDecoder | None = None
        self.batch_size = options.batch_size or self._usual_batch()
        self._rows = self.batch_size
        self._statement_ends: list[int] | None = None

    def identity(self) -> dict[str, Any]:
        return {
            **self.source.identity,
            "dtype": self.dtype,
            "load_in_4bit": self.options.load_in_4bit,
            **({"load_in_8bit": True} if self.options.load_in_8bit else {}),
            **({"merged": self.options.merge_adapter} if self.source.adapter else {}),
            "device": self.device,
            **({"decoder": DECODER} if self.device == "cuda" else {}),
            "trust_remote_code": self.options.trust_remote_code,
        }

    def prepare(self) -> None:
        _ = self.tokenizer, self.model

    def count_tokens(self, prompt: Prompt) -> int:
        return len(self.tokenizer(prompt_text(self.tokenizer, prompt), add_special_tokens=False)["input_ids"])

    def generate(self, prompts: Sequence[Prompt], decoding: Decoding) -> list[Generation]:
        done: list[Generation] = []
        while len(done) < len(prompts):
            part = prompts[len(done) : len(done) + self._rows]
            try:
                done += self._batch(part, decoding)
            except self._torch.OutOfMemoryError as error:
                self._decoder = None
                self._torch.cuda.empty_cache()
                if len(part) == 1:
                    done.append(failed(part[0], error, retryable=False))
                    continue
                self._rows = (len(part) + 1) // 2
                self.notes.append(f"out of memory with {len(part)} prompts at once; from here on {self._rows}")
        return done

    def _batch(self, prompts: Sequence[Prompt], decoding: Decoding) -> list[Generation]:
        started = time.perf_counter()
        texts = [prompt_text(self.tokenizer, prompt) for prompt in prompts]
        found = {place: self._too_long(prompts[place], texts[place], decoding) for place in range(len(prompts))}
        read = [place for place, unread in found.items() if unread is None]
        if read:
            encoded = self.tokenizer(
                [texts[place] for place in read],
                add_special_tokens=False,  # the template has placed the one BOS already
                padding=True,
                return_tensors="pt",
            ).to(self.device)
            asked = [prompts[place] for place in read]
            ends = self._ends_of(asked[0])
            said = self._decode(asked, encoded["input_ids"], encoded["attention_mask"], decoding, ends)
            seconds = (time.perf_counter() - started) / len(read)
            lengths = encoded["attention_mask"].sum(dim=1).tolist()
            for place, row, length in zip(read, said.tolist(), lengths, strict=True):
                found[place] = self._generation(prompts[place], row, length, ends, seconds)
        return [one for one in found.values() if one is not None]

    def _too_long(self, prompt: Prompt, text: str, decoding: Decoding) -> Generation | None:
        """The outcome of a prompt that leaves no room for an answer in the model's context: nothing, cut by length."""
        room = getattr(self.model.config.get_text_config(), "max_position_embeddings", None)
        if room is None or len(text) < room:  # a token has a character or more
            return None
        tokens = len(self.tokenizer(text, add_special_tokens=False)["input_ids"])
        if tokens + min(decoding.max_new_tokens, room // 8) <= room:
            return None
        self.notes.append(f"item {prompt.example_id}: {tokens} prompt tokens do not fit the context of {room}")
        return Generation(
            example_id=prompt.example_id, text="", finish_reason="length", prompt_tokens=tokens, completion_tokens=0
        )

    def _decode(self, prompts: Sequence[Prompt], ids: Any, mask: Any, decoding: Decoding, ends: list[int]) -> Any:
        """The tokens of the answers, shape (prompts, said)."""
        length = static.rounded(ids.shape[1] + decoding.max_new_tokens)
        sampled = decoding.temperature > 0
        if (self.device == "cuda" or sampled) and static.supports(self.model, length):
            uniform = static.uniforms(prompts, decoding) if sampled else None
            return self._step_by_step(ids, mask, length, decoding, ends, uniform)
        if sampled:
            self._torch.manual_seed(decoding.seed + decoding.sample)
        with self._torch.inference_mode():
            output = self.model.generate(
                input_ids=ids, attention_mask=mask, generation_config=self._generation_config(decoding, ends)
            )
        return output[:, ids.shape[1] :]

    def _step_by_step(self, ids: Any, mask: Any, length: int, decoding: Decoding, ends: list[int], uniform: Any) -> Any:
        """The same through a decoder of one size: a batch that is not full gets copies of its last row."""
        rows = min(self._rows, self.batch_size) if self.device == "cuda" else len(ids)
        choice = static.Choice(temperature=decoding.temperature, top_p=decoding.top_p, top_k=decoding.top_k)
        wanted = (rows, length, choice)
        if self._decoder is None or self._decoder.size != wanted:
            self._decoder = None  # its cache goes before the next one comes
            self._decoder = static.StaticDecoder(self.model, *wanted)
        fill = [*range(len(ids)), *[len(ids) - 1] * (rows - len(ids))]
        numbers = None if uniform is None else uniform[fill]
        said = self._decoder.run(ids[fill], mask[fill], decoding.max_new_tokens, ends, numbers)
        return said[: len(ids)]

    def _ends_of(self, prompt: Prompt) -> list[int]:
        """What ends the answers of a batch, whose prompts are all of one kind."""
        if not is_completed(self.tokenizer, prompt):
            return self.end_tokens()
        if self._statement_ends is None:
            self._statement_ends = sorted({*self.end_tokens(), *statement_ends(self.tokenizer)})
        return self._statement_ends

    def end_tokens(self) -> list[int]:
        """Token ids that end an answer: the model's own, the tokenizer's, and the end of a turn."""
        tokenizer, configured = self.tokenizer, self.model.generation_config.eos_token_id
        ends = set(configured if isinstance(configured, list) else [configured])
        ends.update(tokenizer.convert_tokens_to_ids(end_strings(tokenizer)))
        ends.discard(None)
        if not ends:
            raise ModelUnavailable(f"{self.spec} has no end token", "Set eos_token in its tokenizer_config.json.")
        return sorted(ends)

    @property
    def tokenizer(self) -> Any:
        if self._tokenizer is None:
            from transformers import AutoTokenizer

            tokenizer = self._load(AutoTokenizer)
            tokenizer.padding_side = "left"
            if tokenizer.pad_token is None:
                tokenizer.pad_token = tokenizer.eos_token
            self._tokenizer = tokenizer
        return self._tokenizer

    @property
    def model(self) -> Any:
        if self._model is None:
            from transformers import AutoModelForCausalLM

            quiet_transformers()
            options: dict[str, Any] = {"dtype": getattr(self._torch, self.dtype), "use_safetensors": True}  # no pickle
            if self.options.attention:
                options["attn_implementation"] = self.options.attention
            quantized = self.options.load_in_4bit or self.options.load_in_8bit
            if quantized:
                options["quantization_config"] = self._quantization()
            model = self._load(AutoModelForCausalLM, **options)
            if not quantized:
                model = model.to(self.device)
            if self.device == "cuda" and not self.options.attention:
                static.use_grouped_attention(model)
            self._model = self._with_adapter(model).eval()
        return self._model

    @property
    def config(self) -> Any:
        """The model's configuration; loads no weights."""
        from transformers import AutoConfig

        return self._load(AutoConfig)

    def _load(self, loader: Any, **options: Any) -> Any:
        trust = self.options.trust_remote_code
        try:
            return loader.from_pretrained(
                self.source.name, revision=self.source.revision, trust_remote_code=trust, **options
            )
        except (OSError, ValueError) as error:
            raise unavailable(self.source, error) from None

    def _with_adapter(self, model: Any) -> Any:
        if self.source.adapter is None:
            return model
        from peft import PeftModel

        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", FutureWarning)  # PEFT still asks transformers by an old name
                adapted = PeftModel.from_pretrained(model, self.source.adapter)
            if self.options.merge_adapter:
                return adapted.merge_and_unload()
            return self._in_one_dtype(adapted) if self.device == "cuda" else adapted
        except (ValueError, RuntimeError, OSError) as error:
            first = str(error).splitlines()[0][:300]
            raise ModelUnavailable(
                f"the adapter {self.source.adapter} does not fit {self.source.name}: {first}",
                "Use the base model that the adapter was trained on (adapter_config.json names it).",
            ) from None

    def _in_one_dtype(self, adapted: Any) -> Any:
        """An adapter in the model's own dtype: PEFT keeps it in fp32, and every product would pass through a cast."""
        for name, weight in adapted.named_parameters():
            if "lora_" in name:
                weight.data = weight.data.to(getattr(self._torch, self.dtype))
        return adapted

    def _quantization(self) -> Any:
        from transformers import BitsAndBytesConfig

        if self.options.load_in_8bit:
            return BitsAndBytesConfig(load_in_8bit=True)
        return BitsAndBytesConfig(
            load_in_4bit=True,
            bnb_4bit_quant_type="nf4",
            bnb_4bit_use_double_quant=True,
            bnb_4bit_compute_dtype=getattr(self._torch, self.dtype),
        )

    def _usual_batch(self) -> int:
        if self.device == "cpu":
            return CPU_BATCH
        memory = self._torch.cuda.get_device_properties(0).total_memory
        return fitting_batch(self.config, memory, self.dtype, four_bit=self.options.load_in_4bit)

    def _choose_dtype(self, wanted: str) -> str:
        if wanted != "auto":
            return wanted
        if self.device == "cpu":
            return "bfloat16"
        return "bfloat16" if self._torch.cuda.is_bf16_supported() else "float16"

    def _generation_config(self, decoding: Decoding, ends: list[int]) -> Any:
        from transformers import GenerationConfig

        sampling: dict[str, Any] = {}
        if decoding.temperature > 0:
            sampling = {"temperature": decoding.temperature, "top_p": decoding.top_p, "top_k": decoding.top_k}
        return GenerationConfig(
            max_new_tokens=decoding.max_new_tokens,
            do_sample=decoding.temperature > 0,
            eos_token_id=ends,
            pad_token_id=self.tokenizer.pad_token_id,
            **sampling,
        )

    def _generation(
        self, prompt: Prompt, tokens: list[int], prompt_tokens: int, ends: list[int], seconds: float
    ) -> Generation:
        end = next((place for place, token in enumerate(tokens) if token in ends), None)
        text = self.tokenizer.decode(tokens if end is None else tokens[:end], skip_special_tokens=True)
        if end is not None and is_completed(self.tokenizer, prompt):
            last = self.tokenizer.decode([tokens[end]], skip_special_tokens=True)
            text += last[: first_end(last) or 0]  # a token such as ");" belongs to the statement
        return Generation(
            example_id=prompt.example_id,
            text=text,
            finish_reason="length" if end is None else "stop",
            prompt_tokens=int(prompt_tokens),
            completion_tokens=len(tokens) if end is None else end + 1,
            timing=Timing(seconds=seconds),
        )


def quiet_transformers() -> None:
    """Our own progress bar is the only one, and warnings about weights that we chose are noise."""
    from transformers.utils import logging as transformers_logging

    logging.getLogger("bitsandbytes").setLevel(logging.ERROR)  # it recommends a kernel from the Hub
    transformers_logging.disable_progress_bar()
    transformers_logging.set_verbosity_error()


def _import_torch() -> Any:
    try:
        import torch
        import transformers  # noqa: F401
    except ImportError as error:
        raise MissingDependency(
            f"local models need {error.name}, which is not installed", "pip install 'sqlgauge[hf]'"
        ) from None
    return torch
