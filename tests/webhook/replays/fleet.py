"""A day of a small fleet: faults come, the webhook's own code repairs them, and all is stored.

Nothing of the replay takes part. Time goes on from one thing to the next; every step of the webhook
takes a while, as it does in life.
"""

import random
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from heapq import heappop, heappush
from itertools import count

from orchestrator import clock
from orchestrator.answer import Reason
from orchestrator.config import Config
from orchestrator.health import Probe
from orchestrator.health import State as Health
from orchestrator.project import Project
from tests.webhook import make
from tests.webhook.make import SECOND
from webhook import repair
from webhook.action import Action
from webhook.alert import parse
from webhook.approval import Decision
from webhook.diagnosis import Gathered
from webhook.executor import Done, Outcome
from webhook.guard import Surroundings
from webhook.incident import DOWN, Episode
from webhook.matter import Effects, unprecedented
from webhook.restraint import Kind
from webhook.store import approvals, history, restraints, surroundings, work
from webhook.store.database import atomic
from webhook.store.intake import receive
from webhook.verification import Standing

SETTLE = {DOWN: 2 * SECOND}  # of the rules; the others need a while longer
LATER = 20 * SECOND
REPEATED = timedelta(minutes=5)
NOTICED = 7 * SECOND  # after a fault
FORGOTTEN = 2 * SECOND  # after its end
UNDERWAY = SECOND  # from Prometheus to us
NEVER = datetime.max.replace(tzinfo=UTC)


@dataclass(slots=True)
class Service:
    """A project: what is wrong with it, and which attempt in a row helps; 0: none does."""

    wrong: str | None = None  # the alert
    helps: int = 1
    tried: int = 0
    paused: bool = False
    firing: str | None = None  # as Prometheus has it
    since: datetime | None = None


