"""Window functions that number rows: ranks, newest rows, sequence numbers and groups of equal size.

Promises: the request says how ties are ranked or settled.
Does not: sum or compare values over a window; see windows.
"""

# ruff: noqa: S608 - SQL is what this makes, and nothing of it comes from outside

from __future__ import annotations

from benchmark.datasets.builtin_train import phrases, windows
from benchmark.datasets.builtin_train.phrases import Draft
from benchmark.datasets.builtin_train.source import Source
from benchmark.datasets.builtin_train.worlds import World


def ranked(world: World, source: Source) -> Draft | None:
    """Every row with its rank, over all or within parts."""
    found = windows.pick(world, source, "number")
    if found is None:
        return None
    table, column, where, rows, without = found
    group = windows.part(source, table, rows, column) if source.chance(70) else None
    function, ties = source.pick(
        ("RANK", "equal values share a rank and the next rank is skipped"),
        ("DENSE_RANK", "equal values share a rank and no rank number is skipped"),
        ("RANK", "ties get the same rank and leave a gap after them"),
        ("DENSE_RANK", "ties get the same rank, without gaps after them"),
    )
    falling = source.chance(70)
    key, alias = windows.keyed(source, table), source.pick("rnk", "position", f"{column.name}_rank", "place")
    alias = alias if alias not in {c.name for c in table.columns} else "rank_no"
    over = f"{f'PARTITION BY {group.name} ' if group else ''}ORDER BY {column.name}{' DESC' if falling else ''}"
    columns = [c for c in (group, key, column) if c]
    names = ", ".join(dict.fromkeys(c.name for c in columns))
    sorting = [c.name for c in (group,) if c] + [alias, key.name]
    ordered = source.chance(40)
    order = f" ORDER BY {', '.join(dict.fromkeys(sorting))}" if ordered else ""
    sql = f"SELECT {names}, {function}() OVER ({over}) AS {alias} FROM {table.name}{where}{order};"
    within = f" within each {group.say}" if group else ""
    first = source.pick(f"{'highest' if falling else 'lowest'} first", f"the {'highest' if falling else 'lowest'} as 1")
    lead = source.pick(
        f"Rank the {table.many}{within} by {column.say}, {first}; {ties}.",
        f"Rank all {table.many} by {column.say}{within}, {first} ({ties}).",
        f"What is the rank of every {table.one} by {column.say}{within}? The {'highest' if falling else 'lowest'} gets"
        f" rank 1; {ties}.",
    )
    words = f"sorted by {phrases.listing(list(dict.fromkeys([*([group.say] if group else []), 'rank', key.say])))}"
    says = [*(c.say for c in columns), "rank"]
    question = windows.asked(source, world, lead + without, says, words if ordered else "")
    return Draft(question, sql, f"Ranks {table.many} by {column.say}{within}.")


def newest(world: World, source: Source) -> Draft | None:
    """The first row of each part by a date or a number, one row a part."""
    found = windows.pick(world, source, "date", "number")
    if found is None:
        return None
    table, column, where, rows, without = found
    group = windows.part(source, table, rows, column)
    key = table.key[0]
    if group is None:
        return None
    high = source.chance(70)
    dated = column.kind == "date"
    word = ("latest" if dated else "highest") if high else ("earliest" if dated else "lowest")
    direction = " DESC" if high else ""
    names = ", ".join((group.name, key.name, column.name))
    alias = source.pick("rn", "row_no", "recency" if dated else "place")
    sql = (
        f"SELECT {names} FROM (SELECT {names}, ROW_NUMBER() OVER (PARTITION BY {group.name} ORDER BY "
        f"{column.name}{direction}, {key.name}) AS {alias} FROM {table.name}{where}) AS numbered WHERE {alias} = 1;"
    )
    lead = source.pick(
        f"For each {group.say}, find the one {table.one} with the {word} {column.say}; on equal values the lower"
        f" {key.say} counts.",
        f"What is the {table.one} with the {word} {column.say} for every {group.say}? If two are equal, take"
        " the one with"
        f" the lower {key.say}.",
        f"Keep only one {table.one} per {group.say}, the one with the {word} {column.say} (the lower"
        f" {key.say} if equal).",
    )
    question = windows.asked(source, world, lead + without, [group.say, key.say, column.say])
    return Draft(question, sql, f"Numbers the {table.many} of each {group.say} and keeps the first.")


