"""Mutants of an alert: the rule with one mistake that somebody might make."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from enum import StrEnum

import promql_parser
from promql_parser import Expr

from orchestrator import duration
from tests.rules import promql
from tests.rules.ruleset import Rule

COMPARISONS = {
    ">": (">=", "<"),
    ">=": (">", "<"),
    "<": ("<=", ">"),
    "<=": ("<", ">"),
    "==": ("!=",),
    "!=": ("==",),
}
SETS = {"unless": "and", "and": "or", "or": "and"}
AGGREGATIONS = {"max": "min", "min": "max", "sum": "max", "avg": "max", "count": "sum"}
FEW = 20  # a whole number up to this counts things, and the next one is one more or one less
SHOWN = 60  # characters of an expression, in the name of a mutant


class Mistake(StrEnum):
    """What kind of mistake a mutant has."""

    COMPARISON = "comparison"
    THRESHOLD = "threshold"
    HOLD = "for"
    AGGREGATION = "aggregation"
    JOIN = "join"
    MATCHER = "matcher"


@dataclass(frozen=True, slots=True)
class Mutant:
    """One mutated alert. `change` says what was done to it, and is its name."""

    rule: Rule
    mistake: Mistake
    change: str

    def __str__(self) -> str:
        return f"{self.mistake}: {self.change}"


@dataclass(frozen=True, slots=True)
class Edit:
    """One node of an expression, as it should read instead."""

    mistake: Mistake
    change: str
    text: str


def printed(rule: Rule) -> Rule:
    """Return *rule* with its expression as every mutant's is printed."""
    return replace(rule, expr=str(promql.parse(rule.expr)))


def mutants(rule: Rule, step: timedelta) -> list[Mutant]:
    """Return every mutant of *rule*, which is evaluated once a *step*, each with another name."""
    found = [*_of_times(rule, step), *_of_expression(rule)]
    seen: Counter[str] = Counter()
    named = []
    for each in found:
        seen[str(each)] += 1
        count = seen[str(each)]
        named.append(each if count == 1 else replace(each, change=f"{each.change} #{count}"))
    return named


def _of_times(rule: Rule, step: timedelta) -> Iterator[Mutant]:
    if rule.hold is None:
        said = duration.text(step)
        yield Mutant(replace(rule, hold=said), Mistake.HOLD, f"none to {said}")
    else:
        length = duration.parse(rule.hold)
        for other in (length + step, length - step):
            if other > timedelta(0):
                said = duration.text(other)
                change = f"{rule.hold} to {said}"
                yield Mutant(replace(rule, hold=said), Mistake.HOLD, change)
        yield Mutant(replace(rule, hold=None), Mistake.HOLD, f"{rule.hold} to none")


def _of_expression(rule: Rule) -> Iterator[Mutant]:
    nodes: list[Expr] = []
    promql_parser.walk(promql.parse(rule.expr), pre_visit=nodes.append)
    for place, (above, node) in enumerate(zip((None, *nodes), nodes, strict=False)):
        if isinstance(above, promql_parser.MatrixSelector):
            continue  # what it selects; its matchers are changed with the range
        for edit in _edits(node):
            expr = _with(rule.expr, place, edit.text)
            yield Mutant(replace(rule, expr=expr), edit.mistake, edit.change)


def _with(expr: str, place: int, text: str) -> str:
    """Return *expr* with the node at *place*, in the order of a walk, replaced by *text*."""
    visited = 0

    def visit(_node: Expr) -> Expr | None:
        nonlocal visited
        visited += 1
        return promql.parse(f"({text})") if visited == place + 1 else None

    return str(promql_parser.transform(promql.parse(expr), pre_visit=visit))


def _edits(node: Expr) -> Iterator[Edit]:
    match node:
        case promql_parser.NumberLiteral():
            yield from _numbers(node)
        case promql_parser.AggregateExpr():
            yield from _aggregations(node)
        case promql_parser.BinaryExpr():
            yield from _comparisons(node)
            yield from _joins(node)
            yield from _arms(node)
        case promql_parser.VectorSelector() | promql_parser.MatrixSelector():
            yield from _matchers(node)
        case _:  # a subquery, a call: no mistake of ours
            pass


