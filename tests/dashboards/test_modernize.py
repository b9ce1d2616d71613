"""What is written needs none of the migrations that newer versions of Grafana would make."""

import re
from pathlib import Path
from typing import Any

import pytest
from grafanalib import core

import dashboards
from dashboards import limits
from dashboards.look import About, Look
from dashboards.modernize import SCHEMA, modernize
from dashboards.panels import query, timeseries
from dashboards.variables import CLIENT, Places, constants
from tests.dashboards.written import EVERY, Json, looks, panels

EACH = pytest.mark.parametrize("dashboard", EVERY.values(), ids=list(EVERY))
PLACES = Places(webhook="http://127.0.0.1:1", alertmanager="", runbooks="")
SKELETON = {
    *("Dashboard", "Panel", "RowPanel", "GridPos", "Target", "Time", "TimePicker"),
    *("Template", "Templating", "HIDE_VARIABLE", "Annotations", "DashboardLink"),
}
OLD = {"__inputs", "editable", "error", "span", "intervalFactor", "maxDataPoints", "step", "target"}


def _keys(said: Any) -> set[str]:  # noqa: ANN401  JSON of any kind
    match said:
        case dict():
            return set(said).union(*(_keys(each) for each in said.values()))
        case list():
            return set().union(*(_keys(each) for each in said))
        case _:
            return set()


def _nulls(said: Any, path: tuple[str, ...] = ()) -> list[tuple[str, ...]]:  # noqa: ANN401  JSON
    match said:
        case dict():
            return [each for key, value in said.items() for each in _nulls(value, (*path, key))]
        case list():
            return [each for value in said for each in _nulls(value, path)]
        case _:
            return [path] if said is None else []


@EACH
def test_the_schema_is_one_that_every_grafana_from_11_on_knows(dashboard: Json) -> None:
    assert dashboard["schemaVersion"] == SCHEMA == 39


@EACH
def test_the_refresh_is_a_text_as_of_version_40(dashboard: Json) -> None:
    assert dashboard["refresh"] == "30s"


@EACH
def test_the_picker_of_times_has_no_options_as_of_version_41(dashboard: Json) -> None:
    assert dashboard["timepicker"].keys() == {"refresh_intervals"}


@EACH
def test_what_is_hidden_in_the_graph_is_hidden_in_the_tooltip_as_of_version_42(
    dashboard: Json,
) -> None:
    hidden = [look.get("custom.hideFrom") for each in panels(dashboard) for look in looks(each)]
    assert all(each.get("tooltip") for each in hidden if each and each.get("viz"))


@EACH
def test_no_time_is_written_by_a_transformation_as_of_version_43(dashboard: Json) -> None:
    used = {step["id"] for each in panels(dashboard) for step in each["transformations"]}
    assert "formatTime" not in used


@EACH
def test_nothing_is_null_but_the_first_step_of_thresholds(dashboard: Json) -> None:
    assert {path[-2:] for path in _nulls(dashboard)} <= {("steps", "value")}


@EACH
def test_every_panel_says_whose_it_is(dashboard: Json) -> None:
    assert {each["pluginVersion"] for each in panels(dashboard)} == {"11.0.0"}


def test_nothing_of_grafanalib_is_used_that_is_older_than_its_skeleton() -> None:
    used = {
        name
        for path in Path(dashboards.__file__).parent.glob("*.py")
        for name in re.findall(r"\bcore\.(\w+)", path.read_text())
    }
    assert used == SKELETON


def _small(about: About, steps: limits.Steps) -> core.Dashboard:
    panel = timeseries(about, [query("up", "{{job}}")], Look(steps=steps))
    place = core.GridPos(h=1, w=2, x=0, y=0)
    row = core.RowPanel(id=1, title="Row", gridPos=place, collapsed=True, panels=[panel])
    return core.Dashboard(
        title="Small",
        uid="small",
        panels=[row],
        templating=core.Templating([CLIENT, *constants(PLACES)]),
    )


def test_what_grafanalib_writes_of_old_is_gone(about: About, steps: limits.Steps) -> None:
    made = modernize(_small(about, steps))
    assert _keys(made["panels"]) & OLD == set()
    assert made.keys() & {"__inputs", "rows", "style", "id", "version"} == set()


def test_a_row_has_nothing_but_what_a_row_is(about: About, steps: limits.Steps) -> None:
    row = modernize(_small(about, steps))["panels"][0]
    assert row.keys() == {"collapsed", "gridPos", "id", "panels", "title", "type"}


def test_a_query_says_all_that_grafana_asks_of_it(about: About, steps: limits.Steps) -> None:
    panel = modernize(_small(about, steps))["panels"][0]["panels"][0]
    assert panel["targets"] == [
        {
            "datasource": {"type": "prometheus", "uid": "${datasource}"},
            "editorMode": "code",
            "exemplar": False,
            "expr": "up",
            "format": "time_series",
            "hide": False,
            "instant": False,
            "interval": "",
            "legendFormat": "{{job}}",
            "range": True,
            "refId": "A",
        }
    ]


def test_a_variable_asks_the_data_source_that_is_chosen(about: About, steps: limits.Steps) -> None:
    client = modernize(_small(about, steps))["templating"]["list"][0]
    assert client == {
        "allValue": ".*",
        "current": {"selected": True, "text": "All", "value": "$__all"},
        "datasource": {"type": "prometheus", "uid": "${datasource}"},
        "hide": 0,
        "includeAll": True,
        "label": "Client",
        "multi": True,
        "name": "client",
        "options": [],
        "query": {"query": "label_values(project_info, client)", "refId": "client"},
        "refresh": 2,
        "sort": 1,
        "type": "query",
    }


def test_no_address_can_change_where_the_webhook_is(about: About, steps: limits.Steps) -> None:
    place = modernize(_small(about, steps))["templating"]["list"][1]
    assert (place["type"], place["skipUrlSync"], place["hide"], place["query"]) == (
        "constant",
        True,
        2,
        "http://127.0.0.1:1",
    )
