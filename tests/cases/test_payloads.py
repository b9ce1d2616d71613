"""E22 to E25: what either version of Alertmanager writes is read, and stored as it was meant."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.cases import mesh
from tests.cases.conftest import Begin, StartPeer
from tests.cases.mesh import Json, Peer
from tests.cases.rig import Alert, Case, down
from tests.waiting import until

pytestmark = pytest.mark.e2e

RECORDED = Path(__file__).parent / "payloads"  # by Alertmanagers of these releases, for `odd`
RELEASES = ("0.25", "0.33")
PROJECT = "case-recorded"

AFAR = "2026-01-02T11:04:05.123456789+08:00"
WHOLE = "2026-01-02T03:04:05Z"
WEST = "2026-01-01T21:34:05.5-05:30"
INSTANT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
MEANT = {
    "afar": INSTANT + timedelta(microseconds=123_456),
    "whole": INSTANT,
    "west": INSTANT + timedelta(microseconds=500_000),
}
NOTE = (
    'a "quote", \\back\\slash, {brace}, $(rm -rf /); `id`\nčeské 漢字 <b onclick="x">&amp;</b> %s'
)


def odd(project: str) -> list[Alert]:
    """Return alerts whose instants and texts are as odd as they may be."""
    alerts = [
        Alert(down(project, part=part).labels, started)
        for part, started in (("afar", AFAR), ("whole", WHOLE), ("west", WEST))
    ]
    noted = down(project, INSTANT, part="noted", note=NOTE)
    return [*alerts, Alert(noted.labels, noted.started, {"summary": NOTE})]


def dotted(config: Json) -> None:
    """Give the receiver a name that Alertmanager quotes."""
    mesh.receiver(config)["name"] = "web.hook"
    for route in config["route"]["routes"]:
        if route["receiver"] == "webhook":
            route["receiver"] = "web.hook"


async def _told(case: Case, alerts: list[Alert]) -> Json:
    """Fire *alerts* and return the first message that has all of them, once it is stored."""
    await case.fire(*alerts)

    async def whole() -> Json | None:
        found = [each for each in case.doorway.stored if len(each["alerts"]) == len(alerts)]
        return found[0] if found else None

    return await until(whole, within=30, what="a message of all alerts")


async def test_e22_a_message_with_the_reason_of_the_new_and_fields_of_no_version_is_stored(
    begin: Begin, start_peer: StartPeer
) -> None:
    case = await begin([start_peer()])
    project = case.first
    message = await _told(case, [down(project.name, part="a")])
    for alert in message["alerts"]:
        alert["labels"]["part"], alert["fingerprint"] = "b", "0123456789abcdef"
        alert["receivers"] = {"unknown": [None, 1]}
    for reason in ({}, {"notification_reason": "unknown"}, {"routeLabels": {"team": "a"}}):
        body = {key: value for key, value in message.items() if key != "notification_reason"}
        assert await case.webhook.post(json.dumps({**body, **reason}).encode()) == 200
    parts = [each.labels["part"] for each in case.webhook.episodes(project.name)]
    assert parts == ["a", "b"]
    assert await case.webhook.meanings() == {"opened": 2, "repeated": 2}


async def test_e23_the_name_of_a_receiver_may_have_a_dot(
    begin: Begin, start_peer: StartPeer
) -> None:
    case = await begin([start_peer(dotted)])
    message = await _told(case, [down(case.first.name)])
    stored = [row["receiver"] for row in case.webhook.rows("SELECT receiver FROM notifications")]
    assert message["receiver"] == r"web\.hook"
    assert stored == [r"web\.hook"]


async def test_e24_instants_of_any_offset_and_precision_are_the_right_ones(
    begin: Begin, start_peer: StartPeer
) -> None:
    case = await begin([start_peer()])
    message = await _told(case, odd(case.first.name)[:-1])
    assert {alert["endsAt"] for alert in message["alerts"]} == {"0001-01-01T00:00:00Z"}
    assert {alert["startsAt"] for alert in message["alerts"]} == {AFAR, WHOLE, WEST}
    assert _instants(case, case.first.name) == MEANT


async def test_e25_odd_texts_are_kept_as_they_are_and_change_no_command(case: Case) -> None:
    project, noted = case.first, odd(case.first.name)[-1]
    await _told(case, [noted])
    await case.heal(project, noted)
    assert _texts(case, project.name) == [(noted.labels, noted.annotations)]
    assert project.actions == ["restart_service"]


@pytest.mark.parametrize("release", RELEASES)
async def test_e22_to_e25_the_recorded_payload_of_a_release_is_stored_as_it_was_meant(
    begin: Begin, single: Peer, release: str
) -> None:
    body = (RECORDED / f"{release}.json").read_bytes()
    message: Json = json.loads(body)
    assert ("notification_reason" in message) is (release == "0.33")
    assert message["receiver"] == r"web\.hook"
    case = await begin([single])
    assert await case.webhook.post(body) == 200
    assert _instants(case, PROJECT) == {**MEANT, "noted": INSTANT}
    assert (odd(PROJECT)[-1].labels, {"summary": NOTE}) in _texts(case, PROJECT)
    stored: list[str] = [row["body"] for row in case.webhook.rows("SELECT body FROM notifications")]
    assert stored == [body.decode()]


def _instants(case: Case, project: str) -> dict[str, datetime]:
    """Return when each episode began, by the label `part`."""
    return {each.labels["part"]: each.first_started for each in case.webhook.episodes(project)}


def _texts(case: Case, project: str) -> list[tuple[Json, Json]]:
    """Return labels and annotations of each episode as they are stored."""
    rows = case.webhook.rows(
        "SELECT labels, annotations FROM episodes WHERE project = ? ORDER BY id", project
    )
    return [(json.loads(row["labels"]), json.loads(row["annotations"])) for row in rows]
