"""What the database holds, as gauges: always all of it, and of no project that is not ours."""

import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from prometheus_client import exposition

from tests.webhook import make
from tests.webhook.make import NOW, SECOND
from webhook import action as law
from webhook import audit
from webhook.action import Action
from webhook.alert import Status
from webhook.change import Change
from webhook.guard import GUARDS
from webhook.instruments import Instruments
from webhook.store import history
from webhook.store.database import atomic, connect
from webhook.store.history import Figures, Waiting
from webhook.store.intake import receive
from webhook.store.particulars import Particulars, Single

BREAKER = "webhook_breaker_open"
QUESTION = "webhook_approval_asked_timestamp_seconds"
TROUBLE = "webhook_incident_opened_timestamp_seconds"
LATELY = "webhook_action_timestamp_seconds"
MAINTENANCE = "orchestrator_project_maintenance"
HOUR = timedelta(hours=1)


def _told(instruments: Instruments, name: str) -> dict[Any, float]:
    """Return the values of a family by its labels: the value itself, where it has one label."""
    found = {
        tuple(sample.labels.values()): sample.value
        for family in instruments.registry.collect()
        for sample in family.samples
        if sample.name == name
    }
    return {key[0] if len(key) == 1 else key: value for key, value in found.items()}


def _above_zero(instruments: Instruments, name: str) -> dict[Any, float]:
    return {key: value for key, value in _told(instruments, name).items() if value}


def _figures(**changes: Any) -> Figures:  # noqa: ANN401  any field of it
    """Make the figures of an empty database."""
    none = Waiting(many=0, since=None)
    given: dict[str, Any] = {
        "at": NOW,
        "incidents": {},
        "holding": {},
        "episodes": 0,
        "queue": none,
        "approvals": none,
        "attempts": (),
        "maintenance": frozenset(),
        "restraints": {},
        "pages": {},
        "audit_rows": 0,
        "audit_head": audit.GENESIS,
    }
    return Figures(**{**given, **changes})


def _particulars(**changes: Any) -> Particulars:  # noqa: ANN401  any field of it
    """Make what there is to tell of single things: nothing."""
    return Particulars(**{"questions": (), "troubles": (), "lately": {}, **changes})


def _two_failed(_: str, __: str, attempts: Sequence[Action], now: datetime) -> bool:
    recent = [each for each in attempts if each.created_at > now - HOUR]
    return [each.state for each in recent[-2:]] == [law.State.FAILED] * 2


def _following(*projects: str) -> Instruments:
    instruments = Instruments("1")
    instruments.follow(projects, window=HOUR, tripped=_two_failed, at=NOW)
    return instruments


def _attempts(*states: law.State, project: str = "email-blast") -> tuple[Action, ...]:
    return tuple(make.action(project=project, state=state) for state in states)


def test_the_gauges_say_what_the_figures_do() -> None:
    instruments = Instruments("1")
    figures = _figures(
        episodes=3,
        queue=Waiting(many=2, since=NOW - 31 * SECOND),
        approvals=Waiting(many=1, since=NOW - 601 * SECOND),
        audit_rows=9,
        audit_head="0000000000ff" + "0" * 52,
    )
    instruments.show(figures)
    names = (
        "webhook_episodes_open",
        "webhook_queue_length",
        "webhook_queue_age_seconds",
        "webhook_approvals_waiting",
        "webhook_approval_age_seconds",
        "webhook_audit_rows",
        "webhook_audit_head",
    )
    told = instruments.registry.get_sample_value
    assert [told(name) for name in names] == [3, 2, 31, 1, 601, 9, 255]


@pytest.mark.parametrize(
    ("name", "field", "known"),
    [
        ("webhook_incidents_open", "incidents", {"open", "repairing"}),
        ("webhook_guard_holding", "holding", set(GUARDS)),
        ("webhook_pages_open", "pages", {"escalation", "approval", "fleet", "watchdog"}),
        ("webhook_restraint_active", "restraints", {"kill_switch", "maintenance", "hold"}),
    ],
)
def test_what_is_counted_by_kind_is_there_from_the_start_and_goes_back_to_0(
    name: str, field: str, known: set[str]
) -> None:
    instruments, kind = Instruments("1"), min(known)
    instruments.show(_figures())
    assert known <= _told(instruments, name).keys()
    instruments.show(_figures(**{field: {kind: 2, "new": 1}}))
    assert _above_zero(instruments, name) == {kind: 2, "new": 1}
    instruments.show(_figures())
    assert _above_zero(instruments, name) == {}
    assert _told(instruments, name)["new"] == 0


