"""Calls a second through the chat client, against a bare httpx loop in the same run, and what a call costs in CPU.

    python tests/perf/judging.py [--rounds 3] [--concurrency 64] [--delays 1.0 0.2] [--models …] [--router]

The server (tests/judge_server.py) runs in a process of its own, waits the delay and answers with a verdict. Each loop
sends the same prompt of some 800 words, `concurrency` at a time, and reads the verdict from the answer. `panel` is the
whole of `Panel.judge` on a run folder: rendering, ledger, parsing, a line on disk for each verdict. `--router` adds
litellm's Router as it comes. A model that litellm has no price for takes longer, for litellm looks for one. The rounds
take turns; the best of each counts. CPU is that of this process.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import httpx

from benchmark.chat import ChatClient, ChatSettings
from benchmark.chat.provider import load_litellm
from benchmark.store import RunFolder
from benchmark.types import Example, Generation, Message, RunManifest
from judges.panel import Panel
from judges.parse import parse_verdict

MODELS = ("openai/gpt-4o-mini", "anthropic/claude-sonnet-4-5", "gemini/gemini-2.5-flash")
PROMPT = "Are these two queries equivalent? " * 160
Ask = Callable[[int], Awaitable[str]]


class Speed(NamedTuple):
    """Calls a second, and milliseconds of CPU a call."""

    rate: float
    cpu: float


async def drive(ask: Ask, calls: int, concurrency: int) -> Speed:
    """Make the calls, `concurrency` at a time."""
    numbers = iter(range(calls))

    async def work() -> None:
        for number in numbers:
            parse_verdict(await ask(number))

    started, cpu = time.perf_counter(), time.process_time()
    await asyncio.gather(*(work() for _ in range(concurrency)))
    return Speed(calls / (time.perf_counter() - started), 1000 * (time.process_time() - cpu) / calls)


async def bare(url: str, calls: int, concurrency: int) -> Speed:
    """What one would write without litellm; its connections are open before the clock starts."""
    limits = httpx.Limits(max_connections=concurrency, max_keepalive_connections=concurrency)
    async with httpx.AsyncClient(timeout=60, limits=limits) as http:

        async def ask(number: int) -> str:
            messages = [{"role": "user", "content": f"{PROMPT}{number}"}]
            body = {"model": "judge", "messages": messages, "max_tokens": 400, "temperature": 0}
            answer = await http.post(f"{url}/chat/completions", json=body)
            return str(answer.json()["choices"][0]["message"]["content"])

        await drive(ask, concurrency, concurrency)
        return await drive(ask, calls, concurrency)


async def through_client(model: str, url: str, calls: int, concurrency: int) -> Speed:
    """The chat client, its connections open as well."""
    client = ChatClient(model, ChatSettings(max_tokens=400, concurrency=concurrency), url)

    async def ask(number: int) -> str:
        reply = await client.ask([Message(role="user", content=f"{PROMPT}{number}")])
        assert reply.error is None, reply.error
        return reply.text

    try:
        await drive(ask, concurrency, concurrency)
        return await drive(ask, calls, concurrency)
    finally:
        await client.close()


async def through_router(model: str, url: str, calls: int, concurrency: int) -> Speed:
    """litellm's Router as it comes."""
    place = {"model": model, "api_base": url, "api_key": "none"}
    deployments = [{"model_name": "model", "litellm_params": place}]
    router = load_litellm().Router(model_list=deployments, num_retries=4, timeout=60, disable_cooldowns=True)

    async def ask(number: int) -> str:
        messages = [{"role": "user", "content": f"{PROMPT}{number}"}]
        response: Any = await router.acompletion(model="model", messages=messages, max_tokens=400, temperature=0)
        return str(response.choices[0].message.content)

    await drive(ask, concurrency, concurrency)
    return await drive(ask, calls, concurrency)


def through_panel(model: str, url: str, calls: int, concurrency: int) -> Speed:
    """Judging a run folder, from its generations to its verdicts on disk."""
    with tempfile.TemporaryDirectory() as name:
        run = RunFolder(Path(name))
        run.write_manifest(RunManifest(run_id="perf", identity={}, provenance={}))
        shared = {"schema_sql": "CREATE TABLE t (a INTEGER)", "golds": ("SELECT a FROM t",), "dialect": "sqlite"}
        run.write_examples(Example(id=str(i), question=PROMPT[:2500], group="g", **shared) for i in range(calls))
        run.append_generations(
            Generation(example_id=str(i), text=f"SELECT a FROM t WHERE a > {i}", finish_reason="stop")
            for i in range(calls)
        )
        panel = Panel([model], api_base=url, settings=ChatSettings(max_tokens=400, concurrency=concurrency))
        started, cpu = time.perf_counter(), time.process_time()
        failed = panel.judge(run, lambda *progress: None)
        assert failed == 0, f"{failed} calls failed"
        return Speed(calls / (time.perf_counter() - started), 1000 * (time.process_time() - cpu) / calls)


def measure(delay: float, rounds: int, concurrency: int, models: Sequence[str], router: bool) -> None:
    """Print a line for each loop at one delay."""
    calls = concurrency * max(5, round(4 / delay))
    server = [sys.executable, str(Path(__file__).parent.parent / "judge_server.py"), "--delay", str(delay)]
    with subprocess.Popen(server, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        best: dict[str, Speed] = {}
        for _ in range(rounds):
            found = {"httpx": asyncio.run(bare(url, calls, concurrency))}
            for model in models:
                found[f"client, {model}"] = asyncio.run(through_client(model, url, calls, concurrency))
                if router:
                    found[f"Router, {model}"] = asyncio.run(through_router(model, url, calls, concurrency))
            found[f"panel, {models[0]}"] = through_panel(models[0], url, calls, concurrency)
            best = {name: max(best.get(name, speed), speed) for name, speed in found.items()}
        process.stdin.close()
    print(json.dumps({"delay": delay, "concurrency": concurrency, "calls": calls, "rounds": rounds}))
    for name, speed in best.items():
        share, more = speed.rate / best["httpx"].rate, speed.cpu - best["httpx"].cpu
        print(
            f"{name:<36} {speed.rate:7.1f} calls/s {share:6.1%} of httpx   {speed.cpu:5.2f} ms CPU a call ({more:+.2f})"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--concurrency", type=int, default=64)
    parser.add_argument("--delays", type=float, nargs="+", default=[1.0, 0.2])
    parser.add_argument("--models", nargs="+", default=MODELS, help="Of the wire formats openai, anthropic, gemini.")
    parser.add_argument("--router", action="store_true")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")  # litellm, aiohttp and pydantic warn about themselves
    for delay in arguments.delays:
        measure(delay, arguments.rounds, arguments.concurrency, arguments.models, arguments.router)


if __name__ == "__main__":
    main()
