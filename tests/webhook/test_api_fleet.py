"""The whole fleet in one answer, and somebody who takes what people were asked about."""

import sqlite3
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from orchestrator import clock
from orchestrator.project import Control, Mode
from orchestrator.version import VERSION
from tests.conftest import Serve
from tests.waiting import until
from tests.webhook import make
from tests.webhook.make import NOW
from webhook import app, prometheus, watchdog
from webhook.api.desk import DESK
from webhook.store import paging
from webhook.store.database import Store

Json = dict[str, Any]
STAGES = {"escalate", "health", "housekeeping", "lag", "reconcile", "repair", "watchdog"}


class Prometheus:
    """A Prometheus that knows of three projects, and an Alertmanager that takes pages."""

    def __init__(self) -> None:
        self.status = 200
        self.pages: list[Json] = []
        self.newly: list[str] = []
        self.states = {"email-blast": "healthy", "chatbot": "degraded", "billing": "paused"}

    def app(self) -> web.Application:
        made = web.Application()
        made.router.add_get("/api/v1/query", self._query)
        made.router.add_post("/api/v2/alerts", self._page)
        return made

    async def _query(self, request: web.Request) -> web.Response:
        if request.query["query"] == prometheus.NEWLY:
            down = [{"metric": {"project": name}} for name in self.newly]
            return web.json_response({"data": {"result": down}})
        if "project_state" not in request.query["query"]:
            return web.json_response({"data": {"result": []}})
        found = [
            {"metric": {"project": name, "state": state}} for name, state in self.states.items()
        ]
        return web.json_response({"data": {"result": found}}, status=self.status)

    async def _page(self, request: web.Request) -> web.Response:
        self.pages += await request.json()
        return web.Response()


@pytest.fixture
def world() -> Prometheus:
    return Prometheus()


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "x.db")


@pytest.fixture
async def hub(store: Store, serve: Serve, world: Prometheus) -> web.Application:
    there = await serve(world.app())
    gone = Control(url=f"{there}/control")
    config = make.config(
        projects={
            "email-blast": make.project(url=there, control=gone),
            "chatbot": make.project(name="chatbot", mode=Mode.OBSERVE, url=there),
            "billing": make.project(name="billing", url=there),
        },
        prometheus=there,
        alertmanagers=(there,),
    )
    return app.make(config, store, version="1")


@pytest.fixture
async def url(hub: web.Application, serve: Serve) -> str:
    return await serve(hub)


async def _fleet(http: aiohttp.ClientSession, url: str) -> Json:
    async with http.get(f"{url}/api/v1/fleet") as response:
        assert response.status == 200
        found: Json = await response.json()
    return found


async def _settled(http: aiohttp.ClientSession, url: str) -> Json:
    async def going() -> Json | None:
        found = await _fleet(http, url)
        return found if {each["name"] for each in found["webhook"]["stages"]} >= STAGES else None

    return await until(going, within=10, what="every stage")


async def test_a_fleet_that_is_well_needs_nobody(http: aiohttp.ClientSession, url: str) -> None:
    found = await _settled(http, url)
    assert (found["needs"], found["webhook"]["version"]) == ([], VERSION)
    assert found["projects"] == [
        {"name": "email-blast", "mode": "act", "state": "healthy", "incident": None},
        {"name": "chatbot", "mode": "observe", "state": "degraded", "incident": None},
        {"name": "billing", "mode": "act", "state": "paused", "incident": None},
    ]
    assert [found[each] for each in ("incidents", "approvals", "restraints", "budgets")] == [[]] * 4


async def test_without_prometheus_nobody_knows_how_the_fleet_is(
    http: aiohttp.ClientSession, url: str, world: Prometheus
) -> None:
    world.status = 503
    found = await _settled(http, url)
    assert {each["state"] for each in found["projects"]} == {"unknown"}
    assert (found["prometheus"]["answers"], found["needs"]) == (
        False,
        ["Prometheus does not answer: nothing but what is surely down is repaired"],
    )


async def test_what_people_have_to_see_to_is_named(
    http: aiohttp.ClientSession, url: str, hub: web.Application
) -> None:
    await _settled(http, url)
    made = hub[DESK].instruments
    made.refused()
    made.heartbeat.labels("gone").set(NOW.timestamp() - 10**9)
    made.watchdog_at.set(clock.now().timestamp() - 100)
    found = await _fleet(http, url)
    assert found["needs"] == [
        "the webhook: stalled: gone",
        "the newest orchestrator.yml was refused; the one before is in force",
    ]
    assert 100 <= found["webhook"]["watchdog_seconds"] < 200


async def test_that_alerts_do_not_arrive_needs_people(
    http: aiohttp.ClientSession, url: str, hub: web.Application
) -> None:
    await _settled(http, url)
    await hub[DESK].store(
        paging.raise_once,
        kind="watchdog",
        reason="No alerts.",
        labels=watchdog.LABELS,
        annotations=watchdog.ANNOTATIONS,
        at=clock.now(),
    )
    assert (await _fleet(http, url))["needs"] == ["No alerts."]


