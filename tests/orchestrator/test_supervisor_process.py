"""One child of this very process, over its starts and ends."""

import asyncio
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from orchestrator.supervisor.process import Child, Condition, Unstartable
from orchestrator.supervisor.service import Restart, Service
from tests.orchestrator.test_supervisor_leash import alive
from tests.waiting import until

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
SHORT, LONG = timedelta(milliseconds=100), timedelta(seconds=10)
Make = Callable[[Service], Child]


@pytest.fixture
async def child(tmp_path: Path) -> AsyncIterator[Make]:
    """Make children that end with the test."""
    made: list[Child] = []

    def make(service: Service) -> Child:
        made.append(Child(service, output=tmp_path / "out.log", clock=lambda: NOON))
        return made[-1]

    yield make
    for each in made:
        await each.stop(SHORT)


def shell(script: str, *, restart: Restart = Restart.NEVER) -> Service:
    """Return a service that runs a shell script."""
    return Service(name="it", argv=("sh", "-c", script), restart=restart)


async def said(output: Path, text: str) -> None:
    """Wait for *text* in the output."""

    async def look() -> bool:
        return output.exists() and text in output.read_text()  # noqa: ASYNC240  a line of a test

    await until(look, within=5, what=f"{text!r} in the output")


async def ended(child: Child) -> None:
    """Wait for the process to end by itself."""

    async def look() -> bool:
        return not child.running

    await until(look, within=5, what="the end of the process")


async def test_a_child_that_was_never_started_says_so(child: Make) -> None:
    assert child(shell("true")).condition == Condition(
        name="it", pid=None, running=False, starts=0, started_at=None, exit_status=None
    )


async def test_a_child_that_ended_says_with_which_status(child: Make) -> None:
    it = child(shell("exit 3"))
    await it.start()
    await ended(it)
    assert it.condition == Condition(
        name="it",
        pid=None,
        running=False,
        starts=1,
        started_at="2026-01-01T12:00:00.000000Z",
        exit_status=3,
    )


async def test_output_and_errors_are_appended_to_one_file(child: Make, tmp_path: Path) -> None:
    it = child(shell("echo out; echo err >&2"))
    for _ in range(2):
        await it.start()
        await ended(it)
    assert (tmp_path / "out.log").read_text() == "out\nerr\nout\nerr\n"


async def test_a_child_has_our_environment_its_own_and_its_folder(
    child: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OURS", "ours")
    argv = ("sh", "-c", 'echo "$OURS $ITS $(pwd)"; read line || echo no input')
    it = child(Service(name="it", argv=argv, env={"ITS": "its"}, cwd=tmp_path))
    await it.start()
    await ended(it)
    text = (tmp_path / "out.log").read_text()
    assert text == f"ours its {tmp_path}\nno input\n"


async def test_a_second_start_of_a_running_child_changes_nothing(child: Make) -> None:
    it = child(shell("sleep 100"))
    assert [await it.start(), await it.start(), it.condition.starts] == [True, False, 1]


async def test_a_second_stop_finds_nothing_to_do(child: Make) -> None:
    it = child(shell("sleep 100"))
    await it.start()
    assert [await it.stop(LONG), await it.stop(LONG)] == [True, False]


async def test_a_child_that_ignores_sigterm_is_killed(child: Make, tmp_path: Path) -> None:
    it = child(shell("trap '' TERM; echo deaf; while :; do sleep 1; done"))
    await it.start()
    await said(tmp_path / "out.log", "deaf")
    await it.stop(SHORT)
    assert it.condition.exit_status == -signal.SIGKILL


async def test_a_stopped_child_takes_its_own_children_with_it(child: Make, tmp_path: Path) -> None:
    it = child(shell("sh -c 'trap \"\" TERM; echo $$; exec sleep 100' & wait"))
    await it.start()
    await said(tmp_path / "out.log", "\n")
    grandchild = int((tmp_path / "out.log").read_text())
    await it.stop(LONG)

    async def look() -> bool:
        return not alive(grandchild)

    await until(look, within=2, what="the end of the grandchild")


async def test_a_killed_child_stays_down_although_it_backs_off(child: Make) -> None:
    it = child(shell("sleep 100", restart=Restart.BACKOFF))
    await it.start()
    at = await it.kill()
    assert (at, it.running, it.condition.exit_status, it._again) == (NOON, False, -9, None)


async def test_killing_what_does_not_run_is_told(child: Make) -> None:
    assert await child(shell("true")).kill() is None


async def test_a_child_that_backs_off_is_started_again(child: Make) -> None:
    it = child(shell("exit 1", restart=Restart.BACKOFF))
    began = asyncio.get_running_loop().time()
    await it.start()

    async def look() -> bool:
        return it.condition.starts == 3

    await until(look, within=5, what="the third start")
    assert asyncio.get_running_loop().time() - began >= 1.5  # 0.5 s, then 1 s


async def test_a_stop_ends_the_waiting_for_the_next_start(child: Make) -> None:
    it = child(shell("exit 1", restart=Restart.BACKOFF))
    await it.start()
    await ended(it)
    waiting = it._again
    assert waiting is not None
    await it.stop(SHORT)
    with suppress(asyncio.CancelledError):
        await waiting
    assert (waiting.cancelled(), it.condition.starts) == (True, 1)


async def test_a_start_by_hand_replaces_the_one_that_was_to_come(
    child: Make, tmp_path: Path
) -> None:
    script = "test -e flag && exec sleep 100; touch flag; exit 1"
    it = child(replace(shell(script, restart=Restart.BACKOFF), cwd=tmp_path))
    await it.start()
    await ended(it)
    await it.start()
    assert (it.running, it.condition.starts, it._again) == (True, 2, None)


@pytest.mark.parametrize("program", ["no-such-program", "/no/such/program", "./no-such-program"])
async def test_a_program_that_is_not_there_is_named(child: Make, program: str) -> None:
    with pytest.raises(Unstartable) as caught:
        await child(Service(name="it", argv=(program,))).start()
    assert str(caught.value) == f"it cannot be started: {program}: no such program"


async def test_a_program_that_appears_later_is_started_by_backoff(
    child: Make, tmp_path: Path
) -> None:
    program = tmp_path / "late"
    it = child(Service(name="it", argv=(str(program), "100"), restart=Restart.BACKOFF))
    with pytest.raises(Unstartable):
        await it.start()
    program.symlink_to("/bin/sleep")

    async def look() -> bool:
        return it.running

    await until(look, within=5, what="the start")
    assert it.condition.starts == 1


async def test_a_folder_that_is_not_there_is_told(child: Make, tmp_path: Path) -> None:
    it = child(Service(name="it", argv=("/bin/true",), cwd=tmp_path / "none"))
    with pytest.raises(Unstartable, match="No such file or directory"):
        await it.start()
