"""Stories read back: whole, in pages, and without a look at what belongs to others."""

import re
import sqlite3
from collections.abc import Callable, Iterator

import pytest

from tests.webhook.make import NOW, SECOND
from tests.webhook.store.fill import HOUR, add
from webhook.store import chronicle, search, stories
from webhook.store.chronicle import Stretch
from webhook.store.database import connect
from webhook.store.stories import ENDED, GOING, Wanted
from webhook.story import Story


@pytest.fixture
def db() -> Iterator[sqlite3.Connection]:
    connection = connect(":memory:")
    yield connection
    connection.close()


def _ids(db: sqlite3.Connection, wanted: Wanted, *, before: int | None = None) -> list[int]:
    return [each.incident.id for each in stories.page(db, wanted, before=before, limit=2)]


def _whole(db: sqlite3.Connection, number: int = 1) -> Story:
    found = stories.whole(db, number)
    assert found is not None
    return found


def _four(db: sqlite3.Connection) -> None:
    add(db, "incidents", project="a", state="resolved", ended_at=NOW)
    add(db, "incidents", project="a", state="closed", ended_at=NOW)
    add(db, "incidents", project="a")
    add(db, "incidents", project="b")


def test_they_come_in_pages_the_newest_first(db: sqlite3.Connection) -> None:
    _four(db)
    pages = [_ids(db, Wanted(), before=before) for before in (None, 3, 1)]
    assert pages == [[4, 3], [2, 1], []]


@pytest.mark.parametrize(
    ("wanted", "ids"),
    [
        (Wanted(state=GOING), [4, 3]),
        (Wanted(state=ENDED), [2, 1]),
        (Wanted(project="a"), [3, 2]),
        (Wanted(project="a", state=GOING), [3]),
        (Wanted(project="c"), []),
        (Wanted(found='"down" *'), [3, 1]),
        (Wanted(found='"down" *', state=ENDED), [1]),
        (Wanted(found='"down" *', project="b"), []),
    ],
)
def test_only_those_come_that_are_asked_for(
    db: sqlite3.Connection, wanted: Wanted, ids: list[int]
) -> None:
    _four(db)
    db.execute("INSERT INTO sayings (rowid, text) VALUES (1, 'down'), (3, 'downtime'), (4, 'up')")
    assert _ids(db, wanted) == ids


def test_a_story_has_all_that_belongs_to_its_incident_and_nothing_else(
    db: sqlite3.Connection,
) -> None:
    for number in (1, 2):
        add(db, "incidents", state="closed", ended_at=NOW + 9 * SECOND)
        add(db, "episodes", incident=number, fingerprint=str(number), ended_at=NOW)
        add(db, "actions", key=f"key-{number}", incident=number)
        add(db, "approvals", action=f"key-{number}", incident=number)
        add(db, "requests", key=f"key-{number}", incident=number, outcome="taken")
        add(db, "events", incident=number, at=NOW + 5 * SECOND)
        how = {"how": f"because {number}"}
        add(db, "events", name="IncidentClosed", incident=number, at=NOW + 9 * SECOND, data=how)
    found = _whole(db, 2)
    assert [each.fingerprint for each in found.episodes] == ["2"]
    assert [each.key for each in found.actions] == ["key-2"]
    assert [each.action for each in found.approvals] == ["key-2"]
    assert [each.name for each in found.events] == ["ActionWithheld", "IncidentClosed"]
    assert (found.asked_by, found.how) == ({"key-2": "ann"}, "because 2")


def test_there_is_no_story_of_an_incident_that_there_is_not(db: sqlite3.Connection) -> None:
    assert stories.whole(db, 1) is None


def test_of_an_incident_that_was_opened_again_the_first_events_are_there_still(
    db: sqlite3.Connection,
) -> None:
    add(db, "incidents", opened_at=NOW + HOUR)
    add(db, "episodes", received_at=NOW - 2 * HOUR)
    for hours in (-2, 0, 1):
        add(db, "events", at=NOW + hours * HOUR, name=str(hours))
    assert [each.name for each in _whole(db).events] == ["-2", "0", "1"]


