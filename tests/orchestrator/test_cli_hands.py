"""Hands off by command line: each command as a process, against a webhook that runs."""

import asyncio
import re
from datetime import datetime, timedelta
from http import HTTPStatus
from pathlib import Path
from typing import Any

import aiohttp
import click
import pytest
from aiohttp import web
from click.testing import CliRunner

from orchestrator import clock
from orchestrator.cli import main
from orchestrator.cli.restraint import spanned, to_come
from tests.conftest import Serve
from tests.terminal import Ran, orchestrator
from tests.waiting import until
from tests.webhook import make
from webhook import app, problem
from webhook.problem import Problem
from webhook.store.database import Store

Json = dict[str, Any]
DATE = r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC"


@pytest.fixture
async def url(tmp_path: Path, serve: Serve) -> str:
    projects = {name: make.project(name=name) for name in ("email-blast", "chatbot")}
    config = make.config(projects=projects, prometheus="http://127.0.0.1:1", alertmanagers=())
    return await serve(app.make(config, Store(tmp_path / "x.db"), version="1"))


async def _run(url: str, *arguments: str) -> Ran:
    """Run a command as people do."""
    return await orchestrator(*arguments, at=url)


async def _again(url: str, *arguments: str) -> Ran:
    """Run one that was run as people do, for a twentieth of the price."""
    ran = await asyncio.to_thread(
        CliRunner().invoke, main, arguments, env={"ORCHESTRATOR_URL": url}
    )
    return Ran(status=ran.exit_code, out=ran.stdout, err=ran.stderr)


async def test_a_hold_is_set_and_released(url: str) -> None:
    held = await _run(
        url, "hold", "email-blast", "--for", "2h", "--reason", "moving \x1b[31mits database"
    )
    assert (held.status, held.err) == (0, "")
    assert re.fullmatch(
        rf"hold 1: email-blast is left alone until {DATE}, by local: moving \[31mits database\n",
        held.out,
    )
    await _again(url, "hold", "chatbot", "--for", "2h", "--reason", "another")
    first = await _run(url, "release", "email-blast")
    second = await _again(url, "release", "email-blast")
    assert [(each.status, each.out) for each in (first, second)] == [
        (0, "email-blast is released\n"),
        (1, "email-blast is not held\n"),
    ]
    assert (await _again(url, "release", "chatbot")).status == 0


async def test_who_releases_a_project_that_is_not_there_is_told_so(url: str) -> None:
    ran = await _again(url, "release", "email-blsat")
    assert (ran.status, ran.out) == (
        1,
        "email-blsat is not held; no project is called email-blsat; did you mean email-blast?\n",
    )


async def test_a_project_that_is_not_there_is_refused_with_what_was_meant(url: str) -> None:
    ran = await _again(url, "hold", "email-blsat", "--for", "2h", "--reason", "x")
    assert (ran.status, ran.out, ran.err) == (
        1,
        "",
        "orchestrator: there is no project email-blsat; did you mean email-blast?\n",
    )


async def test_the_kill_switch_is_set_told_and_taken_back(url: str) -> None:
    on = ("kill-switch", "on", "--for", "30m", "--reason", "storm")
    ran = [await _run(url, *on)]
    ran += [await _again(url, "kill-switch", *arguments) for arguments in ((), ("off",), ())]
    said = rf"kill switch 1: every project is left alone until {DATE}, by local: storm\n"
    off = "the kill switch is off\n"
    assert [each.status for each in ran] == [0, 1, 0, 0]
    assert re.fullmatch(said, ran[0].out)
    assert ran[1].out.startswith("kill switch 1: every project is left alone until ")
    assert [each.out for each in ran[2:]] == [off, off]


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("kill-switch", "on", "--for", "30m"), "on needs --for and --reason"),
        (("kill-switch", "off", "--for", "30m"), "--for and --reason go with `on`"),
        (("hold", "email-blast", "--for", "soon", "--reason", "x"), "is not a duration"),
        (("maintenance", "add", "--for", "1h", "--reason", "x"), "name a project, or say --all"),
        (
            ("maintenance", "add", "x", "--for", "1h", "--to", "22:00", "--reason", "x"),
            "say either --for or --to",
        ),
        (("maintenance", "add", "x", "--to", "never", "--reason", "x"), "is no time"),
    ],
)
async def test_what_is_no_order_is_told_before_anybody_is_asked(
    arguments: tuple[str, ...], why: str
) -> None:
    ran = await _again("http://127.0.0.1:1", *arguments)
    assert (ran.status, why in ran.err) == (2, True)


