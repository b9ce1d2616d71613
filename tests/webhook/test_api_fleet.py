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
from webhook import app
from webhook.api.desk import DESK
from webhook.store.database import Store

Json = dict[str, Any]
STAGES = {"escalate", "health", "housekeeping", "lag", "reconcile", "repair", "watchdog"}


class Prometheus:
    """A Prometheus that knows of two projects, and an Alertmanager that takes pages."""

    def __init__(self) -> None:
        self.status = 200
        self.pages: list[Json] = []

    def app(self) -> web.Application:
        made = web.Application()
        made.router.add_get("/api/v1/query", self._query)
        made.router.add_post("/api/v2/alerts", self._page)
        return made

    async def _query(self, request: web.Request) -> web.Response:
        if "project_state" not in request.query["query"]:
            return web.json_response({"data": {"result": []}})
        found = [
            {"metric": {"project": "email-blast", "state": "healthy"}},
            {"metric": {"project": "chatbot", "state": "degraded"}},
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
        {"name": "billing", "mode": "act", "state": "unknown", "incident": None},
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
