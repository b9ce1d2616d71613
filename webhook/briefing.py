"""A briefing: what people are told of a matter, whole, in plain words, and safe to show."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final
from urllib.parse import quote

from orchestrator.project import Project
from webhook import action as law
from webhook.action import Action
from webhook.alert import OURS
from webhook.analyzer.analysis import By
from webhook.analyzer.answer import ESCALATE, NONE, Category
from webhook.case import Case
from webhook.diagnosis import Gathered, Line, suspect
from webhook.incident import Episode
from webhook.plain import line

# Characters. Together they keep all annotations of an alert below 4,000, so that no receiver cuts
# them somewhere; what is to be done stands last, and is never the part that is missing.
_NAME: Final = 200
_ALERTS: Final = 320
_REASON: Final = 400
_ATTEMPT: Final = 190
_SAID: Final = 220
_ANALYSIS: Final = 300
_NAMED: Final = 30  # projects of a fleet
_EARLIER: Final = timedelta(hours=1)  # attempts before the incident that may have kept it from more
_NEWEST: Final = 5  # attempts

_OUTCOME: Final = {
    law.State.COMPLETED: "it helped",
    law.State.FAILED: "failed",
    law.State.UNKNOWN: "nobody knows what came of it",
    law.State.EXECUTING: "nobody knows yet what came of it",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Briefing:
    """The alert that people get: labels route it and are its identity, annotations tell."""

    labels: Mapping[str, str]
    annotations: Mapping[str, str]


def escalation(
    case: Case, project: Project | None, reason: str, gathered: Gathered, *, url: str
) -> Briefing:
    """Tell the whole of an incident that nothing more is tried for; no project: it was removed."""
    name, incident = case.incident.project, case.incident.id
    tried = _tried(case)
    alerts = [each.alertname for each in case.episodes if each.open] or [
        each.alertname for each in case.episodes
    ]
    told = [
        f"What is wrong: {_wrong(case)}",
        *_attempts(tried),
        f"Why nothing more is tried: {line(reason, _REASON)}",
        *_log(gathered),
    ]
    told += _analysis(case, alerts) or _suspicion(gathered, alerts)
    told.append(
        "What to do: repair the cause, and start the project by hand if it does not run. This ends"
        " by itself once its alerts have ended and a probe agrees."
    )
    return Briefing(
        labels=_labels("EscalationRequired", "critical", name, project, incident),
        annotations={
            "summary": f"{line(name, _NAME)} needs a human.",
            "description": "\n".join(told),
            "alerts": line(", ".join(dict.fromkeys(alerts)), _NAME),
            "attempts": str(len(tried)),
            **_links("EscalationRequired", name, f"{url}/incidents/{incident}"),
        },
    )


def approval(
    action: Action,
    project: Project | None,
    question: str,
    expires_at: datetime,
    *,
    url: str,
    urgent: bool = False,
) -> Briefing:
    """Ask whether *action* may be done; *urgent* where people would be called otherwise."""
    name = line(action.project, _NAME)
    told = [
        f"The question: {line(question, _REASON)}",
        (
            f"The action: {line(action.name, _NAME)}, against {line(action.alertname, _NAME)},"
            f" attempt {action.attempt}."
        ),
        (
            f"Until when: {_at(expires_at)}. Without an answer it is not done, that counts"
            " neither as a yes nor as a no, and a human is asked to repair the project."
        ),
        (
            "What to do: say yes or no (`orchestrator approvals` lists it, with its number), or"
            " repair the project by hand. This ends by itself when it is decided, when it expires,"
            " and when the alert has ended."
        ),
    ]
    severity = "critical" if urgent else "warning"
    labels = _labels("ApprovalRequired", severity, action.project, project, action.incident)
    return Briefing(
        labels={**labels, "action": action.name},
        annotations={
            "summary": f"{name}: may {line(action.name, _NAME)} be done?",
            "description": "\n".join(told),
            "alerts": line(action.alertname, _NAME),
            **_links("ApprovalRequired", action.project, f"{url}/incidents/{action.incident}"),
        },
    )


def fleet(down: Sequence[str], of: int, *, url: str) -> Briefing:
    """Tell that so many projects went down at once that the monitor itself is suspected."""
    names = [line(each, 60) for each in sorted(down)[:_NAMED]]
    more = f" and {len(down) - _NAMED} more" if len(down) > _NAMED else ""
    told = [
        f"What is wrong: these went down together: {', '.join(names)}{more}.",
        (
            "Why nothing is tried: so many at once rather have one cause, which is not theirs: the"
            " exporter, its machine, the network, or something that they all depend on. Restarting"
            " all of them would harm those that are well."
        ),
        (
            "What to do: look from another machine whether they are really down. Repair what they"
            " have in common. This ends by itself once enough of them are up, and repairs go on."
        ),
    ]
    return Briefing(
        labels={"alertname": "FleetDown", "severity": "critical", "source": OURS},
        annotations={
            "summary": f"{len(down)} of {of} projects went down at once, and none is restarted.",
            "description": "\n".join(told),
            "runbook_url": "docs/runbooks/FleetDown.md",
            "dashboard_url": "/d/orchestrator-fleet",
            "incident_url": f"{url}/incidents?state=open",
        },
    )


def _labels(
    alertname: str, severity: str, name: str, project: Project | None, incident: int
) -> dict[str, str]:
    return {
        **dict(project.labels if project else ()),  # first: ours win
        "alertname": alertname,
        "project": name,
        "incident": str(incident),
        "severity": severity,
        "source": OURS,
    }


def _links(alertname: str, project: str, incident_url: str) -> dict[str, str]:
    return {
        "runbook_url": f"docs/runbooks/{alertname}.md",
        "dashboard_url": f"/d/orchestrator-project?var-project={quote(project, safe='')}",
        "incident_url": incident_url,
    }


def _wrong(case: Case) -> str:
    going = [each for each in case.episodes if each.open] or list(case.episodes)
    if not going:
        return f"{line(case.incident.project, _NAME)}, since {_at(case.incident.opened_at)}."
    told = "; ".join(map(_episode, sorted(going, key=lambda each: each.started_at)))
    return line(f"{case.incident.project}: {told}", _ALERTS - 1) + "."


def _episode(episode: Episode) -> str:
    until = f" to {_at(episode.ended_at)}" if episode.ended_at else ""
    return f"{episode.alertname} {'from' if until else 'since'} {_at(episode.started_at)}{until}"


def _tried(case: Case) -> list[Action]:
    """Return the attempts of this incident, and those before that the guards still counted."""
    since = case.incident.opened_at - _EARLIER
    return [each for each in case.attempts if each.executed_at and each.executed_at >= since]


def _attempts(tried: Sequence[Action]) -> Iterator[str]:
    if not tried:
        yield "What was tried: nothing."
        return
    left_out = len(tried) - _NEWEST
    yield f"What was tried{f' (and {left_out} before)' if left_out > 0 else ''}:"
    for number, each in enumerate(tried[-_NEWEST:], max(left_out, 0) + 1):
        outcome = _OUTCOME.get(each.state, each.state.value)
        detail = f": {each.detail}" if each.detail else ""
        when = _at(each.executed_at or each.created_at)
        yield line(f"{number}. {each.name} at {when}: {outcome}{detail}", _ATTEMPT)


def _log(gathered: Gathered) -> Iterator[str]:
    if not gathered.lines:
        yield f"What its log says: nothing; {line(gathered.why_none or 'it was not asked', _NAME)}."
        return
    yield "What its log says:"
    yield from (f"- {_said(each)}" for each in gathered.lines[-_NEWEST:])


def _analysis(case: Case, alerts: Sequence[str]) -> list[str]:
    """Tell what the analyzer makes of it; nothing where it was not asked, or did not know."""
    of_it = [each for each in case.analyses if each.answer and each.situation.alertname in alerts]
    heard = of_it[-1] if of_it else None
    answer = heard.answer if heard else None
    if heard is None or answer is None or answer.root_cause_category is Category.UNKNOWN:
        return []
    who = heard.model if heard.by is By.CLAUDE else "by rules"
    action = {NONE: "to do nothing", ESCALATE: "to ask people"}.get(answer.action, answer.action)
    said = f"What the analyzer thinks ({who}, {answer.confidence:.2f} sure): {answer.root_cause}"
    return [line(said, _ANALYSIS), f"What it proposes: {line(action, 60)}."]


def _suspicion(gathered: Gathered, alerts: Sequence[str]) -> list[str]:
    guess = next(filter(None, (suspect(gathered.lines, each) for each in alerts)), None)
    return [f"What it probably is: {guess}"] if guess else []


def _said(entry: Line) -> str:
    return line(f"{entry.ts} {entry.level}: {entry.message}", _SAID)


def _at(instant: datetime) -> str:
    return f"{instant.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
