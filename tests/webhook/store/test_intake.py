"""What a notification changes in the store: each alert by its own status, each episode once."""

import sqlite3
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from tests.webhook import make
from tests.webhook.make import NOW, SECOND
from webhook import chain
from webhook.alert import Status
from webhook.change import Change
from webhook.incident import State
from webhook.store import history, rows, trail, work
from webhook.store.database import atomic, connect
from webhook.store.intake import Meaning, receive
from webhook.store.leftover import take_up

M = Meaning
LATER = NOW + 60 * SECOND


@pytest.fixture
def db() -> Iterator[sqlite3.Connection]:
    connection = connect(":memory:")
    yield connection
    connection.close()


def _receive(db: sqlite3.Connection, *alerts: dict[str, Any], after: int = 0) -> Counter[Meaning]:
    with atomic(db):
        sent = make.notification(*alerts)
        return receive(db, sent, make.body(*alerts), at=NOW + after * SECOND).meanings


def _episodes(db: sqlite3.Connection) -> list[tuple[int, int | None]]:
    """Return start and end of each episode, in seconds after NOW."""
    found = db.execute("SELECT started_at, ended_at FROM episodes ORDER BY id")
    return [tuple(None if text is None else _seconds(text) for text in row) for row in found]  # type: ignore[misc]  # two columns


def _seconds(text: str) -> int:
    minutes, seconds = text[14:].rstrip("Z").split(":")
    return int(minutes) * 60 + int(float(seconds)) - (3600 if text[11:13] == "11" else 0)


def _names(db: sqlite3.Connection) -> list[str]:
    return [str(each["name"]) for each in history.events(db, after=0, limit=99)]


FIRES = make.alert()
ENDS = make.alert(ended=NOW + 8 * SECOND)


@pytest.mark.parametrize(
    ("story", "meanings", "episodes"),
    [
        ([FIRES], [M.OPENED], [(0, None)]),
        ([FIRES, FIRES], [M.OPENED, M.REPEATED], [(0, None)]),
        ([FIRES, ENDS], [M.OPENED, M.ENDED], [(0, 8)]),
        ([FIRES, ENDS, ENDS], [M.OPENED, M.ENDED, M.REPEATED], [(0, 8)]),
        ([ENDS], [M.UNKNOWN], []),
        ([FIRES, ENDS, FIRES], [M.OPENED, M.ENDED, M.LATE], [(0, 8)]),
        (
            [FIRES, ENDS, make.alert(started=NOW + 7 * SECOND)],
            [M.OPENED, M.ENDED, M.LATE],
            [(0, 8)],
        ),
        (
            [FIRES, ENDS, make.alert(started=NOW + 20 * SECOND)],
            [M.OPENED, M.ENDED, M.OPENED],
            [(0, 8), (20, None)],
        ),
        (
            [FIRES, make.alert(started=NOW - 5 * SECOND)],
            [M.OPENED, M.REPEATED],
            [(-5, None)],
        ),
        (
            [FIRES, make.alert(started=NOW + 20 * SECOND)],
            [M.OPENED, M.OPENED],
            [(0, 20), (20, None)],
        ),
        (
            [FIRES, make.alert(started=NOW + 3 * SECOND, ended=NOW + 8 * SECOND)],
            [M.OPENED, M.ENDED],
            [(0, 8)],
        ),
        (
            [FIRES, make.alert(ended=NOW - 1 * SECOND)],
            [M.OPENED, M.STALE],
            [(0, None)],
        ),
        (
            [FIRES, make.alert(started=NOW - 15 * SECOND), FIRES],
            [M.OPENED, M.REPEATED, M.REPEATED],
            [(-15, None)],
        ),
        (
            [
                FIRES,
                *[make.alert(started=NOW + 20 * SECOND)],
                FIRES,
                make.alert(started=NOW + 20 * SECOND),
            ],
            [M.OPENED, M.OPENED, M.REPEATED, M.REPEATED],
            [(0, 20), (20, None)],
        ),
        ([make.alert(source="orchestrator")], [M.OURS], []),
        ([make.alert(project="")], [M.UNROUTABLE], [(0, None)]),
        ([make.alert(remediate="")], [M.OPENED], [(0, None)]),
        (
            [FIRES, make.alert(started=NOW + timedelta(microseconds=900))],
            [M.OPENED, M.REPEATED],
            [(0, None)],
        ),
    ],
)
def test_the_store_tells_new_from_known_late_and_stale(
    db: sqlite3.Connection,
    story: list[dict[str, Any]],
    meanings: list[Meaning],
    episodes: list[tuple[int, int | None]],
) -> None:
    seen = [meaning for alert in story for meaning in _receive(db, alert)]
    assert (seen, _episodes(db)) == (meanings, episodes)


