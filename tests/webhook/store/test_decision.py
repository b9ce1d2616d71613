"""A word on a question counts once, and only while the question stands."""

import asyncio
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

import pytest

from orchestrator import clock
from orchestrator.config import Config
from tests.webhook import make
from tests.webhook.make import NOW, SECOND
from webhook import action as law
from webhook import asking, outcome, policy
from webhook.approval import Decision, Question, Word, binding
from webhook.briefing import Briefing
from webhook.case import Case
from webhook.store import approvals, decision, work
from webhook.store.database import Store, atomic, connect
from webhook.store.decision import Refused
from webhook.store.intake import receive

EPOCH = 7
MINUTE = timedelta(minutes=1)
CONFIG = make.config()
YES = Word(decision=Decision.APPROVED, by="ann", reason="because")
NO = replace(YES, decision=Decision.REJECTED, by="bob")


def _take(db: sqlite3.Connection, *alerts: dict[str, object], at: datetime) -> None:
    receive(db, make.notification(*alerts), make.body(*alerts), at=at)


def _ask(db: sqlite3.Connection) -> None:
    """Ask whether email-blast may be restarted."""
    _take(db, make.alert(), at=NOW)
    case = work.claim(db, epoch=EPOCH, at=NOW)
    assert case is not None
    worst = policy.worst(case.episodes, CONFIG.playbooks)
    assert worst is not None
    bound = binding(CONFIG, CONFIG.projects["email-blast"], "restart_service", worst)
    question = Question(bound=bound, text="may it?", expires_at=NOW + 15 * MINUTE)
    pending = make.action(state=law.State.PENDING, executed_at=None)
    asked = outcome.asked(case, pending, question, Briefing(labels={}, annotations={}), now=NOW)
    work.apply(db, asked, epoch=EPOCH, at=NOW)
    db.execute("UPDATE incidents SET due_at = ?", (_text(NOW + 5 * MINUTE),))


def _text(instant: datetime) -> str:
    return clock.written(instant)


def _decide(
    db: sqlite3.Connection,
    word: Word,
    *,
    config: Config = CONFIG,
    number: int = 1,
    after: timedelta = MINUTE,
) -> Refused | None:
    moot = partial(asking.moot, config=config)
    with atomic(db):
        return decision.decide(db, number, word, moot=moot, at=NOW + after)


def _kept(db: sqlite3.Connection) -> tuple[object, ...]:
    """Return what is known of the question, and when its incident is looked at."""
    row = db.execute("SELECT decision, decided_by, reason FROM approvals").fetchone()
    due = db.execute("SELECT due_at FROM incidents").fetchone()[0]
    many = "SELECT count(*) FROM audit WHERE what = 'approval decided'"
    return *row, db.execute(many).fetchone()[0], due


@pytest.fixture
def db() -> Iterator[sqlite3.Connection]:
    connection = connect(":memory:")
    _ask(connection)
    yield connection
    connection.close()


def _stands(_: Case) -> None:
    return None


UNTOUCHED = (None, None, None, 0)


@pytest.mark.parametrize("word", [YES, NO])
def test_a_word_in_time_is_kept_and_wakes_the_incident(db: sqlite3.Connection, word: Word) -> None:
    asked = approvals.numbered(db, 1)
    assert asked is not None
    assert _decide(db, replace(word, bound=asked.bound)) is None
    assert _kept(db) == (word.decision, word.by, "because", 1, _text(NOW + MINUTE))


def _ended(db: sqlite3.Connection) -> Config:
    _take(db, make.alert(ended=NOW + SECOND), at=NOW + SECOND)
    return CONFIG


def _worse(db: sqlite3.Connection) -> Config:
    _take(db, make.alert(alertname="ProjectGone", fingerprint="a" * 16), at=NOW + SECOND)
    return replace(CONFIG, playbooks={"ProjectGone": (), **CONFIG.playbooks})


def _unlisted(_: sqlite3.Connection) -> Config:
    return replace(CONFIG, playbooks={"ProjectDown": ("pause_service",)})


def _rebound(_: sqlite3.Connection) -> Config:
    return replace(CONFIG, guards=make.guarding(attempts=1))


def _removed(_: sqlite3.Connection) -> Config:
    return replace(CONFIG, projects={})


@pytest.mark.parametrize(
    ("befalls", "why"),
    [
        (_ended, "the alert has ended"),
        (_worse, "ProjectGone fires now"),
        (_unlisted, "restart_service is not in the playbook any more"),
        (
            _rebound,
            "what it was asked about has changed: the project, the outage, or the configuration",
        ),
        (_removed, "email-blast is not configured any more"),
    ],
)
@pytest.mark.parametrize("word", [YES, NO])
def test_a_question_that_does_not_stand_any_more_has_no_answer(
    befalls: Callable[[sqlite3.Connection], Config], why: str, word: Word, db: sqlite3.Connection
) -> None:
    config = befalls(db)
    db.execute("UPDATE incidents SET due_at = ?", (_text(NOW + 5 * MINUTE),))
    assert _decide(db, word, config=config) == Refused(reason=f"approval 1 is off: {why}")
    assert _kept(db) == (*UNTOUCHED, _text(NOW + MINUTE))


def test_a_question_that_has_expired_has_no_answer_and_is_looked_at_at_once(
    db: sqlite3.Connection,
) -> None:
    late = 15 * MINUTE
    said = Refused(reason="approval 1 expired at 12:15:00 UTC")
    assert _decide(db, YES, config=_removed(db), after=late) == said
    assert _kept(db) == (*UNTOUCHED, _text(NOW + late))


def test_a_question_that_was_answered_keeps_its_answer_and_disturbs_nobody(
    db: sqlite3.Connection,
) -> None:
    _decide(db, NO)
    before = _kept(db)
    said = Refused(reason="approval 1 was rejected by bob already")
    assert _decide(db, YES, after=2 * MINUTE) == said
    assert _kept(db) == before


def test_a_word_on_another_question_than_this_is_refused(db: sqlite3.Connection) -> None:
    said = Refused(reason="approval 1 is not what you looked at; look again")
    assert _decide(db, replace(YES, bound="0" * 64)) == said


def test_a_word_on_nothing_is_refused_as_such(db: sqlite3.Connection) -> None:
    assert _decide(db, YES, number=9) == Refused(reason="there is no approval 9", unknown=True)


def test_an_action_that_does_not_wait_any_more_cannot_be_allowed(db: sqlite3.Connection) -> None:
    db.execute("UPDATE actions SET state = 'cancelled'")
    refused = decision.decide(db, 1, YES, moot=_stands, at=NOW + MINUTE)
    assert refused == Refused(reason="approval 1 is off: its action does not wait any more")


async def test_of_many_at_once_one_is_kept(tmp_path: Path) -> None:
    store = Store(tmp_path / "x.db")
    await store(_ask)
    words = [replace(YES if each % 2 else NO, by=f"p{each}") for each in range(40)]
    said = await asyncio.gather(
        *(store(decision.decide, 1, each, moot=_stands, at=NOW + MINUTE) for each in words)
    )
    kept = await store(_kept)
    store.close()
    [place] = [place for place, each in enumerate(said) if each is None]
    won = words[place]
    assert kept == (won.decision, won.by, "because", 1, _text(NOW + MINUTE))
    refused = Refused(reason=f"approval 1 was {won.decision} by {won.by} already")
    assert [each for each in said if each] == [refused] * 39
