"""Under --dry-run everything is decided and written down, and nothing goes out."""

import asyncio
import json
import logging
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from orchestrator.project import Control
from tests.conftest import FreePort, Serve
from tests.waiting import until
from tests.webhook import make
from tests.webhook.telling import ASKED
from webhook import stages
from webhook.escalate import Json
from webhook.executor import Done, Refused
from webhook.instruments import Instruments
from webhook.rehearsal import NOTED, Notebook
from webhook.stages import Ground
from webhook.store.database import Store
from webhook.store.reader import Reader

CHECKOUT = Path(__file__).parents[2]
CANARY = "canary-of-the-control"
CONFIG = """
defaults: {{mode: act}}
projects:
  - {{name: email-blast, url: "{town}", control: {{url: "{town}/control", token_file: token}}}}
playbooks: {{ProjectDown: [restart_service]}}
alertmanagers: ["{town}"]
prometheus: "{town}"
"""


@dataclass(slots=True)
class Town:
    """A project that is down, its control, Prometheus and Alertmanager, all at one address."""

    posts: list[str] = field(default_factory=list)  # all that was not only asked

    def app(self) -> web.Application:
        made = web.Application()
        made.router.add_get("/health", self._health)
        made.router.add_get("/api/v1/rules", self._rules)
        made.router.add_get("/api/v1/query", self._query)
        made.router.add_route("*", "/{rest:.*}", self._post)
        return made

    async def _health(self, _: web.Request) -> web.Response:
        return web.json_response({"status": "down"}, status=503)

    async def _rules(self, _: web.Request) -> web.Response:
        alerts = [{"state": "firing", "labels": {"project": "email-blast"}}]
        rule = {"name": "ProjectDown", "query": "x", "annotations": {"settle": "0s"}}
        return web.json_response({"data": {"groups": [{"rules": [{**rule, "alerts": alerts}]}]}})

    async def _query(self, _: web.Request) -> web.Response:
        return web.json_response({"data": {"result": [{"metric": {"project": "email-blast"}}]}})

    async def _post(self, request: web.Request) -> web.Response:
        if request.method == "GET":
            return web.Response(status=404)
        self.posts.append(request.path)
        return web.json_response({"state": "completed", "detail": "restarted"})


@dataclass(frozen=True, slots=True)
class Running:
    """A webhook as a process, and where its log is."""

    url: str
    log: Path

    def said(self) -> list[dict[str, Any]]:
        """Return the lines of its log so far."""
        text = self.log.read_text() if self.log.exists() else ""
        return [json.loads(line) for line in text.splitlines() if line.endswith("}")]

    async def listens(self) -> bool:
        """Tell whether it takes notifications."""
        try:
            async with aiohttp.ClientSession() as http, http.get(f"{self.url}/-/ready") as answer:
                return answer.status == 200
        except aiohttp.ClientError:
            return False


@asynccontextmanager
async def _running(folder: Path, town: str, port: int, *more: str) -> AsyncIterator[Running]:
    (folder / "token").write_text(CANARY)
    (folder / "orchestrator.yml").write_text(CONFIG.format(town=town))
    log = folder / "logs" / "orchestration.log"
    given = ("--config", "orchestrator.yml", "--listen", f":{port}")
    logs = ("--log-format", "json", "--log-file", "logs/orchestration.log")
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "webhook", *given, *logs, *more),
        cwd=folder,
        env={"PYTHONPATH": str(CHECKOUT)},
        stderr=asyncio.subprocess.PIPE,
    )
    running = Running(f"http://127.0.0.1:{port}", log)

    async def listening() -> bool:
        assert process.returncode is None, (await process.communicate())[1].decode()
        return await running.listens()

    try:
        await until(listening, within=30, what="the listener")
        yield running
    finally:
        with suppress(ProcessLookupError):  # it ended by itself, and was told of
            process.terminate()
        _, said = await asyncio.wait_for(process.communicate(), 30)
    assert [json.loads(line) for line in said.decode().splitlines()] == running.said()
    assert CANARY not in said.decode()


