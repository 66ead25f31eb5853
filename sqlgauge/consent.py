"""Leave to send a dataset to a provider: asked once for each provider and dataset, before anything is sent.

Promises: nobody is asked about a model on this machine; without a terminal the answer is no. Consent is kept in the
user's configuration, not in the run folder: it is a person's, holds for other runs on the same data, and a run folder
is published. `--yes` holds for one command and is not kept.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from benchmark.errors import UsageError

Ask = Callable[[str], bool]
#: Providers whose default place is this machine.
_HERE = frozenset({"ollama", "ollama_chat", "llamafile", "docker_model_runner"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Disclosure:
    """What one command would send to one recipient; `results` says whether rows of results are among it."""

    recipient: str
    dataset: str
    fingerprint: str
    items: int
    results: bool

    @property
    def text(self) -> str:
        """The disclosure in a sentence."""
        rows = ", and the first rows of both queries' results" if self.results else ""
        return (
            f"{self.items} answers on {self.dataset} would be sent to {self.recipient}, each with its question, its "
            f"schema (with the rows that stand in it), the gold query and the predicted one{rows}"
        )

    @property
    def key(self) -> list[Any]:
        """What a remembered consent is for."""
        return [self.recipient, self.fingerprint, self.results]


def recipients(places: Mapping[str, Sequence[str | None]], named: Collection[str]) -> list[str]:
    """Who gets what judges are asked: `places` are the base URLs by judge, None for the provider's own.

    `named` are the judges whose place the command says; another one's comes from the environment.
    """
    found = (_recipient(judge, place, sure=judge in named) for judge, urls in places.items() for place in urls)
    return sorted({recipient for recipient in found if recipient})


def _recipient(judge: str, place: str | None, *, sure: bool) -> str | None:
    provider = judge.partition("/")[0]
    if place is None:
        return None if provider in _HERE else provider
    host = urlsplit(place if "//" in place else f"//{place}").hostname or place
    if is_here(host):
        return None if sure or provider in _HERE else provider
    return host


def is_here(host: str) -> bool:
    """Whether a host is this machine.

    >>> is_here("localhost"), is_here("127.0.0.1"), is_here("::1"), is_here("10.0.0.7"), is_here("localhost.evil.org")
    (True, True, True, False, False)
    """
    if host.lower() == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def require(wanted: Iterable[Disclosure], *, yes: bool, ask: Ask | None) -> None:
    """Return if each disclosure is agreed to: by `yes`, once before, or now by `ask`. Raises UsageError if not."""
    known = _remembered()
    new = [one for one in wanted if one.key not in known]
    if yes or not new:
        return
    text = ".\n".join(one.text for one in new) + "."
    if ask is None:
        raise UsageError(f"nothing was sent, for nobody agreed to this yet:\n  {text}", "Agree to it with --yes.")
    if not ask(text):
        raise UsageError("nothing was sent: you did not agree", "A judge on this machine needs no leave: --api-base.")
    _remember([*known, *(one.key for one in new)])


def consent_file() -> Path:
    """Where consent is kept."""
    from platformdirs import user_config_path

    return user_config_path("sqlgauge") / "consent.json"


def _remembered() -> list[list[Any]]:
    try:
        found = json.loads(consent_file().read_bytes())
    except (OSError, ValueError):
        return []  # no consent is the safe reading of a file that cannot be read
    return [list(one) for one in found if isinstance(one, list)] if isinstance(found, list) else []


def _remember(keys: list[list[Any]]) -> None:
    from benchmark.store import write_atomically

    path = consent_file()
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, json.dumps(keys, indent=1).encode() + b"\n")
