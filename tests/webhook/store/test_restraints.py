"""What people said is kept until it ends or is lifted, and its end lets things be decided anew."""

import sqlite3
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from tests.webhook import make
from tests.webhook.make import NOW, SECOND
from webhook import action as law
from webhook import outcome
from webhook.case import Case
from webhook.change import Change
from webhook.guard import Block
from webhook.restraint import Kind, Restraint
from webhook.store import history, requests, restraints, surroundings, work
from webhook.store.database import connect
from webhook.store.intake import receive
from webhook.store.restraints import Endless

EPOCH = 7
LATER = NOW + timedelta(minutes=30)


@pytest.fixture
def db() -> Iterator[sqlite3.Connection]:
    connection = connect(":memory:")
    yield connection
    connection.close()


def _add(db: sqlite3.Connection, kind: Kind, project: str | None, ends: datetime | None) -> int:
    return restraints.add(
        db, kind, project, reason="moving", by="ann", starts_at=NOW, ends_at=ends, at=NOW
    )


def _around(db: sqlite3.Connection, project: str = "email-blast") -> tuple[Restraint, ...]:
    return surroundings.around(
        db,
        make.project(name=project),
        make.episode(),
        within=60 * SECOND,
        fleet={project},
        parents=(),
    ).restraints


def test_what_was_said_is_found_for_whom_it_binds(db: sqlite3.Connection) -> None:
    _add(db, Kind.HOLD, "email-blast", None)
    _add(db, Kind.MAINTENANCE, "chatbot", LATER)
    _add(db, Kind.KILL_SWITCH, None, LATER)
    kinds = {name: [each.kind for each in _around(db, name)] for name in ("email-blast", "chatbot")}
    assert kinds == {
        "email-blast": [Kind.HOLD, Kind.KILL_SWITCH],
        "chatbot": [Kind.MAINTENANCE, Kind.KILL_SWITCH],
    }


def test_a_kill_switch_needs_an_end(db: sqlite3.Connection) -> None:
    with pytest.raises(Endless, match="a kill switch needs an end"):
        _add(db, Kind.KILL_SWITCH, None, None)


def test_what_is_lifted_binds_nobody_and_wakes_what_it_held(db: sqlite3.Connection) -> None:
    sent = make.alert()
    receive(db, make.notification(sent), make.body(sent), at=NOW)
    number = _add(db, Kind.HOLD, "email-blast", None)
    case = work.claim(db, epoch=EPOCH, at=NOW)
    assert case is not None
    held = outcome.blocked(case, Block(guard="hold", reason="held"), NOW)
    work.apply(db, held, epoch=EPOCH, at=NOW)
    assert work.claim(db, epoch=EPOCH, at=NOW + SECOND) is None
    assert restraints.lift(db, number, by="bob", at=NOW + SECOND)
    assert _around(db) == ()
    assert work.claim(db, epoch=EPOCH, at=NOW + SECOND) is not None


def test_what_is_not_in_force_cannot_be_lifted(db: sqlite3.Connection) -> None:
    number = _add(db, Kind.HOLD, None, None)
    lifted = [restraints.lift(db, each, by="bob", at=NOW) for each in (number, number, 9)]
    assert lifted == [True, False, False]


def _kinds(db: sqlite3.Connection) -> list[tuple[str, str, str]]:
    told = db.execute("SELECT name, project, json_extract(data, '$.by') FROM events ORDER BY id")
    return [(row[0], row[1], row[2]) for row in told]


def test_who_set_and_who_lifted_is_told_to_readers_and_recorded(db: sqlite3.Connection) -> None:
    numbers = [
        _add(db, Kind.HOLD, "email-blast", LATER),
        _add(db, Kind.KILL_SWITCH, None, LATER),
        _add(db, Kind.MAINTENANCE, None, LATER),
    ]
    for number in numbers:
        restraints.lift(db, number, by="bob", at=NOW + SECOND)
    assert _kinds(db) == [
        ("HoldSet", "email-blast", "ann"),
        ("KillSwitchOn", "", "ann"),
        ("MaintenanceSet", "", "ann"),
        ("HoldReleased", "email-blast", "bob"),
        ("KillSwitchOff", "", "bob"),
        ("MaintenanceEnded", "", "bob"),
    ]
    actors = db.execute("SELECT what, actor FROM audit ORDER BY id").fetchall()
    assert [tuple(row) for row in actors] == [
        *[("restraint set", "ann")] * 3,
        *[("restraint lifted", "bob")] * 3,
    ]


def test_one_that_was_lifted_says_by_whom_and_when(db: sqlite3.Connection) -> None:
    number = _add(db, Kind.HOLD, "email-blast", LATER)
    restraints.lift(db, number, by="bob", at=NOW + SECOND)
    assert restraints.one(db, number) == Restraint(
        id=number,
        kind=Kind.HOLD,
        project="email-blast",
        reason="moving",
        set_by="ann",
        starts_at=NOW,
        ends_at=LATER,
        set_at=NOW,
        lifted_at=NOW + SECOND,
        lifted_by="bob",
    )


