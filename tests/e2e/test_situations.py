"""What the whole stack makes of alerts that are no reason to act."""

from datetime import timedelta

import pytest

from orchestrator import clock
from orchestrator.demo.stack import PROJECTS
from tests.e2e.conftest import Json, Live, Start, names_of
from tests.e2e.people import People, people, reconfigure, tell
from tests.waiting import until

__all__ = ["people"]  # a fixture

pytestmark = pytest.mark.e2e

FORGED, PAUSED, OBSERVED = "chatbot", "social-media", "email-blast"
EARLY = {PAUSED: {"memory": 0.6}}  # a leak is there within seconds


async def test_a_forged_alert_a_paused_project_and_an_observed_one_are_not_touched(
    start: Start, people: People
) -> None:
    """Each on a project of its own; nobody is asked for any of them."""
    async with start(thresholds=EARLY) as live:
        await people.called_by(live)
        await reconfigure(live, _only_observed)
        await tell(live, PAUSED, "pause_service")
        forged = {name: await _forge(live, name) for name in ("ProjectDown", "ProjectHighCPU")}
        await live.inject(PAUSED, "memory_leak")
        await live.inject(OBSERVED, "process_killed")
        for project in PROJECTS:
            await _until(live, project, "ActionWithheld")
        await _forge(live, "ProjectDown", ended=forged["ProjectDown"])
        await _until(live, FORGED, "ActionWithheld", times=2)  # now the other is looked at
        await _forge(live, "ProjectHighCPU", ended=forged["ProjectHighCPU"])
        await live.mend(PAUSED, "memory_leak")
        await live.mend(OBSERVED, "process_killed")
        for project in PROJECTS:
            await _until(live, project, "IncidentClosed")
        withheld = {project: await _reasons(live, project) for project in PROJECTS}
        commands = [(each["project"], each["action"]) for each in await live.commands()]
        async with live.session.get(f"{live.stack.url(PAUSED)}/health") as response:
            health = (await response.json())["status"]
    assert withheld == {
        FORGED: [
            "chatbot answers a probe (healthy); ProjectDown is not acted on",
            "ProjectHighCPU of chatbot does not fire in Prometheus",
        ],
        PAUSED: [
            "social-media is paused, and somebody chose so; ProjectHighMemory is not acted on"
        ],
        OBSERVED: ["mode: observe; would restart_service email-blast"],
    }
    assert (commands, health, people.told) == ([(PAUSED, "pause_service")], "paused", [])


def _only_observed(config: Json) -> None:
    next(each for each in config["projects"] if each["name"] == OBSERVED)["mode"] = "observe"


async def _forge(live: Live, name: str, *, ended: str = "") -> str:
    """Post an alert of a healthy project, as anybody can; or that what began so has *ended*."""
    now = clock.now()
    began = ended or clock.written(now)
    alert = {
        "labels": {
            "alertname": name,
            "project": FORGED,
            "remediate": "true",
            "severity": "critical",
        },
        "startsAt": began,
        "endsAt": clock.written(now if ended else now + timedelta(minutes=4)),
    }
    url = f"{live.stack.url('alertmanager')}/api/v2/alerts"
    async with live.session.post(url, json=[alert]) as response:
        response.raise_for_status()
    return began


async def _until(live: Live, project: str, name: str, *, times: int = 1) -> None:
    async def told() -> bool:
        return names_of(await live.events(), project).count(name) == times

    await until(told, within=30, what=f"{name} of {project}")


async def _reasons(live: Live, project: str) -> list[str]:
    events = [each for each in await live.events() if each["project"] == project]
    return [each["data"]["reason"] for each in events if each["name"] == "ActionWithheld"]


@pytest.mark.long
async def test_the_whole_fleet_down_at_once_is_one_page_to_people_and_two_commands_at_most(
    start: Start, people: People
) -> None:
    """The cause is one that no restart cures, as that of a whole fleet usually is."""
    async with start() as live:
        await people.called_by(live)
        for project in PROJECTS:
            await live.inject(project, "disk_full")
        page = await people.until_heard("FleetDown", "firing")
        for project in PROJECTS:
            await _until(live, project, "ActionWithheld")
        assert page["labels"] == {
            "alertname": "FleetDown",
            "severity": "critical",
            "source": "orchestrator",
            "escalation": page["labels"]["escalation"],
        }
        for project in PROJECTS:
            await live.mend(project, "disk_full")
        for project in PROJECTS:
            await _until(live, project, "IncidentClosed")
        await people.until_heard("FleetDown", "firing", "resolved")
        commands = await live.commands()
    assert len(commands) <= 2, commands
    assert {each["labels"]["alertname"] for each in people.told} == {"FleetDown"}
