"""The exporter over HTTP: its parts, its formats, and what it says of real projects."""

import asyncio
import os
import re
import subprocess
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web
from prometheus_client import parser as plain
from prometheus_client.metrics_core import Metric as Family
from prometheus_client.openmetrics import parser as openmetrics

from exporter import app
from orchestrator.config import Config, decode
from orchestrator.demo import binaries
from orchestrator.metrics import METRICS
from tests.conftest import FreePort, Serve
from tests.waiting import until

OPENMETRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8"
PROMETHEUS = (  # what 2.42 accepts
    "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,"
    "text/plain;version=0.0.4;q=0.5,*/*;q=0.1"
)
WITHIN = 10.0  # seconds; two probes take half a second


async def _project(serve: Serve) -> str:
    """Serve a project that is well."""

    async def health(_: web.Request) -> web.Response:
        return web.json_response({"status": "healthy"})

    project = web.Application()
    project.router.add_get("/health", health)
    return await serve(project)


def _config(**urls: str) -> Config:
    projects = [
        f"{{name: {name}, url: '{url}', health_interval: 50ms, timeout: 10s}}"
        for name, url in urls.items()
    ]
    return decode(f"projects: [{', '.join(projects)}]", source="test")


@pytest.fixture
async def fleet(serve: Serve, free_port: FreePort, http: aiohttp.ClientSession) -> str:
    """Serve an exporter that has found one project up and another down; gives its URL."""
    config = _config(up=await _project(serve), down=f"http://127.0.0.1:{free_port()}")
    url = await serve(app.make(config, version="1.2.3"))

    async def both_known() -> bool:
        return (await _page(http, url, "collect[]=health")).count("project_up{") == 2

    await until(both_known, within=WITHIN, what="a verdict on both")
    return url


async def _page(
    http: aiohttp.ClientSession, url: str, query: str = "", accept: str = "text/plain"
) -> str:
    async with http.get(f"{url}/metrics?{query}", headers={"Accept": accept}) as response:
        assert response.status == 200
        return await response.text()


def _families(page: str) -> dict[str, Family]:
    return {family.name: family for family in plain.text_string_to_metric_families(page)}


def _up(page: str) -> dict[str, float]:
    up = _families(page)["project_up"]
    return {sample.labels["project"]: sample.value for sample in up.samples}


async def test_a_project_that_is_down_is_there_with_0(
    fleet: str, http: aiohttp.ClientSession
) -> None:
    assert await _page(http, fleet, "collect[]=health") == (
        "# HELP project_up Whether the project answers for itself.\n"
        "# TYPE project_up gauge\n"
        'project_up{project="up"} 1.0\n'
        'project_up{project="down"} 0.0\n'
    )


def _without_figures(page: str) -> list[str]:
    return sorted(re.sub(r"(?m)^([^#].*) \S+$", r"\1", page).splitlines())


async def test_both_parts_together_are_the_whole_page(
    fleet: str, http: aiohttp.ClientSession
) -> None:
    health = await _page(http, fleet, "collect[]=health")
    resources = await _page(http, fleet, "collect[]=resources")
    assert _without_figures(await _page(http, fleet)) == _without_figures(health + resources)


async def test_no_series_is_in_both_parts(fleet: str, http: aiohttp.ClientSession) -> None:
    health = await _page(http, fleet, "collect[]=health")
    resources = await _page(http, fleet, "collect[]=resources")
    assert set(_families(health)) & set(_families(resources)) == set()


@pytest.mark.parametrize(
    ("query", "families"),
    [
        ("collect[]=health", 1),
        ("collect[]=health&collect[]=health", 1),
        ("collect[]=resources", 5),
        ("collect[]=health&collect[]=resources", 6),
        ("", 6),
    ],
)
async def test_a_page_holds_the_parts_that_are_asked_for(
    fleet: str, http: aiohttp.ClientSession, query: str, families: int
) -> None:
    assert len(_families(await _page(http, fleet, query))) == families


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("collect[]=helth", "collect[]=helth: not known; it is health or resources\n"),
        ("collect[]=", "collect[]=: not known; it is health or resources\n"),
        (
            "collect[]=health&collect[]=zz",
            "collect[]=zz: not known; it is health or resources\n",
        ),
    ],
)
async def test_a_part_that_is_not_known_is_a_bad_request(
    serve: Serve, http: aiohttp.ClientSession, query: str, said: str
) -> None:
    url = await serve(app.make(_config(), version="1.2.3"))
    async with http.get(f"{url}/metrics?{query}") as response:
        assert (response.status, await response.text()) == (400, said)


@pytest.mark.parametrize(
    ("accept", "content_type"),
    [
        ("", "text/plain; version=0.0.4; charset=utf-8"),
        ("*/*", "text/plain; version=0.0.4; charset=utf-8"),
        ("text/plain;version=0.0.4", "text/plain; version=0.0.4; charset=utf-8"),
        ("application/openmetrics-text", OPENMETRICS),
        (PROMETHEUS, f"{OPENMETRICS}; escaping=underscores"),
    ],
)
async def test_the_format_is_negotiated(
    serve: Serve, http: aiohttp.ClientSession, accept: str, content_type: str
) -> None:
    url = await serve(app.make(_config(), version="1.2.3"))
    async with http.get(f"{url}/metrics", headers={"Accept": accept}) as response:
        assert response.headers["Content-Type"] == content_type


