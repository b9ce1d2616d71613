"""A world for the steps of a repair: it answers as it is told to, and remembers what it got."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from orchestrator.answer import Reason
from orchestrator.config import Config
from orchestrator.health import Probe
from orchestrator.health import State as Health
from orchestrator.project import Project
from tests.webhook import make
from tests.webhook.make import NOW, SECOND
from webhook.action import Action
from webhook.analyzer.analysis import Analysis
from webhook.analyzer.confidence import Record
from webhook.approval import Approval
from webhook.case import Case
from webhook.change import Change
from webhook.diagnosis import Gathered
from webhook.executor import Done, Outcome
from webhook.guard import Surroundings
from webhook.incident import Episode, Incident
from webhook.matter import Effects, Precedent
from webhook.repair import step
from webhook.verification import Standing

UP = Probe(state=Health.HEALTHY, reason=None, seconds=0.01)
DOWN = Probe(state=Health.DOWN, reason=Reason.REFUSED, seconds=0.01)
FIRING, CLEAR = make.standing(), make.standing(firing=False, holds=False)
OVER = make.episode(ended_at=NOW + 6 * SECOND)


NEW = Precedent(record=Record(), calibrated=1.0, lately=(0, 0))  # nothing came before


@dataclass(slots=True)
class World:
    """A world that answers as it is told to, and remembers what was sent to it."""

    probe: Probe = DOWN
    standing: Standing | None = FIRING
    outcome: Outcome = field(default_factory=lambda: Done("restarted"))
    after: timedelta = timedelta(0)
    deployed: timedelta | None = None
    fresh: bool | None = True
    around: Surroundings = field(default_factory=Surroundings)
    precedent: Precedent = NEW
    sent: list[str] = field(default_factory=list)
    within: list[timedelta] = field(default_factory=list)  # how far "at once" was asked to reach

    def effects(self) -> Effects:
        """Return what a step works with."""

        async def probe(_: Project) -> Probe:
            return self.probe

        async def standing(_alertname: str, _project: str) -> Standing | None:
            return self.standing

        async def execute(_: Project, action: Action) -> Outcome:
            self.sent.append(action.key)
            return self.outcome

        async def deployed_ago(_: str) -> timedelta | None:
            return self.deployed

        async def read_within(_: str, __: timedelta) -> bool | None:
            return self.fresh

        async def around(_: Project, __: Episode, within: timedelta) -> Surroundings:
            self.within.append(within)
            return self.around

        async def precedent(_: Analysis, __: datetime) -> Precedent:
            return self.precedent

        return Effects(
            now=lambda: NOW + self.after,
            new_key=lambda: "key-1",
            probe=probe,
            standing=standing,
            deployed_ago=deployed_ago,
            read_within=read_within,
            around=around,
            execute=execute,
            gather=_silent,
            precedent=precedent,
        )


async def _silent(_: Project) -> Gathered:
    return Gathered(why_none="it offers none")


def case(
    incident: Incident | None = None,
    *,
    episodes: Sequence[Episode] = (),
    action: Action | None = None,
    attempts: Sequence[Action] = (),
    approval: Approval | None = None,
    analyses: Sequence[Analysis] = (),
    interrupted: bool = False,
) -> Case:
    """Make a case of email-blast, which is down."""
    return Case(
        incident=incident or make.incident(),
        episodes=tuple(episodes or [make.episode()]),
        action=action,
        attempts=tuple(attempts),
        approval=approval,
        analyses=tuple(analyses),
        interrupted=interrupted,
    )


async def stepped(of: Case, world: World, config: Config | None = None) -> Change:
    """Take a step in *world*."""
    return await step(of, config or make.config(), world.effects())


def told(change: Change) -> list[str]:
    """Return the names of the events."""
    return [event.name for event in change.events]
