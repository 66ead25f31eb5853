"""The chat client's pace, its servers that stand in for each other, and what it does without a key: a real server."""

from __future__ import annotations

import asyncio
import random
import socket
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import pytest
from judge_server import Answer, Call, JudgeServer, Script, by_item

from benchmark.chat import Budget, ChatClient, ChatReply, ChatSettings, Price, Prices
from benchmark.chat.pace import GRACE, Pace, TooLarge
from benchmark.errors import MissingKey
from benchmark.types import Message

pytestmark = pytest.mark.filterwarnings("ignore")  # litellm, aiohttp and pydantic warn about themselves
WIRES = ("openai/judge", "anthropic/judge", "gemini/judge")
QUICK = ChatSettings(max_tokens=50, timeout=5.0, retries=2, backoff=0.01)
CHAT = (Message(role="user", content="about item-7"),)
WINDOW = 1.2


@pytest.fixture
def start(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Script], JudgeServer]]:
    """Starts a server with a script; all end with the test."""
    for name in ("OPENAI_API_KEY", "ANTHROPIC_API_KEY", "GEMINI_API_KEY", "GOOGLE_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    running: list[JudgeServer] = []

    def begin(script: Script) -> JudgeServer:
        running.append(JudgeServer(script).__enter__())
        return running[-1]

    yield begin
    for one in running:
        one.__exit__()


@pytest.fixture
def dead() -> str:
    """A URL where nobody listens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{free.getsockname()[1]}"


def client(bases: str | Sequence[str], model: str = WIRES[0], **changes: object) -> ChatClient:
    return ChatClient(model, replace(QUICK, **changes), bases)  # type: ignore[arg-type]


def busiest(calls: Sequence[Call], worth: Callable[[Call], float]) -> float:
    """The most that any window from the arrival of a call on holds."""
    return max(sum(worth(one) for one in calls if 0 <= one.at - first.at < WINDOW) for first in calls)


def warm(server: JudgeServer) -> None:
    """Have litellm load what it loads with a process's first call, which takes seconds."""
    client(server.url).complete([CHAT])
    server.calls.clear()


def errors(replies: Sequence[ChatReply]) -> list[str]:
    return [reply.error.type for reply in replies if reply.error]


@pytest.mark.parametrize("delay", [0.0, 0.2])
def test_no_window_holds_more_requests_than_rpm(start: Callable[[Script], JudgeServer], delay: float) -> None:
    server = start(lambda call: replace(by_item(call), delay=delay))
    warm(server)
    asking, began = client(server.url, rpm=10, window=WINDOW, concurrency=8), time.monotonic()
    replies = asking.complete([CHAT] * 15)
    replies += asking.complete([CHAT] * 10)  # another event loop: what was sent before still counts
    spent = time.monotonic() - began
    assert errors(replies) == []
    assert len(server.calls) == 25
    assert busiest(server.calls, lambda call: 1) <= 10
    assert spent > 2 * WINDOW
    assert spent < 3 * (WINDOW * (1 + GRACE) + delay) + 3, "and it does not dawdle"


def test_repeated_requests_count_too(start: Callable[[Script], JudgeServer]) -> None:
    server = start(by_item)
    warm(server)
    server.script = lambda call: Answer(status=500) if call.number % 2 else by_item(call)
    assert errors(client(server.url, rpm=6, window=WINDOW, retries=9).complete([CHAT] * 10)) == []
    assert len(server.calls) > 10
    assert busiest(server.calls, lambda call: 1) <= 6


def test_no_window_holds_more_tokens_than_tpm(start: Callable[[Script], JudgeServer]) -> None:
    server = start(lambda call: Answer("x" * 120))
    warm(server)
    long = (Message(role="user", content="item-7 " * 20),)
    replies = client(server.url, tpm=400, window=WINDOW).complete([long, CHAT] * 10)
    used = {call.number: len(call.prompt) // 4 + 1 + 31 for call in server.calls}
    assert errors(replies) == []
    assert sum((reply.prompt_tokens or 0) + (reply.completion_tokens or 0) for reply in replies) == sum(used.values())
    assert sum(used.values()) > 2 * 400, "there was something to hold back"
    assert 200 < busiest(server.calls, lambda call: used[call.number]) <= 400


def test_a_request_that_no_minute_holds_is_not_sent(start: Callable[[Script], JudgeServer]) -> None:
    server = start(by_item)
    (reply,) = client(server.url, tpm=20).complete([CHAT])
    assert reply.error is not None
    assert (reply.error.type, reply.error.retryable, reply.final, reply.attempts) == ("TooLarge", False, False, 1)
    assert "--tpm allows 20" in reply.error.message
    assert server.calls == []


def test_the_window_slides() -> None:
    """Any calls and answers: never more than the limit, and room again a window after the oldest answer."""
    now, draw = [0.0], random.Random(5)
    pace = Pace(rpm=7, tpm=100, window=10.0, clock=lambda: now[0])
    sent: list[tuple[float, float]] = []
    under_way = []
    for _ in range(400):
        now[0] += draw.uniform(0, 2)
        while under_way and draw.random() < 0.5:
            pace.end(under_way.pop(0))
        tokens = draw.choice([1, 10, 40])
        if (wait := pace.wait(tokens)) > 0:
            assert wait <= 10.0 * (1 + GRACE)
            continue
        under_way.append(pace.take(tokens))
        sent.append((now[0], tokens))
    for at, _ in sent:
        inside = [tokens for when, tokens in sent if at <= when < at + 10.0]
        assert len(inside) <= 7
        assert sum(inside) <= 100
    assert len(sent) > 100
    with pytest.raises(TooLarge):
        pace.wait(101)


def test_what_an_answer_took_replaces_its_estimate() -> None:
    now = [0.0]
    pace = Pace(tpm=100, window=10.0, clock=lambda: now[0])
    turn = pace.take(100)
    assert pace.wait(50) > 0
    pace.end(turn, tokens=30)
    assert pace.wait(70) == 0
    assert pace.wait(71) == 10.0
    now[0] = 10.0
    assert pace.wait(100) == 0


@pytest.mark.parametrize("model", WIRES)
def test_a_server_that_is_not_there_is_left_at_once(
    start: Callable[[Script], JudgeServer], dead: str, model: str
) -> None:
    server = start(by_item)
    asking = client([dead, server.url], model, concurrency=1, backoff=5.0)
    began = time.monotonic()
    replies = asking.complete([CHAT] * 3)
    assert time.monotonic() - began < 5, "nobody waited for the dead one"
    assert errors(replies) == []
    assert [reply.attempts for reply in replies] == [2, 1, 1], "and it was tried once"
    assert {reply.place for reply in replies} == {server.url}
    assert asking.identity() == client(dead, model).identity(), "the first one names the client"


def test_a_server_that_fails_after_all_retries_is_left(start: Callable[[Script], JudgeServer]) -> None:
    broken, works = start(lambda call: Answer(status=500)), start(by_item)
    asking = client([broken.url, works.url], concurrency=1)
    replies = asking.complete([CHAT] * 4)
    assert errors(replies) == []
    assert (len(broken.calls), len(works.calls)) == (3, 4)
    assert replies[0].attempts == 4
    works.script, broken.script = (lambda call: Answer(status=503)), by_item
    assert errors(asking.complete([CHAT])) == [], "and it comes back when the other one fails"


def test_a_wrong_key_at_one_server_need_not_be_wrong_at_another(start: Callable[[Script], JudgeServer]) -> None:
    locked, works = start(lambda call: Answer(status=401)), start(by_item)
    assert errors(client([locked.url, works.url], concurrency=1).complete([CHAT] * 3)) == []
    assert len(locked.calls) == 1
    (reply,) = client(locked.url).complete([CHAT])
    assert (reply.final, reply.attempts) == (True, 1)


def test_a_bad_request_is_bad_everywhere(start: Callable[[Script], JudgeServer]) -> None:
    first, second = start(lambda call: Answer(status=400)), start(by_item)
    (reply,) = client([first.url, second.url]).complete([CHAT])
    assert reply.error is not None
    assert (reply.error.retryable, reply.final, reply.place) == (False, False, first.url)
    assert second.calls == []


def test_where_nobody_answers_all_are_tried(start: Callable[[Script], JudgeServer], dead: str) -> None:
    broken = start(lambda call: Answer(status=500))
    (reply,) = client([dead, broken.url]).complete([CHAT])
    assert reply.error is not None
    assert (reply.error.retryable, reply.attempts, len(broken.calls)) == (True, 1 + 3, 3)


def test_a_server_that_is_not_there_costs_nothing(dead: str) -> None:
    budget = Budget(1.0)
    prices = Prices({WIRES[0]: Price(0.0, 1000.0)})
    ChatClient(WIRES[0], replace(QUICK, retries=0), dead, prices=prices, budget=budget).complete([CHAT])
    assert budget.spent == 0.0


def test_without_a_key_one_can_count_and_not_ask(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    model = "anthropic/claude-sonnet-4-5"
    with pytest.raises(MissingKey, match="ANTHROPIC_API_KEY"):
        ChatClient(model, QUICK)
    counting = ChatClient(model, QUICK, keyless=True)
    assert counting.estimate(CHAT) > 0
    assert counting.complete([CHAT])[0].error is not None


def test_repeats_of_a_chat_have_seeds_of_their_own(start: Callable[[Script], JudgeServer]) -> None:
    server = start(by_item)

    async def ask_all(asking: ChatClient) -> list[object]:
        for repeat in range(3):
            await asking.ask(CHAT, repeat)
        await asking.close()
        return [call.body.get("seed") for call in server.calls[-3:]]

    assert asyncio.run(ask_all(client(server.url, seed=40))) == [40, 41, 42]
    assert asyncio.run(ask_all(client(server.url))) == [None] * 3
    assert asyncio.run(ask_all(client(server.url, "anthropic/claude-sonnet-4-5", seed=40))) == [None] * 3, (
        "it takes none"
    )