@dataclass(slots=True)
class Fleet:
    """What one day has. Its webhook is the store *db* and the real steps."""

    db: sqlite3.Connection
    config: Config
    now: datetime
    chance: random.Random = field(default_factory=lambda: random.Random(6))  # noqa: S311  a game
    services: dict[str, Service] = field(default_factory=dict)
    later: list[tuple[datetime, int, Callable[[], None]]] = field(default_factory=list)
    number: Iterator[int] = field(default_factory=count)
    epoch: int = 0

    def __post_init__(self) -> None:
        self.services = {name: Service() for name in self.config.projects}
        with self.commit() as db:
            self.epoch = work.boot(db, at=self.now)

    @contextmanager
    def commit(self) -> Iterator[sqlite3.Connection]:
        """Store what the block does."""
        with atomic(self.db) as db:
            yield db

    def after(self, length: timedelta, what: Callable[[], None]) -> None:
        """Let it happen."""
        heappush(self.later, (self.now + length, next(self.number), what))

    def breaks(self, project: str, alertname: str = DOWN, *, helps: int = 1) -> None:
        """Let a project become unwell."""
        service = self.services[project]
        service.wrong, service.helps, service.tried = alertname, helps, 0
        self.after(NOTICED, lambda: self._fires(project))

    def heals(self, project: str) -> None:
        """Let it become well."""
        self.services[project].wrong = None
        self.after(FORGOTTEN, lambda: self._ends(project))

    def hold(self, project: str, length: timedelta) -> None:
        """Let a person hold it."""
        with self.commit() as db:
            restraints.add(
                db,
                Kind.HOLD,
                project,
                reason="let it be",
                by="ann",
                starts_at=None,
                ends_at=self.now + length,
                at=self.now,
            )

    def answer(self, decision: Decision) -> None:
        """Let a person answer what is asked."""
        (row,) = self.db.execute("SELECT id FROM approvals WHERE decision IS NULL").fetchall()
        with self.commit() as db:
            approvals.decide(db, row["id"], decision, by="ann", why="seen", at=self.now)

    async def pass_by(self, until: datetime) -> None:
        """Let time go on."""
        while (at := self._next()) <= until:
            self.now = max(self.now, at)
            if self.later and self.later[0][0] <= self.now:
                heappop(self.later)[2]()
            else:
                await self._step()
        self.now = until
        with self.commit() as db:
            history.keep(db, {}, at=until)

    def _next(self) -> datetime:
        due = self.db.execute("SELECT min(due_at) FROM incidents WHERE due_at IS NOT NULL")
        steps = [clock.read(each) + self._while() for (each,) in due if each is not None]
        return min([*steps, *(at for at, *_ in self.later[:1])], default=NEVER)

    def _while(self) -> timedelta:
        return timedelta(milliseconds=self.chance.randint(5, 80))

    def _fires(self, project: str) -> None:
        service = self.services[project]
        if service.wrong is not None and service.firing is None:
            service.firing, service.since = service.wrong, self.now
            self.after(UNDERWAY, lambda: self._told(project, service.since))

    def _ends(self, project: str) -> None:
        service = self.services[project]
        if service.firing is None or service.wrong is not None:
            return
        alertname, since, ended = service.firing, service.since, self.now
        service.firing = service.since = None
        self.after(UNDERWAY, lambda: self._send(project, alertname, started=since, ended=ended))

    def _told(self, project: str, since: datetime | None) -> None:
        service = self.services[project]
        if service.firing is not None and service.since == since:
            self._send(project, service.firing, started=since, ended=None)
            self.after(REPEATED, lambda: self._told(project, since))

    def _send(
        self, project: str, alertname: str, *, started: datetime | None, ended: datetime | None
    ) -> None:
        told = make.alert(
            started=started or self.now,
            ended=ended,
            fingerprint=f"{alertname}-{project}",
            alertname=alertname,
            project=project,
        )
        told["annotations"]["settle"] = "2s" if alertname == DOWN else "20s"
        body = make.body(told)
        with self.commit() as db:
            receive(db, parse(body), body, at=self.now)

    async def _step(self) -> None:
        with self.commit() as db:
            case = work.claim(db, epoch=self.epoch, at=self.now)
        if case is None:
            return
        change = await repair.step(case, self.config, self._effects())
        with self.commit() as db:
            work.apply(db, change, epoch=self.epoch, at=self.now)

    def _seen(self, project: Project) -> Probe:
        service = self.services[project.name]
        state = Health.PAUSED if service.paused else Health.HEALTHY
        state = Health.DOWN if service.wrong == DOWN else state
        reason = Reason.REFUSED if state is Health.DOWN else None
        return Probe(state=state, reason=reason, seconds=0.01)

    def _do(self, project: Project, action: Action) -> Outcome:
        service = self.services[project.name]
        service.paused = action.name == "pause_service"
        service.tried += 1
        if service.wrong is not None and service.tried == service.helps:
            self.after(self._while(), lambda: self.heals(project.name))
        return Done("done")

    def _effects(self) -> Effects:
        async def probe(project: Project) -> Probe:
            return self._seen(project)

        async def standing(alertname: str, project: str) -> Standing | None:
            firing = self.services[project].firing == alertname
            return Standing(firing=firing, holds=firing, settle=SETTLE.get(alertname, LATER))

        async def deployed_ago(_: str) -> timedelta | None:
            return timedelta(hours=2)

        async def read_within(_: str, __: timedelta) -> bool | None:
            return True

        async def around(project: Project, episode: Episode, within: timedelta) -> Surroundings:
            return surroundings.around(
                self.db,
                project,
                episode,
                within=within,
                fleet=self.config.projects.keys(),
                parents=self.config.ancestors(project.name),
            )

        async def execute(project: Project, action: Action) -> Outcome:
            return self._do(project, action)

        async def gather(_: Project) -> Gathered:
            return Gathered(why_none="it offers none")

        return Effects(
            now=lambda: self.now,
            new_key=lambda: f"then-{next(self.number)}",
            probe=probe,
            standing=standing,
            deployed_ago=deployed_ago,
            read_within=read_within,
            around=around,
            execute=execute,
            gather=gather,
            precedent=unprecedented,
        )
