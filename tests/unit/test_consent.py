"""Leave to send data: who is asked, when, and what is remembered."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from benchmark.errors import UsageError
from sqlgauge.consent import Disclosure, consent_file, recipients, require

ONE = Disclosure(recipient="openai", dataset="builtin/test", fingerprint="sha256:1", items=240, results=False)


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))


class Person:
    """Somebody at a terminal, who always answers the same."""

    def __init__(self, answer: bool) -> None:
        self.answer, self.asked = answer, list[str]()

    def __call__(self, text: str) -> bool:
        self.asked.append(text)
        return self.answer


@pytest.mark.parametrize(
    ("judge", "place", "found"),
    [
        ("openai/gpt-4o", None, ["openai"]),
        ("ollama/llama3", None, []),
        ("openai/x", "http://127.0.0.1:8000/v1", []),
        ("openai/x", "http://127.8.8.8/v1", []),
        ("openai/x", "http://[::1]:8000/v1", []),
        ("openai/x", "http://LOCALHOST:8000", []),
        ("openai/x", "localhost:8000", []),
        ("openai/x", "http://localhost.evil.org/v1", ["localhost.evil.org"]),
        ("openai/x", "http://127.0.0.1.evil.org/v1", ["127.0.0.1.evil.org"]),
        ("openai/x", "http://127.0.0.1@evil.org/v1", ["evil.org"]),
        ("openai/x", "http://10.0.0.7:8000", ["10.0.0.7"]),
        ("ollama/llama3", "http://gpu.example.org:11434", ["gpu.example.org"]),
        ("openai/x", "nonsense//", ["nonsense//"]),
    ],
)
def test_who_gets_the_data(judge: str, place: str | None, found: list[str]) -> None:
    assert recipients({judge: [place]}, [judge]) == found


def test_several_judges_of_one_provider_are_one_recipient() -> None:
    assert recipients({"openai/a": [None], "openai/b": [None], "anthropic/c": [None]}, []) == ["anthropic", "openai"]


def test_a_place_from_the_environment_makes_no_provider_local() -> None:
    assert recipients({"gemini/x": ["http://127.0.0.1:1"]}, []) == ["gemini"]
    assert recipients({"ollama/x": ["http://127.0.0.1:1"]}, []) == []
    assert recipients({"ollama/x": ["http://gpu:1"]}, []) == ["gpu"]


def test_every_server_that_may_stand_in_is_a_recipient() -> None:
    bases = ["http://127.0.0.1:1", "https://a.example.org/v1", "https://b.example.org/v1"]
    assert recipients({"openai/x": bases}, ["openai/x"]) == ["a.example.org", "b.example.org"]


def test_without_a_terminal_nothing_is_sent() -> None:
    with pytest.raises(UsageError, match="240 answers on builtin/test would be sent to openai") as caught:
        require([ONE], yes=False, ask=None)
    assert "--yes" in caught.value.hint
    assert caught.value.exit_code == 2
    assert not consent_file().exists()


def test_a_yes_is_remembered_for_that_provider_and_dataset() -> None:
    person = Person(True)
    require([ONE], yes=False, ask=person)
    require([ONE], yes=False, ask=None)
    require([replace(ONE, items=12)], yes=False, ask=person)
    assert len(person.asked) == 1
    for other in ({"recipient": "anthropic"}, {"fingerprint": "sha256:2"}, {"results": True}):
        with pytest.raises(UsageError):
            require([replace(ONE, **other)], yes=False, ask=None)  # type: ignore[arg-type]


def test_only_what_is_new_is_asked() -> None:
    require([ONE], yes=False, ask=Person(True))
    person = Person(True)
    require([ONE, replace(ONE, recipient="anthropic", results=True)], yes=False, ask=person)
    (text,) = person.asked
    assert "openai" not in text
    assert "anthropic" in text
    assert "results" in text


def test_a_no_is_a_no_and_is_asked_again() -> None:
    with pytest.raises(UsageError, match="you did not agree"):
        require([ONE], yes=False, ask=Person(False))
    person = Person(True)
    require([ONE], yes=False, ask=person)
    assert person.asked


def test_yes_for_one_command_is_not_kept() -> None:
    require([ONE], yes=True, ask=None)
    assert not consent_file().exists()


@pytest.mark.parametrize("body", ["", "{", '{"a": 1}', "[1, null]"])
def test_a_broken_file_is_no_consent(body: str) -> None:
    consent_file().parent.mkdir(parents=True, exist_ok=True)
    consent_file().write_text(body)
    with pytest.raises(UsageError):
        require([ONE], yes=False, ask=None)
    require([ONE], yes=False, ask=Person(True))
    assert json.loads(consent_file().read_text())[-1] == ONE.key
