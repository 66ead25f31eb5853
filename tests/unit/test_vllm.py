"""The vLLM back-end against a stand-in with vLLM's names and signatures: what it hands over, what it makes of it."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from benchmark.errors import MissingDependency, UsageError
from benchmark.models import Decoding, ModelOptions, open_model
from benchmark.models.chat_text import prompt_text
from benchmark.prompts import render
from benchmark.types import Example


@dataclass
class SamplingParams:
    """vllm.SamplingParams as far as it is used; it refuses what vLLM refuses."""

    max_tokens: int
    temperature: float
    top_p: float
    top_k: int
    seed: int | None
    stop_token_ids: list[int]
    stop: list[str] | None = None
    include_stop_str_in_output: bool = False

    def __post_init__(self) -> None:
        assert self.top_k == -1 or self.top_k > 0
        assert 0 < self.top_p <= 1


@dataclass
class Completion:
    text: str
    token_ids: list[int]
    finish_reason: str


@dataclass
class RequestOutput:
    prompt_token_ids: list[int]
    outputs: list[Completion]


@dataclass
class LoRARequest:
    lora_name: str
    lora_int_id: int
    lora_path: str


@dataclass
class LLM:
    """vllm.LLM: says 'cut' to the first prompt and stops on the others."""

    model: str
    revision: str | None
    dtype: str
    trust_remote_code: bool
    seed: int
    enable_lora: bool = False
    max_lora_rank: int = 16
    quantization: str | None = None
    load_format: str = "auto"
    calls: list[dict[str, Any]] = field(default_factory=list)
    tokenizer: Any = None

    def get_tokenizer(self) -> Any:
        from transformers import AutoTokenizer

        self.tokenizer = self.tokenizer or AutoTokenizer.from_pretrained(self.model)
        return self.tokenizer

    def generate(self, prompts: Any, *, sampling_params: Any, lora_request: Any, use_tqdm: bool) -> list[RequestOutput]:
        self.calls.append({"prompts": prompts, "sampling": sampling_params, "lora": lora_request})
        assert len(prompts) == len(sampling_params)
        reasons = ["length", *["stop"] * (len(prompts) - 1)]
        return [
            RequestOutput(prompt["prompt_token_ids"], [Completion(f"SELECT {i}", [7, 8, 9], reason)])
            for i, (prompt, reason) in enumerate(zip(prompts, reasons, strict=True))
        ]


@pytest.fixture
def vllm(monkeypatch: pytest.MonkeyPatch) -> None:
    module, lora, request = ModuleType("vllm"), ModuleType("vllm.lora"), ModuleType("vllm.lora.request")
    module.LLM, module.SamplingParams, request.LoRARequest = LLM, SamplingParams, LoRARequest  # type: ignore[attr-defined]
    for name, made in (("vllm", module), ("vllm.lora", lora), ("vllm.lora.request", request)):
        monkeypatch.setitem(sys.modules, name, made)


@pytest.mark.usefixtures("vllm")
def test_prompts_end_tokens_and_finish_reasons(tiny_gemma: Path, shop: list[Example]) -> None:
    model = open_model(f"vllm/{tiny_gemma}", ModelOptions(dtype="float32"), ())
    prompts = [render(example) for example in shop[:2]]
    found = model.generate(prompts, Decoding(max_new_tokens=9))
    engine = model.engine  # type: ignore[attr-defined]
    (call,) = engine.calls
    tokenizer = engine.get_tokenizer()
    expected = tokenizer(prompt_text(tokenizer, prompts[0]), add_special_tokens=False)["input_ids"]
    assert call["prompts"][0] == {"prompt_token_ids": expected}
    assert expected.count(tokenizer.bos_token_id) == 1
    assert call["sampling"][0] == SamplingParams(9, 0.0, 1.0, -1, None, [1, 5])
    assert call["lora"] is None
    assert [one.finish_reason for one in found] == ["length", "stop"]
    assert [one.text for one in found] == ["SELECT 0", "SELECT 1"]
    assert (found[0].prompt_tokens, found[0].completion_tokens) == (len(expected), 3)
    assert model.count_tokens(prompts[0]) == len(expected)


@pytest.mark.usefixtures("vllm")
def test_a_completion_stops_after_its_first_statement(tiny_gemma: Path, shop: list[Example]) -> None:
    model = open_model(f"vllm/{tiny_gemma}", ModelOptions(dtype="float32"), ())
    model.engine.get_tokenizer().chat_template = None  # type: ignore[attr-defined]
    model.generate([render(shop[0])], Decoding(max_new_tokens=9))
    (call,) = model.engine.calls  # type: ignore[attr-defined]
    assert call["sampling"][0] == SamplingParams(9, 0.0, 1.0, -1, None, [1, 5], [";", "```"], True)


@pytest.mark.usefixtures("vllm")
def test_each_sampled_answer_has_a_seed_of_its_own(tiny_gemma: Path, shop: list[Example]) -> None:
    model = open_model(f"vllm/{tiny_gemma}", ModelOptions(), ())
    prompts = [render(example) for example in shop[:2]]
    for sample in (0, 1, 0):
        model.generate(prompts, Decoding(temperature=0.7, top_k=5, seed=3, sample=sample))
    first, second, again = ([one.seed for one in call["sampling"]] for call in model.engine.calls)  # type: ignore[attr-defined]
    assert len({*first, *second}) == 4
    assert first == again


@pytest.mark.usefixtures("vllm")
def test_an_adapter_and_four_bits_are_handed_on(tiny_gemma: Path, shop: list[Example], tmp_path: Path) -> None:
    (tmp_path / "adapter_config.json").write_text("{}")
    model = open_model(f"vllm/{tiny_gemma}+{tmp_path}", ModelOptions(load_in_4bit=True), ())
    model.generate([render(shop[0])], Decoding())
    engine = model.engine  # type: ignore[attr-defined]
    assert (engine.enable_lora, engine.quantization) == (True, "bitsandbytes")
    assert engine.calls[0]["lora"] == LoRARequest("adapter", 1, str(tmp_path))
    assert model.identity()["engine"] == "vllm"
    assert model.identity()["adapter"].startswith("sha256:")


@pytest.mark.usefixtures("vllm")
def test_what_vllm_does_not_do_is_said(tiny_gemma: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no 8-bit"):
        open_model(f"vllm/{tiny_gemma}", ModelOptions(load_in_8bit=True), ())
    (tmp_path / "adapter_config.json").write_text("{}")
    with pytest.raises(UsageError, match="without merging"):
        open_model(f"vllm/{tiny_gemma}+{tmp_path}", ModelOptions(merge_adapter=True), ())


def test_without_vllm_the_command_is_said(tiny_gemma: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "vllm", None)
    with pytest.raises(MissingDependency) as caught:
        open_model(f"vllm/{tiny_gemma}", ModelOptions(), ())
    assert "hf/ instead" in caught.value.hint
