"""Faults through the supervisor: its own one, and those that a project does to itself."""

from pathlib import Path
from typing import Any

import aiohttp
import pytest

from orchestrator import clock
from tests.conftest import FreePort
from tests.orchestrator.test_supervisor import Said, Supervisor, answers, gone, project
from tests.orchestrator.test_supervisor_control import Project, Run, fake, run, sleeper

__all__ = ["fake", "run"]  # fixtures


async def test_a_killed_process_stays_down_until_the_fault_ends(run: Run) -> None:
    async with run({**sleeper(), "restart": "backoff"}) as supervisor:
        pid = await supervisor.pid("sleeper")
        began = await supervisor.ask("POST", "/faults/sleeper/process_killed")
        await gone(pid)
        listed = (await supervisor.services())["sleeper"]
        ended = await supervisor.ask("DELETE", "/faults/sleeper/process_killed")
        after = (await supervisor.services())["sleeper"]
    instants = [clock.read(said.body.pop("at")) for said in (began, ended)]
    body = {"project": "sleeper", "fault": "process_killed"}
    assert (began, ended, instants) == (Said(200, body), Said(200, body), sorted(instants))
    assert (listed["running"], listed["exit_status"], after["running"]) == (False, -9, True)


async def test_a_process_that_does_not_run_cannot_be_made_to_suffer(run: Run) -> None:
    async with run(sleeper()) as supervisor:
        await supervisor.ask("POST", "/faults/sleeper/process_killed")
        said = [
            await supervisor.ask(method, f"/faults/sleeper/{name}")
            for method, name in [("POST", "process_killed"), ("POST", "hang"), ("DELETE", "hang")]
        ]
    error = "sleeper does not run, so nothing can be done to it"
    assert said == [Said(409, {"error": error})] * 3


async def test_a_killed_process_does_not_come_back_by_itself(run: Run) -> None:
    async with run(sleeper()) as supervisor:
        said = await supervisor.ask("POST", "/faults/sleeper/process_killed?for=10s")
        running = (await supervisor.services())["sleeper"]["running"]
    error = "process_killed does not end by itself; DELETE it, or restart"
    assert (said, running) == (Said(400, {"error": error}), True)


async def test_ending_a_kill_says_when_the_process_does_not_come_up(
    run: Run, tmp_path: Path
) -> None:
    program = tmp_path / "program"
    program.symlink_to("/bin/sleep")
    async with run({**sleeper(), "argv": [str(program), "1000"]}) as supervisor:
        await supervisor.pid("sleeper")
        await supervisor.ask("POST", "/faults/sleeper/process_killed")
        program.unlink()
        said = await supervisor.ask("DELETE", "/faults/sleeper/process_killed")
    error = f"sleeper cannot be started: {program}: no such program"
    assert said == Said(409, {"error": error})


async def test_other_faults_are_handed_on_as_they_are(run: Run, fake: Project) -> None:
    async with run(fake.service) as supervisor:
        await supervisor.pid("fake")
        said = [await supervisor.ask("POST", "/faults/fake/hang?for=10s&percent=11")]
        fake.status = 404
        said.append(await supervisor.ask("DELETE", "/faults/fake/nothing"))
    assert (said, fake.told) == (
        [Said(200, {"fault": "ours"}), Said(404, {"fault": "ours"})],
        ["POST /faults/hang?for=10s&percent=11", "DELETE /faults/nothing"],
    )


async def test_a_project_that_runs_and_does_not_answer_is_a_conflict(run: Run) -> None:
    async with run(sleeper()) as supervisor:
        await supervisor.pid("sleeper")
        said = await supervisor.ask("POST", "/faults/sleeper/hang")
    assert said == Said(409, {"error": "sleeper runs, but does not answer"})


async def test_an_unknown_project_is_told_the_known_ones(run: Run) -> None:
    async with run(sleeper(), sleeper("other")) as supervisor:
        said = await supervisor.ask("POST", "/faults/none/hang")
    assert said == Said(404, {"error": "no such project; known: sleeper, other"})


@pytest.mark.parametrize("fault", ["hang", "db_lost"])
async def test_a_restart_heals_what_lives_in_the_process(
    run: Run, tmp_path: Path, free_port: FreePort, fault: str
) -> None:
    chatbot = project("chatbot", free_port(), tmp_path)
    async with run(chatbot) as supervisor:
        await answers(supervisor.http, chatbot["ready"])
        await supervisor.ask("POST", f"/faults/chatbot/{fault}")
        before = await _health(supervisor, chatbot["url"])
        restarted = await supervisor.command("chatbot", "restart_service", key="k")
        after = await _health(supervisor, chatbot["url"])
    assert (before.get("status"), restarted.body["state"], after["status"]) == (
        None if fault == "hang" else "down",
        "completed",
        "healthy",
    )


async def test_a_restart_does_not_heal_a_full_disk(
    run: Run, tmp_path: Path, free_port: FreePort
) -> None:
    chatbot = project("chatbot", free_port(), tmp_path)
    async with run(chatbot) as supervisor:
        await answers(supervisor.http, chatbot["ready"])
        await supervisor.ask("POST", "/faults/chatbot/disk_full")
        restarted = await supervisor.command("chatbot", "restart_service", key="k")
        full = await _health(supervisor, chatbot["url"])
        await supervisor.ask("DELETE", "/faults/chatbot/disk_full")
        freed = await _health(supervisor, chatbot["url"])
    detail = "database full: database or disk is full"
    assert (restarted.body["state"], full, freed["status"]) == (
        "completed",
        {"status": "down", "detail": detail},
        "healthy",
    )


async def _health(supervisor: Supervisor, url: str) -> dict[str, Any]:
    """Ask as the exporter does; a project that does not answer says nothing."""
    patience = aiohttp.ClientTimeout(total=0.3)
    try:
        async with supervisor.http.get(f"{url}/health", timeout=patience) as response:
            said: dict[str, Any] = await response.json()
            return said
    except TimeoutError:
        return {}
