"""Judges: asking them about runs, what that would cost, and how far they can be trusted."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict, Unpack

from sqlgauge.verbs.common import Progress, silent

if TYPE_CHECKING:
    from benchmark.chat import Budget
    from benchmark.store import RunFolder
    from judges.aggregate import Rule
    from judges.bill import Estimate, Outcome
    from judges.measure import RunCalibration, SelfCheck
    from judges.panel import Panel
    from sqlgauge.consent import Ask


class Asking(TypedDict, total=False):
    """How judges are asked: each question `repeat` times, and with `swap` again with both queries trading places.

    `api_base` is a base URL, or several, of which JUDGE=URL is for one judge alone; several for one judge are asked in
    turn. `max_cost` is in USD. `reuse` (usual) takes verdicts that other runs on this machine paid for. `rpm` and `tpm`
    are the most requests and tokens of each judge in any minute, in any `window` seconds where that is given. With a
    `seed` the k-th repeat (from 0) is asked with seed + k.
    """

    rubric: str
    api_base: str | Sequence[str] | None
    swap: bool
    repeat: int
    max_cost: float | None
    prices: Path | None
    concurrency: int | None
    reuse: bool
    rpm: int | None
    tpm: int | None
    window: float
    seed: int | None


def judge(
    paths: Iterable[Path],
    *,
    judges: Sequence[str],
    yes: bool = False,
    ask: Ask | None = None,
    progress: Progress = silent,
    **asking: Unpack[Asking],
) -> Outcome:
    """Ask judges about runs; verdicts that are there are kept. What it took, and how many calls failed.

    Before anything is sent to a provider for the first time, `ask` is shown what and must return True, unless `yes`.
    Raises UsageError without leave, BudgetExceeded at the limit (all that was paid for being stored).
    """
    from benchmark.store import find_runs

    folders = find_runs(paths)
    panel = make_panel(judges, **asking)
    require_leave(panel, asking, map(_about_run, folders), yes=yes, ask=ask)
    return panel.judge_all(folders, progress)


def judge_estimate(paths: Iterable[Path], *, judges: Sequence[str], **asking: Unpack[Asking]) -> list[Estimate]:
    """What `judge` would ask and cost, one estimate a judge, with the first prompt.

    Calls nobody, so that it needs no key, and writes nothing.
    """
    from benchmark.store import find_runs

    return make_panel(judges, keyless=True, **asking).estimate(find_runs(paths))


def calibrate(paths: Iterable[Path], *, truth: str | Path, rule: Rule = "majority") -> list[RunCalibration]:
    """Measure the judges of runs, each and together, by a labels file or by 'engine'; kept in the run folders."""
    from benchmark.store import find_runs
    from judges.measure import calibrate_runs, write_calibration

    folders = find_runs(paths)
    found = calibrate_runs(folders, str(truth), rule)
    for folder, one in zip(folders, found, strict=True):
        with folder.writing():
            write_calibration(folder, one)
    return found


def self_checks(paths: Iterable[Path]) -> dict[str, tuple[SelfCheck, ...]]:
    """By run folder, what judges that were asked more than once make of it."""
    from benchmark.store import find_runs
    from judges.measure import self_checks as check

    return {str(folder.path): check(folder) for folder in find_runs(paths)}


def make_panel(
    judges: Sequence[str], *, budget: Budget | None = None, keyless: bool = False, **asking: Unpack[Asking]
) -> Panel:
    """The panel, checked: names, keys (unless it is `keyless`), prices and the rubric.

    `budget` is one that others spend from as well, in place of `max_cost`.
    """
    from benchmark.chat import ChatSettings
    from judges.ledger import default_cache
    from judges.panel import Panel

    usual = ChatSettings(max_tokens=400)
    return Panel(
        judges,
        asking.get("rubric", "seed"),
        _bases(judges, asking) or None,
        settings=replace(
            usual,
            concurrency=asking.get("concurrency") or usual.concurrency,
            rpm=asking.get("rpm"),
            tpm=asking.get("tpm"),
            window=asking.get("window", usual.window),
            seed=asking.get("seed"),
        ),
        repeat=asking.get("repeat", 1),
        swap=asking.get("swap", False),
        max_cost=asking.get("max_cost"),
        prices=asking.get("prices"),
        cache=default_cache() if asking.get("reuse", True) else None,
        budget=budget,
        keyless=keyless,
    )


def require_leave(
    panel: Panel, asking: Asking, about: Iterable[tuple[str, str, int]], *, yes: bool, ask: Ask | None
) -> None:  # fmt: skip
    """Ask for leave to send datasets (name, fingerprint, items) to the panel's providers. Raises UsageError.

    A base URL in the environment does not make a provider local, for not every provider heeds it.
    """
    from judges.rubric import find_rubric
    from sqlgauge.consent import Disclosure, recipients, require

    named = _bases(list(panel.clients), asking)
    places: dict[str, Sequence[str | None]] = {
        judge: named.get(judge, client.places) for judge, client in panel.clients.items()
    }
    results = find_rubric(panel.rubric).shows_results
    totals: dict[tuple[str, str], int] = {}
    for name, fingerprint, items in about:
        totals[name, fingerprint] = totals.get((name, fingerprint), 0) + items
    wanted = [
        Disclosure(recipient=recipient, dataset=name, fingerprint=fingerprint, items=items, results=results)
        for recipient in recipients(places, named)
        for (name, fingerprint), items in totals.items()
    ]
    require(wanted, yes=yes, ask=ask)


def _about_run(folder: RunFolder) -> tuple[str, str, int]:
    dataset = folder.manifest().identity.get("dataset") or {}
    return str(dataset.get("name")), str(dataset.get("fingerprint")), len(folder.generations())


def _bases(judges: Sequence[str], asking: Asking) -> dict[str, tuple[str, ...]]:
    """Base URLs by judge: 'JUDGE=URL' is for one of them, several for one stand in for each other in that order.

    A URL alone is for all judges without one of their own; there can be only one. Raises UsageError.
    """
    from benchmark.errors import UsageError

    given = asking.get("api_base") or ()
    own: dict[str, tuple[str, ...]] = {}
    common: list[str] = []
    for text in [given] if isinstance(given, str) else given:
        judge = next((judge for judge in judges if text.startswith(f"{judge}=")), None)
        if judge is None:
            common.append(text)
        else:
            own[judge] = (*own.get(judge, ()), text.removeprefix(f"{judge}="))
    if len(common) > 1:
        raise UsageError(
            "--api-base was given several times for all judges",
            "Write --api-base JUDGE=URL for each; several for one judge are asked in turn.",
        )
    return {judge: urls for judge in judges if (urls := own.get(judge) or tuple(common))}
