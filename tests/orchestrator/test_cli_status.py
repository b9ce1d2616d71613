"""One screen for people: what is well is counted, and all else is told."""

import asyncio
import json
import re
import signal
import sys
from typing import Any

import pytest
from aiohttp import web
from click.testing import CliRunner

from orchestrator.cli import main
from orchestrator.cli.status import screen
from tests.conftest import Serve
from tests.terminal import orchestrator

AT = "2026-11-21T12:00:00.000000Z"
LATER = "2026-11-21T14:00:00.000000Z"
STAGES = [{"name": "repair", "age_seconds": 4.2, "stalled": False}]
WEBHOOK = {
    "version": "0.1.0",
    "dry_run": False,
    "behind": "",
    "stages": STAGES,
    "config_read": True,
    "queue": 0,
    "queue_seconds": 0.0,
    "watchdog_seconds": 20.0,
}


def _project(name: str, state: str = "healthy", incident: int | None = None) -> dict[str, Any]:
    return {"name": name, "mode": "act", "state": state, "incident": incident}


def _incident(**changes: object) -> dict[str, Any]:
    given = {
        "id": 12,
        "project": "billing",
        "state": "escalated",
        "alerts": ["ProjectDown"],
        "opened_at": "2026-11-21T11:45:58.000000Z",
        "since": AT,
        "due_at": AT,
        "held": None,
        "held_by": None,
        "acknowledged_at": None,
        "acknowledged_by": None,
    }
    return {**given, **changes}


HELD: dict[str, Any] = {
    "id": 7,
    "kind": "hold",
    "project": "email-blast",
    "state": "in_force",
    "reason": "moving",
    "set_by": "ann",
    "set_at": AT,
    "starts_at": None,
    "ends_at": LATER,
    "lifted_by": None,
    "lifted_at": None,
}
KILL_SWITCH = {**HELD, "kind": "kill_switch", "project": None}


def _seen(**changes: object) -> dict[str, Any]:
    given = {
        "at": AT,
        "needs": [],
        "webhook": WEBHOOK,
        "prometheus": {"url": "http://127.0.0.1:9090", "answers": True},
        "projects": [_project(f"project-{n}") for n in range(50)],
        "incidents": [],
        "open": {},
        "approvals": [],
        "restraints": [],
        "budgets": [],
    }
    return {**given, **changes}


def _lines(*, every: bool = False, **changes: object) -> list[str]:
    return list(screen(_seen(**changes), every=every))


def test_a_fleet_that_is_well_takes_four_lines() -> None:
    assert _lines() == [
        "webhook 0.1.0: 1 stages go round, each within 4 s; nothing waits in its queue",
        "fleet: 50 projects: 50 healthy",
        "",
        "All is well.",
    ]


def test_all_projects_are_listed_when_that_is_wanted() -> None:
    assert len(_lines(every=True)) == 4 + 50 + 2


def test_what_is_not_well_is_told_with_what_is_left_and_who_has_it() -> None:
    spent = {
        "project": "billing",
        "action": "restart_service",
        "made": 2,
        "left": 1,
        "window_seconds": 3600.0,
        "breaker_open": True,
    }
    left = "restart_service: 1 left, breaker open"
    taken = _incident(acknowledged_by="ann", held="it did not help")
    lines = _lines(
        projects=[_project("billing", "down", 12), _project("chatbot", "degraded")],
        incidents=[taken],
        budgets=[spent],
        needs=["incident 12 of billing is escalated, taken by ann"],
    )
    assert lines[1:] == [
        "fleet: 2 projects: 1 degraded, 1 down",
        "",
        f"PROJECT  MODE  STATE     INCIDENT      FOR    {'ATTEMPTS':37}  WHY",
        f"billing  act   down      12 escalated  14m2s  {left}  taken by ann; it did not help",
        "chatbot  act   degraded",
        "",
        "What needs people:",
        "- incident 12 of billing is escalated, taken by ann",
    ]


