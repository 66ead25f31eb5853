"""What `sqlgauge judge` prints: estimates, bills, how judges agree, and how far each can be trusted."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlgauge.grids import inert

if TYPE_CHECKING:
    from judges.across import Across
    from judges.agreement import Agreement
    from judges.bill import Bill, Estimate, Outcome
    from judges.calibrate import Calibration
    from judges.figures import Figure
    from judges.measure import RunCalibration, SelfCheck

UNCALIBRATED = "a judge without calibration is no measurement: --calibrate LABELS, or --calibrate engine"
_HEADS = ("judge", "n", "says correct", "sensitivity", "specificity", "Rogan-Gladen", "PPI")


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What a command has to show: `outcome` if it asked, `calibrations` if it measured."""

    runs: Sequence[Path]
    outcome: Outcome | None
    calibrations: Sequence[RunCalibration]


def as_text(shown: Shown) -> str:
    """Bills, then each run: its figures, or its calibration, and what judges make of being asked again."""
    from benchmark.store import find_runs
    from sqlgauge.summary import run_lines, summarise
    from sqlgauge.verbs import self_checks

    blocks = ["\n".join(map(bill, shown.outcome.bills))] if shown.outcome else []
    if shown.calibrations:
        together = shown.calibrations[0].across
        return "\n\n".join(filter(None, [*blocks, *map(calibration, shown.calibrations), across(together)]))
    checks = self_checks(shown.runs)
    for run in find_runs(shown.runs):
        more = [line for one in checks[str(run.path)] for line in self_check(one)]
        blocks.append("\n".join([*run_lines(summarise(run)), *more]))
    return inert("\n\n".join([*blocks, UNCALIBRATED]))


def as_json(shown: Shown) -> str:
    """The same for machines."""
    import msgspec

    from benchmark.store import find_runs
    from sqlgauge.summary import summarise
    from sqlgauge.verbs import self_checks

    found: dict[str, Any] = {
        "runs": [summarise(run) for run in find_runs(shown.runs)],
        "bills": msgspec.to_builtins(shown.outcome.bills) if shown.outcome else [],
        "failed": shown.outcome.failed if shown.outcome else 0,
        "self_checks": msgspec.to_builtins(self_checks(shown.runs)),
        "calibrations": msgspec.to_builtins([replace(one, across=None) for one in shown.calibrations]),
        "across": msgspec.to_builtins(shown.calibrations[0].across) if shown.calibrations else None,
    }
    return json.dumps(found, indent=2)


def estimates(found: Iterable[Estimate]) -> str:
    """One prompt, then what each judge would take."""
    lines, prompt = [], ""
    for one in found:
        prompt = prompt or "\n".join(f"[{message.role}]\n{message.content}" for message in one.prompt)
        cost = "no price known" if one.usd_low is None else f"{one.usd_low:.4f} to {one.usd_high:.4f} USD"
        lines.append(
            f"{one.judge}: {one.calls} calls ({one.reused} need none), {one.prompt_tokens:,} prompt tokens, "
            f"{one.completion_tokens_low:,} to {one.completion_tokens_high:,} answer tokens, {cost}"
            + (f"; the provider does not take {', '.join(one.dropped)}" if one.dropped else "")
        )
    return inert("\n\n".join(filter(None, [prompt, "\n".join(lines)])))


def estimates_as_json(found: Iterable[Estimate]) -> list[dict[str, Any]]:
    """The estimates as JSON values."""
    import msgspec

    return [msgspec.to_builtins(one) for one in found]


def bill(found: Bill) -> str:
    """What one judge took, in a line, and what to mind: several versions or servers, and its last failure."""
    unpriced = f" ({found.unpriced} calls without a price)" if found.unpriced else ""
    unasked = f", {found.unasked} not asked" if found.unasked else ""
    more = [
        f"{found.judge}: note: answers of {len(found.versions)} versions of the model: {tally(found.versions)}"
    ] if len(found.versions) > 1 else []  # fmt: skip
    more += [f"{found.judge}: answered by {tally(found.places)}"] if found.places else []
    more += [f"{found.judge}: last failure: {found.error}"] if found.error else []
    line = (
        f"{found.judge}: {found.calls} calls, {found.failed} failed, {found.reused} reused{unasked}; "
        f"{found.prompt_tokens:,} + {found.completion_tokens:,} tokens, {found.cost_usd:.4f} USD{unpriced}"
    )
    return inert("\n".join([line, *more]))


