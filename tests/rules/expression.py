"""Lints of what a rule computes, from what, and with which labels."""

import re
from collections.abc import Iterator

import promql_parser
from promql_parser import Expr

from orchestrator import duration
from tests.rules import promql
from tests.rules.known import OWN, SCRAPE, TARGET, Known
from tests.rules.lints import Lint
from tests.rules.ruleset import Kind, Rule

MAINTENANCE = "orchestrator_project_maintenance"
IN_MAINTENANCE = re.compile(rf"(?:last|max)_over_time\({MAINTENANCE}\{{\}}\[\w+\]\) == 1")
THRESHOLD = "project_threshold_ratio"
SAMPLES = 4  # at least so many in each range: 3.x leaves the oldest out, and one may be lost
FOUND = 2  # where a range only looks for the latest: one may be lost
LATEST = {"last_over_time", "present_over_time"}
LOOKBACK = 300  # seconds; how far an instant query looks for the latest sample
NOT_IN_BOTH = {
    "holt_winters",
    "double_exponential_smoothing",
    "info",
    "mad_over_time",
    "sort_by_label",
    "sort_by_label_desc",
    "histogram_avg",
    "histogram_stddev",
    "histogram_stdvar",
    "limitk",
    "limit_ratio",
}
PLAIN = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
PER_COUNTER = {"rate", "increase", "irate", "resets"}


def _arms(expr: Expr) -> Iterator[Expr]:
    """Yield what an outermost `or` puts together."""
    expr = promql.bare(expr)
    if isinstance(expr, promql_parser.BinaryExpr) and str(expr.op) == "or":
        yield from _arms(expr.lhs)
        yield from _arms(expr.rhs)
    else:
        yield expr


def keeps_its_project(rule: Rule, known: Known) -> list[str]:
    # A shard that moves is no new alert, and routes find the project by its own labels.
    if not rule.is_about_a_project:
        return []
    return [
        finding
        for arm in _arms(promql.parse(rule.expr))
        for labels in promql.results(arm, known.labels)
        for finding in _lost(arm, labels, known)
    ]


def _lost(arm: Expr, labels: frozenset[str], known: Known) -> Iterator[str]:
    if "project" not in labels:
        yield "its result loses `project`"
    if labels & TARGET:
        yield f"its result has {', '.join(sorted(labels & TARGET))}"
    subject = next(iter(promql.selectors(arm)), None)
    had = any(OWN in each for each in known.labels(subject.name)) if subject else False
    if had and OWN not in labels:
        yield "its result loses the project's own labels"


def honours_maintenance(rule: Rule, _known: Known) -> list[str]:
    if not rule.is_about_a_project or _honours(promql.parse(rule.expr)):
        return []
    guard = f"unless on (project) last_over_time({MAINTENANCE}[5m]) == 1"
    return [f"fires in maintenance, or when the webhook restarts in it: it is not `{guard}`"]


def _honours(expr: Expr) -> bool:
    expr = promql.bare(expr)
    if not isinstance(expr, promql_parser.BinaryExpr):
        return False
    left, right, op = _honours(expr.lhs), _honours(expr.rhs), str(expr.op)
    if op == "or":
        return left and right
    if op == "and":
        return left or right
    return left or (op == "unless" and _is_maintenance(expr))


def _is_maintenance(expr: promql_parser.BinaryExpr) -> bool:
    on_project = promql.matching(expr) == (True, frozenset({"project"}))
    return on_project and bool(IN_MAINTENANCE.fullmatch(str(promql.bare(expr.rhs))))


def aggregates(rule: Rule, known: Known) -> list[str]:
    # Else a project that two exporters watch for a moment fails the rule, for every project.
    if not (rule.is_about_a_project or rule.name.startswith("project:")):
        return []
    return [
        finding
        for node, above in _matched_one_by_one(promql.parse(rule.expr), ())
        for finding in _unaggregated(node.name or "", above, known)
    ]


