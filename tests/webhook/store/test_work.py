"""The queue: each due incident is claimed once, and a change is stored whole or not at all."""

import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import replace

import pytest

from tests.webhook import make
from tests.webhook.make import NOW, SECOND
from webhook import action as law
from webhook import audit
from webhook.action import Action
from webhook.briefing import Briefing
from webhook.case import Case
from webhook.change import Change
from webhook.guard import Surroundings
from webhook.incident import State
from webhook.store import history, paging, surroundings, work
from webhook.store.database import atomic, connect
from webhook.store.intake import receive
from webhook.store.work import Overtaken

EPOCH = 7


@pytest.fixture
def db() -> Iterator[sqlite3.Connection]:
    connection = connect(":memory:")
    _fires(connection)
    yield connection
    connection.close()


def _fires(db: sqlite3.Connection, *, after: int = 0, project: str = "email-blast") -> None:
    sent = make.alert(project=project, fingerprint=project, started=NOW + after * SECOND)
    with atomic(db):
        receive(db, make.notification(sent), make.body(sent), at=NOW + after * SECOND)


def _ends(db: sqlite3.Connection, *, after: int, project: str = "email-blast") -> None:
    sent = make.alert(project=project, fingerprint=project, ended=NOW + after * SECOND)
    with atomic(db):
        receive(db, make.notification(sent), make.body(sent), at=NOW + after * SECOND)


def _claimed(db: sqlite3.Connection, *, epoch: int = EPOCH, after: int = 0) -> Case:
    case = work.claim(db, epoch=epoch, at=NOW + after * SECOND)
    assert case is not None
    return case


def _apply(db: sqlite3.Connection, change: Change, *, after: int = 0) -> None:
    with atomic(db):
        work.apply(db, change, epoch=EPOCH, at=NOW + after * SECOND)


def _moved(case: Case, *path: State, after: int = 0) -> Change:
    incident = case.incident
    for state in path:
        incident = incident.move(state, at=NOW + after * SECOND)
    page = Briefing(labels={"alertname": "EscalationRequired"}, annotations={"summary": "x"})
    asks = incident.state is State.ESCALATED
    return Change(
        before=case.incident, after=incident, reason="because", page=page if asks else None
    )


def _began(case: Case, key: str = "key-1") -> Change:
    pending = make.action(
        key=key, incident=case.incident.id, state=law.State.PENDING, executed_at=None
    )
    approved = pending.move(law.State.APPROVED, at=NOW)
    executing = approved.move(law.State.EXECUTING, at=NOW)
    return replace(_moved(case, State.REPAIRING), action_became=(pending, approved, executing))


def test_a_due_incident_is_claimed_by_one_only(db: sqlite3.Connection) -> None:
    assert _claimed(db).incident.project == "email-blast"
    assert work.claim(db, epoch=EPOCH, at=NOW + SECOND) is None


def test_after_a_crash_the_next_start_claims_it_at_once(db: sqlite3.Connection) -> None:
    first, second = work.boot(db, at=NOW), work.boot(db, at=NOW)
    _claimed(db, epoch=first)
    assert _claimed(db, epoch=second).incident.project == "email-blast"


def test_what_is_not_due_yet_is_left_alone(db: sqlite3.Connection) -> None:
    waiting = _claimed(db).incident
    _apply(db, Change(before=waiting, after=waiting.wait(NOW + 5 * SECOND)))
    assert work.claim(db, epoch=EPOCH, at=NOW + 4 * SECOND) is None
    assert _claimed(db, after=5).incident.id == waiting.id


def test_the_longest_due_comes_first(db: sqlite3.Connection) -> None:
    _fires(db, after=1, project="chatbot")
    order = [_claimed(db, after=9).incident.project for _ in range(2)]
    assert order == ["email-blast", "chatbot"]


def test_the_intent_is_stored_with_every_state_it_went_through(db: sqlite3.Connection) -> None:
    _apply(db, _began(_claimed(db)))
    case = _claimed(db)
    assert (case.incident.state, case.action) == (State.REPAIRING, make.action())
    moves = [row.entry.data for row in history.audited(db) if row.entry.what == "action moved"]
    assert [text.partition('"to":')[2] for text in moves] == [
        '"pending"}',
        '"approved"}',
        '"executing"}',
    ]


def test_a_change_by_somebody_who_lost_the_claim_is_refused_whole(db: sqlite3.Connection) -> None:
    case = _claimed(db, epoch=EPOCH - 1)
    before = list(db.iterdump())
    with pytest.raises(Overtaken):
        _apply(db, _began(case))
    assert list(db.iterdump()) == before


def test_a_change_to_an_action_that_moved_meanwhile_is_refused_whole(
    db: sqlite3.Connection,
) -> None:
    _apply(db, _began(_claimed(db)))
    case = _claimed(db)
    db.execute("UPDATE actions SET state = 'completed'")
    before = list(db.iterdump())
    failed = make.action().move(law.State.FAILED, at=NOW)
    change = replace(_moved(case, State.OPEN), action_was=make.action(), action_became=(failed,))
    with pytest.raises(Overtaken):
        _apply(db, change)
    assert list(db.iterdump()) == before


