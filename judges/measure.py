"""A run's judges measured: against labels, against each other, and against themselves; kept in the run folder.

Promises: a calibration says what it was made from, and is known to be stale once the verdicts are others.
Does not: compute a figure; `judges.calibrate`, `judges.agreement` and `judges.bias` do.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec

from benchmark.errors import UsageError
from benchmark.identity import digest, file_digest
from benchmark.labels import read_labels
from benchmark.store import RunFolder, write_atomically
from benchmark.types import SCHEMA_VERSION, Verdict, VerdictLabel
from judges.across import Across, JudgedRun, across
from judges.aggregate import Rule
from judges.agreement import Agreement, agreement
from judges.bias import Repeatability, order_swap, repeatability
from judges.calibrate import Calibration, calibrate_panel
from judges.figures import Figure

FILE = "calibration.json"
#: The `--calibrate` that takes the engine's own evidence for the truth.
ENGINE = "engine"
_DECIDED: Mapping[object, VerdictLabel] = {"equivalent": "correct", "different": "incorrect"}

Key = tuple[str, int]
Said = dict[str, dict[Key, VerdictLabel | None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Swapped:
    """`judges.bias.OrderSwap` for a file: `changes` counts by 'correct -> incorrect'."""

    consistency: Figure
    changes: Mapping[str, int]
    correct_as_asked: int
    correct_swapped: int
    p_value: float
    failed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SelfCheck:
    """What a judge says when asked the other way round (`swap`), and again (`repeat`); None: not asked."""

    judge: str
    swap: Swapped | None
    repeat: Repeatability | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RunCalibration:
    """All that is known of the judges of a run. `judges` ends with the panel where there are several.

    `source` is 'engine' or the name of a labels file, `source_digest` its hash; `verdicts_digest` is that of the labels
    that were measured. `warnings` are about all judges; each has its own besides. `across` is what all runs of the same
    command say together.
    """

    run_id: str
    source: str
    source_digest: str
    rule: Rule
    verdicts_digest: str
    judges: tuple[Calibration, ...]
    agreement: Agreement | None
    self_checks: tuple[SelfCheck, ...]
    warnings: tuple[str, ...]
    across: Across | None = None
    schema_version: int = SCHEMA_VERSION


@dataclass(frozen=True, slots=True, kw_only=True)
class Truth:
    """What is taken to be right, and what a reader must know of it."""

    source: str
    source_digest: str
    labels: Mapping[Key, VerdictLabel]
    random_sample: bool
    warnings: tuple[str, ...] = ()


def calibrate_runs(folders: Sequence[RunFolder], source: str, rule: Rule = "majority") -> list[RunCalibration]:
    """Measure the judges of each run, and over all runs together. Raises UsageError as `calibrate_run` does."""
    found = [calibrate_run(folder, source, rule) for folder in folders]
    together = across([_judged_run(folder, source) for folder in folders], found[0].source) if found else None
    return [replace(one, across=together) for one in found]


def calibrate_run(folder: RunFolder, source: str, rule: Rule = "majority") -> RunCalibration:
    """Measure the judges of a run by a labels file, or by `ENGINE`. Raises UsageError without verdicts or labels."""
    said = said_of(folder.verdicts())
    if not said:
        raise UsageError(f"{folder.path} has no verdicts to calibrate", "Ask a judge: 'sqlgauge judge RUN --judge J'.")
    truth = truth_of(folder, source)
    asked = {item for labels in said.values() for item in labels}
    known = {item: label for item, label in truth.labels.items() if item in asked}
    if not known:
        raise UsageError(
            f"{truth.source} says nothing about any answer of {folder.path} that was judged",
            "Label some with 'sqlgauge label RUN', or give --calibrate engine for a run scored for equivalence.",
        )
    strangers = len(truth.labels) - len(known)
    more = (f"{strangers} labels are of answers that no judge was asked about, and are not used",) if strangers else ()
    groups = groups_of(folder, asked)
    found = calibrate_panel(said, known, random_sample=truth.random_sample, rule=rule, groups=groups)
    return RunCalibration(
        run_id=folder.manifest().run_id,
        source=truth.source,
        source_digest=truth.source_digest,
        rule=rule,
        verdicts_digest=verdicts_digest(folder.verdicts()),
        judges=tuple(found if len(said) > 1 else found[:1]),
        agreement=agreement(said, groups) if len(said) > 1 else None,
        self_checks=self_checks(folder),
        warnings=(*truth.warnings, *more),
    )


def write_calibration(folder: RunFolder, found: RunCalibration) -> Path:
    """Keep it with the run, so that its reports show it."""
    path = folder.path / FILE
    write_atomically(path, msgspec.json.format(msgspec.json.encode(found), indent=2) + b"\n")
    return path


def read_calibration(folder: RunFolder) -> RunCalibration | None:
    """The calibration in a run folder; None without one, or with one of other verdicts. Raises UsageError."""
    path = folder.path / FILE
    if not path.is_file():
        return None
    try:
        found = msgspec.json.decode(path.read_bytes(), type=RunCalibration)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} is damaged: {error}", "Make it anew with 'sqlgauge judge RUN --calibrate'.") from None
    return found if found.verdicts_digest == verdicts_digest(folder.verdicts()) else None


def truth_of(folder: RunFolder, source: str) -> Truth:
    """What a labels file, or the `ENGINE`, says of a run's answers."""
    return by_engine(folder) if source == ENGINE else by_people(folder, Path(source))


