"""Whatever comes in from outside: no crash but our own errors, and an end in bounded time.

The suite takes some dozen inputs a target. `make soak` goes on for SQLGAUGE_SOAK_SECONDS in all, with new seeds each
time; `pytest -rP` prints how many inputs each target took. A failure says its input, shrunk.
"""

from __future__ import annotations

import copy
import json
import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

from benchmark.config import RunConfig, make_config
from benchmark.errors import SqlgaugeError, UsageError
from benchmark.extract import extract
from benchmark.metrics import REGISTRY, score_records
from benchmark.recipe import config_of
from benchmark.runner import execute, plan
from benchmark.sqlengine.parse import folded_tokens, parse
from benchmark.sqlengine.pool import Pool
from benchmark.store import RunFolder
from benchmark.terms import Terms
from benchmark.types import Example, Extraction, Generation
from benchmark.verify import verify_run
from judges.comments import strip_comments
from judges.parse import LABELS, UnreadableVerdict, parse_verdict
from reports.tables import build_board
from sqlgauge.summary import summarise

TARGETS = 5
SECONDS = float(os.environ.get("SQLGAUGE_SOAK_SECONDS", "0")) / TARGETS
#: The longest that one input may take, in s, on a machine that is busy.
SLOWEST = 20.0


def hammer(strategy: st.SearchStrategy[Any], check: Callable[[Any], None], examples: int) -> None:
    """Check inputs: so many, or in a soak more of them until its time is over."""
    taken, number, until, slowest = 0, 0, time.monotonic() + SECONDS, 0.0
    while number == 0 or time.monotonic() < until:

        @seed(number)
        @settings(max_examples=examples, deadline=None, database=None, suppress_health_check=list(HealthCheck))
        @given(strategy)
        def once(value: Any) -> None:
            nonlocal taken, slowest
            taken, began = taken + 1, time.monotonic()
            check(value)
            slowest = max(slowest, time.monotonic() - began)
            assert time.monotonic() - began < SLOWEST

        once()
        number += 1
    print(f"{taken} inputs, the slowest {slowest:.2f} s")


_PIECES = (
    "SELECT SELECT a FROM t WHERE , ( ) ; ' \" ` [ ] -- /* */ */ ``` ```sql <think> </think> </reasoning> <|im_end|> "
    "WITH x AS ( INSERT INTO t VALUES DELETE UPDATE t SET a = 1 CREATE TABLE TRIGGER BEGIN END PRAGMA ATTACH DETACH "
    "COPY 'x' TO 'y' LOAD INSTALL VACUUM UNION ALL INTERSECT ORDER BY 1 LIMIT -1 OFFSET 9e999 GROUP HAVING COUNT(*) "
    "NULL IS NOT LIKE GLOB '%' CAST(a AS b) x'00' 0x1F 1e400 -9223372036854775808 9223372036854775808 $1 :a @a ?1 "
    "randomblob(9999999) zeroblob(99999999) printf('%.*c',99999999,'x') load_extension('x') writefile('x','y') "
    "RECURSIVE OVER (PARTITION JOIN LEFT NATURAL CROSS USING(a) EXISTS CASE WHEN THEN ELSE END BETWEEN AND OR NOT IN "
    "(((((((((((((((((((( )))))))))))))))))))) I'm sorry As an AI Answer: SQL: **SQL** \\u0000 verdict correct"
)
PIECES = _PIECES.split(" ")
WORDS = st.one_of(
    st.sampled_from([*PIECES, "\n", "\n\n", " ", "\t", "\x00", "\ud83d", "\u202e", "é", "\r\n", "\u2028"]),
    st.text(max_size=8),
    st.characters(categories=["Cs"]),
)
TEXTS = st.one_of(
    st.lists(WORDS, max_size=40).map(" ".join),
    st.lists(WORDS, max_size=40).map("".join),
    st.text(max_size=200),
    st.tuples(st.lists(WORDS, min_size=1, max_size=4).map("".join), st.integers(1, 3000)).map(lambda p: p[0] * p[1]),
)
LEAVES = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), TEXTS, st.sampled_from([[], {}, [[]], {"": {}}, -1, 2**70])
)  # fmt: skip
VALUES = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3), max_leaves=6
)  # fmt: skip


