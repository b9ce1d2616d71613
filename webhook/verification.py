"""Verification: when a repair counts as proven, and when as having done nothing."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from orchestrator.answer import IN_WORDS
from orchestrator.config import Verification as Limits
from orchestrator.health import Probe, State
from webhook.action import Action
from webhook.incident import DOWN, Episode, Incident
from webhook.remedy import Goal


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What Prometheus says of one alert for one project, right now."""

    firing: bool  # as the rule evaluation has it
    holds: bool  # as its expression evaluates at this instant
    settle: timedelta  # how long the rule needs to see a change, by its own annotation
    known: bool = True  # whether there is such a rule at all


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """What one look at a project under repair found; standing is None without Prometheus."""

    probe: Probe
    standing: Standing | None
    at: datetime
    fresh: bool | None = True  # figures read since the action; None: nobody knows


@dataclass(frozen=True, slots=True)
class Waiting:
    """Nothing is decided; look again."""

    for_what: str


@dataclass(frozen=True, slots=True)
class Recovered:
    """The first good probe after the action: not a proof yet."""


@dataclass(frozen=True, slots=True)
class Proven:
    """Probe good, expression false on fresh data, alert ended."""


@dataclass(frozen=True, slots=True)
class Partly:
    """Proven, and another alert of the project goes on, which is decided on next."""

    why: str


@dataclass(frozen=True, slots=True)
class Ineffective:
    """The action ran and did not help."""

    why: str


@dataclass(frozen=True, slots=True)
class Inconclusive:
    """It cannot be told whether the action helped."""

    why: str


Verdict = Waiting | Recovered | Proven | Partly | Ineffective | Inconclusive


def objection(project: str, alertname: str, probe: Probe, standing: Standing | None) -> str | None:
    """Say why *project* must not be touched for *alertname* right now; None when it may.

    Alertmanager takes alerts from anybody, so its word alone moves nothing: a project that
    answers is not down, and an alert that Prometheus does not fire is nobody's. Without
    Prometheus, only what our own probe sees can be repaired, and that is being down.
    """
    down = alertname == DOWN
    if probe.state is State.PAUSED:
        return f"{project} is paused, and somebody chose so; {alertname} is not acted on"
    if down and probe.up:
        return f"{project} answers a probe ({probe.state}); {alertname} is not acted on"
    if standing is None:
        return None if down else f"Prometheus does not answer, so {alertname} cannot be checked"
    return None if standing.firing else f"{alertname} of {project} does not fire in Prometheus"


def contradicts(alertname: str, probe: Probe, standing: Standing | None) -> bool:
    """Tell whether what was seen speaks against the alert itself, and not only against acting."""
    answers = alertname == DOWN and probe.up
    silent = standing is not None and not standing.firing
    return answers or silent or probe.state is State.PAUSED


def judge(
    incident: Incident,
    action: Action,
    episodes: tuple[Episode, ...],
    seen: Sighting,
    limits: Limits,
    *,
    goal: Goal = Goal.HEALED,
) -> Verdict:
    """Judge the repair of *incident* by *action* from what was *seen*.

    1. The project answers a probe of ours, within `recover_within` of the command's answer.
    2. From then on it keeps answering for as long as its rule needs to see the change; only then
       does `prove_within` begin, or a rule that looks back further could never be satisfied.
    3. The alert's own expression is false, on figures that were read after the action.
    4. Alertmanager has told us that every alert of the incident ended. When its own one has, and
       others have not in time, the action is proven and the incident goes on.
    Where the action is against no alert, because a person asked for it, there is nothing to settle:
    the second good look is the proof, and Prometheus is not asked.
    "Resolved" alone proves nothing: a dead Prometheus looks the same. What shall only stop the harm
    is proven when a probe says so.
    """
    if goal is not Goal.HEALED:
        return _stopped(incident, action, seen, limits, goal)
    if not seen.probe.up or seen.probe.state is State.PAUSED:
        return _unwell(incident, seen, limits)
    if incident.recovered_at is None:
        return Recovered()
    since = incident.recovered_at
    missing = _missing(since, action, episodes, seen) if action.alertname else None
    others = _going(each for each in episodes if each.alertname != action.alertname)
    if missing is None and not others:
        return Proven()
    if seen.at <= incident.recovered_at + _settle(seen.standing) + limits.prove_within:
        return missing or Waiting(f"Alertmanager still has {others}")
    return _late(action, missing, others, seen)


def _late(action: Action, missing: Waiting | None, others: str, seen: Sighting) -> Verdict:
    if missing is None:
        if not action.alertname:
            return Partly(f"{action.project} is up, and {others} has not ended")
        return Partly(f"{action.alertname} has ended, {others} has not")
    holds = seen.standing is not None and seen.standing.holds
    return Ineffective(missing.for_what) if holds else Inconclusive(missing.for_what)


def _missing(
    recovered_at: datetime,
    action: Action,
    episodes: tuple[Episode, ...],
    seen: Sighting,
) -> Waiting | None:
    standing = seen.standing
    if standing is None:
        return Waiting("Prometheus does not answer")
    if not standing.known:
        return Waiting(f"Prometheus has no rule {action.alertname}")
    if seen.at < recovered_at + standing.settle:
        return Waiting(f"{action.alertname} settles")
    if standing.holds:
        return Waiting(f"{action.alertname} still holds")
    if not seen.fresh and action.alertname != DOWN:
        return Waiting(f"no figures of {action.project} were read since {action.name}")
    going = _going(each for each in episodes if each.alertname == action.alertname)
    return Waiting(f"Alertmanager still has {going}") if going else None


def _going(episodes: Iterable[Episode]) -> str:
    return ", ".join(sorted({episode.alertname for episode in episodes if episode.open}))


def _settle(standing: Standing | None) -> timedelta:
    return standing.settle if standing else timedelta(0)


def reached(goal: Goal, probe: Probe) -> bool:
    """Tell whether a probe alone shows that *goal*, which is not a healing, is reached."""
    return probe.state is (State.PAUSED if goal is Goal.PAUSED else State.DOWN)


def _stopped(
    incident: Incident, action: Action, seen: Sighting, limits: Limits, goal: Goal
) -> Verdict:
    if reached(goal, seen.probe):
        return Proven()
    what = f"{incident.project} is {seen.probe.state} after {action.name}"
    late = seen.at > incident.since + limits.recover_within
    return Ineffective(what) if late else Waiting(what)


def _unwell(incident: Incident, seen: Sighting, limits: Limits) -> Verdict:
    why = IN_WORDS[seen.probe.reason] if seen.probe.reason else seen.probe.state
    what = f"{incident.project} is still down: {why}"
    if seen.probe.up:
        what = f"{incident.project} is paused"
    late = seen.at > incident.since + limits.recover_within
    return Ineffective(what) if late else Waiting(what)
