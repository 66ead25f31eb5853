"""The panel: what is asked, what is never paid for twice, what it costs, and how it ends."""

from __future__ import annotations

import json
import multiprocessing
import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from judge_server import Answer, Call, JudgeServer, by_item, item_of, scripted_label, verdict

from benchmark.chat import ChatSettings
from benchmark.errors import BudgetExceeded, UsageError
from benchmark.models import Decoding, ModelOptions, open_model
from benchmark.store import RunFolder
from benchmark.types import Example, Failure, Generation, Message, Prompt, RunManifest, Verdict
from judges.bill import Bill, check_errors
from judges.ledger import Cache
from judges.panel import Panel
from judges.questions import keys_of
from judges.rubric import find_rubric
from judges.stream import GIVE_UP, LOST, UNREADABLE
from sqlgauge.judged import bill as shown_bill

pytestmark = pytest.mark.filterwarnings("ignore")  # litellm, aiohttp and pydantic warn about themselves
JUDGES = ("openai/a", "anthropic/b", "gemini/c")
RUBRIC = find_rubric("seed")
QUICK = ChatSettings(max_tokens=100, timeout=5.0, retries=1, backoff=0.01)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[JudgeServer]:
    for name in ("OPENAI_API_KEY", "ANTHROPIC_API_KEY", "GEMINI_API_KEY", "GOOGLE_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    with JudgeServer() as started:
        yield started


def silent(stage: str, done: int, total: int) -> None:
    pass


def make_run(path: Path, texts: list[str], ids: list[str] | None = None) -> RunFolder:
    """A run with an item a text; the question of the item at place 3 is 'item-3', whatever its id."""
    path.mkdir(parents=True)
    folder = RunFolder(path)
    folder.write_manifest(RunManifest(run_id=path.name, identity={}, provenance={}))
    names = ids or [f"item-{number}" for number in range(len(texts))]
    folder.write_examples(
        Example(
            id=name,
            question=f"item-{number}?",
            schema_sql="CREATE TABLE t (a INTEGER)",
            golds=("SELECT a FROM t",),
            dialect="sqlite",
            group="g",
        )
        for number, name in enumerate(names)
    )
    folder.append_generations(
        Generation(example_id=name, text=text, finish_reason="stop") for name, text in zip(names, texts, strict=True)
    )
    return folder


def select(number: int) -> list[str]:
    """So many different predictions."""
    return [f"SELECT a FROM t WHERE a > {n}" for n in range(number)]


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    return make_run(tmp_path / "run", select(6))


def panel_of(server: JudgeServer, *judges: str, settings: ChatSettings = QUICK, **options: object) -> Panel:
    return Panel(judges or JUDGES[:1], api_base=server.url, settings=settings, **options)  # type: ignore[arg-type]


def test_several_judges_are_asked_at_once(server: JudgeServer, folder: RunFolder) -> None:
    server.script = lambda call: replace(by_item(call), delay=0.3)
    seen: dict[str, list[tuple[int, int]]] = {}

    def progress(stage: str, done: int, total: int) -> None:
        seen.setdefault(stage, []).append((done, total))

    assert panel_of(server, *JUDGES).judge(folder, progress) == 0
    at = [call.at for call in server.calls]
    assert max(at) - min(at) < 0.3, "all calls were sent before the first answer"
    assert seen == {f"judge {judge}": [(done, 6) for done in range(7)] for judge in JUDGES}
    labels = {(v.judge, v.example_id): v.label for v in folder.verdicts()}
    assert labels == {
        (judge, f"item-{n}"): scripted_label(judge.partition("/")[2], f"item-{n}") for judge in JUDGES for n in range(6)
    }
    assert {v.model_version for v in folder.verdicts()} == {"a-2026", "b-2026", "c-2026"}


def test_a_verdict_is_on_disk_before_the_next_call_ends(server: JudgeServer, folder: RunFolder) -> None:
    seen = []

    def script(call: Call) -> Answer:
        seen.append(len(folder.verdicts()))
        return by_item(call)

    server.script = script
    panel_of(server, settings=replace(QUICK, concurrency=1)).judge(folder, silent)
    assert seen == [0, 1, 2, 3, 4, 5]


def test_everything_that_decides_an_answer_is_in_its_key(server: JudgeServer, folder: RunFolder) -> None:
    def keys(**options: object) -> set[str]:
        panel = panel_of(server, **options)  # type: ignore[arg-type]
        panel.judge(folder, silent)
        return {v.key for v in folder.every_verdict()}

    first = keys(rubric="strict")
    assert keys(rubric="strict", settings=replace(QUICK, concurrency=1, timeout=9.0)) == first
    assert len(server.calls) == 6
    for number, options in enumerate(
        [
            {"rubric": "seed"},
            {"rubric": "strict", "settings": replace(QUICK, temperature=0.5)},
            {"rubric": "strict", "settings": replace(QUICK, max_tokens=101)},
        ],
        start=2,
    ):
        assert not keys(**options) & first
        assert len(server.calls) == 6 * number
    assert keys(rubric="strict") == first
    assert len(server.calls) == 24, "what was paid for under a former configuration is found again"
    repeated = keys(rubric="strict", repeat=3)
    assert len(repeated) == 18
    assert first < repeated
    assert len(server.calls) == 24 + 12
    swapped = keys(rubric="strict", swap=True)
    assert len(server.calls) == 24 + 12 + 6
    assert len(swapped) == 24
    assert Counter((v.repeat, v.swapped) for v in folder.every_verdict()) == {
        (0, False): 6, (1, False): 6, (2, False): 6, (0, True): 6,
    }  # fmt: skip
    assert {(v.repeat, v.swapped) for v in folder.verdicts()} == {(0, False)}


def test_credentials_are_not_in_a_key_or_a_verdict(server: JudgeServer, folder: RunFolder, tmp_path: Path) -> None:
    base = server.url.replace("//", "//me:planted-password@")
    Panel(JUDGES[:1], api_base=base, settings=QUICK, cache=tmp_path / "cache").judge(folder, silent)
    panel_of(server).judge(folder, silent)
    assert len(server.calls) == 6
    for file in [*folder.path.iterdir(), *(tmp_path / "cache").iterdir()]:
        assert b"planted" not in file.read_bytes()


def test_another_run_and_the_cache_are_asked_first(server: JudgeServer, folder: RunFolder, tmp_path: Path) -> None:
    panel_of(server, cache=tmp_path / "cache").judge(folder, silent)
    expected = [v.label for v in folder.verdicts()]
    ids = [f"other-{n}" for n in range(6)]
    beside = make_run(tmp_path / "beside", select(6), ids)
    outcome = panel_of(server).judge_all([beside], silent, elsewhere=[folder])
    assert (outcome.bills[0].reused, outcome.bills[0].calls, outcome.bills[0].cost_usd) == (6, 0, 0.0)
    later = make_run(tmp_path / "later", select(6), ids)
    panel_of(server, cache=tmp_path / "cache").judge(later, silent)
    assert len(server.calls) == 6
    for run in (beside, later):
        assert [(v.example_id, v.label, v.reused) for v in run.verdicts()] == [
            (name, label, True) for name, label in zip(ids, expected, strict=True)
        ]


def test_equal_questions_of_one_command_are_asked_once(server: JudgeServer, tmp_path: Path) -> None:
    runs = [make_run(tmp_path / name, select(4)) for name in "ab"]
    outcome = panel_of(server).judge_all(runs, silent)
    assert len(server.calls) == outcome.bills[0].calls == 4
    assert [len(run.verdicts()) for run in runs] == [4, 4]


def test_a_cache_that_is_broken_counts_as_empty(server: JudgeServer, folder: RunFolder, tmp_path: Path) -> None:
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache" / "verdicts.sqlite").write_bytes(b"no database at all" * 100)
    assert panel_of(server, cache=tmp_path / "cache").judge(folder, silent) == 0
    (tmp_path / "file").write_text("")
    assert panel_of(server, cache=tmp_path / "file" / "x").judge(make_run(tmp_path / "b", select(2)), silent) == 0


def fill(folder: Path, start: int) -> None:
    """Put 300 verdicts into a cache, 200 of them the same ones as another process does."""
    cache = Cache(folder)
    for number in range(start, start + 300):
        one = Verdict(example_id="", judge="j", label="correct", reason=str(number), prompt_hash="h", key=f"k{number}")
        cache.put(one.key, one)
    cache.close()


def test_two_processes_share_a_cache(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    both = [context.Process(target=fill, args=[tmp_path, start]) for start in (0, 100)]
    for process in both:
        process.start()
    for process in both:
        process.join(60)
    assert [process.exitcode for process in both] == [0, 0]
    cache = Cache(tmp_path)
    found = [cache.get(f"k{number}") for number in range(400)]
    cache.close()
    assert [one.reason for one in found if one] == [str(number) for number in range(400)]


def test_old_lines_are_read_and_not_paid_for_again(server: JudgeServer, folder: RunFolder) -> None:
    panel = panel_of(server)
    said = {"judge": JUDGES[0], "label": "unsure", "reason": ""}
    old = [
        {**said, "example_id": question.generation.example_id, "prompt_hash": question.prompt_hash}
        for question in panel.questions(folder)
    ]
    (folder.path / "verdicts.jsonl").write_text("".join(json.dumps(line) + "\n" for line in old))
    assert panel.judge(folder, silent) == 0
    assert server.calls == []


def test_left_out_parameters_are_in_the_verdict(server: JudgeServer, folder: RunFolder) -> None:
    judges = ("openai/gpt-4o-mini", "openai/a", "anthropic/claude-opus-4-7")
    panel_of(server, *judges, settings=replace(QUICK, seed=1)).judge(folder, silent)
    assert {v.judge: v.dropped for v in folder.verdicts()} == {
        "openai/gpt-4o-mini": (),
        "openai/a": ("response_format",),
        "anthropic/claude-opus-4-7": ("seed", "temperature"),
    }


def test_the_limit_stops_before_it_is_passed_and_a_rerun_goes_on(
    server: JudgeServer, folder: RunFolder, tmp_path: Path
) -> None:
    prices = tmp_path / "prices.json"
    prices.write_text('{"openai/a": {"input_per_million": 0, "output_per_million": 1000}}')  # 0.1 a call at most
    server.script = lambda call: Answer('{"verdict": "correct", "reason": "' + "x" * 130 + '"}')  # 0.04 in truth
    with pytest.raises(BudgetExceeded, match=r"the limit of 0\.2 USD is reached") as caught:
        panel_of(server, prices=prices, max_cost=0.2).judge(folder, silent)
    assert caught.value.exit_code == 3
    paid = folder.verdicts()
    assert len(paid) == len(server.calls) == 3
    assert 0.1 < sum(v.cost_usd or 0 for v in paid) <= 0.2
    outcome = panel_of(server, prices=prices, max_cost=0.3).judge_all([folder], silent)
    assert len(server.calls) == 6
    assert outcome.bills[0].cost_usd == pytest.approx(sum(v.cost_usd or 0 for v in folder.verdicts()[3:]))
    with pytest.raises(UsageError, match="no price is known for gemini/c"):
        panel_of(server, "gemini/c", prices=prices, max_cost=1.0)


def test_an_estimate_calls_nobody_and_holds(server: JudgeServer, folder: RunFolder) -> None:
    judges = ("openai/gpt-4o-mini", "openai/a")
    panel = panel_of(server, *judges, repeat=2)
    known, unknown = panel.estimate([folder])
    assert server.calls == []
    assert not (folder.path / "verdicts.jsonl").exists()
    assert (known.calls, known.reused, known.completion_tokens_high) == (12, 0, 1200)
    assert known.prompt[0].content == panel.questions(folder)[0].chat[0].content
    assert (unknown.usd_low, unknown.usd_high, unknown.dropped) == (None, None, ("response_format",))
    bill = panel.judge_all([folder], silent).bills[0]
    assert known.usd_low is not None
    assert known.usd_high is not None
    assert bill.prompt_tokens == pytest.approx(known.prompt_tokens, rel=0.3)
    assert 0.7 * known.usd_low < bill.cost_usd < known.usd_high
    assert [(one.calls, one.reused) for one in panel.estimate([folder])] == [(0, 12), (0, 12)]


@pytest.mark.parametrize(
    ("answer", "most"),
    [
        (Answer(status=401), 1),
        (Answer(status=404), 1),
        (Answer(status=403), GIVE_UP),
        (Answer(status=500), GIVE_UP),
        (Answer("I like this query."), UNREADABLE),
    ],
    ids=["wrong key", "no such model", "forbidden", "broken", "prose"],
)
def test_a_judge_that_never_answers_is_given_up_and_the_others_are_not(
    server: JudgeServer, tmp_path: Path, answer: Answer, most: int
) -> None:
    run = make_run(tmp_path / "run", select(60))
    server.script = lambda call: answer if call.model == "a" else by_item(call)
    settings = replace(QUICK, concurrency=2, retries=0)
    outcome = panel_of(server, *JUDGES[:2], settings=settings).judge_all([run], silent)
    refused, answered = outcome.bills
    assert (refused.calls, refused.unasked) == (most + 1, 60 - most - 1)  # one more was under way
    assert (answered.calls, answered.failed, outcome.failed) == (60, 0, 60)
    with pytest.raises(BudgetExceeded, match=r"openai/a: 60 of 60 \(100\.0%\)") as caught:
        check_errors(outcome, 0.99)
    assert "anthropic/b" not in str(caught.value)
    check_errors(outcome, 1.0)


def test_a_judge_that_works_is_not_given_up_for_some_failures(server: JudgeServer, tmp_path: Path) -> None:
    run = make_run(tmp_path / "run", select(100))
    server.script = lambda call: by_item(call) if call.number <= 5 or call.number > 5 + LOST - 2 else Answer(status=500)
    settings = replace(QUICK, concurrency=1, retries=0)
    (bill,) = panel_of(server, settings=settings).judge_all([run], silent).bills
    assert (bill.calls, bill.failed, bill.unasked) == (100, LOST - 2, 0)
    server.script = lambda call: Answer(status=401)
    (bill,) = panel_of(server, settings=settings).judge_all([run], silent).bills
    assert (bill.calls, bill.unasked, round(bill.lost_share, 2)) == (1, LOST - 3, 1.0)


def test_a_share_of_failures_may_be_accepted(server: JudgeServer, tmp_path: Path) -> None:
    run = make_run(tmp_path / "run", select(40))
    server.script = lambda call: Answer(status=400) if call.number % 20 == 0 else by_item(call)
    outcome = panel_of(server).judge_all([run], silent)
    assert outcome.bills[0].lost_share == 0.05
    check_errors(outcome, 0.05)
    with pytest.raises(BudgetExceeded, match=r"more than 4\.9%"):
        check_errors(outcome, 0.049)


def test_servers_stand_in_for_each_other_under_one_key(server: JudgeServer, folder: RunFolder) -> None:
    with JudgeServer(lambda call: Answer(status=500)) as broken:
        bases = {JUDGES[0]: [broken.url, server.url]}
        (bill,) = Panel(JUDGES[:1], api_base=bases, settings=QUICK).judge_all([folder], silent).bills
        assert (bill.failed, bill.places, bill.versions) == (0, {server.url: 6}, {"a-2026": 6})
        keys = {v.key for v in folder.verdicts()}
        asked = len(broken.calls)
        (again,) = Panel(JUDGES[:1], api_base=broken.url, settings=QUICK).judge_all([folder], silent).bills
        assert (again.calls, len(broken.calls)) == (0, asked), "the first URL names the judge"
        panel_of(server).judge(folder, silent)
        assert len(server.calls) == 12, "another server alone may hold another model"
        assert {v.key for v in folder.verdicts()}.isdisjoint(keys)


def test_answers_of_several_versions_are_said() -> None:
    one = Verdict(example_id="i", judge="openai/a", label="correct", reason="", prompt_hash="h", model_version="a-1")
    bill = Bill(judge="openai/a")
    for version in ("a-1", "a-2", "a-2"):
        bill.add(replace(one, model_version=version), place="http://gpu1/v1")
    bill.add(replace(one, label=None, error=Failure(type="Bad", message="\x1b[31mred\nline", retryable=True)))
    shown = shown_bill(bill)
    assert "openai/a: note: answers of 2 versions of the model: a-1 (1), a-2 (2)" in shown
    assert "openai/a: answered by http://gpu1/v1 (3)" in shown
    assert "last failure: Bad:  [31mred line" in shown, "a server's text cannot steer a terminal"


def test_each_repeat_has_the_next_seed(server: JudgeServer, folder: RunFolder) -> None:
    def asked(**options: object) -> list[tuple[str, int]]:
        before = len(server.calls)
        panel_of(server, "openai/gpt-4o-mini", repeat=3, **options).judge(folder, silent)  # type: ignore[arg-type]
        return sorted((item_of(call.prompt), call.body.get("seed", -1)) for call in server.calls[before:])

    items = [f"item-{n}" for n in range(6)]
    assert asked(settings=replace(QUICK, seed=7)) == [(item, 7 + n) for item in items for n in range(3)]
    assert asked(settings=QUICK) == [(item, -1) for item in items for _ in range(3)]
    assert asked(settings=replace(QUICK, seed=7)) == []


def test_a_pace_is_each_judges_own(server: JudgeServer, folder: RunFolder) -> None:
    panel_of(server).judge(make_run(folder.path.parent / "warm", select(1)), silent)
    server.calls.clear()
    settings = replace(QUICK, rpm=2, window=1.0)
    panel_of(server, *JUDGES[:2], settings=settings).judge(folder, silent)
    for wire in ("openai", "anthropic"):
        at = [call.at for call in server.calls if call.wire == wire]
        assert len(at) == 6
        assert max(sum(0 <= one - first < 1.0 for one in at) for first in at) <= 2


def test_what_another_process_asks_is_waited_for(server: JudgeServer, folder: RunFolder, tmp_path: Path) -> None:
    """A claim of somebody else: others are asked first; it is asked once the claim ends, or copied."""
    panel = panel_of(server, cache=tmp_path / "cache", settings=replace(QUICK, concurrency=2))
    keys = [key for _, _, key in keys_of(panel.questions(folder), panel.clients[JUDGES[0]], RUBRIC.digest, 1)]
    other = Cache(tmp_path / "cache")
    assert [other.claim(key) for key in keys[:2]] == [True, True]
    done = Verdict(example_id="", judge=JUDGES[0], label="unsure", reason="theirs", prompt_hash="h", key=keys[0])

    def script(call: Call) -> Answer:
        if len(server.calls) == 4:  # the last of the others: now the first verdict comes, and the second claim ends
            writer = Cache(tmp_path / "cache")
            writer.put(keys[0], done)
            writer.close()
            with closing(sqlite3.connect(other.path, isolation_level=None)) as db:
                db.execute("DELETE FROM claim WHERE key IN (?, ?)", keys[:2])
        return by_item(call)

    server.script = script
    (bill,) = panel.judge_all([folder], silent).bills
    other.close()
    assert {item_of(call.prompt) for call in server.calls[:4]} == {f"item-{n}" for n in (2, 3, 4, 5)}
    assert (bill.calls, bill.reused, bill.unasked) == (5, 1, 0)
    assert {v.example_id: v.reason for v in folder.verdicts() if v.reused} == {"item-0": "theirs"}


def test_claims_end_with_failure_and_with_the_process(server: JudgeServer, folder: RunFolder, tmp_path: Path) -> None:
    server.script = lambda call: Answer(status=400 if call.number % 2 else 200, text="prose")
    panel_of(server, cache=tmp_path / "cache").judge(folder, silent)
    with closing(sqlite3.connect(tmp_path / "cache" / "verdicts.sqlite")) as db:
        assert db.execute("SELECT count(*) FROM claim").fetchone() == (0,)
        assert db.execute("SELECT count(*) FROM owner").fetchone() == (0,)


def test_there_is_nothing_to_repeat_or_swap_without_sql(server: JudgeServer, tmp_path: Path) -> None:
    run = make_run(tmp_path / "run", ["I cannot say.", "SELECT 1"])
    panel_of(server, rubric="strict", repeat=2, swap=True).judge(run, silent)
    found = [(v.example_id, v.repeat, v.swapped) for v in run.every_verdict()]
    assert found.count(("item-0", 0, False)) == sum(name == "item-0" for name, _, _ in found) == 1
    assert len(found) == 1 + 4


def test_what_cannot_be_is_said_at_once(server: JudgeServer, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="at least once"):
        panel_of(server, repeat=0)
    rubric = tmp_path / "named.j2"
    rubric.write_text("Does this:\n{{ prediction }}\ndo what this does:\n{{ gold }}")
    with pytest.raises(UsageError, match="trade places"):
        panel_of(server, rubric=str(rubric), swap=True)


@pytest.mark.weights
def test_a_real_model_as_the_judge(server: JudgeServer, tmp_path: Path) -> None:
    """SmolLM2 behind chat completions: what it writes is a verdict that can be read, or an error without a value."""
    model = open_model("builtin/smollm2-135m", ModelOptions(dtype="float32"), ())
    model.prepare()
    said: list[str] = []

    def script(call: Call) -> Answer:
        chat = tuple(Message(role=one["role"], content=one["content"]) for one in call.body["messages"])
        prompt = Prompt(example_id=str(call.number), messages=chat, template="judge", template_hash="")
        said.append(model.generate([prompt], Decoding(max_new_tokens=40))[0].text)
        return Answer(said[-1])

    server.script = script
    run = make_run(tmp_path / "run", select(3))
    settings = ChatSettings(max_tokens=40, concurrency=1, timeout=300)
    failed = panel_of(server, "openai/smollm2-135m", settings=settings).judge(run, silent)
    verdicts = run.verdicts()
    assert (len(verdicts), len(said)) == (3, 3)
    assert all(said)
    assert failed == sum(v.label is None for v in verdicts)
    for one in verdicts:
        assert (one.label is None) == (one.error is not None)
        assert one.error is None or one.error.type == "UnreadableVerdict"
        assert one.prompt_tokens


def test_verdicts_may_come_in_any_wire_format_with_a_schema(server: JudgeServer, folder: RunFolder) -> None:
    server.script = lambda call: verdict("unsure")
    judges = ("openai/gpt-4o-mini", "anthropic/claude-sonnet-4-5", "gemini/gemini-2.5-flash")
    assert panel_of(server, *judges).judge(folder, silent) == 0
    assert {v.label for v in folder.verdicts()} == {"unsure"}
    sent = {call.wire: json.dumps(call.body) for call in server.calls}
    assert all('"enum"' in body and "unsure" in body for body in sent.values()), "the schema was sent to each"
