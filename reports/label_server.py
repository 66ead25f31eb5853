"""Serving the labelling page on this machine alone: each label is appended to labels.jsonl as it is given.

Promises: listens on 127.0.0.1 only and takes labels from its own page only (address, origin and kind of content are
checked, so no other site in the browser can send any); stops when every item has a label; a file that is there is added
to, never rewritten.
Does not: make the page (`reports.labelling`).
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import msgspec

from benchmark.errors import UsageError
from benchmark.labels import Label, parse_label
from benchmark.store import append_lines
from reports.labelling import Sheet, render_sheet

HOST = "127.0.0.1"
PAGE, ENDPOINT = "/", "/labels"
MOST_BYTES = 32_768
PATIENCE_SECONDS = 10


class Labels:
    """The labels of a sheet on their way to a file. Safe to use from several threads."""

    def __init__(self, sheet: Sheet, path: Path) -> None:
        self._run_id = sheet.run_id
        self._path = path
        self._samples = {item.example_id: item.sample for item in sheet.items}
        self._given = {label.example_id for label in sheet.labels}
        self._lock = threading.Lock()
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.exists() and path.read_bytes()[-1:] not in (b"", b"\n"):
            with path.open("ab") as handle:  # the last line lacks its end; it is whole, for it was read
                handle.write(b"\n")

    @property
    def left(self) -> int:
        """Items without a label."""
        return len(self._samples) - len(self._given)

    def add(self, label: Label) -> None:
        """Append a label. Raises ValueError for one that is not of this sheet."""
        if label.run_id != self._run_id or self._samples.get(label.example_id) != label.sample:
            raise ValueError("no such answer on this sheet")
        with self._lock:
            append_lines(self._path, [label])
            self._given.add(label.example_id)


class LabelServer(ThreadingHTTPServer):
    """Serves one sheet. `serve_forever` returns when all is labelled."""

    daemon_threads = True

    def __init__(self, sheet: Sheet, labels: Labels, port: int = 0) -> None:
        self.labels = labels
        self.page = render_sheet(sheet, ENDPOINT).encode()
        super().__init__((HOST, port), Handler)

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.server_port}{PAGE}"

    def stop(self) -> None:
        """Make `serve_forever` return; callable from a request's own thread."""
        threading.Thread(target=self.shutdown, daemon=True).start()


class Handler(BaseHTTPRequestHandler):
    """GET / is the page, POST /labels takes a label; anything else is refused."""

    server: LabelServer
    timeout = PATIENCE_SECONDS
    server_version, sys_version = "sqlgauge", ""

    def do_GET(self) -> None:
        if self.path != PAGE or not self._is_own_host():
            self._answer(HTTPStatus.NOT_FOUND, b"not found", "text/plain")
            return
        self._answer(HTTPStatus.OK, self.server.page, "text/html; charset=utf-8")

    def do_POST(self) -> None:
        status, body = self._take()
        self._answer(status, body, "application/json" if status == HTTPStatus.OK else "text/plain; charset=utf-8")
        if status == HTTPStatus.OK and not self.server.labels.left:
            self.server.stop()

    def _take(self) -> tuple[HTTPStatus, bytes]:
        origin = self.headers.get("Origin")
        own = self._is_own_host() and origin in (None, f"http://{self.headers.get('Host')}")
        if self.path != ENDPOINT or not own:
            return HTTPStatus.FORBIDDEN, b"labels are taken from the server's own page only"
        if self.headers.get_content_type() != "application/json":
            return HTTPStatus.UNSUPPORTED_MEDIA_TYPE, b"a label is application/json"
        length = self.headers.get("Content-Length", "")
        if not (length.isascii() and length.isdigit()) or int(length) > MOST_BYTES:
            return HTTPStatus.REQUEST_ENTITY_TOO_LARGE, b"a label is one small JSON object"
        try:
            self.server.labels.add(parse_label(self.rfile.read(int(length))))
        except (msgspec.DecodeError, ValueError) as error:
            return HTTPStatus.BAD_REQUEST, str(error).encode()
        except OSError as error:
            return HTTPStatus.INTERNAL_SERVER_ERROR, str(error).encode()
        return HTTPStatus.OK, msgspec.json.encode({"left": self.server.labels.left})

    def _is_own_host(self) -> bool:
        """Whether the browser asked for this address by its number: a name could be another site's (DNS rebinding)."""
        return self.headers.get("Host") in (f"{HOST}:{self.server.server_port}", f"localhost:{self.server.server_port}")

    def _answer(self, status: HTTPStatus, body: bytes, kind: str) -> None:
        self.send_response(status)
        for name, value in (
            ("Content-Type", kind),
            ("Content-Length", str(len(body))),
            ("Cache-Control", "no-store"),
            ("X-Content-Type-Options", "nosniff"),
            ("X-Frame-Options", "DENY"),
        ):
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: the page shows what was saved."""


def serve_sheet(sheet: Sheet, path: Path, port: int, announce: Callable[[str], None]) -> None:
    """Serve until all is labelled; `announce` is told the address.

    Raises UsageError where the port cannot be had, and KeyboardInterrupt on Ctrl-C, with every label on the disk.
    """
    labels = Labels(sheet, path)
    if not labels.left:
        return
    try:
        server = LabelServer(sheet, labels, port)
    except (OSError, OverflowError) as error:
        raise UsageError(f"cannot serve on {HOST}:{port}: {error}", "Choose another --port, or 0 for any.") from None
    with server:
        announce(server.url)
        server.serve_forever(poll_interval=0.2)
