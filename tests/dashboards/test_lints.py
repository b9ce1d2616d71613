"""Every dashboard keeps the rules of Grafana's own linter, and each rule finds what it is for."""

from collections.abc import Callable
from copy import deepcopy
from functools import partial

import pytest

from tests.dashboards import lints
from tests.dashboards.lints import EXCLUDED, LINTS, Lint
from tests.dashboards.written import EVERY, Json, panels, variables

Break = Callable[[Json], None]

KEPT = [each for each in LINTS if each not in EXCLUDED]


def _name(lint: Lint) -> str:
    return lint.__name__


@pytest.mark.parametrize("uid", EVERY)
@pytest.mark.parametrize("lint", KEPT, ids=_name)
def test_every_dashboard_keeps_the_rule(lint: Lint, uid: str) -> None:
    assert lint(EVERY[uid]) == []


@pytest.mark.parametrize("lint", EXCLUDED, ids=_name)
def test_no_rule_is_left_out_that_is_kept_anyway(lint: Lint) -> None:
    assert any(lint(dashboard) for dashboard in EVERY.values())


def test_the_rules_are_the_fifteen_for_prometheus() -> None:
    assert len(set(LINTS)) == 15


def _query(dashboard: Json, expr: str) -> None:
    panels(dashboard)[0]["targets"][0]["expr"] = expr


def _variable(dashboard: Json, name: str, key: str, value: object) -> None:
    variables(dashboard)[name][key] = value


def _panel(dashboard: Json, key: str, value: object) -> None:
    panels(dashboard)[0][key] = value


def _unit(dashboard: Json) -> None:
    panels(dashboard)[0]["fieldConfig"]["defaults"] |= {"unit": "apples", "mappings": []}


def _job(dashboard: Json) -> None:
    job = variables(dashboard)["instance"] | {"name": "job", "multi": False}
    dashboard["templating"]["list"].append(job)


def _editable(dashboard: Json) -> None:
    dashboard["editable"] = True


BROKEN: dict[Lint, Break] = {
    lints.template_datasource: partial(_variable, name="datasource", key="query", value="loki"),
    lints.template_job: _job,
    lints.template_instance: partial(_variable, name="instance", key="allValue", value=".*"),
    lints.template_label_promql: partial(
        _variable, name="client", key="query", value={"query": "label_values(up{, client)"}
    ),
    lints.template_on_time_change_reload: partial(_variable, name="client", key="refresh", value=1),
    lints.panel_datasource: partial(_panel, key="datasource", value={"uid": "prometheus"}),
    lints.panel_title_description: partial(_panel, key="description", value=""),
    lints.panel_units: _unit,
    lints.panel_no_targets: partial(_panel, key="targets", value=[]),
    lints.target_promql: partial(_query, expr="sum(up"),
    lints.target_rate_interval: partial(_query, expr="rate(exporter_probes_total[5m])"),
    lints.target_counter_agg: partial(_query, expr="sum(exporter_probes_total)"),
    lints.uneditable_dashboard: _editable,
}


def test_every_rule_that_is_kept_is_seen_to_find_something() -> None:
    assert list(BROKEN) == KEPT


@pytest.mark.parametrize("lint", BROKEN, ids=_name)
def test_a_rule_finds_what_it_is_there_for(lint: Lint) -> None:
    dashboard = deepcopy(EVERY["orchestrator-project"])
    BROKEN[lint](dashboard)
    assert len(lint(dashboard)) == 1
