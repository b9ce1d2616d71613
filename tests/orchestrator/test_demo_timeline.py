"""The timeline: what should happen, when it did, and what it is called in a sentence."""

import re
from datetime import UTC, datetime, timedelta
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from orchestrator.demo import timeline
from orchestrator.demo.fault import FAULTS
from orchestrator.demo.timeline import Report, Run, nothing, report, seconds_after, told
from orchestrator.project import Mode

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
TEN = timedelta(seconds=10)
HEALED, WITHHELD, CLOSED, ASKED = (
    "PROBLEM_RESOLVED",
    "ActionWithheld",
    "IncidentClosed",
    "ESCALATION_REQUIRED",
)


def _run(fault: str = "hang", mode: Mode = Mode.ACT, length: timedelta | None = None) -> Run:
    return Run(fault=fault, project="chatbot", mode=mode, length=length)


ENDS_OF_A_REPAIR = {name: {HEALED} for name in FAULTS} | {
    "disk_full": {ASKED},
    "cpu_load": {"Mitigated"},
}
ENDS_BY_ITSELF = {name: {HEALED, CLOSED} for name in FAULTS} | {
    "disk_full": {ASKED, HEALED, CLOSED}
}
EXPECTED = {
    (Mode.ACT, None): ENDS_OF_A_REPAIR,
    (Mode.ACT, TEN): ENDS_BY_ITSELF,
    (Mode.OBSERVE, None): {name: {WITHHELD} for name in FAULTS},
    (Mode.OBSERVE, TEN): {name: {CLOSED} for name in FAULTS},
}


@pytest.mark.parametrize(
    ("fault", "mode", "length"), list(product(FAULTS, Mode, [None, TEN])), ids=str
)
def test_what_ends_the_story_follows_from_the_fault_the_mode_and_its_length(
    fault: str, mode: Mode, length: timedelta | None
) -> None:
    assert _run(fault, mode, length).expected == EXPECTED[mode, length][fault]


def _event(name: str, after: float = 0.0) -> dict[str, Any]:
    return {**_with(name), "at": (NOON + timedelta(seconds=after)).isoformat()}


def _with(name: str, **data: str | float | None) -> dict[str, Any]:
    return {"id": 1, "name": name, "project": "chatbot", "at": NOON.isoformat(), "data": data}


@pytest.mark.parametrize(
    ("mode", "name", "is_end"),
    [
        (Mode.ACT, "ProjectDown", False),
        (Mode.ACT, "RecoveryObserved", False),
        (Mode.ACT, "ActionFailed", False),
        (Mode.ACT, "ActionWithheld", False),
        (Mode.ACT, "PROBLEM_RESOLVED", True),
        (Mode.ACT, "ESCALATION_REQUIRED", True),
        (Mode.ACT, "IncidentClosed", True),
        (Mode.OBSERVE, "ProjectDown", False),
        (Mode.OBSERVE, "ActionWithheld", True),
        (Mode.OBSERVE, "IncidentClosed", True),
        (Mode.OBSERVE, "ESCALATION_REQUIRED", True),
    ],
)
def test_a_story_ends_with_its_expected_event_or_with_any_last_one(
    mode: Mode, name: str, *, is_end: bool
) -> None:
    assert _run(mode=mode).is_end(_event(name)) is is_end


@pytest.mark.parametrize("length", [None, TEN])
def test_a_pause_ends_the_story_unless_the_fault_ends_by_itself_for_then_it_is_resumed(
    length: timedelta | None,
) -> None:
    run = _run("cpu_load", length=length)
    assert run.is_end(_event("Mitigated")) is (length is None)


EVENTS = [
    _event("ProjectDown", 2.3456),
    _event("CHATBOT_STATUS_CHANGED", 2.3456),
    _event("ActionStarted", 2.5),
    _event("ActionExecuted", 3.0),
    _event("ActionFailed", 7.0),
    _event("ActionStarted", 8.0),
    _event("RecoveryObserved", 9.25),
    _event("PROBLEM_RESOLVED", 12.0),
]
ATTEMPTS = [
    {"action": "restart_service", "attempt": 1, "state": "failed", "key": "k1"},
    {"action": "restart_service", "attempt": 2, "state": "succeeded", "key": "k2"},
]
VERSIONS = {"prometheus": "2.42.0", "alertmanager": "0.25.0"}


def test_a_report_tells_when_each_thing_happened_first() -> None:
    summed_up = report(
        _run(),
        injected_at=NOON,
        events=EVENTS,
        incident={"actions": ATTEMPTS, "downtime_seconds": 9.25, "state": "resolved"},
        versions=VERSIONS,
    )
    assert summed_up == Report(
        project="chatbot",
        fault="hang",
        injected_at="2026-01-01T12:00:00.000000Z",
        detected_s=2.346,
        acted_s=2.5,
        recovered_s=9.25,
        resolved_s=12.0,
        actions=[
            {"action": "restart_service", "attempt": 1, "state": "failed"},
            {"action": "restart_service", "attempt": 2, "state": "succeeded"},
        ],
        escalated=False,
        downtime_s=9.25,
        events=EVENTS,
        versions=VERSIONS,
    )


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_detected_when_its_first_alert_is_stored(fault: str) -> None:
    events = [_event("AnotherAlert", 1.0), _event(FAULTS[fault].alerts[0], 2.0)]
    run = _run(fault)
    found = report(run, injected_at=NOON, events=events, incident=None, versions=VERSIONS)
    assert found.detected_s == 2.0


