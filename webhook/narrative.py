"""A narrative: an incident as one paragraph that a person reads in a breath.

"email-blast was down from 14:00:02 to 14:00:10 UTC. Restarted once, and it worked. Total downtime
8 seconds." It says "worked" of a repair that is proven, and of nothing else.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from functools import lru_cache
from itertools import chain
from typing import Final

from webhook import action as law
from webhook.action import Action
from webhook.approval import Approval, Decision
from webhook.catalogue import CATALOGUE
from webhook.incident import DOWN, ENDED, Episode, State, downtime
from webhook.plain import line
from webhook.remedy import Goal
from webhook.story import Spell, Story, down, spells

_NAME: Final = 80  # characters
_SAID: Final = 300
_SPELLS: Final = 3  # that are told each by itself
_ALERTS: Final = 4  # that are named
_QUESTIONS: Final = 3  # the last ones
_UNITS: Final = (("day", 86_400), ("hour", 3_600), ("minute", 60), ("second", 1))

DID: Final = {  # by the action; one that is not here was run
    "restart_service": "Restarted",
    "pause_service": "Paused",
    "resume_service": "Resumed",
    "clear_cache": "Cleared its cache",
    "rollback_deployment": "Rolled back",
    "start_service": "Started",
    "stop_service": "Stopped",
}
_TIMES: Final = {1: "once", 2: "twice", 3: "three times"}


@dataclass(frozen=True, slots=True)
class _Times:
    """How instants are written: with their day only when there are several days."""

    zone: tzinfo
    dated: bool

    def at(self, instant: datetime) -> str:
        form = "%Y-%m-%d %H:%M:%S" if self.dated else "%H:%M:%S"
        return instant.astimezone(self.zone).strftime(form)

    def named(self, instant: datetime) -> str:
        return f"{self.at(instant)} {instant.astimezone(self.zone).tzname()}"

    def range(self, spell: Spell) -> str:
        if spell.end is None:
            return f"since {self.named(spell.begin)}"
        return f"from {self.at(spell.begin)} to {self.named(spell.end)}"


def summary(story: Story, zone: tzinfo = UTC) -> str:
    """Tell the whole of it, with times of *zone*."""
    days = {each.astimezone(zone).date() for each in _instants(story)}
    times = _Times(zone, len(days) > 1)
    told = chain(
        _trouble(story, times),
        _attempts(story),
        _questions(story.approvals),
        _people(story, times),
        _standing(story, times),
        _total(story),
    )
    return " ".join(told)


def spelled(length: timedelta) -> str:
    """Say a length of time in words: `8 seconds`, `1.5 seconds`, `2 minutes 5 seconds`."""
    if length < timedelta(minutes=1):
        number = f"{length.total_seconds():.1f}".removesuffix(".0")
        return f"{number} second{'' if number == '1' else 's'}"
    rest = round(length.total_seconds())
    parts = []
    for name, size in _UNITS:
        count, rest = divmod(rest, size)
        if count:
            parts.append(f"{count} {name}{'' if count == 1 else 's'}")
    return " ".join(parts)


@lru_cache(maxsize=1024)  # a list says the same few again and again
def _name(text: str) -> str:
    return line(text, _NAME)


def _instants(story: Story) -> Iterator[datetime]:
    incident = story.incident
    found = [incident.opened_at, incident.since, incident.escalated_at, story.acknowledged_at]
    for each in story.episodes:
        found += [each.started_at, each.ended_at]
    return (each for each in found if each is not None)


def _trouble(story: Story, times: _Times) -> Iterator[str]:
    """Tell when it was down, and what else fired."""
    project = _name(story.incident.project)
    was_down = down(story.episodes)
    if was_down:
        yield f"{project} {_down(was_down, times)}."
    others = [each for each in story.episodes if each.alertname != DOWN]
    about = ", too," if was_down else f" for {project}"
    if ended := [each for each in others if each.ended_at is not None]:
        lasted = spells(tuple(ended))
        whole = Spell(lasted[0].begin, lasted[-1].end)
        yield f"{_alerts(ended)} fired{about} {times.range(whole)}."
    if going := [each for each in others if each.ended_at is None]:
        have = "has" if len({each.alertname for each in going}) == 1 else "have"
        since = times.named(min(each.started_at for each in going))
        yield f"{_alerts(going)} {have} fired{about} since {since}."
    if not story.episodes:
        yield f"No alert of {project} fired."


def _alerts(episodes: Sequence[Episode]) -> str:
    return _listed([_name(each) for each in dict.fromkeys(each.alertname for each in episodes)])


def _down(was: Sequence[Spell], times: _Times) -> str:
    *before, last = was
    if last.end is None:
        again = f"was {_spells(before, times)}, and is down again " if before else "has been down "
        return again + times.range(last)
    return f"was {_spells(was, times)}"


def _spells(was: Sequence[Spell], times: _Times) -> str:
    if len(was) == 1:
        return f"down {times.range(was[0])}"
    if len(was) > _SPELLS:
        return f"down {len(was)} times {times.range(Spell(was[0].begin, was[-1].end))}"
    ranges = [times.range(each) for each in was]
    return f"down {_TIMES[len(was)]}, {_listed(ranges)}"


def _listed(many: Sequence[str]) -> str:
    if len(many) > _ALERTS:
        many = [*many[: _ALERTS - 1], f"{len(many) - _ALERTS + 1} more"]
    *first, last = many
    return f"{', '.join(first)} and {last}" if first else last


def _attempts(story: Story) -> Iterator[str]:
    if not story.attempts and story.incident.state in ENDED:
        yield "Nothing was done to it."
    piece: list[Action] = []
    for each in story.attempts:
        if piece and (piece[-1].name != each.name or piece[-1].state is not law.State.FAILED):
            yield _attempt(story, piece)
            piece = []
        piece.append(each)
    if piece:
        yield _attempt(story, piece)
    for each in story.actions:
        if each.state.value == "shadowed":
            yield f"{_name(each.name)} would have been done, and is on dry run."


def _attempt(story: Story, piece: Sequence[Action]) -> str:
    """Tell of attempts at one thing, of which all but the last have failed."""
    last, many = piece[-1], len(piece)
    did = DID.get(last.name) or f"Ran {_name(last.name)}"
    times = _TIMES.get(many, f"{many} times")
    return f"{did} {times}{_who(story, last)}{_outcome(story, last, many)}."


def _who(story: Story, action: Action) -> str:
    allowed = {
        each.action: each.decided_by
        for each in story.approvals
        if each.decision is Decision.APPROVED
    }
    if asked := story.asked_by.get(action.key):
        return f", asked for by {_name(asked)}"
    if by := allowed.get(action.key):
        return f", allowed by {_name(by)}"
    return ""


def _outcome(story: Story, last: Action, many: int) -> str:
    match last.state:
        case law.State.COMPLETED:
            which = {1: "", 2: "the second time "}.get(many, "the last time ")
            return f", and {which}{_success(story, last)}"
        case law.State.FAILED:
            return {1: ", which did not help", 2: ", and neither helped"}.get(
                many, ", and none of them helped"
            )
        case law.State.EXECUTING:
            return ", and whether it helps is not known yet"
        case _:
            return ", and nobody knows what came of it"


def _success(story: Story, last: Action) -> str:
    if story.incident.state is State.RESOLVED and last is story.attempts[-1]:
        return "it worked"
    known = CATALOGUE.get(last.name)
    if known and known.goal is not Goal.HEALED:
        return "that made it harmless"
    return f"{_name(last.alertname)} ended" if last.alertname else "it was proven"


def _questions(asked: Sequence[Approval]) -> Iterator[str]:
    for each in asked[-_QUESTIONS:]:
        why = _clause(each.reason or "")
        match each.decision:
            case Decision.REJECTED:
                by = _name(each.decided_by or "somebody")
                yield f"{by} answered approval {each.id} with no: {why}."
            case Decision.EXPIRED:
                yield f"Approval {each.id} expired without an answer."
            case Decision.WITHDRAWN:
                yield f"Approval {each.id} was withdrawn: {why}."
            case _:
                pass  # what was allowed is told with the attempt, and what waits comes last


def _people(story: Story, times: _Times) -> Iterator[str]:
    incident = story.incident
    if incident.escalated_at is not None:
        going = incident.state is State.ESCALATED
        why = f": {_clause(incident.held)}" if going and incident.held else ""
        yield f"People were asked at {times.named(incident.escalated_at)}{why}."
    if story.acknowledged_at is not None:
        by = _name(story.acknowledged_by or "somebody")
        yield f"{by} took it at {times.named(story.acknowledged_at)}."


def _standing(story: Story, times: _Times) -> Iterator[str]:
    incident = story.incident
    match incident.state:
        case State.OPEN:
            why = f": {_clause(incident.held)}" if incident.held else ""
            yield f"Nothing is being done at the moment{why}."
        case State.AWAITING_APPROVAL:
            yield from _waiting(story.approvals, times)
        case State.MITIGATED:
            yield f"It has been harmless since {times.named(incident.since)}, and is not healed."
        case State.CLOSED:
            yield _end(story.how or "")
        case _:
            pass  # the attempts tell of these, and what people were asked


_END: Final = {
    "recovered by itself": "It recovered by itself.",
    "recovered after people were asked": "It recovered after that.",
    "removed from orchestrator.yml": "Its project was removed from orchestrator.yml.",
}


def _end(how: str) -> str:
    if how in _END:
        return _END[how]
    if not how or how.startswith("ended after "):
        return "It ended after that."
    return f"It ended: {_clause(how)}."


def _clause(text: str) -> str:
    """Return what strangers or guards wrote, as the end of a sentence without its full stop."""
    return line(text, _SAID).rstrip(".")


def _waiting(asked: Sequence[Approval], times: _Times) -> Iterator[str]:
    waits = next((each for each in reversed(asked) if each.decision is None), None)
    if waits is None:
        yield "It waits for what was allowed to be done."
        return
    until = times.named(waits.expires_at)
    yield f"Approval {waits.id} waits for an answer until {until}: {_clause(waits.question)}."


def _total(story: Story) -> Iterator[str]:
    total = downtime(story.episodes)
    if total is not None:
        going = down(story.episodes)[-1].end is None
        yield f"Total downtime {'before that ' if going else ''}{spelled(total)}."
