"""The executor: what it sends, and what each answer means."""

import asyncio
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from orchestrator.commands import Command
from orchestrator.project import Control
from tests.conftest import FreePort, Serve
from tests.webhook import make
from webhook.executor import Done, Outcome, Refused, Unanswered, ask, ended, execute, outcome
from webhook.process import End


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (200, '{"state": "completed", "detail": "restarted"}', Done("restarted")),
        (200, '{"state": "completed"}', Done("")),
        (200, '{"state": "failed", "detail": "no"}', Refused("no")),
        (200, '{"state": "failed"}', Refused("state failed")),
        (200, '{"state": "maybe"}', Refused("state maybe")),
        (200, '{"state": "completed", "detail": null}', Done("")),
        (200, '{"state": "completed", "detail": "\\ud800 a\\n\\u001b[2Jb"}', Done("a [2Jb")),
        (200, '{"state": "failed", "detail": "token=abcdefgh"}', Refused("token=***")),
        (200, "<html>", Refused("control answered what the contract does not know: <html>")),
        (200, "[1]", Refused("control answered what the contract does not know: [1]")),
        (200, "{}", Refused("control answered what the contract does not know: {}")),
        (302, "", Refused("control answered 302: ")),
        (404, "no such project", Refused("control answered 404: no such project")),
        (422, "x" * 9_999, Refused("control answered 422: " + "x" * 499 + "…")),
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
    done = await ask(http, Control(url=url, token_file=token), make.action())
    assert (done, seen) == (
        Done("restarted"),
        [{"action": "restart_service"}, "key-1", "Bearer s3cret"],
    )


async def test_a_redirect_is_not_followed(serve: Serve, http: aiohttp.ClientSession) -> None:
    async def elsewhere(_: web.Request) -> web.Response:
        raise web.HTTPTemporaryRedirect("/other")

    app = web.Application()
    app.router.add_post("/control", elsewhere)
    done = await ask(http, Control(url=f"{await serve(app)}/control"), make.action())
    assert isinstance(done, Refused)


async def test_a_control_that_refuses_the_connection_may_be_asked_again(
    free_port: FreePort, http: aiohttp.ClientSession
) -> None:
    url = f"http://127.0.0.1:{free_port()}/control"
    done = await ask(http, Control(url=url), make.action())
    assert isinstance(done, Unanswered)


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (None, "No such file or directory"),
        (b"", "empty"),
        (b"\xff", "not UTF-8"),
        (b"two\nlines", "not one line of printable ASCII, 8192 characters at most"),
    ],
)
async def test_a_token_file_that_cannot_be_used_is_a_clear_refusal_and_nothing_is_sent(
    free_port: FreePort,
    http: aiohttp.ClientSession,
    tmp_path: Path,
    content: bytes | None,
    why: str,
) -> None:
    token = tmp_path / "token"
    if content is not None:
        token.write_bytes(content)
    nobody = Control(url=f"http://127.0.0.1:{free_port()}/control", token_file=token)
    assert await ask(http, nobody, make.action()) == Refused(f"control.token_file: {token}: {why}")


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
    done = await ask(http, Control(url=f"{await serve(app)}/control"), make.action())
    assert done == Done("")


ECHO = Command(argv=("/bin/echo", "for {project}"))


async def test_a_command_is_run_and_no_control_is_asked(
    free_port: FreePort, http: aiohttp.ClientSession
) -> None:
    project = make.project(control=Control(url=f"http://127.0.0.1:{free_port()}/control"))
    action = make.action(name="command:echo")
    assert await execute(http, project, action, {"echo": ECHO}) == Done(
        "/bin/echo ended with status 0: for email-blast", "for email-blast"
    )


async def test_what_the_catalogue_knows_goes_to_the_control(
    free_port: FreePort, http: aiohttp.ClientSession
) -> None:
    url = f"http://127.0.0.1:{free_port()}/control"
    project = make.project(control=Control(url=url))
    done = await execute(http, project, make.action(), {"restart_service": ECHO})
    assert isinstance(done, Unanswered)


async def test_a_command_that_left_the_configuration_is_refused(
    http: aiohttp.ClientSession,
) -> None:
    action = make.action(name="command:gone")
    done = await execute(http, make.project(), action, {"echo": ECHO})
    assert (type(done), done.detail[:37], done.detail[-12:]) == (
        Refused,
        "'command:gone' is no action; known: r",
        "command:echo",
    )


async def test_a_command_that_cannot_be_started_is_refused(http: aiohttp.ClientSession) -> None:
    too_long = Command(argv=("/bin/echo", "x" * 200_000))  # Linux takes 128 KiB an argument
    action = make.action(name="command:echo")
    assert await execute(http, make.project(), action, {"echo": too_long}) == Refused(
        "/bin/echo cannot be started: Argument list too long"
    )


@pytest.mark.parametrize(
    ("status", "overdue", "output", "expected"),
    [
        (0, False, "one\ntwo", Done("/bin/echo ended with status 0: two", "one\ntwo")),
        (0, False, "", Done("/bin/echo ended with status 0: no output")),
        (3, False, "no", Refused("/bin/echo ended with status 3: no", "no")),
        (-9, False, "", Refused("/bin/echo was ended by signal 9: no output")),
        (
            -15,
            True,
            "",
            Refused("/bin/echo was ended by signal 15 after 30s, its timeout: no output"),
        ),
        (0, True, "", Refused("/bin/echo ended with status 0 after 30s, its timeout: no output")),
        (
            None,
            True,
            "",
            Refused(
                "/bin/echo could not be ended, and may go on after 30s, its timeout: no output"
            ),
        ),
    ],
)
def test_each_end_of_a_command_has_one_meaning(
    status: int | None,
    overdue: bool,  # noqa: FBT001  a column of the table
    output: str,
    expected: Outcome,
) -> None:
    assert ended(End(status=status, overdue=overdue, output=output), ECHO) == expected
