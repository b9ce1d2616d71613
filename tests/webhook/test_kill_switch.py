"""The kill switch in a storm: once it is answered, nothing is begun any more."""

import asyncio
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web

from orchestrator.config import Config
from orchestrator.project import Control
from tests.conftest import Serve
from tests.waiting import until
from tests.webhook import make
from webhook import app
from webhook.store.database import Store

MANY = 60
NAMES = [f"project-{place}" for place in range(MANY)]


@dataclass(slots=True)
class Burning:
    """A fleet that is down as a whole, with slow controls, and the Prometheus that says so."""

    commands: list[str] = field(default_factory=list)

    def app(self) -> web.Application:
        made = web.Application()
        made.router.add_get("/{project}/health", self._health)
        made.router.add_post("/{project}/control", self._control)
        made.router.add_get("/api/v1/rules", self._rules)
        made.router.add_get("/api/v1/query", self._query)
        return made

    async def _health(self, _: web.Request) -> web.Response:
        return web.json_response({"status": "down"}, status=503)

    async def _control(self, request: web.Request) -> web.Response:
        self.commands.append(request.headers["Idempotency-Key"])
        await asyncio.sleep(0.05)
        return web.json_response({"state": "completed", "detail": "restarted"})

    async def _rules(self, _: web.Request) -> web.Response:
        alerts = [{"state": "firing", "labels": {"project": name}} for name in NAMES]
        rule = {"name": "ProjectDown", "query": "x", "annotations": {}, "alerts": alerts}
        return web.json_response({"data": {"groups": [{"rules": [rule]}]}})

    async def _query(self, _: web.Request) -> web.Response:
        held = [{"metric": {"project": name}} for name in NAMES]
        return web.json_response({"data": {"result": held}})


def _config(url: str) -> Config:
    projects = {
        name: make.project(
            name=name, url=f"{url}/{name}", control=Control(url=f"{url}/{name}/control")
        )
        for name in NAMES
    }
    guards = make.guarding(fleet_min=100, concurrency=100)
    return make.config(projects=projects, prometheus=url, alertmanagers=(), guards=guards)


async def _events(http: aiohttp.ClientSession, url: str, name: str) -> list[dict[str, Any]]:
    async with http.get(f"{url}/api/v1/events") as response:
        found = (await response.json())["events"]
    return [each for each in found if each["name"] == name]


async def test_in_a_storm_no_intent_is_committed_after_the_answer(
    http: aiohttp.ClientSession, serve: Serve, tmp_path: Path
) -> None:
    fleet = Burning()
    config = _config(await serve(fleet.app()))
    url = await serve(app.make(config, Store(tmp_path / "x.db"), version="1"))
    sent = [make.alert(project=name, fingerprint=name) for name in NAMES]
    await http.post(f"{url}/alerts", data=make.body(*sent))

    async def some() -> bool:
        return len(fleet.commands) > 3

    await until(some, within=20, what="the first commands")
    killed = {"kind": "kill_switch", "reason": "enough", "for": "30m"}
    async with http.post(f"{url}/api/v1/restraints", json=killed) as response:
        assert response.status == 201

    async def rest_held() -> bool:
        async with http.get(f"{url}/api/v1/incidents?limit=100") as response:
            found = (await response.json())["incidents"]
        states = [
            each["state"] for each in found if "kill switch by local" not in (each["held"] or "")
        ]
        return len(found) == MANY and "open" not in states and "repairing" not in states

    await until(rest_held, within=30, what="all others held")
    [switched] = await _events(http, url, "KillSwitchOn")
    started = await _events(http, url, "ActionStarted")
    assert [each["id"] for each in started if each["id"] > switched["id"]] == []
    assert {*fleet.commands} <= {each["data"]["key"] for each in started}
    assert len(started) < MANY
