"""People, as Alertmanager knows them: a receiver that keeps every alert that it is told of."""

import uuid
from typing import Any

import pytest
import yaml
from aiohttp import web

from tests.cases import mesh
from tests.cases.mesh import Edit
from tests.conftest import Serve
from tests.e2e.conftest import Live
from tests.waiting import until

Json = dict[str, Any]

OURS = "orchestrator"  # the label `source` of what the webhook itself asks of people


class People:
    """What they were told by us, the oldest first. Lives as long as the test."""

    def __init__(self) -> None:
        self.told: list[Json] = []
        self.url = ""

    async def answer(self, serve: Serve) -> None:
        """Take what Alertmanager sends from now on."""
        app = web.Application()
        app.router.add_post("/", self._take)
        self.url = await serve(app)

    async def _take(self, request: web.Request) -> web.Response:
        alerts = (await request.json())["alerts"]
        self.told += [each for each in alerts if each["labels"].get("source") == OURS]
        return web.Response()

    def heard(self, alertname: str) -> list[str]:
        """Return the statuses of what they were told under this name, each only as it changed."""
        told = [each["status"] for each in self.told if each["labels"]["alertname"] == alertname]
        return [each for place, each in enumerate(told) if place == 0 or told[place - 1] != each]

    async def until_heard(self, alertname: str, *statuses: str, within: float = 30) -> Json:
        """Wait until they were told exactly so; return what they were told last."""

        async def told() -> bool:
            return self.heard(alertname) == [*statuses]

        await until(told, within=within, what=f"people told {alertname} {statuses}")
        return [each for each in self.told if each["labels"]["alertname"] == alertname][-1]

    def calling(self) -> Edit:
        """Return the edit of the routing by which they are told, and soon of the end, too."""

        def edit(config: Json) -> None:
            mesh.receiver(config, "people")["webhook_configs"] = [{"url": self.url}]
            first = config["route"]["routes"][0]
            assert first["matchers"] == [f'source="{OURS}"']
            first["group_interval"] = "1s"

        return edit

    async def called_by(self, live: Live) -> None:
        """Let the Alertmanager of a stack tell them."""
        path = live.stack.folder / "alertmanager.yml"
        config = yaml.safe_load(path.read_text(encoding="utf-8"))
        self.calling()(config)
        path.write_text(yaml.safe_dump(config, sort_keys=False), encoding="utf-8")
        async with live.session.post(f"{live.stack.url('alertmanager')}/-/reload") as response:
            response.raise_for_status()


@pytest.fixture
async def people(serve: Serve) -> People:
    """Let somebody take what people are told."""
    made = People()
    await made.answer(serve)
    return made


async def tell(live: Live, project: str, action: str) -> None:
    """Tell a project to do something, as a human at the supervisor does."""
    url = f"{live.stack.url('supervisor')}/control/{project}"
    headers = {"Idempotency-Key": str(uuid.uuid4())}
    async with live.session.post(url, json={"action": action}, headers=headers) as response:
        assert (await response.json())["state"] == "completed"


async def reconfigure(live: Live, edit: Edit) -> None:
    """Change the configuration of a running stack, and wait until the webhook goes by it."""
    path = live.stack.folder / "orchestrator.yml"
    config = yaml.safe_load(path.read_text(encoding="utf-8"))
    edit(config)
    before = await _taken(live)
    path.write_text(yaml.safe_dump(config, sort_keys=False), encoding="utf-8")

    async def taken() -> bool:
        return await _taken(live) > before

    await until(taken, within=10, what="the new configuration at the webhook")


async def _taken(live: Live) -> float:
    async with live.session.get(f"{live.stack.url('webhook')}/metrics") as response:
        page = await response.text()
    name = "webhook_config_last_reload_success_timestamp_seconds "
    [line] = [each for each in page.splitlines() if each.startswith(name)]
    return float(line.removeprefix(name))