def _overtaken(lifted: list[int]) -> web.Application:
    """Make a webhook in which somebody else has just lifted the first of two."""
    made = web.Application()

    async def show(request: web.Request) -> web.Response:
        kind = request.query["kind"]
        found = [{"id": each, "kind": kind, "project": "email-blast"} for each in (7, 6)]
        return web.json_response({"restraints": found, "next": None})

    async def lift(request: web.Request) -> web.Response:
        number = int(request.match_info["id"])
        if number == 7:
            return problem.response(Problem(HTTPStatus.CONFLICT, "it is lifted already"))
        lifted.append(number)
        return web.json_response({"id": number})

    made.router.add_get("/api/v1/restraints", show)
    made.router.add_post("/api/v1/restraints/{id}/lift", lift)
    return made


@pytest.mark.parametrize("command", [("kill-switch", "off"), ("release", "email-blast")])
async def test_what_another_has_just_lifted_keeps_nothing_else_in_force(
    command: tuple[str, ...], serve: Serve
) -> None:
    lifted: list[int] = []
    ran = await _again(await serve(_overtaken(lifted)), *command, "--json")
    assert (ran.status, ran.err, ran.json, lifted) == (0, "", {"lifted": [{"id": 6}]}, [6])


async def test_maintenance_is_announced_listed_and_ended(url: str) -> None:
    begin, end = (f"{clock.now() + timedelta(hours=each):%H:%M}" for each in (2, 25))
    span = ("--from", begin, "--to", end)
    added = await _run(url, "maintenance", "add", "--all", *span, "--reason", "rack 2")
    listed = await _run(url, "maintenance", "list")
    ended = await _run(url, "maintenance", "end", "1")
    empty = await _again(url, "maintenance", "list", "--json")
    assert (added.status, "every project is left alone from " in added.out) == (0, True)
    head, row = listed.out.splitlines()
    assert head.split() == ["NUMBER", "PROJECT", "STATE", "FROM", "(UTC)", "TO", "BY", "REASON"]
    assert re.fullmatch(
        rf"1 +every project +planned +\S+ {begin}:00 +\S+ {end}:00 +local +rack 2", row
    )
    assert (ended.status, ended.out) == (0, "maintenance 1 of every project has ended\n")
    assert empty.json == {"restraints": []}


async def test_what_is_no_maintenance_is_not_ended_as_such(url: str) -> None:
    await _again(url, "hold", "email-blast", "--for", "2h", "--reason", "x")
    ran = await _again(url, "maintenance", "end", "1")
    assert (ran.status, ran.err) == (1, "orchestrator: 1 is no maintenance but a hold\n")


@pytest.mark.parametrize("more", [(), ("--json",)])
async def test_a_maintenance_that_is_not_there_is_called_so(
    url: str, more: tuple[str, ...]
) -> None:
    ran = await _again(url, "maintenance", "end", "99", *more)
    said = "there is no maintenance 99"
    assert (ran.status, ran.err) == (1, f"orchestrator: {said}\n")
    assert (ran.json if more else ran.out) == ({"detail": said} if more else "")


async def test_times_are_named_by_the_zone_that_they_are_shown_in(url: str) -> None:
    """Not by that of today: it may be another season then."""
    span = [(clock.now() + timedelta(days=each)).date() for each in (0, 91, 182, 273)]
    summer, winter = (
        next(each for each in span if each.month in months)
        for months in ((4, 5, 6, 7, 8, 9), (11, 12, 1, 2))
    )
    env = {"TZ": "Europe/Berlin", "ORCHESTRATOR_URL": url}
    for day, name in ((summer, "CEST"), (winter, "CET")):
        when = ("--from", f"{day} 23:59", "--for", "2h", "--reason", "x")
        ran = await orchestrator("maintenance", "add", "--all", *when, env=env)
        assert (ran.status, f":59:00 {name}, by" in ran.out) == (0, True), ran
    listed = await orchestrator("maintenance", "list", env=env)
    assert re.search(r"FROM \((CEST/CET|CET/CEST)\)", listed.out), listed.out


