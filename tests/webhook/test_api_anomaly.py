"""A test call: what it breaks, what it refuses, and that who did it is on record."""

import asyncio
import json
import sqlite3
from dataclasses import replace
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from orchestrator.demo.fault import FAULTS as KNOWN
from tests.conftest import FreePort, Serve
from tests.webhook import make
from tests.webhook.problems import said
from webhook import app, event
from webhook.api import anomaly
from webhook.api.anomaly import FAULTS, Kind
from webhook.store.database import Store

ASKED = {"projectName": "email-blast", "type": "high_memory"}


async def _supervisor(serve: Serve, status: int = 200, body: str = "{}") -> tuple[str, list[str]]:
    """Serve one that answers so; return where its faults are, and what it will be asked."""
    asked: list[str] = []

    async def begin(request: web.Request) -> web.Response:
        asked.append(f"{request.method} {request.path_qs}")
        return web.Response(status=status, text=body)

    other = web.Application()
    other.router.add_route("*", "/{path:.*}", begin)
    return f"{await serve(other)}/faults/email-blast", asked


async def _webhook(serve: Serve, folder: Path, faults: str | None, **more: Any) -> str:  # noqa: ANN401  of app.make
    projects = {"email-blast": make.project(faults=faults)}
    store = Store(folder / "x.db")
    given: dict[str, Any] = {"test_calls": True, **more}
    return await serve(app.make(make.config(projects=projects), store, version="1", **given))


async def _call(
    http: aiohttp.ClientSession, url: str, asked: object = None
) -> tuple[int, str | dict[str, str]]:
    async with http.post(f"{url}/api/test/anomaly", json=asked or ASKED) as response:
        if response.status == 202:
            return 202, await response.json()
        return response.status, await said(response)


def test_each_kind_is_a_fault_of_the_demo_that_makes_its_alert() -> None:
    made = {kind: event.ANOMALIES[KNOWN[FAULTS[kind]].alerts[0]] for kind in Kind}
    assert made == {kind: kind.value for kind in Kind}


@pytest.mark.parametrize("kind", list(Kind))
async def test_the_fault_of_its_kind_is_begun_at_the_supervisor(
    serve: Serve, http: aiohttp.ClientSession, tmp_path: Path, kind: Kind
) -> None:
    faults, asked = await _supervisor(serve)
    url = await _webhook(serve, tmp_path, faults)
    answer = await _call(http, url, ASKED | {"type": kind})
    begun = {"project": "email-blast", "type": kind, "fault": FAULTS[kind]}
    assert (answer, asked) == ((202, begun), [f"POST /faults/email-blast/{FAULTS[kind]}"])


async def test_who_asked_is_on_record_also_when_nothing_came_of_it(
    serve: Serve, http: aiohttp.ClientSession, tmp_path: Path
) -> None:
    faults, _ = await _supervisor(serve, 404)
    await _call(http, await _webhook(serve, tmp_path, faults))
    reader = sqlite3.connect(f"file:{tmp_path / 'x.db'}?mode=ro", uri=True)
    found = reader.execute("SELECT actor, data FROM audit WHERE what = 'fault asked for'")
    rows = [(actor, json.loads(data)) for actor, data in found]
    reader.close()
    assert rows == [("local", {"project": "email-blast", "fault": "memory_leak"})]


NO_TYPE = "body.type: Input should be 'high_cpu', 'high_memory' or 'high_error'"


