"""What every command that asks the webhook does when it cannot, may not, or is told no."""

from http import HTTPStatus
from pathlib import Path

import pytest
from aiohttp import web

from orchestrator.cli import online
from tests.conftest import FreePort, Serve, Tls
from tests.terminal import orchestrator
from webhook import problem
from webhook.problem import Problem


def _says(answer: web.Response) -> web.Application:
    async def say(_: web.Request) -> web.Response:
        return answer

    app = web.Application()
    app.router.add_route("*", "/{any:.*}", say)
    return app


def _refuses(status: int, detail: str) -> web.Application:
    return _says(problem.response(Problem(HTTPStatus(status), detail)))


@pytest.mark.parametrize(
    ("status", "ends"), [(400, 1), (401, 5), (403, 5), (404, 1), (409, 1), (503, 1)]
)
async def test_a_refusal_is_told_in_its_own_words_and_by_the_exit_status(
    serve: Serve, status: int, ends: int
) -> None:
    ran = await orchestrator("approvals", at=await serve(_refuses(status, "not \x1b[31mthat")))
    assert (ran.status, ran.out, ran.err) == (ends, "", "orchestrator: not [31mthat\n")


async def test_a_program_is_told_the_whole_problem(serve: Serve) -> None:
    url = await serve(_refuses(409, "gone"))
    ran = await orchestrator("approvals", "--json", at=url)
    assert (ran.status, ran.json) == (
        1,
        {"type": "about:blank", "title": "Conflict", "status": 409, "detail": "gone"},
    )


@pytest.mark.parametrize(
    "answer",
    [
        web.Response(text="<html>"),
        web.Response(status=302, headers={"Location": "/elsewhere"}),
        web.json_response({"to": "/login"}, status=302, headers={"Location": "/login"}),
        web.json_response([]),
    ],
)
async def test_what_is_no_webhook_is_told_apart_from_a_refusal(
    serve: Serve, answer: web.Response
) -> None:
    url = await serve(_says(answer))
    ran = await orchestrator("approvals", at=url)
    said = f"orchestrator: {url}: it answers {answer.status}, and not as the webhook would"
    assert (ran.status, ran.err.startswith(said)) == (4, True)


async def test_an_answer_of_another_version_is_no_traceback(serve: Serve) -> None:
    url = await serve(_says(web.json_response({"approvals": [{"id": 1}]})))
    ran = await orchestrator("approvals", at=url)
    said = f"orchestrator: {url}: its answer lacks '"
    assert (ran.status, ran.out, ran.err.startswith(said), ran.err.count("\n")) == (4, "", True, 1)


async def test_a_certificate_that_nobody_vouches_for_is_named(tls: Tls) -> None:
    url, _ = await tls(web.Application())
    ran = await orchestrator("approvals", at=url)
    why = "its certificate is not trusted: unable to get local issuer certificate"
    assert (ran.status, ran.err.startswith(f"orchestrator: {url}: {why}")) == (4, True)


async def test_a_long_answer_is_read_to_its_end(serve: Serve) -> None:
    answer: dict[str, object] = {"approvals": [], "next": None, "more": "x" * 3_000_000}
    ran = await orchestrator(
        "approvals", "--json", at=await serve(_says(web.json_response(answer)))
    )
    assert (ran.status, ran.json) == (0, answer)


async def test_nobody_there_says_where_it_was_looked_for(free_port: FreePort) -> None:
    url = f"http://127.0.0.1:{free_port()}"
    ran = await orchestrator("approvals", at=url)
    asked = "Is the webhook up? Its address is --url or ORCHESTRATOR_URL"
    said = f"orchestrator: {url}: Connection refused. {asked}\n"
    assert (ran.status, ran.err) == (4, said)


async def test_the_token_of_the_file_is_shown_and_never_said(serve: Serve, tmp_path: Path) -> None:
    shown = []

    async def look(request: web.Request) -> web.Response:
        shown.append(request.headers.get("Authorization"))
        return problem.response(Problem(HTTPStatus.UNAUTHORIZED, "no token that counts here"))

    app = web.Application()
    app.router.add_route("*", "/{any:.*}", look)
    file = tmp_path / "ann.token"
    file.write_text("s3cret\n")
    ran = await orchestrator("approvals", "--token-file", str(file), at=await serve(app))
    assert (shown, ran.status, "s3cret" in ran.out + ran.err) == (["Bearer s3cret"], 5, False)


@pytest.mark.parametrize(
    ("option", "value", "said"),
    [
        ("--url", "127.0.0.1:4001", "is not a URL like"),
        ("--token-file", "/nowhere/token", "No such file"),
        ("--ca-file", "/nowhere/ca.pem", "No such file"),
    ],
)
async def test_an_option_that_cannot_be_used_is_named(option: str, value: str, said: str) -> None:
    ran = await orchestrator("approvals", option, value)
    assert (ran.status, option in ran.err, said in ran.err) == (2, True, True)


def test_a_table_has_its_columns_below_each_other() -> None:
    rows = [("id", "what"), ("1", "a\x1b]0;b"), ("100", "c")]
    assert online.table(rows) == ["id   what", "1    a ]0;b", "100  c"]
