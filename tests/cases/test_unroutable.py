"""E26: an alert that asks for repair and names no project is for people, and only for them."""

import json
from collections.abc import Mapping

import pytest

from tests.cases.conftest import Begin
from tests.cases.mesh import Json, Peer
from tests.cases.rig import Alert, Case, down
from tests.waiting import until

pytestmark = pytest.mark.e2e

ROUTED = {  # by the label `domain`, "" is none
    "": ["people", "webhook"],
    "outreach": ["outreach", "people", "webhook"],
}


def nameless(case: Case, domain: str) -> Alert:
    """Return ProjectDown as a rule has it that has lost the label `project`."""
    full = down("", part=f"{case.first.name} {domain}", domain=domain, instance="127.0.0.1:4010")
    labels = {name: text for name, text in full.labels.items() if text}
    return Alert(labels, full.started)


async def _receivers(case: Case, alert: Alert) -> list[str]:
    """Return to whom Alertmanager routes *alert*."""
    [peer] = case.peers
    query = {"filter": f'part="{alert.labels["part"]}"'}
    async with case.http.get(f"{peer.url}/api/v2/alerts", params=query) as response:
        [found] = await response.json()
    return sorted(each["name"] for each in found["receivers"])


async def test_e26_an_alert_without_a_project_moves_nothing_and_people_get_it(
    begin: Begin, single: Peer
) -> None:
    case = await begin([single])
    case.doorway._about = lambda told: any(_is_ours(case, each) for each in told["alerts"])
    alerts = {domain: nameless(case, domain) for domain in ROUTED}
    await case.fire(*alerts.values())
    await _until_meant(case, {"unroutable": 2})
    routed = {domain: await _receivers(case, alert) for domain, alert in alerts.items()}
    assert routed == ROUTED
    kept = case.webhook.rows("SELECT project, incident, labels FROM episodes")
    assert [(row["project"], row["incident"]) for row in kept] == [(None, None)] * 2
    labels = sorted((json.loads(row["labels"]) for row in kept), key=_part)
    assert labels == sorted((each.labels for each in alerts.values()), key=_part)
    await case.end(*alerts.values())
    await _until_meant(case, {"unroutable": 2, "ended": 2})
    assert [_count(case, table) for table in ("incidents", "actions", "events", "pages")] == [0] * 4
    assert [project.actions for project in case.projects] == [[], [], []]


def _is_ours(case: Case, alert: Json) -> bool:
    return bool(alert["labels"].get("part", "").startswith(case.first.name))


def _part(labels: Mapping[str, str]) -> str:
    return labels["part"]


async def _until_meant(case: Case, meanings: dict[str, int]) -> None:
    """Wait for *meanings*, whatever is repeated."""

    async def meant() -> bool:
        # With `group_wait: 0s`, two alerts of one group come in one message or in two; the second
        # then repeats what the first one told.
        seen = await case.webhook.meanings()
        return {name: many for name, many in seen.items() if name != "repeated"} == meanings

    await until(meant, within=20, what=f"meanings {meanings}")


def _count(case: Case, table: str) -> int:
    [row] = case.webhook.rows(f"SELECT count(*) AS many FROM {table}")  # noqa: S608  our own names
    return int(row["many"])
