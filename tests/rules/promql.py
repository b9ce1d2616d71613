"""PromQL as a tree: what an expression reads, and which labels its result has."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta

import promql_parser as promql
from promql_parser import Expr

COMPARISONS = frozenset({"==", "!=", ">", "<", ">=", "<="})
SETS = frozenset({"and", "or", "unless"})
Alternatives = frozenset[frozenset[str]]  # the labels of each kind of result; empty for a scalar


@dataclass(frozen=True, slots=True)
class Matcher:
    """One condition on a label."""

    label: str
    value: str
    is_equality: bool


@dataclass(frozen=True, slots=True)
class Selector:
    """Series that an expression reads; `range` is None for the latest sample alone."""

    name: str
    matchers: tuple[Matcher, ...] = ()
    range: timedelta | None = None


parse = promql.parse


def children(node: Expr) -> list[Expr]:
    """Return the expressions that *node* is made of, as they are written."""
    match node:
        case promql.BinaryExpr():
            return [node.lhs, node.rhs]
        case promql.AggregateExpr():
            return [*([node.param] if isinstance(node.param, Expr) else []), node.expr]
        case promql.Call():
            return [each for each in node.args if isinstance(each, Expr)]
        case promql.MatrixSelector():
            return [node.vector_selector]
        case promql.ParenExpr() | promql.UnaryExpr() | promql.SubqueryExpr():
            return [node.expr]
        case _:
            return []


def walk(node: Expr, above: tuple[Expr, ...] = ()) -> Iterator[tuple[Expr, tuple[Expr, ...]]]:
    """Yield every node, each after those that it stands under, with them: the root is first."""
    yield node, above
    for child in children(node):
        yield from walk(child, (*above, node))


def selector(node: promql.VectorSelector, length: timedelta | None = None) -> Selector:
    """Return what *node* selects."""
    equal = promql.MatchOp.Equal
    matchers = tuple(Matcher(m.name, m.value, m.op == equal) for m in node.matchers.matchers)
    return Selector(node.name or "", matchers, length)


def selectors(expr: Expr) -> list[Selector]:
    """Return all that *expr* reads."""
    return [
        selector(node, _range(above))
        for node, above in walk(expr)
        if isinstance(node, promql.VectorSelector)
    ]


def _range(above: tuple[Expr, ...]) -> timedelta | None:
    last = above[-1] if above else None
    return last.range if isinstance(last, promql.MatrixSelector) else None


def lookback(expr: Expr) -> timedelta:
    """Return how far back the oldest sample is that *expr* reads."""
    return max(
        (
            sum((_back(each) for each in (node, *above)), timedelta(0))
            for node, above in walk(expr)
            if isinstance(node, promql.VectorSelector)
        ),
        default=timedelta(0),
    )


def _back(node: Expr) -> timedelta:
    length, offset = getattr(node, "range", None), getattr(node, "offset", None)
    return (length or timedelta(0)) + (offset or timedelta(0))


def aggregations(nodes: tuple[Expr, ...]) -> list[promql.AggregateExpr]:
    """Return those of *nodes* that aggregate."""
    return [node for node in nodes if isinstance(node, promql.AggregateExpr)]


def binaries(expr: Expr) -> list[promql.BinaryExpr]:
    """Return every operation with two sides."""
    return [node for node, _ in walk(expr) if isinstance(node, promql.BinaryExpr)]


def bare(expr: Expr) -> Expr:
    """Return *expr* without the parentheses around it."""
    while isinstance(expr, promql.ParenExpr):
        expr = expr.expr
    return expr


def grouping(node: promql.AggregateExpr) -> tuple[bool, frozenset[str]]:
    """Return whether *node* groups `by` (not `without`), and the labels that it names."""
    if node.modifier is None:
        return True, frozenset()
    is_by = node.modifier.type == promql.AggModifierType.By
    return is_by, frozenset(node.modifier.labels)


def matching(node: promql.BinaryExpr) -> tuple[bool, frozenset[str]] | None:
    """Return whether *node* matches `on` (not `ignoring`), and the labels; None for neither."""
    if node.modifier is None or node.modifier.matching is None:
        return None
    found = node.modifier.matching
    return found.type == promql.LabelModifierType.Include, frozenset(found.labels)


def results(expr: Expr, known: Callable[[str], Alternatives]) -> Alternatives:
    """Return the labels of what *expr* makes, where *known* tells those of each name it reads."""
    match expr:
        case promql.VectorSelector():
            return known(expr.name or "")
        case promql.AggregateExpr():
            return _aggregated(expr, known)
        case promql.Call():
            return _called(expr, known)
        case promql.BinaryExpr():
            return _combined(expr, known)
        case _:
            inner = children(expr)
            return results(inner[0], known) if inner else frozenset()


def _aggregated(expr: promql.AggregateExpr, known: Callable[[str], Alternatives]) -> Alternatives:
    inner = results(expr.expr, known)
    if str(expr.op) in {"topk", "bottomk"}:
        return inner
    is_by, labels = grouping(expr)
    return frozenset(each & labels if is_by else each - labels for each in inner)


def _called(expr: promql.Call, known: Callable[[str], Alternatives]) -> Alternatives:
    if expr.func.return_type == promql.ValueType.Scalar:
        return frozenset()
    if expr.func.name.startswith("absent"):
        arg = bare(children(expr)[0])
        plain = isinstance(arg, promql.VectorSelector | promql.MatrixSelector)
        matchers = selectors(arg)[0].matchers if plain else ()
        return frozenset({frozenset(each.label for each in matchers if each.is_equality)})
    inner = next((found for each in children(expr) if (found := results(each, known))), None)
    less = frozenset({"le"}) if expr.func.name == "histogram_quantile" else frozenset()
    return frozenset(each - less for each in inner or {frozenset()})


def _combined(expr: promql.BinaryExpr, known: Callable[[str], Alternatives]) -> Alternatives:
    left, right = results(expr.lhs, known), results(expr.rhs, known)
    if not (left and right):
        return left or right
    if str(expr.op) in SETS:
        return left | right if str(expr.op) == "or" else left
    matched, modifier = matching(expr), expr.modifier
    if modifier and modifier.card != promql.VectorMatchCardinality.OneToOne:
        many = left if modifier.card == promql.VectorMatchCardinality.ManyToOne else right
        return frozenset(each | set(modifier.group_labels or ()) for each in many)
    if matched is None:
        return left
    is_on, labels = matched
    return frozenset(each & labels if is_on else each - labels for each in left)
