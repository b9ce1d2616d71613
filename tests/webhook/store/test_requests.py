"""Requests in the store: one at a time for a project, and none is lost, late, or done twice."""

import json
import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from orchestrator.health import Probe
from orchestrator.health import State as Health
from tests.webhook import make
from tests.webhook.asking import request
from tests.webhook.make import NOW, SECOND
from tests.webhook.store.queue import EPOCH, apply, began, claimed, ends, fires, moved
from tests.webhook.world import World, stepped
from webhook import action as law
from webhook.change import Change
from webhook.executor import Unanswered
from webhook.incident import State
from webhook.repair import step
from webhook.store import history, requests, work
from webhook.store.database import atomic, connect
from webhook.store.requests import Asked, UnderWay
from webhook.store.work import Overtaken

UP = Probe(state=Health.HEALTHY, reason=None, seconds=0.01)


@pytest.fixture
def db() -> Iterator[sqlite3.Connection]:
    connection = connect(":memory:")
    yield connection
    connection.close()


def _ask(db: sqlite3.Connection, *, after: int = 0, forced: tuple[str, ...] = ()) -> Asked:
    with atomic(db):
        return requests.ask(
            db,
            "email-blast",
            "restart_service",
            reason="it hangs",
            forced=forced,
            by="ann",
            at=NOW + after * SECOND,
        )


def _states(db: sqlite3.Connection) -> list[str]:
    return [row["state"] for row in db.execute("SELECT state FROM incidents ORDER BY id")]


def _audited(db: sqlite3.Connection, what: str) -> tuple[str, dict[str, object]]:
    (row,) = db.execute("SELECT actor, data FROM audit WHERE what = ?", (what,))
    return row["actor"], json.loads(row["data"])


def _requests(db: sqlite3.Connection) -> list[tuple[str | None, ...]]:
    return [tuple(row) for row in db.execute("SELECT outcome, key FROM requests ORDER BY id")]


def _told(db: sqlite3.Connection) -> list[str]:
    return [row["name"] for row in db.execute("SELECT name FROM events ORDER BY id")]


def test_without_an_incident_one_is_opened_for_it_and_is_due_at_once(
    db: sqlite3.Connection,
) -> None:
    asked = _ask(db, forced=("cooldown",))
    case = claimed(db)
    assert asked == Asked(request=request(forced=("cooldown",)), after=1)
    assert (case.request, case.incident, case.episodes) == (asked.request, make.incident(), ())


def test_it_is_told_of_and_audited_with_who_asks_and_what_is_overridden(
    db: sqlite3.Connection,
) -> None:
    _ask(db, forced=("cooldown",))
    (told,) = history.events(db, after=0, limit=9)
    assert (told["name"], told["data"]) == (
        "ActionRequested",
        {
            "request": 1,
            "action": "restart_service",
            "asked_by": "ann",
            "reason": "it hangs",
            "force": "cooldown",
        },
    )
    assert _audited(db, "action requested") == (
        "ann",
        {
            "action": "restart_service",
            "forced": ["cooldown"],
            "incident": 1,
            "project": "email-blast",
            "reason": "it hangs",
            "request": 1,
        },
    )


def test_the_incident_of_its_alert_takes_it_up_whenever_that_would_be_due(
    db: sqlite3.Connection,
) -> None:
    fires(db)
    waits = claimed(db).incident
    apply(db, Change(before=waits, after=waits.wait(NOW + 60 * SECOND)))
    _ask(db, after=1)
    case = claimed(db, after=1)
    assert (case.incident.id, [each.alertname for each in case.episodes]) == (1, ["ProjectDown"])


def test_a_recent_incident_is_opened_again_and_an_old_one_is_not(db: sqlite3.Connection) -> None:
    fires(db)
    apply(db, moved(claimed(db), State.CLOSED))
    _ask(db, after=3_600)
    assert (_states(db), claimed(db, after=3_600).episodes != ()) == (["open"], True)


def test_an_incident_of_long_ago_stays_closed(db: sqlite3.Connection) -> None:
    fires(db)
    ends(db, after=1)
    apply(db, moved(claimed(db, after=1), State.CLOSED), after=1)
    _ask(db, after=3_700)
    assert _states(db) == ["closed", "open"]


@pytest.mark.parametrize("state", [State.REPAIRING, State.VERIFYING])
def test_what_is_under_way_is_named_and_nothing_is_stored(
    db: sqlite3.Connection, state: State
) -> None:
    fires(db)
    apply(db, began(claimed(db)))
    if state is State.VERIFYING:
        apply(db, moved(claimed(db), state))
    before = list(db.iterdump())
    with pytest.raises(UnderWay, match=r"restart_service is under way \(incident 1\)"):
        _ask(db, after=1)
    assert list(db.iterdump()) == before


def test_a_question_that_waits_is_to_be_answered_instead(db: sqlite3.Connection) -> None:
    fires(db)
    case = claimed(db)
    pending = make.action(state=law.State.PENDING, executed_at=None)
    apply(db, replace(moved(case, State.AWAITING_APPROVAL), action_became=(pending,)))
    db.execute(
        "INSERT INTO approvals (id, action, incident, project, bound, question, asked_at,"
        " expires_at) VALUES (7, 'key-1', 1, 'email-blast', '', '', '', '')"
    )
    with pytest.raises(UnderWay) as refused:
        _ask(db)
    assert str(refused.value) == "approval 7 waits, for restart_service: approve or reject it"


def test_of_two_people_at_once_the_second_hears_of_the_first(db: sqlite3.Connection) -> None:
    _ask(db)
    with pytest.raises(UnderWay, match=r"ann has asked for restart_service already"):
        _ask(db)


