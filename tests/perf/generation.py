"""Tokens a second of the hf back-end beside transformers' own `generate`, side by side in one run.

    python tests/perf/generation.py                      on a GPU: gemma-2-2b's architecture with random weights
    python tests/perf/generation.py --model builtin      on a CPU: SmolLM2-135M, bf16, its real weights

On a GPU 256 prompts of about 200 tokens get 96 tokens each; no token ends an answer, so that every variant makes as
many. `generate` one prompt at a time is measured on a few prompts. Ratios are to `generate` at the same batch size and
to one at a time; the adapter is LoRA of rank 64 on all seven projections, not merged. Exit code 1 below a limit.
"""

from __future__ import annotations

import argparse
import json
import math
import random
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch

from benchmark.models.base import Decoding, ModelOptions
from benchmark.models.hf import HfModel
from benchmark.models.source import HfSource
from benchmark.types import Message, Prompt

SHAPE = {"num_hidden_layers": 26, "hidden_size": 2304, "intermediate_size": 9216, "vocab_size": 256_000}
SIZE = {"num_attention_heads": 8, "num_key_value_heads": 4, "head_dim": 256, "sliding_window": 4096}
WORDS = 4_000
COMMON = ("select", "name", "from", "table", "where", "city", "order", "by", "price", "count", "people", "each")
LIMITS = {"cuda": {"generate": 3.0, "alone": 100.0, "adapter": 0.7}, "cpu": {"alone": 4.0}}


def build(folder: Path) -> None:
    """gemma-2-2b's architecture with random weights, and a tokenizer of one token a word."""
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import Gemma2Config, Gemma2ForCausalLM, PreTrainedTokenizerFast

    words = ["<pad>", "<eos>", "<bos>", "<unk>", *(f"w{number}" for number in range(WORDS))]
    raw = Tokenizer(models.WordLevel({word: place for place, word in enumerate(words)}, unk_token="<unk>"))
    raw.pre_tokenizer = pre_tokenizers.Whitespace()
    template = "{{ bos_token }} {% for m in messages %}{{ m['content'] }}{% endfor %}"
    PreTrainedTokenizerFast(
        tokenizer_object=raw, bos_token="<bos>", eos_token="<eos>", pad_token="<pad>", unk_token="<unk>",
        chat_template=template,
    ).save_pretrained(folder)  # fmt: skip
    torch.manual_seed(0)
    with torch.device("cuda"):
        model = Gemma2ForCausalLM(Gemma2Config(**SHAPE, **SIZE, dtype="bfloat16")).to(torch.bfloat16)
    model.save_pretrained(folder)


def adapter(base: Path, folder: Path) -> None:
    """LoRA of rank 64 with random weights on all seven projections."""
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM

    linear = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]
    model = AutoModelForCausalLM.from_pretrained(base, dtype=torch.bfloat16).to("cuda")
    adapted = get_peft_model(model, LoraConfig(r=64, lora_alpha=64, target_modules=linear, init_lora_weights=False))
    adapted.to(torch.bfloat16).save_pretrained(folder)


def prompts(count: int, mean: float) -> list[Prompt]:
    """Prompts whose lengths are spread as those of text-to-SQL are, from long to short as the runner cuts batches."""
    chance = random.Random(5)
    lengths = [min(700, max(40, round(chance.lognormvariate(math.log(mean) - 0.08, 0.4)))) for _ in range(count)]
    texts = [" ".join(word(chance) for _ in range(length)) for length in sorted(lengths, reverse=True)]
    return [
        Prompt(example_id=str(i), messages=(Message(role="user", content=text),), template="t", template_hash="h")
        for i, text in enumerate(texts)
    ]


def word(chance: random.Random) -> str:
    """A word that is one token here, and about one and a half to a real tokenizer."""
    return f"w{chance.randrange(WORDS)}" if torch.cuda.is_available() else chance.choice(COMMON)


class Endless(HfModel):
    """The back-end with no token that ends an answer, so that all variants do the same work."""

    def end_tokens(self) -> list[int]:
        return []


def ours(model: HfModel, asked: Sequence[Prompt], new: int) -> int:
    made = 0
    for start in range(0, len(asked), model.batch_size):
        found = model.generate(asked[start : start + model.batch_size], Decoding(max_new_tokens=new))
        made += sum(one.completion_tokens or 0 for one in found)
    return made


