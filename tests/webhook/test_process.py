"""A process of a command: what it is given, what is kept of it, and that it ends."""

import asyncio
import os
import signal
import sys
import threading
from asyncio.subprocess import PIPE, create_subprocess_exec
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import pytest

from orchestrator.commands import Command
from tests.orchestrator.test_supervisor_leash import alive
from tests.waiting import until
from tests.webhook import make
from webhook import process
from webhook.process import KEPT, End, said

CHECKOUT = Path(__file__).parents[2]
SOON = timedelta(milliseconds=300)
DEAF = "trap '' TERM; echo $$ > {file}; while :; do sleep 1; done"


async def run(*argv: str, timeout: timedelta = timedelta(seconds=20)) -> End:  # noqa: ASYNC109  the command's own
    """Run a program for email-blast."""
    return await process.run(Command(argv=argv, timeout=timeout), make.action())


async def shell(script: str, *, timeout: timedelta = timedelta(seconds=20)) -> End:  # noqa: ASYNC109  the command's own
    """Run a script; only here a shell takes part, and the configuration has to name it."""
    return await run("/bin/sh", "-c", script, timeout=timeout)


def end(output: str, *, status: int = 0, overdue: bool = False) -> End:
    """Make an end."""
    return End(status=status, overdue=overdue, output=output)


async def pid_in(file: Path) -> int:
    """Wait for a process to write its number."""

    async def look() -> int:
        return int(file.read_text() or 0) if file.exists() else 0  # noqa: ASYNC240  a line of a test

    return await until(look, within=5, what="the process's number")


def open_files() -> list[str]:
    """List our own open files, by their numbers."""
    return sorted(os.listdir("/proc/self/fd"))  # noqa: PTH208  numbers, not paths


async def gone(pid: int) -> None:
    """Wait for a process's end, sooner than it would be killed for not heeding us."""

    async def look() -> bool:
        return not alive(pid)

    await until(look, within=1.5, what=f"the end of {pid}")


@pytest.fixture(autouse=True)
async def _reaped() -> AsyncIterator[None]:
    """Let asyncio hear of every end before its loop is closed, or it warns in some later test."""
    yield

    async def heard() -> bool:
        return not any("waitpid" in each.name for each in threading.enumerate())

    await until(heard, within=10, what="the end of every process")
    await asyncio.sleep(0)  # what those threads said, comes with the next round


async def test_arguments_are_text_and_nothing_of_them_is_a_shells(tmp_path: Path) -> None:
    touched = tmp_path / "x"
    ended = await run("/bin/echo", f"; touch {touched}", "$HOME", "*", "{project}")
    shown = f"; touch {touched} $HOME * email-blast"
    assert (ended, touched.exists()) == (end(shown), False)


async def test_it_inherits_no_secret_and_is_told_what_it_is_run_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-ant-secret")
    monkeypatch.setenv("LD_PRELOAD", "")
    ended = await run("/usr/bin/env")
    assert set(ended.output.splitlines()) == {
        "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        "LANG=C.UTF-8",
        "ORCHESTRATOR_PROJECT=email-blast",
        "ORCHESTRATOR_ACTION_KEY=key-1",
    }


async def test_it_runs_at_the_root_in_a_session_of_its_own() -> None:
    script = "pwd; cut -d' ' -f 1,5,6 /proc/self/stat; echo $$"
    ended = await shell(script)
    where, ids, pid = ended.output.splitlines()
    _, group, session = ids.split()
    assert (where, group, session) == ("/", pid, pid)


async def test_it_holds_no_file_of_ours(tmp_path: Path) -> None:
    ours = tmp_path / "secret"
    with ours.open("w") as file:
        os.set_inheritable(file.fileno(), True)  # noqa: FBT003  takes no keyword
        ended = await run("/bin/ls", "-l", "/proc/self/fd")
    assert (str(ours) in ended.output, ended.status) == (False, 0)


async def test_output_and_errors_are_kept_together_and_so_is_the_status() -> None:
    assert await shell("echo out; echo err >&2; exit 3") == end("out\nerr", status=3)


async def test_a_program_that_is_not_there_says_so() -> None:
    missing = "leash: /no/such: No such file or directory"
    assert await run("/no/such") == end(missing, status=127)


async def test_a_signal_shows_in_the_status() -> None:
    assert await shell("kill -USR1 $$") == end("", status=-signal.SIGUSR1)


async def test_only_the_end_of_a_long_output_is_kept_and_waits_for_nobody() -> None:
    ended = await shell("yes first | head -n 3000000; echo last")
    first, *lines, last = ended.output.splitlines()
    assert (KEPT - 10 < len(ended.output) <= KEPT, {first, *lines}, last) == (
        True,
        {"first"},
        "last",
    )