async def _notify(http: aiohttp.ClientSession, url: str) -> None:
    """Tell of a project that is down, and of one that nobody knows: that one is for people."""
    for project in ("email-blast", "nobody"):
        alert = make.alert(project=project, fingerprint=project)
        await http.post(f"{url}/alerts", data=make.body(alert))


async def test_nothing_goes_out_and_all_that_would_is_in_the_log(
    http: aiohttp.ClientSession, serve: Serve, free_port: FreePort, tmp_path: Path
) -> None:
    town = Town()
    where = await serve(town.app())
    async with _running(tmp_path, where, free_port(), "--dry-run") as webhook:
        await _notify(http, webhook.url)

        async def noted() -> list[dict[str, Any]] | None:
            found = [line for line in webhook.said() if line["event"] == "would tell people"]
            return found or None

        async def held() -> list[str] | None:
            async with http.get(f"{webhook.url}/api/v1/incidents") as answer:
                incidents = (await answer.json())["incidents"]
            return [each["held"] for each in incidents if "--dry-run" in str(each["held"])] or None

        [page] = await until(noted, within=10, what="the page in the log")
        why = await until(held, within=10, what="the reason")
        async with http.get(f"{webhook.url}/metrics") as answer:
            metrics = await answer.text()
        first = webhook.said()[0]
    assert (page["project"], page["alertname"]) == ("nobody", "EscalationRequired")
    assert why == ["--dry-run; would restart_service email-blast"]
    assert "webhook_dry_run 1.0" in metrics
    assert (first["level"], first["event"][:8]) == ("warning", "DRY RUN:")
    assert town.posts == []


async def test_without_it_the_same_alerts_command_and_page(
    http: aiohttp.ClientSession, serve: Serve, free_port: FreePort, tmp_path: Path
) -> None:
    town = Town()
    where = await serve(town.app())
    async with _running(tmp_path, where, free_port()) as webhook:
        await _notify(http, webhook.url)

        async def both() -> bool:
            return {"/control", "/api/v2/alerts"} <= {*town.posts}

        await until(both, within=10, what="a command and a page")
        async with http.get(f"{webhook.url}/metrics") as answer:
            assert "webhook_dry_run 0.0" in await answer.text()


async def test_a_command_that_comes_so_far_is_refused_and_noted(
    http: aiohttp.ClientSession, serve: Serve, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    town = Town()
    where = await serve(town.app())
    project = make.project(control=Control(url=f"{where}/control"))
    store = Store(tmp_path / "x.db")
    read = Reader(store.path)
    ground = Ground(
        config=make.config,
        store=store,
        read=read,
        instruments=Instruments("1"),
        session=http,
        ways=http,
        bells={},
    )
    dry = replace(ground, config=make.config().rehearsed)
    done = [
        await stages.effects(each, stages.inquiry_of(each)).execute(project, make.action())
        for each in (dry, ground)
    ]
    read.close()
    store.close()
    assert done == [Refused("--dry-run: nothing was sent"), Done("restarted")]
    said = [each.message for each in caplog.records if each.name.startswith("webhook")]
    assert (said, town.posts) == (["would act"], ["/control"])


def _page(number: int, *, over: bool = False) -> Json:
    labels = {**ASKED.labels, "escalation": str(number)}
    ends = "2026-11-21T12:00:00Z" if over else "2026-11-21T16:00:00Z"
    return {
        "labels": labels,
        "annotations": {"summary": "email-blast needs a human."},
        "startsAt": "2026-11-21T12:00:00Z",
        "endsAt": ends,
    }


async def test_a_page_is_noted_once_and_its_end_too_whatever_the_peers(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    notebook = Notebook()
    for peer in ("a", "b"):
        assert await notebook.post(peer, [_page(1), _page(2)]) == [True, True]
    for peer in ("a", "b"):
        await notebook.post(peer, [_page(1, over=True)])
    noted = [(each.message, each.__dict__["page"]) for each in caplog.records]
    assert noted == [
        ("would tell people", "1"),
        ("would tell people", "2"),
        ("would tell people that it is over", "1"),
    ]


async def test_what_is_remembered_has_a_bound() -> None:
    notebook = Notebook()
    await notebook.post("a", [_page(number) for number in range(NOTED + 10)])
    assert len(notebook._noted) == NOTED
