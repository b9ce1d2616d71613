"""An escalated incident has one person who took it, until people are asked anew."""

import json
import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from tests.webhook import make
from tests.webhook.make import NOW, SECOND
from webhook import briefing, outcome
from webhook.change import Change
from webhook.diagnosis import Gathered
from webhook.store import acknowledgement, paging, work
from webhook.store.acknowledgement import Acknowledged, NotEscalated, Taken, UnknownIncident
from webhook.store.database import connect
from webhook.store.intake import receive

EPOCH = 7


@pytest.fixture
def db() -> Iterator[sqlite3.Connection]:
    connection = connect(":memory:")
    sent = make.alert()
    receive(connection, make.notification(sent), make.body(sent), at=NOW)
    yield connection
    connection.close()


def _escalate(db: sqlite3.Connection) -> None:
    case = work.claim(db, epoch=EPOCH, at=NOW)
    assert case is not None
    page = briefing.escalation(
        case, make.project(), "it did not help", Gathered(), url="http://hub"
    )
    work.apply(db, outcome.escalated(case, "it did not help", NOW, page), epoch=EPOCH, at=NOW)


def _take(db: sqlite3.Connection, by: str = "ann", reason: str = "on it") -> Acknowledged:
    return acknowledgement.acknowledge(db, 1, by=by, reason=reason, at=NOW + SECOND)


def _page(db: sqlite3.Connection) -> paging.Page:
    [page] = [each for each in paging.due(db, at=NOW + SECOND) if each.ended_at is None]
    return page


def _events(db: sqlite3.Connection) -> list[dict[str, Any]]:
    found = db.execute("SELECT data FROM events WHERE name = 'EscalationAcknowledged'")
    return [json.loads(row["data"]) for row in found]


def test_who_takes_it_is_told_on_its_page_to_readers_and_in_the_audit(
    db: sqlite3.Connection,
) -> None:
    _escalate(db)
    before = _page(db)
    assert _take(db) == Acknowledged(by="ann", at=NOW + SECOND)
    said = "ann has taken it at 12:00 UTC: on it"
    described = f"{said}\n{before.annotations['description']}"
    assert _page(db) == replace(
        before,
        annotations={**before.annotations, "acknowledged": said, "description": described},
    )
    assert _events(db) == [{"by": "ann", "reason": "on it"}]
    last = db.execute("SELECT actor, what FROM audit ORDER BY id DESC LIMIT 1").fetchone()
    assert tuple(last) == ("ann", "escalation acknowledged")


def test_its_page_is_posted_again_at_once(db: sqlite3.Connection) -> None:
    _escalate(db)
    paging.posted(db, _page(db), again=NOW + 30 * SECOND)
    assert paging.due(db, at=NOW + SECOND) == []
    _take(db)
    assert "acknowledged" in _page(db).annotations


def test_saying_it_twice_changes_nothing(db: sqlite3.Connection) -> None:
    _escalate(db)
    _take(db)
    assert _take(db, reason="again") == Acknowledged(by="ann", at=NOW + SECOND)
    assert _events(db) == [{"by": "ann", "reason": "on it"}]


def test_another_person_is_told_who_has_it(db: sqlite3.Connection) -> None:
    _escalate(db)
    _take(db)
    with pytest.raises(Taken, match="ann has taken incident 1 at 12:00 UTC"):
        _take(db, by="bob")


def test_what_nobody_was_asked_about_cannot_be_taken(db: sqlite3.Connection) -> None:
    with pytest.raises(NotEscalated, match="incident 1 is open; only what is escalated"):
        _take(db)


def test_an_incident_that_is_not_there_is_called_so(db: sqlite3.Connection) -> None:
    with pytest.raises(UnknownIncident, match="there is no incident 9"):
        acknowledgement.acknowledge(db, 9, by="ann", reason="on it", at=NOW)


def test_hostile_words_are_no_markup_on_the_page(db: sqlite3.Connection) -> None:
    _escalate(db)
    _take(db, reason="<!channel> @here \x1b[2J password=hunter2 " + "x" * 10_000)
    said = _page(db).annotations["acknowledged"]
    held = [each for each in ("<", "@", "\x1b", "hunter2") if each in said]
    assert (held, len(said)) == ([], acknowledgement.SAID)


def _taken_by(db: sqlite3.Connection) -> str | None:
    row = db.execute("SELECT acknowledged_by FROM incidents WHERE id = 1").fetchone()
    by: str | None = row["acknowledged_by"]
    return by


def test_an_incident_that_is_opened_again_is_nobodys(db: sqlite3.Connection) -> None:
    _escalate(db)
    _take(db)
    gone = make.alert(ended=NOW + 2 * SECOND)
    receive(db, make.notification(gone), make.body(gone), at=NOW + 2 * SECOND)
    case = work.claim(db, epoch=EPOCH, at=NOW + 2 * SECOND)
    assert case is not None
    closed = outcome.closed(case, "it ended", NOW + 2 * SECOND)
    work.apply(db, closed, epoch=EPOCH, at=NOW + 2 * SECOND)
    assert _taken_by(db) == "ann"
    again = make.alert(started=NOW + 9 * SECOND)
    receive(db, make.notification(again), make.body(again), at=NOW + 9 * SECOND)
    assert _taken_by(db) is None


def _asked_anew(db: sqlite3.Connection) -> Change:
    case = work.claim(db, epoch=EPOCH, at=NOW + 90 * SECOND)
    assert case is not None
    page = briefing.escalation(case, make.project(), "another", Gathered(), url="http://hub")
    kept = outcome.kept(case, NOW + 90 * SECOND)
    return replace(kept, page=page, reason="another")


def test_when_people_are_asked_anew_it_is_nobodys(db: sqlite3.Connection) -> None:
    _escalate(db)
    _take(db)
    work.apply(db, _asked_anew(db), epoch=EPOCH, at=NOW + 90 * SECOND)
    assert _taken_by(db) is None
