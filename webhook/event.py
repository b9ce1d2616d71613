"""An event: one thing that happened, as readers of the stream are told of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from orchestrator import clock, duration
from webhook.action import Action
from webhook.alert import Alert
from webhook.analyzer.analysis import Analysis, Ruling, Situation
from webhook.approval import Approval, Question
from webhook.catalogue import CATALOGUE
from webhook.incident import DOWN, Incident
from webhook.plain import line
from webhook.request import Request
from webhook.restraint import Kind, Restraint

Data = Mapping[str, str | int | float | None]

ANOMALIES = {  # what an alert finds wrong with a project that is up; api/anomaly.py makes each
    "ProjectHighCPU": "high_cpu",
    "ProjectHighMemory": "high_memory",
    "ProjectHighErrorRate": "high_error",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """A row of the stream; docs/events.md explains each name."""

    name: str
    project: str
    at: datetime
    incident: int | None
    data: Data


def spoken(length: timedelta) -> str:
    """Say a length of time to people: `8 s`, `1.5 s`, `2m5s`."""
    if length < timedelta(minutes=2):
        return f"{length.total_seconds():.1f}".removesuffix(".0") + " s"
    return duration.text(timedelta(seconds=round(length.total_seconds())))


def slug(project: str) -> str:
    """Spell a project's name as event names do: `email-blast` is `EMAIL_BLAST`."""
    return project.upper().replace("-", "_")


def status_changed(incident: Incident, *, was: str, now: str, at: datetime) -> Event:
    """Tell that a project went from one state of health to another."""
    return _of(incident, f"{slug(incident.project)}_STATUS_CHANGED", at, {"from": was, "to": now})


def fired(incident: Incident, alert: Alert, *, at: datetime) -> tuple[Event, ...]:
    """Tell that an alert to be repaired began, and what it says of its project's health."""
    summary = line(alert.annotations.get("summary", ""), 1_000)  # a rule may quote a stranger
    told = _of(
        incident, alert.name, at, {"summary": summary, "startsAt": clock.written(alert.started_at)}
    )
    if alert.name == DOWN:
        return told, status_changed(incident, was="healthy", now="down", at=at)
    if kind := ANOMALIES.get(alert.name):
        return told, _of(incident, "AnomalyDetected", at, {"kind": kind, "alertname": alert.name})
    return (told,)


def withheld(incident: Incident, reason: str, *, at: datetime) -> Event:
    """Tell that nothing is done for now, and why."""
    return _of(incident, "ActionWithheld", at, {"reason": reason})


def requested(incident: Incident, request: Request, *, at: datetime) -> Event:
    """Tell that a person asks for an action."""
    said = {"reason": request.reason, "force": ", ".join(request.forced)}
    return _of(incident, "ActionRequested", at, {**_asked(request), **said})


def turned_down(incident: Incident, request: Request, *, at: datetime) -> Event:
    """Tell that what a person asked for is not done, what held it, and until when."""
    until = None if request.until is None else clock.written(request.until)
    data: Data = {
        **_asked(request),
        "outcome": request.outcome,
        "reason": request.why,
        "guard": request.guard,
        "until": until,
    }
    return _of(incident, "RequestRefused", at, data)


def started(
    incident: Incident, action: Action, *, at: datetime, request: Request | None = None
) -> Event:
    """Tell that the intent of an attempt is committed, and who asked for it when somebody did."""
    if request is None:
        return _of(incident, "ActionStarted", at, _attempt(action))
    asked = {**_asked(request), "overrode": ", ".join(request.overrode)}
    return _of(incident, "ActionStarted", at, {**_attempt(action), **asked})


def consulted(incident: Incident, asked: Situation, *, at: datetime) -> Event:
    """Tell that the analyzer is asked."""
    data: Data = {"alertname": asked.alertname, "attempts": asked.attempts}
    return _of(incident, "AnalysisRequested", at, data)


def decided(incident: Incident, heard: Analysis, ruling: Ruling, *, at: datetime) -> Event:
    """Tell what the analyzer said, and what became of it."""
    said = heard.answer
    data: Data = {
        "analysis": heard.id,
        "analyzer": heard.by,
        "model": line(heard.model, 100),
        "action": said.action if said else "",
        "confidence": ruling.raw,
        "effective": ruling.effective,
        "category": said.root_cause_category if said else "",
        "root_cause": line(said.root_cause, 400) if said else "",
        "decision": ruling.decision,
        "reason": line(ruling.reason, 400),
    }
    return _of(incident, "AIDecision", at, data)


def shadowed(incident: Incident, action: Action, would: str, reason: str, *, at: datetime) -> Event:
    """Tell that an attempt would have been made, or people asked, and that it is on dry run."""
    data: Data = {"action": action.name, "would": would, "reason": reason, "key": action.key}
    return _of(incident, "ActionShadowed", at, data)


def executed(incident: Incident, action: Action, detail: str, *, at: datetime) -> Event:
    """Tell that the command was carried out; whether it helped is not known yet."""
    return _of(incident, "ActionExecuted", at, {**_attempt(action), "detail": detail})