@pytest.mark.parametrize(
    ("asked", "status", "why"),
    [
        (ASKED | {"projectName": "emailblast"}, 404, "did you mean email-blast?"),
        (ASKED | {"projectName": "<b>"}, 404, "there is no project <b>"),
        (ASKED | {"type": "high_noise"}, 400, NO_TYPE),
        (ASKED | {"type": None}, 400, NO_TYPE),
        (ASKED | {"for": "1h"}, 400, "body.for: is not known here"),
        ({"type": "high_cpu"}, 400, "body.projectName: is missing"),
    ],
)
async def test_what_cannot_be_meant_is_refused_and_nobody_is_asked(
    serve: Serve,
    http: aiohttp.ClientSession,
    tmp_path: Path,
    asked: object,
    status: int,
    why: str,
) -> None:
    faults, begun = await _supervisor(serve)
    answer = await _call(http, await _webhook(serve, tmp_path, faults), asked)
    assert (answer[0], str(answer[1]).endswith(why), begun) == (status, True, []), answer


async def test_a_project_that_offers_no_faults_is_left_alone(
    serve: Serve, http: aiohttp.ClientSession, tmp_path: Path
) -> None:
    answer = await _call(http, await _webhook(serve, tmp_path, None))
    assert answer == (409, "email-blast offers no faults; projects[].faults says where they are")


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (409, '{"error": "it does not run"}', (409, "refused with 409: it does not run")),
        (404, '{"error": "no such project"}', (502, "refused with 404: no such project")),
        (302, "", (502, "refused with 302: ")),
        (500, "[1]", (502, "refused with 500: [1]")),
        (500, "token=abcdefgh \x1b[2J\n", (502, "refused with 500: token=*** [2J")),
        (500, "x" * 9_999, (502, "refused with 500: " + "x" * 199 + "…")),
    ],
)
async def test_what_the_supervisor_refuses_is_told(
    serve: Serve,
    http: aiohttp.ClientSession,
    tmp_path: Path,
    status: int,
    body: str,
    expected: tuple[int, str],
) -> None:
    faults, _ = await _supervisor(serve, status, body)
    told, why = await _call(http, await _webhook(serve, tmp_path, faults))
    assert (told, str(why).removeprefix("the fault was ").strip()) == (
        expected[0],
        expected[1].strip(),
    )


async def test_a_supervisor_that_is_not_there_is_a_bad_gateway(
    serve: Serve, http: aiohttp.ClientSession, tmp_path: Path, free_port: FreePort
) -> None:
    url = await _webhook(serve, tmp_path, f"http://127.0.0.1:{free_port()}/faults/email-blast")
    said = "who makes the faults cannot be reached; see projects[].faults"
    assert await _call(http, url) == (502, said)


async def test_a_supervisor_that_hangs_is_a_gateway_timeout(
    serve: Serve, http: aiohttp.ClientSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def hang(_: web.Request) -> web.Response:
        await asyncio.Event().wait()
        return web.Response()

    other = web.Application()
    other.router.add_post("/{path:.*}", hang)
    monkeypatch.setattr(anomaly, "ANSWER_WITHIN", aiohttp.ClientTimeout(total=0.2))
    url = await _webhook(serve, tmp_path, await serve(other))
    said = "who makes the faults gave no answer in time; the fault may be there or not"
    assert await _call(http, url) == (504, said)


async def test_without_the_option_there_is_no_such_route_and_no_word_of_it(
    serve: Serve, http: aiohttp.ClientSession, tmp_path: Path
) -> None:
    faults, begun = await _supervisor(serve)
    url = await _webhook(serve, tmp_path, faults, test_calls=False)
    async with http.get(f"{url}/api/docs") as response:
        told = "/api/test/anomaly" in await response.text()
    status, _ = await _call(http, url)  # an operator's: what is in no table is for admins
    assert (status, told, begun) == (403, False, [])


async def test_a_dry_run_breaks_nothing(
    http: aiohttp.ClientSession, serve: Serve, tmp_path: Path
) -> None:
    faults, asked = await _supervisor(serve)
    config = replace(
        make.config(projects={"email-blast": make.project(faults=faults)}), dry_run=True
    )
    made = app.make(config, Store(tmp_path / "x.db"), version="1", test_calls=True)
    refused = (409, "--dry-run: nothing is done to any project")
    assert (await _call(http, await serve(made)), asked) == (refused, [])
