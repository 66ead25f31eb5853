"""A provider as litellm knows it: its key, what it takes, and what of an error may be shown.

Promises: a missing key or an unknown provider is said before any call; a parameter that it does not take is named.
Does not: call anybody; nothing here leaves the machine.
"""

from __future__ import annotations

import base64
import gc
import logging
import os
from functools import cache
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from benchmark.chat.settings import ChatSettings
from benchmark.errors import MissingKey, UnknownName
from benchmark.keys import without_secrets


class Provider:
    """Where a model is asked. Raises UnknownName when it is made, MissingKey when it is to be used without its key."""

    def __init__(self, model: str, api_base: str | None = None) -> None:
        self.litellm = load_litellm()
        self.model, self.api_base = model, api_base
        self.name, self.provider = self._split()
        self._key, self._missing = self._find_key()

    @property
    def place(self) -> str | None:
        """The base URL that calls go to, without credentials; None for the provider's own."""
        prefix = self.provider.upper()
        named = (os.environ.get(f"{prefix}_{suffix}") for suffix in ("API_BASE", "BASE_URL"))
        return without_credentials(self.api_base or next(filter(None, named), None))

    def destination(self) -> dict[str, Any]:
        """The part of a call that says where it goes. Raises MissingKey."""
        self.require_key()
        found: dict[str, Any] = {"model": self.model}
        if self.api_base:
            found["api_base"] = self.api_base
        if self._key:
            found["api_key"] = self._key
        return found

    def parameters(self, settings: ChatSettings) -> tuple[dict[str, Any], tuple[str, ...]]:
        """The wanted parameters that the provider takes, and the names of those that it does not."""
        wanted = settings.wanted()
        taken = {name: value for name, value in wanted.items() if self._takes(name, value)}
        return taken, tuple(sorted(wanted.keys() - taken.keys()))

    def _takes(self, name: str, value: Any) -> bool:
        if name == "response_format":
            return bool(self.litellm.supports_response_schema(model=self.name, custom_llm_provider=self.provider))
        asked = {name: value}
        try:
            self.litellm.get_optional_params(
                model=self.name, custom_llm_provider=self.provider, drop_params=False, **asked
            )
        except self.litellm.UnsupportedParamsError:
            return False
        return True

    def show(self, error: BaseException) -> str:
        """An error's text without any secret that the environment or the base URL holds."""
        return without_secrets(str(error), self.own_secrets)[:500]

    @property
    def own_secrets(self) -> tuple[str, ...]:
        """What the base URL holds that is nobody's business, also in the form in which it is sent."""
        parts = urlsplit(self.api_base or "")
        user = parts.netloc.rpartition("@")[0]
        return user, base64.b64encode(user.encode()).decode(), parts.password or "", parts.query

    def _split(self) -> tuple[str, str]:
        try:
            name, provider, _, _ = self.litellm.get_llm_provider(model=self.model, api_base=self.api_base)
        except Exception:  # noqa: BLE001 - litellm's BadRequestError, with a page of text
            known = [str(getattr(provider, "value", provider)) for provider in self.litellm.provider_list]
            raise UnknownName("model provider", self.model.partition("/")[0], known) from None
        return str(name), str(provider)

    def require_key(self) -> None:
        """Raises MissingKey where the environment lacks what a call needs."""
        if self._missing:
            raise MissingKey(
                f"no API key for {self.model}: {', '.join(self._missing)} is not set",
                f"export {self._missing[0]}=...   (or --api-base URL for a server of your own; "
                f"provider: {self.provider})",
            )

    def _find_key(self) -> tuple[str | None, list[str]]:
        """The key to send, and the names of those that are missing.

        No key when litellm finds it itself; a placeholder for a server of one's own that wants none.
        """
        checked = self.litellm.validate_environment(model=self.model)
        missing = checked.get("missing_keys") or []
        if checked.get("keys_in_environment") or not missing:
            return None, []
        return ("none", []) if self.api_base else (None, list(missing))


def without_credentials(url: str | None) -> str | None:
    """A URL as it may be published: no user, password or query.

    >>> without_credentials("https://me:secret@host:8000/v1?key=x")
    'https://host:8000/v1'
    """
    if url is None:
        return None
    parts = urlsplit(url)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))


@cache
def load_litellm() -> Any:
    """litellm, quiet, with the tables that its release carries: neither prices nor headers may depend on the day."""
    os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")
    os.environ.setdefault("LITELLM_LOCAL_ANTHROPIC_BETA_HEADERS", "True")
    import litellm

    litellm.suppress_debug_info = True
    litellm.telemetry = False
    litellm.drop_params = False
    litellm.disable_hf_tokenizer_download = True
    logging.getLogger("LiteLLM").setLevel(logging.CRITICAL)
    gc.collect()
    gc.freeze()  # the collector need not walk what litellm brought along: a tenth of a call's CPU
    return litellm
