"""Keyboard, phone, print, both schemes, and axe's rules, on every kind of page."""

from __future__ import annotations

import pytest

KINDS = {
    "leaderboard": "index.html",
    "items": "SET/items.html",
    "item": "SET/items.html#item=item-000&run=run-0.0&metric=equivalence",
    "wrong item": "SET/items.html#item=item-009&run=run-0.2",
    "compare": "SET/compare.html",
    "run": "SET/run-run-0.0.html",
    "run with adapter": "SET/run-run-0.1.html",
}
READY = {"items": "#rows tbody tr", "item": "#item h2", "wrong item": "#item h2", "compare": ".verdict"}
MOST_TABS = 150


def ready(page, kind):
    """Wait until scripts have filled the page, and open what is folded."""
    page.locator(READY.get(kind, "footer")).first.wait_for()
    if kind == "leaderboard":
        page.locator("form.tools").first.wait_for()
    page.evaluate("() => { for (const fold of document.querySelectorAll('details')) fold.open = true; }")
    return page


def tab_to(page, text, key="Tab"):
    """Press a key until what has the focus says `text`."""
    for _ in range(MOST_TABS):
        page.keyboard.press(key)
        if page.evaluate("() => document.activeElement.textContent.trim()") == text:
            return
    raise AssertionError(f"{text} is not reached by {key}")


def test_by_keyboard_alone_to_an_item_and_back(site, open_page):
    page = ready(open_page(site, "index.html"), "leaderboard")
    page.evaluate("() => { for (const fold of document.querySelectorAll('details')) fold.open = false; }")
    page.keyboard.press("Tab")
    assert page.evaluate("() => document.activeElement.textContent") == "Skip to the content"
    page.keyboard.press("Enter")
    tab_to(page, "execution")
    page.keyboard.press("Space")
    assert page.locator("th[aria-sort=descending]").inner_text() == "execution"
    tab_to(page, "All items and answers", "Shift+Tab")
    page.keyboard.press("Enter")
    page.locator("#rows tbody tr").first.wait_for()
    tab_to(page, "item-003")
    page.keyboard.press("Enter")
    page.locator("#item h2:focus").wait_for()
    tab_to(page, "Schema")
    page.keyboard.press("Enter")
    page.locator("details[open] pre", has_text="CREATE TABLE").wait_for()
    tab_to(page, "All items", "Shift+Tab")
    page.keyboard.press("Enter")
    page.locator("#rows a:focus", has_text="item-003").wait_for()
    tab_to(page, "Leaderboard", "Shift+Tab")
    page.keyboard.press("Enter")
    page.locator("table.accuracy").wait_for()


@pytest.mark.parametrize("kind", KINDS)
def test_a_phone_shows_it_without_scrolling_sideways(written, open_page, kind):
    page = ready(open_page(written, KINDS[kind], width=390), kind)
    assert page.evaluate("() => document.documentElement.scrollWidth") <= 390
    wide = """() => [...document.querySelectorAll('main *')].filter((one) => one.getBoundingClientRect().right > 391
        && !one.closest('.scroller, pre, svg, .unseen, [hidden]')).map((one) => one.outerHTML.slice(0, 90))"""
    assert page.evaluate(wide) == []
    assert page.locator("h1").is_visible()


@pytest.mark.parametrize("kind", KINDS)
def test_print_hides_nothing_that_matters(written, open_page, kind):
    page = open_page(written, KINDS[kind])
    page.locator(READY.get(kind, "footer")).first.wait_for()
    page.emulate_media(media="print")
    for part in ("h1", "main table", "main h2", "main h3", "main pre", "main svg", "main caption span"):
        for one in page.locator(f"{part}:not([hidden] *):not(.unseen)").all():
            assert one.is_visible(), f"{part} {one.text_content()}"
    colours = "() => { const s = getComputedStyle(document.body); return [s.color, s.backgroundColor]; }"
    assert page.evaluate(colours) == ["rgb(0, 0, 0)", "rgb(255, 255, 255)"]
    page.evaluate("() => { for (const fold of document.querySelectorAll('details')) fold.open = true; }")
    paper = page.pdf(format="A4", prefer_css_page_size=True)
    assert paper.startswith(b"%PDF")
    assert len(paper) > 10_000
    if kind == "leaderboard":
        wide = "() => [...document.querySelectorAll('main table')].filter((t) => t.scrollWidth > 1280).length"
        assert page.evaluate(wide) == 0


def test_print_is_light_in_the_dark_scheme_too(written, open_page):
    page = open_page(written, "index.html", scheme="dark")
    assert page.evaluate("() => getComputedStyle(document.body).backgroundColor") != "rgb(255, 255, 255)"
    page.emulate_media(media="print")
    assert page.evaluate("() => getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("kind", KINDS)
def test_axe_finds_nothing_serious(written, open_page, kind, scheme):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="needs axe-playwright-python")
    page = ready(open_page(written, KINDS[kind], scheme=scheme), kind)
    page.watch.check()
    found = axe.Axe().run(page).response["violations"]
    page.watch.seen.clear()  # axe itself tries to fetch style sheets, which the page's policy forbids
    serious = [
        (one["id"], [node["html"][:160] for node in one["nodes"][:3]])
        for one in found
        if one["impact"] in ("serious", "critical")
    ]
    assert serious == []
