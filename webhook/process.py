"""A process: one run of a command of orchestrator.yml, from its start to its end."""

import asyncio
import os
import signal
from asyncio.subprocess import DEVNULL, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta

from orchestrator.commands import Command
from orchestrator.supervisor.leash import leashed
from webhook.action import Action
from webhook.plain import masked

KEPT = 8 * 1024  # bytes of output: its end, where a program says why it gives up
GRACE = timedelta(seconds=2)  # between SIGTERM and SIGKILL, and from there until we let it be
LEFT_OVER = timedelta(milliseconds=200)  # for what the pipe still holds when the program has ended
INHERITED = {  # nothing else: no secret of ours, and nothing that differs by who started us
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "LANG": "C.UTF-8",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class End:
    """How a run ended."""

    status: int | None  # minus a signal's number when one killed it; None: we could not end it
    overdue: bool  # its time was up
    output: str  # the end of what it said, errors and all: printable lines without secrets


async def run(command: Command, action: Action) -> End:
    """Run *command* for *action* and wait for its end; raise OSError when none can be started.

    1. It has no shell, no input, a session and so a process group of its own, and a leash: it dies
       when we are killed, so that what may be repeated is never there twice.
    2. When its time is up, or when we are to end, its group gets SIGTERM, and 2 s later SIGKILL.
    3. Its own end counts. Something that it leaves running may hold the pipe for ever.
    """
    async with _pipe() as (tail, inlet):
        try:
            process = await _start(command.arguments(action.project), action, inlet)
        finally:
            os.close(inlet)  # else we would wait for ourselves to close it
        overdue = await _overdue(process, command.timeout)
        await asyncio.wait({tail.closed}, timeout=LEFT_OVER.total_seconds())
        output = said(bytes(tail.kept))
    return End(status=process.returncode, overdue=overdue, output=output)


def said(raw: bytes) -> str:
    """Return the end of a program's output as lines that people and the store can take."""
    if len(raw) > KEPT:  # the first line may be the end of a secret, which is not known as one
        raw = raw[-KEPT:].partition(b"\n")[2] or raw[-KEPT:]
    lines = masked(raw.decode("utf-8", "replace")).splitlines()
    shown = ("".join(each if each.isprintable() else " " for each in line) for line in lines)
    return "\n".join(line.rstrip() for line in shown).strip()


async def _start(argv: tuple[str, ...], action: Action, inlet: int) -> Process:
    about = {"ORCHESTRATOR_PROJECT": action.project, "ORCHESTRATOR_ACTION_KEY": action.key}
    return await asyncio.create_subprocess_exec(
        *leashed(argv, os.getpid()),
        stdin=DEVNULL,
        stdout=inlet,
        stderr=inlet,
        cwd="/",
        env={**INHERITED, **about},
        start_new_session=True,
    )


async def _overdue(process: Process, within: timedelta) -> bool:
    """Wait for the end, and see to it when it does not come in time, or when we are to end."""
    try:
        async with asyncio.timeout(within.total_seconds()):
            await process.wait()
    except TimeoutError:
        await _end(process)
        return True
    except asyncio.CancelledError:
        await _end(process)
        raise
    return False


async def _end(process: Process) -> None:
    try:
        _signal_group(process, signal.SIGTERM)
        await _wait(process)
    finally:  # also for those of the group that outlived it, and when we are told twice to end
        _signal_group(process, signal.SIGKILL)
    await _wait(process)


async def _wait(process: Process) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(GRACE.total_seconds()):
            await process.wait()


def _signal_group(process: Process, number: signal.Signals) -> None:
    with suppress(ProcessLookupError, PermissionError):  # the latter: it became another user
        os.killpg(process.pid, number)


class _Tail(asyncio.Protocol):
    """The end of what came through a pipe, for as long as somebody holds its other side."""

    def __init__(self) -> None:
        self.kept = bytearray()
        self.closed = asyncio.get_running_loop().create_future()

    def data_received(self, data: bytes) -> None:
        self.kept += data
        del self.kept[: -KEPT - 1]  # one more tells that there was more

    def connection_lost(self, _: Exception | None) -> None:
        self.closed.set_result(None)


@asynccontextmanager
async def _pipe() -> AsyncIterator[tuple[_Tail, int]]:
    """Open a pipe of our own: asyncio's would keep a process from ending before its output."""
    outlet, inlet = os.pipe()
    transport, tail = await asyncio.get_running_loop().connect_read_pipe(
        _Tail, os.fdopen(outlet, "rb", buffering=0)
    )
    try:
        yield tail, inlet
    finally:
        transport.close()
