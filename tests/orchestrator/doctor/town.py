"""A town for the doctor: a Prometheus and an Alertmanager that say what a test has them say."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

import aiohttp
from aiohttp import web

from orchestrator import clock
from orchestrator.config import Config
from orchestrator.doctor.finding import Finding
from orchestrator.doctor.question import Asker
from tests.conftest import Serve
from tests.webhook import make

Json = dict[str, Any]


def rule(name: str, *, remediate: bool = True, health: str = "ok") -> Json:
    """Make a rule as Prometheus tells it."""
    labels = {"remediate": "true"} if remediate else {}
    return {"name": name, "labels": labels, "health": health}


def series(value: float = 1, **labels: str) -> Json:
    """Make a sample as Prometheus tells it."""
    return {"metric": labels, "value": [0, str(value)]}


@dataclass(slots=True)
class Town:
    """Everything is well in it, until a test changes what is said."""

    url: str = ""
    rules: list[Json] = field(
        default_factory=lambda: [rule("ProjectDown"), rule("Watchdog", remediate=False)]
    )
    up: list[Json] = field(default_factory=lambda: [series(job="webhook", instance="a:1")])
    projects: list[Json] = field(default_factory=lambda: [series(project="email-blast")])
    own: list[Json] = field(default_factory=lambda: [series(version="1")])
    alertmanagers: list[str] | None = None  # None: this one
    receivers: list[str] = field(default_factory=lambda: ["people", "webhook"])
    cluster: Json = field(default_factory=lambda: {"status": "disabled"})
    instead: dict[str, web.Response] = field(default_factory=dict)  # by path

    def app(self) -> web.Application:
        """Return what answers."""
        made = web.Application()
        made.router.add_get("/{any:.*}", self._answer)
        return made

    async def _answer(self, request: web.Request) -> web.Response:
        if request.path in self.instead:
            return deepcopy(self.instead[request.path])
        said = self._said(request.path, request.query.get("query", ""))
        return web.json_response(said) if said is not None else web.Response(status=404)

    def _said(self, path: str, query: str) -> Any:  # noqa: ANN401  JSON
        asked = {"webhook_build_info": self.own, "count by (project) (project_up)": self.projects}
        active = [self.url] if self.alertmanagers is None else self.alertmanagers
        known = [{"url": f"{each}/api/v2/alerts"} for each in active]
        return {
            "/-/ready": "ready",
            "/api/v1/status/buildinfo": {"data": {"version": "3.5.0"}},
            "/api/v1/rules": {"data": {"groups": [{"rules": self.rules}]}},
            "/api/v1/query": {"data": {"result": asked.get(query, self.up)}},
            "/api/v1/alertmanagers": {"data": {"activeAlertmanagers": known}},
            "/api/v2/status": {"cluster": self.cluster, "versionInfo": {"version": "0.28.0"}},
            "/api/v2/receivers": [{"name": each} for each in self.receivers],
        }.get(path)


Look = Callable[[Asker, Config], Awaitable[Iterable[Finding]]]


@asynccontextmanager
async def asker() -> AsyncIterator[Asker]:
    """Open what asks."""
    async with aiohttp.ClientSession() as session:
        yield Asker(session=session, now=clock.now)


async def looked(look: Look, town: Town, serve: Serve, **changes: object) -> list[tuple[str, str]]:
    """Return the marks and the sayings of a *look* at a town; its address is written TOWN."""
    town.url = await serve(town.app())
    given = {"prometheus": town.url, "alertmanagers": (town.url,), **changes}
    async with asker() as ask:
        found = await look(ask, make.config(**given))
    return [(each.mark.value, each.said.replace(town.url, "TOWN")) for each in found]


def bad(found: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """Return what is not as it should be."""
    return [each for each in found if each[0] != "ok"]
