"""The queue: each due incident is claimed once, and a change is stored whole or not at all."""

import sqlite3
from collections.abc import Iterator
from dataclasses import replace

import pytest

from tests.webhook import make
from tests.webhook.make import NOW, SECOND
from tests.webhook.store.queue import EPOCH, apply, began, claimed, ends, executed, fires, moved
from webhook import action as law
from webhook import chain
from webhook.change import Change
from webhook.incident import State
from webhook.store import paging, trail, work
from webhook.store.database import connect
from webhook.store.work import Overtaken


@pytest.fixture
def db() -> Iterator[sqlite3.Connection]:
    connection = connect(":memory:")
    fires(connection)
    yield connection
    connection.close()


def test_a_due_incident_is_claimed_by_one_only(db: sqlite3.Connection) -> None:
    assert claimed(db).incident.project == "email-blast"
    assert work.claim(db, epoch=EPOCH, at=NOW + SECOND) is None


def test_after_a_crash_the_next_start_claims_it_at_once(db: sqlite3.Connection) -> None:
    first, second = work.boot(db, at=NOW), work.boot(db, at=NOW)
    claimed(db, epoch=first)
    assert claimed(db, epoch=second).incident.project == "email-blast"


def test_what_is_not_due_yet_is_left_alone(db: sqlite3.Connection) -> None:
    waiting = claimed(db).incident
    apply(db, Change(before=waiting, after=waiting.wait(NOW + 5 * SECOND)))
    assert work.claim(db, epoch=EPOCH, at=NOW + 4 * SECOND) is None
    assert claimed(db, after=5).incident.id == waiting.id


def test_the_longest_due_comes_first(db: sqlite3.Connection) -> None:
    fires(db, after=1, project="chatbot")
    order = [claimed(db, after=9).incident.project for _ in range(2)]
    assert order == ["email-blast", "chatbot"]


def test_the_intent_is_stored_with_every_state_it_went_through(db: sqlite3.Connection) -> None:
    apply(db, began(claimed(db)))
    case = claimed(db)
    assert (case.incident.state, case.action) == (State.REPAIRING, make.action())
    moves = [row.entry.data for row in trail.stream(db) if row.entry.what == "action moved"]
    assert [text.partition('"to":')[2] for text in moves] == [
        '"pending"}',
        '"approved"}',
        '"executing"}',
    ]


def test_a_change_by_somebody_who_lost_the_claim_is_refused_whole(db: sqlite3.Connection) -> None:
    case = claimed(db, epoch=EPOCH - 1)
    before = list(db.iterdump())
    with pytest.raises(Overtaken):
        apply(db, began(case))
    assert list(db.iterdump()) == before


def test_a_change_to_an_action_that_moved_meanwhile_is_refused_whole(
    db: sqlite3.Connection,
) -> None:
    apply(db, began(claimed(db)))
    case = claimed(db)
    db.execute("UPDATE actions SET state = 'completed'")
    before = list(db.iterdump())
    failed = make.action().move(law.State.FAILED, at=NOW)
    change = replace(moved(case, State.OPEN), action_was=make.action(), action_became=(failed,))
    with pytest.raises(Overtaken):
        apply(db, change)
    assert list(db.iterdump()) == before


def test_two_actions_on_one_project_at_once_cannot_be_stored(db: sqlite3.Connection) -> None:
    apply(db, began(claimed(db)))
    case = claimed(db)
    other = replace(moved(case), action_became=(make.action(key="key-2"),))
    with pytest.raises(sqlite3.IntegrityError, match="UNIQUE"):
        apply(db, other)


def test_a_notification_during_a_step_leaves_the_incident_due(db: sqlite3.Connection) -> None:
    case = claimed(db)
    ends(db, after=3)
    waiting = case.incident.wait(NOW + 60 * SECOND, held="cooldown")
    apply(db, Change(before=case.incident, after=waiting), after=4)
    assert claimed(db, after=4).episodes[0].ended_at == NOW + 3 * SECOND


def test_an_incident_does_not_end_over_news_that_the_step_did_not_know(
    db: sqlite3.Connection,
) -> None:
    case = claimed(db)
    ends(db, after=3)
    fires(db, after=4)
    with pytest.raises(Overtaken):
        apply(db, moved(case, State.CLOSED), after=5)


def test_escalating_asks_people_and_leaving_tells_them_of_the_end(db: sqlite3.Connection) -> None:
    apply(db, moved(claimed(db), State.ESCALATED))
    [asked] = paging.due(db, at=NOW)
    apply(db, moved(claimed(db), State.CLOSED, after=9), after=9)
    [told] = paging.due(db, at=NOW + 9 * SECOND)
    assert (asked.kind, asked.incident, asked.reason, asked.started_at, asked.ended_at) == (
        *("escalation", 1, "because", NOW, None),
    )
    assert told == replace(asked, ended_at=NOW + 9 * SECOND)


def test_an_end_that_came_while_it_was_posted_still_goes_out(db: sqlite3.Connection) -> None:
    apply(db, moved(claimed(db), State.ESCALATED))
    [asked] = paging.due(db, at=NOW)
    apply(db, moved(claimed(db), State.CLOSED, after=9), after=9)
    paging.posted(db, asked, again=NOW + 30 * SECOND)
    [told] = paging.due(db, at=NOW + 9 * SECOND)
    assert told.ended_at == NOW + 9 * SECOND
    paging.posted(db, told, again=None)
    assert paging.due(db, at=NOW + 999 * SECOND) == []


def test_an_incident_that_is_opened_again_is_about_the_new_outage_only(
    db: sqlite3.Connection,
) -> None:
    ends(db, after=3)
    apply(db, moved(claimed(db, after=4), State.CLOSED, after=4), after=4)
    fires(db, after=60)
    case = claimed(db, after=60)
    assert (case.incident.id, case.incident.opened_at) == (1, NOW + 60 * SECOND)
    assert [episode.started_at for episode in case.episodes] == [NOW + 60 * SECOND]


def test_attempts_go_on_counting_after_an_escalation_has_ended(db: sqlite3.Connection) -> None:
    executed(db, "before", after=1)
    apply(db, moved(claimed(db), State.ESCALATED, after=2))
    apply(db, moved(claimed(db, after=2), State.CLOSED, after=5), after=5)
    ends(db, after=5)
    fires(db, after=10)
    assert [each.key for each in claimed(db, after=10).attempts] == ["before"]


def test_a_release_gives_the_incident_back_unchanged(db: sqlite3.Connection) -> None:
    case = claimed(db)
    work.release(db, case.incident, epoch=EPOCH, due=NOW + SECOND)
    assert claimed(db, after=1).incident == replace(case.incident, due_at=NOW + SECOND)


def test_the_audit_is_whole_after_all_of_it(db: sqlite3.Connection) -> None:
    apply(db, began(claimed(db)))
    apply(db, moved(claimed(db), State.ESCALATED))
    apply(db, moved(claimed(db), State.CLOSED))
    assert chain.first_broken(trail.stream(db)) is None
