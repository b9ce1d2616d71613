"""E1, E3, E18, E19, E30: what Alertmanager sends more than once is one episode and one action."""

import asyncio

import pytest

from orchestrator.demo import binaries
from orchestrator.health import State
from tests.cases import mesh
from tests.cases.conftest import Begin, StartPeer
from tests.cases.doorway import answering_after, losing_answers, twice_at_once
from tests.cases.mesh import Json
from tests.cases.rig import Case, down

pytestmark = pytest.mark.e2e


async def test_e1_a_message_whose_200_was_lost_comes_again_and_is_one_action(case: Case) -> None:
    project = case.first
    case.doorway.way = losing_answers(2)
    alert = down(project.name)
    await case.fire(alert)
    await case.until_stored(3, status="firing")
    await case.heal(project, alert)
    assert [message["status"] for message in case.doorway.stored] == [*["firing"] * 3, "resolved"]
    assert project.actions == ["restart_service"]
    assert await case.webhook.meanings() == {"opened": 1, "repeated": 2, "ended": 1}


@pytest.mark.long
async def test_e1_a_message_that_a_proxy_doubles_is_one_action(case: Case) -> None:
    project = case.first
    case.doorway.way = twice_at_once
    alert = down(project.name)
    await case.fire(alert)
    await case.heal(project, alert)
    assert project.actions == ["restart_service"]
    assert await case.webhook.meanings() == {"opened": 1, "repeated": 2, "ended": 1}


@pytest.mark.long
async def test_e3_what_repeat_interval_sends_again_refreshes_the_episode_and_does_nothing(
    begin: Begin, start_peer: StartPeer
) -> None:
    def soon(config: Json) -> None:
        mesh.repairs(config)["repeat_interval"] = "900ms"  # short of group_interval, as is shipped

    case = await begin([start_peer(soon)])
    project = case.first
    project.state, project.deaf = State.DOWN, True
    alert = down(project.name)
    await case.fire(alert)
    [first] = await case.until_episodes(project, 1)
    await case.until_stored(3)
    [later] = case.webhook.episodes(project.name)
    assert later == first
    assert later.seen > first.seen
    assert project.actions == ["restart_service"]
    meanings = await case.webhook.meanings()
    assert meanings == {"opened": 1, "repeated": meanings["repeated"]}


async def test_e18_an_alertmanager_that_was_killed_tells_as_new_what_it_told_and_nothing_is_done(
    begin: Begin, start_peer: StartPeer
) -> None:
    peer = start_peer()
    case = await begin([peer])
    project = case.first
    project.state = State.DOWN
    alert = down(project.name)
    await case.fire(alert)
    await case.until_stored(1)
    await case.until_restarted(project)
    peer.kill()
    peer.start()
    _, again = await case.until_stored(2)
    await case.heal(project, alert)
    assert again.get("notification_reason", "first notification") == "first notification"
    assert project.actions == ["restart_service"]
    assert await case.webhook.meanings() == {"opened": 1, "repeated": 1, "ended": 1}


@pytest.mark.long
async def test_e19_an_edited_route_sends_everything_under_a_new_group_and_nothing_is_done(
    begin: Begin, start_peer: StartPeer
) -> None:
    def narrower(config: Json) -> None:
        mesh.repairs(config)["matchers"].append('project!=""')

    peer = start_peer()
    case = await begin([peer])
    project = case.first
    project.state = State.DOWN
    alert = down(project.name)
    await case.fire(alert)
    await case.until_stored(1)
    await peer.reload(case.http, mesh.routing(case.doorway.url, narrower))
    first, again = await case.until_stored(2)
    await case.heal(project, alert)
    assert first["groupKey"] != again["groupKey"]
    assert project.actions == ["restart_service"]
    assert await case.webhook.meanings() == {"opened": 1, "repeated": 1, "ended": 1}


@pytest.mark.long  # an old Alertmanager gives up on an answer after 10 s only
async def test_e30_a_slow_answer_brings_copies_and_all_of_them_are_duplicates(
    begin: Begin, start_peer: StartPeer, tools: binaries.Binaries
) -> None:
    def impatient(config: Json) -> None:
        if not binaries.version(tools.alertmanager).startswith("0.25"):  # which knows no timeout
            mesh.hook(config)["timeout"] = "500ms"

    case = await begin([start_peer(impatient)])
    project = case.first
    project.state = State.DOWN
    answer = asyncio.Event()
    case.doorway.way = answering_after(answer)
    alert = down(project.name)
    await case.fire(alert)
    await case.until_stored(3, status="firing", within=40)
    answer.set()
    await case.heal(project, alert)
    copies = len(case.doorway.stored) - 1  # and one message of its end
    assert project.actions == ["restart_service"]
    assert await case.webhook.meanings() == {"opened": 1, "repeated": copies - 1, "ended": 1}
