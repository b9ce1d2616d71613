"""Each key has its effect once, whoever repeats it and whatever happens in between."""

import asyncio
import sqlite3
from contextlib import closing, suppress
from pathlib import Path

import aiohttp

from orchestrator.supervisor.journal import INTERRUPTED
from tests.orchestrator.test_supervisor import Said
from tests.orchestrator.test_supervisor_control import (
    Project,
    Run,
    RunApart,
    fake,
    run,
    run_apart,
    sleeper,
)

__all__ = ["fake", "run", "run_apart"]  # fixtures


async def test_the_same_key_again_gets_the_same_answer_and_does_nothing(run: Run) -> None:
    async with run(sleeper()) as supervisor:
        first = await supervisor.command("sleeper", "restart_service", key="k")
        pid = await supervisor.pid("sleeper")
        second = await supervisor.command("sleeper", "restart_service", key="k")
        same = await supervisor.pid("sleeper") == pid
        executed = await supervisor.commands()
    assert second == Said(200, first.body, replayed=True)
    assert (same, executed) == (True, [("k", "sleeper", "restart_service")])


async def test_the_same_key_at_the_same_time_is_carried_out_once(
    run_apart: RunApart, fake: Project
) -> None:
    async with run_apart(fake.service) as supervisor:
        both = asyncio.gather(
            *(supervisor.command("fake", "pause_service", key="k") for _ in range(10))
        )
        await fake.was_told(1)
        fake.go.set()
        said = await both
        executed = await supervisor.commands()
    done = {"state": "completed", "detail": "ok"}
    assert sorted(said, key=lambda each: each.replayed) == [
        Said(200, done),
        *[Said(200, done, replayed=True)] * 9,
    ]
    assert (executed, len(fake.told)) == ([("k", "fake", "pause_service")], 2)


async def test_a_key_belongs_to_its_first_command(run: Run, fake: Project) -> None:
    fake.go.set()
    async with run(fake.service, sleeper()) as supervisor:
        await supervisor.command("fake", "pause_service", key="k")
        said = [
            await supervisor.command("fake", "resume_service", key="k"),
            await supervisor.command("sleeper", "pause_service", key="k"),
        ]
        executed = await supervisor.commands()
    error = "this key belongs to pause_service on fake; use a new one"
    assert said == [Said(422, {"error": error})] * 2
    assert executed == [("k", "fake", "pause_service")]


async def test_a_caller_who_hangs_up_ends_only_his_own_waiting(run: Run, fake: Project) -> None:
    async with run(fake.service) as supervisor:
        caller = asyncio.create_task(supervisor.command("fake", "pause_service", key="k"))
        await fake.was_told(1)
        caller.cancel()
        with suppress(asyncio.CancelledError):
            await caller
        again = asyncio.create_task(supervisor.command("fake", "pause_service", key="k"))
        fake.go.set()
        said = await again
        executed = await supervisor.commands()
    assert said == Said(200, {"state": "completed", "detail": "ok"}, replayed=True)
    assert executed == [("k", "fake", "pause_service")]


async def test_a_supervisor_that_was_killed_knows_its_answers_and_repeats_nothing(
    run_apart: RunApart, fake: Project, tmp_path: Path
) -> None:
    async with run_apart(fake.service, sleeper()) as supervisor:
        answered = await supervisor.command("sleeper", "restart_service", key="a")
        cut_off = asyncio.create_task(supervisor.command("fake", "pause_service", key="b"))
        await fake.was_told(1)
        supervisor.process.kill()
        with suppress(aiohttp.ClientError):
            await cut_off
        await supervisor.process.wait()
    async with run_apart(fake.service, sleeper()) as supervisor:
        said = [
            await supervisor.command("sleeper", "restart_service", key="a"),
            await supervisor.command("fake", "pause_service", key="b"),
        ]
        starts = (await supervisor.services())["sleeper"]["starts"]
        executed = await supervisor.commands()
        kept = _kept(tmp_path)
    assert kept == {"a": "completed", "b": "failed"}
    assert said == [
        Said(200, answered.body, replayed=True),
        Said(200, {"state": "failed", "detail": INTERRUPTED}, replayed=True),
    ]
    assert (starts, executed, fake.told) == (
        1,
        [("a", "sleeper", "restart_service"), ("b", "fake", "pause_service")],
        ["b pause_service begins"],
    )


def _kept(folder: Path) -> dict[str, str]:
    """Read the outcomes where they must be when the supervisor is gone."""
    with closing(sqlite3.connect(folder / "state" / "commands.db")) as db:
        return dict(db.execute("SELECT key, state FROM answers").fetchall())


async def test_sigterm_in_the_middle_of_a_command_ends_the_supervisor_at_once(
    run_apart: RunApart, fake: Project
) -> None:
    async with run_apart(fake.service) as supervisor:
        cut_off = asyncio.create_task(supervisor.command("fake", "pause_service", key="k"))
        await fake.was_told(1)
        supervisor.process.terminate()
        status = await asyncio.wait_for(supervisor.process.wait(), 2)
        with suppress(aiohttp.ClientError):
            await cut_off
    assert status == 0
