"""A matter: a case in the hands of a step, with its project, the configuration and the world."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from orchestrator import duration
from orchestrator.clock import Clock
from orchestrator.config import Config
from orchestrator.health import Probe
from orchestrator.project import Project
from webhook import action as law
from webhook import briefing, errand, outcome, policy, verification
from webhook.action import Action
from webhook.analyzer.analysis import Analysis
from webhook.analyzer.confidence import BLANK, Record
from webhook.approval import binding
from webhook.briefing import Briefing
from webhook.case import Case
from webhook.catalogue import CATALOGUE, remedy
from webhook.change import Change
from webhook.diagnosis import Gathered
from webhook.executor import Outcome
from webhook.guard import Block, Scene, Surroundings
from webhook.incident import Episode
from webhook.policy import Escalate, Step
from webhook.remedies.command import PREFIX
from webhook.remedy import Look
from webhook.verification import Standing


@dataclass(frozen=True, slots=True, kw_only=True)
class Precedent:
    """What came before of what an answer proposes."""

    record: Record
    calibrated: float  # how often answers so sure were right
    lately: tuple[int, int]  # done by itself within an hour: this to this project, and all
    rejected: str | None = None  # that a person said no to it lately


async def unprecedented(heard: Analysis, _: datetime) -> Precedent:
    """Return the precedent of an answer where nothing came before."""
    raw = heard.answer.confidence if heard.answer else 0.0
    return Precedent(record=BLANK, calibrated=raw, lately=(0, 0))


@dataclass(frozen=True, slots=True, kw_only=True)
class Effects:
    """Everything that a step needs from the world, as functions."""

    now: Clock
    new_key: Callable[[], str]
    probe: Callable[[Project], Awaitable[Probe]]  # confirmed: a single lost packet is not down
    standing: Callable[[str, str], Awaitable[Standing | None]]  # alert name, project
    deployed_ago: Callable[[str], Awaitable[timedelta | None]]  # of a project
    read_within: Callable[[str, timedelta], Awaitable[bool | None]]  # whether figures of it were
    around: Callable[[Project, Episode, timedelta], Awaitable[Surroundings]]  # how far "at once" is
    execute: Callable[[Project, Action], Awaitable[Outcome]]
    gather: Callable[[Project], Awaitable[Gathered]]
    precedent: Callable[[Analysis, datetime], Awaitable[Precedent]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What a look just before an action found."""

    look: Look
    why_not: str | None  # what speaks against touching the project, for people
    contradicted: bool  # whether it is the alert that is not so


# Of what has failed, what there was to see is seen; of what is under way, nobody asks yet.
_DID_SOMETHING = frozenset({law.State.COMPLETED, law.State.UNKNOWN})


