"""The timeline: what happened after the injection, as lines for people and as one JSON object."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from orchestrator import clock
from orchestrator.demo.fault import FAULTS, Outcome
from orchestrator.project import Mode

Json = Mapping[str, Any]

_REPAIRED = {
    Outcome.HEALS: "PROBLEM_RESOLVED",
    Outcome.MITIGATES: "Mitigated",
    Outcome.ESCALATES: "ESCALATION_REQUIRED",
    Outcome.NO_PLAYBOOK_YET: "PROBLEM_RESOLVED",  # not run before there is one
}
ENDS = frozenset({"PROBLEM_RESOLVED", "ESCALATION_REQUIRED", "IncidentClosed"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What was done to whom, and what therefore should happen."""

    fault: str
    project: str
    mode: Mode
    length: timedelta | None  # after which the fault ends by itself

    @property
    def expected(self) -> frozenset[str]:
        """The events of which one has to end the story."""
        if self.mode is Mode.OBSERVE:
            return frozenset({"IncidentClosed" if self.length else "ActionWithheld"})
        outcome = FAULTS[self.fault].outcome
        if not self.length:
            return frozenset({_REPAIRED[outcome]})
        # Whether the fault or our patience ends first is a race, and a restart after it helps. What
        # is paused goes on when the fault is over.
        escalated = {"ESCALATION_REQUIRED"} if outcome is Outcome.ESCALATES else set()
        return frozenset({"PROBLEM_RESOLVED", "IncidentClosed", *escalated})

    def is_end(self, event: Json) -> bool:
        """Tell whether nothing more is to come after *event*."""
        return event["name"] in self.expected | ENDS


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """The outcome; the instants are seconds after the injection, None where it did not happen."""

    project: str
    fault: str
    injected_at: str | None
    detected_s: float | None  # the alert was committed in the webhook
    acted_s: float | None  # the intent was committed
    recovered_s: float | None  # the first good probe of the verification
    resolved_s: float | None  # PROBLEM_RESOLVED
    actions: Sequence[Json]
    escalated: bool
    downtime_s: float | None
    events: Sequence[Json]
    versions: Mapping[str, str | None]

    def json(self) -> dict[str, Any]:
        """Return what `--json` prints."""
        return asdict(self)


def report(
    run: Run,
    *,
    injected_at: datetime,
    events: Sequence[Json],
    incident: Json | None,
    versions: Mapping[str, str],
) -> Report:
    """Sum up a run from the events of its project, and from its incident as it stands."""

    def after(*names: str) -> float | None:
        return _first(events, names, injected_at)

    actions = incident["actions"] if incident else []
    return Report(
        project=run.project,
        fault=run.fault,
        injected_at=clock.written(injected_at),
        detected_s=after(*FAULTS[run.fault].alerts),
        acted_s=after("ActionStarted"),
        recovered_s=after("RecoveryObserved"),
        resolved_s=after("PROBLEM_RESOLVED"),
        actions=[{key: each[key] for key in ("action", "attempt", "state")} for each in actions],
        escalated=after("ESCALATION_REQUIRED") is not None,
        downtime_s=incident["downtime_seconds"] if incident else None,
        events=list(events),
        versions=versions,
    )


def nothing(run: Run) -> Report:
    """Return the report of a run in which nothing was started."""
    return Report(
        project=run.project,
        fault=run.fault,
        injected_at=None,
        detected_s=None,
        acted_s=None,
        recovered_s=None,
        resolved_s=None,
        actions=(),
        escalated=False,
        downtime_s=None,
        events=(),
        versions={"prometheus": None, "alertmanager": None},
    )


def seconds_after(injected_at: datetime, event: Json) -> float:
    """Return when *event* happened, in seconds after the injection, to the millisecond."""
    return round((clock.read(event["at"]) - injected_at).total_seconds(), 3)


_SENTENCES = {
    **{
        name: f"alert {name}: received and stored"
        for name in sorted({name for each in FAULTS.values() for name in each.alerts})
    },
    "AnomalyDetected": "anomaly: {kind}",
    "AnalysisRequested": "the analyzer is asked: {alertname}, after {attempts} attempts",
    "AIDecision": "AIDecision by {model}: {action}, {confidence:.2f} sure; {root_cause}",
    "ApprovalRequested": "a human is asked: {question}",
    "ActionRequested": "{asked_by} asks for {action} ({reason})",
    "RequestRefused": "{action}, which {asked_by} asked for, is not done: {reason}",
    "EscalationAcknowledged": "{by} has taken it ({reason})",
    "ApprovalDecided": "{by}: {action} is {decision} ({reason})",
    "ApprovalWithdrawn": "{action}, attempt {attempt}: nobody is asked any more ({reason})",
    "ActionStarted": "{action}, attempt {attempt}: intent committed, sending the command",
    "ActionExecuted": "{action}, attempt {attempt}: carried out ({detail})",
    "ActionFailed": "{action}, attempt {attempt}: did not help",
    "RESTART_FAILED": "RESTART_FAILED: {detail}",
    "ActionWithheld": "nothing is done: {reason}",
    "ActionShadowed": "{action} is recorded: {reason}",
    "ActionProven": "{action}, attempt {attempt}: proven; {detail}",
    "Mitigated": "mitigated: {text}",
    "RecoveryObserved": "a probe finds it up; now the alert has to end, too",
    "PROBLEM_RESOLVED": "PROBLEM_RESOLVED: {text}",
    "ESCALATION_REQUIRED": "ESCALATION_REQUIRED: {reason}",
    "IncidentClosed": "incident closed: {how}",
}


def told(event: Json) -> str:
    """Say in a sentence what *event* means."""
    name = str(event["name"])
    changed = "{name} from {from} to {to}" if name.endswith("_STATUS_CHANGED") else "{name}"
    return _SENTENCES.get(name, changed).format_map({**event["data"], "name": name})


def _first(events: Iterable[Json], names: Sequence[str], injected_at: datetime) -> float | None:
    found = (each for each in events if each["name"] in names)
    return next((seconds_after(injected_at, each) for each in found), None)
