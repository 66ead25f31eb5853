"""Proved, open, refuted: the shares by hand, old runs without the metric, and hostile evidence."""

from __future__ import annotations

import csv
import io
import json
import re

import pytest

from benchmark.types import Score
from reports.exports import flat_tables, render_csv, render_json
from reports.html import render_page
from reports.markdown import render_markdown
from reports.site import site_files
from reports.tables import build_board

HOSTILE = "<script>alert(1)</script>"
GRID = {"columns": [HOSTILE], "rows": [[None], ["x"], [7]]}
REFUTED = {"database": "generated", "setup_sql": HOSTILE, "gold": GRID, "prediction": {"columns": ["a"], "rows": []}}


def score(number: int, value: float | None, status: str = "ok", **evidence: object) -> Score:
    return Score(example_id=f"e{number}", metric="equivalence", value=value, status=status, evidence=evidence)


def files_of(board, runs=None):
    """The site's texts by name."""
    return {name: body.decode() for name, body in site_files(board, runs=runs) if not name.endswith(".parquet")}


@pytest.fixture
def board(make_run, score_list):
    found = [
        score(0, 1.0, verdict="equivalent", proof={"rules": [], "form": "SELECT 1"}),
        score(1, 1.0, verdict="undecided", databases=60, of=60),
        score(2, 0.0, verdict="different", counterexample=REFUTED),
        score(3, None, "gold_error", reason="x"),
    ]
    run = make_run("new", [*score_list("execution", 1.0, 1.0, 1.0, "gold_error"), *found])
    return build_board([run, make_run("old", score_list("execution", 1.0, 0.0, 0.0, "gold_error"))])


def test_the_width_between_proved_and_not_refuted(board):
    new, old = board.tables[0].rows
    assert old.equivalence is None
    found = new.equivalence
    assert (found.proved.value, found.proved.n) == (pytest.approx(1 / 3), 3)
    assert (found.not_refuted.value, found.not_refuted.n) == (pytest.approx(2 / 3), 3)
    assert (found.undecided, found.refuted) == (1, 1)
    (example,) = found.examples
    assert (example.example_id, example.gold.count, example.gold.rows[:2]) == ("e2", 3, (("NULL",), ("'x'",)))


def test_what_only_the_given_database_refutes_is_not_counted_again(make_run, score_list):
    given = {"database": "given", "rows": 3}
    run = make_run("m", [*score_list("execution", 0.0), score(0, 0.0, verdict="different", counterexample=given)])
    (row,) = build_board([run]).tables[0].rows
    assert (row.equivalence.refuted, row.equivalence.examples) == (0, ())


def test_it_is_shown_beside_execution_and_old_runs_have_a_dash(board):
    text = render_markdown(board)
    assert "| Model | Rank | **execution** | equivalence |" in text
    section = text.split("### Proved, open, refuted")[1].split("###")[0]
    new, old = (line for line in section.splitlines() if line.startswith(("| new", "| old")))
    assert new.endswith("| 1 | 1 |")
    assert "33.3%" in new
    assert "66.7%" in new
    assert old.count("–") == 4


def test_a_run_shows_what_refutes_it_as_inert_text(board):
    new, old = (source for name, source in files_of(board).items() if re.search(r"/run-.*html", name))
    assert HOSTILE not in new + render_page(board)
    assert new.count("&lt;script&gt;alert(1)&lt;/script&gt;") == 2  # the database, and a column's name
    assert "1 answers are right on the given database and not on a generated one." in new
    assert "Right here, refuted elsewhere" in new
    assert "Right here, refuted elsewhere" not in old


@pytest.mark.parametrize(
    "counterexample",
    [
        "x",
        7,
        [],
        {"database": "generated"},
        {"database": "generated", "setup_sql": 3, "gold": [], "prediction": {"rows": "x"}},
        {"database": "generated", "gold": {"columns": None, "rows": [1, [2]]}},
    ],
)
def test_malformed_evidence_is_no_error(make_run, score_list, counterexample):
    found = score(0, 0.0, verdict="different", counterexample=counterexample)
    run = make_run("m", [*score_list("execution", 1.0), found])
    assert all(files_of(build_board([run]), [run]).values())


def test_runs_without_the_metric_have_no_such_section(make_run, score_list):
    board = build_board([make_run("m", score_list("execution", 1.0))])
    assert "Proved, open" not in render_page(board) + render_markdown(board)


def test_the_data_files_hold_it(board):
    runs = next(flat for flat in flat_tables(board) if flat.name == "runs")
    new, old = csv.DictReader(io.StringIO(render_csv(runs).decode()))
    assert [new[name] for name in ("proved", "not_refuted", "undecided", "refuted")] == [
        "0.333333",
        "0.666667",
        "1",
        "1",
    ]
    assert [old[name] for name in ("proved", "refuted")] == ["", ""]
    whole = json.loads(render_json(board))["tables"][0]["rows"]
    assert whole[0]["equivalence"]["examples"][0]["example_id"] == "e2"
    assert whole[1]["equivalence"] is None


def test_partial_credit_orders_rows_only_where_there_is_nothing_else(make_run, score_list):
    both = [*score_list("components", 0.5), *score_list("exact", 1.0)]
    assert build_board([make_run("m", both)]).tables[0].headline == "exact"
    assert build_board([make_run("m", score_list("components", 0.5))]).tables[0].headline == "components"
