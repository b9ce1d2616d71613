"""Findings in the store: each takes effect once, and none against what we were told since."""

import sqlite3
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest

from orchestrator import clock
from tests.webhook import make
from tests.webhook.make import NOW, SECOND
from webhook import chain
from webhook.alert import Alert
from webhook.case import Case
from webhook.store import history, trail, work
from webhook.store.database import atomic, connect
from webhook.store.intake import receive
from webhook.store.reconciliation import (
    Appeared,
    Finding,
    Gone,
    Kind,
    Known,
    Silenced,
    Unsilenced,
    known,
    take,
)

FIRES = make.alert()
ENDS = make.alert(ended=NOW + 8 * SECOND)
LATER = NOW + 300 * SECOND
TEXT = "silenced until 14:03 UTC by alice: planned work"


@pytest.fixture
def db() -> Iterator[sqlite3.Connection]:
    connection = connect(":memory:")
    yield connection
    connection.close()


def _receive(db: sqlite3.Connection, *alerts: dict[str, Any], after: int = 0) -> None:
    with atomic(db):
        sent = make.notification(*alerts)
        receive(db, sent, make.body(*alerts), at=NOW + after * SECOND)


def _take(db: sqlite3.Connection, *found: Finding, at: datetime = LATER) -> dict[Kind, int]:
    with atomic(db):
        return dict(take(db, found, at=at))


def _alert(raw: dict[str, Any]) -> Alert:
    return make.notification(raw).alerts[0]


def _appeared(raw: dict[str, Any] = FIRES, *, updated: int = 60, **changes: Any) -> Appeared:  # noqa: ANN401
    given: dict[str, Any] = {"silenced": None, "beside": False, **changes}
    return Appeared(alert=_alert(raw), updated_at=NOW + updated * SECOND, **given)


def _episodes(db: sqlite3.Connection) -> list[tuple[str, str | None, str | None]]:
    """Return start, end and silence of each episode."""
    rows = db.execute("SELECT started_at, ended_at, silenced FROM episodes ORDER BY id")
    return [(row[0][14:19], row[1] and row[1][14:19], row[2]) for row in rows]


def _case(db: sqlite3.Connection, *, at: datetime = LATER) -> Case | None:
    with atomic(db):
        return work.claim(db, epoch=1, at=at)


def _only(db: sqlite3.Connection) -> Known:
    [episode] = known(db)
    return episode


def _last_audited(db: sqlite3.Connection) -> str:
    rows = list(trail.stream(db))
    assert chain.first_broken(rows) is None
    return rows[-1].entry.what


def _sleep(db: sqlite3.Connection, *, state: str | None = None, ended: bool = False) -> None:
    """Let the incident rest until somebody wakes it, or have ended."""
    db.execute(
        "UPDATE incidents SET state = coalesce(?, state), due_at = ?, ended_at = ?",
        (
            state,
            None if ended else "2027-01-01T00:00:00.000000Z",
            clock.written(NOW + 10 * SECOND) if ended else None,
        ),
    )


def test_only_open_episodes_of_what_may_be_repaired_are_compared(db: sqlite3.Connection) -> None:
    _receive(
        db,
        FIRES,
        make.alert(fingerprint="info", remediate=""),
        make.alert(fingerprint="no", remediate="false"),
    )
    _receive(db, make.alert(fingerprint="over", project="chatbot"))
    _receive(db, make.alert(fingerprint="over", project="chatbot", ended=NOW + SECOND))
    _receive(db, make.alert(started=NOW - 5 * SECOND), after=20)
    seen = NOW + 20 * SECOND
    assert _only(db) == Known(
        id=1, fingerprint=FIRES["fingerprint"], started_at=NOW, seen_at=seen, silenced=None
    )


def test_e11_what_we_were_never_sent_is_an_episode_and_an_incident_like_any_other(
    db: sqlite3.Connection,
) -> None:
    assert _take(db, _appeared()) == {Kind.APPEARED: 1}
    case = _case(db)
    assert case is not None
    assert [each.open for each in case.episodes] == [True]
    names = [each["name"] for each in history.events(db, after=0, limit=9)]
    assert names == ["ProjectDown", "EMAIL_BLAST_STATUS_CHANGED"]


def test_e13_a_later_start_ends_the_episode_before_it(db: sqlite3.Connection) -> None:
    _receive(db, FIRES)
    again = _appeared(make.alert(started=NOW + 20 * SECOND), beside=True)
    assert _take(db, again) == {Kind.APPEARED: 1}
    assert _episodes(db) == [("00:00", "00:20", None), ("00:20", None, None)]


def test_what_was_silenced_before_we_heard_of_it_is_never_open_without_its_silence(
    db: sqlite3.Connection,
) -> None:
    _take(db, _appeared(silenced=TEXT))
    assert _episodes(db) == [("00:00", None, TEXT)]


def test_an_alert_without_a_project_is_kept_and_opens_no_incident(db: sqlite3.Connection) -> None:
    assert _take(db, _appeared(make.alert(project=""))) == {Kind.APPEARED: 1}
    assert _case(db) is None


@pytest.mark.parametrize("ended", [False, True])
def test_e53_an_end_that_was_false_is_taken_back(
    db: sqlite3.Connection,
    ended: bool,  # noqa: FBT001  whether the incident had ended, too
) -> None:
    _receive(db, FIRES)
    _receive(db, ENDS, after=8)
    _sleep(db, state="closed" if ended else "open", ended=ended)
    before = len(history.events(db, after=0, limit=9))
    assert _take(db, _appeared(updated=9)) == {Kind.REOPENED: 1}
    assert _episodes(db) == [("00:00", None, None)]
    row = db.execute("SELECT count(*), max(state), max(due_at), max(ended_at) FROM incidents")
    assert tuple(row.fetchone()) == (1, "open", clock.written(LATER), None)
    told = [each["name"] for each in history.events(db, after=before, limit=9)]
    assert told == (["ProjectDown", "EMAIL_BLAST_STATUS_CHANGED"] if ended else [])
    assert _last_audited(db) == "episode reopened"
    case = _case(db)
    assert case is not None
    assert [each.open for each in case.episodes] == [True]