def top_ties(world: World, source: Source) -> Draft | None:
    """All rows of each part that share the highest or lowest value."""
    found = windows.pick(world, source, "number")
    if found is None:
        return None
    table, column, where, rows, without = found
    group = windows.part(source, table, rows, column)
    if group is None:
        return None
    high = source.chance(70)
    word = "highest" if high else "lowest"
    key = windows.keyed(source, table)
    names = ", ".join((group.name, key.name, column.name))
    sql = (
        f"SELECT {names} FROM (SELECT {names}, RANK() OVER (PARTITION BY {group.name} ORDER BY {column.name}"
        f"{' DESC' if high else ''}) AS rnk FROM {table.name}{where}) AS ranked WHERE rnk = 1;"
    )
    lead = source.pick(
        f"Which {table.many} have the {word} {column.say} within their {group.say}? Show all that tie.",
        f"For each {group.say}, the {table.one} with the {word} {column.say}, or all of them if they tie.",
        f"Find the {word} {column.say} of each {group.say} with the {table.one} or {table.many} it belongs to.",
    )
    question = windows.asked(source, world, lead + without, [group.say, key.say, column.say])
    return Draft(question, sql, f"Ranks within each {group.say} and keeps rank 1.")


def tiles(world: World, source: Source) -> Draft | None:
    """Groups of as equal size as possible."""
    found = windows.pick(world, source, "number", "date")
    if found is None:
        return None
    table, column, where, rows, without = found
    size = source.pick(2, 3, 4)
    if len(rows) < size + 2:
        return None
    key, high = table.key[0], source.chance(40)
    alias = source.pick("tile", "group_no", f"{column.name}_group")
    sql = (
        f"SELECT {key.name}, {column.name}, NTILE({size}) OVER (ORDER BY {column.name}{' DESC' if high else ''}, "
        f"{key.name}) AS {alias} FROM {table.name}{where};"
    )
    dated = column.kind == "date"
    word = ("latest" if dated else "highest") if high else ("earliest" if dated else "lowest")
    number = {2: "two", 3: "three", 4: "four"}[size]
    lead = source.pick(
        f"Divide the {table.many} into {number} groups of as equal size as possible by {column.say}, group 1 having the"
        f" {word}; equal values go by {key.say}, and larger groups come first.",
        f"Split the {table.many} into {number} equal groups numbered from 1, the {word} {column.say} in group"
        " 1, ties by"
        f" {key.say}; if it does not come out even, the first groups are larger.",
    )
    question = windows.asked(source, world, lead + without, [key.say, column.say, "group"])
    return Draft(question, sql, f"Cuts the {table.many} into {number} groups by {column.say}.")


def numbered(world: World, source: Source) -> Draft | None:
    """A sequence number within each part, in order of date."""
    found = windows.sequence(world, source)
    group = windows.part(source, found[0], found[2], found[1]) if found else None
    if found is None or group is None:
        return None
    table, date, _ = found
    key, alias = table.key[0], source.pick("seq", "seq_no", "nth", "position")
    ordered = source.chance(40)
    order = f" ORDER BY {group.name}, {alias}" if ordered else ""
    sql = (
        f"SELECT {group.name}, {key.name}, {date.name}, ROW_NUMBER() OVER (PARTITION BY {group.name} ORDER BY "
        f"{date.name}, {key.name}) AS {alias} FROM {table.name}{order};"
    )
    lead = source.pick(
        f"Number the {table.many} of each {group.say} 1, 2, 3 and so on by {date.say}; on equal dates the lower"
        f" {key.say} comes first.",
        f"Give the {table.many} a sequence number within their {group.say}, in order of {date.say} and then {key.say}.",
    )
    says = [group.say, key.say, date.say, "sequence number"]
    words = f"sorted by {group.say} and sequence number" if ordered else ""
    return Draft(windows.asked(source, world, lead, says, words), sql, f"Numbers {table.many} within each {group.say}.")
