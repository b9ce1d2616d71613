"""What came of each decision, read back from what happened."""

import re
import sqlite3
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.webhook.make import NOW, SECOND
from tests.webhook.store.fill import HOUR, add
from webhook.analyzer.confidence import AS_SAID, BLANK, DECAY, ENOUGH, Curve, Record, Tally
from webhook.analyzer.learning import Came, Verdict
from webhook.store import verdicts
from webhook.store.database import connect

MINUTE = timedelta(minutes=1)
LATER = NOW + HOUR  # by which everything has settled that happened at NOW


@pytest.fixture
def db() -> Iterator[sqlite3.Connection]:
    connection = connect(":memory:")
    add(connection, "incidents")
    yield connection
    connection.close()


def _done(db: sqlite3.Connection, key: str = "key-1", **given: object) -> None:
    """Let an action be taken that is proven a minute later, if nothing else is said."""
    made = {"state": "completed", "executed_at": NOW, "finished_at": NOW + MINUTE}
    add(db, "actions", key=key, **{**made, **given})


def _came(db: sqlite3.Connection, *, now: datetime = LATER) -> list[Came]:
    return [each.came for each in verdicts.decided(db, now=now)]


def _record(db: sqlite3.Connection, *, now: datetime = LATER) -> tuple[int, int]:
    found = verdicts.record(db, "ProjectDown", "restart_service", now=now)
    return found.good, found.bad


def test_of_an_action_that_was_proven_and_an_alert_that_stayed_away_the_answer_was_right(
    db: sqlite3.Connection,
) -> None:
    _done(db)
    add(db, "analyses", key="key-1", effective=0.8)
    assert verdicts.decided(db, now=LATER) == [
        Verdict(
            analysis=1,
            at=NOW,
            alertname="ProjectDown",
            action="restart_service",
            analyzer="claude",
            model="claude-sonnet-5-5",
            prompt="1",
            decision="auto",
            raw=0.9,
            effective=0.8,
            came=Came.HELPED,
        )
    ]


_AT_THE_END = 31 * MINUTE  # half an hour after the action was proven


@pytest.mark.parametrize(
    ("received", "now", "came"),
    [
        (None, _AT_THE_END, Came.HELPED),
        (None, _AT_THE_END - SECOND, Came.OPEN),
        (_AT_THE_END, 2 * HOUR, Came.AGAIN),
        (_AT_THE_END + SECOND, 2 * HOUR, Came.HELPED),
        (2 * MINUTE, 3 * MINUTE, Came.AGAIN),  # no need to wait
        (MINUTE, 2 * HOUR, Came.HELPED),  # the one that it was against, as told to us again
    ],
)
def test_half_an_hour_without_the_alert_is_the_proof(
    db: sqlite3.Connection, received: timedelta | None, now: timedelta, came: Came
) -> None:
    _done(db)
    add(db, "analyses", key="key-1")
    if received is not None:
        add(db, "episodes", received_at=NOW + received)
    assert _came(db, now=NOW + now) == [came]
    told = {Came.HELPED: (1, 0), Came.AGAIN: (0, 1), Came.OPEN: (0, 0)}
    assert _record(db, now=NOW + now) == told[came]


def test_another_alert_or_another_project_in_trouble_is_no_failure(
    db: sqlite3.Connection,
) -> None:
    add(db, "incidents", project="b")
    _done(db)
    add(db, "analyses", key="key-1")
    add(db, "episodes", alertname="ProjectSlow", received_at=NOW + 5 * MINUTE)
    add(db, "episodes", fingerprint="g", incident=2, project="b", received_at=NOW + 5 * MINUTE)
    assert (_came(db), _record(db)) == ([Came.HELPED], (1, 0))


@pytest.mark.parametrize(
    ("state", "came", "counts"),
    [
        ("completed", Came.HELPED, (1, 0)),
        ("failed", Came.FAILED, (0, 1)),
        ("rejected", Came.REJECTED, (0, 0)),  # wrong, and yet it was not tried
        ("pending", Came.OPEN, (0, 0)),
        ("approved", Came.OPEN, (0, 0)),
        ("executing", Came.OPEN, (0, 0)),
        ("expired", Came.DROPPED, (0, 0)),
        ("cancelled", Came.DROPPED, (0, 0)),
        ("shadowed", Came.DROPPED, (0, 0)),
        ("unknown", Came.DROPPED, (0, 0)),
    ],
)
def test_each_end_of_an_action_has_its_meaning(
    db: sqlite3.Connection, state: str, came: Came, counts: tuple[int, int]
) -> None:
    _done(db, state=state)
    add(db, "analyses", key="key-1", decision="human")
    assert (_came(db), _record(db)) == ([came], counts)


