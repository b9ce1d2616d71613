"""The timeline: every moment of an incident, in order, with how long each thing took."""

from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.webhook.make import NOW, SECOND
from tests.webhook.stories import FAILED, at, down, story, tried
from webhook.incident import Episode
from webhook.story import Spell, Story, Told, spells
from webhook.timeline import happened, timeline

KEY: dict[str, Any] = {"action": "restart_service", "attempt": 1, "key": "key-1"}


def _told(name: str, seconds: float = 0, **data: object) -> Told:
    return Told(id=1, at=at(seconds), name=name, project="email-blast", incident=1, data=data)


def _shown(of: Story) -> list[tuple[float, float | None, str]]:
    return [
        (each.after / SECOND, None if each.took is None else each.took / SECOND, each.what)
        for each in timeline(of)
    ]


def test_it_goes_from_the_first_moment_on_and_says_how_long_each_thing_took() -> None:
    events = (
        _told("ProjectDown", 3, summary="email-blast is down.", startsAt="x"),
        _told("EMAIL_BLAST_STATUS_CHANGED", 3, **{"from": "healthy", "to": "down"}),
        _told("ActionStarted", 4, **KEY),
        _told("ActionExecuted", 6, **KEY, detail="restarted"),
        _told("RecoveryObserved", 7, **KEY),
        _told("PROBLEM_RESOLVED", 11, **KEY, text="email-blast recovered after restart"),
    )
    assert _shown(story(down(2, 10), actions=(tried(),), events=events)) == [
        (0, None, "ProjectDown began"),
        (1, None, "heard of ProjectDown: email-blast is down."),
        (1, None, "email-blast went from healthy to down"),
        (2, None, "restart_service begins, attempt 1"),
        (4, 2, "restart_service was carried out: restarted"),
        (5, 3, "answers again, after restart_service"),
        (8, 8, "ProjectDown ended"),
        (9, 7, "resolved: email-blast recovered after restart"),
    ]


def test_of_a_failure_that_is_told_by_two_names_there_is_one_moment() -> None:
    events = (
        _told("ActionStarted", 4, **KEY),
        _told("ActionFailed", 9, **KEY, detail="no answer"),
        _told("RESTART_FAILED", 9, **KEY, detail="no answer"),
    )
    assert _shown(story(events=events)) == [
        (0, None, "restart_service begins, attempt 1"),
        (5, 5, "restart_service did not help: no answer"),
    ]


def test_an_attempt_whose_events_are_gone_is_told_by_its_row() -> None:
    failed = tried(FAILED, executed_at=at(4), finished_at=at(9))
    going = tried(key="key-2", executed_at=at(12))
    assert _shown(story(actions=(failed, going))) == [
        (0, None, "restart_service begins"),
        (5, 5, "restart_service: did not help"),
        (8, None, "restart_service begins"),
    ]


def test_where_nothing_is_known_there_is_nothing_to_tell() -> None:
    assert timeline(story()) == ()


def test_a_question_took_until_it_was_off() -> None:
    events = (
        _told("ApprovalRequested", 1, **KEY, question="may it?"),
        _told("ApprovalWithdrawn", 8, **KEY, reason="the alert has ended"),
    )
    assert _shown(story(events=events)) == [
        (0, None, "a human is asked: may it?"),
        (7, 7, "the question is off: the alert has ended"),
    ]


@pytest.mark.parametrize(
    ("event", "said"),
    [
        (_told("ActionWithheld", reason="cooldown"), "nothing is done for now: cooldown"),
        (_told("ESCALATION_REQUIRED"), "people are asked"),
        (_told("IncidentClosed", how="recovered by itself"), "closed: recovered by itself"),
        (_told("Mitigated", text="email-blast is harmless"), "email-blast is harmless"),
        (_told("ActionProven", **KEY), "restart_service did what it was for"),
        (
            _told("ApprovalDecided", by="ann", decision="approved", action="x", reason="go"),
            "ann approved x: go",
        ),
        (_told("AnomalyDetected", kind="high_cpu", alertname="A"), "anomaly: high_cpu, by A"),
        (_told("Whatever", by="ann", until=None, key="k"), "Whatever: by ann"),
        (_told("Whatever"), "Whatever"),
        (_told("X", text="a](b\x1b]0;@all\n"), "X: text a] (b ]0;(at)all"),
    ],
)
def test_every_event_has_its_sentence_also_one_that_nobody_knows(event: Told, said: str) -> None:
    assert happened(event) == said


