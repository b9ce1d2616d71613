"""A command: one wish of a caller about one project, under a key of its own."""

import json
from dataclasses import dataclass
from enum import StrEnum

from orchestrator.errors import OrchestratorError

KEY = "Idempotency-Key"
KEY_LIMIT = 200  # characters; a UUID has 36


class BadCommand(OrchestratorError):
    """The request is not a command; its text says what is missing."""


class Effect(StrEnum):
    """Who does what a command asks for."""

    RESTART = "restart"  # the supervisor, on the process
    START = "start"
    STOP = "stop"
    FORWARD = "forward"  # the project, on itself


ACTIONS = {
    "restart_service": Effect.RESTART,
    "start_service": Effect.START,
    "stop_service": Effect.STOP,
    "pause_service": Effect.FORWARD,
    "resume_service": Effect.FORWARD,
    "clear_cache": Effect.FORWARD,
    "rollback_deployment": Effect.FORWARD,
}


# What people type. The journal and the answers know the names above only.
SHORT = {
    "restart": "restart_service",
    "start": "start_service",
    "stop": "stop_service",
    "pause": "pause_service",
    "resume": "resume_service",
    "rollback": "rollback_deployment",
}


class State(StrEnum):
    """How a command ended."""

    COMPLETED = "completed"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Outcome:
    """The answer to a command. `detail` is a sentence for a person."""

    state: State
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """One action on one project. Whoever repeats it under its key gets the first answer."""

    key: str
    project: str
    action: str


def read(*, project: str, key: str | None, body: bytes) -> Command:
    """Read a command from its request; raise BadCommand when it is none.

    Keys of the body that we do not know are passed over, so that callers may grow before we do.
    """
    if key is None or not (1 <= len(key) <= KEY_LIMIT and key.isascii() and key.isprintable()):
        raise BadCommand(
            f"the header {KEY} is required: 1 to {KEY_LIMIT} printable ASCII characters, new for"
            " each command and the same whenever that command is sent again"
        )
    try:
        written = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise BadCommand('the body is not JSON; send {"action": "restart_service"}') from error
    action = written.get("action") if isinstance(written, dict) else None
    named = SHORT.get(action, action) if isinstance(action, str) else None
    if named not in ACTIONS:
        raise BadCommand(f"no such action; known: {', '.join(ACTIONS)}")
    return Command(key=key, project=project, action=named)
