"""`orchestrator act`, as a process that asks a running webhook about a project that is there."""

import asyncio
import re
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web
from click.testing import CliRunner

from orchestrator.cli import main
from orchestrator.cli.act import _Watch
from orchestrator.cli.online import Hub
from orchestrator.hub import Address
from orchestrator.project import Control, Mode
from tests.conftest import Serve
from tests.terminal import Ran, orchestrator
from tests.waiting import until
from tests.webhook import make
from tests.webhook.service import Service, served

Run = Callable[..., Awaitable[str]]
RESTART = ("act", "email-blast", "restart_service", "--reason", "it hangs")


@pytest.fixture
def service() -> Service:
    return Service()


@pytest.fixture
def run(service: Service, serve: Serve, tmp_path: Path) -> Run:
    """Serve a webhook beside the service."""
    return partial(served, service, serve, tmp_path)


async def _sent(service: Service) -> None:
    """Wait until a command has come."""

    async def sent() -> bool:
        return bool(service.keys)

    await until(sent, within=30, what="the command")


def _lines(ran: Ran) -> list[str]:
    """Return what was printed, without the times at the begin of lines."""
    return [re.sub(r"^\d\d:\d\d:\d\d  ", "", line) for line in ran.out.splitlines()]


async def test_each_thing_that_happens_is_told_until_it_is_proven(
    service: Service, run: Run, http: aiohttp.ClientSession
) -> None:
    url = await run()
    service.at_work.clear()
    running = asyncio.create_task(orchestrator(*RESTART, at=url))
    await _sent(service)
    elsewhere = make.alert(project="chatbot", fingerprint="c")  # is not told
    async with http.post(f"{url}/alerts", data=make.body(elsewhere)) as response:
        assert response.status == 200
    service.at_work.set()
    ran = await running
    assert (ran.status, ran.err, len(service.keys)) == (0, "", 1)
    assert _lines(ran) == [
        "ActionStarted restart_service",
        "ActionExecuted restart_service: pid 7",
        "RecoveryObserved restart_service",
        "ActionProven restart_service: restart_service, asked for by local, was proven",
        "IncidentClosed: restart_service, asked for by local, was proven",
        "restart_service on email-blast: is proven",
    ]


async def test_a_guard_that_refuses_is_named_with_its_end_and_how_to_override_it(run: Run) -> None:
    url = await run()
    first = await orchestrator(*RESTART, "--json", at=url)
    second = await orchestrator(*RESTART, at=url)
    third = await orchestrator(*RESTART, "--force", "cooldown", at=url)
    assert [first.status, second.status, third.status] == [0, 1, 0]
    assert (first.json["outcome"], first.json["action_state"]) == ("taken", "completed")
    refused, last = _lines(second)  # said once
    assert refused.startswith("restart_service on email-blast: refused: ")
    assert re.fullmatch(
        r"held by cooldown until \S+ \S+ UTC; --force cooldown does it nevertheless", last
    )
    assert _lines(third)[0] == "ActionStarted restart_service (overriding cooldown)"


@pytest.mark.long
async def test_what_did_not_help_has_failed(service: Service, run: Run) -> None:
    service.answer = "failed"
    ran = await orchestrator(*RESTART, at=await run())
    assert (ran.status, _lines(ran)[-1]) == (1, "restart_service on email-blast: failed: pid 7")


@pytest.mark.long
async def test_what_cannot_be_overridden_is_not_offered(
    serve: Serve, service: Service, run: Run
) -> None:
    there = await serve(service.app())
    observed = make.project(mode=Mode.OBSERVE, url=there, control=Control(url=f"{there}/control"))
    ran = await orchestrator(*RESTART, at=await run(projects={"email-blast": observed}))
    assert (ran.status, _lines(ran)[-2:]) == (
        1,
        [
            (
                "restart_service on email-blast: refused: mode: observe;"
                " would restart_service email-blast"
            ),
            "held by observe",
        ],
    )


