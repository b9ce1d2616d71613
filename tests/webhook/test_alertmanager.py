"""Alertmanager as a witness, over a real socket: its answers here were recorded from 0.33.1."""

import asyncio
import json
from contextlib import suppress
from copy import deepcopy
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st

from tests.conftest import FreePort, Serve
from webhook import alertmanager
from webhook.alert import Alert, Status
from webhook.alertmanager import Seen, Shown, Silence, Untold, seen, shown, silence

LABELS = {"alertname": "ProjectDown", "project": "email-blast", "remediate": "true"}
IDENTITY = "ff49a470-656f-441c-b0f7-85a92f842150"
ALERT: dict[str, Any] = {
    "annotations": {"summary": "email-blast is down."},
    "endsAt": "2026-11-21T19:49:20.065Z",
    "fingerprint": "601c2c283e3984ab",
    "receivers": [{"name": "web.hook"}, {"name": "people"}],
    "startsAt": "2026-11-21T19:45:20.065Z",
    "status": {
        "inhibitedBy": ["61859583fb9d7787"],
        "mutedBy": [],
        "silencedBy": [IDENTITY],
        "state": "suppressed",
    },
    "updatedAt": "2026-11-21T20:45:21.580+01:00",
    "labels": LABELS,
}
STATUS: dict[str, Any] = {
    "cluster": {"peers": [], "status": "disabled"},
    "config": {"original": "route: {}"},
    "uptime": "2026-11-21T19:43:18.010Z",
    "versionInfo": {"version": "0.33.1"},
}
SILENCE: dict[str, Any] = {
    "id": IDENTITY,
    "status": {"state": "active"},
    "updatedAt": "2026-11-21T19:45:21.581Z",
    "comment": "planned work",
    "createdBy": "alice",
    "endsAt": "2026-11-21T20:45:20.065Z",
    "matchers": [{"isEqual": True, "isRegex": False, "name": "project", "value": "email-blast"}],
    "startsAt": "2026-11-21T19:45:21.581Z",
}
DATE = "Sat, 21 Nov 2026 19:45:23 GMT"


def _at(clock: str) -> datetime:
    return datetime.fromisoformat(f"2026-11-21T{clock}").replace(tzinfo=UTC)


SHOWN = Shown(
    alert=Alert(
        status=Status.FIRING,
        labels=LABELS,
        annotations={"summary": "email-blast is down."},
        fingerprint="601c2c283e3984ab",
        started_at=_at("19:45:20.065"),
    ),
    updated_at=_at("19:45:21.580"),
    silenced_by=(IDENTITY,),
    inhibited=True,
)
SEEN = Seen(
    alerts=(SHOWN,), at=_at("19:45:23"), up_for=timedelta(minutes=2, seconds=4, milliseconds=990)
)


class Peer:
    """A stand-in for an Alertmanager that gives the answers of the test, and keeps the order."""

    def __init__(self, **answers: Any) -> None:  # noqa: ANN401  what JSON holds
        self.answers = {"alerts": [ALERT], "status": STATUS, "silence": SILENCE, **answers}
        self.date: str | None = DATE
        self.code = 200
        self.elsewhere = ""
        self.asked: list[tuple[str, dict[str, str]]] = []

    def app(self) -> web.Application:
        app = web.Application()
        app.router.add_get("/api/v2/{what}", self._answer)
        app.router.add_get("/api/v2/{what}/{id}", self._answer)
        return app

    async def _answer(self, request: web.Request) -> web.Response:
        what = request.match_info["what"]
        self.asked.append((what, dict(request.query)))
        raw = self.answers[what]
        body = raw if isinstance(raw, bytes) else json.dumps(raw).encode()
        response = web.Response(body=body, status=self.code)
        if self.date is None:  # aiohttp adds one where there is none
            response.headers["Date"] = ""
        else:
            response.headers["Date"] = self.date
        if self.elsewhere:
            response.headers["Location"] = f"{self.elsewhere}{request.path}"
        return response


async def test_a_peer_is_asked_for_what_it_would_send_us_and_how_long_it_has_been_up(
    serve: Serve, http: aiohttp.ClientSession
) -> None:
    peer = Peer()
    found = await seen(http, await serve(peer.app()), "web.hook")
    query = {
        **dict.fromkeys(("active", "silenced", "inhibited", "unprocessed"), "true"),
        "receiver": r"^(?:web\.hook)$",
        "filter": 'remediate="true"',
    }
    assert (found, peer.asked) == (SEEN, [("alerts", query), ("status", {})])


def _without(of: dict[str, Any], *path: str) -> dict[str, Any]:
    copy = deepcopy(of)
    inner = copy
    for step in path[:-1]:
        inner = inner[step]
    del inner[path[-1]]
    return copy


OLDER = _without(ALERT, "status", "mutedBy")  # as 0.25 has it
NEWER = {**ALERT, "news": 1, "status": {**ALERT["status"], "news": [1]}}  # as a later one may


