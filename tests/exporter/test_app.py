"""The exporter over HTTP: its parts, its formats, and what it says of real projects."""

import asyncio
import re
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from exporter import app, routes
from orchestrator.metrics import METRICS, exported
from orchestrator.source import Source
from tests.conftest import FreePort, Serve
from tests.exporter import fleet, pages
from tests.orchestrator.lines import serving
from tests.waiting import until

OPENMETRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8"
ASKED = {  # the Accept header of each
    "2.42": "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1"
    ";q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
    "3.5": "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,"
    "application/openmetrics-text;version=0.0.1;q=0.4,text/plain;version=1.0.0;escaping=allow-utf-8"
    ";q=0.3,text/plain;version=0.0.4;q=0.2,/;q=0.1",
}
WITHIN = 10.0  # seconds


LABELLED = "labels: {client: 'a \"b\"'}, slo: 0.999"
ANSWERS = {
    "/health": {"status": "healthy", "version": "1.4.2"},
    "/metrics": {
        "cpu_percent": 83,
        "memory_percent": 41.8,
        "error_percent": 0.61,
        "requests_per_second": 38.2,
        "business": {"rate": 0.034},
    },
    "/status": {"queue_length": 24, "cache_bytes": 1024, "deployed_at": "2026-01-01T12:00:00Z"},
}


async def _project(serve: Serve) -> str:
    """Serve a project that is well, with figures and all."""

    async def answer(request: web.Request) -> web.Response:
        return web.json_response(ANSWERS[request.path])

    project = web.Application()
    project.router.add_get("/{endpoint}", answer)
    return await serve(project)


@pytest.fixture
async def watched(
    tmp_path: Path, serve: Serve, free_port: FreePort, http: aiohttp.ClientSession
) -> str:
    """Serve an exporter that has found one project up and another down; gives its URL."""
    entries = [
        fleet.entry("up", await _project(serve), LABELLED, "200ms"),
        fleet.entry("down", f"http://127.0.0.1:{free_port()}", every="200ms"),
    ]
    url = await serve(fleet.application(tmp_path / "o.yml", entries))

    async def all_known() -> bool:
        text = await pages.page(http, url)
        return len(pages.of_project(text, "up")) == 23 and "project_up" in pages.of_project(
            text, "down"
        )

    await until(all_known, within=WITHIN, what="everything of both")
    return url


async def _page(http: aiohttp.ClientSession, url: str, query: str) -> str:
    async with http.get(f"{url}/metrics?{query}") as response:
        assert response.status == 200
        return await response.text()


@pytest.fixture
async def bare(tmp_path: Path, serve: Serve) -> str:
    """Serve an exporter of no project."""
    return await serve(fleet.application(tmp_path / "o.yml", []))


async def test_a_project_is_shown_in_base_units_and_under_its_labels(
    watched: str, http: aiohttp.ClientSession
) -> None:
    shown = pages.of_project(await pages.page(http, watched), "up")
    counters = {name for name in shown if "_total" in name or "_duration" in name}
    figures = {name: value for name, value in shown.items() if name not in counters}
    label = 'client="a "b""'
    assert figures == {
        f"project_up{{{label}}}": 1.0,
        f'project_state{{{label},state="healthy"}}': 1.0,
        f'project_state{{{label},state="degraded"}}': 0.0,
        f'project_state{{{label},state="paused"}}': 0.0,
        f'project_state{{{label},state="down"}}': 0.0,
        f'project_info{{{label},mode="observe",version="1.4.2"}}': 1.0,
        f'project_threshold_ratio{{{label},resource="cpu"}}': 0.8,
        f'project_threshold_ratio{{{label},resource="memory"}}': 0.85,
        f'project_threshold_ratio{{{label},resource="errors"}}': 0.05,
        f"project_slow_after_seconds{{{label}}}": 3600.0,
        f"project_slo_objective_ratio{{{label}}}": 0.999,
        f"project_cpu_usage_ratio{{{label}}}": 0.83,
        f"project_memory_usage_ratio{{{label}}}": 0.418,
        f"project_error_ratio{{{label}}}": 0.0061,
        f"project_requests_per_second{{{label}}}": 38.2,
        f"project_queue_length{{{label}}}": 24.0,
        f"project_cache_bytes{{{label}}}": 1024.0,
        f"project_deployed_timestamp_seconds{{{label}}}": 1767268800.0,
        f"project_rate{{{label}}}": 0.034,
    }


