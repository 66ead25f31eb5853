"""A folder at an fsspec URL, as publishing needs it: listed, read, its files put whole and removed.

Promises: a file is there whole or as it was before; whatever a store raises becomes an error that says what to do,
without keys and passwords; fsspec and a store's package are loaded when they are asked for.
Does not: hold a folder against a second publisher.
"""

from __future__ import annotations

import importlib
import os
import posixpath
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from benchmark.errors import MissingDependency, SqlgaugeError, StoreUnavailable, UnknownName, UsageError
from benchmark.keys import without_secrets

#: Stores in which a put shows nothing before it is whole. Elsewhere a file is put under another name and moved.
_WHOLE = {"s3", "s3a", "gs", "gcs", "abfs", "abfss", "az", "oci", "oss", "hf"}
#: What to install where fsspec's own class for a protocol wants more.
_PACKAGES = {"sftp": "paramiko", "ssh": "paramiko", "smb": "smbprotocol", "http": "aiohttp requests"}
_PACKAGES |= {"https": _PACKAGES["http"], "hf": "huggingface_hub", "abfss": "adlfs"}
_SAID = 300
_BLOCK = 1 << 20
_HINT = "See that the place exists and your credentials hold there; the same command then goes on where it stopped."


class Remote:
    """One folder of a store. Names are relative to it, with / between their parts."""

    def __init__(self, fs: Any, root: str, url: str) -> None:
        self._fs, self._root, self._url = fs, root.rstrip("/"), url
        protocol = fs.protocol
        self._protocols = {protocol} if isinstance(protocol, str) else set(protocol)

    @property
    def shown(self) -> str:
        return shown_url(self._url)

    def sizes(self) -> dict[str, int]:
        """The bytes of each file that is there now; empty where there is no such folder."""
        # A walk leaves out what it cannot list unless told otherwise; an object store's listing is no walk.
        strictly = {} if self._protocols & _WHOLE else {"on_error": "raise"}
        with self._trying("list"):
            self._fs.invalidate_cache()
            try:
                found = self._fs.find(self._root, detail=True, **strictly)
            except FileNotFoundError:
                return {}
            names = {path.removeprefix(self._root).lstrip("/"): about for path, about in found.items()}
            return {name: int(about["size"] or 0) for name, about in names.items() if name and about["type"] == "file"}

    def blocks(self, name: str, most: int) -> Iterator[bytes]:
        """The bytes of a file. Raises FileNotFoundError where there is none, UsageError for more bytes than `most`."""
        with self._trying(f"read {name} of", missing=True), self._fs.open(self._at(name), "rb") as handle:
            while block := handle.read(_BLOCK):
                most -= len(block)
                if most < 0:
                    raise UsageError(f"{name} of {self.shown} is longer than it may be", "It is not to be trusted.")
                yield block

    def put(self, name: str, source: Path | bytes) -> None:
        """Put a file, or bytes, in the place of what is there."""
        with self._trying(f"write {name} to"):
            if self._protocols & _WHOLE:
                self._write(self._at(name), source)
                return
            path, part = self._inside(name), self._at(part_of(name))
            self._fs.makedirs(posixpath.dirname(path), exist_ok=True)
            self._write(part, source)
            self._move(part, path)

    def remove(self, name: str) -> None:
        with self._trying(f"remove {name} from"), suppress(FileNotFoundError):
            self._fs.rm_file(self._inside(name))

    def settle(self) -> None:
        """See to it that everything is done that was asked for."""

    def _at(self, name: str) -> str:
        return f"{self._root}/{name}"

    def _write(self, path: str, source: Path | bytes) -> None:
        if isinstance(source, bytes):
            self._fs.pipe_file(path, source)
        else:
            self._fs.put_file(str(source), path)

    def _move(self, part: str, path: str) -> None:
        """By the store's own renaming where it has one; else by a copy."""
        if type(self._fs).mv is importlib.import_module("fsspec").AbstractFileSystem.mv:
            self._fs.cp_file(part, path)
            self._fs.rm_file(part)
        else:
            self._fs.mv(part, path)

    def _inside(self, name: str) -> str:
        """The path of a name. Raises UsageError where a link leads out of a folder of this machine."""
        path = self._at(name)
        if "file" in self._protocols:
            real, root = os.path.realpath(posixpath.dirname(path)), os.path.realpath(self._root)
            if os.path.commonpath([real, root]) != root:
                raise UsageError(f"a link in {self.shown} leads out of it: {name}", "Publish to another URL.")
        return path

    @contextmanager
    def _trying(self, what: str, missing: bool = False) -> Iterator[None]:
        try:
            yield
        except SqlgaugeError:
            raise
        except NotImplementedError:
            raise UsageError(f"cannot {what} {self.shown}: that kind of store cannot do it", _HINT) from None
        except Exception as error:  # every store has exceptions of its own
            if missing and isinstance(error, FileNotFoundError):
                raise
            raise StoreUnavailable(f"cannot {what} {self.shown}: {self._said(error)}", _HINT) from None

    def _said(self, error: Exception) -> str:
        secrets = [urlsplit(self._url).password or "", self._url]
        told = " ".join(without_secrets(str(error), secrets).split())
        return f"{type(error).__name__}: {told[:_SAID]}" if told else type(error).__name__


