"""A store that fails at each of its operations in turn, and processes killed amid publishing.

After each a reader finds the whole former publication, none, or the whole new one; the same command then ends with the
very bytes of an undisturbed publication, and sends no file again that the journal has.
"""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, ClassVar

import pytest
from fsspec.implementations.memory import MemoryFileSystem

from benchmark.errors import StoreUnavailable
from benchmark.journal import JOURNAL
from benchmark.publishing import publish

Files = dict[str, bytes]
OLD: Files = {"index.html": b"old", "files.txt": b"list", "a.js": b"a1", "b.js": b"b1", "d/c.js": b"c1"}
NEW: Files = {"index.html": b"new", "files.txt": b"list", "a.js": b"a2", "d/c.js": b"c1", "d/e.js": b"e", "f.js": b""}
OTHER: Files = {"index.html": b"old", "files.txt": b"3", "a.js": b"a1", "b.js": b"b3"}
STRANGERS = ("site/CNAME", "site/d/notes", "else/a.js")


class Shaky(MemoryFileSystem):
    """A store in memory that shows itself after each operation, and fails at the one it is told to."""

    protocol = "shaky"
    store: ClassVar[dict[str, Any]] = {}
    pseudo_dirs: ClassVar[list[str]] = [""]
    fails_at, stays_down, manner, count, depth = 0, False, "before", 0, 0
    sent: ClassVar[list[str]] = []
    watch: ClassVar[Callable[[], None]] = staticmethod(lambda: None)

    @classmethod
    def _strip_protocol(cls, path: Any) -> Any:
        return MemoryFileSystem._strip_protocol("memory://" + str(path).split("://")[-1])

    @classmethod
    def arm(cls, at: int, manner: str = "before", stays_down: bool = False) -> None:
        Shaky.fails_at, Shaky.manner, Shaky.stays_down, Shaky.count = at, manner, stays_down, 0
        Shaky.sent.clear()


def shaky(name: str) -> Any:
    """An operation of the store that counts itself, unless it is a part of another."""

    def operation(self: Shaky, *arguments: Any, **options: Any) -> Any:
        if Shaky.depth:
            return getattr(MemoryFileSystem, name)(self, *arguments, **options)
        Shaky.count += 1
        now = Shaky.fails_at and (Shaky.count == Shaky.fails_at or (Shaky.stays_down and Shaky.count > Shaky.fails_at))
        Shaky.depth += 1
        try:
            if now and Shaky.manner != "after":
                if Shaky.manner == "torn" and name == "put_file":
                    MemoryFileSystem.pipe_file(self, arguments[1], Path(arguments[0]).read_bytes()[:1])
                raise OSError("the store is down")
            done = getattr(MemoryFileSystem, name)(self, *arguments, **options)
            if name == "put_file":
                Shaky.sent.append(self._strip_protocol(arguments[1]))
            if now:
                raise OSError("the answer was lost")
            return done
        finally:
            Shaky.depth -= 1
            Shaky.watch()

    return operation


for _name in ("find", "open", "put_file", "pipe_file", "cp_file", "rm_file", "makedirs"):
    setattr(Shaky, _name, shaky(_name))


class Objects(Shaky):
    """The same in the place of s3fs: a store that writes objects whole."""

    protocol = "s3"


@pytest.fixture(autouse=True)
def stores(monkeypatch: pytest.MonkeyPatch) -> None:
    known = sys.modules["fsspec.registry"].__dict__["_registry"]
    monkeypatch.setitem(known, "shaky", Shaky)
    monkeypatch.setitem(known, "s3", Objects)


def folder_of(root: Path, files: Files) -> Path:
    for name, body in files.items():
        path = root / "site" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(body)
    return root / "site"


def empty_store() -> None:
    Shaky.arm(0)
    Shaky.store.clear()
    Shaky.pseudo_dirs[:] = [""]
    for name in STRANGERS:
        MemoryFileSystem.pipe_file(Shaky(), f"/box/{name}", b"a stranger's")


def there() -> Files:
    """All bytes of the store."""
    return {path.removeprefix("/box/"): item.getvalue() for path, item in Shaky.store.items()}


def readable() -> Files | None:
    """What a reader of the site finds: nothing where its first page is not there."""
    files = {name.removeprefix("site/"): body for name, body in there().items() if name not in STRANGERS}
    own = {name: body for name, body in files.items() if name != JOURNAL and not name.endswith(".part")}
    return own if "index.html" in own else None


def journalled(wanted: Files) -> set[str]:
    """The files of which the journal says that they have arrived."""
    body = there().get(f"site/{JOURNAL}")
    files = json.loads(body)["files"] if body else {}
    return {name for name, entry in files.items() if entry["sha256"] and readable_body(name) == wanted.get(name)}


def readable_body(name: str) -> bytes | None:
    return there().get(f"site/{name}")


@pytest.fixture
def sites(tmp_path: Path) -> dict[str, Path]:
    named = (("old", OLD), ("new", NEW), ("other", OTHER))
    return {name: folder_of(tmp_path / name, files) for name, files in named}