def test_a_report_of_an_escalation_says_so_and_claims_no_recovery() -> None:
    events = [_event("ProjectDown", 2.0), _event("ESCALATION_REQUIRED", 30.0)]
    incident: dict[str, Any] = {"actions": [], "downtime_seconds": None}
    summed_up = report(
        _run("disk_full"), injected_at=NOON, events=events, incident=incident, versions=VERSIONS
    )
    assert summed_up == Report(
        project="chatbot",
        fault="disk_full",
        injected_at="2026-01-01T12:00:00.000000Z",
        detected_s=2.0,
        acted_s=None,
        recovered_s=None,
        resolved_s=None,
        actions=[],
        escalated=True,
        downtime_s=None,
        events=events,
        versions=VERSIONS,
    )


def test_a_report_of_a_run_in_which_nothing_happened_is_all_unknown() -> None:
    summed_up = report(_run(), injected_at=NOON, events=[], incident=None, versions=VERSIONS)
    assert summed_up == Report(
        project="chatbot",
        fault="hang",
        injected_at="2026-01-01T12:00:00.000000Z",
        detected_s=None,
        acted_s=None,
        recovered_s=None,
        resolved_s=None,
        actions=[],
        escalated=False,
        downtime_s=None,
        events=[],
        versions=VERSIONS,
    )


def test_the_json_of_a_run_without_a_rule_has_every_key() -> None:
    assert nothing(_run("slow")).json() == {
        "project": "chatbot",
        "fault": "slow",
        "injected_at": None,
        "detected_s": None,
        "acted_s": None,
        "recovered_s": None,
        "resolved_s": None,
        "actions": (),
        "escalated": False,
        "downtime_s": None,
        "events": (),
        "versions": {"prometheus": None, "alertmanager": None},
    }


@pytest.mark.parametrize(
    ("at", "seconds"),
    [
        ("2026-01-01T12:00:00Z", 0.0),
        ("2026-01-01T12:00:01.2345678Z", 1.235),
        ("2026-01-01T13:00:00.5+01:00", 0.5),
        ("2026-01-01T11:59:59.9Z", -0.1),
    ],
)
def test_instants_are_seconds_after_the_injection(at: str, seconds: float) -> None:
    assert seconds_after(NOON, {"at": at}) == seconds


ATTEMPT: dict[str, str | float | None] = {"action": "restart_service", "attempt": 2, "key": "k"}
SENTENCES = [
    (_with("ProjectDown", summary="x"), "alert ProjectDown: received and stored"),
    (_with("ProjectHighCPU", summary="x"), "alert ProjectHighCPU: received and stored"),
    (
        _with("CHATBOT_STATUS_CHANGED", **{"from": "healthy", "to": "down"}),
        "CHATBOT_STATUS_CHANGED from healthy to down",
    ),
    (_with("ActionWithheld", reason="mode is observe"), "nothing is done: mode is observe"),
    (
        _with("ApprovalRequested", question="restart it?", expires_at="later", **ATTEMPT),
        "a human is asked: restart it?",
    ),
    (
        _with("ApprovalWithdrawn", reason="the alert has ended", **ATTEMPT),
        "restart_service, attempt 2: nobody is asked any more (the alert has ended)",
    ),
    (_with("Mitigated", text="chatbot is harmless", **ATTEMPT), "mitigated: chatbot is harmless"),
    (
        _with("ActionStarted", **ATTEMPT),
        "restart_service, attempt 2: intent committed, sending the command",
    ),
    (
        _with("ActionExecuted", detail="exit 0", **ATTEMPT),
        "restart_service, attempt 2: carried out (exit 0)",
    ),
    (_with("ActionFailed", detail="x", **ATTEMPT), "restart_service, attempt 2: did not help"),
    (_with("RESTART_FAILED", detail="no probe", **ATTEMPT), "RESTART_FAILED: no probe"),
    (
        _with("RecoveryObserved", **ATTEMPT),
        "a probe finds it up; now the alert has to end, too",
    ),
    (
        _with("PROBLEM_RESOLVED", text="chatbot recovered", downtime_seconds=None, **ATTEMPT),
        "PROBLEM_RESOLVED: chatbot recovered",
    ),
    (_with("ESCALATION_REQUIRED", reason="it is {full}"), "ESCALATION_REQUIRED: it is {full}"),
    (
        _with("IncidentClosed", how="it recovered", downtime_seconds=1.0),
        "incident closed: it recovered",
    ),
    (
        _with("ActionRequested", action="pause_service", asked_by="ann", reason="it smokes"),
        "ann asks for pause_service (it smokes)",
    ),
    (
        _with("ApprovalDecided", action="restart", by="ann", decision="approved", reason="go"),
        "ann: restart is approved (go)",
    ),
    (
        _with("RequestRefused", action="restart", asked_by="ann", reason="a hold"),
        "restart, which ann asked for, is not done: a hold",
    ),
    (_with("EscalationAcknowledged", by="ann", reason="on it"), "ann has taken it (on it)"),
    (_with("AnomalyDetected", kind="high_cpu", alertname="A"), "anomaly: high_cpu"),
    (_with("AnotherAlert", summary="x"), "AnotherAlert"),
    ({"name": "AnotherAlert", "data": {"name": "x"}}, "AnotherAlert"),
]


@pytest.mark.parametrize(("event", "sentence"), SENTENCES)
def test_every_event_is_told_in_a_sentence(event: dict[str, Any], sentence: str) -> None:
    assert told(event) == sentence


def test_every_event_that_the_webhook_knows_has_a_sentence() -> None:
    source = (Path(__file__).parents[2] / "webhook" / "event.py").read_text(encoding="utf-8")
    named = set(re.findall(r'_of\(incident, "(\w+)"', source))
    assert named - set(timeline._SENTENCES) == set()
