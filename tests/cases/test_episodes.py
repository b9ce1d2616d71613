"""E4, E5, E6, E8, E35: which episode an alert belongs to, whatever message it comes in."""

import pytest

from orchestrator import clock
from orchestrator.health import State
from tests.cases import mesh
from tests.cases.conftest import Begin, StartPeer
from tests.cases.doorway import answering
from tests.cases.mesh import Json
from tests.cases.rig import Case, down, told
from tests.rules import ruleset
from tests.waiting import until

pytestmark = pytest.mark.e2e


async def test_e4_a_firing_message_with_a_resolved_alert_counts_each_by_its_own_status(
    case: Case,
) -> None:
    project = case.first
    project.deaf = True
    ends, lasts = (down(project.name, part=part) for part in ("a", "b"))
    await case.fire(ends, lasts)
    await case.until_episodes(project, 2)
    ended = await case.end(ends)

    async def mixed() -> Json | None:
        found = [each for each in case.doorway.stored if ("resolved", "a") in told(each)]
        return found[0] if found else None

    message = await until(mixed, within=30, what="a message with both")
    assert (message["status"], told(message)) == ("firing", [("resolved", "a"), ("firing", "b")])
    assert {each.labels["part"]: each.ended for each in case.webhook.episodes(project.name)} == {
        "a": ended,
        "b": None,
    }
    assert project.actions == ["restart_service"]


@pytest.mark.long
async def test_e5_the_end_of_an_alert_that_was_never_told_is_counted_and_nothing_else(
    case: Case,
) -> None:
    project = case.first
    project.deaf = True
    case.doorway.way = answering(404)  # as a proxy without the webhook; not tried again at once
    unseen, lasts = (down(project.name, part=part) for part in ("a", "b"))
    await case.fire(unseen, lasts)
    await case.until_arrived(1)
    await case.end(unseen)

    async def over() -> bool:
        return ("resolved", "a") in told(case.doorway.arrived[-1])

    await until(over, within=30, what="a message with the end")
    case.doorway.open_way()
    [message] = await case.until_stored(1)
    await case.until_restarted(project)
    assert told(message) == [("resolved", "a"), ("firing", "b")]
    assert [each.labels["part"] for each in case.webhook.episodes(project.name)] == ["b"]
    assert await case.webhook.meanings() == {"unknown": 1, "opened": 1}
    assert project.actions == ["restart_service"]


async def test_e6_an_end_with_a_start_that_was_never_told_ends_the_episode(case: Case) -> None:
    project = case.first
    alert = down(project.name)
    await case.fire(alert)
    await case.until_restarted(project)
    again = await case.flap(alert)
    ended = await case.end(again)
    await case.until_states(project, ["resolved"])
    [firing, resolved] = case.doorway.stored
    assert resolved["alerts"][0]["startsAt"] > firing["alerts"][0]["startsAt"]
    assert [each.ended for each in case.webhook.episodes(project.name)] == [ended]
    assert project.actions == ["restart_service"]
    assert await case.webhook.meanings() == {"opened": 1, "ended": 1}


@pytest.mark.long
async def test_e8_a_later_start_ends_the_episode_before_and_the_new_one_waits_for_the_cooldown(
    begin: Begin, start_peer: StartPeer
) -> None:
    def soon(config: Json) -> None:
        mesh.repairs(config)["repeat_interval"] = "900ms"

    case = await begin([start_peer(soon)], guards={"cooldown": "10m"})
    project = case.first
    project.state, project.deaf = State.DOWN, True
    alert = down(project.name)
    await case.fire(alert)
    await case.until_restarted(project)
    again = await case.flap(alert)
    [first, second] = await case.until_episodes(project, 2)

    async def held() -> str | None:
        [row] = case.webhook.rows("SELECT held FROM incidents WHERE project = ?", project.name)
        return row["held"] if "cooldown" in (row["held"] or "") else None

    why = await until(held, within=30, what="the cooldown")
    assert first.ended == second.started == clock.read(again.started)
    assert second.ended is None
    assert why.startswith(f"restart_service on {project.name} held until")
    assert project.actions == ["restart_service"]


@pytest.mark.long
async def test_e35_a_flap_between_two_looks_of_alertmanager_is_not_told_and_has_a_rule_of_its_own(
    begin: Begin, start_peer: StartPeer
) -> None:
    def slow(config: Json) -> None:
        mesh.repairs(config)["group_interval"] = "3s"

    case = await begin([start_peer(slow)])
    project = case.first
    project.state = State.DOWN
    alert = down(project.name)
    await case.fire(alert)
    await case.until_restarted(project)
    for _ in range(3):
        alert = await case.flap(alert)
    await case.heal(project, alert)
    assert [message["status"] for message in case.doorway.arrived] == ["firing", "resolved"]
    assert project.actions == ["restart_service"]
    [rule] = [each for each in ruleset.load().alerts if each.name == "ProjectFlapping"]
    assert "changes(project_up[30m])" in rule.expr
