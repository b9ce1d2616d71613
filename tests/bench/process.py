"""The programs of a benchmark: started, waited for, measured by the kernel's figures, ended."""

import asyncio
import os
import signal
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path

import aiohttp

from orchestrator.errors import OrchestratorError
from orchestrator.supervisor.leash import leashed

FIRST_PORT, LAST_PORT = 28_000, 31_999  # below the kernel's own range, above that of the tests
READY_WITHIN = 60.0  # seconds; a fleet of 5,000 opens its sockets in two
END_WITHIN = 10.0  # seconds for a Prometheus to close its database, before it is killed
TICK = 0.1
_PER_SECOND = os.sysconf("SC_CLK_TCK")


class NotReady(OrchestratorError):
    """A program of the benchmark did not come up, or ended in the middle of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """A program that runs, or ran."""

    name: str
    process: asyncio.subprocess.Process
    log: Path

    @property
    def pid(self) -> int:
        """Its process id; it stays the same from the leash to the program."""
        return self.process.pid

    def cpu_seconds(self) -> float:
        """Return what the kernel has counted for all its threads; raise NotReady when it ended."""
        if self.process.returncode is not None:
            raise self.ended()
        return cpu_seconds(Path(f"/proc/{self.pid}/stat").read_text(encoding="utf-8"))

    def peak_bytes(self) -> int:
        """Return the most that it ever had in memory, file pages that it mapped included."""
        return peak_bytes(Path(f"/proc/{self.pid}/status").read_text(encoding="utf-8"))

    def ended(self) -> NotReady:
        """Say that it is no more, with its last words."""
        said = self.log.read_text(encoding="utf-8", errors="replace").splitlines()[-3:]
        return NotReady(f"{self.name} is not there; the last it said:\n  " + "\n  ".join(said))


def cpu_seconds(stat: str) -> float:
    """Add up the time in user and in kernel mode of a `/proc/<pid>/stat`."""
    fields = stat.rpartition(")")[2].split()  # the name in front may hold blanks
    return (int(fields[11]) + int(fields[12])) / _PER_SECOND


def peak_bytes(status: str) -> int:
    """Find the peak of the resident memory in a `/proc/<pid>/status`."""
    line = next(line for line in status.splitlines() if line.startswith("VmHWM:"))
    return int(line.split()[1]) * 1024


@asynccontextmanager
async def started(name: str, command: Sequence[str | Path], folder: Path) -> AsyncIterator[Program]:
    """Run *command*, its output in a log in *folder*, until the block ends; then end it."""
    log = folder / f"{name}.log"
    with log.open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            *leashed([str(part) for part in command], parent=os.getpid()),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,  # Ctrl-C is for us; we end the others in order
        )
    try:
        yield Program(name=name, process=process, log=log)
    finally:
        await asyncio.shield(_end(process))


async def _end(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        process.send_signal(signal.SIGTERM)
        try:
            async with asyncio.timeout(END_WITHIN):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()


async def answering(program: Program, session: aiohttp.ClientSession, url: str) -> None:
    """Wait until *program* answers 200 at *url*; raise NotReady."""

    async def asked() -> bool:
        try:
            async with session.get(url) as response:
                return response.status == HTTPStatus.OK
        except aiohttp.ClientError:
            return False

    await until(program, asked)


async def until(program: Program, ready: Callable[[], Awaitable[bool]]) -> None:
    """Wait until *ready* says so; raise NotReady when *program* ends before, or takes too long."""
    try:
        async with asyncio.timeout(READY_WITHIN):
            while not await ready():
                if program.process.returncode is not None:
                    raise program.ended()
                await asyncio.sleep(TICK)
    except TimeoutError:
        raise program.ended() from None


def free_ports(count: int) -> list[int]:
    """Return ports that nobody listens on, at any loopback address."""
    found = [port for port in range(FIRST_PORT, LAST_PORT) if _is_free(port)][:count]
    if len(found) < count:
        raise NotReady(f"no {count} free ports between {FIRST_PORT} and {LAST_PORT}")
    return found


def _is_free(port: int) -> bool:
    hosts = ("127.0.0.1", "127.1.0.1")
    for host in hosts:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, port))
            except OSError:
                return False
    return True