async def test_who_does_not_wait_is_told_where_to_ask(service: Service, run: Run) -> None:
    url = await run()
    service.at_work.clear()
    at_once = await orchestrator(*RESTART, "--no-wait", at=url)
    await _sent(service)
    again = await orchestrator(*RESTART, at=url)
    service.at_work.set()
    assert (at_once.status, at_once.out) == (3, "request 1, incident 1\n")
    assert (again.status, again.err) == (
        1,
        "orchestrator: restart_service is under way (incident 1); ask again when it has ended\n",
    )


@pytest.mark.long
async def test_who_waits_for_too_short_a_time_is_told_that_it_goes_on(
    service: Service, run: Run
) -> None:
    url = await run()
    service.at_work.clear()
    ran = await orchestrator(*RESTART, "--wait", "1s", at=url)
    service.at_work.set()
    said = "request 1 of incident 1 goes on; `orchestrator incident 1` tells what comes of it"
    assert (ran.status, _lines(ran)[-1]) == (3, said)


@asynccontextmanager
async def _started(url: str) -> AsyncIterator[Process]:
    command = (sys.executable, "-m", "orchestrator", *RESTART, "--url", url)
    process = await asyncio.create_subprocess_exec(*command, stdout=PIPE, stderr=PIPE)
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def test_who_interrupts_the_asking_is_not_told_that_it_was_refused(serve: Serve) -> None:
    asked, at_work = asyncio.Event(), asyncio.Event()

    async def wait(_: web.Request) -> web.Response:
        asked.set()
        await at_work.wait()
        return web.json_response({})

    slow = web.Application()
    slow.router.add_post("/{any:.*}", wait)
    async with _started(await serve(slow)) as process:
        await asked.wait()
        process.send_signal(signal.SIGINT)
        out, err = await process.communicate()
    at_work.set()
    said = b"orchestrator: interrupted; what was asked of the webhook may be done nevertheless\n"
    assert (process.returncode, out, err) == (130, b"", said)


@pytest.mark.long
async def test_who_interrupts_it_has_not_stopped_the_action(service: Service, run: Run) -> None:
    url = await run()
    service.at_work.clear()
    async with _started(url) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        await process.stdout.readline()  # the action has begun
        process.send_signal(signal.SIGINT)
        said = await process.stderr.read()
        status = await process.wait()
    service.at_work.set()
    assert (status, said.startswith(b"orchestrator: request 1 of incident 1 goes on")) == (
        130,
        True,
    )


def _event(name: str, **data: object) -> dict[str, object]:
    return {"name": name, "incident": 1, "at": "2026-11-21T12:00:00.000000Z", "data": data}


def test_a_change_is_told_from_what_to_what(capsys: pytest.CaptureFixture[str]) -> None:
    watch = _watch()
    watch._show([_event("EMAIL_BLAST_STATUS_CHANGED", **{"from": "down", "to": "healthy"})])
    assert capsys.readouterr().out[10:] == "EMAIL_BLAST_STATUS_CHANGED from down to healthy\n"


def test_of_its_own_refusal_no_event_is_told_and_of_another_s_each(
    capsys: pytest.CaptureFixture[str],
) -> None:
    watch = _watch()
    told = [
        _event("RequestRefused", request=6, action="pause_service"),
        _event("IncidentClosed", how="it has ended"),
        _event("RequestRefused", request=7, action="restart_service"),
    ]
    watch._show(told)
    watch._show([_event("IncidentClosed", how="refused: cooldown 30s")])
    assert [each[10:] for each in capsys.readouterr().out.splitlines()] == [
        "RequestRefused pause_service",
        "IncidentClosed: it has ended",
    ]


def _watch() -> _Watch:
    where = Address(url="http://127.0.0.1:1", token=None, trust=True)
    return _Watch(Hub(address=where, as_json=False), 7, 1, 0)


def test_a_length_that_is_none_is_told() -> None:
    ran = CliRunner().invoke(main, [*RESTART, "--wait", "soon"])
    assert (ran.exit_code, "'soon' is not a duration" in ran.output) == (2, True)


def test_its_help_has_an_example() -> None:
    ran = CliRunner().invoke(main, ["act", "--help"])
    assert (ran.exit_code, "orchestrator act email-blast restart_service" in ran.output) == (
        0,
        True,
    )
