"""Verifying a run folder of somebody else: do its scores follow from its generations? Needs no GPU and no key.

Promises: nothing is written into the folder; what could not be checked is said and never counts as checked; a damaged
folder is a finding, not an exception.
Does not: know whether the model really said what stands in generations.jsonl, or a judge what stands in verdicts.jsonl.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from benchmark.answers import Answers
from benchmark.audit import Audit, Difference, MetricCheck, without
from benchmark.datasets import Dataset
from benchmark.errors import UsageError
from benchmark.files import is_file
from benchmark.identity import digest
from benchmark.metrics import REGISTRY, score_records
from benchmark.metrics.base import BY_POLICY, BY_RULES, BY_SEARCH
from benchmark.provenance import versions
from benchmark.sqlengine.pool import Pool
from benchmark.sqlengine.results import POLICIES
from benchmark.store import RunFolder
from benchmark.terms import TERM_KEYS, stated_terms, stated_versions, versions_here
from benchmark.types import EXTERNAL, Example, Generation, RunManifest
from benchmark.validate.recheck import recheck

Progress = Callable[[str, int, int], None]

#: Packages that decide what an execution returns.
ENGINES = ("sqlgauge", "apsw", "duckdb", "sqlglot")
#: What a number of differences of a kind means.
WORDS = {
    "differs": "{count} scores differ",
    "missing": "{count} scores are missing",
    "surplus": "{count} scores are surplus: no generation is behind them",
    "repeated": "{count} scores stand more than once",
    "by machine": "{count} scores differ by a timeout or a search cut short; that could differ by machine",
}
_HASHED = re.compile(r"--([0-9a-f]{8})$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """What was found about one run: `problems` say why it does not follow, `gaps` what could not be checked here."""

    run: str
    run_id: str | None
    policy: str | None
    metrics: tuple[MetricCheck, ...]
    differences: tuple[Difference, ...]
    problems: tuple[str, ...]
    gaps: tuple[str, ...]
    notes: tuple[str, ...]

    @property
    def follows(self) -> bool:
        """Whether every published score was checked and follows, and the folder agrees with its manifest."""
        return not self.problems and not self.gaps


class _Findings:
    """Problems, gaps and notes, as they are found."""

    def __init__(self) -> None:
        self.problems: list[str] = []
        self.gaps: list[str] = []
        self.notes: list[str] = []

    def expect(self, holds: bool, problem: str) -> None:
        if not holds:
            self.problems.append(problem)


class _Material:
    """A run's examples with their database files found, and its generations counted as they are read."""

    def __init__(self, run: RunFolder, databases: Path | None) -> None:
        self._run = run
        self._databases = databases
        ids = [example.id for example in run.iter_examples()]
        self.repeated = [one for one, times in Counter(ids).items() if times > 1]
        self.positions = {one: place for place, one in enumerate(ids)}
        self.without_file: dict[str, str] = {}
        self.unanswered: list[str] = []
        self.generations = self.errors = 0
        for example in self.examples():
            if example.db is not None and not is_file(Path(example.db)):
                self.without_file[example.id] = example.db

    def examples(self) -> Iterator[Example]:
        for example in self._run.iter_examples():
            yield replace(example, db=str(find_database(example.db, self._databases))) if example.db else example

    def checkable(self) -> Iterator[Example]:
        """Those whose database file, if they need one, is here."""
        return (example for example in self.examples() if example.id not in self.without_file)

    def items(self, answers: Answers) -> Iterator[tuple[Example, list[list[Generation]]]]:
        """What can be scored."""
        for example in self.examples():
            group = answers.of(example.id)
            self.generations += len(group)
            self.errors += sum(generation.error is not None for generation in group)
            if not group:
                self.unanswered.append(example.id)
            if example.id not in self.without_file:
                yield example, [group]


