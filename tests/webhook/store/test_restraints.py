"""What people said is kept until it ends or is lifted, and its end lets things be decided anew."""

import sqlite3
from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest

from tests.webhook import make
from tests.webhook.make import NOW, SECOND
from webhook import outcome
from webhook.guard import Block
from webhook.restraint import Kind, Restraint
from webhook.store import restraints, surroundings, work
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
