"""A fleet as it really is: projects that fall and heal, and controls that remember their keys."""

from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum

from orchestrator.answer import Reason
from orchestrator.health import Probe
from orchestrator.health import State as Health
from tests.webhook.make import SECOND
from webhook.action import Action
from webhook.executor import Done, Outcome, Refused, Unanswered
from webhook.verification import Standing

PROJECTS = ("chatbot", "email-blast", "billing")
DOWN, MEMORY, CPU = "ProjectDown", "ProjectHighMemory", "ProjectHighCPU"
ALERTS = (DOWN, MEMORY, CPU)
SETTLE = 2 * SECOND


class Answer(StrEnum):
    """What comes of a command that reaches a project."""

    DONE = "done"
    IDLE = "said to be done, and nothing is"
    REFUSED = "refused"
    LOST = "done, and the answer is lost"
    DEAF = "it never arrives"


class Prometheus(StrEnum):
    """What Prometheus says of the alerts of a project."""

    TRUE = "what is so"
    AWAY = "nothing"
    FIRING = "every alert fires"
    CLEAR = "no alert fires"


@dataclass(slots=True, eq=False)
class Service:
    """A project as it is. Its control does each key once, and forgets none."""

    health: Health = Health.HEALTHY
    ill: set[str] = field(default_factory=set)  # the alerts whose expression holds
    ours: str | None = None  # the key under which we paused or stopped it last
    answer: Answer = Answer.DONE
    prometheus: Prometheus = Prometheus.TRUE
    said: dict[str, Outcome] = field(default_factory=dict)  # by key
    effects: Counter[str] = field(default_factory=Counter)  # by key
    runs: Counter[str] = field(default_factory=Counter)  # of commands, which know no keys

    def probe(self) -> Probe:
        """Return what a probe sees."""
        down = self.health is Health.DOWN
        return Probe(state=self.health, reason=Reason.REFUSED if down else None, seconds=0.01)

    def standing(self, alertname: str) -> Standing | None:
        """Return what Prometheus says."""
        if self.prometheus is Prometheus.AWAY:
            return None
        holds = {
            Prometheus.TRUE: self.is_ill(alertname),
            Prometheus.FIRING: True,
            Prometheus.CLEAR: False,
        }[self.prometheus]
        return Standing(firing=holds, holds=holds, settle=SETTLE)

    def read(self) -> bool | None:
        """Tell whether figures of it were read lately, as Prometheus has it."""
        return None if self.prometheus is Prometheus.AWAY else True

    def is_ill(self, alertname: str) -> bool:
        """Tell whether the expression of an alert is true."""
        return self.health is Health.DOWN if alertname == DOWN else alertname in self.ill

    def ask(self, action: Action) -> Outcome:
        """Take a command under its key, as the contract of endpoints has it."""
        if self.answer is Answer.DEAF:
            return Unanswered("nobody is there")
        if action.key not in self.said:
            self.said[action.key] = self._first(action)
        lost = self.answer is Answer.LOST
        return Unanswered("no answer came") if lost else self.said[action.key]

    def run(self, action: Action) -> Outcome:
        """Run a command of ours: it always ends, and nobody remembers that it ran."""
        self.runs[action.key] += 1
        if self.answer in (Answer.DONE, Answer.LOST):
            self._change(action)
            return Done("ended with status 0", "output")
        return Refused("ended with status 1", "output")

    def become(self, health: Health) -> None:
        """Be so from now on, by somebody else's doing."""
        self.health, self.ours = health, None

    def heal(self) -> None:
        """Become well, without taking back what was paused."""
        self.ill.clear()
        self.answer, self.prometheus = Answer.DONE, Prometheus.TRUE
        if self.health is Health.DOWN:
            self.become(Health.HEALTHY)

    def _first(self, action: Action) -> Outcome:
        if self.answer is Answer.REFUSED:
            return Refused("not now")
        self.effects[action.key] += 1
        if self.answer is not Answer.IDLE:
            self._change(action)
        return Done("done")

    def _change(self, action: Action) -> None:
        if action.name == "clear_cache":
            self.ill.discard(MEMORY)
            return
        self.become(_MAKES.get(action.name, Health.HEALTHY))
        self.ours = action.key if action.name in _MAKES else None
        self.ill.discard(CPU if self.health is not Health.HEALTHY else MEMORY)


_MAKES = {"pause_service": Health.PAUSED, "stop_service": Health.DOWN}