def test_a_reopened_episode_is_of_its_incident_also_after_its_true_end(
    db: sqlite3.Connection,
) -> None:
    _receive(db, FIRES)
    _receive(db, ENDS, after=8)
    _sleep(db, state="closed", ended=True)
    db.execute("UPDATE incidents SET first_episode = 2")
    _take(db, _appeared(updated=9))
    _receive(db, make.alert(ended=NOW + 400 * SECOND), after=400)
    case = _case(db, at=NOW + 400 * SECOND)
    assert case is not None
    assert [each.id for each in case.episodes] == [1]


def test_e53_the_attempts_on_an_episode_that_goes_on_still_count(db: sqlite3.Connection) -> None:
    _receive(db, FIRES)
    db.execute(
        "INSERT INTO actions (key, incident, project, name, alertname, attempt, state, created_at,"
        " executed_at, detail) VALUES ('k', 1, 'email-blast', 'restart_service', 'ProjectDown', 1,"
        " 'failed', ?, ?, '')",
        [clock.written(NOW)] * 2,
    )
    _receive(db, ENDS, after=8)
    _take(db, _appeared(updated=9))
    case = _case(db)
    assert case is not None
    assert [each.key for each in case.attempts] == ["k"]


def test_e9_an_end_stands_when_alertmanager_heard_nothing_since(db: sqlite3.Connection) -> None:
    _receive(db, FIRES)
    _receive(db, ENDS, after=8)
    assert _take(db, _appeared(updated=8)) == {}
    assert _episodes(db) == [("00:00", "00:08", None)]


def test_an_end_that_came_while_we_asked_stands(db: sqlite3.Connection) -> None:
    _receive(db, FIRES)
    _receive(db, ENDS, after=8)
    again = _appeared(make.alert(started=NOW + 7 * SECOND), updated=60, beside=True)
    assert _take(db, again) == {}
    assert _episodes(db) == [("00:00", "00:08", None)]


def test_a_reopened_episode_has_the_silence_of_now(db: sqlite3.Connection) -> None:
    _receive(db, FIRES)
    _take(db, Silenced(episode=_only(db), text="long ago"))
    _receive(db, ENDS, after=8)
    _take(db, _appeared())
    assert _episodes(db) == [("00:00", None, None)]


@pytest.mark.parametrize(("at", "end"), [(30, "00:30"), (-30, "00:00")])
def test_e12_what_is_gone_ends_when_alertmanager_first_did_not_have_it(
    db: sqlite3.Connection, at: int, end: str
) -> None:
    _receive(db, FIRES)
    _sleep(db)
    assert _take(db, Gone(episode=_only(db), ended_at=NOW + at * SECOND)) == {Kind.GONE: 1}
    assert _episodes(db) == [("00:00", end, None)]
    assert _case(db) is not None
    last = list(trail.stream(db))[-1].entry
    assert (last.what, '"how":"reconciled"' in last.data) == ("episode ended", True)


def test_what_we_were_told_of_while_we_asked_is_not_gone(db: sqlite3.Connection) -> None:
    _receive(db, FIRES)
    gone = Gone(episode=_only(db), ended_at=NOW)
    _receive(db, FIRES, after=200)
    assert (_take(db, gone), _episodes(db)) == ({}, [("00:00", None, None)])


def test_e49_a_silence_is_noted_changed_and_lifted_and_wakes_the_incident(
    db: sqlite3.Connection,
) -> None:
    _receive(db, FIRES)
    steps: list[tuple[Finding, Kind, str | None]] = [
        (Silenced(episode=_only(db), text=TEXT), Kind.SILENCED, TEXT),
        (Silenced(episode=_only(db), text="longer"), Kind.SILENCED, "longer"),
        (Unsilenced(episode=_only(db)), Kind.UNSILENCED, None),
    ]
    for finding, kind, text in steps:
        _sleep(db)
        assert _take(db, finding) == {kind: 1}
        assert _episodes(db) == [("00:00", None, text)]
        due = db.execute("SELECT due_at FROM incidents").fetchone()["due_at"]
        assert (due, _last_audited(db)) == (clock.written(LATER), "episode silenced")


def _everything(db: sqlite3.Connection) -> Counter[str]:
    return Counter(db.iterdump())


def test_every_finding_takes_effect_once(db: sqlite3.Connection) -> None:
    for place, name in enumerate(("one", "two", "three", "four")):
        _receive(db, make.alert(fingerprint=name, project=f"project-{place}"))
    one, two, three, _ = known(db)
    _take(db, Silenced(episode=two, text=TEXT))
    _receive(db, make.alert(fingerprint="four", project="project-3", ended=NOW + SECOND))
    found: list[Finding] = [
        Gone(episode=one, ended_at=NOW),
        Unsilenced(episode=replace(two, silenced=TEXT)),
        Silenced(episode=three, text=TEXT),
        _appeared(make.alert(fingerprint="four", project="project-3")),
        _appeared(make.alert(fingerprint="five", project="project-4")),
    ]
    assert _take(db, *found) == dict.fromkeys(Kind, 1)
    before = _everything(db)
    assert (_take(db, *found), _everything(db)) == ({}, before)
