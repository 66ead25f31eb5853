"""Publishing and fetching: what goes, what stays, what is refused, and the verbs."""

from __future__ import annotations

import json
import shutil
import sys
import types
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from fsspec.implementations.memory import MemoryFileSystem

from benchmark.config import make_config
from benchmark.errors import MissingDependency, RunConflict, StoreUnavailable, UnknownName, UsageError
from benchmark.fetching import fetch
from benchmark.journal import JOURNAL
from benchmark.keys import key_names
from benchmark.publishing import publish
from benchmark.recipe import config_of, recipe_of
from benchmark.remote import HubRepository, open_remote, shown_url
from benchmark.store import RunFolder, held
from benchmark.types import RunManifest
from sqlgauge import verbs

KEY = "sk-planted-0123456789abcdef"


@pytest.fixture(autouse=True)
def empty_memory() -> Iterator[None]:
    yield
    MemoryFileSystem.store.clear()
    MemoryFileSystem.pseudo_dirs[:] = [""]


@pytest.fixture
def run(tmp_path: Path) -> Path:
    folder = RunFolder(tmp_path / "runs" / "r")
    folder.path.mkdir(parents=True)
    folder.write_manifest(
        RunManifest(run_id="r", identity={"model": "m", "policy": "default"}, provenance={}, complete=True)
    )
    (folder.path / "scores.jsonl").write_text('{"value": 1}\n')
    (folder.path / ".lock").write_text("")
    (folder.path / ".scores.jsonl.1.part").write_text("half")
    (folder.path / "x.part").write_text("half")
    return folder.path


