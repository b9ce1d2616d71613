"""Commands over HTTP: their effects, and that each key has its effect once."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, Protocol

import aiohttp
import pytest
from aiohttp import web

from orchestrator import clock
from orchestrator.supervisor import service as service_
from orchestrator.supervisor.command import Outcome, State
from orchestrator.supervisor.control import start
from orchestrator.supervisor.process import Child
from tests.conftest import FreePort, Serve
from tests.orchestrator.test_supervisor import (
    DEAF,
    Program,
    Said,
    Service,
    Supervisor,
    answers,
    gone,
    project,
    running,
    within,
)
from tests.waiting import until


class Run(Protocol):
    """Run a supervisor of these services in this process."""

    def __call__(self, *services: Service) -> AbstractAsyncContextManager[Supervisor]: ...


class RunApart(Protocol):
    """Run a supervisor of these services as a program, on the same port and state each time."""

    def __call__(self, *services: Service) -> AbstractAsyncContextManager[Program]: ...


@pytest.fixture
def run(tmp_path: Path, free_port: FreePort, http: aiohttp.ClientSession) -> Run:
    """Bind a supervisor to this test's folder."""
    port = free_port()
    return lambda *services: within(tmp_path, port, http, services)


@pytest.fixture
def run_apart(tmp_path: Path, free_port: FreePort, http: aiohttp.ClientSession) -> RunApart:
    """Bind a supervisor of its own process to this test's folder."""
    port = free_port()
    return lambda *services: running(tmp_path, port, http, services)


@dataclass
class Project:
    """A project that notes what it is told, and answers when `go` is set."""

    service: Service = field(default_factory=dict)
    told: list[str] = field(default_factory=list)
    answer: dict[str, Any] = field(default_factory=lambda: {"state": "completed", "detail": "ok"})
    status: int = 200
    effort: float = 0.0  # seconds between `go` and the answer
    go: asyncio.Event = field(default_factory=asyncio.Event)

    async def control(self, request: web.Request) -> web.Response:
        """Take a command."""
        key, action = request.headers["Idempotency-Key"], (await request.json())["action"]
        self.told.append(f"{key} {action} begins")
        await self.go.wait()
        await asyncio.sleep(self.effort)
        self.told.append(f"{key} {action} ends")
        return web.json_response(self.answer, status=self.status)

    async def fault(self, request: web.Request) -> web.Response:
        """Take a fault."""
        self.told.append(f"{request.method} {request.path_qs}")
        return web.json_response({"fault": "ours"}, status=self.status)

    async def was_told(self, count: int) -> None:
        """Wait until so many things were heard."""

        async def look() -> bool:
            return len(self.told) >= count

        await until(look, within=5, what=f"{count} things told")


@pytest.fixture
async def fake(serve: Serve) -> AsyncIterator[Project]:
    """Serve a project of our own, beside a process that stands for it."""
    it = Project()
    app = web.Application()
    app.add_routes([web.post("/control", it.control), web.route("*", "/faults/{name}", it.fault)])
    it.service = {"name": "fake", "argv": ["sleep", "1000"], "url": await serve(app)}
    yield it
    it.go.set()


def sleeper(name: str = "sleeper") -> Service:
    """Return a project that only sleeps."""
    return {"name": name, "argv": ["sleep", "1000"], "url": "http://127.0.0.1:1"}


async def test_a_restart_replaces_the_process(run: Run) -> None:
    async with run(sleeper()) as supervisor:
        before = await supervisor.pid("sleeper")
        said = await supervisor.command("sleeper", "restart_service", key="k")
        after = await supervisor.pid("sleeper")
        await gone(before)
    detail = f"sleeper was started as process {after}"
    assert said == Said(200, {"state": "completed", "detail": detail})


async def test_stop_and_start_do_what_is_to_be_done_and_say_when_nothing_is(run: Run) -> None:
    async with run(sleeper()) as supervisor:
        await supervisor.pid("sleeper")
        said = [
            await supervisor.command("sleeper", f"{action}_service", key=str(number))
            for number, action in enumerate(["start", "stop", "stop", "restart", "stop", "start"])
        ]
        pid = await supervisor.pid("sleeper")
        starts = (await supervisor.services())["sleeper"]["starts"]
    restarted = said.pop(3).body["detail"]
    assert [each.body["detail"] for each in said] == [
        "sleeper runs already; nothing was to be done",
        "sleeper was stopped",
        "sleeper is down already; nothing was to be done",
        "sleeper was stopped",
        f"sleeper was started as process {pid}",
    ]
    assert (restarted.endswith("(it was down)"), starts) == (True, 3)


async def test_a_restart_of_what_ignores_sigterm_takes_force(run: Run) -> None:
    async with run({**sleeper("deaf"), "argv": ["sh", "-c", DEAF]}) as supervisor:
        before = await supervisor.pid("deaf")

        async def look() -> bool:
            return "deaf" in supervisor.output("deaf")

        await until(look, within=5, what="the trap")
        said = await supervisor.command("deaf", "restart_service", key="k")
        await gone(before)
    assert said.body["state"] == "completed"


async def test_a_restart_is_answered_once_the_project_answers(
    run: Run, tmp_path: Path, free_port: FreePort
) -> None:
    chatbot = project("chatbot", free_port(), tmp_path)
    async with run(chatbot) as supervisor:
        await answers(supervisor.http, chatbot["ready"])
        said = await supervisor.command("chatbot", "restart_service", key="k")
        async with supervisor.http.get(chatbot["ready"]) as response:
            health = await response.json()
    assert (said.body["state"], health["status"]) == ("completed", "healthy")