@pytest.mark.parametrize(
    ("given", "counts"),
    [
        ({"starts_at": NOW - HOUR}, False),
        ({"starts_at": None}, False),  # from when nobody wrote down
        ({"starts_at": NOW + 31 * MINUTE}, False),  # the alert could not have fired by then
        ({"starts_at": NOW + 31 * MINUTE + SECOND}, True),
        ({"starts_at": NOW - HOUR, "ends_at": NOW + SECOND}, False),
        ({"starts_at": NOW - HOUR, "ends_at": NOW}, True),
        ({"starts_at": NOW - HOUR, "ends_at": LATER, "lifted_at": NOW}, True),
        ({"starts_at": NOW - HOUR, "ends_at": NOW, "lifted_at": LATER}, True),
        ({"starts_at": NOW - HOUR, "project": None}, False),
        ({"starts_at": NOW - HOUR, "project": "b"}, True),
        ({"starts_at": NOW - HOUR, "kind": "hold"}, True),
    ],
)
def test_what_happens_while_people_are_at_work_counts_for_nothing(
    db: sqlite3.Connection, given: dict[str, Any], *, counts: bool
) -> None:
    _done(db)
    add(db, "analyses", key="key-1")
    add(db, "restraints", **given)
    assert (_came(db), _record(db)) == (
        [Came.HELPED if counts else Came.MAINTENANCE],
        (int(counts), 0),
    )


def test_work_that_was_over_when_an_action_began_does_not_concern_it(
    db: sqlite3.Connection,
) -> None:
    for key, minutes in (("during", -10), ("after", 0)):
        began = NOW + minutes * MINUTE
        _done(db, key, state="failed", executed_at=began, finished_at=began + MINUTE)
        add(db, "analyses", key=key, decided_at=began, answered_at=began)
    add(db, "restraints", starts_at=NOW - HOUR, ends_at=NOW)
    assert (_came(db), _record(db)) == ([Came.MAINTENANCE, Came.FAILED], (0, 1))


def _nothing(db: sqlite3.Connection) -> None:
    """Let it be decided that nothing is to be done about an alert."""
    add(db, "analyses", decision="observe", action="none")


@pytest.mark.parametrize(
    ("received", "ended", "came"),
    [
        (-MINUTE, 30 * MINUTE, Came.ENDED),
        (-MINUTE, 30 * MINUTE + SECOND, Came.WENT_ON),
        (-MINUTE, None, Came.WENT_ON),
        (31 * MINUTE, None, Came.ENDED),  # another outage
    ],
)
def test_to_do_nothing_was_right_when_the_alert_ended_by_itself(
    db: sqlite3.Connection, received: timedelta, ended: timedelta | None, came: Came
) -> None:
    _nothing(db)
    over = None if ended is None else NOW + ended
    add(db, "episodes", received_at=NOW + received, ended_at=over)
    assert _came(db, now=NOW + 30 * MINUTE - SECOND) == [Came.OPEN]
    assert _came(db) == [came]


@pytest.mark.parametrize(
    ("project", "executed", "came"),
    [
        ("a", MINUTE, Came.WENT_ON),
        ("a", 31 * MINUTE, Came.ENDED),
        ("a", -MINUTE, Came.ENDED),
        ("b", MINUTE, Came.ENDED),
    ],
)
def test_to_do_nothing_was_wrong_when_something_was_done_all_the_same(
    db: sqlite3.Connection, project: str, executed: timedelta, came: Came
) -> None:
    _nothing(db)
    add(db, "episodes", received_at=NOW - MINUTE, ended_at=NOW + 2 * MINUTE)
    _done(db, project=project, executed_at=NOW + executed)
    assert _came(db) == [came]


def test_to_do_nothing_while_people_are_at_work_is_neither_right_nor_wrong(
    db: sqlite3.Connection,
) -> None:
    _nothing(db)
    add(db, "restraints", starts_at=NOW + MINUTE)
    assert _came(db) == [Came.MAINTENANCE]