@pytest.fixture
def watched() -> Iterator[list[Files | None]]:
    """What readers found after each operation."""
    seen: list[Files | None] = []
    Shaky.watch = staticmethod(lambda: seen.append(readable()))
    yield seen
    Shaky.watch = staticmethod(lambda: None)


def undisturbed(url: str, *folders: Path) -> Files:
    empty_store()
    for folder in folders:
        publish(folder, url)
    return there()


@pytest.mark.parametrize("before", ["nothing", "old"])
@pytest.mark.parametrize("stays_down", [False, True])
@pytest.mark.parametrize(
    ("url", "manner"),
    [
        *(("shaky://box", how) for how in ("before", "after", "torn")),
        *(("s3://box", how) for how in ("before", "after")),
    ],
)
def test_a_store_that_fails_at_each_operation_in_turn(
    sites: dict[str, Path], watched: list[Files | None], url: str, manner: str, stays_down: bool, before: str
) -> None:
    first = [sites["old"]] if before == "old" else []
    whole, former = undisturbed(url, *first, sites["new"]), OLD if first else None
    failures = 0
    for at in range(1, 200):
        undisturbed(url, *first)
        watched.clear()
        Shaky.arm(at, manner, stays_down)
        try:
            publish(sites["new"], url)
        except StoreUnavailable:
            failures += 1
        fired = Shaky.count >= at
        assert all(found in (former, None, NEW) for found in watched), at
        has = journalled(NEW)
        Shaky.arm(0)
        publish(sites["new"], url)
        assert there() == whole, at
        again = {name.replace("/.", "/").removesuffix(".part") for name in Shaky.sent}
        assert not {f"/box/site/{name}" for name in has} & again, at
        if not fired:
            break
    else:
        pytest.fail("the publication has no end")
    print(f"{url}, {manner}, stays down: {stays_down}, before: {before}: {at - 1} positions, {failures} errors")
    assert at - 1 >= (9 if url == "s3://box" else 25)


def test_any_sequence_of_broken_publications(sites: dict[str, Path], watched: list[Files | None]) -> None:
    """Three versions, published in any order and broken off anywhere: never a mix, and the last one comes out whole."""
    contents, draw = {"old": OLD, "new": NEW, "other": OTHER}, random.Random(7)
    whole = {name: undisturbed("shaky://box", folder) for name, folder in sites.items()}
    for _ in range(150):
        url = draw.choice(["shaky://box", "s3://box"])
        empty_store()
        for _ in range(draw.randint(1, 5)):
            Shaky.arm(draw.randint(1, 45), draw.choice(["before", "after"]), draw.random() < 0.5)
            with suppress(StoreUnavailable):
                publish(sites[draw.choice(list(sites))], url)
        assert all(found is None or found in contents.values() for found in watched)
        watched.clear()
        Shaky.arm(0)
        last = draw.choice(list(sites))
        publish(sites[last], url)
        assert there() == whole[last]


def bytes_of(folder: Path) -> Files:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_publication_that_is_killed_goes_on(tmp_path: Path, cli: Any) -> None:
    body = {f"data/{number}.js": bytes([number % 251]) * 60_000 for number in range(300)}
    first = folder_of(tmp_path / "first", {**OLD, **body})
    folder_of(tmp_path / "second", {**NEW, **{name: b"x" + text for name, text in body.items()}})
    cli("publish", first, "--to", f"file://{tmp_path}/whole")
    cli("publish", tmp_path / "second" / "site", "--to", f"file://{tmp_path}/whole")
    whole, target = bytes_of(tmp_path / "whole"), tmp_path / "target" / "site"
    cli("publish", first, "--to", f"file://{tmp_path}/target")
    command = [
        sys.executable,
        "-m",
        "sqlgauge",
        "publish",
        "second/site",
        "--to",
        f"file://{tmp_path}/target",
        "--json",
    ]
    killed = 0
    for mark in (1, 100, 200, 290):
        process = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        while process.poll() is None and arrived(target) < mark:
            time.sleep(0.001)
        process.send_signal(signal.SIGKILL)
        killed += process.wait() == -signal.SIGKILL
        found = bytes_of(target)
        assert "index.html" not in found or not {name for name in whole if f"site/{name}" in whole} - found.keys()
    assert killed >= 2
    files = json.loads((target / JOURNAL).read_bytes())["files"]
    kept = sum(entry["sha256"] is not None and name in NEW | body for name, entry in files.items())
    (done,) = json.loads(cli(*command[3:], "--quiet").stdout)
    assert bytes_of(tmp_path / "target") == whole
    assert done["kept"] >= kept - 1
    assert done["uploaded"] + done["kept"] == len(NEW | body)


def arrived(target: Path) -> int:
    """How many of the new files are there: they are a byte longer."""
    return sum(path.stat().st_size > 60_000 for path in target.glob("data/[0-9]*.js"))