def test_two_actions_on_one_project_at_once_cannot_be_stored(db: sqlite3.Connection) -> None:
    _apply(db, _began(_claimed(db)))
    case = _claimed(db)
    other = replace(_moved(case), action_became=(make.action(key="key-2"),))
    with pytest.raises(sqlite3.IntegrityError, match="UNIQUE"):
        _apply(db, other)


def test_a_notification_during_a_step_leaves_the_incident_due(db: sqlite3.Connection) -> None:
    case = _claimed(db)
    _ends(db, after=3)
    waiting = case.incident.wait(NOW + 60 * SECOND, held="cooldown")
    _apply(db, Change(before=case.incident, after=waiting), after=4)
    assert _claimed(db, after=4).episodes[0].ended_at == NOW + 3 * SECOND


def test_an_incident_does_not_end_over_news_that_the_step_did_not_know(
    db: sqlite3.Connection,
) -> None:
    case = _claimed(db)
    _ends(db, after=3)
    _fires(db, after=4)
    with pytest.raises(Overtaken):
        _apply(db, _moved(case, State.CLOSED), after=5)


def test_escalating_asks_people_and_leaving_tells_them_of_the_end(db: sqlite3.Connection) -> None:
    _apply(db, _moved(_claimed(db), State.ESCALATED))
    [asked] = paging.due(db, at=NOW)
    _apply(db, _moved(_claimed(db), State.CLOSED, after=9), after=9)
    [told] = paging.due(db, at=NOW + 9 * SECOND)
    assert (asked.kind, asked.incident, asked.reason, asked.started_at, asked.ended_at) == (
        *("escalation", 1, "because", NOW, None),
    )
    assert told == replace(asked, ended_at=NOW + 9 * SECOND)


def test_an_end_that_came_while_it_was_posted_still_goes_out(db: sqlite3.Connection) -> None:
    _apply(db, _moved(_claimed(db), State.ESCALATED))
    [asked] = paging.due(db, at=NOW)
    _apply(db, _moved(_claimed(db), State.CLOSED, after=9), after=9)
    paging.posted(db, asked, again=NOW + 30 * SECOND)
    [told] = paging.due(db, at=NOW + 9 * SECOND)
    assert told.ended_at == NOW + 9 * SECOND
    paging.posted(db, told, again=None)
    assert paging.due(db, at=NOW + 999 * SECOND) == []


def test_an_incident_that_is_opened_again_is_about_the_new_outage_only(
    db: sqlite3.Connection,
) -> None:
    _ends(db, after=3)
    _apply(db, _moved(_claimed(db, after=4), State.CLOSED, after=4), after=4)
    _fires(db, after=60)
    case = _claimed(db, after=60)
    assert (case.incident.id, case.incident.opened_at) == (1, NOW + 60 * SECOND)
    assert [episode.started_at for episode in case.episodes] == [NOW + 60 * SECOND]


def _executed(db: sqlite3.Connection, key: str, *, after: int) -> Action:
    made = make.action(key=key, executed_at=NOW + after * SECOND, state=law.State.FAILED)
    db.execute(
        "INSERT INTO actions (key, incident, project, name, alertname, attempt, state, created_at,"
        " executed_at, detail) VALUES (?, 1, ?, ?, ?, 1, 'failed', ?, ?, '')",
        (
            key,
            made.project,
            made.name,
            made.alertname,
            "2026-11-21T12:00:00.000000Z",
            f"2026-11-21T12:00:{after:02}.000000Z",
        ),
    )
    return made


def test_attempts_go_on_counting_after_an_escalation_has_ended(db: sqlite3.Connection) -> None:
    _executed(db, "before", after=1)
    _apply(db, _moved(_claimed(db), State.ESCALATED, after=2))
    _apply(db, _moved(_claimed(db, after=2), State.CLOSED, after=5), after=5)
    _ends(db, after=5)
    _fires(db, after=10)
    assert [each.key for each in _claimed(db, after=10).attempts] == ["before"]


def test_a_release_gives_the_incident_back_unchanged(db: sqlite3.Connection) -> None:
    case = _claimed(db)
    work.release(db, case.incident, epoch=EPOCH, due=NOW + SECOND)
    assert _claimed(db, after=1).incident == replace(case.incident, due_at=NOW + SECOND)


def test_the_audit_is_whole_after_all_of_it(db: sqlite3.Connection) -> None:
    _apply(db, _began(_claimed(db)))
    _apply(db, _moved(_claimed(db), State.ESCALATED))
    _apply(db, _moved(_claimed(db), State.CLOSED))
    assert audit.first_broken(history.audited(db)) is None


def _down(db: sqlite3.Connection, *projects: str, after: int = 0) -> None:
    for each in projects:
        _fires(db, project=each, after=after)


def _around(
    db: sqlite3.Connection, *parents: str, fleet: Sequence[str] = ("email-blast", "a", "b", "c")
) -> Surroundings:
    episode = make.episode(received_at=NOW)
    within = 60 * SECOND
    return surroundings.around(
        db, make.project(), episode, within=within, fleet=set(fleet), parents=parents
    )