async def test_a_project_that_is_down_without_an_incident_needs_people(
    http: aiohttp.ClientSession, url: str, world: Prometheus
) -> None:
    world.states["chatbot"] = "down"
    found = await _settled(http, url)
    assert found["needs"] == ["chatbot is down, and it has no incident: nothing is done about it"]
    work = {"kind": "maintenance", "project": "chatbot", "for": "1h", "reason": "a new disk"}
    async with http.post(f"{url}/api/v1/restraints", json=work) as response:
        assert response.status == 201
    assert (await _fleet(http, url))["needs"] == []


async def test_what_has_just_gone_down_may_yet_get_its_incident(
    http: aiohttp.ClientSession, url: str, world: Prometheus
) -> None:
    world.states |= {"chatbot": "down", "billing": "down"}
    world.newly = ["chatbot"]
    found = await _settled(http, url)
    assert [each["state"] for each in found["projects"]] == ["healthy", "down", "down"]
    assert found["needs"] == ["billing is down, and it has no incident: nothing is done about it"]


async def test_a_project_that_nobody_watches_needs_people(
    http: aiohttp.ClientSession, url: str, world: Prometheus
) -> None:
    del world.states["billing"]
    found = await _settled(http, url)
    assert found["projects"][2]["state"] == "unknown"
    assert found["needs"] == ["Prometheus does not know billing: nobody sees when it is down"]


async def _escalate(http: aiohttp.ClientSession, url: str) -> None:
    """Let an alert come that no playbook is for."""
    sent = make.alert(alertname="ProjectSlow")
    await http.post(f"{url}/alerts", data=make.body(sent))

    async def escalated() -> bool:
        return [each["state"] for each in (await _fleet(http, url))["incidents"]] == ["escalated"]

    await until(escalated, within=10, what="the escalation")


async def _acknowledge(http: aiohttp.ClientSession, url: str, number: int) -> tuple[int, Json]:
    where = f"{url}/api/v1/incidents/{number}/acknowledge"
    async with http.post(where, json={"reason": "on it"}) as response:
        return response.status, await response.json(content_type=None)


async def test_what_is_escalated_is_taken_by_one_person_and_its_page_says_so(
    http: aiohttp.ClientSession, url: str, world: Prometheus
) -> None:
    await _escalate(http, url)
    first, again = await _acknowledge(http, url, 1), await _acknowledge(http, url, 1)
    assert (first[0], first[1]["acknowledged_by"], first) == (200, "local", again)
    fleet = await _fleet(http, url)
    assert fleet["needs"] == ["incident 1 of email-blast is escalated, taken by local"]
    assert fleet["incidents"][0]["acknowledged_by"] == "local"

    async def told() -> str | None:
        said = [page["annotations"].get("acknowledged") for page in world.pages]
        return next(filter(None, said), None)

    said = await until(told, within=10, what="the page")
    assert (said[:18], said[-5:]) == ("local has taken it", "on it")
    assert {page["labels"]["escalation"] for page in world.pages} == {"1"}


async def test_what_is_not_there_or_not_escalated_cannot_be_taken(
    http: aiohttp.ClientSession, url: str, store: Store
) -> None:
    status, problem = await _acknowledge(http, url, 1)
    assert (status, problem["detail"]) == (404, "there is no incident 1")
    await _escalate(http, url)
    await store(lambda db: db.execute("UPDATE incidents SET state = 'open', due_at = NULL"))
    status, problem = await _acknowledge(http, url, 1)
    assert (status, problem["state"]) == (409, "open")


async def test_another_person_is_refused_with_who_has_it(
    http: aiohttp.ClientSession, url: str, store: Store
) -> None:
    await _escalate(http, url)
    await _acknowledge(http, url, 1)
    await store(lambda db: db.execute("UPDATE incidents SET acknowledged_by = 'ann'"))
    status, problem = await _acknowledge(http, url, 1)
    assert (status, problem["acknowledged_by"]) == (409, "ann")
    assert problem["detail"].startswith("ann has taken incident 1 at ")


async def test_a_storm_is_counted_and_those_that_people_have_come_first(
    http: aiohttp.ClientSession, url: str, store: Store
) -> None:
    at = "2026-11-21T08:00:00.000000Z"

    def storm(db: sqlite3.Connection) -> None:
        many = [(f"p-{number}", "open" if number else "escalated") for number in range(300, -1, -1)]
        db.executemany(
            "INSERT INTO incidents (project, state, since, opened_at) VALUES (?, ?, ?, ?)",
            [(*each, at, at) for each in many],
        )

    await store(storm)
    fleet = await _fleet(http, url)
    shown = [each["project"] for each in fleet["incidents"]]
    assert (shown[0], len(shown), fleet["open"]) == ("p-0", 200, {"open": 300, "escalated": 1})