@pytest.mark.parametrize(
    ("decision", "action"),
    [
        ("escalate", "escalate"),
        ("playbook", "escalate"),
        ("observe", "restart_service"),  # it was only recorded
    ],
)
def test_of_what_was_not_done_it_cannot_be_told_whether_it_had_helped(
    db: sqlite3.Connection, decision: str, action: str
) -> None:
    add(db, "analyses", decision=decision, action=action)
    add(db, "episodes", received_at=NOW - MINUTE, ended_at=NOW + MINUTE)
    assert _came(db) == [Came.UNLABELLED]
    assert verdicts.labelled(db, now=LATER) == []


def test_only_what_was_decided_is_told_and_only_from_an_instant_on(
    db: sqlite3.Connection,
) -> None:
    _done(db)
    for answered in (NOW - SECOND, NOW, NOW + SECOND):
        add(db, "analyses", answered_at=answered, key="key-1")
    add(db, "analyses", decision=None, decided_at=None)
    found = [
        [each.analysis for each in verdicts.labelled(db, now=LATER, since=since)]
        for since in (None, NOW, NOW + SECOND)
    ]
    assert found == [[1, 2, 3], [2, 3], [3]]


def test_a_record_is_of_this_alert_and_of_the_action_against_any(
    db: sqlite3.Connection,
) -> None:
    _done(db, "1", finished_at=NOW + MINUTE)
    _done(db, "2", finished_at=NOW + 2 * MINUTE, state="failed")
    _done(db, "3", finished_at=NOW + 3 * MINUTE, alertname="ProjectSlow")
    _done(db, "4", finished_at=NOW + 4 * MINUTE, name="clear_cache")
    _done(db, "5", finished_at=NOW + 5 * MINUTE, alertname="")  # a person asked for it
    assert verdicts.record(db, "ProjectDown", "restart_service", now=LATER) == Record(
        here=Tally(good=DECAY, bad=1.0),
        elsewhere=Tally(good=1 + DECAY**2, bad=DECAY),
        good=1,
        bad=1,
    )
    assert verdicts.record(db, "ProjectDown", "pause_service", now=LATER) == BLANK


def test_an_action_that_helped_in_the_end_is_no_failure_because_its_attempt_was_forgiven(
    db: sqlite3.Connection,
) -> None:
    _done(db, forgiven_at=NOW + 5 * MINUTE)
    assert _record(db) == (1, 0)


def test_only_what_the_analyzer_had_done_by_itself_within_the_hour_makes_it_slower(
    db: sqlite3.Connection,
) -> None:
    ago = {"same": 59, "old": 60, "other": 5, "elsewhere": 5, "human": 5, "playbook": 5, "set": -9}
    for key, minutes in ago.items():
        name = "clear_cache" if key == "other" else "restart_service"
        project = "b" if key == "elsewhere" else "a"
        _done(db, key, name=name, project=project, executed_at=NOW - minutes * MINUTE)
        if key != "playbook":
            add(db, "analyses", key=key, decision="human" if key == "human" else "auto")
    add(db, "analyses", key="same")  # answered from what was answered before
    assert verdicts.lately(db, "a", "restart_service", now=NOW) == (2, 4)
    assert verdicts.lately(db, "c", "restart_service", now=NOW) == (0, 4)
    assert verdicts.lately(db, "a", "restart_service", now=NOW + 2 * HOUR) == (0, 0)


def test_the_step_that_comes_last_of_those_decided_at_once_is_told_that_there_is_no_room(
    db: sqlite3.Connection,
) -> None:
    told = []
    for number in range(7):
        key, project = f"key-{number}", f"project-{number // 3}"
        told.append(verdicts.outpaced(db, project, "restart_service", now=NOW))
        _done(db, key, project=project)
        add(db, "analyses", key=key)
    over = "the analyzer has done by itself meanwhile what it may in an hour"
    assert told == [None, None, over, None, None, over, over]


