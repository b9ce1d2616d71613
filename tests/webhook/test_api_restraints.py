"""Holds, maintenance and the kill switch, over real sockets."""

from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.conftest import Serve
from tests.webhook import make
from webhook import app
from webhook.problem import TYPE
from webhook.store.database import Store

Json = dict[str, Any]


@pytest.fixture
async def url(tmp_path: Path, serve: Serve) -> str:
    """Serve a webhook with email-blast, at its restraints."""
    made = app.make(make.config(), Store(tmp_path / "x.db"), version="1")
    return f"{await serve(made)}/api/v1/restraints"


async def _said(response: aiohttp.ClientResponse) -> Json:
    found: Json = await response.json(content_type=None)
    return found


async def _set(http: aiohttp.ClientSession, url: str, **said: object) -> tuple[int, Json]:
    given = {"kind": "hold", "project": "email-blast", "for": "2h", "reason": "moving"}
    body = {key: value for key, value in {**given, **said}.items() if value is not None}
    async with http.post(url, json=body) as response:
        return response.status, await _said(response)


async def _lift(http: aiohttp.ClientSession, url: str, number: int) -> tuple[int, Json]:
    async with http.post(f"{url}/{number}/lift") as response:
        return response.status, await _said(response)


async def _list(http: aiohttp.ClientSession, url: str, query: str = "") -> list[int]:
    async with http.get(f"{url}?{query}") as response:
        return [each["id"] for each in (await _said(response))["restraints"]]


async def test_a_hold_is_shown_with_who_set_it_and_until_when(
    http: aiohttp.ClientSession, url: str
) -> None:
    status, held = await _set(http, url)
    async with http.get(f"{url}/1") as response:
        assert await _said(response) == held
    assert (held.pop("set_at")[:2], held.pop("ends_at")[:2]) == ("20", "20")
    assert (status, held) == (
        201,
        {
            "id": 1,
            "kind": "hold",
            "project": "email-blast",
            "state": "in_force",
            "reason": "moving",
            "set_by": "local",
            "starts_at": None,
            "lifted_by": None,
            "lifted_at": None,
        },
    )


async def test_what_is_lifted_is_not_listed_and_cannot_be_lifted_again(
    http: aiohttp.ClientSession, url: str
) -> None:
    await _set(http, url)
    first, second = await _lift(http, url, 1), await _lift(http, url, 1)
    assert (first[0], first[1]["state"], first[1]["lifted_by"]) == (200, "lifted", "local")
    assert (second[0], second[1]["detail"]) == (409, "hold 1 is lifted by local already")
    assert (await _list(http, url), await _list(http, url, "all=true")) == ([], [1])


async def test_a_list_is_of_a_kind_and_of_a_project(http: aiohttp.ClientSession, url: str) -> None:
    await _set(http, url)
    await _set(http, url, kind="kill_switch", project=None)
    found = [
        await _list(http, url, query)
        for query in ("kind=hold", "kind=maintenance", "project=email-blast", "project=chatbot")
    ]
    assert found == [[1], [], [2, 1], [2]]


async def test_a_list_comes_in_pages(http: aiohttp.ClientSession, url: str) -> None:
    for _ in range(3):
        await _set(http, url)
    async with http.get(f"{url}?limit=2") as response:
        first = await _said(response)
    assert ([each["id"] for each in first["restraints"]], first["next"]) == ([3, 2], 2)
    assert await _list(http, url, f"limit=2&before={first['next']}") == [1]
    assert await _list(http, url, "before=0") == []


async def test_maintenance_can_begin_later(http: aiohttp.ClientSession, url: str) -> None:
    status, made = await _set(
        http, url, kind="maintenance", project=None, starts_at="2100-01-01T00:00:00Z"
    )
    assert (status, made["detail"]) == (400, "it begins in more than a year; plan it later")
    async with http.get(url) as response:
        assert (await _said(response))["restraints"] == []


@pytest.mark.parametrize(
    ("said", "status", "detail"),
    [
        ({"project": "email-blsat"}, 404, "no project email-blsat; did you mean email-blast?"),
        ({"project": "\u202e<script>"}, 404, "there is no project"),
        ({"for": "2 hours"}, 400, "'2 hours' is not a duration"),
        ({"for": 2}, 400, "body.for: not a duration"),
        ({"for": None, "ends_at": "0001-01-01T00:00:00+01:00"}, 400, "outside of the calendar"),
        ({"for": None, "ends_at": "2026-11-21T12:00:00"}, 400, "has no UTC offset"),
        ({"for": None, "ends_at": 7}, 400, "not an instant"),
        ({"for": None}, 400, "say how long"),
        ({"for": "31d"}, 400, "more than 30 days"),
        ({"reason": ""}, 400, "body.reason"),
        ({"reason": " \t\u2003"}, 400, "body.reason: has nothing but blanks"),
        ({"kind": "curfew"}, 400, "body.kind"),
        ({"length": "2h"}, 400, "body.length: is not known here"),
    ],
)
async def test_what_cannot_be_meant_is_a_problem_that_says_so(
    http: aiohttp.ClientSession, url: str, said: Json, status: int, detail: str
) -> None:
    answered, problem = await _set(http, url, **said)
    assert answered == status
    assert detail in problem["detail"]
    assert await _list(http, url, "all=true") == []


async def test_one_that_is_not_there_is_a_problem(http: aiohttp.ClientSession, url: str) -> None:
    async with http.get(f"{url}/7") as response:
        assert (response.status, response.content_type) == (404, TYPE)
    assert (await _lift(http, url, 7))[1]["detail"] == "there is no restraint 7"
