"""A stand-in for Prometheus, where the case is about Alertmanager: one rule, and what it finds."""

from collections.abc import Callable, Iterable
from typing import Any

from aiohttp import web

from orchestrator.health import State
from tests.cases.fleet import Fleet

RULE = "project_up == 0"  # its figures come from the fleet itself, so they are never late


def app(fleet: Fleet, posted: Callable[[], Iterable[str]]) -> web.Application:
    """Answer for ProjectDown; *posted* names the projects whose alert is being posted."""

    async def rules(_: web.Request) -> web.Response:
        found = [
            {"state": "firing", "labels": {"alertname": "ProjectDown", "project": project}}
            for project in posted()
        ]
        rule = {
            "type": "alerting",
            "name": "ProjectDown",
            "query": RULE,
            "annotations": {"settle": "100ms"},
            "alerts": found,
        }
        return _answer({"groups": [{"name": "availability", "rules": [rule]}]})

    async def query(request: web.Request) -> web.Response:
        down = [name for name, each in fleet.projects.items() if each.state is State.DOWN]
        series = [{"metric": {"project": name}, "value": [0, "0"]} for name in down]
        asked = request.query["query"]
        return _answer({"resultType": "vector", "result": series if asked == RULE else []})

    stand_in = web.Application()
    stand_in.router.add_get("/api/v1/rules", rules)
    stand_in.router.add_get("/api/v1/query", query)
    return stand_in


def _answer(data: dict[str, Any]) -> web.Response:
    return web.json_response({"status": "success", "data": data})
