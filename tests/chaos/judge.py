"""The judge: reads what is left after a run, and says everything that must not be."""

import json
import sqlite3
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

from orchestrator import clock
from tests.chaos.courier import Told
from tests.chaos.gateway import Sent
from tests.chaos.site import Execution
from webhook import action, chain, incident
from webhook.alert import SAME
from webhook.store import history, trail

Json = dict[str, Any]

RACE = timedelta(seconds=2)  # from the last good probe to what is said of it, on a busy machine
ATTEMPTS, COOLDOWN = 3, timedelta(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Down:
    """A project was down for sure, from an instant to another."""

    project: str
    since: datetime
    until: datetime | None
    deaf: bool = False  # no restart ends it


def lost(db: sqlite3.Connection, answered: Iterable[Told]) -> Iterator[str]:
    """Name what was answered with 200 and is not in the store.

    An alert is there as an episode with its start, or lies in one; an older word than the newest
    may also have been overtaken.
    """
    kept = defaultdict(list)
    for row in db.execute("SELECT * FROM episodes"):
        kept[row["fingerprint"]].append(row)
    firing = [each for each in answered if each.firing]
    newest = {each.fingerprint: each.started for each in sorted(firing, key=_started)}
    for each in set(firing):
        rows = kept[each.fingerprint]
        there = any(_is_there(row, each.started) for row in rows)
        overtaken = each.started < newest[each.fingerprint] and rows
        if not there and not overtaken:
            yield f"lost: {each.fingerprint} from {each.started}"


def missing(db: sqlite3.Connection, firing: Iterable[Mapping[str, str]]) -> Iterator[str]:
    """Name the alerts, by their labels, that fire and have no open episode."""
    rows = db.execute("SELECT labels FROM episodes WHERE ended_at IS NULL")
    known = [json.loads(row["labels"]) for row in rows]
    for labels in firing:
        if dict(labels) not in known:
            yield f"lost: {dict(labels)} fires"


def _started(each: Told) -> datetime:
    return each.started


def _is_there(row: sqlite3.Row, started: datetime) -> bool:
    first, now = clock.read(row["first_started_at"]), clock.read(row["started_at"])
    if any(abs(each - started) <= SAME for each in (first, now)):
        return True
    ended = clock.read(row["ended_at"]) if row["ended_at"] else None
    return now <= started and (ended is None or started < ended)


def unheard(db: sqlite3.Connection, last: Iterable[Told]) -> Iterator[str]:
    """Name the alerts that do not stand as the last word about them says."""
    for each in last:
        row = db.execute(
            "SELECT count(*) AS n FROM episodes WHERE fingerprint = ? AND ended_at IS NULL",
            (each.fingerprint,),
        ).fetchone()
        if row["n"] != each.firing:
            yield f"unheard: {each.fingerprint} fires: {each.firing}, open episodes: {row['n']}"


def repeated(
    db: sqlite3.Connection, executions: Sequence[Execution], sent: Sequence[Sent]
) -> Iterator[str]:
    """Name what was carried out twice, unknown to us, or beside another on the same project."""
    for key, times in Counter(each.key for each in executions).items():
        if times > 1:
            yield f"key {key} was carried out {times} times"
    known = {row["key"]: row for row in db.execute("SELECT * FROM actions")}
    for each in executions:
        if each.key not in known or known[each.key]["executed_at"] is None:
            yield f"key {each.key} was carried out, and no intent of it is stored"
    for one in sent:
        for other in sent:
            apart = one.key == other.key or one.service != other.service
            if not apart and one.began <= other.began < one.ended:
                yield f"key {other.key} began while {one.key} was under way"


def excessive(
    db: sqlite3.Connection, *, attempts: int = ATTEMPTS, cooldown: timedelta = COOLDOWN
) -> Iterator[str]:
    """Name the projects on which more was tried, or sooner, than the guards allow."""
    tried = defaultdict(list)
    for row in db.execute("SELECT * FROM actions WHERE executed_at IS NOT NULL"):
        tried[row["project"], row["name"], row["forgiven_at"]].append(row["executed_at"])
    for (project, name, _), times in tried.items():
        if len(times) > attempts:
            yield f"{name} was tried {len(times)} times on {project}, {attempts} at most"
        for one, other in pairwise(sorted(map(clock.read, times))):
            if other - one < cooldown:
                yield f"{name} on {project} again after {other - one}, cooldown {cooldown}"


def unlawful(db: sqlite3.Connection) -> Iterator[str]:
    """Name every move of an incident or an action that its law has not, or that is untold."""
    incidents: dict[int, str] = {}
    actions: dict[str, str | None] = {}
    for row in db.execute("SELECT * FROM audit ORDER BY id"):
        data = json.loads(row["data"])
        if row["what"] == "incident opened":
            incidents[data["incident"]] = "open"
        elif row["what"] == "incident moved":
            yield from _moved(incidents, data["incident"], data, _INCIDENT)
        elif row["what"] == "action moved":
            yield from _moved(actions, data["key"], data, _ACTION)
    for table, key, states in (("incidents", "id", incidents), ("actions", "key", actions)):
        found = {row[key]: row["state"] for row in db.execute(f"SELECT * FROM {table}")}  # noqa: S608  names of ours
        if found != states:
            yield f"{table} are {found}, and by the audit {states}"


_INCIDENT = {str(at): {str(to) for to in following} for at, following in incident.NEXT.items()}
_ACTION: dict[str | None, Collection[str]] = {
    str(at): {str(to) for to in following} for at, following in action.NEXT.items()
} | {None: {"pending"}}


def _moved(states: dict[Any, Any], key: object, data: Json, law: Any) -> Iterator[str]:  # noqa: ANN401  two laws of one shape
    before, after = data["from"], data["to"]
    if states.get(key) != before:
        yield f"{key} was {states.get(key)} and left from {before}"
    if after not in law[before]:
        yield f"{key} went from {before} to {after}"
    states[key] = after


def unsettled(db: sqlite3.Connection) -> Iterator[str]:
    """Name what goes on for ever, and escalations that nobody is or should be told of."""
    for row in db.execute("SELECT * FROM incidents"):
        at_rest = row["state"] in ("resolved", "closed", "escalated", "mitigated")
        if not at_rest and not (row["state"] == "open" and row["held"]):
            yield f"incident {row['id']} is {row['state']}, held: {row['held']}"
        pages = db.execute(
            "SELECT count(*) AS n FROM pages WHERE kind = 'escalation' AND incident = ?"
            " AND ended_at IS NULL",
            (row["id"],),
        ).fetchone()["n"]
        wanted = {"escalated": {1}, "resolved": {0}, "closed": {0}}.get(row["state"], {0, 1})
        if pages not in wanted:
            yield f"incident {row['id']} is {row['state']} and has {pages} open pages"
    for row in db.execute("SELECT * FROM actions WHERE state IN ('pending', 'executing')"):
        yield f"action {row['key']} is {row['state']} for ever"


def premature(db: sqlite3.Connection) -> Iterator[str]:
    """Name the incidents that ended while an alert of theirs went on."""
    projects = {row["id"]: row["project"] for row in db.execute("SELECT * FROM incidents")}
    ours = db.execute("SELECT fingerprint FROM episodes WHERE incident IS NOT NULL")
    theirs = {row["fingerprint"] for row in ours}
    going: defaultdict[str, set[str]] = defaultdict(set)
    for row in db.execute("SELECT * FROM audit ORDER BY id"):
        data = json.loads(row["data"])
        if row["what"] in ("episode opened", "episode reopened"):
            going[data["project"]] |= {data["fingerprint"]} & theirs
        elif row["what"] == "episode ended":
            for each in going.values():
                each.discard(data["fingerprint"])
        elif row["what"] == "incident moved" and data["to"] in incident.ENDED:
            number = data["incident"]
            if going[projects[number]]:
                yield f"incident {number} was {data['to']} at {row['at']}, and its alert went on"


def unproven(
    db: sqlite3.Connection, executions: Sequence[Execution], downs: Sequence[Down]
) -> Iterator[str]:
    """Name what is called over although the project was down, or nothing was completed."""
    done = {each.key for each in executions}
    for row in db.execute("SELECT * FROM events ORDER BY id"):
        data = json.loads(row["data"])
        over = row["name"] == "IncidentClosed" and "removed" not in data["how"]
        if row["name"] == "PROBLEM_RESOLVED":
            over = True
            state = db.execute("SELECT state FROM actions WHERE key = ?", (data["key"],)).fetchone()
            if data["key"] not in done or state["state"] != "completed":
                yield f"{row['project']} is called resolved by {data['key']}, never completed"
        if over and any(_was_down(down, row["project"], clock.read(row["at"])) for down in downs):
            yield f"{row['project']} was down at {row['at']}, when {row['name']} was told"


def _was_down(down: Down, project: str, at: datetime) -> bool:
    over = down.until is not None and down.until <= at
    return down.project == project and down.since + RACE < at and not over


def broken(db: sqlite3.Connection, read: Sequence[Json]) -> Iterator[str]:
    """Name a break in the audit, in the numbers of events, in the file, or in what readers saw."""
    first = chain.first_broken(trail.stream(db))
    if first is not None:
        yield f"the audit is broken at {first}"
    kept = history.events(db, after=0, limit=1_000_000)
    ids = [each["id"] for each in kept]
    if ids != list(range(1, len(ids) + 1)):
        yield f"events have a gap: {ids}"
    if list(read) != kept:
        yield f"a reader saw {len(read)} events, not the {len(kept)} that are there"
    [[whole]] = db.execute("PRAGMA integrity_check").fetchall()
    if whole != "ok":
        yield f"the file is damaged: {whole}"