def verify_run(
    run: RunFolder, progress: Progress, databases: Path | None = None, workers: int | None = None
) -> Verification:
    """Score a run's generations anew in memory, and compare. `databases` is searched for database files by name."""
    found, manifest, audit = _Findings(), None, Audit(())
    try:
        manifest = run.manifest()
        external: Counter[str] = Counter()
        audit = Audit(without(run.iter_scores(), EXTERNAL, external))
        material = _Material(run, databases)
        _check_metrics(manifest, audit, external, found)
        _rescore(run, manifest, material, audit, progress, workers, found)
        _check_examples(manifest, material, found)
        _check_counts(manifest, material, found)
        _check_run_id(manifest, found)
        _note_versions(manifest, found)
    except UsageError as error:
        found.problems.append(f"it cannot be read: {error}")
    return Verification(
        run=str(run.path),
        run_id=manifest.run_id if manifest else None,
        policy=str(manifest.identity.get("policy")) if manifest else None,
        metrics=audit.results(),
        differences=audit.differences(),
        problems=tuple(found.problems),
        gaps=tuple(found.gaps),
        notes=tuple(found.notes),
    )


def find_database(stored: str, root: Path | None) -> Path:
    """The file at the stored path; else the one in `root` with the longest tail of that path; else the stored path."""
    path = Path(stored)
    if root is None or is_file(path):
        return path
    parts = path.parts[1:] if path.is_absolute() else path.parts
    tails = (root.joinpath(*parts[start:]) for start in range(len(parts)) if ".." not in parts[start:])
    return next((tail for tail in tails if is_file(tail)), path)


def _check_metrics(manifest: RunManifest, audit: Audit, external: Mapping[str, int], found: _Findings) -> None:
    unknown = [name for name in audit.metrics if name not in REGISTRY]
    found.expect(bool(audit.metrics or external), "there are no scores: nothing is published")
    if unknown:
        found.gaps.append(f"this sqlgauge has no such metric: {', '.join(unknown)}")
    for name, count in sorted(external.items()):
        found.notes.append(f"{name}: {count} verdicts came with imported predictions; no re-scoring can check them")
    policy = str(manifest.identity.get("policy"))
    found.expect(policy in POLICIES, f"the manifest's policy is {policy!r}; known: {', '.join(POLICIES)}")


def _rescore(
    run: RunFolder,
    manifest: RunManifest,
    material: _Material,
    audit: Audit,
    progress: Progress,
    workers: int | None,
    found: _Findings,
) -> None:
    """Score what can be scored, as one stream; add what does not follow to `found`."""
    metrics = [name for name in audit.metrics if name in REGISTRY]
    terms = stated_terms(manifest.identity)
    if terms.policy not in POLICIES:
        return
    total = len(material.positions) - len(material.without_file)
    with Answers(run.path / "generations.jsonl", material.positions) as answers, Pool(workers) as pool:
        for done, (scores,) in enumerate(score_records(material.items(answers), metrics, terms, pool), 1):
            for score in scores:
                audit.check(score)
            progress("verify", done, total)
        _check_ids("generations have no example", sorted(answers.unknown), found)
        _check_health(run, material, pool, found)
    audit.finish(material.without_file)
    _judge(audit, _other_versions(manifest.identity, metrics, found), found)


def _other_versions(identity: Mapping[str, Any], metrics: Collection[str], found: _Findings) -> dict[str, str]:
    """The metrics whose rules or policies are of another version than ours -> which version; said in a note."""
    there, here, of_metric = stated_versions(identity), versions_here(), {}
    for name, depending in (("policies", BY_POLICY), ("rules", BY_RULES), ("searches", BY_SEARCH)):
        affected = [metric for metric in metrics if metric in depending]
        if there[name] != here[name] and affected:
            found.notes.append(f"{', '.join(affected)}: scored with {name} {there[name]} (here {here[name]})")
            of_metric.update(dict.fromkeys(affected, f"{name} {there[name]}"))
    return of_metric


def _judge(audit: Audit, other_versions: Mapping[str, str], found: _Findings) -> None:
    """What the comparison of the scores means. What other rules or policies said can be wrong here and honest there."""
    for result in audit.results():
        version = other_versions.get(result.metric)
        for kind, count in result.kinds.items():
            said = f"{result.metric}: {WORDS[kind].format(count=count)}"
            if kind == "differs" and version is not None:
                found.gaps.append(f"{said}, and were made with {version}; 'sqlgauge score' makes them anew")
            else:
                (found.notes if kind == "by machine" else found.problems).append(said)
        if result.evidence_differs:
            found.notes.append(
                f"{result.metric}: the evidence of {result.evidence_differs} scores differs (row counts, first rows, "
                "messages); value and status agree"
            )