def test_a_firing_message_with_a_resolved_alert_ends_that_alert(db: sqlite3.Connection) -> None:
    other = make.alert(fingerprint="other", project="chatbot")
    _receive(db, FIRES, other)
    assert make.notification(FIRES, other).status is Status.FIRING
    assert _receive(db, ENDS, other) == Counter({M.ENDED: 1, M.REPEATED: 1})
    assert _episodes(db) == [(0, 8), (0, None)]


@pytest.mark.parametrize(
    ("story", "meanings", "episodes"),
    [
        ([FIRES, FIRES], {M.OPENED: 1, M.REPEATED: 1}, [(0, None)]),
        ([FIRES, ENDS], {M.OPENED: 1, M.ENDED: 1}, [(0, 8)]),
        ([FIRES, ENDS, FIRES], {M.OPENED: 1, M.ENDED: 1, M.LATE: 1}, [(0, 8)]),
        (
            [FIRES, make.alert(started=NOW + 20 * SECOND)],
            {M.OPENED: 2},
            [(0, 20), (20, None)],
        ),
    ],
)
def test_an_alert_that_comes_twice_in_one_notification_is_taken_in_its_order(
    db: sqlite3.Connection,
    story: list[dict[str, Any]],
    meanings: dict[Meaning, int],
    episodes: list[tuple[int, int | None]],
) -> None:
    assert (_receive(db, *story), _episodes(db)) == (Counter(meanings), episodes)


def test_a_notification_of_more_than_a_statement_takes_is_told_apart_alert_by_alert(
    db: sqlite3.Connection,
) -> None:
    names = [f"{number}" for number in range(3 * rows.AT_ONCE + 1)]
    fire = [make.alert(fingerprint=name, project=f"p-{name}") for name in names]
    end = [make.alert(fingerprint=name, ended=NOW + 8 * SECOND) for name in names[::2]]
    again = [make.alert(fingerprint=name, project=f"p-{name}") for name in names[1::2]]
    seen = [_receive(db, *fire), _receive(db, *end, *again, after=9)]
    opened, ended, repeated = len(names), len(names) // 2 + 1, len(names) // 2
    assert seen == [{M.OPENED: opened}, {M.ENDED: ended, M.REPEATED: repeated}]
    at = db.execute("SELECT DISTINCT seen_at, ended_at IS NULL, how FROM episodes ORDER BY id")
    second = "2026-11-21T12:00:09.000000Z"
    assert [tuple(row) for row in at] == [(second, 0, "resolved"), (second, 1, None)]
    assert chain.first_broken(trail.stream(db)) is None


def test_a_notification_that_fails_half_way_leaves_nothing_behind(db: sqlite3.Connection) -> None:
    lone = make.alert(fingerprint="x", project="p", remediate="")
    db.execute("CREATE TEMP TRIGGER t BEFORE INSERT ON audit BEGIN SELECT RAISE(ABORT, 'x'); END")
    with pytest.raises(sqlite3.IntegrityError):
        _receive(db, FIRES, lone)
    tables = ("notifications", "episodes", "incidents", "events")
    assert [db.execute(f"SELECT 1 FROM {table}").fetchall() for table in tables] == [[]] * 4  # noqa: S608  names of ours


