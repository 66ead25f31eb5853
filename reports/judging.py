"""Judges on a leaderboard: what they say, beside what calibration makes of it, and how they agree.

Promises: a judge's share never stands without its corrected accuracy, or the words that there is none.
Does not: compute a figure; `sqlgauge judge --calibrate` leaves them in the run folder (`judges.measure`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from judges.across import Across
from judges.agreement import Agreement
from judges.calibrate import Calibration
from judges.figures import Figure
from judges.measure import ENGINE, RunCalibration
from reports.board import JUDGED, Row, Table
from reports.figures import NO_FIGURE

NOTE = (
    "What a language model called correct is an opinion. Sensitivity and specificity say how often it is right about "
    "right and about wrong answers, by labels; the corrected accuracy is what is left once its errors are taken out, "
    "by prediction-powered inference (PPI) and by Rogan and Gladen. A judge without calibration is no measurement."
)
UNCALIBRATED = "not calibrated: no measurement"
POOLED_HEADS = ("judge", "runs", "sensitivity", "specificity", "right and wrong labels")
POOLED_NOTE = (
    "Pooled over runs; a question that several runs answered counts as one cluster. No run is corrected by these."
)
HEADS = ("judge", "says correct", "sensitivity", "specificity", "corrected (PPI)", "corrected (Rogan-Gladen)", "labels")


def has_judges(table: Table) -> bool:
    """Whether any run of a table was judged."""
    return any(column.startswith(JUDGED) for column in table.columns)


def beside(row: Row, column: str) -> str:
    """What must stand beside a judge's share in its cell; '' for other columns and runs that were not judged."""
    if not column.startswith(JUDGED) or not row.cell(column).known:
        return ""
    found = _by_judge(row.calibration).get(column.removeprefix(JUDGED))
    return UNCALIBRATED if found is None else f"corrected {share(found.ppi)}"


def judge_rows(row: Row) -> Iterator[tuple[str, ...]]:
    """The cells under `HEADS` for each judge of a run and its panel, calibrated ones and others."""
    known = _by_judge(row.calibration)
    for name, found in known.items():
        said = (found.raw, found.sensitivity, found.specificity, found.ppi, found.rogan_gladen)
        yield (name, *map(share, said), f"{found.labelled} of {found.judged}, {_source(row.calibration)}")
    for column, cell in row.cells.items():
        name = column.removeprefix(JUDGED)
        if column.startswith(JUDGED) and name not in known:
            said_correct = f"{100 * cell.value:.1f}%" if cell.known else NO_FIGURE
            yield (name, said_correct, *[NO_FIGURE] * 4, UNCALIBRATED)


def judge_warnings(row: Row) -> list[str]:
    """What to mind about a run's judges."""
    found = row.calibration
    if found is None:
        return []
    own = (f"{one.judge}: {warning}" for one in found.judges for warning in one.warnings)
    return [*found.warnings, *own]


def across_of(table: Table) -> list[Across]:
    """What `--calibrate` found over several runs of a table, once each; none where a run's verdicts are others now."""
    now = {row.run_id: "" if row.calibration is None else row.calibration.verdicts_digest for row in table.rows}
    found: list[Across] = []
    for row in table.rows:
        one = None if row.calibration is None else row.calibration.across
        stale = one is None or any(now.get(run, digest) != digest for run, digest in one.runs.items())
        if one is not None and not stale and one not in found and (one.pooled or one.own_family):
            found.append(one)
    return found


def pooled_rows(found: Across) -> Iterator[tuple[str, ...]]:
    """The cells under `POOLED_HEADS` for each judge."""
    for one in found.pooled:
        yield (
            one.judge,
            str(one.runs),
            *map(share, (one.sensitivity, one.specificity)),
            f"{one.right} and {one.wrong}",
        )


def across_notes(found: Across) -> list[str]:
    """Whether judges favour their own family, and what forbids to correct by pooled rates."""
    warnings = (f"{one.judge}: {warning}" for one in found.pooled for warning in one.warnings)
    return [*(one.sentence for one in found.own_family), *warnings]


def matrix(found: Agreement) -> tuple[list[str], list[list[str]]]:
    """Heads and rows of how judges agree: the share of the same verdict, and Cohen's kappa."""
    cells: dict[tuple[str, str], str] = {}
    for pair in found.pairs:
        a, b = pair.judges
        kappa = NO_FIGURE if pair.kappa.value is None else f"{pair.kappa.value:.2f}"
        cells[a, b] = cells[b, a] = f"{share(pair.raw)}, kappa {kappa}"
    rows = [[a, *(cells.get((a, b), "same") for b in found.judges)] for a in found.judges]
    return ["judge", *found.judges], rows


def together(found: Agreement) -> str:
    """How all judges agree, in a sentence."""
    return (
        f"All {len(found.judges)} judges say the same of {share(found.unanimous)} of {found.unanimous.n} answers; "
        f"Fleiss' kappa {coefficient(found.fleiss)}, Krippendorff's alpha {coefficient(found.alpha)}."
    )


def share(found: Figure) -> str:
    """A proportion with its interval, in percent.

    >>> share(Figure(value=0.5, low=0.25, high=0.75, n=9))
    '50.0% (25.0 to 75.0)'
    """
    if found.value is None:
        return NO_FIGURE
    ends = "" if found.low is None or found.high is None else f" ({100 * found.low:.1f} to {100 * found.high:.1f})"
    return f"{100 * found.value:.1f}%{ends}"


def coefficient(found: Figure) -> str:
    """A coefficient with its interval."""
    if found.value is None:
        return NO_FIGURE
    ends = "" if found.low is None or found.high is None else f" ({found.low:.2f} to {found.high:.2f})"
    return f"{found.value:.2f}{ends}"


def _by_judge(found: RunCalibration | None) -> Mapping[str, Calibration]:
    return {} if found is None else {one.judge: one for one in found.judges}


def _source(found: RunCalibration | None) -> str:
    if found is None:
        return ""
    return "by proofs and counterexamples" if found.source == ENGINE else f"by {found.source}"
