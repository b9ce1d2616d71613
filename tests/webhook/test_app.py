"""The webhook as a whole, with a project, a Prometheus and a control that the test plays."""

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from orchestrator.commands import Command
from orchestrator.config import BadConfig, Config, Verification
from orchestrator.project import Control
from tests.conftest import Serve
from tests.waiting import until
from tests.webhook import make
from tests.webhook.make import NOW, SECOND
from webhook import app
from webhook.api.desk import DESK
from webhook.instruments import Instruments
from webhook.store.database import Store


@dataclass(slots=True)
class Town:
    """One project, its control, and the Prometheus and Alertmanager around it."""

    healthy: bool = False
    firing: bool = True
    restart_heals: bool = True
    commands: list[str] = field(default_factory=list)
    pages: list[dict[str, Any]] = field(default_factory=list)

    def app(self) -> web.Application:
        made = web.Application()
        made.router.add_get("/health", self._health)
        made.router.add_post("/control", self._control)
        made.router.add_get("/api/v1/rules", self._rules)
        made.router.add_get("/api/v1/query", self._query)
        made.router.add_post("/api/v2/alerts", self._page)
        return made

    async def _health(self, _: web.Request) -> web.Response:
        status = "healthy" if self.healthy else "down"
        return web.json_response({"status": status}, status=200 if self.healthy else 503)

    async def _control(self, request: web.Request) -> web.Response:
        self.commands.append(request.headers["Idempotency-Key"])
        self.healthy = self.restart_heals
        return web.json_response({"state": "completed", "detail": "restarted"})

    async def _rules(self, _: web.Request) -> web.Response:
        alerts = [{"state": "firing", "labels": {"project": "email-blast"}}] * self.firing
        rule = {"name": "ProjectDown", "query": "x", "annotations": {"settle": "0s"}}
        return web.json_response({"data": {"groups": [{"rules": [{**rule, "alerts": alerts}]}]}})

    async def _query(self, _: web.Request) -> web.Response:
        held = [] if self.healthy else [{"metric": {"project": "email-blast"}}]
        return web.json_response({"data": {"result": held}})

    async def _page(self, request: web.Request) -> web.Response:
        self.pages.extend(await request.json())
        return web.Response()


def _config(url: str) -> Config:
    project = make.project(url=url, control=Control(url=f"{url}/control"))
    fast = Verification(recover_within=SECOND / 10, prove_within=5 * SECOND, every=SECOND / 20)
    return make.config(
        projects={"email-blast": project}, verification=fast, prometheus=url, alertmanagers=(url,)
    )


async def _events(http: aiohttp.ClientSession, url: str) -> list[str]:
    async with http.get(f"{url}/api/v1/events") as response:
        return [event["name"] for event in (await response.json())["events"]]


async def _until_told(http: aiohttp.ClientSession, url: str, name: str) -> list[str]:
    async def told() -> list[str] | None:
        names = await _events(http, url)
        return names if name in names else None

    return await until(told, within=10, what=name)


async def test_a_project_that_is_down_is_restarted_once_and_proven(
    http: aiohttp.ClientSession, serve: Serve, tmp_path: Path
) -> None:
    town = Town()
    config = _config(await serve(town.app()))
    url = await serve(app.make(config, Store(tmp_path / "x.db"), version="1"))
    for sent in (make.alert(), make.alert()):
        await http.post(f"{url}/alerts", data=make.body(sent))
    await _until_told(http, url, "RecoveryObserved")
    await http.post(f"{url}/alerts", data=make.body(make.alert(ended=NOW + 8 * SECOND)))
    assert await _until_told(http, url, "PROBLEM_RESOLVED") == [
        "ProjectDown",
        "EMAIL_BLAST_STATUS_CHANGED",
        "ActionStarted",
        "ActionExecuted",
        "RecoveryObserved",
        "EMAIL_BLAST_STATUS_CHANGED",
        "PROBLEM_RESOLVED",
    ]
    assert (len(town.commands), town.pages) == (1, [])


async def test_when_a_restart_does_not_help_people_are_told(
    http: aiohttp.ClientSession, serve: Serve, tmp_path: Path
) -> None:
    town = Town(restart_heals=False)
    config = replace(_config(await serve(town.app())), guards=make.guarding(breaker=1))
    url = await serve(app.make(config, Store(tmp_path / "x.db"), version="1"))
    await http.post(f"{url}/alerts", data=make.body(make.alert()))
    await _until_told(http, url, "ESCALATION_REQUIRED")

    async def paged() -> list[str] | None:
        return [page["labels"]["project"] for page in town.pages] or None

    assert await until(paged, within=5, what="the page") == ["email-blast"]
    assert len(town.commands) == 1


async def test_a_forged_alert_restarts_nothing(
    http: aiohttp.ClientSession, serve: Serve, tmp_path: Path
) -> None:
    town = Town(firing=False)
    config = _config(await serve(town.app()))
    url = await serve(app.make(config, Store(tmp_path / "x.db"), version="1"))
    await http.post(f"{url}/alerts", data=make.body(make.alert()))
    await _until_told(http, url, "ActionWithheld")
    assert town.commands == []


async def test_a_step_that_fails_for_a_reason_of_ours_is_taken_again(
    http: aiohttp.ClientSession, serve: Serve, tmp_path: Path
) -> None:
    town = Town()
    config = _config(await serve(town.app()))
    store = Store(tmp_path / "x.db")
    await store(lambda db: db.execute("ALTER TABLE actions RENAME TO away"))
    made = app.make(config, store, version="1")
    url = await serve(made)
    await http.post(f"{url}/alerts", data=make.body(make.alert()))

    async def failed() -> float | None:
        registry = made[DESK].instruments.registry  # for the page needs the table, too
        name = "webhook_stage_failures_total"
        return registry.get_sample_value(name, {"stage": "repair"})

    await until(failed, within=5, what="the counted failure")
    await store(lambda db: db.execute("ALTER TABLE away RENAME TO actions"))
    await _until_told(http, url, "ActionExecuted")


def test_a_playbook_with_an_unknown_action_is_a_mistake_with_its_path() -> None:
    config = make.config(playbooks={"ProjectDown": ("restart_service", "reboot")})
    with pytest.raises(BadConfig, match=r"playbooks.ProjectDown\[1\]: 'reboot' is no action"):
        app.check_playbooks(config)


def test_a_command_is_counted_from_0_as_soon_as_the_configuration_that_has_it_is_in_force() -> None:
    instruments = Instruments("1")
    current = app.Current(make.config(), instruments)
    flush = Command(argv=("/bin/true",), timeout=SECOND)
    told = []
    for config in (current(), make.config(commands={"flush": flush})):
        current.take(config)
        labels = {"action": "command:flush"}
        told.append(instruments.registry.get_sample_value("webhook_actions_total", labels))
    assert told == [None, 0]