async def test_an_escalation_is_taken_and_status_says_so(
    url: str, http: aiohttp.ClientSession
) -> None:
    early = await _again(url, "escalation", "ack", "1", "--reason", "on it")
    assert (early.status, early.err) == (1, "orchestrator: there is no incident 1\n")
    sent = make.alert(alertname="ProjectSlow")
    await http.post(f"{url}/alerts", data=make.body(sent))

    async def escalated() -> bool:
        async with http.get(f"{url}/api/v1/fleet") as response:
            found = (await response.json())["incidents"]
        return [each["state"] for each in found] == ["escalated"]

    await until(escalated, within=10, what="the escalation")
    taken = await _run(url, "escalation", "ack", "1", "--reason", "on it")
    status = await _run(url, "status")
    said = re.fullmatch(r"incident 1 is local's since [\d:]+ UTC\n", taken.out)
    assert (taken.status, said is not None) == (0, True)
    lines = status.out.splitlines()
    assert (status.status, lines[1]) == (
        1,
        "fleet: 2 projects: 2 unknown; Prometheus does not answer",
    )
    assert re.match(r"email-blast +act +unknown +1 escalated +\d+s .*taken by local; ", lines[4])
    assert lines[-1] == "- incident 1 of email-blast is escalated, taken by local"


NOW = datetime.fromisoformat("2026-11-21T12:00:00").astimezone()


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("22:00", "2026-11-21T22:00:00"),
        ("11:59", "2026-11-22T11:59:00"),
        ("12:00", "2026-11-22T12:00:00"),
        ("02:30:15", "2026-11-22T02:30:15"),
        ("2026-11-21 22:00", "2026-11-21T22:00:00"),
        ("2026-11-23", "2026-11-23T00:00:00"),
    ],
)
def test_a_time_without_a_zone_is_one_of_this_machine_that_is_to_come(
    text: str, meant: str
) -> None:
    assert to_come(text, now=NOW) == datetime.fromisoformat(meant).astimezone()


def test_a_time_with_a_zone_is_meant_there() -> None:
    meant = datetime.fromisoformat("2026-11-21T22:00:00+05:00")
    assert to_come("2026-11-21T22:00:00+05:00", now=NOW) == meant


@pytest.mark.parametrize(
    ("now", "starts", "ends", "begin", "end"),
    [
        ("12:00", "22:00", "23:30", "21T22:00", "21T23:30"),
        ("12:00", "22:00", "02:00", "21T22:00", "22T02:00"),
        ("23:48", "22:00", "02:00", "22T22:00", "23T02:00"),  # more than an hour ago: tomorrow
        ("22:05", "22:00", "02:00", "21T22:00", "22T02:00"),  # it means now
        ("12:00", None, "02:00", None, "22T02:00"),
        ("12:00", "22:00", None, "21T22:00", None),
        ("12:00", "2026-11-24 22:00", "02:00", "24T22:00", "25T02:00"),
    ],
)
def test_an_end_without_a_day_is_the_first_after_the_begin(
    now: str, starts: str | None, ends: str | None, begin: str | None, end: str | None
) -> None:
    found = spanned(starts, ends, now=datetime.fromisoformat(f"2026-11-21T{now}").astimezone())
    assert found == tuple(
        each and clock.written(datetime.fromisoformat(f"2026-11-{each}:00").astimezone())
        for each in (begin, end)
    )


@pytest.mark.parametrize(
    ("starts", "ends", "said"),
    [
        (
            "2026-11-24 22:00",
            "2026-11-24 02:00",
            r"it would begin at 2026-11-24 22:00:00 \S+ and end at 2026-11-24 02:00:00 \S+: not",
        ),
        (
            "11:30",
            "11:45",
            r"it would begin at 2026-11-21 12:00:00 \S+ and end at 2026-11-21 11:45:00 \S+: not",
        ),
        ("9999-12-31 23:00", "22:00", "it lies at the end of the calendar, or beyond"),
    ],
)
def test_what_ends_before_it_begins_is_refused_with_both(starts: str, ends: str, said: str) -> None:
    with pytest.raises(click.UsageError, match=said):
        spanned(starts, ends, now=NOW)


@pytest.mark.parametrize("text", ["soon", "", "25:00", "22:00+01:00", "2h"])
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        to_come(text, now=NOW)
