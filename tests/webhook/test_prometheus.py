"""Prometheus as a witness, over a real socket: its answers here were recorded from 2.42."""

from datetime import timedelta
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from tests.conftest import FreePort, Serve
from tests.webhook import make
from tests.webhook.make import SECOND
from webhook.prometheus import deployed_ago, newly_down, read_within, standing
from webhook.verification import Standing

EXPR = "max without (instance, job) (last_over_time(project_up[2m])) == 0"


def _rule(name: str = "ProjectDown", *firing: str, settle: str | None = "2s") -> dict[str, Any]:
    return {
        "state": "firing" if firing else "inactive",
        "name": name,
        "query": EXPR,
        "duration": 0,
        "annotations": {"settle": settle} if settle else {},
        "alerts": [
            {"labels": {"alertname": name, "project": each}, "state": "firing", "value": "0e+00"}
            for each in firing
        ],
        "type": "alerting",
    }


def _prometheus(rules: list[dict[str, Any]], *holding: str) -> web.Application:
    async def list_rules(request: web.Request) -> web.Response:
        assert request.query["type"] == "alert"
        groups = [{"name": "availability", "rules": rules}]
        return web.json_response({"status": "success", "data": {"groups": groups}})

    async def query(request: web.Request) -> web.Response:
        assert request.query["query"] == EXPR
        found = [{"metric": {"project": each}, "value": [1, "0"]} for each in holding]
        return web.json_response(
            {"status": "success", "data": {"resultType": "vector", "result": found}}
        )

    app = web.Application()
    app.router.add_get("/api/v1/rules", list_rules)
    app.router.add_get("/api/v1/query", query)
    return app


NO_RULE = Standing(firing=False, holds=False, settle=5 * SECOND, known=False)


@pytest.mark.parametrize(
    ("rules", "holding", "expected"),
    [
        (
            [_rule("ProjectDown", "email-blast")],
            ["email-blast"],
            make.standing(),
        ),
        (
            [_rule("ProjectDown", "email-blast")],
            [],
            make.standing(holds=False),
        ),
        (
            [_rule("ProjectDown", "chatbot")],
            ["chatbot"],
            make.standing(firing=False, holds=False),
        ),
        ([], [], NO_RULE),
        ([_rule("Other", "email-blast")], ["email-blast"], NO_RULE),
        (
            [_rule(settle=None)],
            [],
            Standing(firing=False, holds=False, settle=5 * SECOND),
        ),
    ],
)  # fmt: skip
async def test_the_rule_and_its_expression_are_asked_for_one_project(
    rules: list[dict[str, Any]],
    holding: list[str],
    expected: Standing,
    serve: Serve,
    http: aiohttp.ClientSession,
) -> None:
    url = await serve(_prometheus(rules, *holding))
    assert await standing(http, url, "ProjectDown", "email-blast") == expected


async def test_without_a_clear_answer_there_is_none(
    serve: Serve, http: aiohttp.ClientSession, free_port: FreePort
) -> None:
    nobody = f"http://127.0.0.1:{free_port()}"
    nonsense = await serve(_prometheus([{"name": "ProjectDown"}]))
    unready = await serve(web.Application())
    bad_settle = await serve(_prometheus([_rule(settle="soon")]))
    answers = [
        await standing(http, url, "ProjectDown", "email-blast")
        for url in (nobody, nonsense, unready, bad_settle)
    ]
    assert answers == [None, None, None, None]


async def test_without_an_answer_nothing_is_newly_down(
    serve: Serve, http: aiohttp.ClientSession, free_port: FreePort
) -> None:
    """So that what is down is told of rather than not."""
    for url in (f"http://127.0.0.1:{free_port()}", await serve(web.Application())):
        assert await newly_down(http, url) == frozenset()


RISEN = 'sum(increase(project_reads_total{project="a"}[30s]))'
UP = 'count(last_over_time(project_up{project="a"}[1d]))'
EVER = 'count(last_over_time(project_reads_total{project="a"}[1d]))'


def _answering(answers: dict[str, str | None]) -> web.Application:
    async def query(request: web.Request) -> web.Response:
        value = answers[request.query["query"]]
        found = [] if value is None else [{"metric": {}, "value": [1, value]}]
        data = {"resultType": "vector", "result": found}
        return web.json_response({"status": "success", "data": data})

    app = web.Application()
    app.router.add_get("/api/v1/query", query)
    return app


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        ({RISEN: "2.5"}, True),
        ({RISEN: "0"}, False),
        ({RISEN: None, EVER: "2"}, False),  # too few samples, and there were some
        ({RISEN: None, EVER: None, UP: "2"}, True),  # nothing is read of it: no alert is about that
        ({RISEN: None, EVER: None, UP: None}, False),  # it has only just begun, and knows nothing
        ({RISEN: "NaN"}, False),
        ({RISEN: "soon"}, None),
    ],
)
async def test_whether_figures_were_read_is_told_by_the_exporter_s_own_count(
    answers: dict[str, str | None],
    expected: bool | None,  # noqa: FBT001
    serve: Serve,
    http: aiohttp.ClientSession,
) -> None:
    url = await serve(_answering(answers))
    assert await read_within(http, url, "a", 30 * SECOND) == expected


AGO = 'time() - max(project_deployed_timestamp_seconds{project="a"})'


@pytest.mark.parametrize(
    ("value", "expected"), [("90", 90 * SECOND), ("-3", 0 * SECOND), (None, None), ("NaN", None)]
)
async def test_how_long_ago_it_was_deployed_is_told_by_prometheus_clock(
    value: str | None, expected: timedelta | None, serve: Serve, http: aiohttp.ClientSession
) -> None:
    url = await serve(_answering({AGO: value}))
    assert await deployed_ago(http, url, "a") == expected
