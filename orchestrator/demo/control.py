"""What a demo project can be told to do, each command once for its key."""

import json
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from orchestrator.demo.instance import Instance
from orchestrator.errors import OrchestratorError

KEY = "Idempotency-Key"
KEY_LIMIT = 200  # characters
KEPT = 1_000  # answers that are remembered; far more than come before a restart


class BadCommand(OrchestratorError):
    """The request is not a command; its text says what is missing."""


class KeyReused(OrchestratorError):
    """A key came again with another action."""

    def __init__(self, first: str) -> None:
        super().__init__(f"this key belongs to {first}; use a new one")
        self.first = first


@dataclass(frozen=True, slots=True)
class Answer:
    """How a command ended. `state` is `completed` or `failed`, `detail` a sentence."""

    state: str
    detail: str


Act = Callable[[Instance, datetime], Answer]


@dataclass(frozen=True, slots=True)
class Answers:
    """What was answered to which key, for as long as the process lives."""

    given: OrderedDict[str, tuple[str, Answer]] = field(default_factory=OrderedDict)

    def find(self, key: str, action: str) -> Answer | None:
        """Return the answer that *key* got; raise KeyReused when it was for another action."""
        first, answer = self.given.get(key, (action, None))
        if first != action:
            raise KeyReused(first)
        return answer

    def keep(self, key: str, action: str, answer: Answer) -> None:
        """Remember *answer*, and forget the oldest when there are too many."""
        self.given[key] = (action, answer)
        if len(self.given) > KEPT:
            self.given.popitem(last=False)


def read(key: str | None, body: bytes) -> tuple[str, str]:
    """Return the key and the action of a request; raise BadCommand when it is no command."""
    if key is None or not (1 <= len(key) <= KEY_LIMIT and key.isascii() and key.isprintable()):
        raise BadCommand(f"the header {KEY} is required: 1 to {KEY_LIMIT} printable characters")
    try:
        written = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise BadCommand('the body is not JSON; send {"action": "pause_service"}') from error
    action = written.get("action") if isinstance(written, dict) else None
    if not isinstance(action, str) or action not in ACTIONS:
        raise BadCommand(f"no such action; known: {', '.join(ACTIONS)}")
    return key, action


def carry_out(instance: Instance, action: str, *, at: datetime) -> Answer:
    """Do *action*, one of ACTIONS, and note it in the project's log."""
    answer = ACTIONS[action](instance, at)
    instance.note("info", f"{action}: {answer.state}, {answer.detail}", at=at)
    return answer


def _completed(detail: str) -> Answer:
    return Answer("completed", detail)


def _failed(detail: str) -> Answer:
    return Answer("failed", detail)


def _pause(instance: Instance, _: datetime) -> Answer:
    if instance.paused:
        return _completed("paused already; nothing was to be done")
    instance.paused = True
    return _completed("paused")


def _resume(instance: Instance, _: datetime) -> Answer:
    if not instance.paused:
        return _completed("not paused; nothing was to be done")
    instance.paused = False
    return _completed("resumed")


def _clear_cache(instance: Instance, at: datetime) -> Answer:
    return _completed(f"dropped {instance.clear_cache(at)} bytes")


def _roll_back(instance: Instance, at: datetime) -> Answer:
    release = instance.roll_back(at)
    if release is None:
        return _failed("there is no earlier release")
    return _completed(f"rolled back to {release.version}")


def _not_to_itself(_: Instance, __: datetime) -> Answer:
    return _failed("a process cannot do that to itself; ask its supervisor")


ACTIONS: dict[str, Act] = {
    "pause_service": _pause,
    "resume_service": _resume,
    "clear_cache": _clear_cache,
    "rollback_deployment": _roll_back,
    "restart_service": _not_to_itself,
    "start_service": _not_to_itself,
    "stop_service": _not_to_itself,
}
