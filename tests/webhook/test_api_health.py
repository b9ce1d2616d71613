"""The webhook as a project of the fleet: what it answers, and what the exporter makes of it."""

from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from orchestrator import fetch, probe
from orchestrator.health import State
from orchestrator.project import Paths
from orchestrator.version import VERSION
from tests.conftest import Serve
from tests.waiting import until
from tests.webhook import make
from webhook import app
from webhook.api import system
from webhook.api.desk import DESK
from webhook.store.database import Store


@pytest.fixture
def made(tmp_path: Path) -> web.Application:
    """Put together a webhook that has no project to touch."""
    return app.make(make.config(projects={}), Store(tmp_path / "x.db"), version="1")


@pytest.fixture
async def url(made: web.Application, serve: Serve, http: aiohttp.ClientSession) -> str:
    """Serve it; its stages go round."""
    url = await serve(made)

    async def ready() -> bool:
        async with http.get(f"{url}/-/ready") as response:
            return response.status == 200

    await until(ready, within=10, what="its stages")
    return url


async def test_it_tells_its_health_as_the_contract_has_it(
    http: aiohttp.ClientSession, url: str
) -> None:
    async with http.get(f"{url}/health") as response:
        assert (response.status, await response.json()) == (
            200,
            {"status": "healthy", "version": VERSION},
        )


async def test_a_stage_that_stands_is_down_and_says_which(
    http: aiohttp.ClientSession, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(system, "STALLED_AFTER", -60)
    async with http.get(f"{url}/health") as response:
        status, said = response.status, await response.json()
    assert (status, said["status"], said["detail"][:9]) == (503, "down", "stalled: ")


async def test_it_tells_what_waits(http: aiohttp.ClientSession, url: str) -> None:
    alert = make.alert(project="unheard-of")
    async with http.post(f"{url}/alerts", data=make.body(alert)) as response:
        assert response.status == 200

    async def told() -> bool:
        async with http.get(f"{url}/status") as response:
            waits: dict[str, int] = await response.json()
        return waits == {"queue_length": 0, "incidents_open": 1, "approvals_waiting": 0}

    await until(told, within=10, what="one incident, taken up")


async def test_the_probe_of_the_exporter_finds_it_up_and_down_when_it_closes(
    url: str, made: web.Application
) -> None:
    hub = make.project(name="orchestrator", url=url, paths=Paths(metrics=None, logs=None))
    async with fetch.connections(keep=False) as ways:
        up = await probe.ask(ways, hub)
        made[DESK].reception.closing = True
        down = await probe.ask(ways, hub)
    assert [(up.state, up.reason, up.version), down.state] == [
        (State.HEALTHY, None, VERSION),
        State.DOWN,
    ]
