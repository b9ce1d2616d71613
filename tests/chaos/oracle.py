"""A stand-in for Prometheus: alerts that follow what the projects answer, and what it says of them.

It asks the projects themselves, so its figures are never late.
"""

import asyncio
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from itertools import count
from typing import Any

import aiohttp
from aiohttp import web

from orchestrator import clock
from tests.cases.rig import GOOD_FOR, Alert, down
from tests.chaos.prey import Prey
from tests.chaos.site import Site
from tests.chaos.story import Moment

Json = dict[str, Any]

RULE = "project_up == 0"
EVERY = 0.1  # seconds between two evaluations
RESEND = 5  # evaluations between two posts of the same
LIE = 2.0  # seconds for which an alert has ended although its project is down; two flushes


class Oracle:
    """Posts to Alertmanager as Prometheus does, and answers the webhook."""

    def __init__(
        self, site: Site, prey: Prey, http: aiohttp.ClientSession, projects: Mapping[str, str]
    ) -> None:
        self.firing: dict[str, list[Alert]] = {}  # by project
        self.many: Counter[str] = Counter()  # alerts that each project has when it falls
        self._site, self._prey, self._http, self._projects = site, prey, http, projects
        self._over: dict[str, list[Json]] = {}  # by project; what fires anew is posted alone
        self._muted: set[str] = set()

    async def watch(self) -> None:
        """Evaluate and post, for ever."""
        for number in count():
            await asyncio.gather(*(self._look(project) for project in self._projects))
            if number % RESEND == 0:
                firing = (alert for alerts in self.firing.values() for alert in alerts)
                over = (alert for alerts in self._over.values() for alert in alerts)
                await self._post([*map(_going, firing), *over])
            await asyncio.sleep(EVERY)

    async def lie(self, project: str) -> None:
        """Let the alerts of *project* end for a moment, whatever it answers."""
        self._muted.add(project)
        await self._end(project)
        await asyncio.sleep(LIE)
        self._muted.discard(project)

    async def settled(self) -> bool:
        """Tell whether exactly the alerts fire that should."""
        up = await asyncio.gather(*map(self._up, self._projects))
        return not self._muted and all(
            bool(self.firing.get(project)) is not well
            for project, well in zip(self._projects, up, strict=True)
        )

    async def end_all(self) -> None:
        """End every alert, so that the next run begins without it."""
        for project in list(self.firing):
            await self._end(project)

    def app(self) -> web.Application:
        """Return what answers the webhook."""
        stand_in = web.Application()
        stand_in.router.add_get("/api/v1/rules", self._rules)
        stand_in.router.add_get("/api/v1/query", self._query)
        return stand_in

    async def _up(self, project: str) -> bool:
        return await self._site.answers(self._http, self._projects[project])

    async def _look(self, project: str) -> None:
        if project in self._muted:
            return
        up = await self._up(project)
        if project in self._muted:  # since we asked
            return
        if up:
            await self._end(project)
        elif not self.firing.get(project):
            now, many = clock.now(), max(1, self.many[project])
            alerts = [down(project, now, part=str(part)) for part in range(many)]
            self.firing[project] = alerts
            self._over.pop(project, None)
            await self._post([_going(alert) for alert in alerts])

    async def _end(self, project: str) -> None:
        if alerts := self.firing.pop(project, None):
            ended = clock.written(clock.now())
            self._over[project] = [alert.post(ends=ended) for alert in alerts]
            await self._post(self._over[project])

    async def _post(self, alerts: list[Json]) -> None:
        if alerts:
            with suppress(aiohttp.ClientError, TimeoutError):  # it is posted again
                await self._site.peer.post(self._http, alerts)

    async def _rules(self, _: web.Request) -> web.Response:
        found = [
            {"state": "firing", "labels": {"alertname": "ProjectDown", "project": project}}
            for project, alerts in self.firing.items()
            if alerts
        ]
        rule = {
            "type": "alerting",
            "name": "ProjectDown",
            "query": RULE,
            "annotations": {"settle": "100ms"},
            "alerts": found,
        }
        return _answer({"groups": [{"name": "availability", "rules": [rule]}]})

    async def _query(self, request: web.Request) -> web.Response:
        await self._prey.at(Moment.ASKING)
        up = await asyncio.gather(*map(self._up, self._projects))
        series = [
            {"metric": {"project": project}, "value": [0, "0"]}
            for project, well in zip(self._projects, up, strict=True)
            if not well and request.query["query"] == RULE
        ]
        return _answer({"resultType": "vector", "result": series})


def _going(alert: Alert) -> Json:
    return alert.post(ends=clock.written(clock.now() + GOOD_FOR))


def _answer(data: Json) -> web.Response:
    return web.json_response({"status": "success", "data": data})
