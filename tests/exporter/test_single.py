"""A single probe over HTTP: the usual way of Prometheus, and a look for a person."""

import asyncio
import math
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from exporter.single import allowed
from tests.conftest import FreePort, Serve
from tests.exporter import fleet, pages

OWN = ("probe_success", "probe_duration_seconds", "probe_http_status_code")
SECRET = "do-not-tell"  # noqa: S105  no secret of anybody's


@pytest.fixture
async def exporter(tmp_path: Path, serve: Serve, free_port: FreePort) -> str:
    """Serve an exporter of a project that is well, one that hangs and one that is not there."""

    async def answer(request: web.Request) -> web.Response:
        if request.path == "/health":
            return web.json_response({"status": "degraded", "version": "1.4.2"})
        return web.json_response({"cpu_percent": 83, "business": {"rate": 2}})

    async def hang(_: web.Request) -> web.Response:
        await asyncio.Event().wait()
        return web.Response()

    well, hanging = web.Application(), web.Application()
    well.router.add_get("/{endpoint}", answer)
    hanging.router.add_get("/{endpoint}", hang)
    (tmp_path / "token").write_text(SECRET, encoding="utf-8")
    entries = [
        fleet.entry("well", await serve(well), "auth: {bearer_file: token}, paths: {status: null}"),
        fleet.entry("hanging", await serve(hanging)),
        fleet.entry("gone", f"http://127.0.0.1:{free_port()}"),
    ]
    return await serve(fleet.application(tmp_path / "o.yml", entries))


async def _get(http: aiohttp.ClientSession, url: str, scrape: str = "") -> tuple[int, str]:
    headers = {"X-Prometheus-Scrape-Timeout-Seconds": scrape} if scrape else {}
    async with http.get(url, headers=headers) as response:
        return response.status, await response.text()


@pytest.mark.parametrize(
    ("query", "success", "shown"),
    [
        ("target=well", 1.0, {}),
        ("target=well&module=health", 1.0, {}),
        ("target=well&module=metrics", 1.0, {"project_cpu_usage_ratio": 0.83, "project_rate": 2.0}),
        ("target=gone", 0.0, {}),
        ("target=gone&module=status", 0.0, {}),
    ],
)
async def test_a_probe_shows_what_this_question_brought_and_nothing_else(
    exporter: str,
    http: aiohttp.ClientSession,
    query: str,
    success: float,
    shown: dict[str, float],
) -> None:
    status, text = await _get(http, f"{exporter}/probe?{query}")
    found = {metric: value for (metric, labels), value in pages.series(text).items() if not labels}
    own = {metric: found.pop(metric) for metric in OWN}
    assert (status, own["probe_success"], found, pages.doubled(text)) == (200, success, shown, [])


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("", "target= is missing; /sd lists them\n"),
        ("target=nobody", "target=nobody: no project that is watched here; /sd lists them\n"),
        (
            "target=http://127.0.0.1:1",
            "target=http://127.0.0.1:1: no project that is watched here; /sd lists them\n",
        ),
        ("target=well&module=logs", "module=logs: not known; it is health, metrics, status\n"),
        ("target=well&module=status", "well is not asked for status, by its `paths`\n"),
    ],
)
async def test_only_what_is_configured_can_be_asked(
    exporter: str, http: aiohttp.ClientSession, query: str, said: str
) -> None:
    assert await _get(http, f"{exporter}/probe?{query}") == (400, said)


async def test_a_probe_ends_before_its_scrape_does(
    exporter: str, http: aiohttp.ClientSession
) -> None:
    status, text = await _get(http, f"{exporter}/probe?target=hanging", scrape="0.8")
    took = pages.value(text, "probe_duration_seconds")
    assert took is not None
    assert (status, pages.value(text, "probe_success"), 0.25 < took < 0.8) == (200, 0.0, True)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("1.5", 1.0),
        ("10", 9.5),
        ("0.55", 0.1),
        ("0.5", math.inf),
        ("0", math.inf),
        ("-3", math.inf),
        ("NaN", math.inf),
        ("inf", math.inf),
        ("", math.inf),
        ("soon", math.inf),
    ],
)
def test_a_scrape_leaves_half_a_second_less_for_the_probe(header: str, seconds: float) -> None:
    assert allowed(header) == pytest.approx(seconds)


async def test_two_probes_at_once_are_both_right(
    exporter: str, http: aiohttp.ClientSession
) -> None:
    urls = [f"{exporter}/probe?target={name}" for name in ("well", "gone") * 20]
    answers = await asyncio.gather(*(_get(http, url) for url in urls))
    assert [pages.value(text, "probe_success") for _, text in answers] == [1.0, 0.0] * 20


async def test_a_person_is_told_everything_but_the_secret(
    exporter: str, http: aiohttp.ClientSession
) -> None:
    status, text = await _get(http, f"{exporter}/probe?target=well&debug=true")
    lines = dict(line.split(":", 1) for line in text.splitlines() if ":" in line)
    assert (status, lines["good"].strip(), lines["body"].strip(), SECRET in text) == (
        200,
        "yes degraded",
        '"{\\"status\\": \\"degraded\\", \\"version\\": \\"1.4.2\\"}"',
        False,
    )


async def test_a_person_is_told_what_is_wrong(exporter: str, http: aiohttp.ClientSession) -> None:
    _, text = await _get(http, f"{exporter}/probe?target=gone&debug=true")
    assert "  refused: it refuses connections\n" in text


async def test_every_project_is_listed_for_service_discovery(
    exporter: str, http: aiohttp.ClientSession
) -> None:
    async with http.get(f"{exporter}/sd") as response:
        listed = await response.json()
        assert response.content_type == "application/json"
    assert listed == [
        {
            "targets": [name],
            "labels": {"project": name, "__meta_orchestrator_mode": "observe"},
        }
        for name in ("well", "hanging", "gone")
    ]


async def test_reloading_by_request_tells_what_came_of_it(
    tmp_path: Path, exporter: str, http: aiohttp.ClientSession
) -> None:
    async with http.post(f"{exporter}/-/reload") as response:
        good = (response.status, await response.text())
    (tmp_path / "o.yml").write_text("projects: 3", encoding="utf-8")
    async with http.post(f"{exporter}/-/reload") as response:
        bad = (response.status, await response.text())
    assert (good, bad) == (
        (200, "reloaded\n"),
        (500, f"{tmp_path}/o.yml: projects: must be a list\nthe old one stays in force\n"),
    )
