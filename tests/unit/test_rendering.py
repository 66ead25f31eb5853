"""What a prompt shows of a database: rows, compact lines, and what a budget leaves out, step by step."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import apsw
import duckdb
import pytest

from benchmark.errors import DatasetError
from benchmark.fitting import ESTIMATE, Budget, Fitted, estimated_tokens, fit
from benchmark.prompts import render
from benchmark.rendering import SCHEMAS, schema_rows, shown_schema
from benchmark.types import Example

SCRIPT = """
CREATE TABLE singer (id INT PRIMARY KEY, name TEXT, country TEXT);
INSERT INTO singer (id, name, country) VALUES (1, 'O''Hara (the first), "x"', 'NL'), (2, NULL, 'FR');
CREATE TABLE "song list" (id INT, title TEXT); /* a name
with a space */
INSERT INTO "song list" VALUES (1, 'a;b');
INSERT INTO singer VALUES (3, lower('C'), 'US'), (4, 'd', 'US');
INSERT INTO "song list" SELECT id, name FROM singer;
CREATE INDEX by_name ON singer (name);
"""
BARE = [
    "CREATE TABLE singer (id INT PRIMARY KEY, name TEXT, country TEXT);",
    'CREATE TABLE "song list" (id INT, title TEXT);',
    "CREATE INDEX by_name ON singer (name);",
]


def example(**changes: object) -> Example:
    base = Example(
        id="1",
        question="Which songs has each singer?",
        schema_sql=SCRIPT,
        golds=("SELECT 1",),
        dialect="sqlite",
        group="g",
    )
    return replace(base, **changes)  # type: ignore[arg-type]


def fitted(item: Example, most: int, schema: str = "rows", rows: int = 3) -> Fitted:
    return fit(item, schema, rows, Budget(most=most, count=estimated_tokens, counted_by=ESTIMATE))


def test_the_first_rows_of_each_table_whatever_its_inserts() -> None:
    first = "INSERT INTO singer (id, name, country) VALUES (1, 'O''Hara (the first), \"x\"', 'NL')"
    shown = schema_rows(SCRIPT, 3)
    assert f"{first}, (2, NULL, 'FR');" in shown
    assert "INSERT INTO singer VALUES (3, lower('C'), 'US');" in shown
    assert "(4, 'd'" not in shown
    assert "INSERT INTO \"song list\" VALUES (1, 'a;b');" in shown
    assert "SELECT" not in shown, "rows that are computed are not shown"
    one = schema_rows(SCRIPT, 1)
    assert f"{first};" in one
    assert one.count("INSERT") == 2
    assert schema_rows(SCRIPT, 0).count("INSERT") == 0


def test_what_is_shown_of_a_script_builds_a_database() -> None:
    connection = apsw.Connection(":memory:")
    connection.execute(schema_rows(SCRIPT, 2))
    assert connection.execute("SELECT COUNT(*) FROM singer").fetchall() == [(2,)]
    assert connection.execute('SELECT COUNT(*) FROM "song list"').fetchall() == [(1,)]


def sqlite_file(path: Path) -> Path:
    connection = apsw.Connection(str(path))
    connection.execute(SCRIPT + "CREATE VIEW names AS SELECT name FROM singer; CREATE TABLE bare (a BLOB);")
    connection.execute("INSERT INTO bare VALUES (x'00ff')")
    connection.close()
    return path


def test_rows_of_a_database_file(tmp_path: Path) -> None:
    path = sqlite_file(tmp_path / "s.sqlite")
    before = path.read_bytes()
    ddl = "\n".join([*BARE, "CREATE VIEW names AS SELECT name FROM singer;"])
    shown = shown_schema(example(schema_sql=ddl, db=str(path)), "rows", 2).splitlines()
    assert shown == [
        BARE[0],
        "INSERT INTO singer (id, name, country) VALUES (1, 'O''Hara (the first), \"x\"', 'NL'), (2, NULL, 'FR');",
        BARE[1],
        "INSERT INTO \"song list\" (id, title) VALUES (1, 'a;b'), (1, 'O''Hara (the first), \"x\"');",
        BARE[2],
        "CREATE VIEW names AS SELECT name FROM singer;",
    ]
    assert path.read_bytes() == before
    assert [other.name for other in tmp_path.iterdir()] == ["s.sqlite"]


def test_rows_of_a_duckdb_file(tmp_path: Path) -> None:
    path = tmp_path / "s.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute("CREATE TABLE t (a INTEGER, b VARCHAR); INSERT INTO t VALUES (1, 'x'), (2, 'y')")
    item = example(schema_sql="CREATE TABLE t(a INTEGER, b VARCHAR);", dialect="duckdb", db=str(path))
    assert shown_schema(item, "rows", 1).splitlines()[1] == "INSERT INTO t (a, b) VALUES (1, 'x');"


def test_a_file_that_is_no_database_is_an_error_and_no_empty_schema(tmp_path: Path) -> None:
    path = tmp_path / "s.sqlite"
    path.write_text("no database" * 100)
    with pytest.raises(DatasetError, match=r"s\.sqlite"):
        shown_schema(example(schema_sql=BARE[0], db=str(path)), "rows", 1)


def test_training_and_evaluation_ask_with_the_same_rows(tmp_path: Path) -> None:
    item = example(schema_sql=BARE[0], db=str(sqlite_file(tmp_path / "s.sqlite")))
    asked = render(item, schema="rows").messages[0].content
    assert "(3, 'c', 'US')" in asked
    assert asked == render(item, show=lambda one: shown_schema(one, "rows", 3)).messages[0].content


def test_without_a_budget_nothing_is_left_out() -> None:
    for schema in SCHEMAS:
        assert fit(example(), schema, 3, None) == Fitted(shown_schema(example(), schema, 3), 0, (), True)


def test_each_step_leaves_out_a_little_more() -> None:
    item = example()
    seen: dict[tuple[str, ...], Fitted] = {}
    for most in range(400, 0, -1):
        found = fitted(item, most, rows=4)
        assert not found.fits or found.tokens == estimated_tokens(found.text) <= most
        seen.setdefault(found.steps, found)
    ladder = ["2 rows a table", "1 row a table", "no rows", "compact", "without song list"]
    assert sorted(map(len, seen)) == [0, 1, 2, 3, 4, 5]
    assert all(list(steps) == ladder[: len(steps)] for steps in seen)
    assert "(2, NULL" in seen[tuple(ladder[:1])].text
    assert "CREATE INDEX" in seen[tuple(ladder[:3])].text
    assert seen[tuple(ladder[:4])].text == "singer(id, name, country)\nsong list(id, title)"
    assert seen[tuple(ladder)].text == "singer(id, name, country)"


def test_what_does_not_fit_is_told_and_not_cut() -> None:
    found = fitted(example(), 3)
    assert (found.fits, found.text, found.steps[-1]) == (False, "", "without song list")
    assert found.tokens > 3


@pytest.mark.parametrize(
    ("question", "evidence", "kept"),
    [
        ("Which song titles are there?", None, "song list"),
        ("Where do singers come from?", None, "singer"),
        ("Where do they come from?", "it is the country of the singer", "singer"),
    ],
)
def test_the_table_that_the_question_speaks_of_is_dropped_last(question: str, evidence: str | None, kept: str) -> None:
    found = fitted(example(question=question, evidence=evidence), 9, schema="compact")
    assert (found.fits, found.text.split("(")[0]) == (True, kept)
    assert found.steps[0] == "compact", "an index stands in the way of the compact form; it goes first"
    assert found.steps[1:] == (f"without {'singer' if kept == 'song list' else 'song list'}",)


def test_full_scripts_are_shortened_like_rows_and_files_have_none() -> None:
    assert fitted(example(), 60, schema="full").steps[0] == "2 rows a table"
    of_file = fitted(example(schema_sql="\n".join(BARE), db="/nowhere.sqlite"), 30, schema="full")
    assert (of_file.steps, "INSERT" in of_file.text) == (("compact",), False)


def test_views_stay_in_compact_schemas_and_indexes_are_left_out() -> None:
    view = "CREATE VIEW names AS SELECT name FROM singer"
    found = fitted(example(schema_sql="\n".join([*BARE, f"{view};"])), 35, schema="ddl")
    assert found.steps == ("compact",)
    assert found.text.splitlines()[-1] == f"{view};"
    assert "INDEX" not in found.text


@pytest.mark.parametrize(
    ("text", "tokens"), [("", 0), ("name", 1), ("countries", 2), ("2024", 4), ("a_b(", 4), ("a\nb", 3), ("é", 2)]
)
def test_the_estimate_counts_as_documented(text: str, tokens: int) -> None:
    assert estimated_tokens(text) == tokens


def test_what_follows_the_rows_of_an_insert_is_no_row() -> None:
    create = "CREATE TABLE t (id INT PRIMARY KEY, a TEXT); "
    for tail in ("ON CONFLICT (id) DO NOTHING", "RETURNING (id)"):
        assert schema_rows(f"{create}INSERT INTO t VALUES (1, 'x') {tail};", 3).endswith(
            "INSERT INTO t VALUES (1, 'x');"
        )
    commented = f"{create}INSERT INTO t VALUES (1, 'x'), -- it's the first (of two)\n (2, 'y');"
    assert schema_rows(commented, 3).endswith("VALUES (1, 'x'), (2, 'y');")
