"""The site in a real browser, from disk and over http: what a reader does, step by step."""

from __future__ import annotations

import re

import pytest
from site_runs import refuted, right

ITEMS = 230


def opened(page, title):
    """The item's view is there."""
    page.locator("#item h2", has_text=title).wait_for()


def cells(page, place):
    """A column of the leaderboard, from top to bottom, of the rows that are shown."""
    return page.locator(f"table.accuracy tbody tr:not([hidden]) > :nth-child({place})").all_inner_texts()


def choice(place, name):
    """A field to choose from, by its label."""
    return place.get_by_role("combobox", name=name, exact=True)


def rows(page):
    """The ids that the list of items shows."""
    return page.locator("#rows tbody th").all_inner_texts()


def wait_for_count(page, n):
    page.locator("#count", has_text=re.compile(rf"^{n} of {ITEMS} items")).wait_for()


def test_the_leaderboard_sorts_by_every_column(site, open_page):
    page = open_page(site, "index.html")
    assert [text.split()[0] for text in cells(page, 1)] == [f"hf/org/model-0.{n}" for n in range(3)]
    head = page.locator("table.accuracy th", has_text="execution")
    for direction, order in (("descending", [0, 1, 2]), ("ascending", [2, 1, 0])):
        head.get_by_role("button").click()
        assert head.get_attribute("aria-sort") == direction
        assert [text.split()[0][-1] for text in cells(page, 1)] == [str(n) for n in order]
    page.locator("table.accuracy th", has_text="Model").get_by_role("button").click()
    assert page.locator("table.accuracy th[aria-sort]").all_inner_texts() == ["Model"]
    assert [text.split()[0][-1] for text in cells(page, 1)] == ["0", "1", "2"]
    buttons = page.locator("th button.sort")
    for number in range(buttons.count()):
        buttons.nth(number).click(force=True)


def test_the_leaderboard_filters_models_metrics_and_slices(site, open_page):
    page = open_page(site, "index.html")
    form = page.locator("form.tools")
    form.get_by_label("Model").fill("MODEL-0.1")
    assert len(cells(page, 1)) == 1
    assert form.get_by_role("status").inner_text() == "1 of 3 models."
    form.get_by_label("Model").fill("")
    choice(form, "Metric").select_option("equivalence")
    assert page.locator("table.accuracy th.headline").inner_text() == "equivalence"
    share = sum(right(0, n) and not refuted(0, n) for n in range(ITEMS)) / ITEMS
    assert cells(page, 3)[0].startswith(f"{100 * share:.1f}%")
    choice(form, "Metric").select_option("execution")
    choice(form, "Items").select_option(label="hard")
    hard = [n for n in range(ITEMS) if n % 3 == 2]
    share = sum(right(0, n) for n in hard) / len(hard)
    assert cells(page, 3)[0].split("\n")[0].startswith(f"{100 * share:.1f}%")
    assert f"n {len(hard)}" in cells(page, 3)[0]
    assert "Ranks are those of execution on all items" in form.get_by_role("status").inner_text()
    form.get_by_role("button", name="Reset").click()
    form.get_by_text("3 of 3 models.", exact=True).wait_for()


def test_items_are_filtered_by_answers_tag_and_search(site, open_page):
    page = open_page(site, "SET/items.html")
    wait_for_count(page, ITEMS)
    assert len(rows(page)) == 50
    choice(page, "Model").select_option(label="1 hf/org/model-0.0")
    choice(page, "Answers").select_option("wrong")
    wrong = [n for n in range(ITEMS) if not right(0, n)]
    wait_for_count(page, len(wrong))
    choice(page, "Tag").select_option("database0")
    choice(page, "Value").select_option("db_3")
    some = [n for n in wrong if n % 5 == 3]
    wait_for_count(page, len(some))
    assert rows(page) == [f"item-{n:03}" for n in some]
    page.reload()  # all state is in the address
    wait_for_count(page, len(some))
    assert choice(page, "Value").locator("option:checked").inner_text() == "db_3"
    page.goto(site.at("SET/items.html"))
    page.get_by_label("Search").fill("ZEBRA")
    wait_for_count(page, 1)
    assert rows(page) == ["item-017"]
    page.get_by_label("Search").fill("item-22")
    wait_for_count(page, 10)
    page.go_back()
    wait_for_count(page, 1)
    page.get_by_label("Search").fill("no such thing")
    wait_for_count(page, 0)