async def test_a_project_that_is_down_is_there_with_0(
    watched: str, http: aiohttp.ClientSession
) -> None:
    assert await _page(http, watched, "collect[]=health") in {
        "# HELP project_up Whether the project answers for itself.\n"
        "# TYPE project_up gauge\n" + first + second
        for first, second in [(UP, DOWN), (DOWN, UP)]
    }


UP, DOWN = 'project_up{project="up",client="a \\"b\\""} 1.0\n', 'project_up{project="down"} 0.0\n'


async def test_both_parts_together_are_the_whole_page_and_share_nothing(
    watched: str, http: aiohttp.ClientSession
) -> None:
    health, resources, whole = [
        set(pages.families(await _page(http, watched, query)))
        for query in ("collect[]=health", "collect[]=resources", "")
    ]
    assert (health | resources, health & resources, health) == (whole, set(), {"project_up"})


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("collect[]=helth", "collect[]=helth: not known; it is health or resources\n"),
        ("collect[]=", "collect[]=: not known; it is health or resources\n"),
        ("collect[]=health&collect[]=zz", "collect[]=zz: not known; it is health or resources\n"),
    ],
)
async def test_a_part_that_is_not_known_is_a_bad_request(
    bare: str, http: aiohttp.ClientSession, query: str, said: str
) -> None:
    async with http.get(f"{bare}/metrics?{query}") as response:
        assert (response.status, await response.text()) == (400, said)


@pytest.mark.parametrize(
    ("accept", "content_type"),
    [
        ("", "text/plain; version=0.0.4; charset=utf-8"),
        ("*/*", "text/plain; version=0.0.4; charset=utf-8"),
        ("text/plain;version=0.0.4", "text/plain; version=0.0.4; charset=utf-8"),
        ("application/openmetrics-text", OPENMETRICS),
        (ASKED["2.42"], f"{OPENMETRICS}; escaping=underscores"),
        (ASKED["3.5"], f"{OPENMETRICS}; escaping=allow-utf-8"),
    ],
)
@pytest.mark.parametrize("path", ["/metrics", "/metrics?collect[]=health"])
async def test_the_format_is_negotiated(
    bare: str, http: aiohttp.ClientSession, path: str, accept: str, content_type: str
) -> None:
    async with http.get(bare + path, headers={"Accept": accept}) as response:
        text = await response.text()
        assert response.headers["Content-Type"] == content_type
        assert text.endswith("# EOF\n") is content_type.startswith("application/openmetrics")


async def test_both_formats_tell_the_same(watched: str, http: aiohttp.ClientSession) -> None:
    plain = pages.families(await pages.page(http, watched))
    strict = pages.openmetrics_families(await pages.page(http, watched, pages.OPENMETRICS))
    told = [
        {family.name: (family.type, family.documentation) for family in each.values()}
        for each in (plain, strict)
    ]
    assert told[0] == told[1]


async def test_every_family_is_declared_and_every_declared_one_is_there(
    watched: str, http: aiohttp.ClientSession
) -> None:
    found = {
        f"{each.name}_total" if each.type == "counter" else each.name: (
            each.type,
            each.documentation,
        )
        for each in pages.families(await pages.page(http, watched)).values()
        if each.name != "project_rate"
    }
    assert found == {
        name: (str(metric.kind), metric.help) for name, metric in exported("exporter").items()
    }


async def test_every_series_has_the_labels_that_are_declared(
    watched: str, http: aiohttp.ClientSession
) -> None:
    text = await pages.page(http, watched)
    samples = [each for family in pages.families(text).values() for each in family.samples]
    plain = [each for each in samples if each.name in METRICS]
    assert {each.name: sorted(each.labels.keys() - {"client"}) for each in plain} == {
        each.name: sorted(METRICS[each.name].labels) for each in plain
    }


async def test_promtool_finds_nothing_to_say(watched: str, http: aiohttp.ClientSession) -> None:
    assert pages.promtool(await pages.page(http, watched)) == (0, "", "")