async def test_the_request_ends_with_the_intent_and_names_its_action(
    db: sqlite3.Connection,
) -> None:
    _ask(db, forced=("cooldown",))
    apply(db, await stepped(claimed(db), World(probe=UP)))
    case = claimed(db)
    taken = request(forced=("cooldown",)).taken("key-1", (), at=NOW)
    assert (case.request, case.action and case.action.key) == (taken, "key-1")
    assert _told(db) == ["ActionRequested", "ActionStarted"]
    assert _audited(db, "request ended") == (
        "webhook",
        {
            "asked_by": "ann",
            "guard": None,
            "key": "key-1",
            "outcome": "taken",
            "overrode": [],
            "request": 1,
            "why": None,
        },
    )


async def test_a_repair_that_was_decided_meanwhile_gives_way_to_a_person(
    db: sqlite3.Connection,
) -> None:
    fires(db)
    decided = await stepped(claimed(db), World())
    _ask(db)
    with pytest.raises(Overtaken, match="a person asks for an action on email-blast"):
        apply(db, decided)
    assert _states(db) == ["open"]
    work.release(db, decided.before, epoch=EPOCH, due=NOW)
    again = await stepped(claimed(db), World())
    assert again.request is not None


@pytest.mark.parametrize(
    "to", [State.REPAIRING, State.AWAITING_APPROVAL, State.ESCALATED, State.CLOSED]
)
def test_nothing_ends_or_begins_without_the_request_being_known(
    db: sqlite3.Connection, to: State
) -> None:
    fires(db)
    change = moved(claimed(db), to)
    _ask(db)  # at the same instant, which moves nothing
    with pytest.raises(Overtaken):
        apply(db, change)


def test_what_only_waits_is_stored_and_the_request_comes_next(db: sqlite3.Connection) -> None:
    fires(db)
    incident = claimed(db).incident
    _ask(db, after=1)
    apply(db, Change(before=incident, after=incident.wait(NOW + 60 * SECOND)), after=1)
    assert claimed(db, after=1).request == replace(
        request(), asked_at=NOW + SECOND, expires_at=NOW + 301 * SECOND
    )


async def test_the_page_of_an_escalation_stays_until_its_incident_ends(
    db: sqlite3.Connection,
) -> None:
    fires(db)
    apply(db, moved(claimed(db), State.ESCALATED))
    _ask(db)
    apply(db, await stepped(claimed(db), World()))
    lasting = "SELECT count(*) FROM pages WHERE ended_at IS NULL"
    during = (_states(db), db.execute(lasting).fetchone()[0])
    apply(db, moved(claimed(db), State.VERIFYING, State.RESOLVED))
    after = (_states(db), db.execute(lasting).fetchone()[0])
    assert (during, after) == ((["repairing"], 1), (["resolved"], 0))


async def test_a_request_ends_once(db: sqlite3.Connection) -> None:
    _ask(db)
    change = await stepped(claimed(db), World(probe=UP))
    db.execute("UPDATE requests SET outcome = 'expired'")
    before = list(db.iterdump())
    with pytest.raises(Overtaken, match="has ended already"):
        apply(db, change)
    assert list(db.iterdump()) == before


async def test_a_refused_one_is_kept_with_the_guard_and_its_end(db: sqlite3.Connection) -> None:
    fires(db)
    attempt = replace(began(claimed(db)), reason="")
    apply(db, attempt)
    case = claimed(db)
    failed = make.action(incident=1).move(law.State.FAILED, at=NOW)
    apply(db, replace(moved(case, State.OPEN), action_was=case.action, action_became=(failed,)))
    _ask(db, after=1)
    apply(db, await stepped(claimed(db, after=1), World(after=SECOND)), after=1)
    found = requests.told(db, 1)
    assert found is not None
    shown = ("outcome", "why", "guard", "until", "key", "action_state", "incident_state")
    assert {name: found[name] for name in shown} == {
        "outcome": "refused",
        "why": "restart_service on email-blast held until 12:00:30 UTC: cooldown 30s",
        "guard": "cooldown",
        "until": "2026-11-21T12:00:30.000000Z",
        "key": None,
        "action_state": None,
        "incident_state": "open",
    }


def test_of_a_request_that_there_is_not_nothing_is_told(db: sqlite3.Connection) -> None:
    assert requests.told(db, 1) is None


async def test_what_was_taken_is_sent_under_one_key_whenever_the_program_is_killed(
    tmp_path: Path,
) -> None:
    """Kill it before its intent is stored, after that, and after each sending."""
    sent: list[str] = []
    for life in range(4):
        db = connect(tmp_path / "x.db")
        epoch = work.boot(db, at=NOW)
        if not life:
            _ask(db)
        world = World(probe=UP, outcome=Unanswered("killed"))
        effects = replace(world.effects(), new_key=partial("key-{}".format, life))
        change = await step(claimed(db, epoch=epoch), make.config(), effects)
        if life == 1:  # of the others, nothing is stored
            with atomic(db):
                work.apply(db, change, epoch=epoch, at=NOW)
        sent += world.sent
        db.close()
    db = connect(tmp_path / "x.db")
    keys = [row["key"] for row in db.execute("SELECT key FROM actions")]
    assert (sent, keys, _requests(db)) == (["key-1"] * 2, ["key-1"], [("taken", "key-1")])
    db.close()


async def test_after_a_long_death_it_is_expired_and_not_done_late(db: sqlite3.Connection) -> None:
    _ask(db)
    world = World(probe=UP, after=301 * SECOND)
    apply(db, await stepped(claimed(db, after=301), world), after=301)
    assert (_requests(db), _states(db)) == ([("expired", None)], ["closed"])
    assert _told(db) == ["ActionRequested", "RequestRefused", "IncidentClosed"]
