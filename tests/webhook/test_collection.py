"""Collection over real sockets: everything at once, and what does not answer is told as missing."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from time import perf_counter
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from orchestrator import fetch
from orchestrator.config import Analyzer
from orchestrator.project import Auth, Control, Paths, Project
from tests.conftest import FreePort, Serve
from tests.webhook import make
from tests.webhook.make import NOW, SECOND
from webhook.collection import Sources, collect, secrets
from webhook.diagnosis import Line
from webhook.evidence.item import Lack, Missing, Source, Subject
from webhook.evidence.questions import SOON
from webhook.evidence.raw import Past, Raw

TS = "2026-11-21T12:00:00.000000Z"
SUBJECT = Subject(
    project="email-blast",
    alertname="ProjectDown",
    severity="critical",
    started_at=NOW,
    asked_at=NOW,
    allowed=("restart_service",),
    tried=(),
    depends_on=(),
    critical=True,
)
RUNBOOK = Path("docs/runbooks/ProjectDown.md").read_text(encoding="utf-8")
PAST = Past(incident=1, opened_at=NOW, seconds=60.0, ended="resolved", actions=())


@pytest.fixture
async def ways() -> AsyncIterator[aiohttp.ClientSession]:
    """Open the way to projects as the webhook does."""
    async with fetch.connections(keep=False) as session:
        yield session


async def _hang(_: web.Request) -> web.Response:
    await asyncio.sleep(60)
    return web.Response()


def _project_app(**answers: Any) -> web.Application:  # noqa: ANN401  any JSON
    """Make a project; each of *answers* is a body, or a status."""
    app = web.Application()
    whole = {
        "health": {"status": "degraded"},
        "status": {"queue_length": 3},
        "logs": [{"ts": TS, "level": "INFO", "message": "a\u200bb password=x"}],
        **answers,
    }
    for name, body in whole.items():
        app.router.add_get(f"/{name}", _hang if body is _hang else _answering(body))
    return app


def _answering(body: Any) -> Callable[[web.Request], Awaitable[web.Response]]:  # noqa: ANN401
    async def answer(_: web.Request) -> web.Response:
        return web.Response(status=body) if isinstance(body, int) else web.json_response(body)

    return answer


def _prometheus(
    *, empty: tuple[str, ...] = (), asked: list[dict[str, str]] | None = None
) -> web.Application:
    """Make a Prometheus: two windows of points for every question but those with *empty* words."""

    async def over_time(request: web.Request) -> web.Response:
        query = dict(request.query)
        (asked if asked is not None else []).append(query)
        begin, step = float(query["start"]), float(query["step"])
        points = [
            [begin + n * step, "0.5" if n <= 60 else "NaN" if n == 90 else "1"] for n in range(121)
        ]
        found = [] if any(each in query["query"] for each in empty) else [{"values": points}]
        return web.json_response({"data": {"result": found}})

    async def query(_: web.Request) -> web.Response:
        found = [] if "deployed" in empty else [{"value": [1, "90.5"]}]
        return web.json_response({"data": {"result": found}})

    app = web.Application()
    app.router.add_get("/api/v1/query_range", over_time)
    app.router.add_get("/api/v1/query", query)
    return app


async def _past(project: str, alertname: str) -> tuple[Past, ...]:
    assert (project, alertname) == ("email-blast", "ProjectDown")
    return (PAST,)


def _sources(
    ways: aiohttp.ClientSession,
    http: aiohttp.ClientSession,
    prometheus: str,
    **changes: Any,  # noqa: ANN401
) -> Sources:
    sources = Sources(
        session=http,
        ways=ways,
        prometheus=prometheus,
        pasts=_past,
        runbooks=Path("docs/runbooks"),
        now=lambda: NOW,
    )
    return replace(sources, **changes)


async def _collected(sources: Sources, project: Project, **changes: Any) -> Raw:  # noqa: ANN401
    about = replace(SUBJECT, **changes)
    return await collect(sources, about, project, {"project": "email-blast"}, {"summary": "down"})


async def test_everything_is_told_as_it_was_heard(
    serve: Serve, ways: aiohttp.ClientSession, http: aiohttp.ClientSession
) -> None:
    project = make.project(url=await serve(_project_app()))
    raw = await _collected(_sources(ways, http, await serve(_prometheus())), project)
    assert replace(raw, series=(), runbook="") == Raw(
        labels={"project": "email-blast"},
        annotations={"summary": "down"},
        status={"queue_length": 3},
        probe="degraded",
        deployed_seconds_ago=90.5,
        lines=(Line(ts=TS, level="info", message="a\u200bb password=x"),),
        pasts=(PAST,),
    )
    assert raw.runbook == RUNBOOK


async def test_prometheus_is_asked_for_two_windows_of_which_the_first_is_what_was_before(
    serve: Serve, ways: aiohttp.ClientSession, http: aiohttp.ClientSession
) -> None:
    asked: list[dict[str, str]] = []
    project = make.project(url=await serve(_project_app()))
    raw = await _collected(_sources(ways, http, await serve(_prometheus(asked=asked))), project)
    first = next(each for each in raw.series if each.question == "up")
    assert (first.unit, len(first.points), first.before) == ("1 up, 0 down", 60, 0.5)
    assert first.points[0] == ((NOW - SOON + 30 * SECOND).timestamp(), 1.0)
    assert {(each["start"], each["end"], each["step"]) for each in asked} == {
        (str((NOW - 2 * SOON).timestamp()), str(NOW.timestamp()), "30.0")
    }
    assert len(asked) == len(raw.series) == 6
    assert all('project="email-blast"' in each["query"] for each in asked)


async def test_nothing_that_is_not_there_keeps_the_rest_from_being_told(
    serve: Serve, ways: aiohttp.ClientSession, http: aiohttp.ClientSession, tmp_path: Path
) -> None:
    async def broken(_: str, __: str) -> tuple[Past, ...]:
        raise sqlite3.OperationalError("disk I/O error")

    app = _project_app(health=503, status=[1], logs=404)
    prometheus = await serve(_prometheus(empty=("project_memory", "deployed")))
    sources = _sources(ways, http, prometheus, pasts=broken, runbooks=tmp_path)
    raw = await _collected(sources, make.project(url=await serve(app)))
    assert (raw.probe, raw.status, raw.lines, raw.pasts, raw.runbook) == (
        "down: status", None, (), (), "",
    )  # fmt: skip
    assert [each.question for each in raw.series] == [
        "up", "failed_probes", "latency", "cpu", "requests",
    ]  # fmt: skip
    assert raw.missing == (
        Missing(source=Source.METRICS, lack=Lack.NO_DATA, why="Prometheus has no memory of it"),
        Missing(
            source=Source.STATUS,
            lack=Lack.NO_DATA,
            why="Prometheus does not know when it was deployed",
        ),
        Missing(
            source=Source.STATUS,
            lack=Lack.ERROR,
            why="its status: it answers what the contract does not know",
        ),
        Missing(source=Source.HISTORY, lack=Lack.ERROR, why="it could not be asked"),
        Missing(source=Source.LOGS, lack=Lack.NO_DATA, why="its log: it offers none"),
        Missing(source=Source.RUNBOOK, lack=Lack.NO_DATA, why="there is no runbook for this alert"),
    )


@pytest.mark.parametrize(
    ("gone", "lack", "why"),
    [
        (True, Lack.ERROR, "Prometheus does not answer"),
        (False, Lack.NO_DATA, "Prometheus has no figures of it"),
    ],
)
async def test_a_prometheus_that_tells_nothing_at_all_is_one_thing_that_is_missing(
    gone: bool,  # noqa: FBT001  of the table
    lack: Lack,
    why: str,
    serve: Serve,
    ways: aiohttp.ClientSession,
    http: aiohttp.ClientSession,
    free_port: FreePort,
) -> None:
    empty = _prometheus(empty=("project",))
    url = f"http://127.0.0.1:{free_port()}" if gone else await serve(empty)
    project = make.project(url=await serve(_project_app()))
    raw = await _collected(_sources(ways, http, url), project)
    metrics = [each for each in raw.missing if each.source is Source.METRICS]
    assert metrics == [Missing(source=Source.METRICS, lack=lack, why=why)]
    assert raw.lines


@pytest.mark.long
async def test_who_hangs_costs_three_seconds_in_all(
    serve: Serve, ways: aiohttp.ClientSession, http: aiohttp.ClientSession
) -> None:
    async def slow(_: str, __: str) -> tuple[Past, ...]:
        await asyncio.sleep(60)
        return ()

    hanging = web.Application()
    hanging.router.add_get("/{path:.*}", _hang)
    project = make.project(
        url=await serve(_project_app(health=_hang, status=_hang, logs=_hang)), timeout=9 * SECOND
    )
    began = perf_counter()
    raw = await _collected(_sources(ways, http, await serve(hanging), pasts=slow), project)
    assert perf_counter() - began < 4
    assert {each.lack for each in raw.missing} == {Lack.TIMEOUT}
    assert {each.source for each in raw.missing} == {
        Source.METRICS, Source.STATUS, Source.LOGS, Source.HISTORY,
    }  # fmt: skip


@pytest.mark.parametrize("name", ["../Secret", "Project Down", "", "A" * 101])
async def test_no_name_of_an_alert_leads_out_of_the_runbooks(
    name: str,
    tmp_path: Path,
    serve: Serve,
    ways: aiohttp.ClientSession,
    http: aiohttp.ClientSession,
) -> None:
    async def none(_: str, __: str) -> tuple[Past, ...]:
        return ()

    folder = tmp_path / "runbooks"
    folder.mkdir()
    (folder / f"{name}.md").write_text("not for this alert")
    project = make.project(url=await serve(_project_app()), paths=Paths(status=None, logs=None))
    sources = _sources(ways, http, await serve(_prometheus()), pasts=none, runbooks=folder)
    raw = await _collected(sources, project, alertname=name)
    assert raw.runbook == ""
    assert [each.why for each in raw.missing] == [
        "its status: it offers none",
        "its log: it offers none",
        "there is no runbook for this alert",
    ]


async def test_an_end_in_the_middle_of_asking_is_one_at_once(
    serve: Serve, ways: aiohttp.ClientSession, http: aiohttp.ClientSession
) -> None:
    begun = asyncio.Event()

    async def slow(_: str, __: str) -> tuple[Past, ...]:
        begun.set()
        await asyncio.sleep(60)
        return ()

    project = make.project(url=await serve(_project_app(logs=_hang)))
    sources = _sources(ways, http, await serve(_prometheus()), pasts=slow)
    task = asyncio.create_task(_collected(sources, project))
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


def test_every_secret_that_the_configuration_leads_to_is_known(tmp_path: Path) -> None:
    (token := tmp_path / "token").write_text("control-token\n")
    projects = {
        "a": make.project(
            name="a",
            auth=Auth(header="Authorization", value="Bearer project-key"),
            control=Control(url="http://127.0.0.1:1", token_file=token),
        ),
        "b": make.project(
            name="b", control=Control(url="http://127.0.0.1:1", token_file=tmp_path / "none")
        ),
    }
    config = make.config(projects=projects, analyzer=Analyzer(key="sk-own"))
    assert secrets(config) == {"control-token", "Bearer project-key", "sk-own"}
    assert secrets(make.config()) == frozenset()
