"""Keeping the environment's keys out of what is written down or shown.

Promises: `without_secrets` is for messages, in which any value of a variable whose name sounds secret is replaced;
`without_keys` is for what a model said, in which only long values are that look like keys, for a password such as
"password" is a word of many a schema.
Does not: know keys that are not in the environment.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator

_SECRET_NAMES = ("KEY", "TOKEN", "SECRET", "PASSWORD", "CREDENTIAL")
_SHOWN = "[redacted]"
#: The fewest characters of a secret in a message, and of a key in a model's text.
_SECRET, _KEY = 8, 16


def without_secrets(text: str, more: Iterable[str] = ()) -> str:
    """A message without the secrets of the environment, nor `more` of them."""
    return _without(text, {value for value in {*_values(), *more} if len(value) >= _SECRET})


def without_keys(text: str, more: Iterable[str] = ()) -> str:
    """A model's text without the environment's keys, nor `more` of them: a server may say what it was sent."""
    return _without(text, {value for value in {*_values(), *more} if _looks_random(value)})


def key_names() -> dict[bytes, str]:
    """The values of the environment that are taken for keys, and the variables that hold them: to look for in files.

    Unlike `without_keys`, which must leave a model's words alone, it takes a value with a / in it for one, if no path.
    """
    return {value.encode(errors="surrogateescape"): name for name, value in _named() if _looks_like_key(value)}


def _looks_like_key(value: str) -> bool:
    path = value.startswith(("/", "~", ".")) or "://" in value
    return not path and _looks_random(value.replace("/", ""))


def _without(text: str, secrets: set[str]) -> str:
    for secret in sorted(secrets, key=len, reverse=True):
        text = text.replace(secret, _SHOWN)
    return text


def _values() -> set[str]:
    return {value for _, value in _named()}


def _named() -> Iterator[tuple[str, str]]:
    return ((name, value) for name, value in os.environ.items() if any(part in name.upper() for part in _SECRET_NAMES))


def _looks_random(value: str) -> bool:
    """Whether a value is one long word with digits and letters in it, and no path."""
    return (
        len(value) >= _KEY
        and not any(character.isspace() or character == "/" for character in value)
        and any(map(str.isdigit, value))
        and any(map(str.isalpha, value))
    )
