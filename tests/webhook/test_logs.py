"""A project's log over a real socket: its last errors without secrets, or why there are none."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from time import perf_counter, process_time
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from orchestrator import fetch
from orchestrator.project import Auth, Paths, Project, Tls
from tests.conftest import FreePort, Serve
from tests.webhook import make
from webhook.diagnosis import Gathered, Line
from webhook.logs import tail

TS = "2026-11-21T12:00:00.000000Z"


@pytest.fixture
async def ways() -> AsyncIterator[aiohttp.ClientSession]:
    """Open the way to projects as the webhook does."""
    async with fetch.connections(keep=False) as session:
        yield session


def _entry(message: str, level: str = "error", ts: str = TS) -> dict[str, str]:
    return {"ts": ts, "level": level, "message": message}


async def _project(serve: Serve, answer: web.Response | list[Any], **changes: Any) -> Project:  # noqa: ANN401  any field
    """Serve a project whose log is *answer*."""

    async def logs(request: web.Request) -> web.Response:
        if isinstance(answer, web.Response):
            return answer
        return web.json_response([*answer, _entry(request.headers.get("X-Key", ""))])

    app = web.Application()
    app.router.add_get("/logs", logs)
    return replace(make.project(url=await serve(app)), **changes)


async def test_the_last_five_errors_are_told_and_the_secret_of_the_project_is_sent(
    serve: Serve, ways: aiohttp.ClientSession
) -> None:
    said = [
        _entry(f"{number}", level)
        for number, level in enumerate(("error", "info", "Critical", "error", "error", "warning"))
    ]
    auth = Auth(header="X-Key", value="opensesame")
    project = await _project(serve, [_entry("first"), *said], auth=auth)
    found = await tail(ways, project)
    assert [(each.level, each.message) for each in found.lines] == [
        ("error", "0"),
        ("critical", "2"),
        ("error", "3"),
        ("error", "4"),
        ("error", "opensesame"),
    ]


async def _told(ways: aiohttp.ClientSession, serve: Serve, body: str) -> Gathered:
    answer = web.Response(text=body, content_type="application/json")
    return await tail(ways, await _project(serve, answer))


async def test_without_an_error_the_last_lines_are_told(
    serve: Serve, ways: aiohttp.ClientSession
) -> None:
    body = ",".join(
        f'{{"ts": "{TS}", "level": "info", "message": "{each}"}}' for each in range(300)
    )
    found = await _told(ways, serve, f"[{body}]")
    assert found == Gathered(
        lines=tuple(Line(ts=TS, level="info", message=f"{each}") for each in range(295, 300))
    )


async def test_strangers_lines_are_bounded_one_line_each_and_without_secrets(
    serve: Serve, ways: aiohttp.ClientSession
) -> None:
    entries = [
        '{"ts": "<b>now</b>", "level": "ERROR\\n", "message": "a\\nb password=hunter2"}',
        f'{{"ts": 5, "level": "error", "message": "{"x" * 2_000}"}}',
        '{"ts": "2026-11-21T13:00:00+01:00", "level": "error", "message": "c"}',
        '{"level": "error", "message": 7}',
        '"text"',
        "null",
        '{"ts": "x"}',
    ]
    assert await _told(ways, serve, f"[{','.join(entries)}]") == Gathered(
        lines=(
            Line(ts="", level="error", message="a b password=***"),
            Line(ts="", level="error", message="x" * 999 + "…"),
            Line(ts=TS, level="error", message="c"),
        )
    )


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ("[]", "it is empty"),
        ("[7, {}]", "it is empty"),
        ("{}", "it answers what the contract does not know"),
        ("plain text", "it answers what the contract does not know"),
        ("[" * 60_000, "it answers what the contract does not know"),
        ("[" + " " * 65_536 + "]", "its answer is larger than 64 KiB"),
    ],
)
async def test_an_answer_that_is_no_log_is_a_word_why(
    serve: Serve, ways: aiohttp.ClientSession, body: str, why: str
) -> None:
    assert await _told(ways, serve, body) == Gathered(why_none=why)


@pytest.mark.parametrize(
    ("status", "why"), [(404, "it offers none"), (500, "it answers with an error")]
)
async def test_a_refusal_is_a_word_why(
    serve: Serve, ways: aiohttp.ClientSession, status: int, why: str
) -> None:
    project = await _project(serve, web.Response(status=status))
    assert await tail(ways, project) == Gathered(why_none=why)


async def test_what_is_not_offered_is_not_asked(ways: aiohttp.ClientSession) -> None:
    project = make.project(url="http://127.0.0.1:1", paths=Paths(logs=None))
    assert await tail(ways, project) == Gathered(why_none="it offers none")


async def test_a_project_that_is_gone_or_hangs_costs_two_seconds_at_most(
    free_port: FreePort, serve: Serve, ways: aiohttp.ClientSession
) -> None:
    async def hang(_: web.Request) -> web.Response:
        await asyncio.sleep(60)
        return web.Response()

    app = web.Application()
    app.router.add_get("/logs", hang)
    urls = (f"http://127.0.0.1:{free_port()}", await serve(app))
    began = perf_counter()
    found = [await tail(ways, make.project(url=url, timeout=9 * make.SECOND)) for url in urls]
    assert found == [
        Gathered(why_none="it refuses connections"),
        Gathered(why_none="it does not answer in time"),
    ]
    assert perf_counter() - began < 4


async def test_files_that_make_no_tls_are_a_word_why(
    tmp_path: Path, ways: aiohttp.ClientSession
) -> None:
    project = make.project(url="https://127.0.0.1:1", tls=Tls(ca_file=tmp_path / "none.pem"))
    assert await tail(ways, project) == Gathered(why_none="it could not be asked")


async def test_no_line_of_a_key_is_shown(serve: Serve, ways: aiohttp.ClientSession) -> None:
    said = ("-----BEGIN RSA PRIVATE KEY-----", "MIIE", "-----END RSA PRIVATE KEY-----", "up")
    project = await _project(serve, [_entry(each) for each in said])
    found = await tail(ways, project)
    assert [each.message for each in found.lines] == ["***", "***", "***", "up", ""]


async def test_no_half_of_a_secret_is_shown_and_a_long_line_costs_little(
    serve: Serve, ways: aiohttp.ClientSession
) -> None:
    secret = f"token={'y' * 3_900} sk-{'z' * 900}"
    project = await _project(serve, [_entry(secret), _entry("eyJ-" * 12_000)])
    began = process_time()
    found = await tail(ways, project)
    assert [each.message for each in found.lines] == ["token=***", "…", ""]
    assert process_time() - began < 1


async def test_no_secret_of_ours_is_shown_though_it_looks_like_none(
    serve: Serve, ways: aiohttp.ClientSession
) -> None:
    project = await _project(serve, [_entry("called with correct horse, or correct+horse")])
    found = await tail(ways, project, secrets=frozenset({"correct horse"}))
    assert [each.message for each in found.lines] == ["called with ***, or ***", ""]
