"""Everything that docker-compose.yml starts works together, but for what only an engine does."""

import asyncio
from collections.abc import Iterator
from typing import Any

import aiohttp
import pytest

from orchestrator.demo.binaries import Binaries
from tests.deploy.town import Town, standing
from tests.waiting import until

pytestmark = [pytest.mark.e2e, pytest.mark.long]


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory, newest: Binaries) -> Iterator[Town]:
    """Run all of it, until each is healthy by its own check."""
    with standing(tmp_path_factory.mktemp("town"), newest) as running:
        asyncio.run(running.well())
        yield running


async def _read(http: aiohttp.ClientSession, url: str, **more: Any) -> Any:  # noqa: ANN401  JSON
    async with http.get(url, **more) as answer:
        return await answer.json()


async def _status(http: aiohttp.ClientSession, method: str, url: str, **more: Any) -> int:  # noqa: ANN401  as aiohttp has it
    async with http.request(method, url, **more) as answer:
        return answer.status


async def test_prometheus_reaches_every_target_with_what_it_has_to_show(
    town: Town, http: aiohttp.ClientSession
) -> None:
    async def healths() -> set[tuple[str, str]] | None:
        url = f"{town.url('prometheus', 9090)}/api/v1/targets"
        found = (await _read(http, url))["data"]["activeTargets"]
        pairs = {(each["scrapePool"], each["health"]) for each in found}
        return pairs if not any(health == "unknown" for _, health in pairs) else None

    assert await until(healths, within=60, what="each target asked") == {
        ("exporter-health", "up"),
        ("exporter-resources", "up"),
        ("webhook", "up"),
        ("prometheus", "up"),
        ("alertmanager", "up"),
        ("grafana", "down"),  # of which there is no program here
    }


async def test_the_two_alertmanagers_know_each_other(
    town: Town, http: aiohttp.ClientSession
) -> None:
    peers = [
        len((await _read(http, f"{town.url(name, 9093)}/api/v2/status"))["cluster"]["peers"])
        for name in ("alertmanager-1", "alertmanager-2")
    ]
    assert peers == [2, 2]


async def test_strangers_are_told_nothing_and_change_nothing(
    town: Town, http: aiohttp.ClientSession
) -> None:
    asked = {
        "exporter": ("GET", f"{town.url('exporter', 4010)}/metrics"),
        "alerts": ("POST", f"{town.url('webhook', 4001)}/alerts"),
        "events": ("GET", f"{town.url('webhook', 4001)}/api/v1/events"),
        "supervisor": ("POST", f"{town.url('supervisor', 3009)}/control/chatbot"),
        "project": ("POST", f"{town.url('projects', 3011)}/control"),
    }
    answered = {name: await _status(http, *each) for name, each in asked.items()}
    assert answered == {
        "exporter": 401,
        "alerts": 401,
        "events": 401,
        "supervisor": 401,
        "project": 405,
    }


async def test_a_killed_project_is_restarted_through_the_door_and_proven(
    town: Town, http: aiohttp.ClientSession
) -> None:
    shown = {"Authorization": f"Bearer {town.secret('admin.token')}"}
    events = f"{town.url('webhook', 4001)}/api/v1/events"

    async def states() -> bool:
        query = {"query": 'project_up{project="email-blast"} == 1'}
        url = f"{town.url('prometheus', 9090)}/api/v1/query"
        return bool((await _read(http, url, params=query))["data"]["result"])

    await until(states, within=30, what="email-blast known to Prometheus")
    fault = f"{town.url('fleet', 3009)}/faults/email-blast/process_killed"
    assert await _status(http, "POST", fault) == 200

    async def resolved() -> list[str] | None:
        found = (await _read(http, events, headers=shown))["events"]
        named = [each["name"] for each in found if each["project"] == "email-blast"]
        return named if "PROBLEM_RESOLVED" in named else None

    told = await until(resolved, within=60, what="email-blast resolved")
    # On a busy machine Prometheus may lag behind the probe, and the guards rightly wait for it.
    done = [name for name in told if name.startswith("Action") and name != "ActionWithheld"]
    assert done == ["ActionStarted", "ActionExecuted"]