def test_two_alerts_of_a_project_are_one_incident(db: sqlite3.Connection) -> None:
    _receive(db, FIRES, make.alert(fingerprint="cpu", alertname="ProjectHighCPU"))
    found = db.execute("SELECT project FROM incidents").fetchall()
    assert [row["project"] for row in found] == ["email-blast"]


def test_an_alert_that_nobody_may_repair_opens_no_incident(db: sqlite3.Connection) -> None:
    _receive(db, make.alert(remediate=""), make.alert(project="", fingerprint="x"))
    assert db.execute("SELECT id FROM incidents").fetchall() == []


def test_the_first_firing_tells_of_the_alert_and_of_the_change_of_state(
    db: sqlite3.Connection,
) -> None:
    _receive(db, FIRES)
    _receive(db, FIRES)
    assert _names(db) == ["ProjectDown", "EMAIL_BLAST_STATUS_CHANGED"]


def _end_incident(db: sqlite3.Connection, *, after: int) -> None:
    at = NOW + after * SECOND
    with atomic(db):
        case = work.claim(db, epoch=1, at=at)
        assert case is not None
        closed = case.incident.move(State.CLOSED, at=at)
        work.apply(db, Change(before=case.incident, after=closed), epoch=1, at=at)


@pytest.mark.parametrize(("gap", "incidents"), [(59 * 60, ["open"]), (61 * 60, ["open", "closed"])])
def test_a_fire_within_the_hour_opens_the_same_incident_again(
    db: sqlite3.Connection, gap: int, incidents: list[str]
) -> None:
    _receive(db, FIRES)
    _receive(db, ENDS, after=8)
    _end_incident(db, after=10)
    _receive(db, make.alert(started=NOW + (10 + gap) * SECOND), after=10 + gap)
    found = db.execute("SELECT state FROM incidents ORDER BY id DESC").fetchall()
    assert [row["state"] for row in found] == incidents


def test_the_raw_body_is_kept(db: sqlite3.Connection) -> None:
    _receive(db, FIRES)
    row = db.execute("SELECT body, alerts, status FROM notifications").fetchone()
    assert tuple(row) == (make.body(FIRES).decode(), 1, "firing")


def test_every_change_is_audited_and_a_repeat_changes_nothing(db: sqlite3.Connection) -> None:
    for alert in (FIRES, FIRES, ENDS, ENDS):
        _receive(db, alert)
    rows = list(trail.stream(db))
    assert [row.entry.what for row in rows] == [
        "incident opened",
        "episode opened",
        "episode ended",
    ]
    assert chain.first_broken(rows) is None


def test_the_alert_that_always_fires_is_heard_and_not_kept(db: sqlite3.Connection) -> None:
    barks = make.alert(alertname="Watchdog", project="", remediate="", fingerprint="aa")
    assert _receive(db, barks) == Counter({M.WATCHDOG: 1})
    assert (_episodes(db), _names(db)) == ([], [])


def test_what_ended_although_its_alert_goes_on_is_taken_up_once_its_project_is_back(
    db: sqlite3.Connection,
) -> None:
    _receive(db, FIRES)
    db.execute("UPDATE incidents SET state = 'closed', ended_at = at, due_at = NULL FROM"
               " (SELECT max(at) AS at FROM audit)")  # fmt: skip
    nobody, back, again = (
        take_up(db, projects, at=LATER) for projects in ({"crm"}, {"email-blast"}, {"email-blast"})
    )
    case = work.claim(db, epoch=1, at=LATER)
    assert (nobody, back, again) == (0, 1, 0)
    assert case is not None
    assert (case.incident.state, len(case.episodes)) == (State.OPEN, 1)
