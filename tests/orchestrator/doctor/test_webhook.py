"""What the doctor finds of the webhook."""

from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

import pytest
from aiohttp import web

from orchestrator.doctor.finding import Finding
from orchestrator.doctor.webhook import examine
from orchestrator.hub import Address
from orchestrator.version import VERSION
from tests.conftest import FreePort, Serve, Tls
from tests.orchestrator.doctor.town import asker, bad
from webhook import problem
from webhook.problem import Problem

WELL: dict[str, Any] = {
    "version": VERSION,
    "dry_run": False,
    "config_read": True,
    "watchdog_seconds": 20.0,
}


def _app(fleet: web.Response, ready: web.Response | None = None) -> web.Application:
    async def say_ready(_: web.Request) -> web.Response:
        return ready or web.Response(text="ready\n")

    async def say_fleet(_: web.Request) -> web.Response:
        return fleet

    made = web.Application()
    made.router.add_get("/-/ready", say_ready)
    made.router.add_get("/api/v1/fleet", say_fleet)
    return made


async def _looked(
    serve: Serve, fleet: web.Response, ready: web.Response | None = None
) -> list[Finding]:
    url = await serve(_app(fleet, ready))
    async with asker() as ask:
        return await examine(ask, Address(url=url))


def _said(found: list[Finding]) -> list[tuple[str, str]]:
    return bad((each.mark.value, each.said) for each in found)


def _fleet(**changes: object) -> web.Response:
    return web.json_response({"webhook": {**WELL, **changes}})


async def test_where_all_is_well_it_says_what_it_looked_at(serve: Serve) -> None:
    found = await _looked(serve, _fleet())
    assert [each.said.partition(" takes")[2] or each.said for each in found] == [
        " alerts, and every stage goes round",
        "the clock of the webhook is ours, within 5 s",
        f"it is of our version, {VERSION}",
        "the alert Watchdog came 20 s ago, so alerts arrive",
    ]


async def test_one_that_is_not_there_fails(free_port: FreePort) -> None:
    url = f"http://127.0.0.1:{free_port()}"
    async with asker() as ask:
        assert _said(await examine(ask, Address(url=url))) == [
            ("FAIL", f"{url}: Connection refused")
        ]


async def test_one_with_a_certificate_of_our_own_authority_is_looked_at(tls: Tls) -> None:
    url, trust = await tls(_app(_fleet()), ends=datetime(2999, 6, 1, tzinfo=UTC))
    async with asker() as ask:
        found = await examine(ask, Address(url=url, trust=trust))
    assert _said(found) == []
    assert [each.said for each in found if "certificate" in each.said] == [
        f"the certificate of {url.removeprefix('https://')} holds until 2999-06-01"
    ]


async def test_a_certificate_that_has_ended_is_named(tls: Tls) -> None:
    url, trust = await tls(_app(_fleet()), ends=datetime(2021, 6, 1, tzinfo=UTC))
    async with asker() as ask:
        found = await examine(ask, Address(url=url, trust=trust))
    assert _said(found) == [
        ("FAIL", f"the certificate of {url.removeprefix('https://')} has ended"),
        ("FAIL", f"{url}: its certificate is not trusted: certificate has expired"),
    ]


async def test_a_certificate_of_a_strange_authority_is_named(tls: Tls) -> None:
    url, _ = await tls(_app(_fleet()))
    async with asker() as ask:
        [(mark, said)] = _said(await examine(ask, Address(url=url)))
    why = "its certificate is not trusted: unable to get local issuer certificate"
    assert (mark, said) == ("FAIL", f"{url}: {why}")


@pytest.mark.parametrize(
    ("changes", "finding"),
    [
        (
            {"version": "0.0.1"},
            ("warn", f"it is of version 0.0.1, and this command of {VERSION}"),
        ),
        ({"dry_run": True}, ("warn", "it runs dry: nothing is repaired, and nobody is told")),
        ({"config_read": False}, ("FAIL", "it has refused the newest orchestrator.yml")),
        (
            {"watchdog_seconds": None},
            ("FAIL", "the alert Watchdog has not come since it started: do alerts arrive?"),
        ),
        (
            {"watchdog_seconds": 181.0},
            ("FAIL", "the alert Watchdog has not come for 181 s: do alerts arrive?"),
        ),
    ],
)
async def test_what_is_wrong_is_found(
    serve: Serve, changes: dict[str, object], finding: tuple[str, str]
) -> None:
    assert _said(await _looked(serve, _fleet(**changes))) == [finding]


async def test_a_stage_that_stands_fails(serve: Serve) -> None:
    ready = web.Response(status=503, text="stalled: repair\n")
    [(mark, said)] = _said(await _looked(serve, _fleet(), ready))
    assert (mark, said.endswith(" is not ready: stalled: repair")) == ("FAIL", True)


async def test_without_a_token_it_is_said_what_was_not_looked_at(serve: Serve) -> None:
    refusal = problem.response(Problem(HTTPStatus.UNAUTHORIZED, "no token that counts here"))
    assert _said(await _looked(serve, refusal)) == [
        ("warn", "it refuses to tell how it is: no token that counts here")
    ]


async def test_what_is_no_webhook_of_ours_fails(serve: Serve) -> None:
    [first, second] = [
        _said(await _looked(serve, answer))[0][0]
        for answer in (web.Response(text="<html>"), web.json_response({}))
    ]
    assert (first, second) == ("FAIL", "FAIL")
