"""An action asked for over HTTP, from the request to its end in a project that really is there."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from orchestrator.project import Mode
from tests.conftest import Serve
from tests.waiting import until
from tests.webhook import make
from tests.webhook.service import Service, served
from webhook.request import FORCIBLE

Json = dict[str, Any]
Run = Callable[..., Awaitable[str]]


@pytest.fixture
def service() -> Service:
    return Service()


@pytest.fixture
def run(service: Service, serve: Serve, tmp_path: Path) -> Run:
    """Serve a webhook beside the service."""
    return partial(served, service, serve, tmp_path)


async def _act(
    http: aiohttp.ClientSession, url: str, project: str = "email-blast", **said: object
) -> tuple[int, Json]:
    body = {"action": "restart_service", "reason": "it hangs", **said}
    async with http.post(f"{url}/api/v1/projects/{project}/actions", json=body) as response:
        return response.status, await response.json(content_type=None)


async def _shown(http: aiohttp.ClientSession, url: str, number: int = 1) -> Json:
    async with http.get(f"{url}/api/v1/requests/{number}") as response:
        found: Json = await response.json(content_type=None)
        return found


async def _ended(http: aiohttp.ClientSession, url: str, number: int = 1) -> Json:
    async def over() -> Json | None:
        found = await _shown(http, url, number)
        done = found["outcome"] in ("refused", "expired") or found["action_state"] in (
            "completed",
            "failed",
        )
        return found if done else None

    return await until(over, within=20, what="the end of the request")


async def test_a_restart_by_hand_is_sent_proven_and_told_of(
    http: aiohttp.ClientSession, service: Service, run: Run
) -> None:
    url = await run()
    assert await _act(http, url) == (202, {"request": 1, "incident": 1, "after": 1})
    ended = await _ended(http, url)
    async with http.get(f"{url}/api/v1/events?after=1") as response:
        events = (await response.json())["events"]
    assert [each["name"] for each in events] == [
        "ActionStarted",
        "ActionExecuted",
        "RecoveryObserved",
        "ActionProven",
        "IncidentClosed",
    ]
    key = ended.pop("key")
    assert ([key], ended.pop("asked_at") < ended.pop("expires_at")) == (service.keys, True)
    assert ended.pop("ended_at")
    assert ended == {
        "id": 1,
        "project": "email-blast",
        "action": "restart_service",
        "reason": "it hangs",
        "forced": [],
        "asked_by": "local",
        "incident": 1,
        "outcome": "taken",
        "why": None,
        "guard": None,
        "forcible": False,
        "until": None,
        "overrode": [],
        "action_state": "completed",
        "action_detail": "proven",
        "incident_state": "closed",
        "incident_held": None,
    }


async def test_a_pause_by_hand_is_left_so(
    http: aiohttp.ClientSession, service: Service, run: Run
) -> None:
    url = await run()
    await _act(http, url, action="pause_service")
    ended = await _ended(http, url)
    assert (ended["action_state"], ended["incident_state"], service.health) == (
        "completed",
        "closed",
        "paused",
    )


async def test_one_that_does_not_help_has_failed_and_nobody_is_called(
    http: aiohttp.ClientSession, service: Service, run: Run
) -> None:
    service.health, service.heals = "ill", False
    url = await run()
    await _act(http, url)
    ended = await _ended(http, url)
    assert (ended["action_state"], ended["incident_state"]) == ("failed", "closed")
    async with http.get(f"{url}/api/v1/events") as response:
        names = {each["name"] for each in (await response.json())["events"]}
    assert "ESCALATION_REQUIRED" not in names


async def test_a_guard_refuses_the_second_until_it_is_named(
    http: aiohttp.ClientSession, service: Service, run: Run
) -> None:
    url = await run()
    await _act(http, url)
    first = await _ended(http, url, 1)
    await _act(http, url)
    second = await _ended(http, url, 2)
    await _act(http, url, force=["cooldown"])
    third = await _ended(http, url, 3)
    seen = [(each["outcome"], each["guard"], each["overrode"]) for each in (first, second, third)]
    assert seen == [
        ("taken", None, []),
        ("refused", "cooldown", []),
        ("taken", None, ["cooldown"]),
    ]
    assert (second["forcible"], second["until"] > second["ended_at"]) == (True, True)
    assert len(service.keys) == 2


async def test_where_only_observing_is_wanted_nothing_goes_out(
    http: aiohttp.ClientSession, service: Service, run: Run
) -> None:
    project = make.project(mode=Mode.OBSERVE)
    url = await run(projects={"email-blast": project})
    await _act(http, url, force=list(FORCIBLE))
    ended = await _ended(http, url)
    assert (ended["guard"], ended["forcible"], service.keys) == ("observe", False, [])


async def test_what_is_under_way_is_a_conflict(
    http: aiohttp.ClientSession, service: Service, run: Run
) -> None:
    url = await run()
    service.at_work.clear()
    await _act(http, url)

    async def sent() -> bool:
        return bool(service.keys)

    await until(sent, within=10, what="the command")
    status, problem = await _act(http, url)
    service.at_work.set()
    await _ended(http, url)
    assert (status, problem["detail"]) == (
        409,
        "restart_service is under way (incident 1); ask again when it has ended",
    )


async def test_of_many_who_ask_at_once_one_is_heard(
    http: aiohttp.ClientSession, service: Service, run: Run
) -> None:
    url = await run()
    answers = await asyncio.gather(*(_act(http, url) for _ in range(8)))
    await _ended(http, url)
    assert sorted(status for status, _ in answers) == [202, *[409] * 7]
    assert len(service.keys) == 1


@pytest.mark.parametrize(
    ("said", "status", "detail"),
    [
        ({"project": "email-blsat"}, 404, "did you mean email-blast?"),
        ({"action": "reboot"}, 400, "'reboot' is no action; known: restart_service"),
        ({"action": "command:none"}, 400, "'command:none' is no action"),
        ({"action": ""}, 400, "body.action"),
        ({"reason": ""}, 400, "body.reason"),
        ({"reason": None}, 400, "body.reason"),
        ({"force": ["coldown"]}, 400, "'coldown' is no guard; known: maintenance, hold"),
        ({"force": ["kill_switch"]}, 400, "kill_switch cannot be overridden; lift it first"),
        ({"force": ["observe"]}, 400, "observe cannot be overridden"),
        ({"force": "hold"}, 400, "body.force"),
        ({"forced": ["hold"]}, 400, "body.forced: is not known here"),
    ],
)
async def test_what_cannot_be_meant_is_a_problem_that_says_so(
    http: aiohttp.ClientSession, run: Run, said: Json, status: int, detail: str
) -> None:
    url = await run()
    answered, problem = await _act(http, url, **said)
    assert answered == status
    assert detail in problem["detail"]
    assert (await _shown(http, url))["detail"] == "there is no request 1"


async def test_a_reason_is_kept_as_one_line_that_holds_no_secret(
    http: aiohttp.ClientSession, run: Run
) -> None:
    url = await run()
    await _act(http, url, reason="\x1b[31mlook\nhere password=hunter2 <!channel>")
    shown = await _ended(http, url)
    assert shown["reason"] == "[31mlook here password=*** \u2039!channel\u203a"
