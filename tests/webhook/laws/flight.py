"""A flight: a step between its claim and its landing, which may stop at every look outside."""

from collections.abc import Callable, Coroutine, Generator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from types import coroutine

from orchestrator.config import Config
from orchestrator.health import Probe
from orchestrator.project import Project
from webhook import repair
from webhook.action import Action
from webhook.case import Case
from webhook.change import Change
from webhook.diagnosis import Gathered
from webhook.executor import Outcome
from webhook.guard import Surroundings
from webhook.incident import Episode
from webhook.matter import Effects, unprecedented
from webhook.verification import Standing


@dataclass(frozen=True, slots=True, kw_only=True)
class Outside:
    """What a step meets outside of itself, at once; the flight decides when it gets there."""

    now: Callable[[], datetime]
    new_key: Callable[[], str]
    probe: Callable[[Project], Probe]
    standing: Callable[[str, str], Standing | None]
    read_within: Callable[[str], bool | None]
    around: Callable[[Project, Episode, timedelta], Surroundings]
    execute: Callable[[Project, Action, "Flight"], Outcome]


@dataclass(slots=True, eq=False)
class Flight:
    """A step under way, and what it has seen; `change` is there when only landing is left."""

    case: Case
    epoch: int
    config: Config
    began: timedelta  # by the clock that nobody sets
    probes: list[Probe] = field(default_factory=list)
    standings: list[Standing | None] = field(default_factory=list)
    around: list[Surroundings] = field(default_factory=list)
    change: Change | None = None
    _path: Coroutine[None, None, Change] | None = None

    def take_off(self, outside: Outside) -> None:
        """Begin the step, up to its first look outside."""
        self._path = repair.step(self.case, self.config, self._effects(outside))
        self.go_on()

    def go_on(self) -> None:
        """Take one look outside, and stop before the next."""
        assert self._path is not None
        try:
            self._path.send(None)
        except StopIteration as end:
            self.change = end.value

    def arrive(self) -> Change:
        """Go on until nothing but landing is left."""
        while self.change is None:
            self.go_on()
        return self.change

    def crash(self) -> None:
        """End where it is."""
        if self._path is not None:
            self._path.close()

    def _effects(self, outside: Outside) -> Effects:
        async def probe(project: Project) -> Probe:
            await _pause()
            self.probes.append(outside.probe(project))
            return self.probes[-1]

        async def standing(alertname: str, project: str) -> Standing | None:
            await _pause()
            self.standings.append(outside.standing(alertname, project))
            return self.standings[-1]

        async def around(project: Project, episode: Episode, within: timedelta) -> Surroundings:
            await _pause()
            self.around.append(outside.around(project, episode, within))
            return self.around[-1]

        async def execute(project: Project, action: Action) -> Outcome:
            outcome = outside.execute(project, action, self)
            await _pause()  # here a crash has done it, and knows of no answer
            return outcome

        async def deployed_ago(_: str) -> timedelta | None:
            return None

        async def read_within(project: str, _: timedelta) -> bool | None:
            await _pause()
            return outside.read_within(project)

        async def gather(_: Project) -> Gathered:
            return Gathered(why_none="it offers none")

        return Effects(
            now=outside.now,
            new_key=outside.new_key,
            probe=probe,
            standing=standing,
            deployed_ago=deployed_ago,
            read_within=read_within,
            around=around,
            execute=execute,
            gather=gather,
            precedent=unprecedented,
        )


@coroutine
def _pause() -> Generator[None, None, None]:
    yield
