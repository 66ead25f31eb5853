"""A page to label a random sample of a run's answers by hand: question, schema, gold, prediction, and both results.

Promises: what execution or a judge says is not on the page, nor the model's name, and results of both queries are
shown whether they agree or not, so that nothing gives the verdict away; no foreign text can become code, and the page
asks no other host for anything.
Does not: serve the page (`reports.label_server`).
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
from markupsafe import Markup

from benchmark.answers import Answers
from benchmark.errors import UsageError
from benchmark.extract import extract
from benchmark.identity import digest
from benchmark.labels import Label, draw, of_run, read_labels
from benchmark.side_by_side import Result, results
from benchmark.store import RunFolder, write_atomically
from benchmark.types import SCHEMA_VERSION, Example, Generation
from reports.html import GENERATOR, TEMPLATES, environment


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One answer to label. Results are None for statements that write."""

    example_id: str
    sample: int
    question: str
    evidence: str | None
    schema: str
    golds: tuple[str, ...]
    text: str
    prediction: str | None
    gold_result: Result | None
    result: Result | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """The answers to label, in random order, with the labels that they have already."""

    run_id: str
    dataset: str
    seed: int
    population: int
    items: tuple[Item, ...]
    labels: tuple[Label, ...]

    @property
    def key(self) -> str:
        """Tells this draw from any other: what the browser keeps its state under."""
        return digest([self.run_id, [item.example_id for item in self.items]])[:23]


def make_sheet(run: RunFolder, n: int, seed: int, labels: Path | None = None, workers: int | None = None) -> Sheet:
    """Draw n of the run's answers; `labels` is a file that may hold labels of them. Raises UsageError."""
    manifest = run.manifest()
    answers = _answers(run)
    if not answers:
        raise UsageError(f"{run.path} has no answers to label", "Run it again to retry what failed.")
    drawn = draw(answers, n, seed)
    wanted = frozenset(drawn)
    examples = {example.id: example for example in run.iter_examples() if example.id in wanted}
    given = read_labels(labels) if labels is not None and labels.exists() else []
    data = manifest.identity.get("dataset")
    return Sheet(
        run_id=manifest.run_id,
        dataset=str(data.get("name") if isinstance(data, Mapping) else ""),
        seed=seed,
        population=len(answers),
        items=tuple(_items(run, examples, drawn, workers)),
        labels=tuple(of_run(given, manifest.run_id, drawn)),
    )


def render_sheet(sheet: Sheet, endpoint: str | None = None) -> str:
    """The page as HTML with everything in it; `endpoint` is the path that labels are posted to, None for no server."""
    script, style = ((TEMPLATES / name).read_text(encoding="utf-8") for name in ("label.js", "label.css"))
    data: dict[str, Any] = msgspec.to_builtins(sheet)
    data |= {"key": sheet.key, "endpoint": endpoint, "schema_version": SCHEMA_VERSION}
    own = {"script": Markup(script), "style": Markup(style)}  # noqa: S704 - files of this package
    template = environment().get_template("label.html.j2")
    return template.render(sheet=sheet, data=data, policy=_policy(script, style), **own)


def write_sheet(sheet: Sheet, page: Path) -> None:
    """Write the page. Raises UsageError where a file stands that sqlgauge did not write."""
    if page.exists() and not (page.is_file() and GENERATOR.encode() in page.read_bytes()):
        raise UsageError(f"{page} was not written by sqlgauge; it is left as it is", "Choose another --page.")
    page.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(page, render_sheet(sheet).encode())


def _policy(script: str, style: str) -> str:
    """The page's Content-Security-Policy: these two texts, and posting to its own server."""
    hashes = [base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in (script, style)]
    return (
        f"default-src 'none'; script-src 'sha256-{hashes[0]}'; style-src 'sha256-{hashes[1]}'; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'"
    )


def _answers(run: RunFolder) -> list[str]:
    """Ids of the examples that have an answer."""
    positions = {example.id: place for place, example in enumerate(run.iter_examples())}
    with Answers(run.path / "generations.jsonl", positions) as answers:
        return [one for one in positions if _first(answers.of(one)) is not None]


def _first(generations: list[Generation]) -> Generation | None:
    """The first answer that did not fail."""
    return next((generation for generation in generations if generation.error is None), None)


def _items(run: RunFolder, examples: Mapping[str, Example], drawn: list[str], workers: int | None) -> list[Item]:
    found: dict[str, tuple[Example, Generation, str | None]] = {}
    with Answers(run.path / "generations.jsonl", {one: place for place, one in enumerate(drawn)}) as answers:
        for one in drawn:
            generation = _first(answers.of(one))
            assert generation is not None
            found[one] = (examples[one], generation, extract(one, generation.text, generation.finish_reason).sql)
    shown = results(((example, sql) for example, _, sql in found.values()), workers)
    return [_item(*one, by_statement) for one, by_statement in zip(found.values(), shown, strict=True)]


def _item(example: Example, generation: Generation, sql: str | None, results: Mapping[str, Result]) -> Item:
    return Item(
        example_id=example.id,
        sample=generation.sample,
        question=example.question,
        evidence=example.evidence,
        schema=example.schema_sql,
        golds=example.golds,
        text=generation.text,
        prediction=sql,
        gold_result=results.get(example.golds[0]) if example.golds else None,
        result=None if sql is None else results.get(sql),
    )
