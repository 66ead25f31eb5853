"""An adapter's card on the page of its run."""

from __future__ import annotations

from html_page import Page

from reports.adapters import curve_of, read_adapter
from reports.figures import Fact
from reports.site import site_files
from reports.tables import build_board

MANIFEST = {
    "identity": {"base": "hf/tiny", "train_split": "shop/train", "lora": {"r": 8, "alpha": 16}},
    "schema_version": 1,
    "provenance": {"created": "2026-01-01"},
    "complete": True,
    "contamination": {"test": "shop/test", "same_items": 0, "dropped": 2},
    "last_loss": 0.25,
}
LOG = [
    {"step": 1, "loss": 2.0},
    {"step": 2, "loss": 1.0, "lr": 1e-4},
    {"step": 2, "eval_loss": 1.5},
    {"epoch": 1.0},
    {"step": 1, "loss": 1.75},  # resumed: gone over again
]


def test_a_run_without_an_adapter_has_no_card(make_run, score_list):
    run = make_run("m", score_list("execution", 1.0))
    assert read_adapter(run) is None
    (page,) = [body.decode() for name, body in site_files(build_board([run])) if name.endswith("run-0.html")]
    assert "The adapter" not in page


def test_the_card_says_recipe_data_and_overlap(make_run, score_list):
    run = make_run("m", score_list("execution", 1.0))
    run.write_adapter(MANIFEST, LOG)
    found = read_adapter(run)
    assert found.facts == (
        Fact(label="base", value="hf/tiny"),
        Fact(label="lora", value="alpha 16, r 8"),
        Fact(label="train split", value="shop/train"),
        Fact(label="contamination", value="dropped 2, same_items 0, test shop/test"),
        Fact(label="last loss", value="0.25"),
    )
    assert found.steps == ((1, 1.75), (2, 1.0))
    assert found.checked == ((2, 1.5),)
    (page,) = [Page(body.decode()) for name, body in site_files(build_board([run])) if name.endswith("run-0.html")]
    assert "the last one is 1.000 at step 2" in page.words
    assert "dropped 2, same_items 0, test shop/test" in page.words
    assert "Loss of the training by step" in [svg["aria-label"] for svg in page.all("svg")]


def test_a_log_without_the_quantity_has_no_curve():
    assert curve_of([], "loss") == curve_of(LOG, "accuracy") == ()
