"""gretelai/synthetic_text_to_sql (Apache-2.0), from the Hub at a pinned revision or from a local file of its columns.

Promises: rows are taken as they are; a row without a question, a schema or a gold is an error that names it, and so is
a split of the default revision that has not the rows it was published with.
Does not: repair golds. The dataset names no dialect; sqlgauge runs it as SQLite and says so on every page.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from benchmark.datasets.base import Dataset
from benchmark.errors import DatasetError, MissingDependency, did_you_mean
from benchmark.rows import read_rows, report_broken
from benchmark.types import Example, Task

HUB_ID = "gretelai/synthetic_text_to_sql"
#: The Hub commit that `gretel` means; `gretel@REVISION` means another one.
REVISION = "740ab236e64503fba51be1101df7a1be83bf455d"
#: The rows of each split at that commit.
SPLITS = {"train": 100_000, "test": 5_851}
REQUIRED = ("sql_prompt", "sql_context", "sql")
TAGS = {"domain": "domain", "complexity": "sql_complexity", "task_type": "sql_task_type"}
#: All that is read of a row.
COLUMNS = ("id", *REQUIRED, *TAGS.values())
_NOT_CODE = re.compile(r"""--[^\n]*|/\*.*?\*/|'(?:[^']|'')*'|"(?:[^"]|"")*\"""", re.DOTALL)
_VERB = re.compile(r"\b(select|values|insert|update|delete|replace|merge)\b", re.IGNORECASE)


def load_gretel(argument: str, split: str, revision: str = REVISION) -> Dataset:
    """The split from the Hub, or from the local file `argument`. Raises DatasetError, MissingDependency."""
    if argument:
        path = Path(argument).expanduser()
        rows: Iterable[Mapping[str, Any]] = read_rows(path, COLUMNS)
        name, note = f"gretel:{path.name}/{split}", "A local file in gretel's columns, run as SQLite."
    else:
        rows, name = _from_hub(split, revision), f"gretel{_at(revision)}/{split}"
        note = f"{HUB_ID}@{_short(revision)}, run as SQLite."
    examples = examples_from_rows(rows, argument or HUB_ID)
    return Dataset(name=name, split=split, examples=examples, licence="Apache-2.0", note=note)


def examples_from_rows(rows: Iterable[Mapping[str, Any]], source: str) -> tuple[Example, ...]:
    """Rows in gretel's columns as Examples. Raises DatasetError that lists every broken row and column."""
    rows = list(rows)
    _check_columns(rows, source)
    problems = [
        f"row {number}: column {column} is {'not a text' if str(row.get(column) or '').strip() else 'empty'}"
        for number, row in enumerate(rows, 1)
        for column in REQUIRED
        if not isinstance(row.get(column), str) or not row[column].strip()
    ]
    report_broken(source, problems, f"Every row needs a text in {', '.join(REQUIRED)}.")
    return tuple(map(_example, rows))


def check_count(rows: int, split: str, revision: str) -> None:
    """Raise DatasetError where a split of the default revision has more or fewer rows than it was published with."""
    if revision == REVISION and rows != SPLITS[split]:
        raise DatasetError(
            f"the {split} split of {HUB_ID}@{_short(revision)} has {rows:,} rows here and {SPLITS[split]:,} where it "
            "was published: scores on it could not be compared",
            "Clear its folder in the cache of the package 'datasets' and run again.",
        )


def _at(revision: str) -> str:
    return "" if revision == REVISION else f"@{_short(revision)}"


def _short(revision: str) -> str:
    """A commit's first digits; a tag or a branch as it is."""
    return revision[:8] if re.fullmatch(r"[0-9a-f]{40}", revision) else revision


def _check_columns(rows: list[Mapping[str, Any]], source: str) -> None:
    if not rows:
        return
    present = set().union(*(row.keys() for row in rows))
    missing = [column for column in REQUIRED if column not in present]
    if missing:
        hints = " ".join(f"{column}: {did_you_mean(column, present)}" for column in missing)
        raise DatasetError(f"{source} lacks the columns {', '.join(missing)}", hints)


def _example(row: Mapping[str, Any]) -> Example:
    question, context, gold = (row[column].strip() for column in REQUIRED)
    content = hashlib.sha256("\0".join((question, context, gold)).encode()).hexdigest()
    return Example(
        id=str(row["id"]) if row.get("id") not in ("", None) else f"h{content[:12]}",
        question=question,
        schema_sql=context,
        golds=(gold,),
        dialect="sqlite",
        group=str(row.get("domain") or "unknown"),
        tags={tag: str(row[column]) for tag, column in TAGS.items() if row.get(column)},
        task=task_of(gold),
    )


def task_of(gold: str) -> Task:
    """Whether a gold reads or writes. The dataset's own task types are not reliable enough to decide it.

    >>> task_of("WITH t AS (SELECT 1) DELETE FROM x"), task_of("SELECT 'delete'")
    ('write', 'read')
    """
    text = _NOT_CODE.sub(" ", gold).lstrip(" \t\r\n(;")
    word = re.match(r"[A-Za-z]*", text)
    first = word.group().lower() if word else ""
    if first == "with":
        verb = _VERB.search(_outside_parentheses(text))  # the first one: REPLACE is a function too
        first = verb.group().lower() if verb else "select"
    return "read" if first in ("select", "values") else "write"


def _outside_parentheses(text: str) -> str:
    depth, kept = 0, []
    for char in text:
        depth += (char == "(") - (char == ")")
        if depth == 0:
            kept.append(char)
    return "".join(kept)


def _from_hub(split: str, revision: str) -> Iterable[Mapping[str, Any]]:
    if split not in SPLITS:
        raise DatasetError(f"gretel has no split '{split}'", did_you_mean(split, SPLITS))
    try:
        import datasets
    except ImportError:
        raise MissingDependency(
            "gretel is read through the package 'datasets', which is not installed",
            "pip install 'sqlgauge[hf]', or download the split and use gretel:PATH.",
        ) from None
    try:
        found = datasets.load_dataset(HUB_ID, split=split, revision=revision)
    except (OSError, ValueError, datasets.exceptions.DatasetsError) as error:
        first = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise DatasetError(
            f"cannot get {HUB_ID} at revision {_short(revision)} from the Hub ({type(error).__name__}: {first[:200]})",
            "Check the network and the revision, or download the Parquet file elsewhere and use gretel:PATH.",
        ) from None
    check_count(len(found), split, revision)
    columns = [column for column in COLUMNS if column in found.column_names]
    return found.select_columns(columns)  # type: ignore[no-any-return]
