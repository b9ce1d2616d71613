"""The running supervisor: all that it opens, in the order in which that is safe."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta

from aiohttp import web

from orchestrator import clock, loopback
from orchestrator.loopback import Address
from orchestrator.supervisor import forward, journal
from orchestrator.supervisor.app import Parts, application
from orchestrator.supervisor.control import Control
from orchestrator.supervisor.process import Child, Unstartable
from orchestrator.supervisor.service import Fleet

GRACE = timedelta(seconds=3)  # for all children together, when the supervisor is told to end
GOODBYE = 0.1  # seconds for answers on their way then

log = logging.getLogger(__name__)


@asynccontextmanager
async def supervising(fleet: Fleet, where: Address) -> AsyncIterator[str]:
    """Run *fleet* and serve the API for the length of the block; gives the bound address.

    1. The journal is opened, and with it the right to this state. Raises UnusableState.
    2. The address is bound. Raises CannotListen; nothing has been started by then.
    3. The services are started. One that cannot be is logged, and the others are no worse for it.
    4. At the end nothing new is taken, commands on their way are dropped, all children are ended.
    """
    async with AsyncExitStack() as stack:
        notes = stack.enter_context(journal.opened(fleet.state))
        interrupted = notes.fail_interrupted(at=clock.now())
        http = await stack.enter_async_context(forward.session())
        children = _children(fleet)
        stack.push_async_callback(_end_all, children)
        control = Control(children=children, journal=notes, http=http, clock=clock.now)
        stack.push_async_callback(control.close)
        parts = Parts(children=children, control=control, journal=notes, http=http, clock=clock.now)
        bound = await stack.enter_async_context(_listening(application(parts), where))
        log.info("supervisor listens", extra={"address": bound, "interrupted": interrupted})
        await asyncio.gather(*map(_start, children.values()))
        yield bound


def _children(fleet: Fleet) -> dict[str, Child]:
    folder = fleet.state / "output"
    try:
        folder.mkdir(exist_ok=True)
    except OSError as error:
        raise journal.UnusableState(f"{folder}: cannot be used: {error.strerror}") from error
    return {
        name: Child(each, output=folder / f"{name}.log", clock=clock.now)
        for name, each in fleet.services.items()
    }


@asynccontextmanager
async def _listening(app: web.Application, where: Address) -> AsyncIterator[str]:
    runner = web.AppRunner(app, shutdown_timeout=GOODBYE)
    await runner.setup()
    try:
        await loopback.bind(runner, where)
        host, port, *_ = runner.addresses[0]
        yield str(Address(host, port))
    finally:
        await runner.cleanup()


async def _start(child: Child) -> None:
    with contextlib.suppress(Unstartable):  # logged
        await child.start()


async def _end_all(children: dict[str, Child]) -> None:
    await asyncio.gather(*(child.stop(GRACE) for child in children.values()))
