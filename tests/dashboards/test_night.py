"""What whoever is called at night has to see is seen, and is not of somebody else."""

import pytest

from dashboards import annotations
from tests.dashboards.written import EVERY, Json, marks, panels

FLEET, PROJECT = EVERY["orchestrator-fleet"], EVERY["orchestrator-project"]
EACH = pytest.mark.parametrize("dashboard", EVERY.values(), ids=list(EVERY))
BANDS = {"state-timeline", "status-history"}


def _panel(dashboard: Json, number: int) -> Json:
    return next(each for each in panels(dashboard) if each["id"] == number)


def _asked(dashboard: Json, number: int) -> list[str]:
    return [target["expr"] for target in _panel(dashboard, number)["targets"]]


@EACH
def test_no_alert_is_missed_between_two_points(dashboard: Json) -> None:
    """Most of them are over within seconds."""
    of_time = [
        target["expr"]
        for panel in panels(dashboard)
        if panel["type"] in BANDS
        for target in panel["targets"]
    ]
    asked = [*of_time, *(mark["target"]["expr"] for mark in marks(dashboard))]
    looked = [expr for expr in asked if "ALERTS{" in expr]
    assert [expr for expr in looked if "max_over_time(ALERTS{" not in expr] == []


@EACH
def test_a_mark_that_names_a_project_is_of_one_that_is_chosen(dashboard: Json) -> None:
    named = [each for each in marks(dashboard) if "{{project}}" in each["titleFormat"]]
    exprs = [each["target"]["expr"] for each in named]
    assert all('project=~"$project"' in expr for expr in exprs)


def test_a_mark_of_an_action_says_of_which_project_it_is() -> None:
    titles = [each["titleFormat"] for each in (annotations.ACTIONS, annotations.FAILED_ACTIONS)]
    assert titles == ["{{project}}: {{action}}", "{{project}}: {{action}} failed"]


def test_what_people_are_called_for_is_on_the_first_page() -> None:
    titles = {each["title"] for each in FLEET["panels"]}
    assert {"Escalated", "Approvals waiting", "Incidents"} <= titles


def test_a_choice_of_severity_hides_no_figure_of_another() -> None:
    assert [expr for expr in _asked(FLEET, 3) if "$severity" in expr] == []


def test_a_project_in_maintenance_is_neither_up_nor_down() -> None:
    """Its state is then above all words that the two figures count."""
    up, down = _asked(FLEET, 1)
    assert "orchestrator_project_maintenance == 1" in up
    assert " < 3) or " in up
    assert " == 3) or " in down


def test_a_project_shows_who_has_it_already_and_what_was_done() -> None:
    titles = {each["title"] for each in PROJECT["panels"]}
    assert {"What was done", "Questions to people", "Open incidents"} <= titles


def test_a_firing_alert_leads_to_alertmanager_and_to_a_silence() -> None:
    first, *_ = _panel(FLEET, 14)["fieldConfig"]["overrides"]
    links = next(each["value"] for each in first["properties"] if each["id"] == "links")
    alert, project = "${__data.fields.Alert}", "${__data.fields.Project}"
    named = f"filter=%7Balertname%3D%22{alert}%22"
    assert [link["url"] for link in links] == [
        f"${{alertmanager:raw}}/#/alerts?{named}%7D",
        f"${{alertmanager:raw}}/#/silences/new?{named}%2Cproject%3D%22{project}%22%7D",
    ]


def test_the_first_of_several_alerts_that_are_alike_says_since_when() -> None:
    (expr,) = _asked(FLEET, 14)
    assert expr.startswith("time() - min by (alertname, severity, project, what) (")