def test_the_list_has_pages(site, open_page):
    page = open_page(site, "SET/items.html")
    page.get_by_role("link", name="Next").click()
    page.get_by_text("Page 2 of 5").wait_for()
    assert rows(page)[0] == "item-050"
    page.get_by_role("link", name="Last").click()
    page.get_by_text("Page 5 of 5").wait_for()
    assert len(rows(page)) == 30


def test_an_item_shows_all_its_evidence(site, open_page):
    page = open_page(site, "SET/items.html")
    page.get_by_role("link", name="item-001", exact=True).click()
    opened(page, "Which singers are older than 1 years?")
    item = page.locator("#item")
    assert page.evaluate("document.activeElement.tagName") == "H2"
    assert item.locator("pre.sql").nth(0).inner_text() == "SELECT name FROM singer WHERE age > 1 ORDER BY name"
    assert item.locator(".sql-keyword").first.inner_text() == "SELECT"
    item.get_by_role("navigation", name="Answer of").get_by_text("hf/org/model-0.2").click()
    item.get_by_role("heading", name="Prediction, sample 1").wait_for()  # two samples
    assert item.get_by_role("heading", name="Raw output").count() == 2
    assert "seconds" in item.inner_text()
    page.goto(site.at("SET/items.html#item=item-002&run=run-0.1"))
    opened(page, "older than 2 years")
    text = item.inner_text()
    changes = item.locator(".edits li").all_inner_texts()
    assert [" ".join(change.split()) for change in changes] == [
        "only in gold ORDER BY name",
        "only in prediction LIMIT 2",
        "changed WHERE age > 2 → WHERE age >= 2",
    ]
    assert item.locator("mark.gone").all_inner_texts() == [">", "ORDER BY name"]
    assert item.locator("mark.new").all_inner_texts() == [">=", "LIMIT 2"]
    assert "Gold returns: 1 row" in text
    assert "Prediction returns: 2 rows" in text
    assert item.locator("td .null").first.inner_text() == "NULL"
    assert "Judge 0 thought about item 2." in text
    assert "other rows 2" in text
    item.get_by_text("Schema", exact=True).click()
    item.locator("details pre", has_text="CREATE TABLE singer").wait_for()
    page.goto(site.at("SET/items.html#item=item-002&run=run-0.0"))
    item.get_by_text("Prompt", exact=True).click()
    item.locator("details pre", has_text="CREATE TABLE").wait_for()
    assert "Which singers are older than 2 years?" in item.locator("details pre").last.inner_text()
    page.get_by_role("link", name="Next item").click()
    opened(page, "older than 3 years")
    page.get_by_role("link", name="All items").click()
    wait_for_count(page, ITEMS)
    page.locator("#rows a:focus", has_text="item-003").wait_for()  # where the reader was


def test_a_failed_call_and_a_proof_are_shown(site, open_page):
    page = open_page(site, "SET/items.html#item=item-049&run=run-0.2")
    page.get_by_text("No SQL: Down: no answer 0.2.49.").wait_for()
    page.goto(site.at("SET/items.html#item=item-002&run=run-0.0"))
    page.get_by_text("by the rules rule 2").wait_for()
    page.goto(site.at("SET/items.html#item=nothing"))
    page.get_by_text("There is no item nothing here.").wait_for()
    page.goto(site.at("SET/items.html#show=constructor&metric=__proto__&tag=__proto__&value=x&page=-7&is=zz"))
    page.locator("#count").wait_for()


