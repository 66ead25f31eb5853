"""Shared by all tests: where the development data is, tiny models, and the command line as a subprocess."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from benchmark.types import Example

Cli = Callable[..., subprocess.CompletedProcess[str]]
CHAT_TEMPLATE = (
    "{{ bos_token }}{% for m in messages %}{% if m['role'] == 'system' %}"
    "{{ raise_exception('no system role') }}{% endif %}"
    "<start_of_turn>{{ 'model' if m['role'] == 'assistant' else m['role'] }}\n"
    "{{ m['content'] | trim }}<end_of_turn>\n{% endfor %}"
    "{% if add_generation_prompt %}<start_of_turn>model\n{% endif %}"
)


@pytest.fixture(scope="session")
def data_folder() -> Path:
    """The folder of real data for development, from SQLGAUGE_DATA."""
    folder = os.environ.get("SQLGAUGE_DATA")
    if not folder:
        pytest.skip("SQLGAUGE_DATA is not set: it names the folder of real development data")
    return Path(folder)


@pytest.fixture(scope="session", autouse=True)
def own_health_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """What the tests of this process learn about golds stays out of the user's cache."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SQLGAUGE_HEALTH_CACHE", str(tmp_path_factory.mktemp("health")))
        yield


@pytest.fixture
def cli(tmp_path: Path) -> Cli:
    """Run `sqlgauge ARGS…` in a process of its own, in an empty folder, without any API key."""

    def run(*args: object, check: int | None = 0, **env: str) -> subprocess.CompletedProcess[str]:
        clean = {k: v for k, v in os.environ.items() if not k.endswith("_API_KEY")}
        home = tmp_path.with_name(f"{tmp_path.name}-home")  # consent and paid verdicts of this test alone
        clean |= {"XDG_CONFIG_HOME": str(home / "config"), "SQLGAUGE_JUDGE_CACHE": str(home / "verdicts")}
        clean |= {"SQLGAUGE_HEALTH_CACHE": str(home / "health")}
        done = subprocess.run(
            [sys.executable, "-m", "sqlgauge", *map(str, args)],
            capture_output=True,
            text=True,
            cwd=tmp_path,
            env={**clean, **env},
            timeout=300,
        )
        if check is not None:
            assert done.returncode == check, done.stdout + done.stderr
        return done

    return run


@pytest.fixture
def shop() -> list[Example]:
    """Three items on a small database: two that read, one that writes."""
    schema = "CREATE TABLE item (id INT, name TEXT, price REAL); "
    schema += "INSERT INTO item VALUES (1,'pen',2.5),(2,'ink',7),(3,'cup',7)"
    golds = {
        "a": "SELECT name FROM item WHERE price > 5",
        "b": "SELECT id FROM item ORDER BY price",
        "c": "DELETE FROM item WHERE id = 1",
    }
    return [
        Example(
            id=key,
            question=f"Question {key}?",
            schema_sql=schema,
            golds=(gold,),
            dialect="sqlite",
            group="shop",
            tags={"complexity": "basic SQL"},
            task="write" if key == "c" else "read",
        )
        for key, gold in golds.items()
    ]


@pytest.fixture(scope="session")
def tiny_gemma(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a random Gemma 2 of the real architecture, 2 layers, and a word tokenizer with its template."""
    torch = pytest.importorskip("torch")
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import Gemma2Config, Gemma2ForCausalLM, PreTrainedTokenizerFast

    folder = tmp_path_factory.mktemp("tiny-gemma2")
    special = ["<pad>", "<eos>", "<bos>", "<unk>", "<start_of_turn>", "<end_of_turn>"]
    vocabulary = {token: i for i, token in enumerate(special + [chr(c) for c in range(32, 127)] + ["\n"])}
    raw = Tokenizer(models.WordLevel(vocabulary, unk_token="<unk>"))
    raw.pre_tokenizer = pre_tokenizers.Split("", "isolated")
    raw.decoder = decoders.Fuse()
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=raw,
        bos_token="<bos>",
        eos_token="<eos>",
        pad_token="<pad>",
        unk_token="<unk>",
        additional_special_tokens=["<start_of_turn>", "<end_of_turn>"],
        chat_template=CHAT_TEMPLATE,
    )
    torch.manual_seed(7)
    config = Gemma2Config(
        vocab_size=len(vocabulary),
        hidden_size=64,  # bitsandbytes packs NF4 in blocks of 64
        intermediate_size=128,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        head_dim=16,
        max_position_embeddings=2048,
        sliding_window=64,
        pad_token_id=0,
        eos_token_id=1,
        bos_token_id=2,
        tie_word_embeddings=False,
    )
    model = Gemma2ForCausalLM(config)
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if "norm" not in name:
                weight.normal_(0.0, 0.3)  # wide enough for greedy choices to differ from token to token
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


@pytest.fixture
def read_lines() -> Callable[[Path], list[dict[str, Any]]]:
    """A JSON-lines file, sorted by id, without timing: what two equal runs must agree in."""

    def read(path: Path) -> list[dict[str, Any]]:
        rows = [json.loads(line) for line in path.read_text().splitlines()]
        for row in rows:
            row.pop("timing", None)
        return sorted(rows, key=lambda row: (row["example_id"], row.get("metric", ""), row.get("judge", "")))

    return read
