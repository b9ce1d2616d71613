"""The door lets in who may come in, and no further, and is not seen by those whom it lets in."""

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web
from yarl import URL

from deploy.door import Way, standing
from orchestrator.loopback import Address, CannotListen, local_callers_only
from tests.conftest import FreePort, Serve
from tests.deploy.compose import ROOT

TOKEN = "a token"  # noqa: S105  of a test
SHOWN = {"Authorization": f"Bearer {TOKEN}"}

Stand = Callable[[str | None], Awaitable[str]]


def _address(url: str) -> Address:
    host, _, port = url.removeprefix("http://").rpartition(":")
    return Address(host, int(port))


async def _behind(request: web.Request) -> web.Response:
    """Answer what was asked: so a test sees what the door has handed on."""
    told = [request.method, request.raw_path, request.headers.get("Idempotency-Key")]
    said = {
        "asked": told,
        "body": await request.text(),
        "shown": "Authorization" in request.headers,
    }
    return web.json_response(said, status=203, headers={"Idempotency-Replayed": "true"})


@pytest.fixture
async def fleet(serve: Serve) -> str:
    """Serve what takes nobody but callers on this machine, as the fleet does."""
    app = web.Application(middlewares=[local_callers_only])
    app.router.add_route("*", "/{path:.*}", _behind)
    return await serve(app)


@pytest.fixture
async def stand(fleet: str, free_port: FreePort) -> AsyncIterator[Stand]:
    """Stand before the fleet, with a token or open; returns the URL to call."""
    async with AsyncExitStack() as opened:

        async def begin(token: str | None) -> str:
            listen = Address("127.0.0.1", free_port())
            way = Way(listen=listen, target=_address(fleet), token=token)
            await opened.enter_async_context(standing([way]))
            return f"http://{listen}"

        yield begin


async def test_what_is_open_can_be_read(stand: Stand, http: aiohttp.ClientSession) -> None:
    url = await stand(None)
    async with http.get(URL(f"{url}/health?a=%2F", encoded=True)) as answer:
        said = await answer.json()
    assert (answer.status, said["asked"]) == (203, ["GET", "/health?a=%2F", None])


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
async def test_what_is_open_cannot_be_changed(
    stand: Stand, http: aiohttp.ClientSession, method: str
) -> None:
    async with http.request(method, f"{await stand(None)}/control", headers=SHOWN) as answer:
        assert answer.status == 405


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": "Bearer another"},
        {"Authorization": TOKEN},
        {"Authorization": "Bearer "},
    ],
    ids=["none", "another", "without its scheme", "empty"],
)
async def test_what_is_guarded_is_not_even_read_without_the_token(
    stand: Stand, http: aiohttp.ClientSession, headers: dict[str, str]
) -> None:
    async with http.get(f"{await stand(TOKEN)}/commands", headers=headers) as answer:
        assert answer.status == 401


async def test_a_command_arrives_with_its_key_and_its_answer_comes_back(
    stand: Stand, http: aiohttp.ClientSession
) -> None:
    headers = {**SHOWN, "Idempotency-Key": "7c1e9d53"}
    url = f"{await stand(TOKEN)}/control/chatbot"
    async with http.post(url, data='{"action": "restart_service"}', headers=headers) as answer:
        said = await answer.json()
    assert said == {
        "asked": ["POST", "/control/chatbot", "7c1e9d53"],
        "body": '{"action": "restart_service"}',
        "shown": False,  # the token is the door's, and goes no further
    }
    assert (answer.status, answer.headers["Idempotency-Replayed"]) == (203, "true")


async def test_a_caller_from_elsewhere_is_one_of_this_machine_to_the_fleet(
    stand: Stand, http: aiohttp.ClientSession
) -> None:
    async with http.get(f"{await stand(None)}/health", headers={"Host": "projects:3010"}) as answer:
        assert answer.status == 203


async def test_a_project_that_is_down_looks_down_and_not_like_one_with_a_bad_answer(
    http: aiohttp.ClientSession, free_port: FreePort
) -> None:
    listen, nobody = (Address("127.0.0.1", free_port()) for _ in range(2))
    async with standing([Way(listen=listen, target=nobody)]):
        with pytest.raises(aiohttp.ServerDisconnectedError):
            await http.get(f"http://{listen}/health")


async def test_a_project_that_hangs_hangs_and_is_let_go_with_its_caller(
    http: aiohttp.ClientSession, free_port: FreePort
) -> None:
    asked, left = asyncio.Event(), asyncio.Event()

    async def hang(_: web.Request) -> web.Response:
        asked.set()
        try:
            await asyncio.Event().wait()
        finally:
            left.set()
        raise AssertionError

    app = web.Application()
    app.router.add_get("/health", hang)
    runner = web.AppRunner(app, handler_cancellation=True)
    await runner.setup()
    target, listen = (Address("127.0.0.1", free_port()) for _ in range(2))
    await web.TCPSite(runner, target.host, target.port).start()
    async with standing([Way(listen=listen, target=target)]):
        calling = asyncio.create_task(http.request("GET", f"http://{listen}/health"))
        await asyncio.wait_for(asked.wait(), 10)
        assert not calling.done()
        calling.cancel()
        await asyncio.wait_for(left.wait(), 10)
    await runner.cleanup()


async def test_a_taken_address_is_told(fleet: str) -> None:
    taken = _address(fleet)
    with pytest.raises(CannotListen):
        async with standing([Way(listen=taken, target=taken)]):
            pass


def test_the_token_is_in_no_text_about_a_way() -> None:
    here = Address("127.0.0.1", 3009)
    assert TOKEN not in repr(Way(listen=here, target=here, token=TOKEN))


def _begun(*words: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(  # noqa: S603  our own
        [sys.executable, "-m", "deploy.door", *words],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )


def test_without_its_token_it_does_not_begin(tmp_path: Path) -> None:
    done = _begun("--token-file", str(tmp_path / "none"))
    assert (done.returncode, done.stderr) == (
        1,
        f"Error: {tmp_path}/none: No such file or directory\n",
    )


def test_it_leads_to_this_machine_alone(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("t\n")
    open_to = ("--open", "127.0.0.1:0", "example.org:80")
    done = _begun("--token-file", str(tmp_path / "token"), *open_to)
    assert done.returncode == 1
    assert done.stderr.startswith("Error: example.org:80: refusing")
