"""Verdicts: from proofs and outcomes by hand, from real pairs through the pool, and as the `equivalence` metric."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import duckdb
import pytest

from benchmark.equivalence import PairVerdict, as_json, decide_pairs
from benchmark.errors import DatasetError, UsageError
from benchmark.metrics.base import Record
from benchmark.metrics.efficiency import efficiency
from benchmark.metrics.equivalence import equivalence
from benchmark.pairs import Pair, count_pairs, read_pairs, schema_of_file
from benchmark.sqlengine.pool import Pool
from benchmark.sqlengine.protocol import Counterexample, Grid, Outcome, Reply, Status
from benchmark.sqlengine.prove import Proof
from benchmark.terms import Terms
from benchmark.types import Example, Extraction, Generation
from benchmark.verdicts import FORM_CHARS, decide, gold_problem, proof_evidence

PROOF = Proof("SELECT a FROM t", ("a_rule",))
FOUND = Counterexample("CREATE TABLE t (a INT)", Grid(["a"], [[1]]), Grid(["a"], []))
AGREES = Outcome("ok", rows=1, agrees=True)
DIFFERS = Outcome("ok", rows=1, preview=[[7]])
SCHEMA = "CREATE TABLE t (a INT, b TEXT); INSERT INTO t VALUES (1, 'x'), (2, NULL);"


@pytest.fixture(scope="module")
def pool() -> Iterator[Pool]:
    with Pool(1) as started:
        yield started


@pytest.mark.parametrize(
    ("status", "verdict"),
    [
        ("invalid", "invalid"),
        ("refused", "refused"),
        ("multiple", "refused"),
        ("timeout", "timeout"),
        ("limit", "timeout"),
    ],
)
def test_what_does_not_run_is_never_equivalent(status: Status, verdict: str) -> None:
    found = decide(Outcome(status, "why"), PROOF, 60)
    assert (found.verdict, found.reason, found.proof) == (verdict, "why", None)


def test_a_proof_decides_where_the_given_database_agrees() -> None:
    found = decide(AGREES, PROOF, 60)
    assert (found.verdict, found.proof, found.counterexample) == ("equivalent", PROOF, None)


def test_a_proof_beats_the_given_database_and_that_is_said() -> None:
    found = decide(DIFFERS, PROOF, 60)
    assert (found.verdict, found.on, found.proof) == ("equivalent", None, PROOF)
    assert "breaks what its schema promises" in found.reason
    assert "promises" not in decide(AGREES, PROOF, 60).reason


def test_a_counterexample_refutes_what_is_not_proved() -> None:
    found = decide(Outcome("ok", agrees=True, counterexample=FOUND), None, 60)
    assert (found.verdict, found.on, found.counterexample) == ("different", "generated", FOUND)


def test_neither_is_undecided_with_the_databases_that_agreed() -> None:
    found = decide(Outcome("ok", agrees=True, databases=41), None, 60)
    assert (found.verdict, found.databases, found.searched) == ("undecided", 41, 60)
    assert "41 generated" in found.reason
    assert decide(AGREES, None, 0).reason == "not proved"


def test_a_broken_gold_or_schema_is_the_datasets_problem() -> None:
    ok, bad = Outcome("ok"), Outcome("invalid", "no such table")
    assert gold_problem(Reply("k", ok, [bad, ok], [])) is None
    assert "no such table" in (gold_problem(Reply("k", ok, [bad], [])) or "")
    assert "schema" in (gold_problem(Reply("k", bad, [], [])) or "")


def test_a_long_form_is_cut_in_the_evidence() -> None:
    form = proof_evidence(Proof("x" * 10_000, ()))["form"]
    assert (len(form), form[-1]) == (FORM_CHARS + 1, "…")


def record(shop: list[Example], outcome: Outcome | None, proof: Proof | None = None, **more: object) -> Record:
    return Record(
        example=shop[0],
        generation=Generation(example_id="a", text="SELECT 1 FROM t", finish_reason="stop"),
        extraction=Extraction(example_id="a", sql=None if outcome is None else "SELECT 1 FROM t", status="ok"),
        outcome=outcome,
        proof=proof,
        searched=60,
        **more,  # type: ignore[arg-type]
    )


def test_the_metric_keeps_what_shows_its_verdict(shop: list[Example]) -> None:
    grids = {"gold": {"columns": ["a"], "rows": [[1]]}, "prediction": {"columns": ["a"], "rows": []}}
    cases = [
        (AGREES, PROOF, 1.0, {"verdict": "equivalent", "proof": {"rules": ["a_rule"], "form": PROOF.form}}),
        (
            DIFFERS,
            None,
            0.0,
            {"verdict": "different", "counterexample": {"database": "given", "rows": 1, "first_rows": [[7]]}},
        ),
        (
            Outcome("ok", agrees=True, counterexample=FOUND),
            None,
            0.0,
            {
                "verdict": "different",
                "counterexample": {"database": "generated", "setup_sql": FOUND.setup_sql, **grids},
            },
        ),
        (Outcome("ok", agrees=True, databases=9), None, 1.0, {"verdict": "undecided", "databases": 9, "of": 60}),
    ]
    for outcome, proof, value, evidence in cases:
        found = equivalence(record(shop, outcome, proof))
        assert (found.value, found.status, found.evidence) == (value, "ok", evidence)


def test_the_metric_says_when_a_database_breaks_what_a_proof_relies_on(shop: list[Example]) -> None:
    found = equivalence(record(shop, DIFFERS, PROOF)).evidence or {}
    assert found["verdict"] == "equivalent"
    assert found["proof"]["rules"] == ["a_rule"]
    assert "promises" in found["reason"]


def test_the_metric_is_execution_for_what_does_not_run(shop: list[Example]) -> None:
    found = equivalence(record(shop, Outcome("timeout", "late"), PROOF))
    assert (found.value, found.status, found.evidence) == (0.0, "timeout", {"reason": "late"})
    assert equivalence(record(shop, None)).value == 0.0


@pytest.mark.parametrize(
    ("gold", "prediction", "value"),
    [(0.5, 1.0, 0.5), (1.0, 0.5, 1.0), (0.00001, 0.0009, 1.0), (0.00001, 0.004, 0.25), (0.003, 0.009, 0.33)],
)
def test_efficiency_is_the_golds_time_over_the_predictions(
    shop: list[Example], gold: float, prediction: float, value: float
) -> None:
    golds = [Outcome("invalid"), Outcome("ok", seconds=9.0), Outcome("ok", seconds=gold)]
    found = efficiency(record(shop, Outcome("ok", seconds=prediction, agrees=True), golds=golds))
    assert found.value == value
    assert found.timing is not None
    assert (found.timing.seconds, found.timing.gold_seconds) == (prediction, gold)
    assert "seconds" not in (found.evidence or {}), "what two equal runs may differ in stands in timing alone"


def test_a_wrong_answer_has_no_efficiency(shop: list[Example]) -> None:
    for outcome, status in ((Outcome("ok", seconds=1.0), "ok"), (Outcome("invalid", "x"), "invalid")):
        found = efficiency(record(shop, outcome, golds=[Outcome("ok", seconds=1.0)]))
        assert (found.value, found.status, found.timing) == (0.0, status, None)


def pair(gold: str, pred: str, key: str | int = 1, **changes: object) -> Pair:
    given = Pair(id=key, dialect="sqlite", schema_sql=SCHEMA, golds=(gold,), pred=pred)
    return replace(given, **changes)  # type: ignore[arg-type]


def verdict(pool: Pool, one: Pair, terms: Terms | None = None) -> PairVerdict:
    (found,) = decide_pairs([one], terms or Terms(), pool)
    return found


@pytest.mark.parametrize("dialect", ["sqlite", "duckdb"])
def test_the_same_statement_is_equivalent(pool: Pool, dialect: str) -> None:
    found = verdict(pool, pair("SELECT a FROM t WHERE a > 0", "select T.a from t where t.a > 0", dialect=dialect))
    assert found.verdict == "equivalent"
    assert found.proof is not None
    assert as_json(found)["proof"]["form"]


@pytest.mark.parametrize("dialect", ["sqlite", "duckdb"])
def test_the_given_rows_tell_two_apart(pool: Pool, dialect: str) -> None:
    found = verdict(pool, pair("SELECT a FROM t", "SELECT a FROM t WHERE b IS NOT NULL", dialect=dialect))
    assert found.verdict == "different"
    assert found.counterexample is not None
    assert "CREATE TABLE t" in found.counterexample.setup_sql
    assert sorted(map(tuple, found.counterexample.gold.rows)) != sorted(
        map(tuple, found.counterexample.prediction.rows)
    )


@pytest.mark.parametrize("dialect", ["sqlite", "duckdb"])
def test_a_generated_database_tells_two_apart_that_agree_on_the_given_one(pool: Pool, dialect: str) -> None:
    one = pair("SELECT a FROM t WHERE a > 0", "SELECT a FROM t WHERE a >= 0", dialect=dialect)
    found = verdict(pool, one)
    assert (found.verdict, found.reason) == ("different", "a generated database tells them apart")
    assert found.counterexample is not None
    assert found.counterexample.gold.rows != found.counterexample.prediction.rows
    again = verdict(pool, replace(one, schema_sql=found.counterexample.setup_sql), Terms(databases=0))
    assert (again.verdict, again.reason) == ("different", "the given database tells them apart")


def test_a_write_is_refuted_too(pool: Pool) -> None:
    found = verdict(pool, pair("DELETE FROM t WHERE a > 5", "DELETE FROM t WHERE a >= 5"))
    assert found.verdict == "different"
    assert found.counterexample is not None


def test_without_a_search_nothing_but_a_proof_or_the_rows_decides(pool: Pool) -> None:
    found = verdict(pool, pair("SELECT a FROM t WHERE a > 0", "SELECT a FROM t WHERE a >= 0"), Terms(databases=0))
    assert (found.verdict, found.databases) == ("undecided", 0)
    assert as_json(found)["databases"] == 0


def test_what_cannot_be_decided_says_how_many_agreed(pool: Pool) -> None:
    terms = Terms(databases=5)
    one = pair("SELECT a FROM t WHERE a * 3 = a + a + a", "SELECT a FROM t WHERE a IS NOT NULL")
    found = verdict(pool, one, terms)
    assert found.verdict == "undecided"
    assert 1 <= found.databases <= 5


@pytest.mark.parametrize(
    ("gold", "pred", "verdict_", "reason"),
    [
        ("SELECT a FROM t", "SELECT zz FROM t", "invalid", "zz"),
        ("SELECT a FROM t", "I do not know.", "invalid", "holds no SQL"),
        ("SELECT a FROM t", "", "invalid", "empty"),
        ("SELECT a FROM t", "I'm sorry, I cannot.", "invalid", "refusal"),
        ("SELECT a FROM t", "DELETE FROM t", "refused", ""),
        ("SELECT a FROM t", "ATTACH 'x' AS y", "refused", ""),
        ("SELECT a FROM t", "SELECT a FROM t; SELECT 1", "refused", "several"),
        ("SELECT zz FROM t", "SELECT a FROM t", "gold_error", "the gold does not run"),
        ("SELECT zz FROM t", "nothing", "gold_error", "the gold does not run"),
        ("DELETE FROM t", "SELECT 1", "different", ""),
    ],
)
def test_the_other_verdicts(pool: Pool, gold: str, pred: str, verdict_: str, reason: str) -> None:
    found = verdict(pool, pair(gold, pred), Terms(databases=0))
    assert found.verdict == verdict_
    assert reason in found.reason


def test_an_endless_prediction_times_out(pool: Pool) -> None:
    endless = "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT count(*) FROM c"
    assert verdict(pool, pair("SELECT a FROM t", endless)).verdict == "timeout"


def test_the_sql_in_an_answer_is_found_and_one_of_several_golds_is_enough(pool: Pool) -> None:
    answer = "Sure!\n```sql\nSELECT a FROM t WHERE b IS NULL;\n```"
    one = pair("SELECT b FROM t", answer, golds=("SELECT b FROM t", "SELECT a FROM t WHERE b IS NULL"))
    assert verdict(pool, one, Terms(databases=0)).verdict in ("equivalent", "undecided")


def test_the_policy_decides_too(pool: Pool) -> None:
    one = pair("SELECT a, b FROM t", "SELECT b, a FROM t")
    assert verdict(pool, one, Terms(databases=0)).verdict in ("equivalent", "undecided")
    assert verdict(pool, one, Terms(policy="strict", databases=0)).verdict == "different"


def test_verdicts_come_in_the_order_of_the_pairs() -> None:
    slow = "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c LIMIT 300000) SELECT count(*) FROM c"
    pairs = [
        pair("SELECT a FROM t", slow if key % 40 == 0 else "SELECT a FROM t" if key % 2 else "nothing", key)
        for key in range(100)
    ]
    with Pool(2) as two:
        found = list(decide_pairs(pairs, Terms(databases=0), two))
    assert [one.id for one in found] == list(range(100))
    assert {one.verdict for one in found if one.id in (0, 40, 80)} == {"different"}
    assert {one.verdict for one in found if isinstance(one.id, int) and one.id % 2 == 0 and one.id % 40} == {"invalid"}


def write_lines(path: Path, *lines: object) -> Path:
    path.write_text("".join((line if isinstance(line, str) else json.dumps(line)) + "\n" for line in lines))
    return path


LINE = {"id": "a", "dialect": "sqlite", "schema_sql": SCHEMA, "gold": "SELECT 1", "pred": "SELECT 2"}


def test_a_file_of_pairs(tmp_path: Path) -> None:
    path = write_lines(
        tmp_path / "p.jsonl", {**LINE, "extra": 1}, "", {**LINE, "id": 7, "gold": ["x", "y"], "pred": None}
    )
    assert count_pairs(path) == 2
    first, second = read_pairs(path)
    assert (first.id, first.golds, first.question) == ("a", ("SELECT 1",), None)
    assert (second.id, second.golds, second.pred) == (7, ("x", "y"), "")


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("nonsense", "line 2"),
        ({**LINE, "gold": 3}, r"line 2: .*gold"),
        ({key: value for key, value in LINE.items() if key != "pred"}, "line 2: .*pred"),
        ({**LINE, "gold": " "}, "line 2: an empty gold"),
        ({**LINE, "gold": []}, "line 2: an empty gold"),
        ({**LINE, "dialect": "oracle"}, "line 2: no engine runs the dialect 'oracle'"),
        ([1], "line 2"),
    ],
)
def test_a_broken_line_is_named(tmp_path: Path, line: object, message: str) -> None:
    with pytest.raises(DatasetError, match=message):
        count_pairs(write_lines(tmp_path / "p.jsonl", LINE, line))


def test_no_such_file(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot read"):
        count_pairs(tmp_path / "none.jsonl")


def test_a_schema_is_a_script_or_a_database_file(tmp_path: Path, pool: Pool) -> None:
    (tmp_path / "s.sql").write_text(SCHEMA)
    assert schema_of_file(tmp_path / "s.sql", "sqlite") == (SCHEMA, None)
    with sqlite3.connect(tmp_path / "lite") as connection:
        connection.executescript(SCHEMA)
    connection.close()
    with duckdb.connect(str(tmp_path / "duck")) as duck:
        duck.execute(SCHEMA)
        duck.execute("CREATE VIEW v AS SELECT a FROM t")
    for dialect, name in (("sqlite", "lite"), ("duckdb", "duck")):
        script, db = schema_of_file(tmp_path / name, dialect)
        assert "CREATE TABLE t" in script
        assert db == str(tmp_path / name)
        one = pair("SELECT a FROM t", "SELECT a FROM t WHERE a < 2", dialect=dialect, schema_sql=script, db=db)
        assert verdict(pool, one).verdict == "different"
    with pytest.raises(UsageError, match="a database of duckdb, not of sqlite"):
        schema_of_file(tmp_path / "duck", "sqlite")
    (tmp_path / "odd").write_bytes(b"\xff\xfe\xff")
    with pytest.raises(UsageError, match="neither a database nor UTF-8"):
        schema_of_file(tmp_path / "odd", "sqlite")
