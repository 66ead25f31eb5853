"""Folders of Jinja templates for texts that models read: prompts and rubrics.

Promises: an unknown name gets a did-you-mean, a path ending in .j2 is taken as one's own template, and an undefined
variable is an error. Does not: escape anything; these texts are not HTML.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from jinja2 import Environment, StrictUndefined, Template

from benchmark.errors import UnknownName, UsageError
from benchmark.files import is_file


class TemplateFolder:
    """The templates in `folder`; `kind` is what an error calls them."""

    def __init__(self, kind: str, folder: Path) -> None:
        self.kind, self.folder = kind, folder

    def names(self) -> list[str]:
        """The templates that come with sqlgauge; NAME.answer.j2 is a part of NAME."""
        found = (path.name.removesuffix(".j2") for path in self.folder.glob("*.j2"))
        return sorted(name for name in found if not name.endswith(".answer"))

    def has(self, name: str) -> bool:
        """Whether there is a template of this name, or at this path."""
        return is_file(self._path(name))

    def text(self, name: str) -> str:
        """A template's text, by name or by path. Raises UnknownName, UsageError."""
        if self.has(name):
            return self._path(name).read_text(encoding="utf-8")
        if name.endswith(".j2"):
            raise UsageError(f"no such {self.kind}: {name}", f"Built in: {', '.join(self.names())}.")
        raise UnknownName(self.kind, name, self.names())

    def _path(self, name: str) -> Path:
        return Path(name) if name.endswith(".j2") else self.folder / f"{name.replace('/', '_')}.j2"

    def render(self, name: str, **values: object) -> str:
        """The template filled in, stripped."""
        return _compiled(self.text(name)).render(**values).strip()


@lru_cache(maxsize=32)
def _compiled(text: str) -> Template:
    environment = Environment(undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)  # noqa: S701 - no HTML
    return environment.from_string(text)