def test_a_breaker_is_open_while_it_is_tripped_and_shown_as_closed_after_it() -> None:
    instruments, pair = _following("email-blast"), ("email-blast", "restart_service")
    shown = []
    for attempts in ((law.State.COMPLETED,), (law.State.FAILED,) * 2, ()):
        instruments.show(_figures(attempts=_attempts(*attempts)))
        shown.append(_told(instruments, BREAKER))
    assert shown == [{pair: 0}, {pair: 1}, {pair: 0}]


def test_a_breaker_is_judged_by_the_attempts_at_one_action_on_one_project() -> None:
    instruments = _following("email-blast", "chatbot")
    failed = law.State.FAILED
    other = replace(_attempts(failed)[0], name="clear_cache")
    attempts = (*_attempts(failed), *_attempts(failed, project="chatbot"), other)
    instruments.show(_figures(attempts=attempts))
    assert _above_zero(instruments, BREAKER) == {}
    assert len(_told(instruments, BREAKER)) == 3


def _single(number: int, told: str, project: str = "email-blast") -> Single:
    return Single(id=number, project=project, told=told, since=NOW - number * SECOND)


def test_a_question_has_a_series_until_somebody_answers_it() -> None:
    instruments, shown = _following("email-blast", "b"), []
    first, second = _single(1, "restart_service"), _single(2, "command:flush", project="b")
    for waiting in ((first,), (second, first), (second,), ()):
        instruments.tell(_particulars(questions=waiting))
        shown.append(_told(instruments, QUESTION))
    one = {("1", "email-blast", "restart_service"): NOW.timestamp() - 1}
    two = {("2", "b", "command:flush"): NOW.timestamp() - 2}
    assert shown == [one, one | two, two, {}]


def test_an_incident_has_one_series_in_whatever_state_it_is_until_it_ends() -> None:
    instruments, shown = _following("email-blast"), []
    for states in (["open"], ["awaiting_approval"], []):
        instruments.tell(_particulars(troubles=tuple(_single(7, state) for state in states)))
        shown.append(_told(instruments, TROUBLE))
    at = NOW.timestamp() - 7
    told = [{("7", "email-blast", state): at} for state in ("open", "awaiting_approval")]
    assert shown == [*told, {}]


def test_a_single_thing_of_a_project_that_is_not_ours_has_no_series() -> None:
    instruments = _following("email-blast")
    ours, strange = _single(1, "open"), _single(2, "open", project="stranger")
    instruments.tell(_particulars(questions=(ours, strange), troubles=(ours, strange)))
    instruments.follow(("b",), window=HOUR, tripped=_two_failed, at=NOW)
    before = [len(_told(instruments, each)) for each in (QUESTION, TROUBLE)]
    instruments.tell(_particulars(questions=(ours, strange), troubles=(ours, strange)))
    assert (before, _told(instruments, QUESTION), _told(instruments, TROUBLE)) == ([1, 1], {}, {})


def test_an_action_that_no_playbook_may_name_is_another_one() -> None:
    instruments = _following("email-blast")
    instruments.tell(_particulars(questions=(_single(1, "rm -rf"),)))
    assert list(_told(instruments, QUESTION)) == [("1", "email-blast", "other")]


def test_what_was_done_last_is_told_until_it_is_long_ago_or_its_project_has_gone() -> None:
    instruments, shown = _following("email-blast", "b"), []
    begun, proven = (
        ("email-blast", "clear_cache", "begun"),
        ("email-blast", "clear_cache", "proven"),
    )
    other = ("b", "restart_service", "failed")
    instruments.tell(_particulars(lately={begun: NOW - SECOND, other: NOW}))
    shown.append(_told(instruments, LATELY))
    instruments.tell(_particulars(lately={begun: NOW, proven: NOW, other: NOW}))
    instruments.follow(("email-blast",), window=HOUR, tripped=_two_failed, at=NOW)
    instruments.tell(_particulars(lately={begun: NOW, proven: NOW, other: NOW}))
    shown.append(_told(instruments, LATELY))
    instruments.tell(_particulars())
    at = NOW.timestamp()
    assert [*shown, _told(instruments, LATELY)] == [
        {begun: at - 1, other: at},
        {begun: at, proven: at},
        {},
    ]