@dataclass(frozen=True, slots=True, kw_only=True)
class Matter:
    """What a step works with."""

    case: Case
    project: Project
    config: Config
    effects: Effects

    @property
    def own(self) -> tuple[Action, ...]:
        """The attempts since the incident was opened; of those before, others know the end."""
        incident = self.case.incident
        return tuple(
            each
            for each in self.case.attempts
            if (each.incident, each.opened_at) == (incident.id, incident.opened_at)
        )

    @property
    def action(self) -> Action:
        """The action under way, or waiting for people; to be asked for only where there is one."""
        assert self.case.action is not None  # noqa: S101  repair.step sees to it
        return self.case.action

    def shadowed(self, alertname: str) -> tuple[str, ...]:
        """Return the steps against an alert that were recorded instead of taken."""
        return tuple(each.name for each in self.case.shadowed if each.alertname == alertname)

    def knows(self, name: str) -> bool:
        """Tell whether *name* still stands for something: a command may have been taken out."""
        return name in CATALOGUE or name.removeprefix(PREFIX) in self.config.commands

    def step(self, name: str) -> Step:
        """Return a step of a playbook with the guards that hold for it here."""
        guards = self.config.guards.of(self.project.name, name)
        return Step(remedy=remedy(name, self.config.commands), guards=guards)

    def playbook(self, alertname: str) -> list[Step]:
        """Return the steps for an alert, in their order."""
        return [self.step(name) for name in self.config.playbooks.get(alertname, ())]

    async def scene(self, episode: Episode, step: Step | None) -> Scene:
        """Return all that a decision on *episode* needs, as it is now."""
        guards = step.guards if step else self.config.guards.of(self.project.name, "")
        return Scene(
            incident=self.case.incident,
            project=self.project,
            action=step.remedy.name if step else "",
            episode=episode,
            attempts=self.case.attempts,
            guards=guards,
            around=await self.effects.around(self.project, episode, guards.fleet_within),
            now=self.effects.now(),
            shadowed=self.shadowed(episode.alertname),
        )

    async def look(self, episode: Episode) -> Seen:
        """Look at the project and at Prometheus before anything is done for *episode*."""
        name, alertname, effects = self.project.name, episode.alertname, self.effects
        probe = await effects.probe(self.project)
        standing = await effects.standing(alertname, name)
        why_not = verification.objection(name, alertname, probe, standing)
        if why_not is None and standing is not None:
            why_not = self._unsettled(alertname, standing)
        deployed = None if standing is None or why_not else await effects.deployed_ago(name)
        return Seen(
            look=Look(probe=probe, deployed_ago=deployed),
            why_not=why_not,
            contradicted=verification.contradicts(alertname, probe, standing),
        )

    def objected(self, seen: Seen) -> Change:
        """Do nothing, for what was *seen* speaks against it."""
        now, why = self.effects.now(), seen.why_not or "nothing speaks against it"
        return outcome.objected(self.case, why, now, contradicted=seen.contradicted)

    def _unsettled(self, alertname: str, standing: Standing) -> str | None:
        """Say that an alert cannot know yet what was last done to its project."""
        done = [each for each in self.case.attempts if each.state in _DID_SOMETHING]
        last = done[-1] if done else None
        now = self.effects.now()
        if last is None or last.executed_at is None:
            return None
        if not now - standing.settle < last.executed_at <= now:  # later: the clock was set back
            return None
        return f"{alertname} needs {duration.text(standing.settle)} to see what {last.name} did"

    def bound(self, step: Step, episode: Episode) -> str:
        """Return what a question about *step* is bound to, as everything is now."""
        return binding(self.config, self.project, step.remedy.name, episode)

    def pending(self, step: Step, alertname: str, now: datetime) -> Action:
        """Return a new attempt at *step*."""
        return Action(
            key=self.effects.new_key(),
            incident=self.case.incident.id,
            project=self.project.name,
            name=step.remedy.name,
            alertname=alertname,
            attempt=policy.attempt(step, self.case.attempts, now=now),
            state=law.State.PENDING,
            created_at=now,
            opened_at=self.case.incident.opened_at,
        )

    def begin(self, step: Step, alertname: str, *, detail: str) -> Change:
        """Commit the intent of *step*, or of the action that people have allowed."""
        now = self.effects.now()
        action = self.case.action or self.pending(step, alertname, now)
        return outcome.begun(self.case, action, now, at_most=step.guards.concurrency, detail=detail)

    async def settle(self, decision: Block | Escalate) -> Change:
        """Do what a decision against acting asks for."""
        if isinstance(decision, Escalate):
            return await self.escalate(decision.reason)
        return outcome.blocked(self.case, decision, self.effects.now(), self._page(decision))

    def _page(self, block: Block) -> Briefing | None:
        """Return what people are told when so much fell that nothing is touched."""
        if not block.fell or self.case.incident.held_by == block.guard:
            return None  # they were told when it began to be held
        return briefing.fleet(block.fell, len(self.config.projects), url=self.config.url)

    async def escalate(self, reason: str, *, leaves: law.State = law.State.UNKNOWN) -> Change:
        """Ask people, with all that is known; not where a person asked for it, and no alert is."""
        if not self.case.episodes and self.case.action is not None:
            now = self.effects.now()
            return errand.in_vain(self.case, self.action, reason, now, leaves=leaves)
        gathered = await self.effects.gather(self.project)
        page = briefing.escalation(self.case, self.project, reason, gathered, url=self.config.url)
        return outcome.escalated(self.case, reason, self.effects.now(), page, leaves=leaves)


def open_episodes(episodes: Sequence[Episode], alertname: str) -> bool:
    """Tell whether an episode of *alertname* goes on."""
    return any(each.open and each.alertname == alertname for each in episodes)