async def test_a_start_that_ends_before_it_is_ready_has_failed(run: Run) -> None:
    broken = {**sleeper("broken"), "argv": ["sh", "-c", "exit 4"], "ready": "http://127.0.0.1:1/"}
    async with run(broken) as supervisor:
        said = await supervisor.command("broken", "restart_service", key="k")
    assert (said.status, said.body["state"], said.body["detail"].split(", ")[1]) == (
        200,
        "failed",
        "but it ended with status 4",
    )


async def test_a_start_that_is_not_ready_in_time_has_failed_and_is_left_running(
    tmp_path: Path, http: aiohttp.ClientSession
) -> None:
    service = service_.Service(name="it", argv=("sleep", "1000"), ready="http://127.0.0.1:1/")
    child = Child(service, output=tmp_path / "out.log", clock=clock.now)
    outcome = await start(child, http, within=timedelta(milliseconds=100))
    started = f"it was started as process {child.condition.pid}"
    assert await child.stop(timedelta(seconds=1))
    assert outcome == Outcome(
        State.FAILED, f"{started}, but http://127.0.0.1:1/ did not answer within 100ms"
    )


async def test_a_program_that_is_gone_cannot_be_started(run: Run) -> None:
    async with run({**sleeper(), "argv": ["/no/such"]}) as supervisor:
        said = await supervisor.command("sleeper", "start_service", key="k")
    detail = "sleeper cannot be started: /no/such: no such program"
    assert said == Said(200, {"state": "failed", "detail": detail})


async def test_what_a_process_can_do_is_handed_on_with_its_key(run: Run, fake: Project) -> None:
    actions = ["pause_service", "resume_service", "clear_cache", "rollback_deployment"]
    fake.go.set()
    async with run(fake.service) as supervisor:
        said = [await supervisor.command("fake", action, key=f"{action}/1") for action in actions]
    assert said == [Said(200, {"state": "completed", "detail": "ok"})] * 4
    assert fake.told[::2] == [f"{action}/1 {action} begins" for action in actions]


async def test_whatever_a_project_answers_but_its_outcome_is_a_failure(
    run: Run, fake: Project
) -> None:
    seen = []
    fake.go.set()
    async with run(fake.service) as supervisor:
        for status, answer in [
            (409, {"error": "busy"}),
            (200, {"state": "perhaps", "detail": "?"}),
            (500, {}),
            (302, {}),
        ]:
            fake.status, fake.answer = status, answer
            said = await supervisor.command("fake", "pause_service", key=str(status))
            seen.append((said.status, said.body["state"], said.body["detail"]))
    unlike = "and not as the endpoint contract says"
    assert seen == [
        (200, "failed", "the project answered HTTP 409: busy"),
        (200, "failed", f"the project answered HTTP 200, {unlike}"),
        (200, "failed", f"the project answered HTTP 500, {unlike}"),
        (200, "failed", f"the project answered HTTP 302, {unlike}"),
    ]


async def test_a_project_that_cannot_be_reached_is_a_failed_command(run: Run) -> None:
    async with run(sleeper()) as supervisor:
        said = await supervisor.command("sleeper", "pause_service", key="k")
    assert (said.status, said.body["state"]) == (200, "failed")
    assert said.body["detail"].startswith("sleeper cannot be reached: ")


async def test_one_project_does_one_thing_at_a_time(run: Run, fake: Project) -> None:
    fake.effort = 0.1
    fake.go.set()
    async with run(fake.service) as supervisor:
        await asyncio.gather(
            supervisor.command("fake", "pause_service", key="1"),
            supervisor.command("fake", "clear_cache", key="2"),
        )
    first, second = fake.told[:2], fake.told[2:]
    assert sorted([first, second]) == [
        ["1 pause_service begins", "1 pause_service ends"],
        ["2 clear_cache begins", "2 clear_cache ends"],
    ]


async def test_hostile_requests_are_refused_and_change_nothing(run: Run) -> None:
    async with run(sleeper(), {"name": "plain", "argv": ["sleep", "1000"]}) as supervisor:
        good = json.dumps({"action": "restart_service"})
        said = [
            await _raw(supervisor, "sleeper", body, key)
            for body, key in [
                (good, None),
                (good, "x" * 201),
                ("{", "k"),
                ("[" * 60_000, "k"),
                ('{"action": "format_disk"}', "k"),
                (" " * 70_000, "k"),
            ]
        ]
        said += [await _raw(supervisor, name, good, "k") for name in ("plain", "none", "..%2fx")]
        executed = await supervisor.commands()
    assert (said, executed) == ([400, 400, 400, 400, 400, 413, 404, 404, 404], [])


async def _raw(supervisor: Supervisor, name: str, body: str, key: str | None) -> int:
    headers = {"Idempotency-Key": key} if key else {}
    async with supervisor.http.post(
        f"{supervisor.url}/control/{name}", data=body, headers=headers
    ) as response:
        return response.status


async def test_a_command_from_elsewhere_is_refused(run: Run) -> None:
    async with (
        run(sleeper()) as supervisor,
        supervisor.http.post(
            f"{supervisor.url}/control/sleeper",
            json={"action": "stop_service"},
            headers={"Idempotency-Key": "k", "Origin": "http://evil.example"},
        ) as response,
    ):
        assert (response.status, await supervisor.commands()) == (403, [])
