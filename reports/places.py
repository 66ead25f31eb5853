"""Where the pages of a site are, as seen from the leaderboard or from a dataset's own folder.

Promises: an address holds a foreign text only as an encoded field after '#', and a file name is a slug.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from urllib.parse import urlencode

from reports.board import HEADLINE, Board, Combination, Row, Table
from reports.items.layout import set_folder
from reports.names import file_names

_LETTERS = {True: "r", False: "w", None: "n"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A dataset's pages. `items` says whether its items are published; `inside`: links are for its own folder."""

    folder: str
    runs: Mapping[str, str]  # run id -> file
    items: bool
    inside: bool = False

    def page(self, row: Row) -> str:
        """A run's page, from within the folder."""
        return self.runs[row.run_id]

    def run(self, row: Row) -> str:
        """A run's page."""
        return self._at(self.page(row))

    def item(self, row: Row, example_id: str) -> str:
        """An item with a run's answer."""
        return self._at("items.html#" + urlencode({"item": example_id, "run": row.run_id}))

    def any_item(self, example_id: str) -> str:
        """An item, with whichever answer is most telling."""
        return self._at("items.html#" + urlencode({"item": example_id}))

    def wrong(self, row: Row) -> str:
        """The items that a run has wrong."""
        return self._at("items.html#" + urlencode({"run": row.run_id, "show": "wrong"}))

    def refuted(self, table: Table, row: Row) -> str:
        """The items that a run has right on the given database and wrong on another one."""
        numbers = {name: number for number, name in enumerate(table.columns)}
        wanted = f"{numbers[HEADLINE]}r,{numbers['equivalence']}w"
        return self._at("items.html#" + urlencode({"run": row.run_id, "is": wanted, "metric": "equivalence"}))

    def said(self, table: Table, found: Combination) -> str:
        """The items with an answer about which the metrics say this."""
        assert table.disagreement is not None
        numbers = {name: number for number, name in enumerate(table.columns)}
        named = zip(table.disagreement.columns, found.verdicts, strict=True)
        wanted = ",".join(f"{numbers[name]}{_LETTERS[verdict]}" for name, verdict in named)
        return self._at("items.html#" + urlencode({"is": wanted}))

    def from_inside(self) -> Place:
        """The same for a page in the folder."""
        return replace(self, inside=True)

    def _at(self, page: str) -> str:
        return page if self.inside else f"{self.folder}/{page}"


def places(board: Board, *, items: bool) -> tuple[Place, ...]:
    """The place of each table's pages."""
    return tuple(
        Place(folder=set_folder(table.dataset.name, table.dataset.fingerprint), runs=_pages(table), items=items)
        for table in board.tables
    )


def _pages(table: Table) -> dict[str, str]:
    names = file_names([row.run_id for row in table.rows])
    return {run_id: f"run-{name}.html" for run_id, name in names.items()}
