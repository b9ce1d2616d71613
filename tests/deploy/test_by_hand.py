"""What is run inside a container: the health check, and breaking a demo project."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import aiohttp
import click
import pytest
from aiohttp import web
from click.testing import CliRunner, Result

from deploy import fault, healthy, mounted
from deploy.fault import inject
from tests.conftest import FreePort, Serve

OK, GONE = 0, 1


def _answering(status: Callable[[web.Request], int]) -> web.Application:
    async def answer(request: web.Request) -> web.Response:
        return web.json_response({"asked": request.path_qs}, status=status(request))

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    return app


async def _checked(*words: str) -> int:
    result: Result = await asyncio.to_thread(CliRunner().invoke, healthy.main, list(words))
    return result.exit_code


@pytest.mark.parametrize(("status", "code"), [(200, OK), (503, GONE), (401, GONE), (302, GONE)])
async def test_only_200_is_well(serve: Serve, status: int, code: int) -> None:
    url = await serve(_answering(lambda _: status))
    assert await _checked(f"{url}/-/ready") == code


async def test_where_nobody_answers_it_is_not_well(free_port: FreePort) -> None:
    assert await _checked(f"http://127.0.0.1:{free_port()}/-/ready") == GONE


async def test_the_password_is_shown_where_there_is_one(serve: Serve, tmp_path: Path) -> None:
    (tmp_path / "password").write_text("p\n")
    right = aiohttp.encode_basic_auth("prometheus", "p")
    url = await serve(
        _answering(lambda asked: 200 if asked.headers.get("Authorization") == right else 401)
    )
    assert await _checked(url, f"--password-file={tmp_path / 'password'}") == OK
    assert await _checked(url) == GONE


async def test_a_project_is_broken_through_its_supervisor(serve: Serve) -> None:
    url = await serve(_answering(lambda _: 200))
    said = await inject(url, "chatbot", "hang", {"for": "3m"})
    assert said == '{"asked": "/faults/chatbot/hang?for=3m"}'


async def test_what_the_supervisor_refuses_is_told(serve: Serve) -> None:
    url = await serve(_answering(lambda _: 404))
    with pytest.raises(click.ClickException, match="/faults/chatbot/none"):
        await inject(url, "chatbot", "none", {})


async def test_a_supervisor_that_is_not_there_is_told(free_port: FreePort) -> None:
    url = f"http://127.0.0.1:{free_port()}"
    with pytest.raises(click.ClickException, match=url):
        await inject(url, "chatbot", "hang", {})


def test_the_supervisor_that_is_asked_is_the_one_beside_it() -> None:
    assert fault.SUPERVISOR == "http://127.0.0.1:3009"


def test_the_check_of_the_mounted_files_ends_well_when_nothing_drifted() -> None:
    result = CliRunner().invoke(mounted.main, ["--check"])
    assert (result.exit_code, result.output) == (0, "")