def _judged_run(folder: RunFolder, source: str) -> JudgedRun:
    manifest, verdicts = folder.manifest(), folder.verdicts()
    model, dataset = (manifest.identity.get(part) or {} for part in ("model", "dataset"))
    return JudgedRun(
        run_id=manifest.run_id,
        model=str(model.get("spec")),
        dataset=str(dataset.get("fingerprint")),
        digest=verdicts_digest(verdicts),
        said=said_of(verdicts),
        truth=truth_of(folder, source).labels,
        groups={example.id: example.group for example in folder.iter_examples()},
    )


def by_people(folder: RunFolder, path: Path) -> Truth:
    """A labels file. An answer that several people labelled has the label that they share, else `unsure`."""
    run_id = folder.manifest().run_id
    given: dict[Key, set[VerdictLabel]] = defaultdict(set)
    for label in read_labels(path):
        if label.run_id == run_id:
            given[label.example_id, label.sample].add(label.label)
    split = sum(len(labels) > 1 for labels in given.values())
    return Truth(
        source=path.name,
        source_digest=file_digest(path),
        labels={item: min(labels) if len(labels) == 1 else "unsure" for item, labels in given.items()},
        random_sample=True,
        warnings=(f"people disagree on {split} answers, which count as unsure",) if split else (),
    )


def by_engine(folder: RunFolder) -> Truth:
    """What proofs and counterexamples decide of a run's answers; the rest has no label."""
    labels = {
        (score.example_id, score.sample): _DECIDED[score.evidence["verdict"]]
        for score in folder.iter_scores()
        if score.metric == "equivalence" and score.evidence.get("verdict") in _DECIDED
    }
    named = sorted([*item, label] for item, label in labels.items())
    return Truth(source=ENGINE, source_digest=digest(named), labels=labels, random_sample=False)


def said_of(verdicts: Iterable[Verdict]) -> Said:
    """Judge, then answer, then label; judges by name."""
    found: Said = defaultdict(dict)
    for verdict in verdicts:
        found[verdict.judge][verdict.example_id, verdict.sample] = verdict.label
    return {judge: found[judge] for judge in sorted(found)}


def groups_of(folder: RunFolder, items: Iterable[Key]) -> dict[Key, Hashable] | None:
    """Each answer's cluster; None where there is but one, so that each answer is its own.

    Several samples of one example are one cluster at least, for they share the question.
    """
    names = {example.id: example.group for example in folder.iter_examples()}
    found: dict[Key, Hashable] = {item: names.get(item[0], item[0]) for item in items}
    if len(set(found.values())) > 1:
        return found
    samples = len({example for example, _ in found}) < len(found)
    return {item: item[0] for item in found} if samples else None


def self_checks(folder: RunFolder) -> tuple[SelfCheck, ...]:
    """Each judge that was asked more than once about anything; answers that needed no call say nothing here."""
    by_judge: dict[str, list[Verdict]] = defaultdict(list)
    for verdict in folder.every_verdict():
        if not verdict.prompt_hash.startswith("none:"):
            by_judge[verdict.judge].append(verdict)
    found = (_self_check(folder, judge, by_judge[judge]) for judge in sorted(by_judge))
    return tuple(one for one in found if one.swap or one.repeat)


def _self_check(folder: RunFolder, judge: str, verdicts: Sequence[Verdict]) -> SelfCheck:
    first, swapped = ({(v.example_id, v.sample): v.label for v in verdicts if v.repeat == 0 and v.swapped is side}
                      for side in (False, True))  # fmt: skip
    again: dict[Key, list[VerdictLabel | None]] = defaultdict(list)
    for verdict in sorted((v for v in verdicts if not v.swapped), key=lambda v: v.repeat):
        again[verdict.example_id, verdict.sample].append(verdict.label)
    repeated = {item: labels for item, labels in again.items() if len(labels) > 1}
    groups = groups_of(folder, {**first, **swapped})
    return SelfCheck(
        judge=judge,
        swap=_swap(first, swapped, groups) if swapped else None,
        repeat=repeatability(repeated, groups) if repeated else None,
    )


def _swap(
    first: Mapping[Key, VerdictLabel | None],
    swapped: Mapping[Key, VerdictLabel | None],
    groups: Mapping[Key, Hashable] | None,
) -> Swapped:
    found = order_swap({item: first.get(item) for item in swapped}, swapped, groups)
    return Swapped(
        consistency=found.consistency,
        changes={f"{before} -> {after}": count for (before, after), count in sorted(found.changes.items())},
        correct_as_asked=found.correct_as_asked,
        correct_swapped=found.correct_swapped,
        p_value=found.p_value,
        failed=found.failed,
    )


def verdicts_digest(verdicts: Iterable[Verdict]) -> str:
    """The tagged hash of what each judge says of each answer."""
    return digest(sorted([v.example_id, v.sample, v.judge, v.label or ""] for v in verdicts))
