"""All shards of one dataset's runs, as a stream of files.

Promises: the same runs give the same files; a few chunks of items are held in memory at a time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

from benchmark.identity import canonical_json
from benchmark.store import RunFolder
from benchmark.types import Example, RunManifest
from reports.board import Table
from reports.items.comparing import Comparing
from reports.items.layout import CHUNK, TEXTS, chunks, cut, shard
from reports.items.prompted import prompt_of, prompt_text
from reports.items.reader import RunReader
from reports.items.records import Record, answer_record, item_record, with_edits
from reports.items.tree_diff import Pair
from reports.reading import Items
from reports.slices import Partition, partitions

#: Chunks of items whose answers are compared with their golds while those of the chunks before them are written.
AT_ONCE = 10
File = tuple[str, bytes]
#: Of each run, of each item, the answers.
Answered = list[list[list[Record]]]


def item_files(table: Table, runs: Sequence[tuple[RunManifest, RunFolder]]) -> Iterator[File]:
    """The shards of a table's runs by name: the runs in the table's order, items in the first run's."""
    order = {row.run_id: number for number, row in enumerate(table.rows)}
    ordered = sorted(runs, key=lambda run: order[run[0].run_id])
    items, source = Items(), _Source(ordered)
    for example in source.examples():
        items.add([example])
    with ExitStack() as stack:
        readers = [stack.enter_context(RunReader(*run, items.places)) for run in ordered]
        yield from _columns(table, items, readers, source.left_out(table, items.places))
        yield from _texts(source)
        yield from _answers(source, readers)


class _Source:
    """The examples of some runs, each once, as often as they are asked for."""

    def __init__(self, runs: Sequence[tuple[RunManifest, RunFolder]]) -> None:
        self._folders = [folder for _, folder in runs]
        health = (one for folder in self._folders for one in folder.health().values())
        self._unsound = {one.example_id: one for one in health if not one.healthy}

    @property
    def unsound(self) -> dict[str, str]:
        """What is wrong with an item, by its id."""
        return {key: f"{one.status.replace('_', ' ')}: {one.reason}" for key, one in self._unsound.items()}

    def left_out(self, table: Table, places: Mapping[str, int]) -> list[int]:
        """Places of the items with a value that leave the headline of a table."""
        leave = {one.status for one in table.left_out if not one.fails}
        return sorted(places[key] for key, one in self._unsound.items() if one.status in leave and key in places)

    def examples(self) -> Iterator[Example]:
        seen: set[str] = set()
        for folder in self._folders:
            for example in folder.iter_examples():
                if example.id not in seen:
                    seen.add(example.id)
                    yield example

    def chunked(self, size: int) -> Iterator[list[Example]]:
        batch: list[Example] = []
        for example in self.examples():
            batch.append(example)
            if len(batch) == size:
                yield batch
                batch = []
        if batch:
            yield batch


def _columns(table: Table, items: Items, readers: Sequence[RunReader], left_out: Sequence[int]) -> Iterator[File]:
    tags = [slicing.tag for slicing in table.slicings if len(slicing.values) > 1]
    parts = {part.slicing.tag: part for part in partitions(items)}
    head = _head(table, len(items.ids), [parts[tag] for tag in tags], readers)
    yield _file("head", {**head, "left_out": left_out})
    yield _file("ids", items.ids)
    for number, tag in enumerate(tags):
        yield _file(f"tag-{number}", parts[tag].codes.tolist())
    for run, reader in enumerate(readers):
        for number, name in enumerate(table.columns):
            if name in reader.outcomes:
                yield _file(f"outcome-{run}-{number}", reader.outcomes[name].decode())


def _head(table: Table, n: int, parts: Sequence[Partition], readers: Sequence[RunReader]) -> Record:
    places, pairs = {row.run_id: number for number, row in enumerate(table.rows)}, table.ranking
    return {
        "n": n,
        "headline": table.headline,
        "columns": table.columns,
        "tags": [{"name": part.slicing.tag, "values": part.slicing.values} for part in parts],
        "runs": [
            {"run": row.run_id, "model": row.model, "has": [name in reader.outcomes for name in table.columns]}
            for row, reader in zip(table.rows, readers, strict=True)
        ],
        "prompts": _prompt_numbers(readers),
        "pairs": [
            [places[p.upper], places[p.lower], p.difference, p.low, p.high, p.p_value, p.separated]
            for p in (pairs.pairs if pairs else ())
        ],
        "text_chunk": TEXTS,
        "chunk": CHUNK,
    }


