"""Every query reads what there is, and its legend names labels that its result has."""

import re

import promql_parser
import pytest
from promql_parser import Expr

from orchestrator.metrics import METRICS
from tests.dashboards.written import EVERY, Json, expressions, marks, panels, parsed, targets
from tests.rules import promql, ruleset
from tests.rules.known import OWN, TARGET, Known
from tests.rules.promql import Alternatives

KNOWN = Known(ruleset.load().records)
ALERT = frozenset({"alertname", "severity", "project", OWN})
ALERTS = {"ALERTS": ALERT | {"alertstate"}, "ALERTS_FOR_STATE": ALERT}
EACH = pytest.mark.parametrize("dashboard", EVERY.values(), ids=list(EVERY))


def _labels(name: str) -> Alternatives:
    if name in ALERTS:
        return frozenset({ALERTS[name]})
    # Without a name it reads figures of the projects' own.
    return KNOWN.labels(name) if name else frozenset({frozenset({"__name__", "project"}) | TARGET})


def _named(told: str) -> set[str]:
    return set(re.findall(r"\{\{\s*(\w+)\s*\}\}", told))


def _lacking(expr: str, told: set[str]) -> set[str]:
    tree = parsed(expr)
    known = told - _made(tree)
    return {label for label in known for each in promql.results(tree, _labels) if label not in each}


def _made(tree: Expr) -> set[str]:
    """Return the labels that are made anew."""
    calls = [node for node, _ in promql.walk(tree) if isinstance(node, promql_parser.Call)]
    making = {"label_replace", "label_join"}
    return {str(call.args[1].val) for call in calls if call.func.name in making}


@EACH
def test_every_series_that_is_read_is_there(dashboard: Json) -> None:
    names = {
        each.name
        for expr in expressions(dashboard)
        for each in promql.selectors(parsed(expr))
        if each.name
    }
    assert {name for name in names if not _labels(name)} == set()


@EACH
def test_every_legend_names_labels_that_the_result_has(dashboard: Json) -> None:
    lacking = {
        (panel["title"], label)
        for panel, target in targets(dashboard)
        for label in _lacking(target["expr"], _named(target["legendFormat"]))
    }
    assert lacking == set()


@EACH
def test_every_mark_names_labels_that_the_result_has(dashboard: Json) -> None:
    lacking = {
        (mark["name"], label)
        for mark in marks(dashboard)
        for label in _lacking(
            mark["target"]["expr"], _named(mark["titleFormat"] + mark["textFormat"])
        )
    }
    assert lacking == set()


@EACH
def test_every_column_of_a_table_is_a_label_that_the_result_has_or_its_value(
    dashboard: Json,
) -> None:
    for panel in panels(dashboard):
        if panel["type"] != "table":
            continue
        shown = next(
            each["options"]["include"]["names"]
            for each in panel["transformations"]
            if each["id"] == "filterFieldsByName"
        )
        of_labels = {name for name in shown if not name.startswith("Value")}
        lacking = {
            label for target in panel["targets"] for label in _lacking(target["expr"], of_labels)
        }
        has_one = len(panel["targets"]) == 1
        assert not (lacking and has_one), panel["title"]
        values = {"Value"} if has_one else {f"Value #{each['refId']}" for each in panel["targets"]}
        assert {name for name in shown if name.startswith("Value")} <= values, panel["title"]


@EACH
def test_no_metric_is_shown_that_is_only_planned(dashboard: Json) -> None:
    names = {
        each.name for expr in expressions(dashboard) for each in promql.selectors(parsed(expr))
    }
    planned = {name for name, each in METRICS.items() if each.status == "planned"}
    assert names & planned == set()
