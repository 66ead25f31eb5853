"""The canonical form of a query: what is left of it when every rule has been applied.

Promises: sound rules only. Two statements with one form answer alike on every database that honours the schema, up to
what a policy leaves free. Reaching the form is bounded: after `_MOST_PASSES` the form is whatever it is by then.
Does not: find every equivalence; nothing can. What has two forms may still be equivalent.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from benchmark.sqlengine.canonical import (
    grouping,
    joins,
    membership,
    merging,
    ordering,
    predicates,
    ranges,
    scalars,
    setops,
    truth,
)
from benchmark.sqlengine.canonical.blocks import is_arbitrary
from benchmark.sqlengine.canonical.facts import Context
from benchmark.sqlengine.canonical.ir import (
    FALSE,
    LEAVES,
    NULL,
    TRUE,
    Block,
    E,
    Outer,
    Query,
    SetOp,
    conjuncts,
    is_query,
    map_query,
    sort_expressions,
)
from benchmark.sqlengine.canonical.naming import named

QueryRule = Callable[[Any, Context], Query]

_MOST_PASSES = 12

#: Rules for one expression, by name. Each keeps its value for every row.
SCALAR_RULES: tuple[predicates.ScalarRule, ...] = (*scalars.RULES, *predicates.RULES, membership.bare_exists)
#: Rules for one SELECT that keep the bag of rows which its FROM and WHERE make.
ROW_RULES: tuple[QueryRule, ...] = (
    merging.empty_result,
    merging.merge_derived,
    merging.merge_outer_derived,
    joins.outer_join_that_is_inner,
    joins.outer_join_for_nothing,
    joins.outer_join_that_never_matches,
    membership.left_join_without_match,
    membership.in_as_exists,
    membership.same_row_exists,
    membership.exists_as_join,
    joins.parent_for_nothing,
    joins.same_row_twice,
    joins.equal_columns,
)
#: Rules for one SELECT that regroup, reorder or rewrap what it makes of those rows.
RESULT_RULES: tuple[QueryRule, ...] = (
    merging.merge_wrapper,
    merging.wrapped_set_operation,
    merging.push_into_union_all,
    grouping.having_as_where,
    grouping.rows_in_a_group,
    grouping.grouped_by_key,
    grouping.aggregates_of_one_row,
    grouping.group_without_aggregates,
    grouping.aggregates_of_distinct,
    grouping.count_of_distinct,
    grouping.distinct_inside,
    grouping.needless_distinct,
    ordering.needless_keys,
    ordering.limits,
)
SETOP_RULES: tuple[QueryRule, ...] = (
    setops.flat_union,
    setops.union_as_or,
    membership.set_operation_as_filter,
    ordering.needless_keys,
    ordering.limits,
)
RULES = (*SCALAR_RULES, *ROW_RULES, *RESULT_RULES, *SETOP_RULES)


def canonical(query: Query, context: Context, *, free: bool = False) -> Query:
    """The canonical form of a query that `read.py` has read. `free`: its columns may change places."""
    return named(rewritten(query, context), context, free=free)


def rewritten(query: Query, context: Context, rules: Rules | None = None) -> Query:
    """A query after all rules, or some, until none applies; aliases and orders are as they come."""
    chosen = rules or ALL_RULES
    for _ in range(_MOST_PASSES):
        context.refresh(query)
        changed = chosen.apply(query, context)
        if changed == query:
            break
        query = changed
    return query


class Rules:
    """A choice of rules, found by what they apply to."""

    def __init__(self, rules: tuple[Callable[..., Any], ...]) -> None:
        self._scalar = tuple(rule for rule in SCALAR_RULES if rule in rules)
        self._rows = tuple(rule for rule in ROW_RULES if rule in rules)
        self._results = tuple(rule for rule in RESULT_RULES if rule in rules)
        self._setops = tuple(rule for rule in SETOP_RULES if rule in rules)
        self._by_op: dict[str, tuple[predicates.ScalarRule, ...]] = defaultdict(lambda: self._scalar)

    def apply(self, query: Query, context: Context) -> Query:
        """One pass over a query and all that is nested in it, from the inside out."""
        cuts = isinstance(query, Block) and query.limited and not query.order
        nested = self.apply if cuts else self._nested  # where a LIMIT cuts, even a derived table's order counts
        inner = map_query(query, lambda e: self._expression(e, context), lambda q: nested(q, context))
        if isinstance(inner, Block):
            inner = with_conditions(inner, context)
            for rule in self._rows:
                inner = self._fire(rule, inner, context)
                if not isinstance(inner, Block):
                    return inner
            if is_arbitrary(inner, context):
                return inner
            for rule in self._results:
                inner = self._fire(rule, inner, context)
                if not isinstance(inner, Block):
                    return inner
            return inner
        for rule in self._setops:
            inner = self._fire(rule, inner, context)
            if not isinstance(inner, SetOp):
                return inner
        return inner

    def _nested(self, query: Query, context: Context) -> Query:
        return self.apply(ordering.unordered(query), context)

    def _fire(self, rule: QueryRule, query: Query, context: Context) -> Query:
        made = rule(query, context)
        if made is not query:
            context.fired.add(rule.__name__)
        return made

    def _expression(self, e: Any, context: Context) -> Any:
        if is_query(e):
            return self._nested(e, context)
        if e[0] == "scalar":  # of several rows SQLite takes the first, so that the order counts
            return ("scalar", self.apply(e[1], context))
        if e[0] not in LEAVES:
            operands = tuple(self._expression(x, context) for x in e[1:])
            e = (e[0], *operands) if operands != e[1:] else e
        for rule in self._scalar:
            made = rule(e, context)
            if made is not None and made != e:
                context.fired.add(rule.__name__)
                e = made
        return e


def with_conditions(block: Block, context: Context) -> Block:
    """A block whose WHERE, HAVING and ON are sorted conditions of which only the truth counts."""
    having = _conditions(block.having, context)
    return replace(
        block,
        where=_conditions(block.where, context),
        having=having,
        outer=tuple(Outer(join.source, _conditions(join.on, context)) for join in block.outer),
    )


def _conditions(given: tuple[E, ...], context: Context) -> tuple[E, ...]:
    if not given:
        return given
    found: list[E] = []
    for e in given:
        e = truth.truth(e, context)
        e = ranges.always_or(e, context) or e
        found += conjuncts(e)
    if FALSE in found or NULL in found:
        return (FALSE,)
    kept = sort_expressions(e for e in found if e != TRUE)
    return truth.redundant_null_tests(ranges.narrowed(kept, context), context)


ALL_RULES = Rules(RULES)