def tally(found: Mapping[str, int]) -> str:
    """Names and how often each came."""
    return ", ".join(f"{name} ({number})" for name, number in found.items())


def calibration(found: RunCalibration) -> str:
    """One run's judges as a table, and everything that a reader must know."""
    labels = "proofs and counterexamples" if found.source == "engine" else found.source
    lines = [f"{found.run_id}: measured by {labels}", *table([_HEADS, *map(cells, found.judges)])]
    if found.agreement is not None:
        lines += ["agreement", *agreement(found.agreement)]
    lines += [line for one in found.self_checks for line in self_check(one)]
    lines += [f"note: {warning}" for warning in found.warnings]
    lines += [
        f"note: {one.judge}: {head}: {of.reason}" for one in found.judges for head, of in figures(one) if of.reason
    ]
    lines += [f"note: {one.judge}: {warning}" for one in found.judges for warning in one.warnings]
    return inert("\n".join(lines))


def across(found: Across | None) -> str:
    """What several runs say of each judge together; '' where that is nothing."""
    if found is None or not (found.pooled or found.own_family):
        return ""
    lines = []
    if found.pooled:
        heads = ("judge", "runs", "labelled", "sensitivity", "specificity")
        rows = [
            (one.judge, str(one.runs), f"{one.right} right, {one.wrong} wrong", percent(one.sensitivity),
             percent(one.specificity))
            for one in found.pooled
        ]  # fmt: skip
        lines = ["pooled over runs (each run is corrected by its own rates, not by these)", *table([heads, *rows])]
    lines += [f"note: {one.judge}: {warning}" for one in found.pooled for warning in one.warnings]
    lines += [f"self-preference: {one.sentence}" for one in found.own_family]
    return inert("\n".join(lines))


def figures(found: Calibration) -> list[tuple[str, Figure]]:
    """A judge's figures by their heads."""
    named = (found.raw, found.sensitivity, found.specificity, found.rogan_gladen, found.ppi)
    return list(zip(_HEADS[2:], named, strict=True))


def cells(found: Calibration) -> tuple[str, ...]:
    """A judge's row under `_HEADS`."""
    counts = f"{found.judged} ({found.labelled} labelled)"
    return (found.judge, counts, *(percent(one) for _, one in figures(found)))


def agreement(found: Agreement) -> list[str]:
    """How a panel agrees, a line a figure."""
    lines = [
        f"  {a} and {b}: {percent(pair.raw)} the same, Cohen's kappa {coefficient(pair.kappa)}"
        for pair in found.pairs
        for a, b in [pair.judges]
    ]
    return [
        *lines,
        f"  all {len(found.judges)}: {percent(found.unanimous)} the same, Fleiss' kappa {coefficient(found.fleiss)}, "
        f"Krippendorff's alpha {coefficient(found.alpha)}",
    ]


def self_check(found: SelfCheck) -> list[str]:
    """What a judge makes of being asked again."""
    lines = []
    if found.swap is not None:
        changes = ", ".join(f"{count} {change}" for change, count in found.swap.changes.items()) or "none"
        lines.append(
            f"  {found.judge}, queries swapped: {percent(found.swap.consistency)} alike (changes: {changes}; "
            f"correct {found.swap.correct_as_asked} as asked, {found.swap.correct_swapped} swapped, "
            f"p {found.swap.p_value:.3f}; {found.swap.failed} failed)"
        )
    if found.repeat is not None:
        pairs = "" if found.repeat.pairwise is None else f", {found.repeat.pairwise:.1%} of pairs agree"
        lines.append(
            f"  {found.judge}, asked again: {percent(found.repeat.unchanged)} always alike{pairs} "
            f"({found.repeat.failed} failed)"
        )
    return lines


def percent(found: Figure) -> str:
    """A proportion with its interval."""
    if found.value is None:
        return "none"
    ends = "" if found.low is None or found.high is None else f" ({100 * found.low:.1f} to {100 * found.high:.1f})"
    return f"{100 * found.value:.1f}%{ends}"


def coefficient(found: Figure) -> str:
    """A coefficient with its interval, or why there is none."""
    if found.value is None:
        return f"none ({found.reason})"
    return f"{found.value:.2f}" + ("" if found.low is None else f" ({found.low:.2f} to {found.high:.2f})")


def table(rows: Sequence[Sequence[str]]) -> list[str]:
    """Rows in columns of one width each."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  " + "  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip()
            for row in rows]  # fmt: skip