def test_an_incident_of_a_project_that_left_the_configuration_is_told() -> None:
    [line] = [each for each in _lines(incidents=[_incident()]) if each.startswith("billing")]
    assert re.fullmatch(r"billing +not configured +12 escalated +14m2s +ProjectDown", line)


def test_what_waits_and_what_is_held_is_told_until_when() -> None:
    asked = {"id": 4, "project": "shop", "incident": 3, "question": "pause shop?"}
    lines = _lines(approvals=[{**asked, "expires_at": LATER}], restraints=[HELD])
    assert re.fullmatch(r"approval 4, until .+: pause shop\?", lines[3])
    assert re.fullmatch(r"hold 7: email-blast is left alone until .+, by ann: moving", lines[5])


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"behind": "stalled: repair"}, "webhook 0.1.0: stalled: repair; nothing waits"),
        ({"queue": 1}, "; 1 waits in its queue"),
        ({"queue": 3}, "; 3 wait in its queue"),
        ({"dry_run": True}, "; DRY RUN: nothing is done"),
        ({"config_read": False}, "; its newest configuration was refused"),
    ],
)
def test_how_the_webhook_is_stands_first(changes: dict[str, object], said: str) -> None:
    assert said in _lines(webhook={**WEBHOOK, **changes})[0]


def test_hostile_text_steers_no_terminal() -> None:
    evil = _incident(held="\x1b[2J\x1b]0;gone\x07" + "x" * 10_000, project="\x1b[31mred")
    lines = _lines(incidents=[evil], needs=["\x1b[2J"])
    assert [each for each in lines if not each.isprintable()] == []
    assert max(map(len, lines)) < 300


@pytest.mark.parametrize(
    "changes",
    [
        {"projects": [_project("billing", "down", 12)]},
        {"projects": [_project("billing", "paused")]},
        {"projects": [_project("billing", "unknown")]},
        {"incidents": [_incident(state="verifying")]},
        {"restraints": [KILL_SWITCH]},
    ],
)
def test_nobody_is_told_that_all_is_well_while_something_is_not(changes: dict[str, Any]) -> None:
    assert _lines(**changes)[-1] == "Nothing needs people now."


def test_a_reason_that_is_cut_shows_that_it_is() -> None:
    [line] = [each for each in _lines(incidents=[_incident(held="x" * 101)]) if "xx" in each]
    assert line.endswith(f" {'x' * 99}\N{HORIZONTAL ELLIPSIS}")


async def _serving(serve: Serve, seen: dict[str, Any]) -> str:
    async def answer(_: web.Request) -> web.Response:
        return web.json_response(seen)

    app = web.Application()
    app.router.add_get("/api/v1/fleet", answer)
    return await serve(app)


async def test_the_exit_status_says_whether_people_are_needed(serve: Serve) -> None:
    well = await orchestrator("status", at=await _serving(serve, _seen()))
    needed = _seen(needs=["approval 4 waits"])
    url = await _serving(serve, needed)
    asked = await asyncio.to_thread(CliRunner().invoke, main, ("status", "--json", "--url", url))
    assert (well.status, well.out.splitlines()[-1]) == (0, "All is well.")
    assert (asked.exit_code, json.loads(asked.stdout)) == (1, needed)


async def test_watching_goes_on_until_it_is_interrupted(serve: Serve) -> None:
    url = await _serving(serve, _seen())
    watching = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "orchestrator", "status", "--watch", "--url", url),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    assert watching.stdout is not None
    async with asyncio.timeout(30):
        seen = [await watching.stdout.readuntil(b"All is well.\n") for _ in range(2)]
        watching.send_signal(signal.SIGINT)
        _, err = await watching.communicate()
    assert (seen[0], watching.returncode, err) == (seen[1], 130, b"")


def test_watching_and_json_do_not_go_together() -> None:
    assert CliRunner().invoke(main, ("status", "--watch", "--json")).exit_code == 2


def test_of_a_storm_the_rest_is_counted() -> None:
    lines = _lines(incidents=[_incident()], open={"open": 300, "escalated": 1})
    assert "and 300 more open incidents: orchestrator incidents --open" in lines