class HubRepository(Remote):
    """A folder of a repository on the Hugging Face Hub: everything becomes one commit, where each would be its own.

    The Hub knows large files by their sha256: what a broken-off upload had sent is not sent again.
    """

    def __init__(self, fs: Any, root: str, url: str) -> None:
        super().__init__(fs, root, url)
        self._changes: dict[str, Path | bytes | None] = {}

    def put(self, name: str, source: Path | bytes) -> None:
        self._changes[name] = source

    def remove(self, name: str) -> None:
        self._changes[name] = None

    def settle(self) -> None:
        """Make the commit. It holds all of it or does not come to be."""
        hub = importlib.import_module("huggingface_hub")
        with self._trying("commit to"):
            place = self._fs.resolve_path(self._root)
            operations = []
            for name, source in self._changes.items():
                path = f"{place.path_in_repo}/{name}".lstrip("/")
                body = str(source) if isinstance(source, Path) else source
                operations.append(
                    hub.CommitOperationDelete(path) if body is None else hub.CommitOperationAdd(path, body)
                )
            message = f"Publish {posixpath.basename(self._root)} with sqlgauge"
            hub.HfApi(endpoint=self._fs.endpoint, token=self._fs.token).create_commit(
                place.repo_id, operations, commit_message=message, repo_type=place.repo_type, revision=place.revision
            )
        self._changes.clear()


def open_remote(url: str) -> Remote:
    """The folder at a URL. Nothing is asked of its store yet, but that of a Hub repository.

    Raises UsageError for what is no URL, UnknownName for a protocol that fsspec does not know, MissingDependency for
    one whose package is not installed.
    """
    fs, root = _opened(url)
    if fs.protocol in ("hf", ("hf",)) and not root.startswith("buckets/"):
        return HubRepository(fs, root, url)
    return Remote(fs, root, url)


def check_url(url: str) -> None:
    """Raise what `open_remote` would, before any work is done for it."""
    _opened(url)


def _opened(url: str) -> tuple[Any, str]:
    protocol, separator, place = url.partition("://")
    if not separator or not place.strip("/") or "::" in url:
        raise UsageError(
            f"'{shown_url(url)}' is no URL of a folder",
            "Write s3://BUCKET/PREFIX, hf://datasets/ORG/NAME or file:///DIR.",
        )
    try:
        core, registry = importlib.import_module("fsspec.core"), importlib.import_module("fsspec.registry")
    except ImportError:
        raise MissingDependency("a URL needs the package fsspec", "pip install fsspec") from None
    known = registry.known_implementations
    if protocol not in {*known, *registry.registry}:
        raise UnknownName("protocol", protocol, known)
    try:
        fs, root = core.url_to_fs(url)
    except ImportError:
        package = _PACKAGES.get(protocol) or known[protocol]["class"].partition(".")[0]
        raise MissingDependency(
            f"{protocol}:// needs a package that is not installed", f"pip install {package}"
        ) from None
    except Exception as error:  # noqa: BLE001 - every store has exceptions of its own
        said = without_secrets(str(error), [urlsplit(url).password or "", url])
        raise StoreUnavailable(f"cannot open {shown_url(url)}: {said[:_SAID]}", _HINT) from None
    return fs, str(root)


def part_of(name: str) -> str:
    """The name under which a file arrives.

    >>> part_of("data/a.js")
    'data/.a.js.part'
    """
    folder, base = posixpath.split(name)
    return posixpath.join(folder, f".{base}.part")


def joined(url: str, name: str) -> str:
    return f"{url.rstrip('/')}/{name}"


def shown_url(url: str) -> str:
    """A URL as it may be shown: no user with a password, no query.

    >>> shown_url("s3://me:secret@bucket/runs/"), shown_url("abfs://box@account.host/runs?sig=x")
    ('s3://bucket/runs', 'abfs://box@account.host/runs')
    """
    protocol, separator, place = url.partition("?")[0].partition("://")
    host, slash, path = place.partition("/")
    user, at, host = host.rpartition("@")
    user = "" if ":" in user or not protocol.startswith(("abfs", "az")) else user + at
    return f"{protocol}{separator}{user}{host}{slash}{path}".rstrip("/")