def test_extraction_and_parsing() -> None:
    statuses = msgspec.inspect.type_info(Extraction).fields[2].type.values  # type: ignore[attr-defined]

    def check(value: tuple[str, str]) -> None:
        text, reason = value
        found = extract("1", text, reason)  # type: ignore[arg-type]
        assert found.status in statuses
        assert (found.sql is None) == (found.status not in ("ok", "multiple"))
        for dialect in ("sqlite", "duckdb"):
            parse(found.sql or text, dialect)
            folded_tokens(found.sql or text, dialect)
            strip_comments(found.sql or text, dialect)

    hammer(st.tuples(TEXTS, st.sampled_from(["stop", "length"])), check, 150)


def test_the_sql_sandbox(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Any schema, gold and prediction, through every metric, on both engines: a score that means something."""
    monkeypatch.chdir(tmp_path)
    schema = "CREATE TABLE t (a INTEGER, b TEXT); INSERT INTO t VALUES (1, 'x'), (2, NULL), (2, 'y');"
    schemas = st.one_of(st.just(schema), st.just(schema), TEXTS, TEXTS.map(lambda text: schema + text))
    golds = st.one_of(st.just("SELECT a FROM t"), st.just("DELETE FROM t WHERE a = 1"), TEXTS)
    inputs = st.tuples(schemas, golds, TEXTS, st.sampled_from(["sqlite", "duckdb"]), st.sampled_from(["read", "write"]))

    with Pool(1) as pool:

        def check(value: tuple[str, str, str, str, str]) -> None:
            setup, gold, prediction, dialect, task = value
            example = Example(
                id="1",
                question="q",
                schema_sql=setup,
                golds=(gold,),
                dialect=dialect,
                group="g",
                task=task,  # type: ignore[arg-type]
            )
            said = Generation(example_id="1", text=prediction, finish_reason="stop")
            terms = Terms(databases=3, seconds=0.2)
            ((scores,),) = score_records([(example, [[said]])], list(REGISTRY), terms, pool)
            for score in scores:
                assert (score.value is None) == (score.status in ("error", "gold_error")), score
                assert score.value is None or 0 <= score.value <= 1, score
                assert score.status != "error", score

        hammer(inputs, check, 40)
    assert list(tmp_path.iterdir()) == []


def test_the_judges_verdict_parser() -> None:
    objects = st.fixed_dictionaries(
        {"verdict": st.one_of(st.sampled_from([*LABELS, "Correct ", "maybe"]), LEAVES)},
        optional={"reason": LEAVES, "confidence": LEAVES, "verdict ": LEAVES},
    )
    dumped = st.one_of(objects, VALUES).map(lambda value: json.dumps(value, default=str))
    deep = st.integers(1, 30_000).map(lambda depth: '{"verdict":' * depth)
    answers = st.lists(st.one_of(dumped, TEXTS, st.sampled_from(["<think>", "</think>", "```json\n", "{", "\\"])))

    def check(text: str) -> None:
        with suppress(UnreadableVerdict):
            opinion = parse_verdict(text)
            assert opinion.label in LABELS
            assert opinion.confidence is None or 0 <= opinion.confidence <= 1

    hammer(st.one_of(answers.map("".join), deep), check, 150)


def test_a_configuration(tmp_path: Path) -> None:
    names = st.one_of(st.sampled_from(RunConfig.__slots__), TEXTS)  # type: ignore[attr-defined]
    flags = st.dictionaries(names, VALUES, max_size=5).map(lambda told: {"model": "gold", "dataset": "builtin", **told})
    file = tmp_path / "config.yaml"
    bodies = st.one_of(
        st.binary(max_size=200),
        VALUES.map(lambda value: json.dumps(value, default=str).encode("utf-8", "surrogatepass")),
        st.sampled_from([b"a: &a [*a]", b"!!python/object/apply:os.system [id]", b"? [a]: b", b"a: 1\na: 2", b"- x"]),
    )

    def check(value: tuple[dict[str, Any], bytes | None]) -> None:
        told, body = value
        if body is not None:
            file.write_bytes(body)
        with suppress(UsageError):
            config = make_config(told, file if body is not None else None)
            assert config.terms.problems() == []

    hammer(st.tuples(flags, st.none() | bodies), check, 100)


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of 4 items, judged."""
    from benchmark.types import Verdict

    out = tmp_path_factory.mktemp("sound")
    told = {"model": "gold", "dataset": "builtin", "limit": 4, "name": "r", "out": str(out), "workers": 1}
    folder = execute(plan(make_config(told)), lambda *_: None)
    folder.append_verdicts(
        Verdict(example_id=one.id, judge="j", label="correct", reason="r", prompt_hash="h", key="k")
        for one in folder.examples()
    )
    return folder.path


def leaves(node: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The paths of everything inside a JSON value."""
    if path:
        yield path
    inner = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, value in inner:
        yield from leaves(value, (*path, key))


def with_value(node: Any, path: tuple[Any, ...], value: Any) -> Any:
    changed = copy.deepcopy(node)
    place = changed
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    return changed


def test_a_run_folder_of_a_strangers(sound: Path, tmp_path: Path) -> None:
    """Bytes and values of any of its files changed, cut or doubled: read, shown, verified, or refused with a word."""
    files = sorted(path.name for path in sound.iterdir() if path.suffix in (".json", ".jsonl"))
    assert {"manifest.json", "generations.jsonl", "scores.jsonl", "verdicts.jsonl"} <= set(files)
    damaged = RunFolder(tmp_path / "r")

    def damage(draw: st.DataObject) -> None:
        name = draw.draw(st.sampled_from(files))
        body = (sound / name).read_bytes()
        kind = draw.draw(st.sampled_from(["value", "value", "value", "cut", "bytes", "double", "gone"]))
        if kind == "value":
            records = [json.loads(body)] if name.endswith(".json") else list(map(json.loads, body.splitlines()))
            which = draw.draw(st.integers(0, len(records) - 1))
            path = draw.draw(st.sampled_from(list(leaves(records[which]))))
            records[which] = with_value(records[which], path, draw.draw(VALUES))
            body = b"".join(json.dumps(one).encode() + b"\n" for one in records)
        elif kind == "cut":
            body = body[: draw.draw(st.integers(0, len(body)))]
        elif kind == "bytes":
            place = draw.draw(st.integers(0, len(body)))
            body = body[:place] + draw.draw(st.binary(max_size=5)) + body[place + draw.draw(st.integers(0, 5)) :]
        elif kind == "double":
            body = body + body
        if kind == "gone":
            (damaged.path / name).unlink()
        else:
            (damaged.path / name).write_bytes(body)

    def check(draw: st.DataObject) -> None:
        shutil.rmtree(damaged.path, ignore_errors=True)
        shutil.copytree(sound, damaged.path)
        for _ in range(draw.draw(st.integers(1, 2))):
            with suppress(FileNotFoundError):
                damage(draw)
        for read in (RunFolder.manifest, RunFolder.health, RunFolder.every_verdict, RunFolder.adapter, summarise):
            with suppress(SqlgaugeError):
                read(damaged)
        with suppress(SqlgaugeError):
            build_board([damaged])
        with suppress(SqlgaugeError):
            config_of(damaged.manifest())
        verify_run(damaged, lambda *_: None, workers=1)

    hammer(st.data(), check, 25)