def site(folder: Path, **files: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in {"index.html": "<p>", "files.txt": "index.html\n", **files}.items():
        (folder / name).write_text(text)
    return folder


def stored(prefix: str = "/box") -> dict[str, bytes]:
    return {path.removeprefix(f"{prefix}/"): item.getvalue() for path, item in MemoryFileSystem.store.items()}


def bytes_in(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def put(path: str, body: bytes) -> None:
    MemoryFileSystem().pipe_file(path, body)


def edit_journal(path: str, old: str, new: str) -> None:
    body = MemoryFileSystem.store[path].getvalue().decode()
    assert old in body
    put(path, body.replace(old, new).encode())


def test_a_run_is_published_without_locks_and_parts_and_fetched_again(run: Path, tmp_path: Path) -> None:
    done = publish(run, "memory://box/")
    assert set(stored()) == {"r/manifest.json", "r/scores.jsonl", f"r/{JOURNAL}"}
    assert (done.url, done.uploaded, done.kept, done.removed, done.complete) == ("memory://box/r", 2, 0, 0, True)
    assert done.bytes == sum(len(body) for name, body in stored().items() if JOURNAL not in name)
    found = fetch("memory://box/r", tmp_path / "dl")
    assert (found.files, found.downloaded, found.bytes) == (2, 2, done.bytes)
    assert RunFolder(tmp_path / "dl" / "r").manifest() == RunFolder(run).manifest()
    assert (tmp_path / "dl" / "r" / "scores.jsonl").read_bytes() == (run / "scores.jsonl").read_bytes()
    assert sorted(path.name for path in (tmp_path / "dl").iterdir()) == ["r"]
    assert fetch("memory://box/r", tmp_path / "dl").downloaded == 0


def test_only_what_changed_is_sent_and_only_what_we_put_is_removed(run: Path) -> None:
    (run / "prompts.jsonl").write_text("{}\n")
    publish(run, "memory://box")
    put("/box/r/theirs.txt", b"a stranger's")
    before = stored()
    assert publish(run, "memory://box").uploaded == 0
    assert stored() == before
    (run / "prompts.jsonl").unlink()
    (run / "scores.jsonl").write_text('{"value": 0}\n')  # of the same size
    done = publish(run, "memory://box")
    assert (done.uploaded, done.kept, done.removed) == (2, 0, 1)  # the manifest went first, and came again
    assert stored()["r/scores.jsonl"] == b'{"value": 0}\n'
    assert set(stored()) == {"r/manifest.json", "r/scores.jsonl", "r/theirs.txt", f"r/{JOURNAL}"}


def test_a_file_that_was_damaged_there_is_sent_again(run: Path) -> None:
    publish(run, "memory://box")
    put("/box/r/scores.jsonl", b"torn")
    assert publish(run, "memory://box").uploaded == 2
    assert stored()["r/scores.jsonl"] == (run / "scores.jsonl").read_bytes()


def test_a_run_scored_under_other_terms_is_the_same_run_and_one_of_another_model_is_not(run: Path) -> None:
    publish(run, "memory://box")
    manifest = RunFolder(run).manifest()
    RunFolder(run).write_manifest(replace(manifest, identity={"model": "m", "policy": "strict"}))
    assert publish(run, "memory://box").uploaded == 1
    before = stored()
    for other in (replace(manifest, identity={"model": "n"}), replace(manifest, run_id="s")):
        RunFolder(run).write_manifest(other)
        with pytest.raises(RunConflict, match="holds another run, r"):
            publish(run, "memory://box")
    assert stored() == before


def test_a_site_and_a_run_are_never_mixed(run: Path, tmp_path: Path) -> None:
    publish(site(tmp_path / "r"), "memory://box")
    with pytest.raises(RunConflict, match="holds a site"):
        publish(run, "memory://box")


def test_strangers_files_are_never_overwritten(run: Path) -> None:
    put("/box/r/scores.jsonl", b"a stranger's")
    with pytest.raises(RunConflict, match=r"did not put there, among them scores\.jsonl"):
        publish(run, "memory://box")
    assert stored() == {"r/scores.jsonl": b"a stranger's"}


def test_a_run_that_somebody_writes_to_is_not_published(run: Path) -> None:
    with held(run), pytest.raises(RunConflict, match="another process is writing"):
        publish(run, "memory://box")
    assert stored() == {}


def test_an_incomplete_run_is_published_and_said_to_be_one(run: Path) -> None:
    RunFolder(run).write_manifest(replace(RunFolder(run).manifest(), complete=False))
    assert not publish(run, "memory://box").complete


def test_files_on_disk_are_moved_into_place_and_leave_no_trace(run: Path, tmp_path: Path) -> None:
    (run / "d").mkdir()
    (run / "d" / "odd [1]*.txt").write_text("x")
    publish(run, f"file://{tmp_path}/out")
    names = {path.relative_to(tmp_path / "out").as_posix() for path in (tmp_path / "out").rglob("*") if path.is_file()}
    assert names == {"r/manifest.json", "r/scores.jsonl", "r/d/odd [1]*.txt", f"r/{JOURNAL}"}
    assert fetch(f"file://{tmp_path}/out/r", tmp_path / "dl").files == 3


@pytest.mark.parametrize("place", [0, (1 << 20) - 9, 5 << 20])
@pytest.mark.parametrize("key", [KEY, "AbCd/EfGh0123+IjKlMnOp/qrst"])
def test_a_planted_key_is_refused(run: Path, monkeypatch: pytest.MonkeyPatch, key: str, place: int) -> None:
    """At the start of a file, across two of the blocks that it is read in, and late."""
    monkeypatch.setenv("THEIR_SECRET", key)
    (run / "a.log").write_bytes(b"." * place + key.encode() + b".")
    with pytest.raises(UsageError, match="holds the value of THEIR_SECRET: nothing was published") as raised:
        publish(run, "memory://box")
    assert str(run / "a.log") in str(raised.value)
    assert key not in f"{raised.value} {raised.value.hint}"
    assert stored() == {}


def test_a_path_or_a_word_is_no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_KEY_FILE", "/home/me/key-0123456789")
    monkeypatch.setenv("DB_PASSWORD", "password")
    assert not {"MY_KEY_FILE", "DB_PASSWORD"} & set(key_names().values())


def test_links_are_not_followed(run: Path, tmp_path: Path) -> None:
    (tmp_path / "private").mkdir()
    for target in (tmp_path / "private", tmp_path / "nowhere", run / "scores.jsonl"):
        (run / "link").symlink_to(target)
        with pytest.raises(UsageError, match="link is a link or a device"):
            publish(run, "memory://box")
        (run / "link").unlink()
    assert stored() == {}


def test_a_link_in_the_target_leads_nowhere(run: Path, tmp_path: Path) -> None:
    """Somebody who may write to the target makes the journal name a file outside of it, by way of a link."""
    publish(run, f"file://{tmp_path}/out")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "diary").write_text("dear")
    (tmp_path / "out" / "r" / "d").symlink_to(tmp_path / "mine")
    journal = tmp_path / "out" / "r" / JOURNAL
    journal.write_text(journal.read_text().replace('"scores.jsonl"', '"d/diary"'))
    (tmp_path / "out" / "r" / "scores.jsonl").unlink()
    publish(run, f"file://{tmp_path}/out")
    (run / "d").mkdir()
    (run / "d" / "diary").write_text("none")
    with pytest.raises(UsageError, match="leads out of it"):
        publish(run, f"file://{tmp_path}/out")
    assert bytes_in(tmp_path / "mine") == {"diary": b"dear"}


@pytest.mark.parametrize(
    "name",
    ["../x", "/abs", "C:\\\\x", "a\\u0000b", "d/../../x", ".git/hooks/x", "a//b", JOURNAL, "x.part", "a\\nb", ""],
)
def test_hostile_names_in_a_journal_are_refused(run: Path, tmp_path: Path, name: str) -> None:
    publish(run, "memory://box")
    edit_journal(f"/box/r/{JOURNAL}", '"scores.jsonl"', f'"{name}"')
    put("/box/x", b"outside")
    for attempt in (lambda: fetch("memory://box/r", tmp_path / "dl"), lambda: publish(run, "memory://box")):
        with pytest.raises(UsageError, match="names files that no publication has"):
            attempt()
    assert not (tmp_path / "dl").exists()
    assert stored()["x"] == b"outside"


@pytest.mark.parametrize("body", [b"", b"[]", b"\xff", b'{"files": {}}', b'{"schema_version": 2}'])
def test_a_damaged_journal_is_refused(run: Path, tmp_path: Path, body: bytes) -> None:
    publish(run, "memory://box")
    put(f"/box/r/{JOURNAL}", body)
    for attempt in (lambda: fetch("memory://box/r", tmp_path / "dl"), lambda: publish(run, "memory://box")):
        with pytest.raises(UsageError, match="is damaged"):
            attempt()


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b'{"va', "is not what"),
        (b'{"value": 2}\n', "is not what"),
        (b"x" * 9999, "longer than"),
        (None, "is not whole"),
    ],
)
def test_a_file_that_is_not_what_the_journal_says_is_no_run(
    run: Path, tmp_path: Path, body: bytes | None, said: str
) -> None:
    publish(run, "memory://box")
    if body is None:
        del MemoryFileSystem.store["/box/r/scores.jsonl"]
    else:
        put("/box/r/scores.jsonl", body)
    with pytest.raises(UsageError, match=said):
        fetch("memory://box/r", tmp_path / "dl")
    assert not (tmp_path / "dl" / "r").exists()
    publish(run, "memory://box") if body is None or len(body) != 13 else put("/box/r/scores.jsonl", b'{"value": 1}\n')
    assert fetch("memory://box/r", tmp_path / "dl").files == 2


