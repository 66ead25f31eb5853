"""`sqlgauge equiv` in a process of its own: what it prints, what it writes, and how it ends."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import pytest
from click.testing import CliRunner

from benchmark.sqlengine.protocol import Grid
from sqlgauge.cli import cli as command_line
from sqlgauge.grids import inert, side_by_side

SCHEMA = "CREATE TABLE t (a INT, b TEXT); INSERT INTO t VALUES (1, 'x'), (2, NULL);"
README = (Path(__file__).parents[2] / "README.md").read_text()
PAIRS = [
    {"id": "same", "gold": "SELECT a FROM t", "pred": "select a from t"},
    {"id": 2, "gold": "SELECT a FROM t", "pred": "SELECT a FROM t WHERE a > 1", "question": "Which?"},
    {"id": "none", "gold": "SELECT a FROM t", "pred": "I cannot say."},
    {"id": "hack", "gold": "SELECT a FROM t", "pred": "DROP TABLE t"},
    {"id": "gold", "gold": ["SELECT z FROM t"], "pred": "SELECT a FROM t"},
]


def write_pairs(path: Path, *more: str) -> None:
    lines = [json.dumps({"dialect": "sqlite", "schema_sql": SCHEMA, **pair}) for pair in PAIRS]
    path.write_text("\n".join([*lines, *more]) + "\n")


def test_equivalent_with_its_form_and_rules(cli) -> None:
    shown = cli("equiv", "--schema-sql", SCHEMA, "SELECT a FROM t", "SELECT T.a FROM T", "--check").stdout
    assert shown.startswith("equivalent: proved")
    assert "canonical form:\nSELECT" in shown
    assert "rules: " in shown


def test_different_with_the_database_and_both_results_side_by_side(cli) -> None:
    arguments = ["equiv", "--schema-sql", SCHEMA, "SELECT b FROM t", "SELECT b FROM t WHERE a > 1"]
    shown = cli(*arguments).stdout
    assert shown.startswith("different: ")
    assert "CREATE TABLE t" in shown
    assert "INSERT INTO" in shown
    heads = next(line for line in shown.splitlines() if line.startswith("gold"))
    assert heads.split() == ["gold", "prediction"]
    done = cli(*arguments, "--check", check=4)
    assert done.stdout == shown
    assert "not proved equivalent: 1 different" in done.stderr
    found = json.loads(cli(*arguments, "--json").stdout)
    assert (found["verdict"], list(found["counterexample"])) == ("different", ["setup_sql", "gold", "prediction"])


def test_undecided_is_no_proof(cli) -> None:
    pair = ["SELECT a FROM t WHERE a * 3 = a + a + a", "SELECT a FROM t WHERE a IS NOT NULL"]
    arguments = ["equiv", "--schema-sql", SCHEMA, *pair, "--databases", 0]
    assert cli(*arguments).stdout == "undecided: not proved\n"
    assert "1 undecided" in cli(*arguments, "--check", check=4).stderr


def test_statements_from_files_and_the_schema_from_a_file_or_standard_input(cli, tmp_path: Path) -> None:
    (tmp_path / "s.sql").write_text(SCHEMA)
    (tmp_path / "g.sql").write_text("SELECT a FROM t\n")
    (tmp_path / "p.md").write_text("Here it is:\n```sql\nSELECT a FROM t;\n```\n")
    assert cli("equiv", "--schema", "s.sql", "@g.sql", "@p.md").stdout.startswith("equivalent")
    assert cli("equiv", "--dialect", "duckdb", "--schema", "s.sql", "@g.sql", "@p.md").stdout.startswith("equivalent")
    arguments = ["equiv", "--schema", "-", "SELECT a FROM t", "SELECT a FROM t"]
    assert CliRunner().invoke(command_line, arguments, input=SCHEMA).stdout.startswith("equivalent")


def test_a_batch_is_answered_in_its_order(cli, tmp_path: Path) -> None:
    write_pairs(tmp_path / "pairs.jsonl")
    done = cli("equiv", "--batch", "pairs.jsonl", "--out", "out/verdicts.jsonl", "--workers", 2)
    found = [json.loads(line) for line in (tmp_path / "out/verdicts.jsonl").read_text().splitlines()]
    assert [(one["id"], one["verdict"]) for one in found] == [
        ("same", "equivalent"), (2, "different"), ("none", "invalid"), ("hack", "refused"), ("gold", "gold_error")
    ]  # fmt: skip
    assert all(one["reason"] and one["seconds"] >= 0 for one in found)
    assert found[0]["proof"]["form"]
    assert "setup_sql" in found[1]["counterexample"]
    assert "equiv: 5/5" in done.stderr
    assert "1 equivalent" in done.stdout
    again = ["equiv", "--batch", "pairs.jsonl", "--out", "v.jsonl", "--json", "--quiet", "--check"]
    done = cli(*again, check=4)
    assert json.loads(done.stdout)["verdicts"]["refused"] == 1
    assert done.stderr.startswith("sqlgauge: not proved equivalent: ")


def test_a_malformed_line_is_named_and_nothing_is_written(cli, tmp_path: Path) -> None:
    write_pairs(tmp_path / "pairs.jsonl", '{"id": 1}', "nonsense")
    done = cli("equiv", "--batch", "pairs.jsonl", "--out", "v.jsonl", check=2)
    assert "line 6: " in done.stderr
    assert "line 7: " in done.stderr
    assert not (tmp_path / "v.jsonl").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["SELECT 1"], "give GOLD_SQL and PRED_SQL"),
        (["SELECT 1", "SELECT 1"], "give the schema"),
        (["--schema-sql", "", "--schema", ".", "SELECT 1", "SELECT 1"], "--schema"),
        (["--schema-sql", "", "--dialect", "oracle", "SELECT 1", "SELECT 1"], "no engine runs the dialect 'oracle'"),
        (["--schema-sql", "", "--policy", "lax", "SELECT 1", "SELECT 1"], "unknown policy 'lax'"),
        (["--schema-sql", "", "--seconds", 0, "SELECT 1", "SELECT 1"], "seconds"),
        (["--schema-sql", "", "@none.sql", "SELECT 1"], "cannot read none.sql"),
        (["--batch", "p.jsonl"], "--batch needs --out"),
        (["--batch", "p.jsonl", "--out", "v.jsonl", "SELECT 1"], "leave the others out"),
        (["--batch", "p.jsonl", "--out", "v.jsonl"], "cannot read p.jsonl"),
    ],
)
def test_bad_usage_is_one_clear_message(cli, tmp_path: Path, arguments: list[object], message: str) -> None:
    done = cli("equiv", *arguments, check=2)
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_the_readme_example_runs(cli) -> None:
    line = next(line for line in README.splitlines() if line.startswith("sqlgauge equiv --schema-sql"))
    assert cli(*shlex.split(line)[1:]).stdout.startswith("different: a generated database tells them apart")


def test_a_result_cannot_steer_the_terminal(cli) -> None:
    hostile = "CREATE TABLE t (a TEXT); INSERT INTO t VALUES ('\x1b[2J');"
    shown = cli("equiv", "--schema-sql", hostile, "SELECT a FROM t", "SELECT 1").stdout
    assert "\x1b" not in shown  # which click makes sure of where nobody looks; we do, on a terminal
    grid = Grid(["\x1b[2J"], [["\x9b1m"], ["\n"], ["\ud800"]])
    assert all(c.isprintable() or c == "\n" for c in inert(side_by_side(grid, grid) + "\x07\x1b"))
