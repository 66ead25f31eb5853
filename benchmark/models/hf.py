"""Causal language models through transformers: Hub ids, local folders, PEFT adapters, 4-bit.

    hf/google/gemma-2-2b-it@REVISION      hf/PATH      hf/MODEL+ADAPTER_DIR
Promises: the tokenizer's own chat template, exactly one BOS, left padding with an attention mask, stops on the
template's end tokens, finish reasons. Weights load at the first `generate`; code from the Hub runs only when asked.
Does not: promise the same text at another batch size in half precision; the batch size is part of a run's identity.
"""

from __future__ import annotations

import logging
import time
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmark.errors import MissingDependency, ModelUnavailable, UsageError
from benchmark.identity import digest, file_digest, folder_digest
from benchmark.models.base import Decoding, Model, ModelOptions
from benchmark.models.chat_text import end_strings, prompt_text
from benchmark.types import Example, Generation, Prompt, Timing

#: Hub commits used when a spec names none, so that a score stays what it was.
PINNED = {"google/gemma-2-2b-it": "299a8560bedf22ed1c72a8a11e7dce4a7f9f51f8"}
DTYPES = ("auto", "bfloat16", "float16", "float32")


@dataclass(frozen=True, slots=True, kw_only=True)
class HfSource:
    """Where weights come from: a Hub id or folder, a revision, an adapter; and what of it identifies the answers."""

    name: str
    revision: str | None = None
    adapter: str | None = None
    identity: Mapping[str, Any] = field(default_factory=dict)


def parse_source(spec: str, argument: str) -> HfSource:
    """'ID@REVISION+ADAPTER' as an HfSource. Raises UsageError, ModelUnavailable for a folder that is not there."""
    base, adapter = split_adapter(argument)
    name, _, revision = base.partition("@")
    if not name:
        raise UsageError(f"'{spec}' names no model", "For instance hf/google/gemma-2-2b-it or hf/PATH.")
    identity: dict[str, Any] = {"spec": spec}
    folder = Path(name).expanduser()
    if folder.is_dir():
        name = str(folder)
        identity["weights"] = folder_digest(folder)
    elif name.startswith((".", "/", "~")) or name.count("/") != 1:
        raise ModelUnavailable(f"no such model folder: {name}", "Give an existing folder, or a Hub id like org/name.")
    else:
        revision = revision or PINNED.get(name, "main")
        identity["revision"] = revision
    if adapter:
        identity["adapter"] = adapter_digest(adapter)
    return HfSource(name=name, revision=revision or None, adapter=adapter or None, identity=identity)


def split_adapter(argument: str) -> tuple[str, str]:
    """'MODEL+ADAPTER_DIR' as its two parts; the second is '' where there is none."""
    base, _, adapter = argument.partition("+")
    return base, adapter


def adapter_digest(adapter: str) -> str:
    """The tagged hash of what a PEFT adapter does to a model's answers. Raises ModelUnavailable."""
    folder = Path(adapter).expanduser()
    if not (folder / "adapter_config.json").is_file():
        raise ModelUnavailable(
            f"no PEFT adapter at {adapter}: adapter_config.json is missing", "Give the folder that finetune wrote."
        )
    return digest({path.name: file_digest(path) for path in sorted(folder.glob("adapter_*"))})


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
        self.batch_size = options.batch_size or (64 if self.device == "cuda" else 32)
        self._tokenizer: Any = None
        self._model: Any = None

    def identity(self) -> dict[str, Any]:
        return {
            **self.source.identity,
            "dtype": self.dtype,
            "load_in_4bit": self.options.load_in_4bit,
            **({"merged": self.options.merge_adapter} if self.source.adapter else {}),
            "device": self.device,
            "trust_remote_code": self.options.trust_remote_code,
        }

    def prepare(self) -> None:
        _ = self.tokenizer, self.model

    def count_tokens(self, prompt: Prompt) -> int:
        return len(self.tokenizer(prompt_text(self.tokenizer, prompt), add_special_tokens=False)["input_ids"])

    def generate(self, prompts: Sequence[Prompt], decoding: Decoding) -> list[Generation]:
        started = time.perf_counter()
        tokenizer, model = self.tokenizer, self.model
        encoded = tokenizer(
            [prompt_text(tokenizer, prompt) for prompt in prompts],
            add_special_tokens=False,  # the template has placed the one BOS already
            padding=True,
            return_tensors="pt",
        ).to(self.device)
        ends = self.end_tokens()
        if decoding.temperature > 0:
            self._torch.manual_seed(decoding.seed)
        with self._torch.inference_mode():
            output = model.generate(
                **encoded, generation_config=self._generation_config(decoding, ends), tokenizer=tokenizer
            )
        seconds = (time.perf_counter() - started) / len(prompts)
        width = encoded["input_ids"].shape[1]
        prompt_lengths = encoded["attention_mask"].sum(dim=1).tolist()
        return [
            self._generation(prompt, row[width:].tolist(), length, ends, seconds)
            for prompt, row, length in zip(prompts, output, prompt_lengths, strict=True)
        ]

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
            options: dict[str, Any] = {"dtype": getattr(self._torch, self.dtype)}
            if self.options.attention:
                options["attn_implementation"] = self.options.attention
            if self.options.load_in_4bit:
                options["quantization_config"] = self._four_bit()
            model = self._load(AutoModelForCausalLM, **options)
            if not self.options.load_in_4bit:
                model = model.to(self.device)
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
            raise _unavailable(self.source, error) from None

    def _with_adapter(self, model: Any) -> Any:
        if self.source.adapter is None:
            return model
        from peft import PeftModel

        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", FutureWarning)  # PEFT still asks transformers by an old name
                adapted = PeftModel.from_pretrained(model, self.source.adapter)
            return adapted.merge_and_unload() if self.options.merge_adapter else adapted
        except (ValueError, RuntimeError, OSError) as error:
            first = str(error).splitlines()[0][:300]
            raise ModelUnavailable(
                f"the adapter {self.source.adapter} does not fit {self.source.name}: {first}",
                "Use the base model that the adapter was trained on (adapter_config.json names it).",
            ) from None

    def _four_bit(self) -> Any:
        from transformers import BitsAndBytesConfig

        return BitsAndBytesConfig(
            load_in_4bit=True,
            bnb_4bit_quant_type="nf4",
            bnb_4bit_use_double_quant=True,
            bnb_4bit_compute_dtype=getattr(self._torch, self.dtype),
        )

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
        answer = tokens if end is None else tokens[:end]
        return Generation(
            example_id=prompt.example_id,
            text=self.tokenizer.decode(answer, skip_special_tokens=True),
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


def _unavailable(source: HfSource, error: Exception) -> ModelUnavailable:
    """What is missing, licence, network or file, and the next command."""
    text = str(error)
    first = next((line for line in text.splitlines() if line.strip()), type(error).__name__)[:300]
    if "gated" in text.lower() or "401" in text or "403" in text:
        hint = f"Accept the licence at https://huggingface.co/{source.name}, then: hf auth login"
    elif Path(source.name).is_dir():
        hint = "Check the files of the folder: config.json, safetensors and a tokenizer are needed."
    else:
        hint = f"Check the network and the name; or download it elsewhere (hf download {source.name}) and use hf/PATH."
    return ModelUnavailable(f"cannot load {source.name}: {first}", hint)