def test_what_is_being_published_cannot_be_fetched(run: Path, tmp_path: Path) -> None:
    publish(run, "memory://box")
    edit_journal(f"/box/r/{JOURNAL}", '"sha256": "', '"sha256": null, "was": "')
    with pytest.raises(UsageError, match="is not whole"):
        fetch("memory://box/r", tmp_path / "dl")
    with pytest.raises(UsageError, match="is no publication"):
        fetch("memory://box/s", tmp_path / "dl")


def test_a_fetch_replaces_nothing_and_goes_on(run: Path, tmp_path: Path) -> None:
    publish(run, "memory://box")
    part = tmp_path / "dl" / ".r.part"
    part.mkdir(parents=True)
    shutil.copy(run / "scores.jsonl", part)  # of a fetch that was killed
    (part / "gone.jsonl").write_text("no longer published")
    assert fetch("memory://box/r", tmp_path / "dl").downloaded == 1
    assert not (tmp_path / "dl" / "r" / "gone.jsonl").exists()
    (tmp_path / "dl" / "r" / "scores.jsonl").write_text("mine")
    with pytest.raises(RunConflict, match="is there, and is not what"):
        fetch("memory://box/r", tmp_path / "dl")
    assert (tmp_path / "dl" / "r" / "scores.jsonl").read_text() == "mine"


def test_urls_that_cannot_be(run: Path) -> None:
    for url in ("runs", "s3://", "simplecache::memory://box"):
        with pytest.raises(UsageError, match="is no URL of a folder"):
            publish(run, url)
    with pytest.raises(UnknownName, match="unknown protocol 'memry'") as unknown:
        publish(run, "memry://box")
    assert "'memory'" in unknown.value.hint
    with pytest.raises(StoreUnavailable, match="cannot write") as down:
        publish(run, "file:///proc/nowhere")
    assert "the same command then goes on where it stopped" in down.value.hint


@pytest.mark.parametrize(("protocol", "package"), [("s3", "s3fs"), ("gs", "gcsfs"), ("sftp", "paramiko")])
def test_a_missing_package_is_named(run: Path, monkeypatch: pytest.MonkeyPatch, protocol: str, package: str) -> None:
    def missing(name: str) -> Any:
        raise ImportError(name)

    monkeypatch.setattr(sys.modules["fsspec.registry"], "_import_class", missing)
    with pytest.raises(MissingDependency) as raised:
        publish(run, f"{protocol}://box")
    assert raised.value.hint == f"pip install {package}"


