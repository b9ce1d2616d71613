"""An incident as the API shows it."""

from datetime import datetime, tzinfo

from orchestrator import clock
from webhook import narrative, timeline
from webhook.action import Action
from webhook.api.operation import Answer
from webhook.incident import downtime
from webhook.store.stories import Details
from webhook.story import Story

SHOWN = 200  # of each of the lists of one incident, the newest
LINES = 500  # of its timeline, the last


class Attempt(Answer):
    """An action, whatever became of it."""

    key: str
    action: str
    attempt: int
    state: str
    created_at: str
    executed_at: str | None
    finished_at: str | None
    detail: str


class Incident(Answer):
    """An incident as lists show it."""

    id: int
    project: str
    state: str
    opened_at: str  # the last time
    ended_at: str | None
    escalated_at: str | None
    acknowledged_at: str | None
    acknowledged_by: str | None
    held: str | None  # why nothing is done
    held_by: str | None  # the guard, when it is one
    downtime_seconds: float | None  # none: it was not down, or has not been up since
    summary: str
    actions: list[Attempt]  # the oldest first


class Wrong(Answer):
    """An alert, from its begin to its end as Prometheus says them."""

    id: int
    alertname: str
    summary: str
    labels: dict[str, str]
    started_at: str
    received_at: str
    ended_at: str | None
    how: str | None  # it ended
    silenced: str | None


class Done(Attempt):
    """An action, with all that is known of it."""

    alertname: str
    asked_by: str | None  # who asked for it by hand
    output: str  # the end of what a command printed


class Question(Answer):
    """An approval; /api/v1/approvals/{id} has the whole."""

    id: int
    action: str  # its key
    question: str
    asked_at: str
    expires_at: str
    state: str
    decided_by: str | None
    reason: str | None


class Told(Answer):
    """A page: what people were told, from when to when."""

    id: int
    kind: str
    reason: str
    started_at: str
    ended_at: str | None


class Moment(Answer):
    """One line of the timeline."""

    at: str
    after_seconds: float  # the first line
    took_seconds: float | None  # what came to its end then
    what: str


class Whole(Incident):
    """All of an incident; of each list the newest 200."""

    since: str  # it has been in this state
    alerts: list[Wrong]
    attempts: list[Done]
    approvals: list[Question]
    pages: list[Told]
    timeline: list[Moment]


def listed(story: Story, zone: tzinfo) -> Incident:
    """Show an incident in a list, with times of *zone* in its summary."""
    return Incident.model_validate(_shown(story, zone))


def whole(story: Story, details: Details, zone: tzinfo) -> Whole:
    """Show all of an incident."""
    return Whole.model_validate(_shown(story, zone) | _more(story, details))


def _shown(story: Story, zone: tzinfo) -> dict[str, object]:
    incident, down = story.incident, downtime(story.episodes)
    return {
        "id": incident.id,
        "project": incident.project,
        "state": incident.state,
        "opened_at": clock.written(incident.opened_at),
        "ended_at": _text(incident.ended_at),
        "escalated_at": _text(incident.escalated_at),
        "acknowledged_at": _text(story.acknowledged_at),
        "acknowledged_by": story.acknowledged_by,
        "held": incident.held,
        "held_by": incident.held_by,
        "downtime_seconds": None if down is None else down.total_seconds(),
        "summary": narrative.summary(story, zone),
        "actions": [_attempt(each) for each in story.actions[-SHOWN:]],
    }


def _attempt(action: Action) -> dict[str, object]:
    return {
        "key": action.key,
        "action": action.name,
        "attempt": action.attempt,
        "state": action.state,
        "created_at": clock.written(action.created_at),
        "executed_at": _text(action.executed_at),
        "finished_at": _text(action.finished_at),
        "detail": action.detail,
    }


def _more(story: Story, details: Details) -> dict[str, object]:
    return {
        "since": clock.written(story.incident.since),
        "alerts": details.alerts,
        "attempts": [
            _attempt(each)
            | {
                "alertname": each.alertname,
                "asked_by": story.asked_by.get(each.key),
                "output": each.output,
            }
            for each in story.actions[-SHOWN:]
        ],
        "approvals": [
            {
                "id": each.id,
                "action": each.action,
                "question": each.question,
                "asked_at": clock.written(each.asked_at),
                "expires_at": clock.written(each.expires_at),
                "state": each.decision or "waiting",
                "decided_by": each.decided_by,
                "reason": each.reason,
            }
            for each in story.approvals[-SHOWN:]
        ],
        "pages": details.pages,
        "timeline": [_moment(each) for each in timeline.timeline(story)[-LINES:]],
    }


def _moment(moment: timeline.Moment) -> dict[str, object]:
    return {
        "at": clock.written(moment.at),
        "after_seconds": moment.after.total_seconds(),
        "took_seconds": None if moment.took is None else moment.took.total_seconds(),
        "what": moment.what,
    }


def _text(instant: datetime | None) -> str | None:
    return None if instant is None else clock.written(instant)
