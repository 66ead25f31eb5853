"""Seconds, memory and first paint of `sqlgauge report` for many models on many items, on synthetic run folders.

    python tests/perf/reporting.py [--models 10] [--items 10000] [--limit-seconds 60 --limit-mib 1536 …]

The folders are made in a temporary place. Half of the answers are right, the others wrong in ways that their trees
show; no two models share a wrong answer, so that every one is taken apart. Each item is its own cluster, which is the
slowest case for the bootstrap.

* Seconds: the whole command, start included, to the written site with all of its shards. Beside them stands the work
  of all its processes on all cores, which says more where the machine has others to serve.
* Memory: the highest sum over the process and its children of their resident sets (/proc/PID/smaps_rollup's Pss where
  the kernel tells it, else VmRSS), looked at every 50 ms.
* The same bytes: two sites from the same folders, by one hash of all their names and contents.
* First page: index.html with all that it loads. First paint: the browser's own `first-contentful-paint` of the pages
  opened from disk, the median of five in new contexts; and the time until the list of items shows rows.

Exit code 1 if a limit is passed.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import re
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from itertools import chain
from pathlib import Path
from random import Random
from typing import Any

from benchmark.store import RunFolder
from benchmark.types import Example, Generation, RunManifest, Score, Timing

PAINTS = 5
PAINT = """() => new Promise((done) => new PerformanceObserver((list) => {
  for (const one of list.getEntriesByName("first-contentful-paint")) done(one.startTime);
}).observe({ type: "paint", buffered: true }))"""
TABLES = ("singer", "concert", "stadium", "album")
SCHEMA = " ".join(f"CREATE TABLE {table} (id INTEGER, name TEXT, year INTEGER, price REAL);" for table in TABLES)


def example(number: int) -> Example:
    """An item with a gold of a few clauses and three tags."""
    table, other = TABLES[number % 4], TABLES[(number + 1) % 4]
    gold = f"SELECT a.name, COUNT(*) FROM {table} AS a JOIN {other} AS b ON a.id = b.id WHERE a.year > {number} "
    return Example(
        id=f"item-{number:06}",
        question=f"How often does each name come up after {number}?",
        schema_sql=SCHEMA,
        golds=(gold + "GROUP BY a.name ORDER BY COUNT(*) DESC LIMIT 5",),
        dialect="sqlite",
        group=f"database-{number}",
        tags={"complexity": f"level {number % 4}", "domain": f"domain {number % 24}", "database": f"d{number % 200}"},
    )


def prediction(example: Example, model: int, random: Random) -> str:
    """The gold, or the gold with one thing changed that names the model."""
    gold = example.golds[0]
    wrong = (
        gold.replace("DESC", "ASC").replace("LIMIT 5", f"LIMIT {model + 6}"),
        gold.replace("a.year >", f"a.price > {model} AND a.year >="),
        gold.replace("a.name", f"a.name{model}"),
        gold.replace("JOIN", "LEFT JOIN").replace("LIMIT 5", f"LIMIT {model + 6}"),
    )
    return gold if random.random() < 0.5 else random.choice(wrong)


def write_run(folder: Path, examples: list[Example], model: int) -> None:
    """One run folder as `sqlgauge run` leaves it."""
    folder.mkdir(parents=True)
    run, random = RunFolder(folder), Random(model)
    dataset = {"name": "perf/test", "fingerprint": "sha256:perf", "n": len(examples), "dialect": "sqlite"}
    identity = {"model": {"spec": f"perf/model-{model}"}, "dataset": dataset, "policy": "default"}
    counts = {"examples": len(examples)}
    run.write_manifest(RunManifest(run_id=folder.name, identity=identity, provenance={}, counts=counts, complete=True))
    run.write_examples(examples)
    texts = [prediction(example, model, random) for example in examples]
    run.append_generations(
        Generation(
            example_id=example.id,
            text=text,
            finish_reason="stop",
            prompt_tokens=300,
            completion_tokens=40,
            cost_usd=0.0001,
            timing=Timing(seconds=random.random()),
        )
        for example, text in zip(examples, texts, strict=True)
    )
    run.replace_scores(scores(examples, texts))


def scores(examples: list[Example], texts: list[str]) -> Iterator[Score]:
    """Four metrics an item, with the evidence of a wrong execution."""
    for example, text in zip(examples, texts, strict=True):
        right = text == example.golds[0]
        invalid = ".name1" in text and not right
        for metric in ("exact", "exact_ws", "ast"):
            yield Score(example_id=example.id, metric=metric, value=float(right), status="ok")
        yield Score(
            example_id=example.id,
            metric="execution",
            value=float(right),
            status="invalid" if invalid else "ok",
            evidence={"reason": "no such column: a.name1"} if invalid else {"rows": 5, "first_rows": [["x", 1]] * 5},
        )


def resident(pid: int) -> int:
    """Bytes that a process and its children hold in memory."""
    total = 0
    for one in [pid, *children(pid)]:
        try:
            total += 1024 * int(re.search(rb"^Pss:\s+(\d+)", Path(f"/proc/{one}/smaps_rollup").read_bytes(), re.M)[1])
        except (OSError, TypeError):
            with suppress(OSError, TypeError):
                total += 1024 * int(re.search(rb"^VmRSS:\s+(\d+)", Path(f"/proc/{one}/status").read_bytes(), re.M)[1])
    return total


def children(pid: int) -> list[int]:
    """All processes below one."""
    try:
        lists = [path.read_text().split() for path in Path(f"/proc/{pid}/task").glob("*/children")]
    except OSError:
        return []
    found = [int(one) for one in chain.from_iterable(lists)]
    return found + list(chain.from_iterable(map(children, found)))


def write_site(runs: Path, out: Path) -> tuple[float, float]:
    """Seconds and the peak in MiB of `sqlgauge report`."""
    started, peak = time.perf_counter(), 0
    command = [sys.executable, "-m", "sqlgauge", "report", str(runs), "--out", str(out)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        while process.poll() is None:
            peak = max(peak, resident(process.pid))
            time.sleep(0.05)
    if process.returncode:
        raise SystemExit(f"sqlgauge report ended with {process.returncode}")
    return time.perf_counter() - started, peak / 2**20


def digest(folder: Path) -> str:
    """One hash of a folder's names and contents."""
    found = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        found.update(f"{path.relative_to(folder)}\0{path.stat().st_size}\0".encode() + path.read_bytes())
    return found.hexdigest()


