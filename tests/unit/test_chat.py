"""The chat client against a real server on loopback: waits, retries, parameters, money, secrets."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from email.utils import formatdate
from pathlib import Path

import pytest
from judge_server import Answer, Call, JudgeServer, Script, by_item

from benchmark.chat import Budget, ChatClient, ChatReply, ChatSettings, Price, Prices
from benchmark.chat.retry import asked_wait
from benchmark.errors import BudgetExceeded, UsageError
from benchmark.models import Decoding, ModelOptions, open_model
from benchmark.prompts import render
from benchmark.types import Example, Message

pytestmark = pytest.mark.filterwarnings("ignore")  # litellm, aiohttp and pydantic warn about themselves
WIRES = ("openai/judge", "anthropic/judge", "gemini/judge")
QUICK = ChatSettings(max_tokens=50, timeout=5.0, retries=2, backoff=0.01)
CHAT = (Message(role="user", content="about item-7"),)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[JudgeServer]:
    for name in ("OPENAI_API_KEY", "ANTHROPIC_API_KEY", "GEMINI_API_KEY", "GOOGLE_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    with JudgeServer() as started:
        yield started


def first(answer: Answer) -> Script:
    """The first call gets `answer`, the others what they should."""
    return lambda call: answer if call.number == 1 else by_item(call)


def always(answer: Answer) -> Script:
    return lambda call: answer


def ask(server: JudgeServer, model: str = WIRES[0], settings: ChatSettings = QUICK) -> ChatReply:
    (reply,) = ChatClient(model, settings, server.url).complete([CHAT])
    return reply


@pytest.mark.parametrize("model", WIRES)
def test_three_providers_answer_alike(server: JudgeServer, model: str) -> None:
    reply = ask(server, model)
    assert server.calls[0].wire == model.partition("/")[0]
    assert '"verdict"' in reply.text
    assert (reply.model_version, reply.finish_reason, reply.error) == ("judge-2026", "stop", None)
    assert (reply.prompt_tokens, reply.completion_tokens) == (5, len(reply.text) // 4 + 1)


@pytest.mark.parametrize("model", WIRES)
@pytest.mark.parametrize("status", [400, 401, 403, 404])
def test_what_is_refused_every_time_is_asked_once(server: JudgeServer, model: str, status: int) -> None:
    server.script = always(Answer(status=status))
    reply = ask(server, model)
    assert reply.error is not None
    assert not reply.error.retryable
    assert len(server.calls) == reply.attempts == 1


@pytest.mark.parametrize("model", WIRES)
@pytest.mark.parametrize(
    "fault",
    [Answer(status=500), Answer(status=503), Answer(status=429), Answer(raw=b""), Answer(raw=b'{"choices": ')],
    ids=["500", "503", "429", "empty", "broken"],
)
def test_what_may_pass_is_asked_again(server: JudgeServer, model: str, fault: Answer) -> None:
    server.script = first(fault)
    assert ask(server, model).error is None
    assert len(server.calls) == 2
    server.script = always(fault)
    reply = ask(server, model)
    assert (reply.attempts, reply.error is not None and reply.error.retryable) == (3, True)


def test_no_credit_is_no_reason_to_wait(server: JudgeServer) -> None:
    server.script = always(Answer(status=429, error="insufficient_quota"))
    assert ask(server).attempts == 1


@pytest.mark.parametrize("model", WIRES)
def test_a_hang_ends_at_the_deadline(server: JudgeServer, model: str) -> None:
    server.script = always(Answer(hang=True))
    started = time.monotonic()
    reply = ask(server, model, ChatSettings(timeout=0.3, retries=1, backoff=0.01))
    assert 0.6 <= time.monotonic() - started < 5
    assert reply.error is not None
    assert reply.error.retryable
    assert len(server.calls) == 2


@pytest.mark.parametrize("model", WIRES)
@pytest.mark.parametrize(
    ("header", "value", "least"),
    [("Retry-After", lambda: "1", 1.0), ("Retry-After-Ms", lambda: "400", 0.4),
     ("Retry-After", lambda: formatdate(time.time() + 2, usegmt=True), 0.9)],
    ids=["seconds", "milliseconds", "date"],
)  # fmt: skip
def test_retry_after_is_waited_for(
    server: JudgeServer, model: str, header: str, value: Callable[[], str], least: float
) -> None:
    server.script = first(Answer(status=429, headers={header: value()}))
    assert ask(server, model).error is None
    assert server.calls[1].at - server.calls[0].at >= least


def test_retry_after_holds_for_all_calls_of_a_client(server: JudgeServer) -> None:
    def script(call: Call) -> Answer:
        return Answer(status=429, headers={"Retry-After": "1"}) if call.number == 1 else Answer("ok", delay=0.1)

    server.script = script
    client = ChatClient(WIRES[0], ChatSettings(concurrency=2, retries=1), server.url)
    assert [reply.text for reply in client.complete([CHAT] * 8)] == ["ok"] * 8
    at = [call.at - server.calls[0].at for call in server.calls]
    assert sum(0.3 < seconds < 0.9 for seconds in at) == 0, "nothing was sent while the provider wanted peace"


def test_a_provider_that_asks_for_too_much_time_is_left_for_a_rerun(server: JudgeServer) -> None:
    server.script = always(Answer(status=429, headers={"Retry-After": "3600"}))
    reply = ask(server)
    assert reply.attempts == 1
    assert reply.error is not None
    assert reply.error.retryable


def test_retry_after_that_is_no_time_is_none() -> None:
    error = Exception()
    error.litellm_response_headers = {"Retry-After": "soon"}  # type: ignore[attr-defined]
    assert asked_wait(error) is None
    assert asked_wait(Exception()) is None


def test_parameters_that_a_provider_does_not_take_are_named(server: JudgeServer) -> None:
    wanted = ChatSettings(temperature=0.0, seed=3, response_schema={"type": "object"})
    left_out = {
        "openai/judge": ("response_format",),
        "openai/gpt-4o-mini": (),
        "openai/gpt-5": ("temperature",),
        "anthropic/claude-sonnet-4-5": ("seed",),
        "anthropic/claude-opus-4-7": ("seed", "temperature"),
    }
    for model, names in left_out.items():
        client = ChatClient(model, wanted, server.url)
        assert client.left_out == names
        assert not client.identity()["parameters"].keys() & set(names)
        assert client.complete([CHAT])[0].error is None
    sent = {call.model: set(call.body) for call in server.calls}
    assert {"temperature", "seed", "response_format"} <= sent["gpt-4o-mini"]
    assert "seed" in sent["gpt-5"]
    assert not {"temperature", "seed"} & sent["claude-opus-4-7"]


def test_a_run_refuses_what_its_provider_does_not_take(server: JudgeServer, shop: list[Example]) -> None:
    model = open_model("openai/gpt-5", ModelOptions(api_base=server.url), shop)
    with pytest.raises(UsageError, match=r"does not take temperature 0\.0"):
        model.generate([render(shop[0])], Decoding())
    assert server.calls == []
    assert open_model("anthropic/x", ModelOptions(api_base=server.url), shop).identity()["not_sent"] == ["seed"]


def test_prices_own_ones_first(server: JudgeServer, tmp_path: Path) -> None:
    file = tmp_path / "prices.yaml"
    file.write_text("openai/judge: {input_per_million: 1000, output_per_million: 2000}\n")
    client = ChatClient("openai/judge", QUICK, server.url, prices=Prices.read(file))
    (reply,) = client.complete([CHAT])
    assert reply.completion_tokens is not None
    assert reply.cost_usd == pytest.approx((5 * 1000 + reply.completion_tokens * 2000) / 1e6)
    assert ask(server).cost_usd is None, "no price is no cost, and not 0"
    known = ask(server, "anthropic/claude-sonnet-4-5")  # the server calls it claude-sonnet-4-5-2026
    assert known.completion_tokens is not None
    assert known.cost_usd == pytest.approx((5 * 3 + known.completion_tokens * 15) / 1e6)
    for text in (
        "openai/judge: 3",
        "openai/judge: {input_per_million: 1}",
        "- x",
        "{",
        "x: {input_per_million: -1, output_per_million: 1}",
    ):
        file.write_text(text)
        with pytest.raises(UsageError, match=r"prices\.yaml"):
            Prices.read(file)


def test_a_limit_needs_a_price(server: JudgeServer) -> None:
    with pytest.raises(UsageError, match="no price is known for openai/judge") as caught:
        ChatClient("openai/judge", QUICK, server.url, budget=Budget(1.0))
    assert "--prices" in caught.value.hint


def test_no_call_is_sent_that_could_pass_the_limit(server: JudgeServer) -> None:
    """Each call costs at most 0.10 USD by its estimate and 0.01 in truth, of 0.25: two at once, and 15 or 16 in all."""
    server.script = always(Answer("x" * 36, delay=0.02))
    prices = Prices({"openai/judge": Price(0.0, 1000.0)})
    budget = Budget(0.25)
    client = ChatClient("openai/judge", ChatSettings(max_tokens=100), server.url, prices=prices, budget=budget)

    async def ask_all() -> list[ChatReply | BaseException]:
        found = await asyncio.gather(*(client.ask(CHAT) for _ in range(30)), return_exceptions=True)
        await client.close()
        return found

    replies = asyncio.run(ask_all())
    refused = [reply for reply in replies if isinstance(reply, BudgetExceeded)]
    assert len(server.calls) == 16
    assert len(refused) == 14
    assert budget.spent == pytest.approx(0.16)
    assert "may cost 0.1000 USD" in str(refused[0])


def test_a_request_of_unknown_fate_counts_at_its_estimate(server: JudgeServer) -> None:
    prices = Prices({"openai/judge": Price(0.0, 1000.0)})
    for answer, spent in [(Answer(hang=True), 0.1), (Answer(raw=b""), 0.1), (Answer(status=500), 0.0)]:
        server.script, budget = always(answer), Budget(1.0)
        settings = ChatSettings(max_tokens=100, timeout=0.3, retries=0)
        ChatClient("openai/judge", settings, server.url, prices=prices, budget=budget).complete([CHAT])
        assert budget.spent == pytest.approx(spent)


@pytest.mark.parametrize("model", WIRES)
def test_secrets_never_reach_an_error(server: JudgeServer, model: str, monkeypatch: pytest.MonkeyPatch) -> None:
    secret = "sk-planted-secret-0123456789"
    monkeypatch.setenv(f"{model.partition('/')[0].upper()}_API_KEY", secret)
    for answer in (Answer(status=401, error=f"wrong key {secret}"), Answer(status=500, error=secret), Answer(raw=b"")):
        server.script = always(answer)
        base = server.url.replace("//", "//me:planted-password@")
        for url in (server.url, base):
            client = ChatClient(model, ChatSettings(retries=0), url)
            (reply,) = client.complete([CHAT])
            assert reply.error is not None
            assert "planted" not in str(reply) + str(client.identity())
