"""A program on a leash dies with its parent."""

import os
import signal
import sys
from asyncio.subprocess import PIPE, create_subprocess_exec
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from orchestrator.supervisor import leash
from orchestrator.supervisor.leash import leashed
from tests.waiting import until

PARENT = """
import os, subprocess, sys
from orchestrator.supervisor.leash import leashed
child = subprocess.Popen(leashed([sys.executable, "-c", PROGRAM], os.getpid()))
print(child.pid, flush=True)
input()
"""
PROGRAM = "import time; print('up', flush=True); time.sleep(10)"


async def test_the_program_is_killed_when_its_parent_is() -> None:
    script = PARENT.replace("PROGRAM", repr(PROGRAM))
    parent = await create_subprocess_exec(sys.executable, "-c", script, stdin=PIPE, stdout=PIPE)
    assert parent.stdout is not None
    lines = {(await parent.stdout.readline()).decode().strip() for _ in range(2)}
    pid = int((lines - {"up"}).pop())
    parent.kill()

    async def look() -> bool:
        return not alive(pid)

    await until(look, within=2, what="the end of the program")
    await parent.communicate()


async def test_a_program_whose_parent_is_gone_already_never_runs() -> None:
    assert await run(["echo", "ran"], parent=1) == Ran(
        1, "", "leash: the parent ended before the leash was on\n"
    )


async def test_a_program_that_is_not_there_ends_like_in_a_shell() -> None:
    assert await run(["/no/such"], parent=os.getpid()) == Ran(
        leash.UNRUNNABLE, "", "leash: /no/such: No such file or directory\n"
    )


async def test_the_program_gets_its_arguments_as_they_are() -> None:
    command = ["sh", "-c", 'printf "%s," "$@"', "sh", "a b", "", "*"]
    assert await run(command, parent=os.getpid()) == Ran(0, "a b,,*,", "")


async def test_the_program_does_not_ignore_what_python_ignores() -> None:
    ran = await run(["grep", "SigIgn", "/proc/self/status"], parent=os.getpid())
    ignored = int(ran.out.split()[1], 16)  # a bit each, from signal 1 on
    assert [n for n in (signal.SIGPIPE, signal.SIGXFSZ) if ignored >> (n - 1) & 1] == []


@dataclass(frozen=True)
class Ran:
    """How a program ended, and what it said."""

    status: int | None
    out: str
    err: str


async def run(argv: list[str], *, parent: int) -> Ran:
    """Run *argv* on a leash that *parent* is said to hold."""
    process = await create_subprocess_exec(*leashed(argv, parent), stdout=PIPE, stderr=PIPE)
    out, err = await process.communicate()
    return Ran(process.returncode, out.decode(), err.decode())


def alive(pid: int) -> bool:
    """Tell whether the process runs; a zombie does not."""
    with suppress(FileNotFoundError, ProcessLookupError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False
