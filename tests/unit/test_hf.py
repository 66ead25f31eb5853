"""The hf back-end on a tiny random Gemma 2: template, padding, end tokens, adapters, errors."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from benchmark.errors import ModelUnavailable, UsageError
from benchmark.models import Decoding, ModelOptions, open_model
from benchmark.models.base import notes_of
from benchmark.models.chat_text import first_end, prompt_text, statement_ends
from benchmark.models.hf import HfModel
from benchmark.models.source import PINNED, parse_source
from benchmark.prompts import render
from benchmark.types import Example

FP32 = ModelOptions(dtype="float32")


@pytest.fixture
def model(tiny_gemma: Path) -> HfModel:
    opened = open_model(f"hf/{tiny_gemma}", FP32, ())
    assert isinstance(opened, HfModel)
    return opened


def test_one_bos_and_the_turn_markers_of_the_template(model: HfModel, shop: list[Example]) -> None:
    text = prompt_text(model.tokenizer, render(shop[0]))
    ids = model.tokenizer(text, add_special_tokens=False)["input_ids"]
    assert ids.count(model.tokenizer.bos_token_id) == 1
    assert ids[0] == model.tokenizer.bos_token_id
    assert text.endswith("<start_of_turn>model\n")


def test_end_of_turn_ends_an_answer(model: HfModel) -> None:
    assert set(model.end_tokens()) == {1, 5}


def test_a_batch_says_what_one_prompt_at_a_time_says(model: HfModel, shop: list[Example]) -> None:
    prompts = [render(example) for example in shop]
    prompts[1] = render(shop[1], schema="full")  # another length, so that the batch is padded
    decoding = Decoding(max_new_tokens=24)
    together = model.generate(prompts, decoding)
    alone = [model.generate([prompt], decoding)[0] for prompt in prompts]
    assert [g.text for g in together] == [g.text for g in alone]
    assert [g.prompt_tokens for g in together] == [g.prompt_tokens for g in alone]
    assert len({g.text for g in together}) > 1, "a model that always says the same proves nothing"


def test_same_text_as_transformers_own_generate(model: HfModel, shop: list[Example]) -> None:
    prompt = render(shop[0])
    ours = model.generate([prompt], Decoding(max_new_tokens=16))[0]
    ids = model.tokenizer(prompt_text(model.tokenizer, prompt), add_special_tokens=False, return_tensors="pt")
    theirs = model.model.generate(**ids, max_new_tokens=16, do_sample=False, eos_token_id=[1, 5])
    assert ours.text == model.tokenizer.decode(theirs[0][ids["input_ids"].shape[1] :], skip_special_tokens=True)


def test_finish_reasons_and_token_counts(model: HfModel, shop: list[Example]) -> None:
    prompt = render(shop[0])
    cut = model._generation(prompt, [10, 11, 12], 5, [1, 5], 0.1)
    stopped = model._generation(prompt, [10, 5, 0, 0], 5, [1, 5], 0.1)
    assert (cut.finish_reason, cut.completion_tokens) == ("length", 3)
    assert (stopped.finish_reason, stopped.completion_tokens) == ("stop", 2)
    assert len(stopped.text) == 1


def test_identity_follows_the_weights(tiny_gemma: Path, tmp_path: Path) -> None:
    first = parse_source("hf/x", str(tiny_gemma)).identity["weights"]
    copy = tmp_path / "copy"
    copy.mkdir()
    for file in tiny_gemma.iterdir():
        (copy / file.name).write_bytes(file.read_bytes())
    assert parse_source("hf/x", str(copy)).identity["weights"] == first
    (copy / "config.json").write_text((copy / "config.json").read_text() + " ")
    assert parse_source("hf/x", str(copy)).identity["weights"] != first


def test_gemma_is_pinned_and_a_named_revision_wins() -> None:
    assert parse_source("hf/g", "google/gemma-2-2b-it").revision == PINNED["google/gemma-2-2b-it"]
    assert parse_source("hf/g", "google/gemma-2-2b-it@abc").revision == "abc"


@pytest.mark.filterwarnings("ignore")  # peft and torch warn about their own internals
def test_an_adapter_changes_the_answers_and_another_base_is_refused(
    tiny_gemma: Path, tmp_path: Path, shop: list[Example]
) -> None:
    import torch
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM

    base = AutoModelForCausalLM.from_pretrained(tiny_gemma, dtype=torch.float32)
    torch.manual_seed(3)  # one whose random weights change the first token
    adapted = get_peft_model(
        base, LoraConfig(r=16, lora_alpha=64, target_modules="all-linear", init_lora_weights=False)
    )
    adapted.save_pretrained(tmp_path / "adapter")
    spec = f"hf/{tiny_gemma}+{tmp_path / 'adapter'}"
    decoding, prompt = Decoding(max_new_tokens=16), render(shop[0])
    with_adapter = open_model(spec, FP32, ())
    plain = open_model(f"hf/{tiny_gemma}", FP32, ())
    assert with_adapter.identity()["adapter"].startswith("sha256:")
    assert with_adapter.generate([prompt], decoding)[0].text != plain.generate([prompt], decoding)[0].text

    config = (tiny_gemma / "config.json").read_text().replace('"hidden_size": 64', '"hidden_size": 128')
    other = tmp_path / "other"
    other.mkdir()
    for file in tiny_gemma.iterdir():
        (other / file.name).write_bytes(file.read_bytes())
    (other / "config.json").write_text(config)
    from transformers import AutoConfig

    AutoModelForCausalLM.from_config(AutoConfig.from_pretrained(other)).save_pretrained(other)
    with pytest.raises(ModelUnavailable, match="does not fit"):
        open_model(f"hf/{other}+{tmp_path / 'adapter'}", FP32, ()).generate([prompt], decoding)


@pytest.mark.filterwarnings("ignore")  # bitsandbytes warns about kernels that this machine lacks
def test_four_bits_load_and_answer(tiny_gemma: Path, shop: list[Example]) -> None:
    model = open_model(f"hf/{tiny_gemma}", ModelOptions(dtype="float32", load_in_4bit=True), ())
    (found,) = model.generate([render(shop[0])], Decoding(max_new_tokens=8))
    kinds = {type(module).__name__ for module in model.model.modules()}  # type: ignore[attr-defined]
    assert "Linear4bit" in kinds
    assert found.completion_tokens
    assert model.identity()["load_in_4bit"] is True


def test_a_model_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ModelUnavailable, match="no such model folder"):
        open_model(f"hf/{tmp_path}/nothing", FP32, ())
    with pytest.raises(ModelUnavailable, match=r"adapter_config\.json is missing"):
        open_model(f"hf/google/gemma-2-2b-it+{tmp_path}", FP32, ())
    with pytest.raises(UsageError, match="unknown dtype"):
        open_model("hf/google/gemma-2-2b-it", ModelOptions(dtype="int3"), ())


def test_a_folder_without_weights_says_what_is_missing(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{}")
    model = open_model(f"hf/{tmp_path}", FP32, ())
    with pytest.raises(ModelUnavailable) as caught:
        _ = model.tokenizer  # type: ignore[attr-defined]
    assert "tokenizer" in caught.value.hint


def test_no_network_and_no_licence_have_their_next_command(monkeypatch: pytest.MonkeyPatch) -> None:
    from benchmark.models.source import HfSource, unavailable

    source = HfSource(name="google/gemma-2-2b-it")
    assert "hf auth login" in unavailable(source, OSError("You are trying to access a gated repo.")).hint
    assert "hf download google/gemma-2-2b-it" in unavailable(source, OSError("no connection")).hint


def test_a_completion_model_gets_a_completion_prompt(model: HfModel, shop: list[Example]) -> None:
    model.tokenizer.chat_template = None
    assert prompt_text(model.tokenizer, render(shop[0])).endswith("```sql\n")
    assert prompt_text(model.tokenizer, render(shop[0])).startswith("<bos>")


def test_samples_of_a_model_that_cannot_be_decoded_over_a_static_cache(
    model: HfModel, shop: list[Example], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("benchmark.models.static.supports", lambda model, length: False)
    prompts = [render(shop[0])]

    def said(sample: int) -> str:
        decoding = Decoding(max_new_tokens=24, temperature=1.0, seed=3, sample=sample)
        return model.generate(prompts, decoding)[0].text

    first, second = said(0), said(1)
    assert first != second
    assert (said(0), said(1)) == (first, second)


def test_a_completion_ends_with_its_first_statement(model: HfModel, shop: list[Example]) -> None:
    """A base model goes on with statement after statement: 234 of 240 answers of one were cut off by length."""
    prompt, vocabulary = render(shop[0]), model.tokenizer.get_vocab()
    semicolon = vocabulary[";"]
    said = [vocabulary[c] for c in "SELECT 1"] + [semicolon, vocabulary["S"]]
    assert semicolon not in model._ends_of(prompt)
    model.tokenizer.chat_template = None
    ends = model._ends_of(prompt)
    assert {1, 5, semicolon} <= set(ends)
    found = model._generation(prompt, said, 5, ends, 0.1)
    assert (found.text, found.finish_reason, found.completion_tokens) == ("SELECT 1;", "stop", 9)
    closed = model._generation(prompt, [*said[:8], 1, 1], 5, ends, 0.1)
    assert (closed.text, closed.finish_reason) == ("SELECT 1", "stop")
    by_hand = replace(prompt, text="Answer:")
    assert semicolon not in model._ends_of(by_hand)


def test_a_token_that_closes_a_bracket_and_the_statement_keeps_the_bracket() -> None:
    class Tokenizer:
        def get_vocab(self) -> dict[str, int]:
            return {");": 1, ";\n": 2, "```": 3, "a": 4, "`": 5}

    assert statement_ends(Tokenizer()) == [1, 2, 3]
    assert [first_end(text) for text in (");", ";\n", "\n```\n", "a", "`")] == [2, 1, 4, None, None]


def test_a_prompt_without_room_for_an_answer_is_an_outcome_and_the_others_are_answered(
    model: HfModel, shop: list[Example]
) -> None:
    prompts = [render(example) for example in shop[:2]]
    expected = model.generate(prompts, Decoding(max_new_tokens=8))
    columns = ", ".join(f"column_{number} INTEGER" for number in range(1_200))
    wide = render(replace(shop[0], id="wide", schema_sql=f"CREATE TABLE t ({columns})"))
    assert model.count_tokens(wide) > 20_000
    found = model.generate([prompts[0], wide, prompts[1]], Decoding(max_new_tokens=8))
    assert [one.text for one in (found[0], found[2])] == [one.text for one in expected]
    assert (found[1].text, found[1].finish_reason, found[1].error) == ("", "length", None)
    assert found[1].prompt_tokens == model.count_tokens(wide)
    assert "do not fit the context of 2048" in notes_of(model)[0]
    assert [one.text for one in model.generate([wide], Decoding(max_new_tokens=8))] == [""]


def test_a_model_without_any_end_token_is_refused(
    model: HfModel, shop: list[Example], monkeypatch: pytest.MonkeyPatch
) -> None:
    model.model.generation_config.eos_token_id = None
    monkeypatch.setattr("benchmark.models.hf.end_strings", lambda tokenizer: [])
    with pytest.raises(ModelUnavailable, match="no end token"):
        model.generate([render(shop[0])], Decoding(max_new_tokens=4))


def test_a_template_that_rejects_a_system_role_still_gets_every_prompt(model: HfModel, shop: list[Example]) -> None:
    assert "system" in (model.tokenizer.chat_template or ""), (
        "the test's template rejects a system role as Gemma's does"
    )
    prompt = render(shop[0])
    assert [message.role for message in prompt.messages] == ["user"]
    assert prompt.messages[0].content.strip() in prompt_text(model.tokenizer, prompt)


@pytest.mark.filterwarnings("ignore")  # bitsandbytes warns about casts on a CPU
def test_eight_bits_load_and_answer(tiny_gemma: Path, shop: list[Example]) -> None:
    model = open_model(f"hf/{tiny_gemma}", ModelOptions(dtype="float32", load_in_8bit=True), ())
    (found,) = model.generate([render(shop[0])], Decoding(max_new_tokens=8))
    kinds = {type(module).__name__ for module in model.model.modules()}  # type: ignore[attr-defined]
    assert "Linear8bitLt" in kinds
    assert found.completion_tokens
    assert model.identity()["load_in_8bit"] is True