def first_page(site: Path) -> float:
    """MiB of the leaderboard with all that it loads."""
    page = site / "index.html"
    loaded = re.findall(r'<(?:script src|link rel="stylesheet" href)="([^"]+)"', page.read_text())
    boards = list(site.glob("*/data/board.js"))
    return sum(path.stat().st_size for path in [page, *boards, *(site / name for name in loaded)]) / 2**20


def paints(site: Path) -> dict[str, float]:
    """Milliseconds by what was waited for; empty without a browser."""
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        return {}
    path = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if path is None:
        return {}
    (items,) = site.glob("*/items.html")
    taken: dict[str, list[float]] = {}
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=path, args=["--no-sandbox"] if os.geteuid() == 0 else [])
        for _ in range(PAINTS):
            for name, page_path in (("index.html", site / "index.html"), ("items.html", items)):
                page = browser.new_context().new_page()
                started = time.perf_counter()
                page.goto(page_path.as_uri())
                if name == "items.html":
                    page.locator("#rows tbody tr").first.wait_for()
                    taken.setdefault("rows of items.html", []).append(1000 * (time.perf_counter() - started))
                    taken.setdefault("a filter of items.html", []).append(filtered(page))
                taken.setdefault(f"first paint of {name}", []).append(page.evaluate(PAINT))
                page.context.close()
        browser.close()
    return {name: statistics.median(values) for name, values in taken.items()}


def filtered(page: Any) -> float:
    """Milliseconds from choosing the items on which models differ to having them on the page."""
    before, started = page.locator("#count").inner_text(), time.perf_counter()
    page.locator("select[name=show]").select_option("differ")
    while page.locator("#count").inner_text() == before:
        page.wait_for_timeout(2)
    return 1000 * (time.perf_counter() - started)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", type=int, default=10)
    parser.add_argument("--items", type=int, default=10_000)
    parser.add_argument("--limit-seconds", type=float, default=60.0)
    parser.add_argument("--limit-mib", type=float, default=1536.0)
    parser.add_argument("--limit-first-page-mib", type=float, default=2.0)
    parser.add_argument("--limit-paint-ms", type=float, default=1000.0)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="sqlgauge-perf-") as name:
        folder = Path(name)
        examples = [example(number) for number in range(args.items)]
        for model in range(args.models):
            write_run(folder / "runs" / f"model-{model:02}", examples, model)
        (seconds, mib), (again, _) = (write_site(folder / "runs", folder / site) for site in ("site", "again"))
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        work = (used.ru_utime + used.ru_stime) / 2
        sizes = [path.stat().st_size for path in (folder / "site").rglob("*") if path.is_file()]
        same = digest(folder / "site") == digest(folder / "again")
        page, painted = first_page(folder / "site"), paints(folder / "site")
    what = f"{args.models} models x {args.items} items"
    print(f"{what}: {seconds:.1f} s, again {again:.1f} s ({work:.0f} s of work); peak {mib:.0f} MiB")
    bytes_twice = "the same bytes twice" if same else "OTHER BYTES THE SECOND TIME"
    print(f"the site has {len(sizes)} files, {sum(sizes) / 2**20:.1f} MiB; {bytes_twice}")
    print(f"the first page has {page:.2f} MiB with all that it loads")
    for what, taken in painted.items():
        print(f"{what}: {taken:.0f} ms")
    if not painted:
        print("first paint: not measured, for there is no Chromium or no playwright here")
    late = [taken for what, taken in painted.items() if what.startswith("first paint") and taken > args.limit_paint_ms]
    slow = seconds > args.limit_seconds or mib > args.limit_mib
    return int(slow or not same or page > args.limit_first_page_mib or bool(late))


if __name__ == "__main__":
    sys.exit(main())
