"""An operation: what is asked is checked before anybody works on it, and every mistake is named."""

import asyncio
import json
from http import HTTPStatus
from typing import Annotated

import aiohttp
import pytest
from aiohttp import web
from pydantic import Field

from tests.conftest import Serve
from webhook import door
from webhook.api import operation
from webhook.api.desk import DESK, Desk
from webhook.api.operation import Answer, Body, Call, Older, Query, Reason, Table
from webhook.token import OPERATORS, READERS

table = Table("things")


class Wanted(Query):
    """A query."""

    color: Annotated[str, Field(min_length=1)]
    limit: Annotated[int, Field(ge=1)] = 5


class Thing(Body):
    """A body."""

    reason: Reason
    many: int = 1


class Made(Answer):
    """An answer."""

    id: int
    said: str


@table.get("/things/{id}", roles=READERS, query=Wanted, answer=Made)
async def look(call: Call) -> Made:
    """Look at a thing."""
    return Made(id=call.number(), said=call.asked(Wanted).color)


@table.post("/things/{project}", roles=OPERATORS, body=Thing, answer=Made, status=HTTPStatus(202))
async def make(call: Call) -> Made:
    """Make a thing."""
    said = call.said(Thing)
    return Made(id=said.many, said=f"{call.caller.name} {call.word('project')} {said.reason}")


@pytest.fixture
async def url(serve: Serve, idle: Desk) -> str:
    """Serve the table, and nothing else."""
    app = web.Application(middlewares=list(door.LOOPBACK))
    app[DESK] = idle
    app[door.ROLES] = {f"{each.method} {each.path}": each.roles for each in table.operations}
    app.router.add_routes([each.route for each in table.operations])
    return await serve(app)


@pytest.fixture
def idle() -> Desk:
    """Return what none of these operations touches."""
    return Desk.__new__(Desk)


async def _get(http: aiohttp.ClientSession, url: str) -> tuple[int, object]:
    async with http.get(url) as response:
        told = json.loads(await response.text())
        return response.status, told.get("detail", told)


async def _post(http: aiohttp.ClientSession, url: str, body: bytes) -> tuple[int, object]:
    headers = {"Content-Type": "application/json"}
    async with http.post(url, data=body, headers=headers) as response:
        told = json.loads(await response.text())
        return response.status, told.get("detail", told)


async def test_a_good_question_is_answered(http: aiohttp.ClientSession, url: str) -> None:
    assert await _get(http, f"{url}/things/7?color=red") == (200, {"id": 7, "said": "red"})


@pytest.mark.parametrize(
    ("at", "told"),
    [
        ("7", (400, "query.color: is missing")),
        ("7?color=red&limit=x", (400, "query.limit: Input should be a valid integer, unable")),
        ("7?color=red&size=1&limit=0", (400, "query.limit: Input should be greater than or equal")),
        ("7?color=red&color=blue", (400, "color: stands twice in the query")),
        ("x?color=red", (403, "operator: this is not among what you may ask")),
    ],
)
async def test_a_bad_question_is_told_where_it_is_wrong(
    http: aiohttp.ClientSession, url: str, at: str, told: tuple[int, str]
) -> None:
    status, detail = await _get(http, f"{url}/things/{at}")
    assert (status, str(detail)[: len(told[1])]) == told


async def test_every_mistake_is_named_and_nothing_of_what_was_sent_is_repeated(
    http: aiohttp.ClientSession, url: str
) -> None:
    headers = {"Content-Type": "application/json"}
    sent = b'{"many": "s3cret", "token": "s3cret"}'
    async with http.post(f"{url}/things/a", data=sent, headers=headers) as response:
        text = await response.text()
    assert [each["where"] for each in json.loads(text)["errors"]] == [
        "body.reason",
        "body.many",
        "body.token",
    ]
    assert "s3cret" not in text


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b'{"reason": "seen"}', 202),
        (b'{"reason": ""}', 400),
        (b'{"reason": " \\t\\u001c"}', 400),
        (b'{"reason": 5}', 400),
        (b"", 400),
        (b"null", 400),
        (b"[" * 100_000, 413),
        (b"[" * 60_000, 400),
        (b'{"reason": "\\ud800"}', 400),
        (b'{"reason": "\xff"}', 400),
        (b'{"reason": "x", "many": 1e999}', 400),
        (b'{"reason": "' + b"x" * 501 + b'"}', 400),
    ],
)
async def test_a_body_is_what_it_should_be_or_refused(
    http: aiohttp.ClientSession, url: str, body: bytes, status: int
) -> None:
    assert (await _post(http, f"{url}/things/a", body))[0] == status


async def test_a_reason_is_kept_without_the_blanks_around_it(
    http: aiohttp.ClientSession, url: str
) -> None:
    answer = await _post(http, f"{url}/things/a", b'{"reason": "  seen, go\\n"}')
    assert answer == (202, {"id": 1, "said": "local a seen, go"})


def test_that_a_reason_is_not_blank_is_in_the_description() -> None:
    assert Thing.model_json_schema()["properties"]["reason"]["pattern"] == r"\S"


async def test_a_body_that_does_not_come_is_not_waited_for(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(operation, "BODY_WITHIN", 0.2)
    reader, writer = await asyncio.open_connection("127.0.0.1", int(url.rpartition(":")[2]))
    head = "POST /things/a HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    writer.write(f"{head}Content-Length: 20\r\n\r\n{{".encode())
    assert (await reader.readline()).split()[1] == b"408"
    writer.close()


async def test_a_form_of_a_page_elsewhere_is_no_body(http: aiohttp.ClientSession, url: str) -> None:
    async with http.post(f"{url}/things/a", data={"reason": "x"}) as response:
        assert response.status == 415


def test_what_an_operation_is_asked_for_is_of_its_own_kind() -> None:
    call = Call(request=None, desk=None, query=Older(), body=None)  # type: ignore[arg-type]
    assert call.asked(Older).limit == 50
    with pytest.raises(AssertionError):
        call.asked(Wanted)
