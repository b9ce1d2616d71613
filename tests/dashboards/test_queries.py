"""Every query reads what there is, and its legend names labels that its result has."""

import re
from copy import deepcopy

import promql_parser
import pytest
from promql_parser import Expr

from orchestrator.metrics import METRICS
from tests.dashboards import answered
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
    assert [each for panel in _tables(dashboard) for each in _unknown(panel)] == []


@EACH
def test_every_column_of_a_table_that_is_kept_has_a_title_and_a_place_and_no_other_has(
    dashboard: Json,
) -> None:
    assert [panel["title"] for panel in _tables(dashboard) if not _is_organized(panel)] == []


def test_a_column_that_there_is_not_is_found() -> None:
    panel, done = _joined()
    done["filterFieldsByName"]["include"]["names"] += ["Value #Z", "projekt"]
    assert _unknown(panel) == ["Every project: Value #Z", "Every project: projekt"]


def test_a_title_of_a_column_that_is_not_kept_is_found() -> None:
    panel, done = _joined()
    done["organize"]["renameByName"]["Value #Z"] = "Errors"
    assert not _is_organized(panel)


def _joined() -> tuple[Json, dict[str, Json]]:
    """Return a copy of a table of several queries, and what is done with their answers."""
    every = _tables(EVERY["orchestrator-fleet"])
    panel = deepcopy(next(each for each in every if answered.joined_by(each)))
    return panel, answered.steps(panel)


def _tables(dashboard: Json) -> list[Json]:
    return [each for each in panels(dashboard) if each["type"] == "table"]


def _is_organized(panel: Json) -> bool:
    done = answered.steps(panel)
    names = set(done["filterFieldsByName"]["include"]["names"])
    organized = done["organize"]
    return names == set(organized["renameByName"]) == set(organized["indexByName"])


def _unknown(panel: Json) -> list[str]:
    """Return the columns that no query of *panel* has; a value bears the letter of one of many."""
    exprs = {each["refId"]: each["expr"] for each in panel["targets"]}
    values = {f"Value #{letter}" for letter in exprs} if len(exprs) > 1 else {"Value"}
    names = set(answered.steps(panel)["filterFieldsByName"]["include"]["names"]) - values
    of_labels = {name for name in names if not name.startswith("Value")}
    lacking = set.intersection(*(_lacking(expr, of_labels) for expr in exprs.values()))
    return [f"{panel['title']}: {each}" for each in sorted(lacking | names - of_labels)]


@EACH
def test_no_metric_is_shown_that_is_only_planned(dashboard: Json) -> None:
    names = {
        each.name for expr in expressions(dashboard) for each in promql.selectors(parsed(expr))
    }
    planned = {name for name, each in METRICS.items() if each.status == "planned"}
    assert names & planned == set()
