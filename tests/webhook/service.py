"""A project for a webhook under test: its health, and a control that does each key once."""

import asyncio
from dataclasses import dataclass, field
from pathlib import Path

from aiohttp import web

from orchestrator.config import Config, Verification
from orchestrator.project import Control
from tests.conftest import Serve
from tests.webhook import make
from tests.webhook.make import SECOND
from webhook import app
from webhook.store.database import Store

PROOF = Verification(recover_within=SECOND, prove_within=SECOND, every=SECOND / 20)


@dataclass(slots=True, eq=False)
class Service:
    """email-blast, as a test wants it to be."""

    health: str = "healthy"  # or paused, or anything else: then it answers 503
    answer: str = "completed"  # of its control
    heals: bool = True  # whether a restart helps
    keys: list[str] = field(default_factory=list)  # each command that came
    at_work: asyncio.Event = field(default_factory=asyncio.Event)  # the control answers after it

    def app(self) -> web.Application:
        """Return what is to be served."""
        made = web.Application()
        made.router.add_get("/health", self._health)
        made.router.add_post("/control", self._control)
        self.at_work.set()
        return made

    async def _health(self, _: web.Request) -> web.Response:
        well = self.health in ("healthy", "paused")
        said = {"status": self.health if well else "degraded", "version": "1"}
        return web.json_response(said, status=200 if well else 503)

    async def _control(self, request: web.Request) -> web.Response:
        first = request.headers["Idempotency-Key"] not in self.keys
        self.keys.append(request.headers["Idempotency-Key"])
        await self.at_work.wait()
        if first and self.heals:
            paused = (await request.json())["action"] == "pause_service"
            self.health = "paused" if paused else "healthy"
        return web.json_response({"state": self.answer, "detail": "pid 7"})


def config(url: str, **changes: object) -> Config:
    """Return a configuration with email-blast at *url*, and nobody else."""
    project = make.project(url=url, control=Control(url=f"{url}/control"))
    given = {"projects": {"email-blast": project}, "verification": PROOF}
    return make.config(**{**given, **changes})


async def served(service: Service, serve: Serve, folder: Path, **changes: object) -> str:
    """Serve a webhook beside *service*, with its database in *folder*; return where it is."""
    made = config(await serve(service.app()), **changes)
    return await serve(app.make(made, Store(folder / "x.db"), version="1"))
