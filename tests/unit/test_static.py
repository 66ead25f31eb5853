"""Decoding over a static cache: the tokens of `generate`, sampling that depends on the item alone, memory."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from benchmark.models import Decoding, ModelOptions, open_model
from benchmark.models.base import notes_of
from benchmark.models.hf import HfModel
from benchmark.prompts import render
from benchmark.types import Example, Message, Prompt

torch = pytest.importorskip("torch")

from benchmark.models import memory, static  # noqa: E402

WORDS = 300
ENDS = [1]


def gemma(**options: Any) -> Any:
    from transformers import Gemma2Config, Gemma2ForCausalLM

    torch.manual_seed(0)
    config = Gemma2Config(
        vocab_size=WORDS, hidden_size=64, intermediate_size=128, num_hidden_layers=4, num_attention_heads=4,
        num_key_value_heads=2, head_dim=16, attn_logit_softcapping=5.0,
        tie_word_embeddings=False, **options,
    )  # fmt: skip
    config._attn_implementation = "eager"  # the one that honours the softcap
    return wide(Gemma2ForCausalLM(config))


def llama() -> Any:
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.manual_seed(0)
    return wide(
        LlamaForCausalLM(
            LlamaConfig(
                vocab_size=WORDS, hidden_size=64, intermediate_size=128, num_hidden_layers=4, num_attention_heads=4,
                num_key_value_heads=2,
            )
        )
    )  # fmt: skip


def wide(model: Any) -> Any:
    """Weights that make greedy choices differ from token to token."""
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if "norm" not in name:
                weight.normal_(0.0, 0.3)
    return model.eval()


def padded(lengths: list[int]) -> tuple[Any, Any]:
    width = max(lengths)
    ids, mask = torch.zeros(len(lengths), width, dtype=torch.long), torch.zeros(len(lengths), width, dtype=torch.long)
    for row, length in enumerate(lengths):
        ids[row, width - length :] = torch.randint(3, WORDS, (length,))
        mask[row, width - length :] = 1
    return ids, mask


@pytest.mark.parametrize("make", [gemma, llama])
@pytest.mark.parametrize("lengths", [[9], [300, 7, 280, 100, 33], [static.CHUNK, static.CHUNK + 1]])
def test_the_tokens_of_generate(make: Any, lengths: list[int]) -> None:
    model = make()
    ids, mask = padded(lengths)
    theirs = model.generate(
        ids, attention_mask=mask, max_new_tokens=24, do_sample=False, pad_token_id=0, eos_token_id=None
    )[:, ids.shape[1] :]
    assert len(set(theirs.flatten().tolist())) > 5, "a model that always says the same proves nothing"
    static.use_grouped_attention(model)
    decoder = static.StaticDecoder(model, len(lengths), static.rounded(max(lengths) + 24), static.Choice())
    assert torch.equal(decoder.run(ids, mask, 24, []), theirs)
    assert torch.equal(decoder.run(ids, mask, 24, []), theirs), "the second use finds a clean cache"


def test_an_answer_that_ended_everywhere_is_not_gone_on_with() -> None:
    model = llama()
    ids, mask = padded([12])
    decoder = static.StaticDecoder(model, 1, 128, static.Choice())
    whole = decoder.run(ids, mask, 100, [])
    first = int(whole[0, 0])
    assert decoder.run(ids, mask, 100, [first]).shape[1] == static.LOOK
    assert torch.equal(decoder.run(ids, mask, 100, [first]), whole[:, : static.LOOK])


def test_a_sampled_answer_does_not_depend_on_the_batch() -> None:
    model = llama()
    ids, mask = padded([40, 5, 23])
    numbers = torch.rand(3, 20)
    choice = static.Choice(temperature=1.0, top_p=0.9, top_k=50)
    together = static.StaticDecoder(model, 3, 128, choice).run(ids, mask, 20, [], numbers)
    alone = static.StaticDecoder(model, 1, 128, choice)
    for row in range(3):
        assert torch.equal(
            alone.run(ids[row : row + 1], mask[row : row + 1], 20, [], numbers[row : row + 1])[0], together[row]
        )


def test_sampling_follows_the_probabilities() -> None:
    logits = torch.log(torch.tensor([[0.5, 0.3, 0.15, 0.05]])).expand(20_000, 4)
    numbers = torch.rand(20_000, 1, generator=torch.Generator().manual_seed(3))

    def shares(choice: static.Choice) -> list[float]:
        counts = torch.bincount(static.pick(logits, choice, numbers).flatten(), minlength=4)
        return (counts / 20_000).tolist()

    assert shares(static.Choice(temperature=1.0)) == pytest.approx([0.5, 0.3, 0.15, 0.05], abs=0.012)
    assert shares(static.Choice(temperature=1.0, top_k=2)) == pytest.approx([0.625, 0.375, 0, 0], abs=0.012)
    assert shares(static.Choice(temperature=1.0, top_p=0.7)) == pytest.approx([0.625, 0.375, 0, 0], abs=0.012)
    assert shares(static.Choice(temperature=1.0, top_p=0.1)) == [1.0, 0, 0, 0]
    assert shares(static.Choice(temperature=0.5)) == pytest.approx(
        [x / 0.365 for x in (0.25, 0.09, 0.0225, 0.0025)], abs=0.012
    )
    assert shares(static.Choice()) == [1.0, 0, 0, 0]


def prompt(name: str) -> Prompt:
    return Prompt(example_id=name, messages=(Message(role="user", content=name),), template="t", template_hash="h")


def test_random_numbers_follow_from_seed_and_item() -> None:
    decoding = Decoding(max_new_tokens=8, temperature=1.0, seed=1)
    both = static.uniforms([prompt("a"), prompt("b")], decoding)
    assert torch.equal(static.uniforms([prompt("b")], decoding)[0], both[1])
    assert not torch.equal(both[0], both[1])
    other = static.uniforms([prompt("a")], Decoding(max_new_tokens=8, temperature=1.0, seed=2))
    assert not torch.equal(other[0], both[0])
    assert 0 <= float(both.min()) <= float(both.max()) < 1


def test_a_window_that_is_too_short_is_left_to_generate() -> None:
    from transformers import LlamaConfig

    assert not static.fits(gemma(sliding_window=64).config, 65)
    assert static.fits(gemma(sliding_window=64).config, 64)
    assert static.fits(LlamaConfig(), 10**6)
    strange = gemma().config
    strange.layer_types = ["linear_attention"] * 4
    assert not static.fits(strange, 1)


def test_what_does_not_fit_is_halved_and_said(
    tiny_gemma: Path, shop: list[Example], monkeypatch: pytest.MonkeyPatch
) -> None:
    model = open_model(f"hf/{tiny_gemma}", ModelOptions(dtype="float32"), ())
    assert isinstance(model, HfModel)
    prompts = [render(shop[number % len(shop)]) for number in range(5)]
    expected = [one.text for one in model.generate(prompts, Decoding(max_new_tokens=8))]
    whole = model._decode

    def small(asked: Any, *rest: Any) -> Any:
        if len(asked) > 2:
            raise torch.OutOfMemoryError("no room")
        return whole(asked, *rest)

    monkeypatch.setattr(model, "_decode", small)
    found = model.generate(prompts, Decoding(max_new_tokens=8))
    assert [one.text for one in found] == expected
    assert [one.example_id for one in found] == [one.example_id for one in prompts]
    assert notes_of(model) == [
        "out of memory with 5 prompts at once; from here on 3",
        "out of memory with 3 prompts at once; from here on 2",
    ]
    assert notes_of(model) == []


def test_one_prompt_that_does_not_fit_has_failed(
    tiny_gemma: Path, shop: list[Example], monkeypatch: pytest.MonkeyPatch
) -> None:
    model = open_model(f"hf/{tiny_gemma}", ModelOptions(dtype="float32"), ())

    def none(*_: Any) -> Any:
        raise torch.OutOfMemoryError("no room")

    monkeypatch.setattr(model, "_decode", none)
    (found,) = model.generate([render(shop[0])], Decoding(max_new_tokens=8))
    assert found.error is not None
    assert found.finish_reason == "error"
    assert not found.error.retryable


def test_gemma_2_2b_fits_in_the_batches_that_it_should() -> None:
    from transformers import Gemma2Config

    config = Gemma2Config()  # its defaults are those of the 2b model's shape, but for the layers
    config.num_hidden_layers, config.hidden_size, config.intermediate_size = 26, 2304, 9216
    weights = memory.weight_bytes(config, "bfloat16") / 1e9
    assert weights == pytest.approx(5.2, abs=0.2)
    assert memory.weight_bytes(config, "bfloat16", four_bit=True) / 1e9 == pytest.approx(2.3, abs=0.2)
    assert memory.fitting_batch(config, 24 * 2**30, "bfloat16") == 32
    assert memory.fitting_batch(config, 80 * 2**30, "bfloat16") == 128
    assert memory.fitting_batch(config, 8 * 2**30, "bfloat16") >= 1
    assert memory.fitting_batch(config, 2**30, "bfloat16") == 1
