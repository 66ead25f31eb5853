"""The metrics on one small database, and which status counts how."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from benchmark.metrics import REGISTRY, score_records
from benchmark.registry import load
from benchmark.sqlengine.pool import Pool
from benchmark.sqlengine.prove import Proof
from benchmark.terms import Terms
from benchmark.types import Example, Failure, FinishReason, Generation, Score


@pytest.fixture(scope="module")
def pool() -> Iterator[Pool]:
    with Pool(1) as started:
        yield started


def score(pool: Pool, example: Example, text: str, finish: FinishReason = "stop") -> dict[str, Score]:
    generation = Generation(example_id=example.id, text=text, finish_reason=finish)
    return {s.metric: s for s in next(score_records([(example, [[generation]])], list(REGISTRY), Terms(), pool))[0]}


def values(scores: dict[str, Score]) -> tuple[float | None, ...]:
    return tuple(scores[name].value for name in ("exact", "exact_ws", "ast", "execution"))


@pytest.mark.parametrize("name", REGISTRY)
def test_every_registered_metric_loads(name: str) -> None:
    assert callable(load("metric", REGISTRY, name))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("SELECT name FROM item WHERE price > 5", (1, 1, 1, 1)),
        ("```sql\nSELECT name FROM item WHERE price > 5\n```", (1, 1, 1, 1)),
        ("select name\nfrom item\nwhere price > 5;", (0, 1, 1, 1)),
        ("SELECT NAME FROM Item WHERE PRICE > 5", (0, 0, 1, 1)),
        ("SELECT i.name FROM item i WHERE i.price > 5", (0, 0, 1, 1)),
        ("SELECT name FROM item WHERE price >= 7", (0, 0, 0, 1)),
        ("SELECT name FROM item WHERE price > 2", (0, 0, 0, 0)),
        ("SELECT id FROM item WHERE price > 5", (0, 0, 0, 0)),
    ],
)
def test_from_strict_to_lenient(pool: Pool, shop: list[Example], text: str, expected: tuple[int, ...]) -> None:
    assert values(score(pool, shop[0], text)) == expected


@pytest.mark.parametrize(
    ("text", "finish", "status"),
    [
        ("", "stop", "empty"),
        ("I think it is the pen.", "stop", "no_sql"),
        ("I'm sorry, I cannot do that.", "stop", "refused"),
        ("SELECT name FROM item WHERE", "length", "truncated"),
        ("SELECT nme FROM item", "stop", "invalid"),
        ("SELECT name FROM item WHERE price > 5; SELECT 1", "stop", "multiple"),
        ("DELETE FROM item", "stop", "refused"),
        ("WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT count(*) FROM c", "stop", "timeout"),
    ],
)
def test_failures_score_zero_and_say_why(
    pool: Pool, shop: list[Example], text: str, finish: FinishReason, status: str
) -> None:
    found = score(pool, shop[0], text, finish)["execution"]
    assert (found.value, found.status) == (0.0, status)


def test_a_failed_back_end_has_no_value(pool: Pool, shop: list[Example]) -> None:
    failure = Failure(type="Timeout", message="slow", retryable=True)
    generation = Generation(example_id="a", text="", finish_reason="error", error=failure)
    for found in next(score_records([(shop[0], [[generation]])], list(REGISTRY), Terms(), pool))[0]:
        assert (found.value, found.status) == (None, "error")


@pytest.mark.parametrize("broken", ["gold", "schema"])
def test_a_broken_gold_is_no_score(pool: Pool, shop: list[Example], broken: str) -> None:
    from dataclasses import replace

    example = (
        replace(shop[0], golds=("SELECT x FROM item",)) if broken == "gold" else replace(shop[0], schema_sql="CREATE")
    )
    for found in score(pool, example, "SELECT x FROM item").values():
        assert (found.value, found.status) == (None, "gold_error")
        assert broken in found.evidence["reason"]


def test_an_item_without_a_database_is_scored_by_its_text_alone(pool: Pool, shop: list[Example]) -> None:
    from dataclasses import replace

    example = replace(shop[0], schema_sql="")
    found = score(pool, example, "SELECT name FROM item WHERE price > 5")
    assert set(found) == {"exact", "exact_ws", "ast", "components"}
    assert {one.value for one in found.values()} == {1.0}


def test_the_gold_itself_is_proved_and_counts_as_right_everywhere(pool: Pool, shop: list[Example]) -> None:
    for example in shop:
        found = score(pool, example, example.golds[0])
        assert {name: one.value for name, one in found.items()} == dict.fromkeys(REGISTRY, 1.0)
        assert found["equivalence"].evidence["verdict"] == "equivalent"
        assert found["equivalence"].evidence["proof"] == found["ast"].evidence


def test_a_coincidence_is_right_by_execution_and_refuted_by_a_search(pool: Pool, shop: list[Example]) -> None:
    found = score(pool, shop[0], "SELECT name FROM item WHERE price >= 7")
    assert (found["execution"].value, found["equivalence"].value) == (1.0, 0.0)
    assert found["equivalence"].evidence["counterexample"]["database"] == "generated"
    assert found["equivalence"].evidence["counterexample"]["setup_sql"]


def test_without_the_metric_nothing_is_proved_or_searched(
    pool: Pool, shop: list[Example], monkeypatch: pytest.MonkeyPatch
) -> None:
    generation = Generation(example_id="a", text="SELECT name FROM item", finish_reason="stop")
    monkeypatch.setattr("benchmark.metrics.base.prove_any", None)
    ((found,),) = next(score_records([(shop[0], [[generation]])], ["execution"], Terms(), pool))
    assert found.metric == "execution"


def test_a_statement_that_several_runs_share_is_proved_once(
    pool: Pool, shop: list[Example], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[str, str]] = []

    def prove(golds: list[str], sql: str, dialect: str, schema_sql: str, policy: str) -> Proof:
        asked.append((sql, policy))
        return Proof("FORM", ("rule",))

    monkeypatch.setattr("benchmark.metrics.base.prove_any", prove)
    groups = [[Generation(example_id="a", text=text, finish_reason="stop")] for text in ("SELECT 7", "SELECT 7;", "?")]
    terms = Terms(policy="bird")
    found = next(score_records([(shop[0], groups)], ["ast", "equivalence"], terms, pool))
    assert asked == [("SELECT 7", "bird")]
    assert [[one.value for one in group] for group in found] == [[1.0, 1.0], [1.0, 1.0], [0.0, 0.0]]
    assert found[0][1].evidence["verdict"] == "equivalent", "a proof comes before what one database shows"
    assert found[0][0].evidence == {"rules": ["rule"], "form": "FORM"}


def test_the_second_of_several_golds_counts(pool: Pool, shop: list[Example]) -> None:
    from dataclasses import replace

    example = replace(shop[0], golds=(*shop[0].golds, "SELECT id FROM item WHERE price > 5"))
    assert values(score(pool, example, "SELECT id FROM item WHERE price > 5")) == (1, 1, 1, 1)


def test_order_counts_up_to_ties(pool: Pool, shop: list[Example]) -> None:
    assert score(pool, shop[1], "SELECT id FROM item ORDER BY price, id DESC")["execution"].value == 1
    assert score(pool, shop[1], "SELECT id FROM item ORDER BY price DESC")["execution"].value == 0


def test_a_write_is_judged_by_the_database_it_leaves(pool: Pool, shop: list[Example]) -> None:
    assert score(pool, shop[2], "DELETE FROM item WHERE name = 'pen'")["execution"].value == 1
    assert score(pool, shop[2], "DELETE FROM item")["execution"].value == 0
    assert score(pool, shop[2], "SELECT 1")["execution"].value == 0