def test_a_run_leads_to_its_counterexamples(site, open_page):
    page = open_page(site, "index.html")
    page.locator("table.accuracy").get_by_role("link", name="hf/org/model-0.0").click()
    page.get_by_role("heading", name="Right here, refuted elsewhere").wait_for()
    page.get_by_text("Item item-000").click()
    page.get_by_role("link", name="All about it").first.click()
    page.get_by_role("heading", name="A database that tells them apart").wait_for()
    assert "INSERT INTO singer VALUES ('Cy', 0);" in page.locator("#item").inner_text()
    page.go_back()
    page.get_by_role("link", name="all of them").click()
    wait_for_count(page, sum(refuted(0, n) for n in range(ITEMS)))
    page.get_by_role("link", name="all answers").click()
    wait_for_count(page, ITEMS)


def test_a_cell_of_the_disagreement_opens_its_examples(site, open_page):
    page = open_page(site, "index.html")
    cell = page.locator("table.disagreement tbody a").first
    answers = int(cell.inner_text())
    said = page.locator("table.disagreement tbody tr").first.locator("td").all_inner_texts()[1:]
    cell.click()
    page.locator("#count", has_text=f"of {ITEMS} items").wait_for()
    assert page.locator("#combination").inner_text().count("none") == said.count("–")
    found = int(re.match(r"\d+", page.locator("#count").inner_text())[0])
    assert 0 < found <= answers


def test_two_models_are_compared(site, open_page):
    page = open_page(site, "index.html")
    page.get_by_role("link", name="Compare two models").click()
    only_a = [n for n in range(ITEMS) if right(0, n) and not right(1, n)]
    only_b = [n for n in range(ITEMS) if right(1, n) and not right(0, n)]
    page.get_by_role("heading", name=f"Only A has right ({len(only_a)})").wait_for()
    page.get_by_role("heading", name=f"Only B has right ({len(only_b)})").wait_for()
    both = sum(right(0, n) and right(1, n) for n in range(ITEMS))
    assert f"{ITEMS} items: both right on {both}" in page.locator("#found caption").first.inner_text()
    assert re.search(r"A, hf/org/model-0.0, is better: \+\d", page.locator(".verdict").inner_text())
    choice(page, "B").select_option(label="hf/org/model-0.2")
    page.get_by_text("items without a clear value for both are left out").wait_for()
    choice(page, "Metric").select_option("exact")
    page.get_by_role("columnheader", name="exact").wait_for()
    page.get_by_text("exact by level0").click()
    page.goto(site.at("SET/compare.html#a=run-0.0&b=run-0.1"))
    page.get_by_role("link", name=f"item-{only_a[0]:03}", exact=True).click()
    opened(page, f"older than {only_a[0]} years")
    assert page.locator(".choose [aria-current]").inner_text().endswith("hf/org/model-0.1")


def test_the_same_model_twice_is_no_error(site, open_page):
    page = open_page(site, "SET/compare.html#a=run-0.0&b=run-0.0&metric=nonsense")
    page.get_by_role("heading", name="Only A has right (0)").wait_for()


def test_a_missing_shard_is_said(site, open_page, written):
    shard = written.out / written.folder / "data" / "item-2.js"
    page = open_page(site, "SET/items.html")
    wait_for_count(page, ITEMS)
    hidden = shard.rename(shard.with_suffix(".hidden"))
    try:
        page.goto(site.at("SET/items.html#item=item-210"))
        page.get_by_text("The file data/item-2.js cannot be read. Is the site's folder complete?").wait_for()
    finally:
        hidden.rename(shard)
    page.watch.seen.clear()  # the browser says so too


@pytest.mark.parametrize("name", ["index.html", "SET/run-run-0.0.html", "SET/run-run-0.1.html"])
def test_without_scripts_the_figures_are_complete(written, open_page, name):
    plain = open_page(written, name, scripts=False)
    scripted = open_page(written, name)
    scripted.wait_for_timeout(200)
    texts = [page.locator("main table").all_text_contents() for page in (plain, scripted)]
    assert [" ".join(text.split()) for text in texts[0]] == [" ".join(text.split()) for text in texts[1]]
    assert not plain.locator("form.tools").first.is_visible()


def test_without_scripts_the_other_pages_say_what_to_do(written, open_page):
    for name, said in (("SET/items.html", "sqlgauge export"), ("SET/compare.html", "sqlgauge compare RUN_A RUN_B")):
        assert said in open_page(written, name, scripts=False).locator("main").inner_text()
