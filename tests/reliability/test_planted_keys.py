"""Keys are planted in the environment, things go wrong, and no file and no output holds a key."""

from __future__ import annotations

import base64
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from judge_server import Answer, Call, JudgeServer, verdict
from reliability.harness import Place

from benchmark.keys import without_keys, without_secrets

KEYS = {
    "OPENAI_API_KEY": "sk-planted-openai-0123456789abcdef",
    "ANTHROPIC_API_KEY": "sk-ant-planted-0123456789abcdef",
    "GEMINI_API_KEY": "AIzaPlantedGemini0123456789abcdef",
    "HF_TOKEN": "hf_PlantedHub0123456789abcdef",
    "AWS_SECRET_ACCESS_KEY": "PlantedAws0123456789abcdefghijk",
    "DB_PASSWORD": "planted-database-password-1",
}
IN_URL = "sk-planted-in-the-url-0123456789"
IN_URL_AS_SENT = base64.b64encode(f"user:{IN_URL}".encode()).decode()


def thief(call: Call) -> Answer:
    """A server that says whatever it was sent: in an error, in an answer, in its version."""
    said = " ".join(f"{name}: {value}" for name, value in call.headers.items())
    kind = call.number % 4
    if kind == 0:
        return Answer(status=401, error=f"Incorrect API key provided: {said}")
    if kind == 1:
        return Answer(f"SELECT '{said}'")
    return verdict("correct", said) if kind == 2 else Answer(status=400, error=said)


@pytest.fixture
def server() -> Iterator[JudgeServer]:
    with JudgeServer(thief) as started:
        yield started


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path / "place")


def leaks(place: Place, *said: str) -> list[str]:
    """Where a key stands, as it is or in base64, among all files of a place and what was said."""
    found = []
    texts = {str(path): path.read_bytes() for path in place.root.rglob("*") if path.is_file()}
    texts |= {f"output {n}": text.encode() for n, text in enumerate(said)}
    for name, body in texts.items():
        for secret in (*KEYS.values(), IN_URL, IN_URL_AS_SENT):
            if secret.encode() in body or base64.b64encode(secret.encode()) in body:
                found.append(f"{secret} in {name}")
    return found


def said_by(place: Place, *arguments: object) -> tuple[int, str]:
    process = place.start(*arguments, **KEYS)
    shown, said = process.communicate(timeout=120)
    return process.returncode, shown + said


def test_the_search_for_leaks_finds_one(place: Place) -> None:
    place.root.mkdir()
    (place.root / "file").write_text(f"key={KEYS['HF_TOKEN']}")
    assert len(leaks(place, base64.b64encode(IN_URL.encode()).decode())) == 2


@pytest.mark.timeout(180)
def test_a_server_that_repeats_what_it_was_sent(place: Place, server: JudgeServer) -> None:
    """As the model and as a judge: through every stage up to the site."""
    asked = ("--dataset", "builtin", "--limit", 12, "--name", "r", "--max-errors", 1)
    judged = ("--judge", "openai/judge", "--judge-api-base", f"{server.url}/v1", "--yes")
    outputs = [
        said_by(place, "run", "--model", "openai/thief", "--api-base", f"{server.url}/v1", *asked, *judged),
        said_by(place, "report", place.run, "--out", place.root / "site"),
    ]
    shown = {call.model for call in server.calls if KEYS["OPENAI_API_KEY"] in call.headers["authorization"]}
    assert shown == {"thief", "judge"}, "the server was shown the key"
    stored = (place.run / "generations.jsonl").read_text() + (place.run / "verdicts.jsonl").read_text()
    assert "[redacted]" in stored
    assert (place.root / "site" / "index.html").exists()
    assert leaks(place, *(said for _, said in outputs)) == []


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("run", "--model", "openai/m", "--api-base", f"http://u:{IN_URL}@127.0.0.1:9/v1", "--dataset", "builtin",
          "--limit", 2), 1),
        (("run", "--model", f"hf/{KEYS['HF_TOKEN']}", "--dataset", "builtin"), 2),
        (("run", "--model", "gold", "--dataset", f"jsonl:{KEYS['AWS_SECRET_ACCESS_KEY']}.jsonl"), 2),
        (("run", "--config", "config.yaml"), 2),
        (("report", KEYS["OPENAI_API_KEY"]), 2),
    ],
)  # fmt: skip
def test_a_bad_command_or_configuration(place: Place, arguments: tuple[object, ...], code: int) -> None:
    place.root.mkdir()
    config = place.root / "config.yaml"
    config.write_text(f"model: gold\ndataset: builtin\napi_key: {KEYS['OPENAI_API_KEY']}\nn: {KEYS['HF_TOKEN']}\n")
    found, said = said_by(place, *arguments)
    config.unlink()
    assert found == code, said
    assert "sqlgauge" in said
    assert leaks(place, said) == []


def test_a_traceback_of_what_nobody_foresaw(place: Place) -> None:
    """A back-end that cannot even be opened, with the key in its own words."""
    place.root.mkdir()
    boot = place.root / "boot.py"
    boot.write_text(
        "import os\nfrom benchmark.models.base import REGISTRY\n"
        "def open_broken(*_):\n    raise LookupError('with the key ' + os.environ['OPENAI_API_KEY'])\n"
        "REGISTRY['broken'] = '__main__:open_broken'\nfrom sqlgauge.cli import main\nmain()\n"
    )
    command = [sys.executable, boot, "run", "--model", "broken/x", "--dataset", "builtin"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=place.root, env=place.env(**KEYS), timeout=60)
    assert done.returncode == 1
    assert "LookupError: with the key [redacted]" in done.stderr
    assert "Please report it" in done.stderr
    assert leaks(place, done.stdout, done.stderr) == []


def test_what_a_back_end_raises_is_stored_without_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    from benchmark.models.base import failed
    from benchmark.types import Prompt

    monkeypatch.setenv("HF_TOKEN", KEYS["HF_TOKEN"])
    prompt = Prompt(example_id="1", messages=(), template="t", template_hash="h")
    found = failed(prompt, RuntimeError(f"403 for {KEYS['HF_TOKEN']}"), retryable=True)
    assert found.error is not None
    assert found.error.message == "403 for [redacted]"


def test_a_word_of_a_schema_is_no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    """An answer must not change with the environment of whoever asks, unless it holds a key."""
    monkeypatch.setenv("DB_PASSWORD", "password")
    monkeypatch.setenv("KEY_FILE", "/home/somebody/key1")
    monkeypatch.setenv("KEY_NOTE", "a key of 16 letters or more")
    said = "SELECT password FROM user WHERE file = '/home/somebody/key1' -- a key of 16 letters or more"
    assert without_keys(said) == said
    assert "password" not in without_secrets(said)
