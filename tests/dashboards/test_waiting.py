"""Each question and each incident is in a row that leads to its own page."""

import pytest

from dashboards import state, waiting
from dashboards.panels import Panel
from tests.dashboards.written import EVERY, Json, urls
from webhook.incident import ENDED, State

BOTH = pytest.mark.parametrize("uid", ["orchestrator-fleet", "orchestrator-remediation"])


def test_every_state_that_an_open_incident_can_be_in_has_a_word() -> None:
    assert [each.value for each in state.OF_INCIDENTS] == [
        each for each in State if each not in ENDED
    ]


@pytest.mark.parametrize(
    ("panel", "path"),
    [
        (waiting.questions(7), "/approvals/${__data.fields.Question}"),
        (waiting.incidents(7), "/incidents/${__data.fields.Incident}"),
    ],
)
def test_the_first_column_is_the_number_and_leads_to_the_page(panel: Panel, path: str) -> None:
    made: Json = panel.to_json_data()
    first, *_ = made["fieldConfig"]["overrides"]
    given = {each["id"]: each["value"] for each in first["properties"]}
    assert [link["url"] for link in given["links"]] == [f"${{webhook:raw}}{path}"]
    assert f"fields.{first['matcher']['options']}}}" in path


@BOTH
def test_both_tables_are_where_people_look_first(uid: str) -> None:
    titles = [each["title"] for each in EVERY[uid]["panels"]]
    assert {"Questions to people", "Open incidents"} <= set(titles)


@pytest.mark.parametrize("uid", EVERY)
def test_a_click_leads_to_a_page_for_people_and_not_to_json(uid: str) -> None:
    to_webhook = [url for url in urls(EVERY[uid]) if url.startswith("${webhook:raw}")]
    assert [url for url in to_webhook if "/api/" in url] == []