def test_a_model_is_calibrated_by_its_own_answers_to_the_same_prompt(
    db: sqlite3.Connection,
) -> None:
    _done(db, "good")
    _done(db, "bad", state="failed")
    for raw, key in ((0.9, "good"), (0.6, "bad")):
        for _ in range(ENOUGH // 2):
            add(db, "analyses", raw=raw, key=key)
    add(db, "analyses", raw=0.3, key="good", model="claude-haiku-5-5")
    add(db, "analyses", raw=0.3, key="good", prompt="2")
    add(db, "analyses", raw=0.3, decision="escalate")
    found = [verdicts.curve(db, "claude-sonnet-5-5", prompt, now=LATER) for prompt in "12"]
    assert found == [Curve(points=((0.6, 0.0), (0.9, 1.0))), AS_SAID]


def _questions(db: sqlite3.Connection) -> list[Callable[[], object]]:
    return [
        lambda: verdicts.record(db, "ProjectDown", "restart_service", now=LATER),
        lambda: verdicts.record(db, "ProjectSlow", "restart_service", now=LATER),  # it is rare
        lambda: verdicts.lately(db, "a", "restart_service", now=LATER),
        lambda: verdicts.decided(db, now=LATER, since=NOW),
        lambda: verdicts.curve(db, "claude-sonnet-5-5", "1", now=LATER),
    ]


def test_no_question_reads_a_whole_table_or_sorts_one(db: sqlite3.Connection) -> None:
    _done(db)
    add(db, "analyses", key="key-1")
    _nothing(db)
    asked: list[str] = []
    db.set_trace_callback(asked.append)
    for question in _questions(db):
        question()
    db.set_trace_callback(None)
    plans = {
        each: [row["detail"] for row in db.execute(f"EXPLAIN QUERY PLAN {each}")] for each in asked
    }
    slow = {
        each: steps
        for each, steps in plans.items()
        if any(re.fullmatch(r"SCAN \w+|.*TEMP B-TREE.*", step) for step in steps)
    }
    assert (len(asked) >= 9, slow) == (True, {})


def _past(db: sqlite3.Connection, numbers: range) -> None:
    """Fill in past incidents of 50 projects, each with an alert, a repair and an analysis."""
    for number in numbers:
        project, then = f"project-{number % 50}", NOW - number * MINUTE
        known = {"incident": number, "project": project}
        add(db, "incidents", id=number, project=project, state="resolved", ended_at=then)
        add(db, "episodes", fingerprint=str(number), received_at=then, ended_at=then, **known)
        _done(db, f"past-{number}", executed_at=then, finished_at=then, **known)
        add(db, "analyses", key=f"past-{number}", answered_at=then, decided_at=then, **known)


def _steps(db: sqlite3.Connection, question: Callable[[], object]) -> int:
    """Count how many hundreds of steps SQLite makes to answer; unlike a time, always the same."""
    made = 0

    def count() -> int:
        nonlocal made
        made += 1
        return 0

    db.set_progress_handler(count, 100)
    question()
    db.set_progress_handler(None, 0)
    return made


def test_a_decision_costs_the_same_with_ten_thousand_incidents_as_with_one_thousand(
    db: sqlite3.Connection,
) -> None:
    found = []
    for numbers in (range(2, 1_002), range(1_002, 10_002)):
        _past(db, numbers)
        found.append([_steps(db, question) for question in _questions(db)])
    few, many = found
    assert [more <= less * 1.1 + 1 for less, more in zip(few, many, strict=True)] == [True] * 5


def _asked(db: sqlite3.Connection, decision: str, *, project: str = "a") -> None:
    """Let ann have answered a question about a restart."""
    _done(db, project, project=project, state="rejected", executed_at=None, finished_at=None)
    answered = {"decision": decision, "decided_by": "ann", "decided_at": NOW}
    add(db, "approvals", action=project, project=project, **answered)


def test_what_a_person_said_no_to_is_known_for_a_while(db: sqlite3.Connection) -> None:
    _asked(db, "rejected")
    _asked(db, "approved", project="b")
    told = [
        verdicts.rejected(db, project, action, since=since)
        for project, action, since in (
            ("a", "restart_service", NOW - SECOND),
            ("a", "restart_service", NOW),
            ("a", "clear_cache", NOW - SECOND),
            ("b", "restart_service", NOW - SECOND),
        )
    ]
    assert told == ["ann rejected it at 2026-11-21T12:00Z", None, None, None]


def test_what_usually_came_of_an_action_is_told_in_words(db: sqlite3.Connection) -> None:
    _done(db, "1", finished_at=NOW + MINUTE)
    _done(db, "2", finished_at=NOW + 2 * MINUTE, state="failed")
    _done(db, "3", finished_at=NOW + 3 * MINUTE)
    actions = ("restart_service", "rollback_deployment")
    assert verdicts.helped(db, "ProjectDown", actions, now=LATER) == (
        "restart_service: 2 of 3 times",
    )