def failed(incident: Incident, action: Action, detail: str, *, at: datetime) -> tuple[Event, ...]:
    """Tell that an attempt failed or did not help, by its general and by its own name."""
    data: Data = {**_attempt(action), "detail": detail}
    known = CATALOGUE.get(action.name)
    own = (known.failed_event,) if known and known.failed_event else ()
    return tuple(_of(incident, name, at, data) for name in ("ActionFailed", *own))


def approval_requested(
    incident: Incident, action: Action, question: Question, *, at: datetime
) -> Event:
    """Tell that a human is asked to allow an action."""
    until = clock.written(question.expires_at)
    data: Data = {**_attempt(action), "question": question.text, "expires_at": until}
    return _of(incident, "ApprovalRequested", at, data)


def approval_decided(incident: Incident, asked: Approval, action: str, *, at: datetime) -> Event:
    """Tell that a human has answered, who, and why."""
    data: Data = {
        "approval": asked.id,
        "action": action,
        "decision": asked.decision,
        "by": asked.decided_by,
        "reason": asked.reason,
    }
    return _of(incident, "ApprovalDecided", at, data)


def approval_withdrawn(incident: Incident, action: Action, why: str, *, at: datetime) -> Event:
    """Tell that the question is off."""
    return _of(incident, "ApprovalWithdrawn", at, {**_attempt(action), "reason": why})


def mitigated(incident: Incident, action: Action, *, at: datetime) -> Event:
    """Tell that the harm is stopped, and nothing is healed."""
    text = f"{incident.project} is harmless after {action.name}; nothing is healed"
    return _of(incident, "Mitigated", at, {**_attempt(action), "text": text})


def proven(incident: Incident, action: Action, why: str, *, at: datetime) -> Event:
    """Tell that an attempt did what it was for, and that the incident goes on nevertheless."""
    return _of(incident, "ActionProven", at, {**_attempt(action), "detail": why})


def recovering(incident: Incident, action: Action, *, at: datetime) -> Event:
    """Tell of the first good probe after an attempt."""
    return _of(incident, "RecoveryObserved", at, _attempt(action))


def resolved(
    incident: Incident, action: Action, downtime: timedelta | None, *, at: datetime
) -> Event:
    """Tell that a repair of ours is proven."""
    known = CATALOGUE.get(action.name)
    told = known.done if known else action.name
    text = f"{incident.project} recovered after {told}"
    if downtime is not None:
        text += f"; it was down for {spoken(downtime)}"
    seconds = None if downtime is None else downtime.total_seconds()
    data: Data = {**_attempt(action), "downtime_seconds": seconds, "text": text}
    return _of(incident, "PROBLEM_RESOLVED", at, data)


def closed(incident: Incident, how: str, downtime: timedelta | None, *, at: datetime) -> Event:
    """Tell that an incident ended without a proven repair of ours."""
    seconds = None if downtime is None else downtime.total_seconds()
    return _of(incident, "IncidentClosed", at, {"how": how, "downtime_seconds": seconds})


def escalated(incident: Incident, reason: str, *, at: datetime) -> Event:
    """Tell that people are asked."""
    return _of(incident, "ESCALATION_REQUIRED", at, {"reason": reason})


def _asked(request: Request) -> dict[str, str | int | float | None]:
    return {"request": request.id, "action": request.action, "asked_by": request.asked_by}


def acknowledged(incident: Incident, *, by: str, reason: str, at: datetime) -> Event:
    """Tell that somebody has taken what people were asked about."""
    return _of(incident, "EscalationAcknowledged", at, {"by": by, "reason": reason})


SET = {
    Kind.HOLD: "HoldSet",
    Kind.KILL_SWITCH: "KillSwitchOn",
    Kind.MAINTENANCE: "MaintenanceSet",
}
LIFTED = {
    Kind.HOLD: "HoldReleased",
    Kind.KILL_SWITCH: "KillSwitchOff",
    Kind.MAINTENANCE: "MaintenanceEnded",
}


def restrained(of: Restraint, *, by: str, at: datetime) -> Event:
    """Tell that a project, or all of them, are to be left alone."""
    return _restraint(SET[of.kind], of, by, at)


def lifted(of: Restraint, *, by: str, at: datetime) -> Event:
    """Tell that they are not any more, for somebody said so."""
    return _restraint(LIFTED[of.kind], of, by, at)


def _restraint(name: str, of: Restraint, by: str, at: datetime) -> Event:
    data: Data = {
        "restraint": of.id,
        "by": by,
        "reason": of.reason,
        "starts_at": clock.written(of.starts_at) if of.starts_at else None,
        "ends_at": clock.written(of.ends_at) if of.ends_at else None,
    }
    return Event(name=name, project=of.project or "", at=at, incident=None, data=data)


def _attempt(action: Action) -> dict[str, str | int | float | None]:
    return {"action": action.name, "attempt": action.attempt, "key": action.key}


def _of(incident: Incident, name: str, at: datetime, data: Data) -> Event:
    return Event(name=name, project=incident.project, at=at, incident=incident.id, data=data)
