"""Reports by group: the SELECT with GROUP BY, and how a person asks for it.

Promises: HAVING keeps some groups and drops some; an order over groups is settled by the group itself.
Does not: choose which rows are grouped; aggregates, joins and CTEs bring their own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from benchmark.datasets.builtin_train import bounds, metrics, phrases
from benchmark.datasets.builtin_train.metrics import Limit, Metric
from benchmark.datasets.builtin_train.phrases import Who
from benchmark.datasets.builtin_train.selection import Order
from benchmark.datasets.builtin_train.source import Source
from benchmark.datasets.builtin_train.worlds import Row, World

_REPORTS = (
    "For each {group}, give the {what}{limit}{order}.",
    "For every {group} show the {what}{limit}{order}.",
    "Give the {what} for each {group}{limit}{order}.",
    "By {group}, show the {what}{limit}{order}.",
    "Show each {group} with the {what}{limit}{order}.",
    "I need one line per {group} with the {what}{limit}{order}.",
    "I'd like to see, per {group}, the {what}{limit}{order}.",
    "Report the {what} by {group}{limit}{order}.",
    "Break this down by {group}: the {what}{limit}{order}.",
    "What do we get per {group}? Show the {group} and the {what}{limit}{order}.",
    "Summarise by {group} - the {what}{limit}{order}.",
    "List the {groups} with the {what}{limit}{order}.",
    "{Group} and the {what}{limit}{order}, please.",
    "Work out the {what} for every {group}{limit}{order}.",
    "Can I have the {what} per {group}{limit}{order}?",
    "What is the {what} for each {group}{limit}{order}?",
    "How do the {groups} compare? Give the {group} and the {what}{limit}{order}.",
    "Could you show the {what} by {group}{limit}{order}?",
)
_QUESTIONS = (
    "Which {groups} have {bound}? Show the {group} and the {what}{order}.",
    "Which {groups} come to {bound}? Give {group} and {what}{order}.",
    "{Groups} with {bound}: {group} and the {what}{order}.",
    "Find the {groups} with {bound}, giving the {what}{order}.",
    "Are there {groups} with {bound}? List them with the {what}{order}.",
)


def passes(rows: list[Row], bound: tuple[Metric, Limit]) -> bool:
    """Whether a group stays under HAVING."""
    value = bound[0].value(rows)
    return value is not None and bounds.compare(bound[1].operator, value, bound[1].value)


def what(who: Who, chosen: Sequence[Metric], base: str) -> str:
    """The metrics in words: 'number of hives in Devon and their average number of frames'."""
    says = [metric.say for metric in chosen]
    if says[0] == f"number of {base}":
        rest = says[1:]
        return f"number of {who.many}" + (f" and their {phrases.listing(rest)}" if rest else "")
    return f"{phrases.listing(says)} of the {who.many}"


def bounded(
    source: Source, groups: Sequence[list[Row]], chosen: Sequence[Metric], *, such: bool
) -> tuple[Metric, Limit] | None:
    """A metric among the chosen ones with a bound for HAVING; `such`: the rows were filtered before."""
    usable = [metric for metric in chosen if metric.noun] if such else chosen
    if not usable:
        return None
    metric = source.choice(usable)
    if such and not metric.noun.startswith("different"):
        metric = replace(metric, noun=f"such {metric.noun}")
    limit = metrics.limit(source, groups, metric)
    return (metric, limit) if limit else None


def order(
    source: Source, groups: Sequence[list[Row]], chosen: Sequence[Metric], ref: str, say: str, *, percent: int
) -> Order:
    """An order over groups, by a metric or by the group; or none."""
    if not source.chance(percent) or len(groups) < 2:
        return Order()
    metric = source.choice(chosen)
    values = [metric.value(rows) for rows in groups]
    if not metric.orders or None in values or source.chance(20):
        return Order(f" ORDER BY {ref}", source.pick(f"in order of {say}", f"sorted by {say}"))
    rising = source.chance(20)
    sql = f" ORDER BY {metric.alias}{'' if rising else ' DESC'}"
    words = f"sorted by {metric.say}, {'smallest' if rising else 'largest'} first"
    if source.chance(50) and not metric.say.startswith(("highest", "lowest")):
        words = f"{'lowest' if rising else 'highest'} {metric.say} first"
    if len(set(values)) < len(values):
        return Order(f"{sql}, {ref}", words + phrases.tie_words(source, [say]))
    return Order(sql, words)


def ask(source: Source, world: World, say: str, content: str, limit: Limit | None, order: Order) -> str:
    """A whole request for a report by group."""
    groups = metrics.plural(say)
    asked = limit is not None and " such " not in limit.words and source.chance(60)
    frame = source.choice(_QUESTIONS if asked else _REPORTS)
    ordered = f", {order.words}" if order.words else ""
    limited, bound = "", ""
    if limit is not None:
        bound = limit.words.removeprefix("with ")
        limited = source.pick(
            f", but only for {groups} {limit.words}",
            f", keeping only {groups} {limit.words}",
            f", leaving out all but the {groups} {limit.words}",
        )
    for place, words in {
        "{group}": say,
        "{groups}": groups,
        "{Group}": phrases.capital(say),
        "{Groups}": phrases.capital(groups),
        "{what}": content,
        "{limit}": limited,
        "{bound}": bound,
        "{order}": ordered,
    }.items():
        frame = frame.replace(place, words)
    return phrases.opened(source, world.domain, frame)
