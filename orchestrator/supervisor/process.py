"""A child: one service's process, from start to start."""

import asyncio
import contextlib
import logging
import os
import shutil
import signal
from asyncio.subprocess import DEVNULL, STDOUT, Process
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from orchestrator.clock import Clock, written
from orchestrator.errors import OrchestratorError
from orchestrator.supervisor import backoff
from orchestrator.supervisor.leash import leashed
from orchestrator.supervisor.service import Restart, Service

log = logging.getLogger(__name__)


class Unstartable(OrchestratorError):
    """The service's program cannot be started."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """How a child is. `exit_status` is that of its last end; minus a signal's number if killed."""

    name: str
    pid: int | None
    running: bool
    starts: int
    started_at: str | None
    exit_status: int | None


@dataclass(frozen=True, slots=True)
class _Run:
    """A process that has not ended, and the task that waits for its end."""

    process: Process
    ended: asyncio.Task[None]


class Child:
    """One service and its process, if it has one; lives as long as the supervisor.

    Starting, stopping and the starts by backoff exclude each other, so there is never a second
    process of one service.
    """

    def __init__(self, service: Service, *, output: Path, clock: Clock) -> None:
        self.service = service
        self._output, self._clock = output, clock
        self._turn = asyncio.Lock()
        self._run: _Run | None = None
        self._again: asyncio.Task[None] | None = None
        self._wanted = False
        self._failures = 0
        self._starts = 0
        self._started_at: datetime | None = None
        self._exit_status: int | None = None

    @property
    def running(self) -> bool:
        """Whether there is a process that has not ended."""
        return self._run is not None

    @property
    def condition(self) -> Condition:
        """How the child is now."""
        return Condition(
            name=self.service.name,
            pid=self._run.process.pid if self._run else None,
            running=self.running,
            starts=self._starts,
            started_at=written(self._started_at) if self._started_at else None,
            exit_status=self._exit_status,
        )

    async def start(self) -> bool:
        """Start the process unless there is one; tell whether it did. Raises Unstartable."""
        async with self._turn:
            self._leave_alone()
            self._wanted, self._failures = True, 0
            if self._run is not None:
                return False
            await self._spawn()
            return True

    async def stop(self, grace: timedelta) -> bool:
        """End the process group, by force after *grace*; tell whether there was a process."""
        async with self._turn:
            self._leave_alone()
            if self._run is None:
                return False
            await _end(self._run, grace)
            return True

    async def kill(self) -> datetime | None:
        """Kill the process group; return the instant just before, None if nothing ran."""
        async with self._turn:
            self._leave_alone()
            if self._run is None:
                return None
            at = self._clock()
            _signal_group(self._run.process, signal.SIGKILL)
            await self._run.ended
            return at

    def _leave_alone(self) -> None:
        """Forget that the process was wanted, and a start that was to come."""
        self._wanted = False
        if self._again is not None:
            self._again.cancel()
            self._again = None

    async def _spawn(self) -> None:
        try:
            process = await self._exec()
        except (OSError, Unstartable) as error:
            self._failures += 1
            log.error("service cannot be started", extra=self._said(reason=str(error)))  # noqa: TRY400  the reason is the whole story, raised again for the caller
            self._start_later()
            raise Unstartable(f"{self.service.name} cannot be started: {error}") from error
        self._starts, self._started_at = self._starts + 1, self._clock()
        self._run = _Run(process, asyncio.create_task(self._reap(process)))
        log.info("service started", extra=self._said(pid=process.pid))

    async def _exec(self) -> Process:
        service = self.service
        program = _program(service)
        with self._output.open("ab") as output:
            return await asyncio.create_subprocess_exec(
                *leashed([program, *service.argv[1:]], os.getpid()),
                stdin=DEVNULL,
                stdout=output,
                stderr=STDOUT,
                cwd=service.cwd,
                env={**os.environ, **service.env},  # noqa: TID251  handed on, not read
                start_new_session=True,
            )

    async def _reap(self, process: Process) -> None:
        began = asyncio.get_running_loop().time()
        self._exit_status = await process.wait()
        ran = timedelta(seconds=asyncio.get_running_loop().time() - began)
        _signal_group(process, signal.SIGKILL)  # who outlived the leader would hold its port
        self._run = None
        self._failures = backoff.failures(self._failures, ran)
        level = logging.WARNING if self._wanted else logging.INFO
        log.log(level, "service ended", extra=self._said(exit_status=self._exit_status))
        self._start_later()

    def _start_later(self) -> None:
        if self._wanted and self.service.restart is Restart.BACKOFF:
            self._again = asyncio.create_task(self._start_again(backoff.delay(self._failures)))

    async def _start_again(self, wait: timedelta) -> None:
        await asyncio.sleep(wait.total_seconds())
        async with self._turn:
            self._again = None
            if self._run is None:
                with contextlib.suppress(Unstartable):  # logged, and the next try is arranged
                    await self._spawn()

    def _said(self, **figures: object) -> dict[str, object]:
        return {"service": self.service.name, **figures}


def _program(service: Service) -> str:
    """Find the program before the leash does, whose complaint only the service's log would hold."""
    named = service.argv[0]
    if "/" in named:
        named = str((service.cwd or Path.cwd()) / named)
    found = shutil.which(named, path=service.env.get("PATH"))
    if found is None:
        raise Unstartable(f"{service.argv[0]}: no such program")
    return found


async def _end(run: _Run, grace: timedelta) -> None:
    _signal_group(run.process, signal.SIGTERM)
    await asyncio.wait({run.ended}, timeout=grace.total_seconds())
    if not run.ended.done():
        _signal_group(run.process, signal.SIGKILL)
        await run.ended


def _signal_group(process: Process, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, number)
