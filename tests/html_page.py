"""A strict reader of the pages that we write: tags must nest, and links lead somewhere.

Promises: what it calls inert holds no script, handler, style or image from data. Does not: forgive, as a browser does.
"""

from __future__ import annotations

import posixpath
from collections.abc import Mapping
from html.parser import HTMLParser
from urllib.parse import parse_qs

VOID = {"meta", "link", "wbr", "input", "br"}
FLAGS = {"hidden", "selected", "open"}
OURS = {"site.js", "sql.js", "leaderboard.js", "items.js", "item.js", "compare.js"}


class Page(HTMLParser):
    """Collects tags and attributes, and checks that tags nest."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text, self.open = "", []
        self.feed(source)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        assert len(dict(attrs)) == len(attrs), f"an attribute stands twice in {tag}"
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data

    def all(self, tag):
        """The attributes of all tags of a name."""
        return [attributes for name, attributes in self.tags if name == tag]

    @property
    def words(self) -> str:
        """The text with its white space folded."""
        return " ".join(self.text.split())

    @property
    def ids(self) -> list[str]:
        return [attributes["id"] for _, attributes in self.tags if "id" in attributes]


def pages_of(files: Mapping[str, bytes]) -> dict[str, Page]:
    """The pages among a site's files."""
    return {name: Page(body.decode()) for name, body in files.items() if name.endswith(".html")}


def check_inert(page: Page) -> None:
    """Our own scripts and nothing else that runs, loads or styles."""
    assert {posixpath.basename(script["src"]) for script in page.all("script")} <= OURS
    assert all(set(script) == {"src"} for script in page.all("script"))
    assert not {tag for tag, _ in page.tags} & {"img", "iframe", "object", "embed", "style", "base", "math", "video"}
    for tag, attributes in page.tags:
        assert not [name for name in attributes if name == "style" or name.startswith("on")], tag
        assert not [name for name, value in attributes.items() if value is None and name not in FLAGS], tag
        for name in ("href", "src", "action", "formaction", "data", "xlink:href"):
            assert ":" not in (attributes.get(name) or "").partition("#")[0] or attributes[name] == "data:,", attributes


def check_links(files: Mapping[str, bytes], items: Mapping[str, set[str]] | None = None) -> None:
    """Every link leads to a file of the site, and to an id, an item or a run that is there."""
    pages = pages_of(files)
    for name, page in pages.items():
        assert len(page.ids) == len(set(page.ids)), name
        for _, attributes in page.tags:
            assert {attributes[key] for key in ("aria-labelledby",) if key in attributes} <= set(page.ids)
        for link in [tag.get("href") or tag.get("src") for kind in ("a", "link", "script") for tag in page.all(kind)]:
            if link == "data:,":
                continue
            path, _, fragment = link.partition("#")
            target = posixpath.normpath(posixpath.join(posixpath.dirname(name), path)) if path else name
            assert target in files, f"{name} links to {link}"
            if target.endswith("items.html") and "=" in fragment:
                named = parse_qs(fragment, strict_parsing=True).get("item", [])
                assert items is None or set(named) <= items[posixpath.dirname(target)], link
            elif fragment:
                assert fragment in pages[target].ids, f"{name} links to {link}"
