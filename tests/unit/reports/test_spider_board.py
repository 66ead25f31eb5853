"""Nine published systems on Spider dev: the board's order is that of the labels they came with."""

from __future__ import annotations

from pathlib import Path

from reports.tables import build_board
from sqlgauge import verbs

LABEL = "external:ex_spider_official"


def test_nine_systems_are_ranked_as_their_labels_rank_them(data_folder: Path, tmp_path: Path) -> None:
    spider = data_folder / "spider_dev"
    folders = [
        verbs.run(
            model=f"file/{path}",
            dataset=f"spider:{spider}",
            policy="spider",
            metrics=("execution",),
            out=str(tmp_path),
            name=path.stem,
        )
        for path in sorted((spider / "predictions").glob("*.jsonl"))
    ]
    (table,) = build_board(folders).tables
    assert [row.run_id for row in table.rows] == [
        row.run_id for row in sorted(table.rows, key=lambda row: -row.cell(LABEL).value)
    ]
    assert len(table.rows) == 9
    assert table.ranking is not None
    assert (table.ranking.items, table.ranking.clusters) == (1034, 20)
    assert not any(pair.separated for _, _, pair in table.neighbours())  # 20 databases separate no two neighbours
    assert sum(pair.separated for pair in table.ranking.pairs) == 5