async def test_the_whole_group_is_ended_when_its_time_is_up(tmp_path: Path) -> None:
    file = tmp_path / "pid"
    script = f"sh -c 'echo $$ > {file}; exec sleep 100' & echo begun; wait"
    ended = await shell(script, timeout=timedelta(seconds=3))  # it has to have begun
    await gone(await pid_in(file))
    assert ended == end("begun", status=-signal.SIGTERM, overdue=True)


async def test_what_does_not_heed_sigterm_is_killed_two_seconds_later(tmp_path: Path) -> None:
    file = tmp_path / "pid"
    began = asyncio.get_running_loop().time()
    ended = await shell(DEAF.format(file=file), timeout=SOON)
    took = asyncio.get_running_loop().time() - began
    pid = await pid_in(file)
    assert (ended, alive(pid)) == (end("", status=-signal.SIGKILL, overdue=True), False)
    assert 2.2 < took < 5


@pytest.mark.parametrize("leave", ["sleep 100 &", "setsid sleep 100 &"])
async def test_what_it_leaves_running_with_its_output_holds_nobody_up(
    tmp_path: Path, leave: str
) -> None:
    file = tmp_path / "pid"
    began = asyncio.get_running_loop().time()
    ended = await shell(f"{leave} echo $! > {file}; echo left")
    took = asyncio.get_running_loop().time() - began
    with suppress(ProcessLookupError):
        os.kill(await pid_in(file), signal.SIGKILL)
    assert (ended, took < 3) == (end("left"), True)


async def test_what_it_leaves_running_on_purpose_goes_on(tmp_path: Path) -> None:
    file = tmp_path / "pid"
    await shell(f"sleep 100 > /dev/null 2>&1 & echo $! > {file}")
    pid = await pid_in(file)
    lives = alive(pid)
    os.kill(pid, signal.SIGKILL)
    assert lives


async def test_it_is_ended_when_we_are_told_to_end(tmp_path: Path) -> None:
    file = tmp_path / "pid"
    running = asyncio.create_task(shell(f"echo $$ > {file}; exec sleep 100"))
    pid = await pid_in(file)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert (running.cancelled(), alive(pid)) == (True, False)


async def test_being_told_twice_to_end_kills_it_at_once(tmp_path: Path) -> None:
    file = tmp_path / "pid"
    running = asyncio.create_task(shell(DEAF.format(file=file)))
    pid = await pid_in(file)
    running.cancel()
    await asyncio.wait({running}, timeout=0.1)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    await gone(pid)


INPUT = """
import asyncio
from tests.webhook.test_process import shell
print(asyncio.run(shell("readlink /proc/self/fd/0")).output)
"""


async def test_our_own_input_is_not_its_own() -> None:
    ourselves = await create_subprocess_exec(
        sys.executable, "-c", INPUT, stdin=PIPE, stdout=PIPE, cwd=CHECKOUT
    )
    shown, _ = await ourselves.communicate(b"for us")
    assert shown == b"/dev/null\n"


OURSELVES = """
import asyncio, sys
from tests.webhook.test_process import shell
asyncio.run(shell(f"echo $$ > {sys.argv[1]}; exec sleep 100"))
"""


async def test_it_dies_with_us_when_we_are_killed(tmp_path: Path) -> None:
    file = tmp_path / "pid"
    ourselves = await create_subprocess_exec(
        sys.executable, "-c", OURSELVES, str(file), stdin=PIPE, cwd=CHECKOUT
    )
    pid = await pid_in(file)
    ourselves.kill()
    await ourselves.wait()
    await gone(pid)


@pytest.mark.parametrize("script", ["true", "setsid sleep 3 &"])
async def test_no_run_leaves_a_file_open(script: str) -> None:
    await shell(script)
    before = open_files()
    for _ in range(3):
        await shell(script)

    async def look() -> bool:
        return open_files() == before

    await until(look, within=1, what="the end of what was opened")


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        (b"", ""),
        (b" a  b \r\n\r\n c\n", "a  b\n\n c"),
        (b"\x1b[31mred\x1b[0m\x00\x07", "[31mred [0m"),
        (
            "mojibake \N{RIGHT-TO-LEFT OVERRIDE}x".encode() + b"\xff",
            "mojibake  x\N{REPLACEMENT CHARACTER}",
        ),
        (b"login with password=hunter2", "login with password=***"),
        (b"x" * 9_000, "x" * KEPT),
        (b"token=" + b"a" * KEPT + b"\nend", "end"),
    ],
)
def test_what_a_program_said_is_lines_for_people_without_secrets(raw: bytes, shown: str) -> None:
    assert said(raw) == shown