def _matched_one_by_one(
    expr: Expr, above: tuple[Expr, ...]
) -> Iterator[tuple[promql_parser.VectorSelector, tuple[Expr, ...]]]:
    """Yield the selectors that must not be there twice; `and` and `unless` only ask for one."""
    if isinstance(expr, promql_parser.VectorSelector):
        yield expr, above
    for child in _sides(expr):
        yield from _matched_one_by_one(child, (*above, expr))


def _sides(expr: Expr) -> tuple[Expr, ...]:
    if isinstance(expr, promql_parser.BinaryExpr) and str(expr.op) in {"and", "unless"}:
        asks = promql.matching(expr) == (True, frozenset({"project"}))
        return (expr.lhs,) if asks else (expr.lhs, expr.rhs)
    return tuple(promql.children(expr))


def _unaggregated(name: str, above: tuple[Expr, ...], known: Known) -> Iterator[str]:
    metric = known.metric(name)
    if metric is None or metric.program != "exporter":
        return
    over = [(str(node.op), *promql.grouping(node)) for node in promql.aggregations(above)]
    if name == THRESHOLD and ("max", True, frozenset({"project"})) not in over:
        yield f"{name} is not under `max by (project)`"
    elif not any("project" in labels if is_by else labels >= TARGET for _, is_by, labels in over):
        yield f"{name} is under no `without (instance, job)` and no `by (project)`"


def reads_what_is_declared(rule: Rule, known: Known) -> list[str]:
    read = {each.name for each in promql.selectors(promql.parse(rule.expr))}
    return [
        f"reads {name or 'a selector without a name'}, which nobody declares"
        for name in sorted(read)
        if known.metric(name) is None and not known.recording(name)
    ]


def selects_by_declared_labels(rule: Rule, known: Known) -> list[str]:
    return [
        f"selects {each.name} by {matcher.label}, which it lacks"
        for each in promql.selectors(promql.parse(rule.expr))
        for matcher in each.matchers
        if any(matcher.label not in labels - {OWN} for labels in known.labels(each.name))
    ]


def groups_by_declared_labels(rule: Rule, known: Known) -> list[str]:
    # `by` what is not there merges everything; `without` what is not there does nothing.
    findings = []
    for node, _ in promql.walk(promql.parse(rule.expr)):
        if not isinstance(node, promql_parser.AggregateExpr):
            continue
        inner = promql.results(node.expr, known.labels)
        there: frozenset[str] = frozenset().union(*inner) - {OWN}
        missing = promql.grouping(node)[1] - there - TARGET
        findings += [f"groups by {each}, which is not there" for each in sorted(missing)]
    return findings


def matches_on_declared_labels(rule: Rule, known: Known) -> list[str]:
    # `on` what one side lacks compares each with all, `ignoring` such a label does nothing.
    findings = []
    for node in promql.binaries(promql.parse(rule.expr)):
        matched = promql.matching(node)
        sides = [promql.results(each, known.labels) for each in (node.lhs, node.rhs)]
        if matched is None or not all(sides):
            continue
        is_on, labels = matched
        unions = [frozenset[str]().union(*each) - {OWN} for each in sides]
        there = unions[0] & unions[1] if is_on else unions[0] | unions[1]
        findings += [f"matches on {each}, which is not there" for each in sorted(labels - there)]
    return findings


def ranges_hold_enough_samples(rule: Rule, known: Known) -> list[str]:
    return [
        f"{name} over {duration.text(each.range)} holds fewer than {enough} samples"
        for each, above in _ranges(promql.parse(rule.expr))
        for name in [each.vector_selector.name or ""]
        for enough in [FOUND if _looks_back(above) else SAMPLES]
        if each.range < enough * known.interval(name)
    ] + [
        "a subquery of fewer than 4 steps"
        for node, _ in promql.walk(promql.parse(rule.expr))
        if isinstance(node, promql_parser.SubqueryExpr)
        and node.range
        and node.range < SAMPLES * (node.step or SCRAPE)
    ]


