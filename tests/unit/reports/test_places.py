"""Addresses in a site: plain file names, foreign texts encoded after '#', and the way back."""

from __future__ import annotations

import re
from urllib.parse import parse_qs

import pytest

from reports.board import Combination
from reports.places import places
from reports.tables import build_board

HOSTILE = "../x?a=b&c#d\"'<i> \u202e\n+%00"


@pytest.fixture
def board(make_run, score_list):
    found = score_list("execution", 1.0, 0.0) + score_list("ast", 1.0, 0.0) + score_list("equivalence", 1.0, 0.0)
    return build_board([make_run(HOSTILE, found, dataset={"name": HOSTILE}), make_run("b", found)])


def test_addresses_hold_foreign_text_encoded_only(board):
    table = board.tables[0]
    (place, *_), row = places(board, items=True), table.rows[0]
    for address in (place.run(row), place.item(row, HOSTILE), place.wrong(row), place.refuted(table, row)):
        assert re.fullmatch(r"[a-z0-9.-]+/(run-[a-z0-9.-]+|items)\.html(#[\w.%+=&-]*)?", address)
    path, _, fragment = place.item(row, HOSTILE).partition("#")
    assert path == f"{place.folder}/items.html"
    assert parse_qs(fragment) == {"item": [HOSTILE], "run": [row.run_id]}


def test_from_inside_the_folder_is_left_out(board):
    (place, *_), row = places(board, items=True), board.tables[0].rows[0]
    inside = place.from_inside()
    assert place.run(row) == f"{place.folder}/{inside.run(row)}"
    assert inside.run(row) == place.page(row)
    assert inside.item(row, "a b") == "items.html#item=a+b&run=" + row.run_id


def test_a_combination_is_named_by_columns_and_letters(board):
    table = board.tables[0]
    (place, *_) = places(board, items=True)
    assert table.columns == ("ast", "execution", "equivalence")
    assert table.disagreement.columns == ("ast", "execution", "equivalence")
    found = Combination(verdicts=(True, False, None), count=1, examples=())
    assert place.said(table, found) == f"{place.folder}/items.html#is=0r%2C1w%2C2n"
    assert parse_qs(place.refuted(table, table.rows[0]).partition("#")[2])["is"] == ["1r,2w"]


def test_pages_of_runs_with_like_names_are_told_apart(make_run, score_list):
    board = build_board([make_run("a", score_list("execution", 1.0)) for _ in range(3)])
    (place,) = places(board, items=False)
    assert len(set(place.runs.values())) == 3
    assert not place.items