async def test_a_project_that_comes_back_is_up_again(
    tmp_path: Path, serve: Serve, free_port: FreePort, http: aiohttp.ClientSession
) -> None:
    port = free_port()
    entries = [fleet.entry("a", f"http://127.0.0.1:{port}", every="200ms")]
    url = await serve(fleet.application(tmp_path / "o.yml", entries))

    async def is_up(expected: float) -> bool:
        return pages.value(await pages.page(http, url), "project_up", project="a") == expected

    await until(lambda: is_up(0.0), within=WITHIN, what="down")
    async with serving(port, _healthy):
        await until(lambda: is_up(1.0), within=WITHIN, what="up")


async def _healthy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b'HTTP/1.0 200 OK\r\n\r\n{"status": "healthy"}')
    await writer.drain()


@pytest.mark.parametrize(
    "path", ["/", "/metrics", "/probe?target=a", "/sd", "/-/healthy", "/-/ready"]
)
async def test_a_stranger_is_refused(bare: str, http: aiohttp.ClientSession, path: str) -> None:
    async with http.get(bare + path, headers={"Host": "example.org"}) as response:
        assert (response.status, await response.text()) == (
            403,
            "this listener answers callers on this machine only\n",
        )


@pytest.mark.parametrize(("path", "said"), [("/-/healthy", "healthy\n"), ("/-/ready", "ready\n")])
async def test_an_exporter_of_no_project_is_healthy_and_ready(
    bare: str, http: aiohttp.ClientSession, path: str, said: str
) -> None:
    async with http.get(bare + path) as response:
        assert (response.status, await response.text()) == (200, said)


async def test_when_nobody_is_asked_any_more_there_is_no_page(
    tmp_path: Path, serve: Serve, http: aiohttp.ClientSession
) -> None:
    fleet.write(tmp_path / "o.yml", [])
    source = Source(path=tmp_path / "o.yml")
    application = app.make(source, source.load(), version="1.2.3")
    url = await serve(application)
    [turning] = [each for each in asyncio.all_tasks() if each.get_name() == "turning"]
    turning.cancel()

    async def statuses() -> dict[str, int]:
        found = {}
        for path in ("/metrics", "/-/ready", "/-/healthy"):
            async with http.get(url + path) as response:
                found[path] = response.status
        return found if found["/metrics"] != 200 else {}

    assert await until(statuses, within=WITHIN, what="503") == {
        "/metrics": 503,
        "/-/ready": 503,
        "/-/healthy": 200,
    }


async def test_the_landing_page_links_everything(watched: str, http: aiohttp.ClientSession) -> None:
    async with http.get(watched) as response:
        text, kind = await response.text(), response.content_type
    links = [link.replace("&amp;", "&") for link in re.findall(r'href="([^"]+)"', text)]
    statuses = {}
    for link in links:
        async with http.get(watched + link) as response:
            statuses[link] = response.status
    assert (kind, len(links), set(statuses.values())) == ("text/html", 12, {200})


@pytest.mark.parametrize("path", ["/metrics", "/probe?target=a"])
async def test_what_is_long_or_asks_somebody_has_no_head(
    bare: str, http: aiohttp.ClientSession, path: str
) -> None:
    async with http.head(bare + path) as response:
        assert response.status == 405


async def test_an_exporter_that_ends_leaves_no_task_behind(
    tmp_path: Path, serve: Serve, free_port: FreePort
) -> None:
    entries = [
        fleet.entry("a", await _project(serve), every="200ms"),
        fleet.entry("b", f"http://127.0.0.1:{free_port()}", every="200ms"),
    ]
    runner = web.AppRunner(fleet.application(tmp_path / "o.yml", entries))
    await runner.setup()
    instruments = runner.app[routes.INSTRUMENTS].registry

    async def asked() -> bool:
        return bool(instruments.get_sample_value("exporter_probes_total", {"endpoint": "health"}))

    await until(asked, within=WITHIN, what="a probe")
    await runner.cleanup()
    others = asyncio.all_tasks() - {asyncio.current_task()}
    ours = [each for each in others if "exporter" in repr(each.get_coro())]
    assert ours == []
