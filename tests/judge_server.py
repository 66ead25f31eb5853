"""A server on loopback that could be three providers: OpenAI (chat completions), Anthropic (messages) and Gemini.

Promises: a test says what each call gets (`script`: a function of the call); every call is counted and kept, in order.
It is bounded: a body of at most 4 MB, a hang of at most `HANG` seconds, one thread, closed with its `with` block.
As a program it runs in a process of its own, for measurements: python tests/judge_server.py --delay 1.0 prints its URL.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import json
import re
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

LARGEST = 4_000_000
HANG = 60.0
REASONS = {200: "OK", 429: "Too Many Requests", 500: "Internal Server Error"}
LABELS = ("correct", "incorrect", "unsure")


@dataclass(frozen=True, slots=True)
class Call:
    """One request: which wire format, for which model, with which text; `number` counts from 1."""

    number: int
    wire: str
    model: str
    prompt: str
    body: dict[str, Any]
    headers: dict[str, str]
    at: float


@dataclass(frozen=True, slots=True)
class Answer:
    """What a call gets: a text from the model, a status with an `error`, or raw bytes; after `delay` s, or never."""

    text: str = ""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    error: str = "scripted"
    raw: bytes | None = None
    delay: float = 0.0
    hang: bool = False


Script = Callable[[Call], Answer]


def verdict(label: str, reason: str = "as scripted") -> Answer:
    """A verdict as a judge should give it."""
    return Answer(json.dumps({"verdict": label, "reason": reason, "confidence": 0.9}))


def scripted_label(model: str, item: str) -> str:
    """The label that the server's judge `model` gives to an item: always the same one."""
    return LABELS[hashlib.sha256(f"{model} {item}".encode()).digest()[0] % 3]


def item_of(prompt: str) -> str:
    """The item that a prompt is about: the first 'item-NUMBER' in it."""
    found = re.search(r"item-\d+", prompt)
    return found.group() if found else ""


def by_item(call: Call) -> Answer:
    """The script of a judge that never fails."""
    return verdict(scripted_label(call.model, item_of(call.prompt)))


class JudgeServer:
    """`with JudgeServer(script) as server:` serves at `server.url` (without a trailing path) in a thread."""

    def __init__(self, script: Script = by_item) -> None:
        self.script = script
        self.calls: list[Call] = []
        self.url = ""
        self._started = threading.Event()
        self._loop = asyncio.new_event_loop()
        self._stop = asyncio.Event()
        self._thread = threading.Thread(target=self._loop.run_until_complete, args=[self._serve()], daemon=True)

    def __enter__(self) -> JudgeServer:
        self._thread.start()
        assert self._started.wait(10), "the server did not start"
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(10)
        self._loop.close()

    async def _serve(self) -> None:
        connections: set[asyncio.Task[Any]] = set()

        async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.current_task()
            assert task is not None
            connections.add(task)
            try:
                await self._connection(reader, writer)
            except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
                pass  # the client went away, or the server stops
            finally:
                connections.discard(task)
                writer.close()

        server = await asyncio.start_server(connected, "127.0.0.1", 0, limit=LARGEST)
        self.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        self._started.set()
        await self._stop.wait()
        server.close()
        for task in list(connections):
            task.cancel()
        await asyncio.gather(*connections, return_exceptions=True)

    async def _connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
            path = head[0].split(" ")[1]
            headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in head[1:-2])}
            length = int(headers.get("content-length", "0"))
            assert length <= LARGEST, "the body is too long"
            call = self._call(path, headers, json.loads(await reader.readexactly(length)))
            answer = self.script(call)
            await asyncio.sleep(HANG if answer.hang else answer.delay)
            writer.write(_response(call, answer))
            await writer.drain()

    def _call(self, path: str, headers: dict[str, str], body: dict[str, Any]) -> Call:
        wire = {"chat/completions": "openai", "messages": "anthropic"}.get(_tail(path), "gemini")
        model = body.get("model") or path.rpartition("/")[2].partition(":")[0]
        call = Call(len(self.calls) + 1, wire, model, _prompt(body), body, headers, time.monotonic())
        self.calls.append(call)
        return call


def _tail(path: str) -> str:
    plain = path.partition("?")[0]
    return "chat/completions" if plain.endswith("/chat/completions") else plain.rpartition("/")[2]


def _prompt(body: dict[str, Any]) -> str:
    """All texts of a request of any of the formats, joined."""
    texts: list[str] = []

    def collect(node: Any) -> None:
        if isinstance(node, str):
            texts.append(node)
        elif isinstance(node, list):
            for part in node:
                collect(part)
        elif isinstance(node, dict):
            collect(node.get("content") or node.get("parts") or node.get("text") or "")

    for key in ("system", "systemInstruction", "system_instruction", "messages", "contents"):
        collect(body.get(key) or "")
    return "\n".join(texts)


def _response(call: Call, answer: Answer) -> bytes:
    if answer.raw is not None:
        body = answer.raw
    elif answer.status == 200:
        body = json.dumps(_BODIES[call.wire](call, answer.text)).encode()
    else:
        error = {"message": answer.error, "type": "scripted", "code": answer.status}
        body = json.dumps({"type": "error", "error": error}).encode()
    lines = [f"HTTP/1.1 {answer.status} {REASONS.get(answer.status, 'Error')}", "Content-Type: application/json"]
    lines += [f"{name}: {value}" for name, value in answer.headers.items()]
    return "\r\n".join([*lines, f"Content-Length: {len(body)}", "", ""]).encode() + body


def _openai(call: Call, text: str) -> dict[str, Any]:
    message = {"role": "assistant", "content": text}
    used, given = _tokens(call.prompt), _tokens(text)
    return {
        "id": f"chatcmpl-{call.number}",
        "object": "chat.completion",
        "created": 1,
        "model": f"{call.model}-2026",
        "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": used, "completion_tokens": given, "total_tokens": used + given},
    }


def _anthropic(call: Call, text: str) -> dict[str, Any]:
    tools = [tool["name"] for tool in call.body.get("tools", [])]
    block: dict[str, Any] = {"type": "text", "text": text}
    if tools:  # structured output of older Claude models is a forced tool call
        block = {"type": "tool_use", "id": f"toolu_{call.number}", "name": tools[0], "input": json.loads(text)}
    return {
        "id": f"msg_{call.number}",
        "type": "message",
        "role": "assistant",
        "model": f"{call.model}-2026",
        "content": [block],
        "stop_reason": "tool_use" if tools else "end_turn",
        "usage": {"input_tokens": _tokens(call.prompt), "output_tokens": _tokens(text)},
    }


def _gemini(call: Call, text: str) -> dict[str, Any]:
    used, given = _tokens(call.prompt), _tokens(text)
    return {
        "candidates": [{"content": {"role": "model", "parts": [{"text": text}]}, "finishReason": "STOP", "index": 0}],
        "modelVersion": f"{call.model}-2026",
        "usageMetadata": {"promptTokenCount": used, "candidatesTokenCount": given, "totalTokenCount": used + given},
    }


_BODIES = {"openai": _openai, "anthropic": _anthropic, "gemini": _gemini}


def _tokens(text: str) -> int:
    return len(text) // 4 + 1


def main() -> None:
    """Serve until the standard input ends: the process does not outlive the one that started it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--delay", type=float, default=0.0, help="Seconds before each answer.")
    delay = parser.parse_args().delay
    text = json.dumps({"verdict": "correct", "reason": "as scripted"})
    with JudgeServer(lambda call: Answer(text, delay=delay)) as server:
        print(server.url, flush=True)
        with suppress(EOFError):
            input()


if __name__ == "__main__":
    main()
