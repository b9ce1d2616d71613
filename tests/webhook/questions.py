"""Questions that wait for people: a running webhook, and projects that each need one's word."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web

from orchestrator.config import Config, Verification
from orchestrator.project import Control
from orchestrator.source import Source
from tests.conftest import FreePort
from tests.waiting import until
from tests.webhook import make
from tests.webhook.make import SECOND
from webhook import app
from webhook.api.desk import DESK
from webhook.store.database import Store

Json = dict[str, Any]


@dataclass(slots=True)
class Street:
    """Projects that are down until they are restarted, and the Prometheus that sees them."""

    commands: list[tuple[str, str]] = field(default_factory=list)  # project, key
    healthy: set[str] = field(default_factory=set)

    def app(self) -> web.Application:
        """Return what plays them all."""
        made = web.Application()
        made.router.add_get("/{project}/health", self._health)
        made.router.add_post("/{project}/control", self._control)
        made.router.add_get("/api/v1/rules", self._rules)
        made.router.add_get("/api/v1/query", self._query)
        made.router.add_post("/api/v2/alerts", self._page)
        return made

    async def _health(self, request: web.Request) -> web.Response:
        well = request.match_info["project"] in self.healthy
        status = "healthy" if well else "down"
        return web.json_response({"status": status}, status=200 if well else 503)

    async def _control(self, request: web.Request) -> web.Response:
        project = request.match_info["project"]
        self.commands.append((project, request.headers["Idempotency-Key"]))
        self.healthy.add(project)
        return web.json_response({"state": "completed", "detail": "restarted"})

    async def _rules(self, _: web.Request) -> web.Response:
        alerts = [{"state": "firing", "labels": {"project": name}} for name in NAMES]
        rule = {"name": "ProjectDown", "query": "x", "annotations": {"settle": "0s"}}
        return web.json_response({"data": {"groups": [{"rules": [{**rule, "alerts": alerts}]}]}})

    async def _query(self, _: web.Request) -> web.Response:
        held = [{"metric": {"project": name}} for name in NAMES if name not in self.healthy]
        return web.json_response({"data": {"result": held}})

    async def _page(self, _: web.Request) -> web.Response:
        return web.Response()


NAMES = [f"p{number}" for number in range(16)]


def config(url: str, *, within: str = "15m", **changes: Any) -> Config:  # noqa: ANN401  any field
    """Make a configuration in which every repair of a street at *url* needs somebody's word."""
    guards = make.guarding(
        approval="always", approval_within=within, fleet_min=100, concurrency=100
    )
    fast = Verification(recover_within=5 * SECOND, prove_within=5 * SECOND, every=SECOND / 20)
    projects = {
        name: make.project(
            name=name, url=f"{url}/{name}", control=Control(url=f"{url}/{name}/control")
        )
        for name in NAMES
    }
    given: Json = {"projects": projects, "guards": guards, "verification": fast}
    return make.config(**{**given, "prometheus": url, "alertmanagers": (), **changes})


@dataclass(frozen=True, slots=True, kw_only=True)
class Hook:
    """A running webhook."""

    url: str
    app: web.Application
    http: aiohttp.ClientSession

    async def get(self, path: str) -> Json:
        """Read."""
        async with self.http.get(f"{self.url}{path}") as response:
            assert response.status == 200, await response.text()
            read: Json = await response.json()
            return read

    async def ask(self, *projects: str) -> list[Json]:
        """Let *projects* fall, and return the questions that this makes, in their order."""
        for name in projects:
            await self.alert(name)

        async def asked() -> list[Json] | None:
            found = (await self.get("/api/v1/approvals?state=all&limit=500"))["approvals"]
            known = {each["project"]: each for each in found}
            return [known[name] for name in projects] if known.keys() >= set(projects) else None

        return await until(asked, within=10, what="the questions")

    async def alert(self, project: str, **changes: Any) -> None:  # noqa: ANN401  those of make.alert
        """Post the alert that *project* is down."""
        sent = make.alert(project=project, fingerprint=f"{NAMES.index(project):016x}", **changes)
        async with self.http.post(f"{self.url}/alerts", data=make.body(sent)) as response:
            assert response.status == 200

    async def decide(self, number: int, verdict: str, **said: object) -> tuple[int, Json]:
        """Say yes or no, over a connection of its own."""
        async with (
            aiohttp.ClientSession() as http,
            http.post(
                f"{self.url}/api/v1/approvals/{number}/{verdict}", json={"reason": "so", **said}
            ) as response,
        ):
            return response.status, await response.json(content_type=None)

    async def rows(self, query: str, *values: object) -> Sequence[tuple[Any, ...]]:
        """Look into the database."""
        return await self.app[DESK].read(
            lambda db: [tuple(row) for row in db.execute(query, values)]
        )

    async def until_told(self, name: str, project: str) -> list[str]:
        """Wait for an event of *project*; return the names of all of them."""

        async def told() -> list[str] | None:
            found = await self.rows("SELECT name FROM events WHERE project = ?", project)
            names = [name for (name,) in found]
            return names if name in names else None

        return await until(told, within=10, what=name)


@asynccontextmanager
async def running(
    config: Config,
    db: Path,
    port: FreePort,
    http: aiohttp.ClientSession,
    origin: Source | None = None,
) -> AsyncIterator[Hook]:
    """Run a webhook on *db* until the block ends."""
    made = app.make(config, Store(db), version="1", origin=origin)
    runner = web.AppRunner(made, shutdown_timeout=0.1)
    await runner.setup()
    try:
        at = port()
        await web.TCPSite(runner, "127.0.0.1", at).start()
        yield Hook(url=f"http://127.0.0.1:{at}", app=made, http=http)
    finally:
        await runner.cleanup()
