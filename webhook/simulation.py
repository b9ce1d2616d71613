"""A simulation: recorded notifications meet a configuration, on a clock that does not wait.

Store, intake, queue, guards and steps are the real ones. The world is the recorded one: an alert
holds exactly while it held then, every command is carried out at once, and no outage ends sooner or
later for it.
"""

from collections import Counter
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import count

from orchestrator import clock
from orchestrator.config import Config
from orchestrator.errors import OrchestratorError
from orchestrator.project import Project
from webhook import hindsight, repair
from webhook.case import Case
from webhook.change import Change
from webhook.guard import Surroundings
from webhook.hindsight import Hindsight
from webhook.incident import Episode
from webhook.matter import Effects, unprecedented
from webhook.recording import Decided, Heard, Lifted, Recording, Restrained, Silenced, Told, What
from webhook.replay import Hold, Result
from webhook.scenery import Scenery
from webhook.store import (
    approvals,
    intake,
    played,
    reconciliation,
    recorded,
    restraints,
    surroundings,
    work,
)
from webhook.store.database import atomic, connect

STEPS = 100  # of one incident at one instant; more is a step that begins itself again
FOLLOWS = timedelta(seconds=60)  # a person's answer may come before the question of the replay
GOES_ON = timedelta(minutes=10)  # when nothing is to be compared, until all attempts are over

Tell = Callable[[int], None]  # how many more lines were played


class Endless(OrchestratorError):
    """An incident is stepped on again and again without the time going on; a bug."""

    def __init__(self, incident: int, at: datetime) -> None:
        super().__init__(
            f"at {clock.written(at)}, a step of incident {incident} begins itself again without end"
        )


class Simulation:
    """One run. Its store is in memory, and gone with it."""

    def __init__(self, config: Config, recording: Recording, *, beyond: timedelta) -> None:
        """Play *recording* by *config*, and for so long *beyond* its end as deeds may be late."""
        # What the analyzer would have said, nobody knows: its evidence is gone with the day.
        silent = replace(config.analyzer, mode="off")
        self._config, self._recording = replace(config, analyzer=silent), recording
        self._end = recording.end + (beyond if recording.compares else GOES_ON)
        self._db = connect(":memory:")
        self._now = recording.heard[0].at if recording.heard else recording.begin
        self._epoch = work.boot(self._db, at=self._now)
        self._scenery = Scenery(_known(recording), config, lambda: self._now)
        self._effects = self._made()
        self._restraints: dict[int, int] = {}  # by the number that was recorded
        self._decided: list[Decided] = []  # that no question was there for yet
        self._holds: list[Hold] = []

    async def run(self, tell: Tell = lambda _: None) -> Result:
        """Play all of it; raise Endless."""
        lines = iter([each for each in self._recording.heard if each.at <= self._end])
        line = next(lines, None)
        with closing(self._db):
            while (instant := self._next(line)) is not None:
                self._now, heard = max(self._now, instant), 0
                with atomic(self._db):
                    while line is not None and line.at <= self._now:
                        self._hear(line)
                        line, heard = next(lines, None), heard + 1
                    await self._work_off()
                tell(heard)
            return Result(
                stories=played.stories(self._db),
                deeds=tuple(recorded.deeds(self._db)),
                holds=tuple(self._holds),
            )

    def _next(self, line: Heard | None) -> datetime | None:
        """Return when something happens next; None: nothing does, until the end."""
        told = None if line is None else line.at
        some = [each for each in (told, played.due(self._db)) if each is not None]
        instant = min(some, default=None)
        return instant if instant is not None and instant <= self._end else None

    async def _work_off(self) -> None:
        """Take every step that is due at this instant, and those that follow at once."""
        steps = Counter[int]()
        while self._decide() or self._is_due():
            case = work.claim(self._db, epoch=self._epoch, at=self._now)
            number = 0 if case is None else case.incident.id
            steps[number] += 1
            if steps[number] > STEPS:
                raise Endless(number, self._now)
            if case is not None:
                await self._step(case)

    def _is_due(self) -> bool:
        due = played.due(self._db)
        return due is not None and due <= self._now

    async def _step(self, case: Case) -> None:
        change = await repair.step(case, self._config, self._effects)
        self._db.execute("SAVEPOINT step")
        try:
            work.apply(self._db, change, epoch=self._epoch, at=self._now)
        except work.Overtaken:
            self._db.execute("ROLLBACK TO step")
            work.release(self._db, case.incident, epoch=self._epoch, due=self._now)
        else:
            self._note(change)
        self._db.execute("RELEASE step")

    def _note(self, change: Change) -> None:
        if any(each.name == "ActionWithheld" for each in change.events):
            after = change.after
            self._holds.append(
                Hold(
                    at=self._now,
                    project=after.project,
                    guard=after.held_by or "",
                    reason=after.held or change.reason,
                )
            )

    def _hear(self, line: Heard) -> None:
        match line:
            case Told():
                intake.receive(self._db, line.notification(), b"", at=self._now)
            case Restrained():
                self._restrain(line)
            case Lifted():
                number = self._restraints.get(line.number)
                if number is not None:
                    restraints.lift(self._db, number, by=line.by, at=self._now)
            case Decided():
                self._decided.append(line)
            case Silenced():
                self._silence(line)

    def _restrain(self, line: Restrained) -> None:
        self._restraints[line.number] = restraints.add(
            self._db,
            line.restraint,
            line.project,
            reason=line.reason,
            by=line.by,
            starts_at=line.starts_at,
            ends_at=line.ends_at,
            at=self._now,
        )

    def _silence(self, line: Silenced) -> None:
        for each in reconciliation.known(self._db):
            if each.fingerprint == line.fingerprint:
                said = (
                    reconciliation.Unsilenced(episode=each)
                    if line.text is None
                    else reconciliation.Silenced(episode=each, text=line.text)
                )
                reconciliation.take(self._db, [said], at=self._now)

    def _decide(self) -> bool:
        """Answer what is asked now as people did then; what was not asked soon is dropped."""
        left, answered = [], False
        for each in self._decided:
            number = played.question(self._db, each, at=self._now)
            if number is not None:
                said = {"by": each.by, "why": each.reason}
                approvals.decide(self._db, number, each.decision, **said, at=self._now)
                answered = True
            elif self._now <= each.at + FOLLOWS:
                left.append(each)
        self._decided = left
        return answered

    def _made(self) -> Effects:
        keys, scenery = count(1), self._scenery

        async def around(project: Project, episode: Episode, within: timedelta) -> Surroundings:
            return surroundings.around(
                self._db,
                project,
                episode,
                within=within,
                fleet=self._config.projects.keys(),
                parents=self._config.ancestors(project.name),
            )

        return Effects(
            now=lambda: self._now,
            new_key=lambda: f"replayed-{next(keys)}",
            probe=scenery.probe,
            standing=scenery.standing,
            deployed_ago=scenery.deployed_ago,
            read_within=scenery.read_within,
            around=around,
            execute=scenery.execute,
            gather=scenery.gather,
            precedent=unprecedented,
        )


def _known(recording: Recording) -> Hindsight:
    db = connect(":memory:")
    try:
        with atomic(db):
            told = (each for each in recording.heard if isinstance(each, Told))
            held = list(played.held(db, told))
    finally:
        db.close()
    acts = (each for each in recording.done if each.what is What.ACT)
    back = ((each.project, each.at) for each in acts if each.action == "rollback_deployment")
    return hindsight.of(held, back)