def test_what_is_told_of_one_by_one_stays_when_only_the_other_figures_are_shown() -> None:
    instruments = _following("email-blast")
    instruments.tell(_particulars(questions=(_single(1, "restart_service"),)))
    instruments.show(_figures())
    assert list(_told(instruments, QUESTION)) == [("1", "email-blast", "restart_service")]


def test_of_actions_that_are_known_no_more_the_newest_is_told() -> None:
    instruments = _following("email-blast")
    known = ("email-blast", "command:flush", "begun")
    old, new = (("email-blast", name, "begun") for name in ("rm -rf", "reboot"))
    instruments.tell(_particulars(lately={new: NOW, old: NOW - SECOND, known: NOW}))
    assert _told(instruments, LATELY) == dict.fromkeys(
        [("email-blast", "other", "begun"), known], NOW.timestamp()
    )


def test_every_project_of_the_configuration_says_whether_it_is_in_maintenance() -> None:
    instruments = _following("a", "b")
    shown = [_told(instruments, MAINTENANCE)]
    for names in ({"b"}, {None}, {"a"}, set()):
        instruments.show(_figures(maintenance=frozenset(names)))
        shown.append(_told(instruments, MAINTENANCE))
    assert [(each["a"], each["b"]) for each in shown] == [(0, 0), (0, 1), (1, 1), (1, 0), (0, 0)]


def test_a_project_that_leaves_the_configuration_is_told_of_no_more() -> None:
    instruments = _following("email-blast", "b")
    failed = _attempts(law.State.FAILED, law.State.FAILED)
    figures = _figures(maintenance=frozenset({"email-blast"}), attempts=failed)
    instruments.show(figures)
    instruments.follow(("b", "c"), window=HOUR, tripped=_two_failed, at=NOW)
    instruments.show(figures)
    assert _told(instruments, MAINTENANCE) == {"b": 0, "c": 0}
    assert _told(instruments, BREAKER) == {}
    instruments.follow(("email-blast",), window=HOUR, tripped=_two_failed, at=NOW)
    instruments.show(figures)
    assert _told(instruments, MAINTENANCE) == {"email-blast": 1}


def test_a_refused_configuration_leaves_the_one_before_in_force() -> None:
    instruments = _following("chatbot")
    instruments.refused()
    told = instruments.registry.get_sample_value
    assert told("webhook_config_last_reload_successful") == 0
    assert told("webhook_config_last_reload_success_timestamp_seconds") == NOW.timestamp()
    instruments.follow(("chatbot",), window=HOUR, tripped=_two_failed, at=NOW + SECOND)
    assert told("webhook_config_last_reload_successful") == 1
    assert instruments.window == HOUR


@pytest.fixture
def db() -> Iterator[sqlite3.Connection]:
    connection = connect(":memory:")
    yield connection
    connection.close()


def test_no_name_from_outside_becomes_a_label(db: sqlite3.Connection) -> None:
    """Whoever may post alerts could otherwise fill Prometheus with series."""
    instruments = _following("chatbot")
    sent = make.alert(alertname="stranger-alert", project="stranger", severity="stranger")
    with atomic(db):
        receipt = receive(db, make.notification(sent), make.body(sent), at=NOW)
        instruments.received(Status.FIRING, receipt.meanings)
        db.execute(
            "INSERT INTO restraints (kind, project, reason, set_by, starts_at)"
            " VALUES ('maintenance', 'stranger', '', '', ?)",
            ("2026-11-21T11:00:00.000000Z",),
        )
        figures = history.figures(db, now=NOW, window=HOUR)
    attempts = _attempts(law.State.FAILED, project="stranger")
    instruments.show(replace(figures, attempts=attempts))
    strange = make.incident(project="stranger")
    instruments.stepped(Change(before=strange, after=strange, action_became=attempts))
    assert (figures.episodes, figures.maintenance) == (1, frozenset({"stranger"}))
    assert b"stranger" not in exposition.generate_latest(instruments.registry)


def test_a_head_that_is_no_hash_is_shown_as_no_head_and_stops_no_other_gauge() -> None:
    instruments = Instruments("1")
    instruments.show(_figures(audit_head="nonsense", audit_rows=9))
    told = instruments.registry.get_sample_value
    assert (told("webhook_audit_head"), told("webhook_audit_rows")) == (-1, 9)
