"""Fifty injections in every field that data can fill, on every page: all of them are words, none of them acts."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from site_runs import Attacks, injections, write_dataset

from reports.site import write_site
from reports.tables import build_board

ITEMS, MODELS = 3, 2
#: What a page must not hold; an empty list where all is well.
FOREIGN = """() => {
  const ours = /\\/((site|sql|leaderboard|items|item|compare)|data\\/[a-z]+[\\d-]*)\\.js$/, found = [];
  if (window.__pwned !== undefined) found.push("pwned");
  if (({}).polluted !== undefined || Object.keys(Object.prototype).length) found.push("prototype");
  for (const script of document.scripts) if (!ours.test(script.src) || script.text) found.push(`script ${script.src}`);
  const tags = ["img", "iframe", "object", "embed", "base", "math", "video", "audio", "style", "foreignObject", "use",
    "animate", "textarea", "meta[http-equiv=refresh]", "svg script"];
  for (const one of document.querySelectorAll(tags.join())) found.push(one.outerHTML.slice(0, 200));
  for (const one of document.querySelectorAll("*")) {
    for (const { name, value } of one.attributes) {
      if (/^(on.*|style|autofocus|srcdoc)$/.test(name)) found.push(`${one.tagName} ${name}`);
      if (["href", "src", "action", "xlink:href"].includes(name)) {
        const url = new URL(value, document.baseURI);
        if (url.protocol !== location.protocol && value !== "data:,") found.push(`${one.tagName} ${value}`);
      }
    }
  }
  return found;
}"""


#: Choose the last of everything, as somebody would who tries each field.
FIELDS = "const fields = [...document.querySelectorAll('form select:not([name=show], [name=value])')];"
LAST = f"""() => {{ {FIELDS}
  for (const one of fields) one.selectedIndex = one.options.length - 1;
  fields[0].dispatchEvent(new Event("change", {{ bubbles: true }}));
}}"""
CHOSEN = f"() => {{ {FIELDS} return fields.every((one) => one.selectedIndex === one.options.length - 1); }}"
#: Open one answer after another with all its folds, and say which is not shown as given, or does not hold still.
VIEWS = f"""async (tries) => {{
  const foreign = {FOREIGN}, found = [], text = (name) => document.querySelector(name)?.textContent;
  for (const {{ to, title, model }} of tries) {{
    location.hash = to;
    const there = () => text("#item:not([hidden]) h2") === title && text(".choose [aria-current] bdi") === model;
    for (let i = 0; i < 1000 && !there(); i += 1) await new Promise((done) => setTimeout(done, 5));
    if (!there()) found.push(`not shown: ${{to}}`);
    for (const fold of document.querySelectorAll("details")) fold.open = true;
    await new Promise((done) => setTimeout(done, 10));
    found.push(...foreign());
  }}
  return found;
}}"""


@pytest.fixture(scope="module")
def attacked(written: Any, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A site in which every foreign text is an attack, and each field has had all fifty."""
    folder = tmp_path_factory.mktemp("attacked")
    attacks = Attacks(injections())
    runs = [
        run
        for number in range(1, attacks.rounds + 1)
        for run in write_dataset(folder / "runs", items=ITEMS, models=MODELS, words=attacks, number=number)
    ]
    assert {name: used for name, used in attacks.used.items() if used < 50} == {}
    assert len(attacks.used) > 35
    write_site(build_board(runs), folder / "site", runs=runs)
    return replace(written, out=folder / "site", base=(folder / "site").as_uri(), runs=tuple(runs))


def datasets(out: Path) -> Iterator[Path]:
    """The folders of the datasets."""
    return (page.parent for page in sorted(out.glob("*/items.html")))


def opened(folder: Path, name: str) -> Any:
    """The content of a shard."""
    text = (folder / "data" / f"{name}.js").read_text(encoding="utf-8").partition(",'")[2].removesuffix("');\n")
    return json.loads(re.sub(r"\\(u202[89]|.)", lambda m: chr(int(m[1][1:], 16)) if len(m[1]) > 1 else m[1], text))


def test_there_are_fifty_different_ones() -> None:
    assert len(injections()) == len(set(injections())) == 50


def test_the_leaderboard_is_inert(attacked: Any, open_page: Any) -> None:
    page = open_page(attacked, "index.html")
    page.locator("form.tools").last.wait_for()
    assert page.evaluate(FOREIGN) == []
    for button in page.locator("section.dataset:nth-of-type(-n+3) th button.sort").all():
        button.dispatch_event("click")
    for name in ("metric", "items"):
        for select in page.locator(f"select[name={name}]").all()[::7]:
            select.select_option(index=select.locator("option").count() - 1)
    assert page.evaluate(FOREIGN) == []
    shown = page.evaluate("() => document.body.textContent")
    assert all(text in shown for text in injections() if text.isprintable())


def test_runs_and_comparisons_are_inert(attacked: Any, open_page: Any) -> None:
    page = open_page(attacked, "index.html")
    for folder in datasets(attacked.out):
        for run in sorted(folder.glob("run-*.html")):
            page.goto(run.as_uri())
            assert page.evaluate(FOREIGN) == [], run
        page.goto((folder / "compare.html").as_uri())
        page.locator(".verdict").wait_for()
        page.evaluate(LAST)
        page.locator("#found h2", has_text="Only B has right").wait_for()
        assert page.evaluate(CHOSEN), folder
        assert page.evaluate(FOREIGN) == [], folder
    page.watch.check()


def test_items_are_inert_and_say_what_they_were_given(attacked: Any, open_page: Any) -> None:
    page = open_page(attacked, "index.html")
    for folder in datasets(attacked.out):
        head, ids = opened(folder, "head"), opened(folder, "ids")
        items = opened(folder, "item-0")["items"]
        page.goto((folder / "items.html").as_uri())
        page.locator("#rows tbody tr").nth(ITEMS - 1).wait_for()
        assert (
            page.evaluate("() => [...document.querySelectorAll('#rows tbody a')].map((one) => one.textContent)") == ids
        )
        page.evaluate(LAST)
        page.locator("#count", has_text=f"{ITEMS} of {ITEMS} items, by {head['columns'][-1]}"[:60]).wait_for()
        assert page.evaluate(CHOSEN), folder
        tries = [
            {"to": urlencode({"item": item["id"], "run": run["run"]}), "title": item["question"], "model": run["model"]}
            for run in head["runs"]
            for item in items
        ]
        assert page.evaluate(VIEWS, tries) == [], folder
    page.watch.check()