def _check_examples(manifest: RunManifest, material: _Material, found: _Findings) -> None:
    data: Any = manifest.identity.get("dataset")
    stated: Mapping[str, Any] = data if isinstance(data, Mapping) else {}
    n = len(material.positions)
    found.expect(n > 0, "there is no examples.jsonl, or it is empty")
    _check_ids("examples share an id with another one", material.repeated, found)
    found.expect(stated.get("n") in (None, n), f"the manifest's dataset has {stated.get('n')} items, the folder {n}")
    if material.without_file:
        path = next(iter(material.without_file.values()))
        found.gaps.append(
            f"{len(material.without_file)} of {n} items need a database file that is not here ({path}): neither their "
            "scores nor the dataset's fingerprint can be checked"
        )
    elif n:
        examples = tuple(material.examples())
        actual = Dataset(name="", split="", examples=examples, licence="").fingerprint
        found.expect(
            stated.get("fingerprint") == actual,
            f"examples.jsonl (with the database files) is {actual[:23]}, the manifest's dataset "
            f"{str(stated.get('fingerprint'))[:23]}",
        )


def _check_counts(manifest: RunManifest, material: _Material, found: _Findings) -> None:
    actual = {
        "examples": len(material.positions),
        "generations": material.generations,
        "errors": material.errors,
    }
    found.expect(bool(manifest.counts), "the manifest has no counts: the run did not finish")
    for name, stated in manifest.counts.items():
        if name in actual:
            found.expect(stated == actual[name], f"the manifest counts {stated} {name}, the folder has {actual[name]}")
    _check_ids("examples have no generation", material.unanswered, found)
    whole = not material.errors and not material.unanswered
    found.expect(whole or not manifest.complete, "the manifest says complete, but answers failed or are missing")
    if not manifest.complete:
        found.notes.append(f"the run is incomplete, and says so: {material.errors} answers failed")


def _check_health(run: RunFolder, material: _Material, pool: Pool, found: _Findings) -> None:
    lists = {"problem": found.problems, "gap": found.gaps, "note": found.notes}
    for kind, text in recheck(run.health(), material.checkable, material.positions, pool):
        lists[kind].append(text)


def _check_run_id(manifest: RunManifest, found: _Findings) -> None:
    """An id ends in the hash of the identity, unless somebody named the run; `score` may have changed the terms."""
    match = _HASHED.search(manifest.run_id)
    if match is None:
        found.notes.append("the run was named by hand: its id says nothing about its identity")
        return
    fits = next((one for one in _earlier(manifest) if digest(one)[7:15] == match[1]), None)
    found.expect(fits is not None, "the run id is not the hash of the manifest's identity: one of them was changed")
    if fits is None:
        return
    before, now = fits.get("policy"), manifest.identity.get("policy")
    if before != now:
        found.notes.append(f"the run was made under the policy {before} and scored again under {now}")
    elif fits != manifest.identity:
        found.notes.append("the run was made before its present rules or search, and scored again")


def _earlier(manifest: RunManifest) -> Iterator[dict[str, Any]]:
    """The identities that a run may have had when it was made: as it is, with the terms that its provenance keeps, and
    either under any policy, for one that was scored again before terms were kept."""
    found = [dict(manifest.identity)]
    kept = manifest.provenance.get("made_under")
    if isinstance(kept, Mapping):
        others = {key: value for key, value in manifest.identity.items() if key not in TERM_KEYS}
        found.append(others | {key: kept[key] for key in TERM_KEYS if kept.get(key) is not None})
    yield from found
    yield from ({**identity, "policy": policy} for identity in found for policy in POLICIES)


def _note_versions(manifest: RunManifest, found: _Findings) -> None:
    stated: Any = manifest.provenance.get("versions")
    there: Mapping[str, Any] = stated if isinstance(stated, Mapping) else {}
    here = versions()
    pairs = [f"{name} {there[name]} (here {here[name]})" for name in ENGINES if name in there and name in here
             and there[name] != here[name]]  # fmt: skip
    if pairs:
        found.notes.append(f"made with other versions: {', '.join(pairs)}")


def _check_ids(what: str, ids: list[str], found: _Findings) -> None:
    shown = ", ".join(ids[:5]) + (" ..." if len(ids) > 5 else "")
    found.expect(not ids, f"{len(ids)} {what}: {shown}")