def _numbers(node: promql_parser.NumberLiteral) -> Iterator[Edit]:
    value = node.val
    counts = value.is_integer() and abs(value) <= FEW
    others = (value + 1, value - 1) if counts else (value * 1.05, value * 0.95)
    for other in others:
        yield Edit(Mistake.THRESHOLD, f"{value:g} to {other:.10g}", f"{other:.10g}")


def _matchers(node: promql_parser.VectorSelector | promql_parser.MatrixSelector) -> Iterator[Edit]:
    [read] = promql.selectors(node)
    for each in read.matchers:
        if each.is_equality:
            was, other = f'{each.label}="{each.value}"', f'{each.label}="{each.value}_"'
            change = f'{was} to "{each.value}_" of {read.name}'
            yield Edit(Mistake.MATCHER, change, str(node).replace(was, other, 1))


def _aggregations(node: promql_parser.AggregateExpr) -> Iterator[Edit]:
    op, inner, modifier = str(node.op), str(node.expr), str(node.modifier or "")
    of = f"of {_shown(node.expr)}"
    param = f"{node.param}, " if node.param is not None else ""
    if op in AGGREGATIONS:
        other = AGGREGATIONS[op]
        text = f"{other} {modifier} ({inner})"
        yield Edit(Mistake.AGGREGATION, f"{op} to {other} {of}", text)
    is_by, labels = promql.grouping(node)
    if not is_by and len(labels) > 1:
        for label in sorted(labels):
            text = f"{op} without ({', '.join(sorted(labels - {label}))}) ({param}{inner})"
            yield Edit(Mistake.AGGREGATION, f"{op} with {label} {of}", text)
    if is_by and "project" in labels:
        text = f"{op} by ({', '.join(sorted({*labels, 'instance'}))}) ({param}{inner})"
        yield Edit(Mistake.AGGREGATION, f"{op} by instance, too, {of}", text)
    yield Edit(Mistake.AGGREGATION, f"no {op} {of}", inner)


def _shown(node: Expr) -> str:
    return str(node).replace("{}", "")[:SHOWN]


def _sides(node: promql_parser.BinaryExpr) -> tuple[str, str, str, str]:
    """Return left side, `bool`, modifiers and right side."""
    flag = "bool" if node.modifier and node.modifier.return_bool else ""
    modifier = str(node.modifier or "").replace("bool", "").strip()
    return f"({node.lhs})", flag, modifier, f"({node.rhs})"


def _comparisons(node: promql_parser.BinaryExpr) -> Iterator[Edit]:
    op = str(node.op)
    left, flag, modifier, right = _sides(node)
    for other in COMPARISONS.get(op, ()):
        change = f"{op} to {other} before {_shown(node.rhs)}"
        yield Edit(Mistake.COMPARISON, change, f"{left} {other} {flag} {modifier} {right}")


def _joins(node: promql_parser.BinaryExpr) -> Iterator[Edit]:
    op = str(node.op)
    left, flag, modifier, right = _sides(node)
    at = f"before {_shown(node.rhs)}"
    matched = modifier.partition(" group_")[0]
    if matched:
        text = f"{left} {op} {flag} {right}"
        yield Edit(Mistake.JOIN, f"{op} without its {matched} {at}", text)
    if matched != modifier:
        text = f"{left} {op} {flag} {matched} {right}"
        yield Edit(Mistake.JOIN, f"{op} without its {modifier[len(matched) + 1 :]} {at}", text)


def _arms(node: promql_parser.BinaryExpr) -> Iterator[Edit]:
    op = str(node.op)
    if op not in SETS:
        return
    left, _, modifier, right = _sides(node)
    other, at = SETS[op], _shown(node.rhs)
    yield Edit(Mistake.JOIN, f"{op} to {other} before {at}", f"{left} {other} {modifier} {right}")
    yield Edit(Mistake.JOIN, f"no {op} {at}", left)
    if op != "unless":
        yield Edit(Mistake.JOIN, f"nothing before {op} {at}", right)