def theirs(model: HfModel, asked: Sequence[Prompt], new: int, batch: int) -> int:
    """transformers' `generate` with its usual attention."""
    made = 0
    for start in range(0, len(asked), batch):
        texts = [prompt.messages[0].content for prompt in asked[start : start + batch]]
        encoded = model.tokenizer(texts, padding=True, return_tensors="pt").to(model.device)
        with torch.inference_mode():
            out = model.model.generate(
                **encoded, max_new_tokens=new, min_new_tokens=new, do_sample=False, pad_token_id=0, eos_token_id=None
            )
        made += (out.shape[1] - encoded["input_ids"].shape[1]) * len(texts)
    return made


def speed(work: Callable[[], int]) -> float:
    """Tokens a second."""
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    started = time.perf_counter()
    made = work()
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    return made / (time.perf_counter() - started)


def opened(base: Path, batch: int | None, **more: Any) -> Endless:
    source = HfSource(name=str(base), adapter=more.pop("adapter", None), identity={"spec": "perf"})
    model = Endless("perf", source, ModelOptions(dtype="bfloat16", batch_size=batch, **more))
    model.prepare()
    return model


def on_gpu(folder: Path, count: int, new: int) -> dict[str, float]:
    base = folder / "base"
    build(base)
    adapter(base, folder / "adapter")
    asked = prompts(count, 200)
    found = reference(base, asked, new)
    for name, batch, path in (
        ("ours, batch 64", 64, None),
        ("ours, usual batch", None, None),
        ("ours, batch 64, adapter not merged", 64, str(folder / "adapter")),
    ):
        found[name] = our_speed(name, opened(base, batch, adapter=path), asked, new)
        torch.cuda.empty_cache()
    return found


def reference(base: Path, asked: Sequence[Prompt], new: int) -> dict[str, float]:
    model = opened(base, 64, attention="eager")
    theirs(model, asked[:64], 8, 64)
    return {
        "generate, batch 64": speed(lambda: theirs(model, asked, new, 64)),
        "generate, one at a time": speed(lambda: theirs(model, asked[100:104], new, 1)),
    }


def our_speed(name: str, model: HfModel, asked: Sequence[Prompt], new: int) -> float:
    ours(model, asked[: model.batch_size], 8)
    torch.cuda.reset_peak_memory_stats()
    found = speed(lambda: ours(model, asked, new))
    print(f"{name}: {model.batch_size} at once, {torch.cuda.max_memory_allocated() / 2**30:.1f} GiB", flush=True)
    return found


def on_cpu(count: int, new: int) -> dict[str, float]:
    from benchmark.models.builtin import weights_folder

    model = opened(weights_folder(), None)
    asked = prompts(count, 120)
    ours(model, asked[:2], 4)
    return {
        "ours, usual batch": speed(lambda: ours(model, asked, new)),
        "generate, one at a time": speed(lambda: theirs(model, asked[: max(4, count // 8)], new, 1)),
    }


def ratios(found: dict[str, float]) -> dict[str, float]:
    best = found.get("ours, batch 64", found["ours, usual batch"])
    made = {"alone": best / found["generate, one at a time"]}
    if "generate, batch 64" in found:
        made["generate"] = best / found["generate, batch 64"]
        made["adapter"] = found["ours, batch 64, adapter not merged"] / best
    return made


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", choices=["gemma-2-2b", "builtin"])
    parser.add_argument("--prompts", type=int)
    parser.add_argument("--tokens", type=int)
    args = parser.parse_args()
    gpu = torch.cuda.is_available() and args.model != "builtin"
    with tempfile.TemporaryDirectory(prefix="sqlgauge-perf-") as name:
        if gpu:
            print(torch.cuda.get_device_name(0), torch.__version__, flush=True)
            found = on_gpu(Path(name), args.prompts or 256, args.tokens or 96)
        else:
            found = on_cpu(args.prompts or 64, args.tokens or 48)
    for name, value in found.items():
        print(f"{value:10.1f} tokens/s  {name}")
    measured, limits = ratios(found), LIMITS["cuda" if gpu else "cpu"]
    for name, limit in limits.items():
        print(f"{measured[name]:10.2f}x {name} (at least {limit})")
    print(json.dumps({"tokens_per_second": found, "ratios": measured}))
    return int(any(measured[name] < limit for name, limit in limits.items()))


if __name__ == "__main__":
    sys.exit(main())
