"""Folders of Jinja templates for texts that models read: prompts and rubrics.

Promises: an unknown name gets a did-you-mean, a path ending in .j2 is taken as one's own template, and an undefined
variable is an error. Does not: escape anything; these texts are not HTML.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from jinja2 import Environment, StrictUndefined, Template

from benchmark.errors import UnknownName, UsageError


class TemplateFolder:
    """The templates in `folder`; `kind` is what an error calls them."""

    def __init__(self, kind: str, folder: Path) -> None:
        self.kind, self.folder = kind, folder

    def names(self) -> list[str]:
        """The templates that come with sqlgauge."""
        return sorted(path.name.removesuffix(".j2") for path in self.folder.glob("*.j2"))

    def text(self, name: str) -> str:
        """A template's text, by name or by path. Raises UnknownName, UsageError."""
        if name.endswith(".j2"):
            path = Path(name)
            if not path.is_file():
                raise UsageError(f"no such {self.kind}: {name}", f"Built in: {', '.join(self.names())}.")
            return path.read_text(encoding="utf-8")
        if name not in self.names():
            raise UnknownName(self.kind, name, self.names())
        return (self.folder / f"{name}.j2").read_text(encoding="utf-8")

    def render(self, name: str, **values: object) -> str:
        """The template filled in, stripped."""
        return _compiled(self.text(name)).render(**values).strip()


@lru_cache(maxsize=32)
def _compiled(text: str) -> Template:
    environment = Environment(undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)  # noqa: S701 - no HTML
    return environment.from_string(text)
