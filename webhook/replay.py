"""A replay, compared: what would have been done, beside what was."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from orchestrator import clock
from webhook.plain import cut, printable
from webhook.recording import Deed, Recording, Told, What

LENGTH = 300  # characters of a reason that a line shows

Json = dict[str, object]


class Verdict(StrEnum):
    """What the comparison says of one thing that was done, or would have been."""

    SAME = "same"
    ONLY_REPLAY = "only in replay"
    ONLY_THEN = "only then"
    HELD = "held"  # nothing would have been done, for a guard; what was held then is not compared
    WOULD = "would"  # there is nothing to compare it with


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """Nothing was done, for a guard said so or a look spoke against it."""

    at: datetime
    project: str
    guard: str  # "": a look
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """One incident of the replay."""

    incident: int
    project: str
    alerts: tuple[str, ...]
    began: datetime
    state: str  # at the end


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What a simulation came to."""

    stories: tuple[Story, ...]
    deeds: tuple[Deed, ...]
    holds: tuple[Hold, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One thing of the replay, and beside it what was."""

    at: datetime
    project: str
    verdict: Verdict
    replay: Deed | Hold | None
    then: Deed | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """All of it, by incident; what belongs to none of the replay stands under None."""

    begin: datetime
    end: datetime
    notifications: int
    compares: bool
    told: tuple[tuple[Story | None, tuple[Row, ...]], ...]

    def count(self, verdict: Verdict) -> int:
        """Count the rows of that verdict."""
        return sum(row.verdict is verdict for _, rows in self.told for row in rows)

    @property
    def differs(self) -> bool:
        """Whether anything else would have been done."""
        return any(self.count(each) for each in (Verdict.ONLY_REPLAY, Verdict.ONLY_THEN))


def compare(recording: Recording, result: Result, *, within: timedelta) -> Comparison:
    """Lay *result* beside what was done; the same thing *within* that time is the same."""
    begin, end = recording.begin, recording.end
    if recording.compares:
        rows = [*_paired(result.deeds, recording.done, within)]
    else:
        rows = [_row(each, Verdict.WOULD) for each in result.deeds]
        end = max([end, *(each.at for each in result.deeds)])
    rows += [_row(each, Verdict.HELD) for each in result.holds]
    shown = [row for row in rows if _inside(row, begin, end)]
    return Comparison(
        begin=begin,
        end=end,
        notifications=sum(
            isinstance(each, Told) and begin <= each.at <= end for each in recording.heard
        ),
        compares=recording.compares,
        told=tuple(_by_story(shown, result.stories, begin, end, within)),
    )


def _row(replay: Deed | Hold, verdict: Verdict) -> Row:
    return Row(at=replay.at, project=replay.project, verdict=verdict, replay=replay)


def _inside(row: Row, begin: datetime, end: datetime) -> bool:
    """Tell whether a row is about the part that is asked for, with one of its sides at least."""
    sides = (each.at for each in (row.replay, row.then) if each is not None)
    return any(begin <= each <= end for each in sides)


def _paired(replayed: Sequence[Deed], then: Sequence[Deed], within: timedelta) -> Iterator[Row]:
    """Pair each deed with the next of the other side that is the same, in order of time."""
    left = defaultdict[tuple[str, What, str], list[Deed]](list)
    for each in then:
        left[_kind(each)].append(each)
    for deed in replayed:
        others = left[_kind(deed)]
        while others and others[0].at < deed.at - within:
            yield _missed(others.pop(0))
        if others and others[0].at <= deed.at + within:
            yield Row(
                at=deed.at,
                project=deed.project,
                verdict=Verdict.SAME,
                replay=deed,
                then=others.pop(0),
            )
        else:
            yield _row(deed, Verdict.ONLY_REPLAY)
    for others in left.values():
        yield from map(_missed, others)


def _missed(deed: Deed) -> Row:
    return Row(at=deed.at, project=deed.project, verdict=Verdict.ONLY_THEN, replay=None, then=deed)


def _kind(deed: Deed) -> tuple[str, What, str]:
    return deed.project, deed.what, deed.action


def _by_story(
    rows: Sequence[Row],
    stories: Sequence[Story],
    begin: datetime,
    end: datetime,
    within: timedelta,
) -> Iterator[tuple[Story | None, tuple[Row, ...]]]:
    """Yield each incident with its rows, in order of time; last the rows of none."""
    of_project = defaultdict[str, list[Story]](list)
    for story in stories:
        of_project[story.project].append(story)
    by_story = defaultdict[int | None, list[Row]](list)
    for row in rows:
        early = timedelta(0) if row.replay else within
        begun = [each for each in of_project[row.project] if each.began <= row.at + early]
        by_story[begun[-1].incident if begun else None].append(row)
    for each in stories:
        if each.incident in by_story or begin <= each.began <= end:
            yield each, _in_order(by_story[each.incident])
    if None in by_story:
        yield None, _in_order(by_story[None])


_ORDER = tuple(Verdict)


def _in_order(rows: Iterable[Row]) -> tuple[Row, ...]:
    return tuple(sorted(rows, key=lambda row: (row.at, _ORDER.index(row.verdict), row.project)))


def text(comparison: Comparison) -> Iterator[str]:
    """Yield the lines that people read."""
    whole = comparison
    yield (
        f"from {_at(whole.begin)} to {_at(whole.end)}: notifications: {whole.notifications},"
        f" incidents in the replay: {sum(story is not None for story, _ in whole.told)}"
    )
    for story, rows in whole.told:
        yield ""
        yield _headed(story)
        for row in rows:
            yield f"  {_at(row.at)}  {row.verdict:<14}  {_said(row, named=story is None)}"
        if not rows:
            yield "  nothing"
    yield ""
    if whole.compares:
        yield ", ".join(f"{each}: {whole.count(each)}" for each in _COMPARED)
    else:
        yield "the recording does not tell what was done, so there is nothing to compare with"


_COMPARED = (Verdict.SAME, Verdict.ONLY_REPLAY, Verdict.ONLY_THEN)


def _at(instant: datetime) -> str:
    return f"{clock.written(instant)[:19]}Z"


def _headed(story: Story | None) -> str:
    if story is None:
        return "of no incident in the replay"
    alerts = ", ".join(_shown(each) for each in story.alerts)
    return f"{_shown(story.project)}: {alerts}, from {_at(story.began)}, at the end {story.state}"


def _said(row: Row, *, named: bool) -> str:
    whose = f"{_shown(row.project) or 'the fleet'}: " if named else ""
    if isinstance(row.replay, Hold):
        guard = f"{row.replay.guard}: " if row.replay.guard else ""
        return f"{whose}{guard}{_shown(row.replay.reason)}"
    replay, then = (each and _deed(each) for each in (row.replay, row.then))
    beside = f" (then: {then})" if replay and then and replay != then else ""
    return f"{whose}{replay or then}{beside}"


def _deed(deed: Deed) -> str:
    detail = f": {_shown(deed.detail)}" if deed.detail else ""
    return f"{_SAID[deed.what].format(_shown(deed.action))}{detail}"


_SAID: Mapping[What, str] = {
    What.ACT: "{}",
    What.SHADOW: "would {}",
    What.ASK: "may it {}?",
    What.ESCALATE: "people are asked",
    What.FLEET: "people are told that many fell at once",
}


def _shown(said: str) -> str:
    return cut(printable(said), LENGTH)


def machine(comparison: Comparison) -> Json:
    """Return the same for programs."""
    return {
        "from": clock.written(comparison.begin),
        "to": clock.written(comparison.end),
        "notifications": comparison.notifications,
        "compared": comparison.compares,
        "same": comparison.count(Verdict.SAME),
        "only_in_replay": comparison.count(Verdict.ONLY_REPLAY),
        "only_then": comparison.count(Verdict.ONLY_THEN),
        "incidents": [_story(story, rows) for story, rows in comparison.told],
    }


def _story(story: Story | None, rows: Sequence[Row]) -> Json:
    head: Json = {"incident": None}
    if story is not None:
        head = {
            "incident": story.incident,
            "project": story.project,
            "alerts": list(story.alerts),
            "began": clock.written(story.began),
            "state": story.state,
        }
    return head | {"rows": [_machine(row) for row in rows]}


def _machine(row: Row) -> Json:
    return {
        "at": clock.written(row.at),
        "project": row.project,
        "verdict": row.verdict.replace(" ", "_"),
        "replay": row.replay and _side(row.replay),
        "then": row.then and _side(row.then),
    }


def _side(side: Deed | Hold) -> Json:
    if isinstance(side, Hold):
        return {
            "at": clock.written(side.at),
            "what": "hold",
            "guard": side.guard,
            "detail": side.reason,
        }
    return {
        "at": clock.written(side.at),
        "what": side.what,
        "alertname": side.alertname,
        "action": side.action,
        "detail": side.detail,
    }
