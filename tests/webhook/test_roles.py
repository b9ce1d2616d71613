"""Every route by every caller: the table is written out here, and asked over a real socket."""

import re
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from tests.conftest import Serve
from tests.webhook import make
from tests.webhook.problems import said
from webhook import app, door, token
from webhook.api import TABLES, anomaly
from webhook.api.description import describe
from webhook.door import Roll
from webhook.store.database import Store
from webhook.token import Caller, Role

ALL = (*TABLES, anomaly.table)
OPERATIONS = [each for table in ALL for each in table.operations]
NOBODY, STRANGER = "nobody", "stranger"  # without a token, and with one that is none
INITIALS: dict[str, str] = {
    "v": Role.VIEWER,
    "o": Role.OPERATOR,
    "a": Role.ADMIN,
    "m": Role.ALERTMANAGER,
    "n": NOBODY,
    "s": STRANGER,
}
READ, OPERATE, ANYBODY = "voa", "oa", "voamns"
EXPECTED = {
    "POST /alerts": "oam",
    "POST /api/test/anomaly": OPERATE,
    "GET /api/docs": READ,
    "GET /api/v1/analyzer": READ,
    "GET /api/v1/analyzer/report": READ,
    "GET /api/v1/approvals": READ,
    "GET /api/v1/approvals/{id}": READ,
    "POST /api/v1/approvals/{id}/approve": OPERATE,
    "POST /api/v1/approvals/{id}/reject": OPERATE,
    "GET /api/v1/audit": READ,
    "GET /api/v1/audit/head": READ,
    "GET /api/v1/events": READ,
    "GET /api/v1/fleet": READ,
    "GET /api/v1/history": READ,
    "GET /api/v1/incidents": READ,
    "GET /api/v1/incidents/{id}": READ,
    "GET /api/v1/incidents/{id}/analyses": READ,
    "POST /api/v1/incidents/{id}/acknowledge": OPERATE,
    "POST /api/v1/projects/{project}/actions": OPERATE,
    "GET /api/v1/requests/{id}": READ,
    "GET /api/v1/restraints": READ,
    "GET /api/v1/restraints/{id}": READ,
    "POST /api/v1/restraints": OPERATE,
    "POST /api/v1/restraints/{id}/lift": OPERATE,
    "GET /approvals": READ,
    "GET /approvals/{id}": READ,
    "GET /incidents": READ,
    "GET /incidents/{id}": READ,
    "GET /ws": READ,
    "GET /metrics": "voam",
    "GET /status": READ,
    "GET /health": ANYBODY,
    "GET /-/healthy": ANYBODY,
    "GET /-/ready": ANYBODY,
}


@pytest.fixture
def made(tmp_path: Path) -> web.Application:
    """Put together a webhook that knows a token of each role, and has every route there is."""
    lines = [token.line(Caller(name=f"my-{role}", role=role), f"token-of-{role}") for role in Role]
    (tmp_path / "tokens").write_text("\n".join(lines))
    store, admitting = Store(tmp_path / "x.db"), door.admitting(Roll(tmp_path / "tokens"))
    config = make.config(projects={})
    return app.make(config, store, version="1", admitting=admitting, test_calls=True)


def _headers(caller: str) -> dict[str, str]:
    return {} if caller == NOBODY else {"Authorization": f"Bearer token-of-{caller}"}


async def _answer(http: aiohttp.ClientSession, url: str, route: str, caller: str) -> int:
    """Ask, with a body that is none where there has to be one; every refusal is a problem."""
    method, path = route.split()
    at = f"{url}{path.format(id=999, project='unknown')}"
    async with http.request(method, at, headers=_headers(caller)) as response:
        if response.status >= 400 and path not in ("/health", "/-/ready"):
            assert await said(response)
        return response.status


def _let_in(status: int) -> bool:
    return status not in (401, 403)


async def test_every_route_lets_in_whom_it_is_for_and_nobody_else(
    http: aiohttp.ClientSession, serve: Serve, made: web.Application
) -> None:
    url = await serve(made)
    answers = {
        route: {caller: await _answer(http, url, route, caller) for caller in INITIALS.values()}
        for route in EXPECTED
    }
    found = {
        route: "".join(letter for letter, who in INITIALS.items() if _let_in(by_caller[who]))
        for route, by_caller in answers.items()
    }
    assert found == EXPECTED
    refused = {
        (who, status)
        for by_caller in answers.values()
        for who, status in by_caller.items()
        if not _let_in(status)
    }
    assert refused == {
        *((Role.VIEWER, 403), (Role.ALERTMANAGER, 403)),
        *((NOBODY, 401), (STRANGER, 401)),
    }


def test_the_table_has_every_route_and_no_other(made: web.Application) -> None:
    routes = {
        f"{each.method} {each.resource.canonical}"
        for each in made.router.routes()
        if each.resource and each.method != "HEAD"
    }
    assert routes == EXPECTED.keys()


def test_the_description_has_every_route_with_its_roles_and_no_other() -> None:
    described = describe(ALL, version="1")["paths"]
    found = {
        f"{method.upper()} {path}": each["x-roles"]
        for path, methods in described.items()
        for method, each in methods.items()
    }
    assert found == {
        route: None if who == ANYBODY else sorted(INITIALS[letter] for letter in who)
        for route, who in EXPECTED.items()
    }


def test_no_two_shapes_of_the_description_share_a_name() -> None:
    shapes = {
        shape for each in OPERATIONS for shape in (each.body, each.answer, *each.also.values())
    }
    names = [shape.__name__ for shape in shapes if shape]
    assert sorted(names) == sorted(set(names))


def _keys(part: object) -> set[str]:
    """Return every key of a schema."""
    if isinstance(part, dict):
        return set(part) | {key for each in part.values() for key in _keys(each)}
    if isinstance(part, list):
        return {key for each in part for key in _keys(each)}
    return set()


def test_a_bound_is_described_as_a_bound() -> None:
    """Pydantic writes `ge` where it does not know what to make of it; nobody reads that."""
    found = _keys(describe(ALL, version="1"))
    assert found & {"ge", "gt", "le", "lt", "min_length", "max_length"} == set()


def test_every_operation_has_a_name_of_its_own_and_says_what_it_does() -> None:
    names = [each.name for each in OPERATIONS]
    mute = [each.name for each in OPERATIONS if not re.match(r"[A-Z].*\.\n?", each.said)]
    assert (sorted(names), mute) == (sorted(set(names)), [])


def test_the_guide_has_every_route_with_its_roles_and_no_other() -> None:
    guide = (Path(__file__).parents[2] / "docs" / "api.md").read_text(encoding="utf-8")
    told = dict(re.findall(r"^\| `([A-Z]+ /[^`]*)` \| ([a-z, ]+) \|", guide, re.MULTILINE))
    assert told == {
        route: "anybody" if who == ANYBODY else ", ".join(INITIALS[letter] for letter in who)
        for route, who in EXPECTED.items()
    }