def _prompt_numbers(readers: Sequence[RunReader]) -> list[int | None]:
    """By run, the number of its prompt among the different ones: None without any, -1 where it cannot be shown."""
    seen: dict[bytes, int] = {}
    found: list[int | None] = []
    for reader in readers:
        prompt = prompt_of(reader.manifest)
        lacking = None if reader.manifest.identity.get("prompt") is None else -1
        found.append(lacking if prompt is None else seen.setdefault(canonical_json(prompt), len(seen)))
    return found


def _texts(source: _Source) -> Iterator[File]:
    for number, batch in enumerate(source.chunked(TEXTS)):
        yield _file(f"text-{number}", [cut(example.question) for example in batch])


def _answers(source: _Source, readers: Sequence[RunReader]) -> Iterator[File]:
    prompts = dict(zip(_prompt_numbers(readers), [prompt_of(reader.manifest) for reader in readers], strict=True))
    shown = _Shown({place: prompt for place, prompt in prompts.items() if prompt is not None}, source.unsound)
    with Comparing(expected=sum(reader.answered for reader in readers)) as comparing:
        begun: Callable[[], Answered] | None = None
        first = 0
        before: list[Example] = []
        for batch in source.chunked(CHUNK * AT_ONCE):
            answers = [_answered(range(first, first + len(batch)), reader) for reader in readers]
            ready, begun = begun, _compared(batch, answers, comparing)
            if ready is not None:
                yield from _written(first - len(before), before, ready(), shown)
            first, before = first + len(batch), batch
        if begun is not None:
            yield from _written(first - len(before), before, begun(), shown)


@dataclass(frozen=True, slots=True)
class _Shown:
    """What is shown of items beside themselves: each different prompt by its number, and what is wrong with some."""

    prompts: Mapping[int | None, Any]
    unsound: Mapping[str, str]


def _written(first: int, batch: Sequence[Example], answers: Answered, shown: _Shown) -> Iterator[File]:
    """The shards of some items, the first of which has the place `first`."""
    for places in chunks(len(batch), CHUNK):
        number, part = (first + places.start) // CHUNK, batch[places.start : places.stop]
        yield _file(f"item-{number}", _items(part, shown.unsound))
        for run, found in enumerate(answers):
            yield _file(f"answer-{run}-{number}", found[places.start : places.stop])
        for place, prompt in shown.prompts.items():
            yield _file(f"prompt-{place}-{number}", [cut(prompt_text(one, prompt)) for one in part])


def _items(examples: Sequence[Example], unsound: Mapping[str, str]) -> Record:
    """Some items, and each different schema of theirs once."""
    schemas = list(dict.fromkeys(cut(example.schema_sql) for example in examples))
    place = {schema: number for number, schema in enumerate(schemas)}
    items = [item_record(one, place[cut(one.schema_sql)], unsound.get(one.id)) for one in examples]
    return {"schemas": schemas, "items": items}


def _answered(places: range, reader: RunReader) -> list[list[Record]]:
    """A run's answers to the items at some places."""
    return [
        [answer_record(answer, reader.scores(place), reader.verdicts(place)) for answer in reader.answers(place)]
        for place in places
    ]


def _compared(examples: Sequence[Example], answers: Answered, comparing: Comparing) -> Callable[[], Answered]:
    """The answers of all runs to some items, those with other SQL than the gold's with their edits, once called."""
    records = [(e, record) for of_run in answers for e, of in zip(examples, of_run, strict=True) for record in of]
    pairs = [_pair(example, record) for example, record in records]
    edits = comparing.begin([pair for pair in pairs if pair is not None])

    def wait() -> Answered:
        found = iter(edits())
        ready = iter([with_edits(record, next(found) if pair else None)
                      for (_, record), pair in zip(records, pairs, strict=True)])  # fmt: skip
        return [[[next(ready) for _ in of] for of in of_run] for of_run in answers]

    return wait


def _pair(example: Example, record: Record) -> Pair | None:
    """What to compare of an answer; None without SQL, or where it is the gold word for word."""
    sql = record["sql"]
    if not example.golds or sql is None or sql == example.golds[0]:
        return None
    return example.dialect, example.golds[0], sql


def _file(name: str, content: Any) -> File:
    return f"{name}.js", shard(name, content)
