"""The scenery of a simulation: what a step asks of the world, and what it is answered."""

from datetime import timedelta

from orchestrator.clock import Clock
from orchestrator.config import Config
from orchestrator.health import Probe
from orchestrator.health import State as Health
from orchestrator.project import Project
from webhook import hindsight
from webhook.action import Action
from webhook.catalogue import remedy
from webhook.diagnosis import Gathered
from webhook.executor import Done, Outcome
from webhook.hindsight import Hindsight
from webhook.remedy import Goal
from webhook.verification import Standing

_BECOMES = {Goal.PAUSED: Health.PAUSED, Goal.STOPPED: Health.DOWN}


class Scenery:
    """The recorded world. What is done to it pauses, stops or starts a project, and heals none."""

    def __init__(self, known: Hindsight, config: Config, now: Clock) -> None:
        self._known, self._config, self._now = known, config, now
        self._ours: dict[str, Health] = {}  # the projects that are paused or stopped by us

    async def probe(self, project: Project) -> Probe:
        """Return what a probe sees."""
        seen = self._known.probe(project.name, at=self._now())
        ours = self._ours.get(project.name)
        return hindsight.seen(ours) if seen.up and ours else seen

    async def standing(self, alertname: str, project: str) -> Standing | None:
        """Return what Prometheus says."""
        return self._known.standing(project, alertname, at=self._now())

    async def deployed_ago(self, project: str) -> timedelta | None:
        """Return how long ago it was deployed, as far as that shows."""
        return self._known.deployed_ago(project, at=self._now())

    async def read_within(self, _: str, __: timedelta) -> bool | None:
        """Tell that figures are fresh: nobody knows better any more."""
        return True

    async def execute(self, project: Project, action: Action) -> Outcome:
        """Carry it out."""
        goal = remedy(action.name, self._config.commands).goal
        if goal in _BECOMES:
            self._ours[project.name] = _BECOMES[goal]
        else:
            self._ours.pop(project.name, None)
        return Done("in the replay")

    async def gather(self, _: Project) -> Gathered:
        """Return no log: none was recorded."""
        return Gathered(why_none="it is not recorded")
