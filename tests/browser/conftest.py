"""One Chromium for all tests here, a site with everything on it, and pages watched for what must not happen."""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from site_runs import write_dataset

from benchmark.store import RunFolder
from reports.site import write_site
from reports.tables import build_board

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
ITEMS = 230


@dataclass(frozen=True)
class Site:
    """A written site, the folder of its one dataset, and where a browser finds it."""

    out: Path
    folder: str
    base: str
    runs: tuple[RunFolder, ...]

    def at(self, page: str) -> str:
        """The address of a page; SET/ stands for the dataset's folder."""
        return f"{self.base}/{page.replace('SET/', f'{self.folder}/')}"


@dataclass
class Watch:
    """What a page did that it must not do."""

    base: str
    seen: list[str] = field(default_factory=list)

    def attach(self, page: Any) -> None:
        page.on("console", lambda said: self.seen.append(f"console {said.type}: {said.text}"))
        page.on("pageerror", lambda error: self.seen.append(f"error: {error}"))
        page.on("dialog", self._dialog)
        page.on("popup", lambda other: self.seen.append(f"popup {other.url}"))
        page.on("request", self._request)

    def _dialog(self, dialog: Any) -> None:
        self.seen.append(f"dialog {dialog.message}")
        dialog.dismiss()

    def _request(self, request: Any) -> None:
        if not request.url.startswith((f"{self.base}/", "data:,", "about:blank")):
            self.seen.append(f"request {request.url}")

    def check(self) -> None:
        """Nothing of the kind so far."""
        assert self.seen == []


@pytest.fixture(scope="package")
def chromium() -> Iterator[Any]:
    """The browser; skips where there is none."""
    api = pytest.importorskip("playwright.sync_api", reason="needs the package playwright, of the dev extra")
    path = next(filter(None, map(shutil.which, NAMES)), None)
    if path is None:
        pytest.skip("no Chromium here: 'make test' installs one where apt-get is at hand and may be used")
    root = hasattr(os, "geteuid") and os.geteuid() == 0  # its sandbox refuses to work for root
    with api.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=path, args=["--no-sandbox"] if root else [])
        yield browser
        browser.close()


@pytest.fixture(scope="package")
def written(tmp_path_factory: pytest.TempPathFactory) -> Site:
    """Three models on 230 items: tags, counterexamples, judges with their calibration, samples, costs, an adapter."""
    folder = tmp_path_factory.mktemp("site")
    runs = write_dataset(folder / "runs", items=ITEMS)
    write_site(build_board(runs), folder / "site", runs=runs)
    (page,) = (folder / "site").glob("*/items.html")
    return Site(folder / "site", page.parent.name, (folder / "site").as_uri(), tuple(runs))


class Quiet(SimpleHTTPRequestHandler):
    """A server of files that says nothing."""

    def log_message(self, *_: object) -> None:
        pass

    def copyfile(self, source: Any, outputfile: Any) -> None:
        with suppress(BrokenPipeError, ConnectionResetError):  # the reader has moved on
            super().copyfile(source, outputfile)


@pytest.fixture(scope="package")
def served(written: Site) -> Iterator[str]:
    """The same site over http on this machine."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(written.out)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


@pytest.fixture(params=["file", "http"])
def site(request: pytest.FixtureRequest, written: Site) -> Site:
    """The site from disk, and over http."""
    if request.param == "file":
        return written
    return Site(written.out, written.folder, request.getfixturevalue("served"), written.runs)


@pytest.fixture
def open_page(chromium: Any) -> Iterator[Callable[..., Any]]:
    """open_page(site, "index.html", width=…, scheme=…, scripts=…) -> a page, watched until the test ends."""
    contexts, watches = [], []

    def make(site: Site, page: str, *, width: int = 1280, scheme: str = "light", scripts: bool = True) -> Any:
        context = chromium.new_context(
            viewport={"width": width, "height": 900}, color_scheme=scheme, java_script_enabled=scripts
        )
        context.set_default_timeout(10_000)
        contexts.append(context)
        made, watch = context.new_page(), Watch(site.base)
        watch.attach(made)
        watches.append(watch)
        made.goto(site.at(page))
        made.watch = watch
        return made

    yield make
    for watch in watches:
        watch.check()
    for context in contexts:
        context.close()
