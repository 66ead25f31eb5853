"""requirements/audit.py against a stand-in for OSV on loopback: what it asks, and what it makes of each answer."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
Reply = Callable[[list[dict[str, Any]]], tuple[int, bytes]]
DIGEST = f"\\\n    --hash=sha256:{'0' * 64}\n"
LOCK = f"ink==2.0+cpu {DIGEST}pen==1.0 ; sys_platform == 'linux' {DIGEST}"
NO_ANSWERS = {
    "nothing": b"",
    "a page": b"<html>sign in</html>",
    "no text": b"\xff",
    "no end": b"[" * 100_000,
    "a list": b"[]",
    "no results": b"{}",
    "null": b'{"results": null}',
    "one of two": b'{"results": [{}]}',
    "lists": b'{"results": [[], []]}',
    "no id": b'{"results": [{"vulns": [{}]}, {}]}',
    "a number": b'{"results": [{"vulns": [{"id": 7}]}, {}]}',
    "an escape": b'{"results": [{"vulns": [{"id": "\\u001b[2J"}]}, {}]}',
}
KNOWN = {"pen": ["GHSA-aaaa-bbbb-cccc", "PYSEC-2026-1"]}


def answer(queries: list[dict[str, Any]]) -> tuple[int, bytes]:
    """What OSV says of KNOWN: an empty object for what has none."""
    ids = [KNOWN.get(query["package"]["name"], []) for query in queries]
    found = [
        {"vulns": [{"id": one, "modified": "2026-11-01T00:00:00Z"} for one in some]} if some else {} for some in ids
    ]
    return 200, json.dumps({"results": found}).encode()


@contextmanager
def service(reply: Reply) -> Iterator[tuple[str, list[list[dict[str, Any]]]]]:
    """A server on loopback and the batches that it was asked."""
    asked: list[list[dict[str, Any]]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            assert self.path == "/v1/querybatch"
            asked.append(json.loads(self.rfile.read(int(self.headers["Content-Length"])))["queries"])
            status, body = reply(asked[-1])
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}", asked
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture
def locks(tmp_path: Path) -> Path:
    (tmp_path / "core.txt").write_text(LOCK)
    return tmp_path


def audit(url: str, locks: Path, *options: str) -> tuple[int, str]:
    command = [
        sys.executable,
        str(ROOT / "requirements" / "audit.py"),
        "--service",
        url,
        "--locks",
        str(locks),
        *options,
    ]
    env = {**os.environ, "NO_PROXY": "127.0.0.1"}
    done = subprocess.run(command, capture_output=True, text=True, timeout=90, env=env)
    assert "Traceback" not in done.stderr
    return done.returncode, done.stdout + done.stderr


def excuse(locks: Path, *ids: str, date: str = "date = 2026-11-25") -> None:
    entries = [f'[[ignored]]\nid = "{one}"\nreason = "not reached"\n{date}\n' for one in ids]
    (locks / "ignored.toml").write_text("".join(entries))


def test_a_known_vulnerability_fails_the_audit(locks: Path) -> None:
    with service(answer) as (url, _):
        status, said = audit(url, locks)
    assert status == 1
    assert "pen 1.0: GHSA-aaaa-bbbb-cccc" in said
    assert "pen 1.0: PYSEC-2026-1" in said
    assert "2 packages, 2 known vulnerabilities, 0 ignored" in said


def test_an_ignored_vulnerability_passes_and_only_that(locks: Path) -> None:
    with service(answer) as (url, _):
        excuse(locks, "GHSA-aaaa-bbbb-cccc")
        status, said = audit(url, locks)
        assert status == 1
        assert "GHSA" not in said
        excuse(locks, "GHSA-aaaa-bbbb-cccc", "PYSEC-2026-1", "PYSEC-2020-9")
        status, said = audit(url, locks)
    assert status == 0
    assert "0 known vulnerabilities, 2 ignored" in said
    assert "PYSEC-2020-9 is in ignored.toml and is reported no more" in said


@pytest.mark.parametrize("date", ["", 'date = "soon"'])
def test_an_excuse_needs_a_date(locks: Path, date: str) -> None:
    excuse(locks, "PYSEC-2026-1", date=date)
    with service(answer) as (url, asked):
        status, said = audit(url, locks)
    assert (status, asked) == (1, [])
    assert "needs id, reason and date" in said


def test_nothing_known_is_a_pass_and_every_lock_is_asked_about() -> None:
    with service(lambda queries: (200, json.dumps({"results": [{}] * len(queries)}).encode())) as (url, asked):
        status, said = audit(url, ROOT / "requirements", "--required")
    assert status == 0
    assert "0 known vulnerabilities" in said
    (batch,) = asked
    pins = {query["package"]["name"]: query["version"] for query in batch}
    assert {"litellm", "trl", "pytest", "hatchling", "uv", "triton"} <= pins.keys()
    assert "+" not in pins["torch"]
    assert {query["package"]["ecosystem"] for query in batch} == {"PyPI"}


def test_every_page_is_read(locks: Path) -> None:
    def paged(queries: list[dict[str, Any]]) -> tuple[int, bytes]:
        page = [{"vulns": [{"id": f"X-{query.get('page_token', '1')}"}]} for query in queries]
        if len(queries) == 2:
            page[1]["next_page_token"] = "2"  # type: ignore[assignment]
        return 200, json.dumps({"results": page}).encode()

    with service(paged) as (url, asked):
        status, said = audit(url, locks)
    assert (status, len(asked)) == (1, 2)
    assert "pen 1.0: X-2 " in said


def test_an_audit_that_cannot_run_says_so_in_one_line(locks: Path) -> None:
    with socket.socket() as taken:  # bound and not listening: nobody answers there
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        status, said = audit(url, locks)
        assert (status, said.count("\n")) == (0, 1)
        assert said.startswith(f"audit: could not run, so nothing is known of 2 packages: {url} was not reached")
        assert audit(url, locks, "--required")[0] == 2


@pytest.mark.parametrize("body", NO_ANSWERS.values(), ids=NO_ANSWERS.keys())
def test_an_answer_that_is_none_is_no_pass_in_silence(locks: Path, body: bytes) -> None:
    with service(lambda _: (200, body)) as (url, _):
        status, said = audit(url, locks)
        assert status == 0
        assert "could not run" in said
        assert "answered something that is not OSV's" in said
        assert audit(url, locks, "--required")[0] == 2


def test_a_service_that_is_down_is_named_with_its_status(locks: Path) -> None:
    with service(lambda _: (503, b"")) as (url, _):
        status, said = audit(url, locks)
    assert status == 0
    assert f"could not run, so nothing is known of 2 packages: {url} answered 503" in said


def test_a_service_that_hangs_does_not_hold_up_the_check(locks: Path) -> None:
    let_go = threading.Event()

    def hang(queries: list[dict[str, Any]]) -> tuple[int, bytes]:
        let_go.wait(30)
        return answer(queries)

    with service(hang) as (url, _):
        start = time.monotonic()
        status, said = audit(url, locks, "--seconds", "1")
        let_go.set()
    assert time.monotonic() - start < 15
    assert status == 0
    assert "could not run" in said


def test_make_check_runs_the_audit() -> None:
    makefile = (ROOT / "Makefile").read_text()
    check = makefile.partition("\ncheck:")[2].partition("\n\n")[0]
    assert "\t$(BIN)/python requirements/audit.py $(AUDIT)" in check
