"""Pages: one of a kind and incident at a time, due until every peer knows of its end."""

import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from tests.webhook.make import NOW, SECOND
from webhook.store import paging
from webhook.store.database import connect
from webhook.store.paging import Page

FLEET = Page(
    id=1,
    kind="fleet",
    incident=None,
    project=None,
    reason="7 of 20",
    labels={"alertname": "FleetDown", "source": "orchestrator"},
    annotations={"summary": "7 of 20 projects went down at once."},
    started_at=NOW,
)
LATER = NOW + 60 * SECOND


@pytest.fixture
def db() -> Iterator[sqlite3.Connection]:
    connection = connect(":memory:")
    yield connection
    connection.close()


def _raise(db: sqlite3.Connection, *, at: datetime = NOW, kind: str = "fleet") -> bool:
    return paging.raise_once(
        db,
        kind=kind,
        reason=FLEET.reason,
        labels=FLEET.labels,
        annotations=FLEET.annotations,
        at=at,
    )


def _incident(db: sqlite3.Connection, *, project: str) -> int:
    row = db.execute(
        "INSERT INTO incidents (project, state, since, opened_at) VALUES (?, 'escalated', '', '')"
        " RETURNING id",
        (project,),
    ).fetchone()
    return int(row["id"])


def test_a_page_is_due_at_once_with_all_that_it_was_raised_with(db: sqlite3.Connection) -> None:
    assert _raise(db)
    assert paging.due(db, at=NOW) == [FLEET]


def test_what_goes_on_is_not_raised_again_and_what_has_ended_is(db: sqlite3.Connection) -> None:
    raised = [_raise(db), _raise(db), paging.settle(db, kind="fleet", at=LATER), _raise(db)]
    assert raised == [True, False, True, True]
    assert [page.ended_at for page in paging.due(db, at=LATER)] == [LATER, None]


def test_another_kind_or_incident_is_another_page(db: sqlite3.Connection) -> None:
    for kind in ("escalation", "approval"):
        for project in ("email-blast", "chatbot"):
            paging.raise_once(
                db,
                kind=kind,
                reason="",
                labels={},
                annotations={},
                at=NOW,
                incident=_incident(db, project=f"{project} {kind}"),
                project=project,
            )
    assert paging.settle(db, kind="approval", at=LATER, incident=3)
    due = paging.due(db, at=LATER)
    assert [(page.kind, page.incident, page.project, page.ended_at) for page in due] == [
        ("escalation", 1, "email-blast", None),
        ("escalation", 2, "chatbot", None),
        ("approval", 3, "email-blast", LATER),
        ("approval", 4, "chatbot", None),
    ]


def test_there_is_no_end_of_what_does_not_go_on(db: sqlite3.Connection) -> None:
    _raise(db)
    settled = [paging.settle(db, kind=kind, at=LATER) for kind in ("watchdog", "fleet", "fleet")]
    assert settled == [False, True, False]


def test_a_page_that_was_posted_waits_for_its_next_post(db: sqlite3.Connection) -> None:
    _raise(db)
    paging.posted(db, FLEET, again=NOW + 30 * SECOND)
    due = [paging.due(db, at=NOW + after * SECOND) for after in (29, 30)]
    assert due == [[], [FLEET]]


def test_an_end_that_came_while_it_was_posted_is_due_at_once(db: sqlite3.Connection) -> None:
    _raise(db)
    paging.settle(db, kind="fleet", at=NOW + SECOND)
    paging.posted(db, FLEET, again=NOW + 30 * SECOND)
    [ended] = paging.due(db, at=NOW + SECOND)
    assert ended == replace(FLEET, ended_at=NOW + SECOND)
    paging.posted(db, ended, again=None)
    assert paging.due(db, at=NOW + timedelta(days=1)) == []


def test_a_clock_that_was_set_back_holds_up_no_post(db: sqlite3.Connection) -> None:
    _raise(db)
    paging.posted(db, FLEET, again=NOW + 30 * SECOND)
    assert paging.due(db, at=NOW - timedelta(hours=1)) == [FLEET]