SET: dict[str, Any] = {
    "restraint": 7,
    "by": "ann",
    "reason": "new disk",
    "ends_at": at(5).isoformat(),
}
LATER: dict[str, Any] = {**SET, "starts_at": at(0).isoformat()}
BY: dict[str, Any] = {"request": 7, "action": "restart_service", "asked_by": "ann"}
UNTIL = "2026-11-21 12:00:05 UTC"


@pytest.mark.parametrize(
    ("event", "said"),
    [
        (_told("ActionRequested", **BY, reason="hangs"), "ann asks for restart_service: hangs"),
        (
            _told("ActionRequested", **BY, reason="hangs", force="attempts, breaker"),
            "ann asks for restart_service, forcing attempts, breaker: hangs",
        ),
        (
            _told("RequestRefused", **BY, outcome="refused", reason="a hold", guard="hold"),
            "restart_service, asked for by ann, is refused: a hold",
        ),
        (
            _told("ActionStarted", **KEY, overrode="attempts"),
            "restart_service begins, attempt 1, overriding attempts",
        ),
        (_told("EscalationAcknowledged", by="ann", reason="on it"), "ann has taken it: on it"),
        (_told("HoldSet", **SET), f"left alone until {UNTIL}, by ann: new disk"),
        (_told("HoldReleased", **SET), "left alone no more, by ann; it was for: new disk"),
        (_told("KillSwitchOn", **SET), f"the kill switch is on until {UNTIL}, by ann: new disk"),
        (_told("KillSwitchOff", **SET), "the kill switch is off, by ann; it was for: new disk"),
        (_told("MaintenanceSet", **SET), f"maintenance until {UNTIL}, by ann: new disk"),
        (
            _told("MaintenanceSet", **LATER),
            f"maintenance from 2026-11-21 12:00:00 UTC until {UNTIL}, by ann: new disk",
        ),
        (_told("MaintenanceEnded", **SET), "maintenance ended, by ann; it was for: new disk"),
    ],
)
def test_what_people_did_is_told_in_a_sentence(event: Told, said: str) -> None:
    assert happened(event) == said


_MOMENTS = st.integers(-99, 99).map(at)
_EPISODES = st.builds(
    lambda begin, length: down(begin, None if length is None else begin + length),
    st.integers(-99, 99),
    st.none() | st.integers(0, 50),
)
_EVENTS = st.builds(
    Told,
    id=st.just(1),
    at=_MOMENTS,
    name=st.sampled_from(["ActionStarted", "ActionExecuted", "ProjectDown"]) | st.text(),
    project=st.text(),
    incident=st.just(1),
    data=st.dictionaries(
        st.sampled_from(["key", "reason", "startsAt"]) | st.text(),
        st.text() | st.none() | st.integers(),
    ),
)


@given(st.lists(_EPISODES, max_size=5), st.lists(_EVENTS, max_size=9))
def test_it_never_goes_back_and_every_line_can_be_shown(
    episodes: list[Episode], events: list[Told]
) -> None:
    found = timeline(story(*episodes, events=tuple(events)))
    assert [each.after for each in found] == sorted(each.after for each in found)
    assert all(each.after >= timedelta(0) and each.what.isprintable() for each in found)
    assert all(each.at - each.after == found[0].at for each in found)


@given(st.lists(_EPISODES, max_size=6))
def test_spells_hold_every_episode_and_keep_apart(episodes: list[Episode]) -> None:
    found = spells(tuple(episodes))
    assert all(a.end is not None and a.end < b.begin for a, b in pairwise(found))
    assert {each.begin for each in found} <= {each.started_at for each in episodes}
    assert (not found) is (not episodes)


def test_spells_that_overlap_are_one() -> None:
    found = spells((down(5, 6), down(0, 8), down(20, None), down(9, 10), down(30, 31)))
    assert found == (
        Spell(NOW, at(8)),
        Spell(at(9), at(10)),
        Spell(at(20), None),
    )