def test_a_password_in_a_url_is_never_shown(run: Path) -> None:
    url = f"memory://me:{KEY}@box/runs?sig={KEY}"
    assert KEY not in shown_url(url)
    assert KEY not in publish(run, url).url
    assert not any(KEY.encode() in item.getvalue() for item in MemoryFileSystem.store.values())


def test_where_a_run_is_published_is_neither_in_its_recipe_nor_taken_from_one() -> None:
    config = make_config({"model": "gold", "dataset": "builtin", "publish": f"s3://me:{KEY}@bucket"})
    assert "publish" not in recipe_of(config)
    recipe = {"model": "gold", "dataset": "builtin", "publish": "s3://theirs", "out": "/elsewhere"}
    followed = config_of(RunManifest(run_id="r", identity={"policy": "default"}, provenance={"config": recipe}))
    assert (followed.publish, followed.out) == (None, "runs")


def test_a_hub_repository_gets_one_commit(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import huggingface_hub

    commits: list[Any] = []

    class Hub:
        def __init__(self, **told: Any) -> None:
            self.told = told

        def create_commit(self, repo: str, operations: list[Any], **told: Any) -> None:
            commits.append((repo, {one.path_in_repo: one for one in operations}, told, self.told))

    class Files(MemoryFileSystem):
        endpoint, token = "https://hub", "t"

        def resolve_path(self, path: str) -> Any:
            return types.SimpleNamespace(repo_id="me/x", repo_type="dataset", revision="main", path_in_repo="runs/r")

    monkeypatch.setattr(huggingface_hub, "HfApi", Hub)
    opened = lambda url: HubRepository(Files(), "/datasets/me/x/runs/r", url)  # noqa: E731
    monkeypatch.setattr("benchmark.publishing.open_remote", opened)
    put(f"/datasets/me/x/runs/r/{JOURNAL}", b"")
    del MemoryFileSystem.store[f"/datasets/me/x/runs/r/{JOURNAL}"]
    done = publish(run, "memory://datasets/me/x/runs")
    ((repo, operations, told, hub),) = commits
    assert (repo, told["repo_type"], told["revision"], hub["token"]) == ("me/x", "dataset", "main", "t")
    assert set(operations) == {f"runs/r/{name}" for name in ("manifest.json", "scores.jsonl", JOURNAL)}
    assert all(isinstance(one, huggingface_hub.CommitOperationAdd) for one in operations.values())
    assert done.uploaded == 2


def test_the_filesystem_of_the_hub_is_known() -> None:
    assert isinstance(open_remote("hf://datasets/me/x/runs"), HubRepository)
    assert not isinstance(open_remote("hf://buckets/me/x/runs"), HubRepository)


def test_two_folders_of_one_name_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="two folders are called www"):
        verbs.publish([site(tmp_path / "a" / "www"), site(tmp_path / "b" / "www")], to="memory://box")
    with pytest.raises(UsageError, match="no run folder at"):
        verbs.publish([tmp_path], to="memory://box")


def test_publish_and_fetch_from_the_command_line(cli, tmp_path: Path) -> None:
    url = f"file://{tmp_path}/published"
    done = cli("run", "--model", "gold", "--dataset", "builtin", "--limit", 2, "--name", "r", "--publish", url)
    assert f"published {url}/r\n" in done.stderr
    assert url not in (tmp_path / "runs" / "r" / "manifest.json").read_text()
    (again,) = json.loads(cli("publish", "runs", "--to", url, "--json", "--quiet").stdout)
    assert (again["url"], again["uploaded"], again["complete"]) == (f"{url}/r", 0, True)
    (found,) = json.loads(cli("fetch", f"{url}/r", "--out", "downloads", "--json", "--quiet").stdout)
    assert (found["folder"], found["downloaded"]) == ("downloads/r", found["files"])
    assert "follows" in cli("verify", "downloads/r", "--quiet").stdout
    done = cli("run", "--model", "gold", "--dataset", "builtin", "--limit", 2, "--publish", "nowhere", check=2)
    assert "'nowhere' is no URL" in done.stderr
    cli("report", "runs", "--out", "site")
    (shown,) = json.loads(cli("publish", "site", "--to", url, "--json", "--quiet").stdout)
    assert shown["uploaded"] > 5
    assert (tmp_path / "published" / "site" / "index.html").is_file()
