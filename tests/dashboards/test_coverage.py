"""What our programs tell is seen by somebody: on a panel, or by a rule that tells people of it."""

import promql_parser as promql
import pytest

from dashboards import alarm
from orchestrator.metrics import METRICS, exported
from tests.dashboards.written import EVERY, expressions, parsed
from tests.rules.known import Known
from tests.rules.promql import parse, selectors, walk
from tests.rules.ruleset import load

RULES = load()
KNOWN = Known(RULES.records)
ALERTS = {rule.name: rule.expr for rule in RULES.alerts}
EXPORTED = exported("exporter") | exported("webhook")
UNSEEN = {  # a metric, and why nobody has to see it
    "claude_model_deprecated": "it changes once a year; orchestrator doctor names model and day",
}
_CURVE = "a curve of the figure itself shows the same, and more"
UNREAD = {  # records that only people's own queries and rules read
    "project:project_threshold_ratio:exceeded": "a line at the project's own limit shows the same",
    "project:project_cpu_usage_ratio:mean1h": _CURVE,
    "project:project_memory_usage_ratio:mean1h": _CURVE,
    "project:project_error_ratio:mean1h": _CURVE,
    "project:project_cpu_usage_ratio:deriv1h": _CURVE,
    "project:project_memory_usage_ratio:deriv1h": _CURVE,
}


def _metrics(expr: promql.Expr) -> set[str]:
    found = [KNOWN.metric(each.name) for each in selectors(expr)]
    return {metric.name for metric in found if metric}


SHOWN = {
    name
    for dashboard in EVERY.values()
    for expr in expressions(dashboard)
    for name in _metrics(parsed(expr))
}
JUDGED = {name for rule in RULES.rules for name in _metrics(parse(rule.expr))}


@pytest.mark.parametrize("name", EXPORTED)
def test_every_metric_is_on_a_panel_or_in_a_rule_or_has_a_reason(name: str) -> None:
    assert name in SHOWN | JUDGED | UNSEEN.keys()


def test_nothing_has_a_reason_that_is_seen_or_that_there_is_not() -> None:
    assert UNSEEN.keys() - EXPORTED.keys() | UNSEEN.keys() & (SHOWN | JUDGED) == set()


def test_what_others_tell_is_declared_for_what_reads_it_alone() -> None:
    theirs = {name for name, metric in METRICS.items() if metric.status == "theirs"}
    assert theirs - SHOWN - JUDGED == set()


def test_every_record_is_read_by_a_panel_or_a_rule_or_has_a_reason() -> None:
    read = [parsed(expr) for dashboard in EVERY.values() for expr in expressions(dashboard)]
    read += [parse(rule.expr) for rule in RULES.rules]
    names = {each.name for expr in read for each in selectors(expr)}
    assert {rule.name for rule in RULES.records} - names == UNREAD.keys()


def _figures(expr: str) -> set[float]:
    nodes = [node for node, _ in walk(parse(expr))]
    return {node.val for node in nodes if isinstance(node, promql.NumberLiteral)}


@pytest.mark.parametrize("alert", alarm.FIRES_ABOVE)
def test_a_line_is_drawn_where_the_alert_fires(alert: str) -> None:
    assert alarm.FIRES_ABOVE[alert] in _figures(ALERTS[alert])


def test_an_answer_counts_as_judged_from_where_the_alert_does() -> None:
    assert alarm.JUDGED in _figures(ALERTS["AnalyzerInaccurate"])
