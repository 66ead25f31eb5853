"""Asks OSV which vulnerabilities are known of the versions in the lock files: the last step of `make check`.

Promises: exit 1 names every vulnerability that ignored.toml does not excuse; nothing is installed; it ends in time.
Where the service cannot be asked, or answers something else, one line says so and the exit is 0 (2 with --required).
It does not say how severe one is, nor whether our code reaches it.
"""

from __future__ import annotations

import argparse
import datetime
import json
import re
import sys
import threading
import tomllib
from pathlib import Path
from typing import Any

import httpx

HERE = Path(__file__).parent
SERVICE = "https://api.osv.dev"
SECONDS = 60.0
PAGES = 20
Found = dict[tuple[str, str], set[str]]


class CannotRun(Exception):
    """The service was not reached, or what it said is no answer."""


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--service", default=SERVICE, help="base URL of an OSV API")
    parser.add_argument("--locks", type=Path, default=HERE, help="folder of the lock files and of ignored.toml")
    parser.add_argument("--seconds", type=float, default=SECONDS, help="the longest that it may take")
    parser.add_argument("--required", action="store_true", help="exit 2 where the audit cannot run")
    args = parser.parse_args()
    pins = locked(args.locks)
    excused = ignored(args.locks / "ignored.toml")
    try:
        found = in_time(args.service, pins, args.seconds)
    except CannotRun as error:
        print(f"audit: could not run, so nothing is known of {len(pins)} packages: {error}", file=sys.stderr)
        return 2 if args.required else 0
    known = set().union(*found.values())
    for (name, version), ids in sorted(found.items()):
        for one in sorted(ids - excused):
            print(f"audit: {name} {version}: {one} (https://osv.dev/{one})", file=sys.stderr)
    for one in sorted(excused - known):
        print(f"audit: {one} is in ignored.toml and is reported no more", file=sys.stderr)
    left = len(known - excused)
    print(f"audit: {len(pins)} packages, {left} known vulnerabilities, {len(known & excused)} ignored")
    return 1 if left else 0


def locked(folder: Path) -> list[tuple[str, str]]:
    """Every package and version of the lock files; a build's mark, as in 2.13.0+cpu, is no version that OSV knows."""
    text = "\n".join(path.read_text() for path in folder.glob("*.txt"))
    pins = sorted(set(re.findall(r"^([a-z0-9][\w.-]*)==([^\s+;]+)", text, re.MULTILINE)))
    if not pins:
        raise SystemExit(f"audit: no pins in {folder}/*.txt")
    return pins


def ignored(path: Path) -> set[str]:
    """The ids to let pass. Each needs a reason and a date, else it ends here."""
    entries = tomllib.loads(path.read_text()).get("ignored", []) if path.exists() else []
    for entry in entries:
        if not (entry.get("id") and entry.get("reason") and isinstance(entry.get("date"), datetime.date)):
            raise SystemExit(f"audit: {path.name}: an entry needs id, reason and date: {entry}")
    return {entry["id"] for entry in entries}


def in_time(service: str, pins: list[tuple[str, str]], seconds: float) -> Found:
    """`ask`, given up after `seconds` whatever hangs: a name that is looked up, an answer that drips."""
    outcome: list[Found | CannotRun] = []

    def work() -> None:
        try:
            outcome.append(ask(service, pins, seconds))
        except CannotRun as error:
            outcome.append(error)
        except httpx.HTTPError as error:
            outcome.append(CannotRun(f"{service} was not reached ({type(error).__name__}: {error})"))

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    thread.join(seconds)
    result = outcome[0] if outcome else CannotRun(f"{service} gave no answer within {seconds:g} s")
    if isinstance(result, CannotRun):
        raise result
    return result


def ask(service: str, pins: list[tuple[str, str]], seconds: float) -> Found:
    """What is known of each pin: one batch, and more of it for those with more than a page."""
    found: Found = {}
    asked = [(pin, "") for pin in pins]
    with httpx.Client(base_url=service, timeout=seconds) as client:
        for _ in range(PAGES):
            queries = [query(pin, token) for pin, token in asked]
            answer = client.post("/v1/querybatch", json={"queries": queries})
            if answer.status_code != 200:
                raise CannotRun(f"{service} answered {answer.status_code}")
            more = []
            for (pin, _), result in zip(asked, results(answer.content, len(asked), service), strict=True):
                found.setdefault(pin, set()).update(one["id"] for one in result.get("vulns", []))
                if token := result.get("next_page_token"):
                    more.append((pin, token))
            asked = more
            if not asked:
                return found
    raise CannotRun(f"{service} has more than {PAGES} pages")


def query(pin: tuple[str, str], token: str) -> dict[str, Any]:
    asked: dict[str, Any] = {"package": {"name": pin[0], "ecosystem": "PyPI"}, "version": pin[1]}
    return asked | ({"page_token": token} if token else {})


def results(body: bytes, expected: int, service: str) -> list[dict[str, Any]]:
    """One object for each query; whatever else came is no answer."""
    try:
        given = json.loads(body)["results"]
        ids = [vulnerability["id"] for result in given for vulnerability in result.get("vulns", [])]
        whole = len(given) == expected and all(re.fullmatch(r"[\w.:-]+", one, re.ASCII) for one in ids)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        whole = False
    if not whole:
        raise CannotRun(f"{service} answered something that is not OSV's")
    return list(given)


if __name__ == "__main__":
    sys.exit(main())
