"""The search for a small database on which a prediction answers otherwise than every gold.

Promises: a counterexample is genuine: it obeys the schema's keys, foreign keys and checks, every gold runs on it, and
the difference does not hang on the physical order of rows, which no statement decides. The same job finds the same.
Does not: prove anything when it finds nothing.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from functools import partial

import msgspec

from benchmark.sqlengine.arena import Answer
from benchmark.sqlengine.datagen.facts import arbitrary
from benchmark.sqlengine.datagen.layout import Rows
from benchmark.sqlengine.datagen.mutate import mutants
from benchmark.sqlengine.datagen.script import setup_sql
from benchmark.sqlengine.given import Given
from benchmark.sqlengine.protocol import Counterexample, Outcome, Search
from benchmark.sqlengine.sandbox import Stopped
from benchmark.sqlengine.shrink import shrunk
from benchmark.sqlengine.terrain import Terrain, terrain_of

#: Rows of a given database up to which it is shrunk to a counterexample.
MOST_GIVEN_ROWS = 200
#: Of the databases, the part that all predictions share; the rest is drawn for each alone.
_SHARED = 0.6
_MUTANTS, _MUTANT_TRIES, _KEPT = 8, 5, 6
#: Ways of storing the rows that are tried at every step of shrinking.
_FEW_WAYS = 4


def searched(given: Given, search: Search, golds: Sequence[str], outcomes: list[Outcome]) -> list[Outcome]:
    """The outcomes with a counterexample, or the number of databases that agreed, for each prediction that ran.

    One that is to be skipped, but disagrees on the given database, gets no other counterexample than that one.
    """
    hunted = [
        n
        for n, outcome in enumerate(outcomes)
        if outcome.status == "ok" and not (outcome.agrees and (n in search.skip or given.job.predictions[n] in golds))
    ]
    try:
        terrain = terrain_of(given, search, golds, hunted) if hunted and search.databases > 0 else None
    except RecursionError:  # a statement nested so deep that even its parsed tree cannot be walked
        terrain = None
    if terrain is None:
        return outcomes
    try:
        hunt = _Hunt(given, search, terrain)
        hunt.run({n: outcomes[n].agrees for n in hunted})
    finally:
        terrain.arena.close()
    found = list(outcomes)
    for n in hunted:
        example, agreed = hunt.examples.get(n), hunt.agreed.get(n, 0)
        found[n] = msgspec.structs.replace(outcomes[n], counterexample=example, databases=0 if example else agreed)
    return found


class _Hunt:
    """One job's search."""

    def __init__(self, given: Given, search: Search, terrain: Terrain) -> None:
        self.examples: dict[int, Counterexample] = {}
        self.agreed: dict[int, int] = {}
        self._given = given
        self._terrain = terrain
        self._arena = terrain.arena
        self._search = search
        self._deadline = time.monotonic() + search.seconds
        self._open: set[int] = set()
        self._kept: list[Rows] = []  # databases that tell the golds from some of their mutants
        self._mutants = dict.fromkeys(mutants(terrain.golds[0], given.job.dialect, _MUTANTS), _MUTANT_TRIES)

    def run(self, agrees: dict[int, bool]) -> None:
        """Search for every prediction: on the given database if it disagrees there, then on drawn ones."""
        self._open = set(agrees)
        if not all(agrees.values()):
            self._on_given({n for n, same in agrees.items() if not same})
        self._open -= set(self._search.skip)
        shared = max(1, round(self._search.databases * _SHARED))
        every = self._terrain.generator()
        for number in range(shared):
            if self._late() or not self._open:
                return
            edited = number % 3 == 2 and bool(self._kept) and number > shared // 2
            rows = every.edit(self._kept[number % len(self._kept)]) if edited else every.draw(number)
            self._try(rows, set(self._open), self._mutants)
        for n in sorted(self._open):
            self._alone(n, self._search.databases - shared)

    def _alone(self, n: int, databases: int) -> None:
        """Databases aimed at one prediction."""
        generator = self._terrain.generator(n)
        for number in range(databases):
            if self._late() or n not in self._open:
                return
            edited = number % 3 == 2 and bool(self._kept)
            rows = generator.edit(self._kept[number % len(self._kept)]) if edited else generator.draw(number + 2)
            self._try(rows, {n}, {})

    def _on_given(self, predictions: set[int]) -> None:
        rows = self._given.whole(self._terrain.layout, MOST_GIVEN_ROWS)
        if rows is not None and any(rows.values()):
            self._try(rows, predictions, {})

    def _try(self, rows: Rows, predictions: set[int], mutated: dict[str, int]) -> None:
        """Run golds and predictions on one database."""
        if not self._arena.fill(self._terrain.fillings(rows)):
            return
        golds = self._answers()
        if golds is None:
            return
        different = []
        for n in sorted(predictions & self._open):
            answer = self._answer_of(n)
            if answer is None:
                continue
            if self._agrees(golds, answer):
                self.agreed[n] = self.agreed.get(n, 0) + 1
            else:
                different.append(n)
        if mutated and any(rows.values()) and not all(answer.empty for answer in golds):
            self._keep_if_telling(rows, golds[0], mutated)
        for n in different:
            self._examine(n, rows)

    def _answers(self) -> list[Answer] | None:
        """What the golds answer; None unless every one runs."""
        try:
            return [self._arena.answer(sql) for sql in self._terrain.golds]
        except Stopped as stopped:
            if stopped.status in ("timeout", "limit"):
                self._open.clear()
            return None

    def _answer_of(self, n: int) -> Answer | None:
        """What a prediction answers; None where it fails, which proves nothing. One that overruns is given up."""
        try:
            return self._arena.answer(self._terrain.predictions[n])
        except Stopped as stopped:
            if stopped.status in ("timeout", "limit"):
                self._open.discard(n)
            return None

    def _agrees(self, golds: list[Answer], answer: Answer) -> bool:
        """Whether an answer is some gold's. Two that hold nothing tell nothing apart, whatever their columns."""
        return any(
            (gold.blank and answer.blank) or self._arena.agree(sql, gold, answer)
            for sql, gold in zip(self._terrain.gold_texts, golds, strict=True)
        )

    def _keep_if_telling(self, rows: Rows, gold: Answer, mutated: dict[str, int]) -> None:
        """Keep a database that tells the gold from a mutant that no other has told it from."""
        killed = []
        for sql, tries in list(mutated.items()):
            try:
                same = self._arena.agree(self._terrain.gold_texts[0], gold, self._arena.answer(sql))
            except Stopped:
                del mutated[sql]
                continue
            if not same:
                killed.append(sql)
            mutated[sql] = tries - 1
            if not same or tries <= 1:
                del mutated[sql]
        if (killed or not self._kept) and len(self._kept) < _KEPT:
            self._kept.append(rows)

    def _examine(self, n: int, rows: Rows) -> None:
        """Shrink a database on which a prediction differs, and keep it if the difference is genuine.

        While it shrinks, only a few ways of storing the rows are tried; all are on what is left, and if that does
        not stand, all are at every step.
        """
        if n not in self._open or not self._differs(n, rows, None):
            return
        for ways in (_FEW_WAYS, None):
            small = shrunk(rows, self._terrain.layout, partial(self._differs, n, ways=ways), self._late)
            if self._differs(n, small, None) and (example := self._example(n, small)) is not None:
                self.examples[n] = example
                self._open.discard(n)
                return

    def _differs(self, n: int, rows: Rows, ways: int | None) -> bool:
        """Whether the prediction genuinely differs from every gold on these rows, stored in at most so many ways."""
        if not self._arena.fill(self._terrain.fillings(rows)):
            return False
        prediction = self._terrain.predictions[n]
        try:
            golds = [self._arena.answer(sql) for sql in self._terrain.golds]
            answer = self._arena.answer(prediction)
            if self._agrees(golds, answer):
                return False
            tried = range(1, min(ways or self._arena.ways, self._arena.ways))
            return all(
                self._stable(number, gold, tried) or self._sizes_differ(sql, prediction, tried)
                for number, (sql, gold) in enumerate(zip(self._terrain.golds, golds, strict=True))
            )
        except Stopped:
            return False

    def _stable(self, number: int, gold: Answer, ways: range) -> bool:
        """Whether a gold answers the same however the rows are stored."""
        text, sql = self._terrain.gold_texts[number], self._terrain.golds[number]
        if arbitrary(text) or self._arena.cuts_ties(sql, gold):
            return False
        return all(self._arena.agree(text, gold, self._arena.answer(sql, way)) for way in ways)

    def _sizes_differ(self, gold: str, prediction: str, ways: range) -> bool:
        """Whether no way of storing the rows gives both statements as many rows as some way gives the other."""
        sizes = [{self._arena.answer(sql, way).size for way in (0, *ways)} for sql in (gold, prediction)]
        return not sizes[0] & sizes[1]

    def _example(self, n: int, rows: Rows) -> Counterexample | None:
        """What is shown of a database on which the prediction differs, if its script loads."""
        script = setup_sql(self._terrain.ddl, self._terrain.fillings(rows))
        if not self._arena.fill(self._terrain.fillings(rows)) or not self._given.loads(script):
            return None
        answers = [self._arena.answer(sql) for sql in (self._terrain.golds[0], self._terrain.predictions[n])]
        return Counterexample(script, *self._arena.shown(*answers))

    def _late(self) -> bool:
        return time.monotonic() > self._deadline
