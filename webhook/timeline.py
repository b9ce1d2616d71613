"""A timeline: an incident moment by moment, with what passed between them."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from webhook import action as law
from webhook.catalogue import CATALOGUE
from webhook.plain import line
from webhook.story import Story, Told

_SAID: Final = 400  # characters
_NAME: Final = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """One line of it."""

    at: datetime
    after: timedelta  # the first moment
    took: timedelta | None  # what came to its end with this moment
    what: str  # safe to show


def timeline(story: Story) -> tuple[Moment, ...]:
    """Return all that is known to have happened, the oldest first.

    The alerts began and ended by Prometheus' clock, all the rest happened by ours.
    """
    found = sorted((*_alerts(story), *_told(story), *_not_told(story)), key=lambda each: each.at)
    if not found:
        return ()
    begin = found[0].at
    return tuple(
        Moment(at=each.at, after=each.at - begin, took=each.took, what=each.what) for each in found
    )


@dataclass(frozen=True, slots=True)
class _Line:
    at: datetime
    what: str
    took: timedelta | None = None


def _alerts(story: Story) -> Iterator[_Line]:
    for each in story.episodes:
        name = line(each.alertname, _NAME)
        yield _Line(each.started_at, f"{name} began")
        if each.ended_at is not None:
            yield _Line(each.ended_at, f"{name} ended", each.ended_at - each.started_at)


def _told(story: Story) -> Iterator[_Line]:
    begun: dict[object, datetime] = {}  # by the key of an action
    asked: dict[object, datetime] = {}
    for each in story.events:
        if each.name in _TWICE:
            continue
        key = each.data.get("key")
        since = asked if each.name == "ApprovalWithdrawn" else begun
        began = since.get(key)
        yield _Line(each.at, happened(each), None if began is None else each.at - began)
        if each.name == _BEGINS:
            begun.setdefault(key, each.at)
        elif each.name == "ApprovalRequested":
            asked.setdefault(key, each.at)


_BEGINS: Final = "ActionStarted"
_TWICE: Final = frozenset(each.failed_event for each in CATALOGUE.values() if each.failed_event)


def _not_told(story: Story) -> Iterator[_Line]:
    """Tell of attempts whose events are so old that they were let go of."""
    told = {each.data.get("key") for each in story.events}
    for each in story.attempts:
        if each.key in told or each.executed_at is None:
            continue
        name = line(each.name, _NAME)
        yield _Line(each.executed_at, f"{name} begins")
        if each.finished_at is not None:
            end = f"{name}: {_ENDS.get(each.state, each.state.value)}"
            yield _Line(each.finished_at, end, each.finished_at - each.executed_at)


_ENDS: Final = {law.State.COMPLETED: "did what it was for", law.State.FAILED: "did not help"}


def happened(event: Told) -> str:
    """Say what an event tells of, in a line that is safe to show."""
    if "startsAt" in event.data:
        said = f"heard of {event.name}: {event.data.get('summary')}"
    elif event.name.endswith("_STATUS_CHANGED"):
        said = f"{event.project} went from {event.data.get('from')} to {event.data.get('to')}"
    else:
        said = _SENTENCES.get(event.name, _otherwise)(_Words(event.name, event.data))
    return line(said, _SAID)


@dataclass(frozen=True, slots=True)
class _Words:
    name: str
    data: Mapping[str, object]

    def __getitem__(self, key: str) -> str:
        value = self.data.get(key)
        return "" if value is None else str(value)

    def about(self, key: str) -> str:
        """Return `: text`, or nothing when there is none."""
        return f": {self[key]}" if self[key] else ""

    def after(self, words: str, key: str) -> str:
        """Return `words text`, or nothing when there is none."""
        return f"{words}{self[key]}" if self[key] else ""

    def until(self) -> str:
        """Say from when and until when something is that people have set."""
        begin, end = (
            f" {word} {self[key][:19].replace('T', ' ')} UTC" if self[key] else ""
            for word, key in (("from", "starts_at"), ("until", "ends_at"))
        )
        return f"{begin}{end}"

    def set(self, what: str) -> str:
        """Tell what people have set, by whom and why."""
        return f"{what}{self.until()}{self.after(', by ', 'by')}{self.about('reason')}"

    def lifted(self, what: str) -> str:
        """Tell that people have ended it, who did, and why it was set."""
        return f"{what}{self.after(', by ', 'by')}{self.after('; it was for: ', 'reason')}"


def _otherwise(event: _Words) -> str:
    """Say an event of another name with all that stands in it, but for keys."""
    told = [f"{name} {value}" for name, value in event.data.items() if value not in (None, "")]
    kept = [each for each in told if not each.startswith("key ")]
    return f"{event.name}: {', '.join(kept)}" if kept else event.name


_SENTENCES: Final[Mapping[str, Callable[[_Words], str]]] = {
    "AnomalyDetected": lambda said: f"anomaly: {said['kind']}, by {said['alertname']}",
    "ActionWithheld": lambda said: f"nothing is done for now{said.about('reason')}",
    "ActionShadowed": lambda said: f"{said['action']} is recorded{said.about('reason')}",
    "ApprovalRequested": lambda said: f"a human is asked{said.about('question')}",
    "ApprovalDecided": lambda said: (
        f"{said['by']} {said['decision']} {said['action']}{said.about('reason')}"
    ),
    "ApprovalWithdrawn": lambda said: f"the question is off{said.about('reason')}",
    "ActionRequested": lambda said: (
        f"{said['asked_by']} asks for {said['action']}{said.after(', forcing ', 'force')}"
        f"{said.about('reason')}"
    ),
    "RequestRefused": lambda said: (
        f"{said['action']}, asked for by {said['asked_by']}, is {said['outcome']}"
        f"{said.about('reason')}"
    ),
    "ActionStarted": lambda said: (
        f"{said['action']} begins, attempt {said['attempt']}"
        f"{said.after(', overriding ', 'overrode')}"
    ),
    "ActionExecuted": lambda said: f"{said['action']} was carried out{said.about('detail')}",
    "ActionFailed": lambda said: f"{said['action']} did not help{said.about('detail')}",
    "RecoveryObserved": lambda said: f"answers again, after {said['action']}",
    "Mitigated": lambda said: said["text"],
    "ActionProven": lambda said: f"{said['action']} did what it was for{said.about('detail')}",
    "PROBLEM_RESOLVED": lambda said: f"resolved{said.about('text')}",
    "ESCALATION_REQUIRED": lambda said: f"people are asked{said.about('reason')}",
    "EscalationAcknowledged": lambda said: f"{said['by']} has taken it{said.about('reason')}",
    "HoldSet": lambda said: said.set("left alone"),
    "HoldReleased": lambda said: said.lifted("left alone no more"),
    "KillSwitchOn": lambda said: said.set("the kill switch is on"),
    "KillSwitchOff": lambda said: said.lifted("the kill switch is off"),
    "MaintenanceSet": lambda said: said.set("maintenance"),
    "MaintenanceEnded": lambda said: said.lifted("maintenance ended"),
    "IncidentClosed": lambda said: f"closed{said.about('how')}",
}