def test_of_an_incident_that_only_a_person_opened_the_events_begin_with_the_request(
    db: sqlite3.Connection,
) -> None:
    add(db, "incidents", opened_at=NOW + HOUR)
    add(db, "requests", asked_at=NOW)
    add(db, "events", name="ActionRequested")
    assert [each.name for each in _whole(db).events] == ["ActionRequested"]


def test_events_stay_in_their_order_when_the_clock_was_set_back(db: sqlite3.Connection) -> None:
    add(db, "incidents")
    for seconds in (0, 9, 3):
        add(db, "events", at=NOW + seconds * SECOND, name=str(seconds))
    assert [each.name for each in _whole(db).events] == ["0", "9", "3"]


def test_of_very_many_events_the_newest_are_told(
    db: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stories, "EVENTS", 2)
    add(db, "incidents")
    for seconds in range(4):
        add(db, "events", at=NOW + seconds * SECOND, name=str(seconds))
    assert [each.name for each in _whole(db).events] == ["2", "3"]


def test_details_are_the_newest_alerts_and_pages(db: sqlite3.Connection) -> None:
    add(db, "incidents")
    for number in range(3):
        told = {"summary": f"number {number}"}
        add(db, "episodes", fingerprint=str(number), annotations=told, labels={"a": str(number)})
        add(db, "pages", reason=str(number), ended_at=NOW)
    found = stories.details(db, 1, limit=2)
    assert [(each["summary"], each["labels"]) for each in found.alerts] == [
        ("number 1", {"a": "1"}),
        ("number 2", {"a": "2"}),
    ]
    assert [each["reason"] for each in found.pages] == ["1", "2"]


def _asked(db: sqlite3.Connection, ask: Callable[[], object]) -> list[str]:
    asked: list[str] = []
    db.set_trace_callback(asked.append)
    ask()
    db.set_trace_callback(None)
    return [each for each in asked if not each.startswith("--")]  # SQLite's own, of the search


def _scans(db: sqlite3.Connection, ask: str) -> list[str]:
    plan = [row["detail"] for row in db.execute(f"EXPLAIN QUERY PLAN {ask}")]
    return [each for each in plan if re.fullmatch(r"SCAN (?!CONSTANT|incidents|searched)\w+", each)]


@pytest.mark.parametrize("project", ["a", None])
def test_no_question_of_readers_reads_a_whole_table(
    db: sqlite3.Connection, project: str | None
) -> None:
    _four(db)
    add(db, "episodes")
    add(db, "events")
    stretch = Stretch(project=project, begin=NOW - HOUR, end=NOW + HOUR)

    def ask() -> None:
        for state in (GOING, ENDED, None):
            stories.page(db, Wanted(state=state, project=project), before=None, limit=9)
        stories.page(db, Wanted(project=project, found='"a" *'), before=9, limit=9)
        stories.whole(db, 1)
        stories.details(db, 1, limit=9)
        chronicle.between(db, stretch, limit=9)
        search.gather(db)

    asked = _asked(db, ask)
    scans = {each: found for each in asked if (found := _scans(db, each))}
    sorts = [each for each in asked if "events" in each and _sorts(db, each)]
    assert (len(asked) > 30, scans, sorts) == (True, {}, [])


def _sorts(db: sqlite3.Connection, ask: str) -> bool:
    return any("TEMP B-TREE" in row["detail"] for row in db.execute(f"EXPLAIN QUERY PLAN {ask}"))


def test_the_events_of_an_incident_are_looked_for_in_its_time_only(db: sqlite3.Connection) -> None:
    add(db, "incidents", state="closed", ended_at=NOW)
    [*_, ask] = _asked(db, lambda: stories.events(db, 1, limit=9))
    [step] = [row["detail"] for row in db.execute(f"EXPLAIN QUERY PLAN {ask}")]
    assert step == "SEARCH events USING INDEX events_of_project (project=? AND at>? AND at<?)"


def test_what_an_alert_says_is_told_without_what_looks_like_a_secret(
    db: sqlite3.Connection,
) -> None:
    add(db, "incidents", project="a")
    texts = {"summary": "password=hunter2 refused", "description": "x"}
    add(db, "episodes", project="a", annotations=texts, labels={"dsn": "pg://u:hunter2@h/db"})
    [alert] = stories.details(db, 1, limit=5).alerts
    assert (alert["summary"], alert["labels"]) == ("password=*** refused", {"dsn": "pg://***@h/db"})
