"""Control: carries commands out, one at a time per project, and each key once."""

import asyncio
from datetime import timedelta

import aiohttp

from orchestrator import duration
from orchestrator.clock import Clock
from orchestrator.errors import OrchestratorError
from orchestrator.supervisor import forward
from orchestrator.supervisor.command import ACTIONS, Command, Effect, Outcome, State
from orchestrator.supervisor.journal import INTERRUPTED, Journal
from orchestrator.supervisor.process import Child, Unstartable

GRACE = timedelta(seconds=2)  # between SIGTERM and SIGKILL
READY_WITHIN = timedelta(seconds=5)
LOOK_EVERY = timedelta(milliseconds=20)


class KeyReused(OrchestratorError):
    """A key came again with another command, so one of the two callers is wrong."""

    def __init__(self, first: Command) -> None:
        super().__init__(f"this key belongs to {first.action} on {first.project}; use a new one")
        self.first = first


class Control:
    """The one way to a command's effect; lives as long as the supervisor.

    The order is what makes a repeated command harmless:

    1. The key is committed as received. Whoever comes later with it gets the first one's answer.
    2. The project's turn is awaited.
    3. The execution is committed, and its effect follows.
    4. The answer is committed, and only then sent.
    """

    def __init__(
        self,
        *,
        children: dict[str, Child],
        journal: Journal,
        http: aiohttp.ClientSession,
        clock: Clock,
    ) -> None:
        self._children, self._journal, self._http, self._clock = children, journal, http, clock
        self._turns = {name: asyncio.Lock() for name in children}
        self._running: dict[str, asyncio.Task[Outcome]] = {}

    async def submit(self, command: Command) -> tuple[Outcome, bool]:
        """Return the command's outcome, and whether it is that of an earlier request.

        Raises KeyReused. A caller who gives up ends only his own waiting.
        """
        earlier = self._journal.receive(command, at=self._clock())
        if earlier is None:
            task = asyncio.create_task(self._carry_out(command))
            self._running[command.key] = task
            return await asyncio.shield(task), False
        if earlier.command != command:
            raise KeyReused(earlier.command)
        if earlier.outcome is not None:
            return earlier.outcome, True
        running = self._running.get(command.key)
        outcome = await asyncio.shield(running) if running else Outcome(State.FAILED, INTERRUPTED)
        return outcome, True

    async def close(self) -> None:
        """Drop what is being carried out; the next supervisor answers it as interrupted."""
        dropped = list(self._running.values())
        for task in dropped:
            task.cancel()
        await asyncio.gather(*dropped, return_exceptions=True)

    async def _carry_out(self, command: Command) -> Outcome:
        try:
            async with self._turns[command.project]:
                outcome = await self._effect(command)
            self._journal.answer(command.key, outcome, at=self._clock())
            return outcome
        finally:
            del self._running[command.key]

    async def _effect(self, command: Command) -> Outcome:
        child = self._children[command.project]
        self._journal.execute(command, at=self._clock())
        match ACTIONS[command.action]:
            case Effect.RESTART:
                stopped = await child.stop(GRACE)
                return await start(child, self._http, said="" if stopped else " (it was down)")
            case Effect.START:
                return await start(child, self._http)
            case Effect.STOP:
                return await _stop(child)
            case Effect.FORWARD:
                return await forward.carry_out(self._http, child.service.url or "", command)


async def start(
    child: Child,
    http: aiohttp.ClientSession,
    *,
    within: timedelta = READY_WITHIN,
    said: str = "",
) -> Outcome:
    """Start *child* and wait *within* until it is ready, if its service says how to tell."""
    name, ready = child.service.name, child.service.ready
    try:
        if not await child.start():
            return Outcome(State.COMPLETED, f"{name} runs already; nothing was to be done")
    except Unstartable as error:
        return Outcome(State.FAILED, str(error))
    started = f"{name} was started as process {child.condition.pid}"
    if ready is not None and (lack := await _lack(child, http, ready, within)):
        return Outcome(State.FAILED, f"{started}, but {lack}")
    return Outcome(State.COMPLETED, f"{started}{said}")


async def _lack(
    child: Child, http: aiohttp.ClientSession, url: str, within: timedelta
) -> str | None:
    """Wait for *url* to answer; return what is lacking if it does not come to that."""
    try:
        async with asyncio.timeout(within.total_seconds()):
            while child.running:
                if await forward.answers(http, url):
                    return None
                await asyncio.sleep(LOOK_EVERY.total_seconds())
    except TimeoutError:
        return f"{url} did not answer within {duration.text(within)}"
    return f"it ended with status {child.condition.exit_status}"


async def _stop(child: Child) -> Outcome:
    if await child.stop(GRACE):
        return Outcome(State.COMPLETED, f"{child.service.name} was stopped")
    return Outcome(State.COMPLETED, f"{child.service.name} is down already; nothing was to be done")