async def test_both_formats_tell_the_same(fleet: str, http: aiohttp.ClientSession) -> None:
    page = await _page(http, fleet, accept="application/openmetrics-text")
    families = openmetrics.text_string_to_metric_families(page)  # type: ignore[no-untyped-call]  # the library has no types there
    assert {family.name: (family.type, family.documentation) for family in families} == {
        family.name: (family.type, family.documentation)
        for family in _families(await _page(http, fleet)).values()
    }


async def test_every_family_is_declared(fleet: str, http: aiohttp.ClientSession) -> None:
    found = {
        f"{each.name}_total" if each.type == "counter" else each.name: each.type
        for each in _families(await _page(http, fleet)).values()
    }
    assert found == {
        name: str(metric.kind) for name, metric in METRICS.items() if metric.program == "exporter"
    }


async def test_promtool_finds_nothing_to_say(fleet: str, http: aiohttp.ClientSession) -> None:
    promtool = binaries.find(os.environ, Path(".tools")).promtool  # noqa: TID251  as the demo does
    done = subprocess.run(  # noqa: ASYNC221, S603  quick, and nothing else has to run meanwhile
        [promtool, "check", "metrics"],
        input=await _page(http, fleet),
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


async def test_a_project_without_a_verdict_has_no_series(
    serve: Serve, http: aiohttp.ClientSession
) -> None:
    asked: list[str] = []

    async def hang(request: web.Request) -> web.Response:
        asked.append(request.path)
        assert request.transport is not None
        await request.content.read()
        while not request.transport.is_closing():  # noqa: ASYNC110  until the exporter goes
            await asyncio.sleep(0.02)
        return web.Response()

    project = web.Application()
    project.router.add_get("/health", hang)
    url = await serve(app.make(_config(slow=await serve(project)), version="1.2.3"))

    async def asked_twice() -> bool:
        return len(asked) == 2

    await until(asked_twice, within=WITHIN, what="the probe and its confirmation")
    assert _up(await _page(http, url)) == {}


async def test_a_project_that_comes_back_is_up_again(
    serve: Serve, free_port: FreePort, http: aiohttp.ClientSession
) -> None:
    port = free_port()
    url = await serve(app.make(_config(a=f"http://127.0.0.1:{port}"), version="1.2.3"))

    async def down() -> bool:
        return _up(await _page(http, url)) == {"a": 0.0}

    await until(down, within=WITHIN, what="down")
    project = await asyncio.start_server(_healthy, "127.0.0.1", port)

    async def up() -> bool:
        return _up(await _page(http, url)) == {"a": 1.0}

    async with project:
        await until(up, within=WITHIN, what="up")


async def _healthy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b'HTTP/1.0 200 OK\r\n\r\n{"status": "healthy"}')
    await writer.drain()
    writer.close()
    await writer.wait_closed()


@pytest.mark.parametrize("path", ["/metrics", "/-/healthy"])
async def test_a_stranger_is_refused(serve: Serve, http: aiohttp.ClientSession, path: str) -> None:
    url = await serve(app.make(_config(), version="1.2.3"))
    async with http.get(url + path, headers={"Host": "example.org"}) as response:
        assert (response.status, await response.text()) == (
            403,
            "this listener answers callers on this machine only\n",
        )


async def test_an_exporter_of_no_project_is_healthy(
    serve: Serve, http: aiohttp.ClientSession
) -> None:
    url = await serve(app.make(_config(), version="1.2.3"))
    async with http.get(f"{url}/-/healthy") as response:
        assert (response.status, await response.text()) == (200, "healthy\n")


async def test_a_fleet_is_spread_over_its_interval(
    serve: Serve, http: aiohttp.ClientSession
) -> None:
    url = await _project(serve)
    config = decode(
        f"defaults: {{health_interval: 1d}}\nprojects: [{{name: a, url: '{url}'}},"
        f" {{name: b, url: '{url}'}}]",
        source="test",
    )
    exporter = await serve(app.make(config, version="1.2.3"))

    async def first() -> dict[str, float]:
        return _up(await _page(http, exporter))

    assert await until(first, within=WITHIN, what="the first") == {"a": 1.0}


async def test_an_exporter_that_ends_leaves_no_task_behind(
    serve: Serve, free_port: FreePort
) -> None:
    config = _config(a=await _project(serve), b=f"http://127.0.0.1:{free_port()}")
    before = asyncio.all_tasks()
    runner = web.AppRunner(app.make(config, version="1.2.3"))
    await runner.setup()
    watching = {task.get_name() for task in asyncio.all_tasks() - before}
    await runner.cleanup()

    async def ended() -> bool:
        return asyncio.all_tasks() <= before

    await until(ended, within=2, what="no task left")
    assert watching == {"watch a", "watch b"}