def _ranges(expr: Expr) -> Iterator[tuple[promql_parser.MatrixSelector, tuple[Expr, ...]]]:
    """Yield what reads a range, with all that it stands under."""
    for node, above in promql.walk(expr):
        if isinstance(node, promql_parser.MatrixSelector):
            yield node, above


def _looks_back(above: tuple[Expr, ...]) -> bool:
    return isinstance(above[-1], promql_parser.Call) and above[-1].func.name in LATEST


def looks_back_less_than_it_waits(rule: Rule, _known: Known) -> list[str]:
    # Else one sample that nothing follows fires the alert. Behind `unless` it can only silence it,
    # and with an offset it asks for something else than the latest.
    if not rule.hold:
        return []
    hold = duration.parse(rule.hold)
    return [
        f"looks {duration.text(each.range)} back, and waits for {rule.hold} alone: {each}"
        for each, above in _ranges(_without_exceptions(promql.parse(rule.expr)))
        if _looks_back(above) and each.range >= hold and not each.vector_selector.offset
    ]


def _without_exceptions(expr: Expr) -> Expr:
    """Return *expr* without the right side of each `unless`."""

    def visit(node: Expr) -> Expr | None:
        if isinstance(node, promql_parser.BinaryExpr) and str(node.op) == "unless":
            return _without_exceptions(node.lhs)
        return None

    return promql_parser.transform(expr, pre_visit=visit)


def latest_sample_is_found(rule: Rule, known: Known) -> list[str]:
    # What is recorded each five minutes is gone for a moment before each evaluation.
    return [
        f"{each.name} comes every {duration.text(known.interval(each.name))}: read a range of it"
        for each in promql.selectors(promql.parse(rule.expr))
        if each.range is None and known.interval(each.name).total_seconds() >= LOOKBACK
    ]


def rates_are_of_counters(rule: Rule, known: Known) -> list[str]:
    names = {
        selector.name
        for node, _ in promql.walk(promql.parse(rule.expr))
        if isinstance(node, promql_parser.Call) and node.func.name in PER_COUNTER
        for selector in promql.selectors(node)
    }
    metrics = {name: known.metric(name) for name in names}
    return [
        f"takes the rate of {name}, a gauge"
        for name, metric in sorted(metrics.items())
        if metric and metric.kind == "gauge"
    ]


def both_versions_know_it(rule: Rule, _known: Known) -> list[str]:
    try:
        nodes = [node for node, _ in promql.walk(promql.parse(rule.expr))]
    except ValueError as error:
        return [str(error)]
    used = {node.func.name for node in nodes if isinstance(node, promql_parser.Call)}
    used |= {str(node.op) for node in nodes if isinstance(node, promql_parser.AggregateExpr)}
    names = {rule.name, *rule.labels} | {
        name
        for each in promql.selectors(promql.parse(rule.expr))
        for name in (each.name, *(matcher.label for matcher in each.matchers))
    }
    return [f"{each}() is not in both versions" for each in sorted(used & NOT_IN_BOTH)] + [
        f"{each!r} is no name in 2.42" for each in sorted(names) if not PLAIN.fullmatch(each)
    ]


_BOTH: tuple[Lint, ...] = (
    aggregates,
    reads_what_is_declared,
    selects_by_declared_labels,
    groups_by_declared_labels,
    matches_on_declared_labels,
    ranges_hold_enough_samples,
    latest_sample_is_found,
    rates_are_of_counters,
    both_versions_know_it,
)
LINTS: dict[Kind, tuple[Lint, ...]] = {
    Kind.ALERT: (
        keeps_its_project,
        honours_maintenance,
        looks_back_less_than_it_waits,
        *_BOTH,
    ),
    Kind.RECORD: _BOTH,
}
