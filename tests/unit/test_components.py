"""`components`: what each clause holds, and F1 worked out by hand."""

from __future__ import annotations

import pytest

from benchmark.metrics.base import Record
from benchmark.metrics.components import clause_items, clause_scores, components
from benchmark.types import Example, Extraction, ExtractionStatus, Generation


def scores(gold: str, prediction: str) -> dict[str, float]:
    first, second = clause_items(gold, "sqlite"), clause_items(prediction, "sqlite")
    assert first is not None
    assert second is not None
    return clause_scores(first, second)


@pytest.mark.parametrize(
    ("gold", "prediction"),
    [
        ("SELECT a, b FROM t WHERE c = 1 AND d > 2", "select T.b, t.a AS x from T where 2 < t.d and t.c = 1"),
        ("SELECT a FROM t JOIN u ON t.i = u.j", "SELECT a FROM u INNER JOIN t ON u.j = t.i"),
        (
            "SELECT a, count(*) FROM t GROUP BY a ORDER BY 2 DESC",
            "SELECT a, count(*) n FROM t GROUP BY 1 ORDER BY n DESC",
        ),
        ("SELECT a FROM t WHERE b NOT IN (1, 2)", "SELECT a FROM t WHERE NOT b IN (1, 2)"),
        ("SELECT x FROM (SELECT a AS x FROM t) q", "SELECT q.x FROM (SELECT t.a AS x FROM t) AS q"),
        ("INSERT INTO t (a) VALUES (1), (2)", "INSERT INTO t (a) VALUES (2), (1)"),
        ("UPDATE t SET a = 1, b = 2 WHERE c = 3", "UPDATE t SET b = 2, a = 1 WHERE 3 = c"),
    ],
)
def test_the_same_clauses_are_all_one(gold: str, prediction: str) -> None:
    assert set(scores(gold, prediction).values()) == {1.0}


@pytest.mark.parametrize(
    ("gold", "prediction", "expected"),
    [
        ("SELECT a, b FROM t", "SELECT a FROM t", {"select": 2 / 3, "from": 1.0}),
        ("SELECT a FROM t", "SELECT DISTINCT a FROM t", {"select": 2 / 3, "from": 1.0}),
        ("SELECT a FROM t", "SELECT a FROM t WHERE b = 1", {"select": 1.0, "from": 1.0, "where": 0.0}),
        (
            "SELECT a FROM t WHERE x = 1 AND y = 2",
            "SELECT a FROM t WHERE x = 1 OR y = 2",
            {"select": 1.0, "from": 1.0, "where": 0.8},
        ),
        (
            "SELECT a FROM t LEFT JOIN u ON t.i = u.i",
            "SELECT a FROM t JOIN u ON t.i = u.i",
            {"select": 1.0, "from": 6 / 7},
        ),
        (
            "SELECT a FROM t ORDER BY a, b LIMIT 3",
            "SELECT a FROM t ORDER BY b, a LIMIT 4",
            {"select": 1.0, "from": 1.0, "order by": 0.0, "limit": 0.0},
        ),
        (
            "SELECT a FROM t GROUP BY a HAVING count(*) > 1",
            "SELECT a FROM t GROUP BY a, b HAVING count(*) > 2",
            {"select": 1.0, "from": 1.0, "group by": 2 / 3, "having": 0.0},
        ),
        (
            "SELECT a FROM t UNION SELECT b FROM u",
            "SELECT a FROM t UNION ALL SELECT b FROM u",
            {"select": 1.0, "from": 1.0, "set operation": 0.0},
        ),
        (  # an inner table is no outer one
            "SELECT a FROM t WHERE b IN (SELECT c FROM u)",
            "SELECT a FROM u WHERE b IN (SELECT c FROM t)",
            {"select": 1.0, "from": 0.0, "where": 1.0},
        ),
        ("DELETE FROM t WHERE a = 1", "DELETE FROM t", {"where": 0.0, "write": 1.0}),
        ("DELETE FROM t", "DROP TABLE t", {"write": 0.0}),
    ],
)
def test_partial_credit_by_hand(gold: str, prediction: str, expected: dict[str, float]) -> None:
    assert scores(gold, prediction) == pytest.approx(expected)
    assert scores(prediction, gold) == pytest.approx(expected), "F1 is symmetric"


def record(example: Example, sql: str | None, status: ExtractionStatus = "ok") -> Record:
    return Record(
        example=example,
        generation=Generation(example_id="a", text=sql or "", finish_reason="stop"),
        extraction=Extraction(example_id="a", sql=sql, status=status),
    )


def test_the_value_is_the_mean_and_the_best_gold_counts(shop: list[Example]) -> None:
    from dataclasses import replace

    example = replace(shop[0], golds=("SELECT x FROM y", "SELECT name FROM item WHERE price > 5"))
    found = components(record(example, "SELECT name FROM item WHERE price > 6"))
    assert found.value == pytest.approx(2 / 3, abs=1e-6)
    assert found.evidence == {"select": 1.0, "from": 1.0, "where": 0.0}


@pytest.mark.parametrize(
    ("sql", "status", "value", "ends"),
    [
        (None, "no_sql", 0.0, "no_sql"),
        ("SELECT FROM WHERE", "ok", 0.0, "invalid"),
        ("SELECT 1; SELECT 2", "multiple", 0.0, "multiple"),
        ("SELECT name FROM item WHERE price > 5", "ok", 1.0, "ok"),
    ],
)
def test_what_is_no_statement_gets_no_credit(
    shop: list[Example], sql: str | None, status: ExtractionStatus, value: float, ends: str
) -> None:
    found = components(record(shop[0], sql, status))
    assert (found.value, found.status) == (value, ends)