def test_what_has_ended_by_itself_cannot_be_lifted(db: sqlite3.Connection) -> None:
    number = _add(db, Kind.HOLD, "email-blast", NOW + SECOND)
    assert not restraints.lift(db, number, by="bob", at=NOW + SECOND)


def test_a_shorter_kill_switch_leaves_the_longer_one_as_it_is(db: sqlite3.Connection) -> None:
    long = _add(db, Kind.KILL_SWITCH, None, LATER)
    _add(db, Kind.KILL_SWITCH, None, NOW + SECOND)
    assert [each.id for each in restraints.in_force(db, at=NOW + 2 * SECOND)] == [long]


def test_setting_one_wakes_whom_it_is_about_and_nobody_else(db: sqlite3.Connection) -> None:
    for name, fingerprint in (("email-blast", "1"), ("chatbot", "2")):
        sent = make.alert(project=name, fingerprint=fingerprint)
        receive(db, make.notification(sent), make.body(sent), at=NOW)
    db.execute("UPDATE incidents SET due_at = ?", ("2026-11-21T12:01:00.000000Z",))
    _add(db, Kind.HOLD, "email-blast", LATER)
    case = work.claim(db, epoch=EPOCH, at=NOW)
    assert case is not None
    assert case.incident.project == "email-blast"
    assert work.claim(db, epoch=EPOCH, at=NOW) is None


def test_a_page_has_those_of_a_project_newest_first(db: sqlite3.Connection) -> None:
    mine = _add(db, Kind.HOLD, "email-blast", LATER)
    _add(db, Kind.HOLD, "chatbot", LATER)
    everybody = _add(db, Kind.MAINTENANCE, None, LATER)
    over = _add(db, Kind.HOLD, "email-blast", NOW + SECOND)
    found = {
        current: [
            each.id
            for each in restraints.page(
                db,
                kind=None,
                project="email-blast",
                current=current,
                before=99,
                limit=10,
                at=NOW + SECOND,
            )
        ]
        for current in (True, False)
    }
    assert found == {True: [everybody, mine], False: [over, everybody, mine]}


def _intent(case: Case) -> Change:
    chosen = make.action(state=law.State.PENDING, executed_at=None)
    return outcome.begun(case, chosen, NOW, at_most=4, detail="no approval needed")


def _decided(db: sqlite3.Connection) -> Change:
    sent = make.alert()
    receive(db, make.notification(sent), make.body(sent), at=NOW)
    case = work.claim(db, epoch=EPOCH, at=NOW)
    assert case is not None
    return _intent(case)


def _begun(db: sqlite3.Connection) -> int:
    return int(db.execute("SELECT count(*) FROM actions").fetchone()[0])


@pytest.mark.parametrize(
    ("kind", "project", "said"),
    [
        (Kind.KILL_SWITCH, None, "a kill switch was set meanwhile"),
        (Kind.HOLD, "email-blast", "a hold was set meanwhile"),
        (Kind.MAINTENANCE, "email-blast", "a maintenance was set meanwhile"),
        (Kind.MAINTENANCE, None, "a maintenance was set meanwhile"),
    ],
)
def test_no_intent_is_committed_once_people_have_said_hands_off(
    kind: Kind, project: str | None, said: str, db: sqlite3.Connection
) -> None:
    decided = _decided(db)
    _add(db, kind, project, LATER)
    with pytest.raises(work.Overtaken, match=said):
        work.apply(db, decided, epoch=EPOCH, at=NOW)
    assert _begun(db) == 0


@pytest.mark.parametrize(
    ("project", "ends"), [("chatbot", LATER), ("email-blast", NOW - SECOND)], ids=["other", "over"]
)
def test_a_hold_that_does_not_bind_keeps_no_intent_back(
    project: str, ends: datetime, db: sqlite3.Connection
) -> None:
    decided = _decided(db)
    _add(db, Kind.HOLD, project, ends)
    work.apply(db, decided, epoch=EPOCH, at=NOW)
    assert _begun(db) == 1


@pytest.mark.parametrize(
    ("kind", "begun"), [(Kind.HOLD, 1), (Kind.MAINTENANCE, 0), (Kind.KILL_SWITCH, 0)]
)
def test_what_a_person_has_overridden_keeps_their_own_intent_not_back(
    kind: Kind, begun: int, db: sqlite3.Connection
) -> None:
    decided = _decided(db)
    asked = requests.ask(
        db, "email-blast", "restart_service", reason="x", forced=("hold",), by="ann", at=NOW
    )
    taken = asked.request.taken("key-1", ("hold",), at=NOW)
    _add(db, kind, None if kind is Kind.KILL_SWITCH else "email-blast", LATER)
    with suppress(work.Overtaken):
        work.apply(db, replace(decided, request=taken), epoch=EPOCH, at=NOW)
    assert _begun(db) == begun


def test_maintenance_that_begins_at_once_counts_for_the_figures(db: sqlite3.Connection) -> None:
    restraints.add(
        db,
        Kind.MAINTENANCE,
        "email-blast",
        reason="moving",
        by="ann",
        starts_at=None,
        ends_at=LATER,
        at=NOW,
    )
    figures = history.figures(db, now=NOW, window=SECOND)
    assert figures.maintenance == {"email-blast"}