@pytest.mark.parametrize("alert", [OLDER, NEWER, _without(ALERT, "annotations")])
async def test_older_and_newer_releases_are_understood(
    alert: dict[str, Any], serve: Serve, http: aiohttp.ClientSession
) -> None:
    found = await seen(http, await serve(Peer(alerts=[alert]).app()), "web.hook")
    expected = replace(SHOWN.alert, annotations=alert.get("annotations", {}))
    assert found == replace(SEEN, alerts=(replace(SHOWN, alert=expected),))


@pytest.mark.parametrize(
    "answers",
    [
        {"alerts": b""},
        {"alerts": b"<html>log in</html>"},
        {"alerts": {}},
        {"alerts": None},
        {"alerts": [None]},
        {"alerts": [_without(ALERT, "fingerprint")]},
        {"alerts": [_without(ALERT, "startsAt")]},
        {"alerts": [_without(ALERT, "updatedAt")]},
        {"alerts": [_without(ALERT, "status")]},
        {"alerts": [_without(ALERT, "labels")]},
        {"alerts": [{**ALERT, "fingerprint": ""}]},
        {"alerts": [{**ALERT, "startsAt": 1}]},
        {"alerts": [{**ALERT, "startsAt": "soon"}]},
        {"alerts": [{**ALERT, "labels": {"project": 1}}]},
        {"alerts": [ALERT, {**ALERT, "status": {"silencedBy": "all"}}]},
        {"alerts": b"[" * 100_000},
        {"alerts": b'"\xff"'},
        {"status": {}},
        {"status": []},
        {"status": {"uptime": "long"}},
    ],
)
async def test_an_answer_that_is_not_whole_is_no_answer(
    answers: dict[str, Any], serve: Serve, http: aiohttp.ClientSession
) -> None:
    assert await seen(http, await serve(Peer(**answers).app()), "web.hook") is None


@pytest.mark.parametrize("code", [204, 301, 302, 400, 401, 404, 410, 500, 503])
async def test_only_a_200_is_an_answer(
    code: int, serve: Serve, http: aiohttp.ClientSession
) -> None:
    peer = Peer(alerts=b"" if code == 204 else [ALERT])
    peer.code, peer.elsewhere = code, await serve(Peer().app())
    assert await seen(http, await serve(peer.app()), "web.hook") is None


@pytest.mark.parametrize("date", [None, "yesterday", "Sat, 21 Nov 99999999999 19:45:23 GMT"])
async def test_without_the_peers_own_time_there_is_no_answer(
    date: str | None, serve: Serve, http: aiohttp.ClientSession
) -> None:
    peer = Peer()
    peer.date = date
    assert await seen(http, await serve(peer.app()), "web.hook") is None


async def test_a_peer_that_is_away_or_never_ends_its_answer_gives_none(
    serve: Serve,
    http: aiohttp.ClientSession,
    free_port: FreePort,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def drip(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        while True:
            await response.write(b" ")
            await asyncio.sleep(0.01)

    slow = web.Application()
    slow.router.add_get("/api/v2/alerts", drip)
    monkeypatch.setattr(alertmanager, "ANSWER_WITHIN", 0.2)
    peers = f"http://127.0.0.1:{free_port()}", await serve(slow)
    assert [await seen(http, peer, "webhook") for peer in peers] == [None, None]


async def test_an_answer_without_bounds_is_none(
    serve: Serve, http: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = await serve(Peer().app())
    length = len(json.dumps([ALERT]))
    found = []
    for limit in (length, length - 1):
        monkeypatch.setattr(alertmanager, "BODY_LIMIT", max(limit, len(json.dumps(STATUS))))
        found.append(await seen(http, url, "web.hook"))
    assert found == [SEEN, None]


@given(st.binary())
def test_no_body_leads_to_another_error_than_those_that_are_caught(body: bytes) -> None:
    with suppress(*alertmanager.NO_ANSWER):
        assert shown(body) == ()


@pytest.mark.parametrize(
    ("code", "body", "expected"),
    [
        (200, SILENCE, Silence(
            who="alice",
            comment="planned work",
            starts_at=_at("19:45:21.581"),
            ends_at=_at("20:45:20.065"),
        )),
        (200, {**SILENCE, "status": {"state": "expired"}}, None),
        (404, b"", None),
        (422, {"code": 601, "message": "silenceID in path must be of type uuid"}, Untold()),
        (500, b"", Untold()),
        (302, b"", Untold()),
        (200, {}, Untold()),
        (200, {**SILENCE, "createdBy": None}, Untold()),
    ],
)  # fmt: skip
async def test_a_silence_is_told_or_gone_or_there_without_a_word(
    code: int,
    body: Any,  # noqa: ANN401  what JSON holds
    expected: Silence | Untold | None,
    serve: Serve,
    http: aiohttp.ClientSession,
) -> None:
    peer = Peer(silence=body)
    peer.code = code
    assert await silence(http, await serve(peer.app()), IDENTITY) == expected


async def test_the_id_of_a_silence_leads_nowhere_else(
    serve: Serve, http: aiohttp.ClientSession, free_port: FreePort
) -> None:
    peer = Peer()
    found = [
        await silence(http, url, identity)
        for url, identity in (
            (await serve(peer.app()), "../alerts?x="),
            (f"http://127.0.0.1:{free_port()}", IDENTITY),
        )
    ]
    assert (found[1], [what for what, _ in peer.asked]) == (Untold(), ["silence"])
