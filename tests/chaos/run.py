"""One run: a story is played, the webhook is killed in it, and what is left is judged."""

import asyncio
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timedelta

from orchestrator import clock, duration
from tests.chaos import judge
from tests.chaos.cast import Cast
from tests.chaos.courier import told
from tests.chaos.judge import Down
from tests.chaos.service import DEAF
from tests.chaos.site import Execution
from tests.chaos.story import Fall, Moment
from tests.waiting import until

LOOK_AGAIN = timedelta(seconds=2)  # from one look at an incident that is held to the next
QUIET_WITHIN = 90.0  # seconds; more than one round of reconciling, on a busy machine
TICK = 0.3


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What came of a run."""

    complaints: list[str]
    deaths: list[Moment]
    states: Counter[str]  # of incidents
    commands: int
    alerts: int  # that were answered with 200
    lines: Counter[str]  # of the audit

    def __str__(self) -> str:
        """Return one line."""
        deaths = "+".join(self.deaths)
        return f"{deaths} {dict(self.states)} {self.commands} commands {self.alerts} alerts"


async def play(cast: Cast) -> Report:
    """Play the story, wait until all is quiet, and judge."""
    before = {each.key for each in await cast.site.executions(cast.http)}
    downs: list[Down] = []
    async with asyncio.TaskGroup() as going:
        going.create_task(cast.prey.hunt())
        for courier in cast.couriers:
            going.create_task(courier.carry())
        for fall in cast.story.falls:
            going.create_task(_fall(cast, fall, downs))
        going.create_task(_kill_peer(cast))
    complaints = await _quiet(cast)
    executions = await cast.site.executions(cast.http)
    new = [each for each in executions if each.key not in before]
    return _judged(cast, new, downs, complaints)


async def _fall(cast: Cast, fall: Fall, downs: list[Down]) -> None:
    """Let a project fall, its alert end for no reason, and people mend it, as the story has it."""
    name, began = cast.names[fall.project], asyncio.get_running_loop().time()

    async def time(at: float) -> None:
        await asyncio.sleep(began + at - asyncio.get_running_loop().time())

    await time(fall.at)
    cast.oracle.many[name] = fall.alerts
    await cast.site.fall(cast.http, cast.projects[name], wrong=fall.wrong)
    since = clock.now()
    mended: datetime | None = None

    async def lie() -> None:
        if fall.lie is not None:
            await time(fall.lie)
            await cast.oracle.lie(name)

    async def mend() -> None:
        nonlocal mended
        if fall.mended is not None:
            await time(fall.mended)
            mended = clock.now()
            await cast.site.mend(cast.http, cast.projects[name])

    await asyncio.gather(lie(), mend())
    downs.append(Down(project=name, since=since, until=mended, deaf=fall.wrong == DEAF))


async def _kill_peer(cast: Cast) -> None:
    """Kill Alertmanager; it forgets what it was told, and is told again."""
    if cast.story.peer_killed is not None:
        await asyncio.sleep(cast.story.peer_killed)
        cast.site.peer.kill()
        cast.site.peer.start()


async def _quiet(cast: Cast) -> list[str]:
    """Wait until nothing goes on any more; return what still does when it takes too long."""
    lacking = ["the webhook is not up"]
    last = -1
    settled: datetime | None = None

    async def quiet() -> bool:
        nonlocal last, settled
        if not await cast.oracle.settled():
            lacking[:], settled = ["alerts do not follow their projects"], None
            return False
        settled = settled or clock.now()
        [row] = cast.prey.rows("SELECT count(*) AS n FROM audit")
        lacking[:] = _lacking(cast, settled)
        same, last = row["n"] == last, row["n"]
        await asyncio.sleep(TICK)  # between two looks, of which none may find news
        return same and not lacking

    try:
        await cast.prey.up()
        await until(quiet, within=QUIET_WITHIN, what="quiet")
        await cast.reader.catch_up()
    except AssertionError as error:
        return [str(error), *lacking]
    return []


def _lacking(cast: Cast, settled: datetime) -> list[str]:
    with closing(cast.prey.read()) as db:
        firing = [alert for alerts in cast.oracle.firing.values() for alert in alerts]
        found = list(judge.missing(db, (alert.labels for alert in firing)))
        found += judge.unsettled(db)
        soonest = clock.written(settled + LOOK_AGAIN)  # of what was looked at since then
        for row in db.execute("SELECT * FROM incidents WHERE state = 'open'"):
            waits = row["held_by"] in ("cooldown", "concurrency")
            if waits or row["due_at"] < soonest:
                found.append(f"incident {row['id']} is {row['state']}, held: {row['held']}")
    return found


def _judged(
    cast: Cast, executions: list[Execution], downs: list[Down], complaints: list[str]
) -> Report:
    with closing(cast.prey.read()) as db:
        found = [*complaints, *cast.gateway.complaints]
        answered = [each for message in cast.doorway.stored for each in told(message)]
        answered += [each for courier in cast.couriers for each in courier.told]
        found += judge.lost(db, answered)
        last = (each for courier in cast.couriers for each in courier.last.values())
        found += judge.unheard(db, last)
        found += judge.repeated(db, executions, cast.gateway.sent)
        guards = cast.story.guards
        found += judge.excessive(
            db,
            attempts=int(guards["attempts"]),
            cooldown=duration.parse(str(guards["cooldown"])),
        )
        found += judge.unlawful(db)
        found += judge.premature(db)
        found += judge.unproven(db, executions, list(_healed(cast, executions, downs)))
        found += judge.broken(db, cast.reader.events)
        if "Traceback" in cast.prey.said:
            found.append(f"it has logged an error: {cast.prey.said}")
        states = Counter(row["state"] for row in db.execute("SELECT state FROM incidents"))
        lines = Counter(row["what"] for row in db.execute("SELECT what FROM audit"))
    return Report(
        complaints=[f"seed {cast.story.seed}: {each}" for each in found],
        deaths=cast.prey.deaths,
        states=states,
        commands=len(executions),
        alerts=len(answered),
        lines=lines,
    )


def _healed(cast: Cast, executions: list[Execution], downs: list[Down]) -> Iterator[Down]:
    """End each time of being down where a restart has helped, if people were not quicker."""
    for each in downs:
        if each.deaf:
            yield each
            continue
        ends = [
            one.at
            for one in executions
            if one.service == cast.projects[each.project] and one.at >= each.since
        ]
        ends += [each.until] if each.until else []
        yield Down(project=each.project, since=each.since, until=min(ends, default=None))
