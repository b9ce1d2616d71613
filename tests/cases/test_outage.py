"""E10, E28, E32, E34: what is told of an alert when the webhook or a repair comes in between."""

import pytest
import yaml
from aiohttp import web

from orchestrator.health import State
from tests.cases import mesh
from tests.cases.conftest import Begin, StartPeer
from tests.cases.doorway import Forward, answering
from tests.cases.mesh import Json
from tests.cases.rig import Case, down, told
from tests.conftest import Serve
from tests.waiting import until

pytestmark = pytest.mark.e2e


@pytest.mark.long
async def test_e10_what_fires_and_ends_while_the_webhook_is_away_is_not_told_and_not_counted(
    case: Case,
) -> None:
    missed, witness, _ = case.projects
    witness.state = State.DOWN
    case.doorway.way = answering(404)  # which is not tried again before the next flush
    gone, lasts = down(missed.name), down(witness.name)
    await case.fire(gone, lasts)
    await case.until_arrived(2)
    await case.end(gone)
    missed.state = State.HEALTHY
    await _flushed(case, witness.name, times=2)
    case.doorway.open_way()
    await case.heal(witness, lasts)
    assert case.webhook.episodes(missed.name) == []
    assert case.webhook.incidents(missed.name) == []
    assert await case.webhook.meanings() == {"opened": 1, "ended": 1}


@pytest.mark.long  # a refused connection is tried again for 10 s, with what fired at first
async def test_e10_what_fires_and_ends_while_connections_are_refused_is_not_told(
    case: Case,
) -> None:
    missed, witness, _ = case.projects
    witness.state = State.DOWN
    await case.doorway.shut()
    gone, lasts = down(missed.name), down(witness.name)
    before = await _failed(case)
    await case.fire(gone, lasts)
    await case.end(gone)
    missed.state = State.HEALTHY

    async def given_up() -> bool:
        return await _failed(case) >= before + 3  # each of the two groups, and one once more

    await until(given_up, within=60, what="three flushes that failed")
    await case.doorway.open()
    await case.heal(witness, lasts)
    assert case.webhook.episodes(missed.name) == []
    assert len(case.webhook.episodes(witness.name)) == 1


@pytest.mark.long
async def test_e10_what_fires_while_the_webhook_is_away_and_lasts_is_told_when_it_is_back(
    case: Case,
) -> None:
    project, alert = case.first, down(case.first.name)
    await case.doorway.shut()
    await case.fire(alert)
    await case.doorway.open()
    await case.heal(project, alert)
    assert project.actions == ["restart_service"]
    assert await case.webhook.meanings() == {"opened": 1, "ended": 1}


async def test_e32_a_login_page_in_between_is_no_delivery(case: Case) -> None:
    project, alert = case.first, down(case.first.name)
    case.doorway.way = answering(302, Location="/login")
    await case.fire(alert)
    await case.until_arrived(2)  # it is sent again, so it does not count as delivered
    assert case.webhook.episodes(project.name) == []
    case.doorway.open_way()
    await case.heal(project, alert)
    assert project.actions == ["restart_service"]


def test_e32_the_routing_that_we_ship_follows_no_redirect_to_the_webhook() -> None:
    shipped = yaml.safe_load(mesh.SHIPPED.read_text(encoding="utf-8"))
    assert mesh.hook(shipped)["http_config"] == {"follow_redirects": False}


async def test_e28_what_was_answered_200_is_stored_although_the_webhook_is_killed_at_once(
    case: Case,
) -> None:
    answered: list[Json] = []

    async def killing(message: Json, forward: Forward) -> web.StreamResponse:
        answer = await forward()
        await case.webhook.kill()
        answered.append(message)
        return answer

    case.doorway.way = killing
    await case.fire(*(down(case.first.name, part=str(part)) for part in range(500)))

    async def was() -> bool:
        return bool(answered)

    await until(was, within=30, what="a 200")
    parts = {each.labels["part"] for each in case.webhook.episodes(case.first.name)}
    assert parts == {part for _, part in told(answered[0])}


@pytest.mark.long  # what would happen without that line, so that nobody takes it out
async def test_e32_an_alertmanager_that_follows_redirects_loses_the_alert_at_a_login_page(
    begin: Begin, start_peer: StartPeer
) -> None:
    def follows(config: Json) -> None:
        mesh.hook(config)["http_config"]["follow_redirects"] = True

    peer = start_peer(follows)
    case = await begin([peer])
    lost, witness, _ = case.projects
    case.doorway.way = answering(302, Location="/login")
    await case.fire(down(lost.name))
    await case.until_arrived(1)
    case.doorway.open_way()
    for part in ("a", "b", "c"):  # a flush each, so three times more than it takes to come again
        await case.fire(down(witness.name, part=part))
        await case.until_episodes(witness, "abc".index(part) + 1)
    assert case.webhook.episodes(lost.name) == []


@pytest.mark.long
async def test_e34_what_is_repaired_within_group_wait_wakes_nobody(
    begin: Begin, start_peer: StartPeer, serve: Serve
) -> None:
    people: list[str] = []

    async def take(request: web.Request) -> web.Response:
        people.extend(each["labels"]["project"] for each in (await request.json())["alerts"])
        return web.Response()

    app = web.Application()
    app.router.add_post("/", take)
    url = await serve(app)

    def call_people(config: Json) -> None:
        mesh.receiver(config, "people")["webhook_configs"] = [{"url": url}]
        for route in config["route"]["routes"]:
            if route["receiver"] == "people" and "group_wait" in route:
                route["group_wait"] = route["group_wait"].replace("5m", "5s")

    case = await begin([start_peer(call_people)])
    healed, lasting, _ = case.projects
    healed.state = lasting.state = State.DOWN
    lasting.deaf = True
    quick, slow = down(healed.name), down(lasting.name)
    await case.fire(quick, slow)
    await case.heal(healed, quick)

    async def woken() -> bool:
        return lasting.name in people

    await until(woken, within=30, what="a message to people")
    assert set(people) == {lasting.name}


async def _failed(case: Case) -> float:
    """Return how many flushes to webhooks have failed for good, at the only peer."""
    [peer] = case.peers
    async with case.http.get(f"{peer.url}/metrics") as response:
        page = await response.text()
    name = "alertmanager_notifications_failed_total{"
    found = [line for line in page.splitlines() if line.startswith(name) and '"webhook"' in line]
    return sum(float(line.rsplit(" ", 1)[1]) for line in found)


async def _flushed(case: Case, project: str, *, times: int) -> None:
    """Wait until the group of *project* was sent that many times more."""

    def sent() -> int:
        return sum(
            message["groupLabels"].get("project") == project for message in case.doorway.arrived
        )

    wanted = sent() + times

    async def again() -> bool:
        return sent() >= wanted

    await until(again, within=30, what=f"{times} flushes")
