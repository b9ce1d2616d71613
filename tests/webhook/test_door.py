"""Who gets in where: every route by every role, tokens that change, and what the log says."""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable
from itertools import product
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from orchestrator.loopback import local_callers_only
from tests.conftest import Serve
from tests.webhook import make
from webhook import app, door, token
from webhook.door import CALLER, ROLES, BadTokenFile, Roll
from webhook.store.database import Store
from webhook.token import ALL, Caller, Role

READING = {Role.VIEWER, Role.OPERATOR, Role.ADMIN}
POSTING = {Role.ALERTMANAGER, Role.OPERATOR, Role.ADMIN}
EXPECTED = {
    "POST /alerts": POSTING,
    "GET /api/v1/events": READING,
    "GET /api/v1/incidents": READING,
    "GET /metrics": set(Role),
}
OPEN = ("/-/healthy", "/-/ready")


def _of(role: Role) -> str:
    return f"token-of-{role}"


def _line(role: Role, text: str) -> str:
    return token.line(Caller(name=f"my-{role}", role=role), text)


def _bearer(text: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {text}"}


def _write(path: Path, *lines: str) -> None:
    path.write_text("\n".join(lines))


def _break(path: Path, broken: bytes | None) -> None:
    path.unlink() if broken is None else path.write_bytes(broken)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Write a token for each role."""
    _write(tmp_path / "tokens", *(_line(role, _of(role)) for role in Role))
    return tmp_path / "tokens"


Start = Callable[[Roll | None], Awaitable[str]]


@pytest.fixture
def start(tmp_path: Path, serve: Serve) -> Start:
    """Serve a webhook behind a door."""

    async def started(roll: Roll | None) -> str:
        store, admitting = Store(tmp_path / "x.db"), door.admitting(roll)
        made = app.make(make.config(projects={}), store, version="1", admitting=admitting)
        return await serve(made)

    return started


async def _ask(
    http: aiohttp.ClientSession, url: str, route: str, headers: dict[str, str] | None = None
) -> int:
    method, at = route.split()
    body = make.body(make.alert()) if method == "POST" else None
    async with http.request(method, f"{url}{at}", data=body, headers=headers or {}) as response:
        return response.status


async def test_a_route_answers_the_roles_it_is_for_and_no_other(
    http: aiohttp.ClientSession, start: Start, path: Path
) -> None:
    url = await start(Roll(path))
    answers = {
        (route, role): await _ask(http, url, route, _bearer(_of(role)))
        for route, role in product(EXPECTED, Role)
    }
    assert answers == {
        (route, role): 200 if role in EXPECTED[route] else 403
        for route, role in product(EXPECTED, Role)
    }


@pytest.mark.parametrize("route", [f"{way} {at}" for way in ("GET", "HEAD") for at in OPEN])
async def test_anybody_may_ask_whether_it_lives(
    http: aiohttp.ClientSession, start: Start, path: Path, route: str
) -> None:
    url = await start(Roll(path))
    headers: list[dict[str, str]] = [{}, _bearer("wrong"), _bearer(_of(Role.ADMIN))]
    assert [await _ask(http, url, route, each) for each in headers] == [200] * 3


@pytest.mark.parametrize(
    ("route", "answers"),
    [
        ("GET /api/v1/none", [403, 403, 404, 403]),
        ("DELETE /alerts", [403, 403, 405, 403]),
        ("OPTIONS /metrics", [403, 403, 405, 403]),
        ("GET /alerts/", [403, 403, 404, 403]),
        ("GET /-/healthy/", [403, 403, 404, 403]),
        ("HEAD /metrics", [200, 200, 200, 200]),
    ],
)
async def test_what_is_in_no_table_is_for_admins(
    http: aiohttp.ClientSession, start: Start, path: Path, route: str, answers: list[int]
) -> None:
    url = await start(Roll(path))
    assert [await _ask(http, url, route, _bearer(_of(role))) for role in Role] == answers


@pytest.mark.parametrize("at", [*EXPECTED, "GET /none", "DELETE /alerts"])
async def test_without_a_token_that_counts_nothing_is_told_but_how_to_show_one(
    http: aiohttp.ClientSession, start: Start, path: Path, at: str
) -> None:
    url = await start(Roll(path))
    method, _, route = at.partition(" ")
    for headers in ({}, _bearer("wrong"), {"Authorization": "Basic bXktYWRtaW46"}):
        async with http.request(method, f"{url}{route}", headers=headers) as response:
            asked = response.headers.getall("WWW-Authenticate")
            assert (response.status, asked) == (
                401,
                ['Bearer realm="orchestrator"', 'Basic realm="orchestrator"'],
            )


async def test_a_token_may_be_the_password_of_its_name(
    http: aiohttp.ClientSession, start: Start, path: Path
) -> None:
    url = await start(Roll(path))
    logins = [("my-viewer", "viewer"), ("my-admin", "viewer"), ("my-viewer", "admin")]
    answers = []
    for name, role in logins:
        headers = {"Authorization": aiohttp.encode_basic_auth(name, _of(Role(role)))}
        answers.append(await _ask(http, url, "GET /metrics", headers))
    assert answers == [200, 401, 401]


async def test_two_authorizations_are_none(
    http: aiohttp.ClientSession, start: Start, path: Path
) -> None:
    url = await start(Roll(path))
    both = [("Authorization", f"Bearer {_of(role)}") for role in (Role.ADMIN, Role.VIEWER)]
    async with http.get(f"{url}/metrics", headers=both) as response:
        assert response.status == 401


async def test_a_handler_is_told_who_calls(
    http: aiohttp.ClientSession, serve: Serve, path: Path
) -> None:
    async def name(request: web.Request) -> web.Response:
        return web.Response(text=repr(request[CALLER]))

    answers = []
    for roll in (Roll(path), None):
        made = web.Application(middlewares=list(door.admitting(roll)))
        made.router.add_get("/metrics", name)
        made[ROLES] = {"GET /metrics": ALL}
        async with http.get(
            f"{await serve(made)}/metrics", headers=_bearer(_of(Role.VIEWER))
        ) as response:
            answers.append(await response.text())
    callers = [Caller(name="my-viewer", role=Role.VIEWER), Caller(name="local", role=Role.OPERATOR)]
    assert answers == [repr(each) for each in callers]


async def test_without_tokens_callers_are_operators_of_this_machine(
    http: aiohttp.ClientSession, start: Start
) -> None:
    url = await start(None)
    answers = [await _ask(http, url, route) for route in (*EXPECTED, "GET /none")]
    foreign = [{"Host": "evil.example"}, {"Origin": "http://evil.example"}]
    refused = [await _ask(http, url, "GET /-/healthy", each) for each in foreign]
    assert (answers, refused) == ([200, 200, 200, 200, 403], [403, 403])
    assert local_callers_only in door.LOOPBACK


async def test_with_tokens_it_goes_by_any_name_and_answers_its_own_pages(
    http: aiohttp.ClientSession, start: Start, path: Path
) -> None:
    url = await start(Roll(path))
    known = _bearer(_of(Role.VIEWER))
    named = {"Host": "webhook.example.org"}
    answers = [
        await _ask(http, url, "GET /metrics", {**known, **named}),
        await _ask(http, url, "GET /metrics", {**known, "Origin": "http://evil.example"}),
        await _ask(
            http, url, "GET /metrics", {**known, **named, "Origin": "http://webhook.example.org"}
        ),
    ]
    assert answers == [200, 403, 200]


async def test_e31_both_tokens_count_while_one_replaces_the_other(
    http: aiohttp.ClientSession, start: Start, path: Path
) -> None:
    url = await start(Roll(path))
    before, after = (_line(Role.ALERTMANAGER, each) for each in ("before", "after"))
    seen = []
    for lines in ([before], [before, after], [after]):
        _write(path, *lines)
        seen.append(
            [await _ask(http, url, "POST /alerts", _bearer(each)) for each in ("before", "after")]
        )
    assert seen == [[200, 401], [200, 200], [401, 200]]


@pytest.mark.parametrize("broken", [b"my-viewer viewer nonsense", b"", b"\xff", None])
async def test_a_file_with_a_mistake_leaves_the_former_tokens_and_is_told_once(
    http: aiohttp.ClientSession,
    start: Start,
    path: Path,
    caplog: pytest.LogCaptureFixture,
    broken: bytes | None,
) -> None:
    caplog.set_level(logging.INFO)
    roll, told = Roll(path), list[bool]()
    roll.tell(told.append)
    url = await start(roll)
    _break(path, broken)
    answers = [await _ask(http, url, "GET /metrics", _bearer(_of(Role.VIEWER))) for _ in range(3)]
    _write(path, _line(Role.VIEWER, "new"))
    answers += [
        await _ask(http, url, "GET /metrics", _bearer(each)) for each in ("new", _of(Role.VIEWER))
    ]
    levels = [each.levelname for each in caplog.records if each.name == door.__name__]
    assert (answers, told) == ([200, 200, 200, 200, 401], [True, False, True])
    assert levels == ["ERROR", "INFO", "WARNING"]


@pytest.mark.parametrize("written", [None, b"", b"ann admin secret", b"\xff"])
def test_a_roll_needs_a_good_file_to_begin_with(tmp_path: Path, written: bytes | None) -> None:
    path = tmp_path / "tokens"
    if written is not None:
        path.write_bytes(written)
    with pytest.raises(BadTokenFile) as refused:
        Roll(path)
    assert str(refused.value).startswith(f"{path}: ")
    assert "secret" not in str(refused.value)


async def test_what_is_refused_is_logged_with_no_secret(
    http: aiohttp.ClientSession, start: Start, path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    url = await start(Roll(path))
    basic = aiohttp.encode_basic_auth("my-viewer", "s3cret")
    refused = [("GET /metrics?key=s3cret", {"Authorization": basic})]
    refused += [("GET /metrics", _bearer("s3cret")), ("POST /alerts", _bearer(_of(Role.VIEWER)))]
    answers = [await _ask(http, url, route, headers) for route, headers in refused]
    found = [each for each in caplog.records if each.name == door.__name__]
    told = [(vars(each)["status"], vars(each)["path"], vars(each)["caller"]) for each in found]
    secrets = ("s3cret", basic, _of(Role.VIEWER))
    assert answers == [401, 401, 403]
    assert told == [(401, "/metrics", ""), (401, "/metrics", ""), (403, "/alerts", "my-viewer")]
    ours = [
        repr(vars(each)) for each in caplog.records if each.name != "aiohttp.access"
    ]  # unwritten
    assert [each for each in ours if any(secret in each for secret in secrets)] == []


async def test_no_header_makes_it_fail(start: Start, path: Path) -> None:
    url = await start(Roll(path))
    chance = random.Random(31)  # noqa: S311  a seed, no secret
    schemes = (b"Bearer ", b"Basic ", b"basic\t", b"", b"Digest ")
    seen = set()
    for _ in range(200):
        junk = chance.choice(schemes) + chance.randbytes(chance.randrange(40))
        header = junk.translate(None, b"\r\n\0")
        reader, writer = await asyncio.open_connection("127.0.0.1", int(url.rpartition(":")[2]))
        writer.write(b"GET /metrics HTTP/1.1\r\nHost: a\r\nAuthorization: " + header + b"\r\n\r\n")
        seen.add((await reader.readline()).split()[1])
        writer.close()
        await writer.wait_closed()
    assert seen <= {b"400", b"401"}
    assert b"401" in seen
