"""The executor: what it sends, and what each answer means."""

import asyncio
import json
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from orchestrator.project import Control
from tests.conftest import FreePort, Serve
from tests.webhook import make
from webhook.executor import Done, Outcome, Refused, Unanswered, command, outcome


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (200, '{"state": "completed", "detail": "restarted"}', Done("restarted")),
        (200, '{"state": "completed"}', Done("")),
        (200, '{"state": "failed", "detail": "no"}', Refused("no")),
        (200, '{"state": "failed"}', Refused("state failed")),
        (200, '{"state": "maybe"}', Refused("state maybe")),
        (200, "<html>", Refused("control answered what the contract does not know: <html>")),
        (200, "[1]", Refused("control answered what the contract does not know: [1]")),
        (200, "{}", Refused("control answered what the contract does not know: {}")),
        (302, "", Refused("control answered 302: ")),
        (404, "no such project", Refused("control answered 404: no such project")),
        (422, "x" * 9_999, Refused("control answered 422: " + "x" * 500)),
        (500, "", Unanswered("control answered 500")),
        (503, "", Unanswered("control answered 503")),
    ],
)
def test_each_answer_has_one_meaning(status: int, body: str, expected: Outcome) -> None:
    assert outcome(status, body.encode()) == expected


async def test_the_command_goes_out_with_its_key_and_its_token(
    serve: Serve, http: aiohttp.ClientSession, tmp_path: Path
) -> None:
    token = tmp_path / "token"
    token.write_text("s3cret\n")
    seen: list[object] = []

    async def control(request: web.Request) -> web.Response:
        wanted = ("Idempotency-Key", "Authorization")
        seen.extend([await request.json(), *(request.headers[name] for name in wanted)])
        return web.json_response({"state": "completed", "detail": "restarted"})

    app = web.Application()
    app.router.add_post("/control", control)
    url = f"{await serve(app)}/control"
    done = await command(http, Control(url=url, token_file=token), make.action())
    assert (done, seen) == (
        Done("restarted"),
        [{"action": "restart_service"}, "key-1", "Bearer s3cret"],
    )


async def test_a_redirect_is_not_followed(serve: Serve, http: aiohttp.ClientSession) -> None:
    async def elsewhere(_: web.Request) -> web.Response:
        raise web.HTTPTemporaryRedirect("/other")

    app = web.Application()
    app.router.add_post("/control", elsewhere)
    done = await command(http, Control(url=f"{await serve(app)}/control"), make.action())
    assert isinstance(done, Refused)


async def test_a_control_that_refuses_the_connection_may_be_asked_again(
    free_port: FreePort, http: aiohttp.ClientSession
) -> None:
    url = f"http://127.0.0.1:{free_port()}/control"
    done = await command(http, Control(url=url), make.action())
    assert isinstance(done, Unanswered)


async def test_a_token_file_that_is_missing_says_so_and_sends_nothing(
    serve: Serve, http: aiohttp.ClientSession, tmp_path: Path
) -> None:
    control = Control(url=f"{await serve(web.Application())}/x", token_file=tmp_path / "gone")
    done = await command(http, control, make.action())
    assert isinstance(done, Unanswered)
    assert json.dumps(done.detail).find("No such file") > 0


async def test_an_answer_in_two_segments_is_read_to_its_end(
    serve: Serve, http: aiohttp.ClientSession
) -> None:
    async def control(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write(b'{"state": "comp')
        await asyncio.sleep(0.05)  # so that the second half is a segment of its own
        await response.write(b'leted"}')
        return response

    app = web.Application()
    app.router.add_post("/control", control)
    done = await command(http, Control(url=f"{await serve(app)}/control"), make.action())
    assert done == Done("")
