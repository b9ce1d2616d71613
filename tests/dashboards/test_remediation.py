"""What remediation shows is told apart: of which projects, and of which trouble."""

import pytest

from dashboards import alarm
from tests.dashboards.written import EVERY, Json, panels, targets

REMEDIATION = EVERY["orchestrator-remediation"]
FOLDED = [
    (row, panel) for row in REMEDIATION["panels"] if row["type"] == "row" for panel in row["panels"]
]
SEEN = [({"title": ""}, each) for each in REMEDIATION["panels"] if each["type"] != "row"]


def _of_chosen(panel: Json) -> bool:
    return all("$project" in each["expr"] for each in panel["targets"])


@pytest.mark.parametrize(("row", "panel"), [*SEEN, *FOLDED], ids=lambda each: each["title"])
def test_a_panel_is_of_the_chosen_projects_or_says_that_it_is_of_all(
    row: Json, panel: Json
) -> None:
    said = (row["title"] + panel["description"]).lower()
    assert _of_chosen(panel) is not ("of all projects" in said)


def test_how_long_outages_took_is_not_mixed_with_what_is_slow_by_its_rule() -> None:
    asked = [
        each["expr"]
        for _, each in targets(REMEDIATION)
        if "webhook_recovery_seconds_bucket" in each["expr"]
    ]
    assert asked
    assert [expr for expr in asked if 'trouble="' not in expr] == []


def test_the_line_of_slow_repairs_is_drawn_where_there_are_outages_alone() -> None:
    line = alarm.FIRES_ABOVE["RecoverySlow"]
    drawn = [
        each["expr"]
        for panel in panels(REMEDIATION)
        if panel["fieldConfig"]["defaults"]["thresholds"]["steps"][-1]["value"] == line
        for each in panel["targets"]
    ]
    assert drawn
    assert [expr for expr in drawn if 'trouble="outage"' not in expr] == []


def test_a_question_is_no_escalation() -> None:
    (escalated,) = [each for each in panels(REMEDIATION) if each["title"] == "Escalated"]
    assert 'kind!="approval"' in escalated["targets"][0]["expr"]
