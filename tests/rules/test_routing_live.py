"""Who is told of what, on a real Alertmanager with every example of a receiver filled in."""

import asyncio
import os
from asyncio.subprocess import DEVNULL
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import aiohttp
import pytest
import yaml
from aiohttp import web

from orchestrator import clock
from orchestrator.demo.binaries import Binaries
from orchestrator.supervisor.leash import leashed
from tests.conftest import FreePort, Serve
from tests.rules.routing import RULES, Json, Labels, filled_in
from tests.waiting import until


@dataclass(frozen=True, slots=True)
class Receivers:
    """Our end of every receiver that speaks HTTP: what was posted to it."""

    posted: dict[str, list[Json]] = field(default_factory=dict)

    async def take(self, request: web.Request) -> web.Response:
        """Take anything."""
        self.posted.setdefault(request.match_info["name"], []).append(await request.json())
        return web.Response(text="ok")


@dataclass(frozen=True, slots=True)
class Alertmanager:
    """A real one, with the examples filled in, and what it sent."""

    url: str
    http: aiohttp.ClientSession
    sent: Receivers

    async def fire(self, alerts: list[Labels], *, ago: timedelta = timedelta()) -> None:
        """Post alerts that began some time *ago*, with the annotations of their rules."""
        notes = {rule.name: dict(rule.annotations) for rule in RULES}
        began = clock.written(clock.now() - ago)
        bodies = [
            {"labels": each, "annotations": notes.get(each["alertname"], {}), "startsAt": began}
            for each in alerts
        ]
        async with self.http.post(f"{self.url}/api/v2/alerts", json=bodies) as response:
            response.raise_for_status()

    async def get(self, path: str) -> list[Json]:
        """Return what the API has at *path*."""
        async with self.http.get(f"{self.url}/api/v2/{path}") as response:
            response.raise_for_status()
            found: list[Json] = await response.json()
        return found

    async def ready(self) -> bool:
        """Tell whether it answers."""
        try:
            async with self.http.get(f"{self.url}/-/ready") as response:
                return response.ok
        except aiohttp.ClientError:
            return False


def _addressed(url: str, folder: Path) -> str:
    """Return the routing with every receiver but mail's at *url*."""
    content = yaml.safe_load(filled_in())
    for each in content["receivers"]:
        each.pop("email_configs", None)
        for hook in each.get("webhook_configs", []):
            hook["url"] = f"{url}/{each['name']}"
            hook["http_config"].pop("authorization", None)
        for slack in each.get("slack_configs", []):
            file = folder / f"{each['name']}.url"
            file.write_text(f"{url}/{each['name']}-slack", encoding="utf-8")
            slack["api_url_file"] = str(file)
    return yaml.safe_dump(content)


@pytest.fixture
async def alertmanager(
    tools: Binaries,
    tmp_path: Path,
    free_port: FreePort,
    serve: Serve,
    http: aiohttp.ClientSession,
) -> AsyncIterator[Alertmanager]:
    """Run a real Alertmanager on the routing that we ship."""
    sent = Receivers()
    app = web.Application()
    app.router.add_post("/{name}", sent.take)
    config = tmp_path / "alertmanager.yml"
    config.write_text(_addressed(await serve(app), tmp_path), encoding="utf-8")
    where = f"127.0.0.1:{free_port()}"
    argv = [
        str(tools.alertmanager),
        f"--config.file={config}",
        f"--storage.path={tmp_path / 'data'}",
        f"--web.listen-address={where}",
        "--cluster.listen-address=",
    ]
    process = await asyncio.create_subprocess_exec(
        *leashed(argv, os.getpid()), stdout=DEVNULL, stderr=DEVNULL
    )
    try:
        running = Alertmanager(f"http://{where}", http, sent)
        await until(running.ready, within=20, what="Alertmanager")
        yield running
    finally:
        process.kill()
        await process.wait()


DOWN = {"alertname": "ProjectDown", "project": "chatbot", "remediate": "true", "domain": "support"}
SLOW = {"alertname": "ProjectSlow", "severity": "warning"}
ABSENT = {"alertname": "WebhookAbsent", "severity": "critical", "scope": "self"}


@pytest.mark.e2e
async def test_alertmanager_puts_alerts_where_amtool_says(alertmanager: Alertmanager) -> None:
    await alertmanager.fire([DOWN, ABSENT])

    async def grouped() -> list[tuple[str, str]] | None:
        found = [
            (alert["labels"]["alertname"], group["receiver"]["name"])
            for group in await alertmanager.get("alerts/groups")
            for alert in group["alerts"]
        ]
        return sorted(found) if len(found) >= 4 else None

    assert await until(grouped, within=10, what="four copies") == [
        ("ProjectDown", "people"),
        ("ProjectDown", "support"),
        ("ProjectDown", "webhook"),
        ("WebhookAbsent", "operators"),
    ]


@pytest.mark.e2e
async def test_a_project_that_is_down_inhibits_its_shadows_and_nothing_else(
    alertmanager: Alertmanager,
) -> None:
    busy = {**DOWN, "alertname": "ProjectHighCPU"}
    both = [{**SLOW, "project": name} for name in ("chatbot", "email-blast")]
    await alertmanager.fire([DOWN, busy, *both])

    async def states() -> dict[tuple[str, str], str] | None:
        found = {
            (each["labels"]["alertname"], each["labels"]["project"]): each["status"]["state"]
            for each in await alertmanager.get("alerts")
        }
        return found if len(found) == 4 and "suppressed" in found.values() else None

    assert await until(states, within=10, what="four alerts, and one suppressed") == {
        ("ProjectDown", "chatbot"): "active",
        ("ProjectHighCPU", "chatbot"): "active",
        ("ProjectSlow", "chatbot"): "suppressed",
        ("ProjectSlow", "email-blast"): "active",
    }


@pytest.mark.e2e
async def test_what_lasts_is_told_to_the_webhook_its_domain_and_people_with_links(
    alertmanager: Alertmanager,
) -> None:
    posted = alertmanager.sent.posted
    await alertmanager.fire([ABSENT, DOWN], ago=timedelta(minutes=6))

    async def told() -> bool:
        return {*posted} >= {"webhook", "support-slack", "people", "people-slack"}

    await until(told, within=10, what="a message to each")
    assert {*posted} == {"webhook", "support-slack", "people", "people-slack"}
    [alert] = posted["webhook"][0]["alerts"]
    assert alert["labels"] == DOWN
    [message] = posted["people-slack"][0]["attachments"]
    assert message["title"] == "FIRING ProjectDown"
    runbook = "https://git.example.org/orchestrator/blob/main/docs/runbooks/ProjectDown.md\n"
    assert runbook in message["text"]
    assert "https://grafana.example.org/d/orchestrator-project" in message["text"]
