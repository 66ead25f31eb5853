"""A redacted site: figures of every kind, and not one word of an item in any file."""

from __future__ import annotations

import re
from dataclasses import replace

import duckdb
import pytest

from benchmark.health import Health
from benchmark.types import Failure, Generation, Score
from reports.redact import redacted
from reports.site import site_files
from reports.tables import build_board

#: One for each place in which a run folder holds a word of an item; letters only, so that no encoding hides them.
SECRETS = {
    name: f"secret{name}"
    for name in (
        *(
            "question",
            "schema",
            "gold",
            "hint",
            "id",
            "answer",
            "reason",
            "cell",
            "goldcell",
            "setup",
            "column",
            "verdict",
        ),
        *("failure", "form", "health"),
    )
}


@pytest.fixture
def runs(make_run, verdict_list):
    """Two runs, all of whose items and answers are secrets."""
    made = []
    for number in range(2):
        ids = [f"{SECRETS['id']}{n}" for n in range(4)]
        grid = {"columns": [SECRETS["column"]], "rows": [[SECRETS["cell"]]]}
        counterexample = {"database": "generated", "setup_sql": SECRETS["setup"], "gold": grid, "prediction": grid}
        evidence = {"reason": SECRETS["reason"], "rows": 1, "first_rows": [[SECRETS["cell"]]], "gold_rows": 1,
                    "gold_first_rows": [[SECRETS["goldcell"]]]}  # fmt: skip
        found = [
            Score(example_id=key, metric="execution", value=value, status=status, evidence=evidence)
            for key, value, status in zip(ids, (1.0, 1.0, 0.0, 0.0), ("ok", "ok", "ok", "invalid"), strict=True)
        ]
        found += [
            Score(example_id=ids[0], metric="equivalence", value=1.0, status="ok",
                  evidence={"verdict": "equivalent", "proof": {"rules": [], "form": SECRETS["form"]}}),
            Score(example_id=ids[1], metric="equivalence", value=0.0, status="ok",
                  evidence={"verdict": "different", "counterexample": counterexample}),
        ]  # fmt: skip
        judged = [
            replace(one, example_id=key, reason=SECRETS["verdict"])
            for one, key in zip(verdict_list("j", "correct", None), ids, strict=False)
        ]
        run = make_run(f"model-{number}", found, judged=judged)
        run.write_examples(
            replace(one, id=key, question=SECRETS["question"], schema_sql=f"create table {SECRETS['schema']} (a)",
                    golds=(f"select {SECRETS['gold']}",), evidence=SECRETS["hint"])
            for one, key in zip(run.examples(), ids, strict=True)
        )  # fmt: skip
        run.write_health(
            Health(example_id=key, status=status, reason=SECRETS["health"])
            for key, status in zip(ids, ("ok", "no_rows", "fails", "ok"), strict=True)
        )
        (run.path / "generations.jsonl").unlink()
        run.append_generations(
            Generation(example_id=key, text=f"select {SECRETS['answer']}", finish_reason="stop",
                       error=Failure(type="E", message=SECRETS["failure"]) if key == ids[3] else None)
            for key in ids
        )  # fmt: skip
        made.append(run)
    return made


def words(files, tmp_path):
    """All that the files say, Parquet's columns too."""
    for name, body in files.items():
        if not name.endswith(".parquet"):
            yield name, body.decode()
            continue
        path = tmp_path / "x.parquet"
        path.write_bytes(body)
        with duckdb.connect(":memory:") as connection:
            yield name, str(connection.execute("SELECT * FROM read_parquet(?)", [str(path)]).fetchall())


def test_no_word_of_an_item_is_left_in_any_file(runs, tmp_path):
    files = dict(site_files(redacted(build_board(runs))))
    for name, text in words(files, tmp_path):
        assert not [secret for secret in SECRETS.values() if secret in name + text], name
    folders = {name.partition("/")[2] for name in files if "/" in name and not name.startswith(("hub/", "badges/"))}
    assert folders == {"run-run-0.html", "run-run-1.html", "data/board.js"}


def test_without_it_every_secret_is_published(runs, tmp_path):
    """Or the test above would prove nothing."""
    files = dict(site_files(build_board(runs), runs=runs))
    everything = "".join(text for _, text in words(files, tmp_path))
    assert [name for name, secret in SECRETS.items() if secret not in everything] == []


def test_the_figures_stay(runs):
    before, after = build_board(runs).tables[0], redacted(build_board(runs)).tables[0]
    assert [row.cells for row in before.rows] == [row.cells for row in after.rows]
    assert [row.slices for row in before.rows] == [row.slices for row in after.rows]
    assert before.ranking == after.ranking
    assert [c.count for c in before.disagreement.combinations] == [c.count for c in after.disagreement.combinations]
    assert all(row.equivalence.refuted == 1 for row in after.rows)
    assert {n: e.main for n, e in before.rows[0].errors.items()} == {n: e.main for n, e in after.rows[0].errors.items()}


def test_the_verb_redacts_and_checks(runs, cli, tmp_path):
    folder = runs[0].path.parent
    cli("report", folder, "--out", "site")
    assert list((tmp_path / "site").glob("*/items.html"))
    assert cli("report", folder, "--out", "site", "--check", "--redact", check=4).returncode == 4
    cli("report", folder, "--out", "site", "--redact")
    cli("report", folder, "--out", "site", "--redact", "--check")
    assert not list((tmp_path / "site").glob("*/items.html"))
    assert [path.name for path in (tmp_path / "site").glob("*/data/*")] == ["board.js"]
    for path in (tmp_path / "site").rglob("*"):
        assert path.is_dir() or not re.search(rb"secret[a-z]", path.read_bytes()), path