def test_what_fell_at_about_the_same_time_is_known(db: sqlite3.Connection) -> None:
    _down(db, "a", after=60)
    _down(db, "b", after=61)
    _down(db, "nobody-s", after=1)
    assert sorted(_around(db).fell) == ["a", "email-blast"]


def test_a_parent_is_down_until_its_alert_ends(db: sqlite3.Connection) -> None:
    _down(db, "a")
    assert [_around(db, "a", "b").parents_down, _around(db, "b").parents_down] == [("a",), ()]
    _ends(db, after=9, project="a")
    assert _around(db, "a", "b").parents_down == ()


def test_repairs_on_other_projects_are_counted_and_limit_the_next(db: sqlite3.Connection) -> None:
    _apply(db, _began(_claimed(db)))
    _fires(db, project="chatbot")
    _claimed(db, after=1)
    case = _claimed(db, after=1)
    assert (_around(db).repairs, case.incident.project) == (0, "chatbot")
    other = make.action(key="key-2", incident=2, project="chatbot")
    begun = replace(_moved(case, State.REPAIRING), action_became=(other,), at_most=1)
    with pytest.raises(Overtaken, match="1 repairs are under way elsewhere"):
        _apply(db, begun)
    _apply(db, replace(begun, at_most=2))


def test_what_a_fallen_fleet_holds_is_looked_at_when_another_is_up(
    db: sqlite3.Connection,
) -> None:
    _fires(db, project="chatbot")
    for _ in range(2):
        case = _claimed(db)
        waits = case.incident.wait(NOW + 60 * SECOND, held="held", by="fleet")
        _apply(db, Change(before=case.incident, after=waits))
    assert work.claim(db, epoch=EPOCH, at=NOW + SECOND) is None
    _ends(db, after=1)
    assert {_claimed(db, after=1).incident.project for _ in range(2)} == {"email-blast", "chatbot"}


def test_what_people_healed_counts_no_more_but_only_once_in_a_window(
    db: sqlite3.Connection,
) -> None:
    hour_ago = NOW - 3600 * SECOND
    for round_ in (1, 2):
        _executed(db, f"key-{round_}", after=round_)
        _apply(db, _moved(_claimed(db, after=round_ * 10), State.ESCALATED), after=round_ * 10)
        closed = _moved(_claimed(db, after=round_ * 10), State.CLOSED)
        _apply(db, replace(closed, forgive=hour_ago), after=round_ * 10)
        _ends(db, after=round_ * 10)
        _fires(db, after=round_ * 10 + 1)
    assert [each.key for each in _claimed(db, after=30).attempts] == ["key-2"]


def test_a_look_that_was_planned_before_the_clock_was_set_back_is_due(
    db: sqlite3.Connection,
) -> None:
    case = _claimed(db)
    later = replace(case.incident, due_at=NOW + 30 * SECOND)
    _apply(db, Change(before=case.incident, after=later))
    assert work.claim(db, epoch=EPOCH, at=NOW) is None
    assert work.claim(db, epoch=EPOCH, at=NOW - 3600 * SECOND) is not None


def test_what_is_being_done_is_claimed_before_all_that_waits_longer(
    db: sqlite3.Connection,
) -> None:
    _fires(db, project="chatbot", after=1)
    _claimed(db, after=1)
    begun = _claimed(db, after=1)
    _fires(db, project="crm", after=2)
    action = make.action(incident=begun.incident.id, project="chatbot")
    change = replace(_moved(begun, State.REPAIRING, after=9), action_became=(action,))
    _apply(db, change, after=9)
    assert [_claimed(db, after=9).incident.project for _ in range(2)] == ["chatbot", "crm"]


def test_a_claim_of_an_earlier_life_was_interrupted(db: sqlite3.Connection) -> None:
    first = _claimed(db, epoch=1)
    second = _claimed(db, epoch=2)
    assert [first.interrupted, second.interrupted] == [False, True]


def test_a_release_by_an_earlier_life_changes_nothing(db: sqlite3.Connection) -> None:
    case = _claimed(db, epoch=1)
    _claimed(db, epoch=2)
    work.release(db, case.incident, epoch=1, due=NOW)
    assert work.claim(db, epoch=2, at=NOW) is None


def test_people_are_told_of_a_fallen_fleet_once_and_of_its_end_when_nothing_is_held(
    db: sqlite3.Connection,
) -> None:
    _fires(db, project="chatbot")
    page = Briefing(labels={"alertname": "FleetDown"}, annotations={"summary": "x"})
    held = []
    for _ in range(2):
        case = _claimed(db)
        waits = case.incident.wait(NOW + 15 * SECOND, held="held", by="fleet")
        _apply(db, Change(before=case.incident, after=waits, page=page, reason="held"))
        held.append(case)
    assert [each.kind for each in paging.due(db, at=NOW)] == ["fleet"]
    for _ in held:
        _apply(db, _moved(_claimed(db, after=15), State.CLOSED, after=15), after=15)
    assert [each.ended_at for each in paging.due(db, at=NOW + 15 * SECOND)] == [NOW + 15 * SECOND]
