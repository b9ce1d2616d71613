"""What can be said of the taking of pictures without npm and a browser."""

import asyncio
import socket
from typing import Any

import aiohttp
import click
import pytest
from aiohttp import web
from click.testing import CliRunner
from yarl import URL

from orchestrator.demo.stack import PORTS
from tests.conftest import FreePort, Serve
from tests.pictures import world
from tests.pictures.ports import free
from tests.pictures.site import asking
from tests.pictures.take import Shot, judged, main

SHOT = Shot(dashboard="fleet", begin="now-1h", end="now", scrape=15, unfold=False)


async def echo(request: web.Request) -> web.Response:
    return web.json_response([request.path_qs, dict(await request.post())])


async def asked(serve: Serve, prometheus: URL) -> tuple[int, object]:
    """Return the status and the answer to a question that goes through us."""
    app = web.Application()
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=0.2)) as session:
        app.router.add_route("*", "/{rest:.*}", asking(session, prometheus))
        url = f"{await serve(app)}/api/v1/query?a=b%26c"
        async with (
            aiohttp.ClientSession() as page,
            page.post(url, data={"query": 'up{a="b"}'}) as answer,
        ):
            return answer.status, await answer.json()


async def test_a_question_goes_below_the_prefix_of_its_prometheus(serve: Serve) -> None:
    prometheus = web.Application()
    prometheus.router.add_route("*", "/{rest:.*}", echo)
    below = URL(await serve(prometheus)) / "below" / ""
    told = ["/below/api/v1/query?a=b%26c", {"query": 'up{a="b"}'}]
    assert await asked(serve, below) == (200, told)


async def test_a_prometheus_that_says_nothing_is_told_like_an_error_of_its_own(
    serve: Serve,
) -> None:
    async def never(_: web.Request) -> web.Response:
        await asyncio.Event().wait()
        return web.Response()

    prometheus = web.Application()
    prometheus.router.add_route("*", "/{rest:.*}", never)
    told = {"status": "error", "error": "no answer in time"}
    assert await asked(serve, URL(await serve(prometheus))) == (502, told)


@pytest.mark.parametrize(
    ("option", "said"),
    [
        (["--prometheus", "127.0.0.1:1"], "'127.0.0.1:1' is not like http://"),
        (["--prometheus", "http://127.0.0.1:x"], "is no address"),
        (["--prometheus", "http://127.0.0.1:1", "--var", "x"], "'x' is not like project="),
    ],
)
def test_a_wrong_option_is_told_in_a_line(option: list[str], said: str) -> None:
    ended = CliRunner().invoke(main, option)
    assert ended.exit_code == 2
    assert said in ended.output.splitlines()[-1]


def test_a_browser_that_is_missing_is_named() -> None:
    ended = CliRunner().invoke(main, ["--prometheus", "http://127.0.0.1:1", "--browser", "none"])
    assert ended.exit_code == 1
    assert ended.output == "Error: pictures need none, which is not installed\n"


def test_a_picture_of_nothing_but_empty_panels_is_a_fault() -> None:
    def told(*rows: int) -> dict[str, Any]:
        return {"panels": [{"title": "Up", "rows": each} for each in rows], "faults": []}

    assert judged(SHOT, told(0, 0)) == ["nothing but empty panels"]
    assert judged(SHOT, told(0, 1)) == []


def test_a_port_that_is_taken_is_left_out(free_port: FreePort) -> None:
    port = free_port()
    with socket.create_server(("127.0.0.1", port)):
        assert next(free(port)) > port


def test_a_world_does_not_begin_while_a_port_beside_its_stack_is_taken(
    free_port: FreePort,
) -> None:
    port = free_port()
    with socket.create_server(("127.0.0.1", port)), pytest.raises(click.ClickException) as refused:
        world.ports(port - len(PORTS) - 1)
    assert f"{port}; choose others with --first-port" in refused.value.message
