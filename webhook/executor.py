"""The executor: carries one action out, by the project's control or by a command of ours."""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import aiohttp

from orchestrator import duration, secret
from orchestrator.commands import Command
from orchestrator.project import Control, Project
from webhook import process
from webhook.action import Action
from webhook.catalogue import UnknownStep, remedy
from webhook.plain import cut, masked, printable
from webhook.remedies.command import PREFIX
from webhook.remedy import Way

ANSWER_WITHIN = aiohttp.ClientTimeout(total=30, connect=5)  # a restart takes seconds
DETAIL_LIMIT = 500  # characters of a stranger's text that we keep


@dataclass(frozen=True, slots=True)
class Done:
    """The command was carried out. Whether it helped is for the verification to say."""

    detail: str
    output: str = ""  # of a command, its end


@dataclass(frozen=True, slots=True)
class Refused:
    """The command was answered, and it failed or will never be accepted."""

    detail: str
    output: str = ""  # of a command, its end


@dataclass(frozen=True, slots=True)
class Unanswered:
    """No answer: it may or may not have been carried out. The same key can be sent again."""

    detail: str
    output: str = ""  # of a command, its end


Outcome = Done | Refused | Unanswered


async def execute(
    session: aiohttp.ClientSession,
    project: Project,
    action: Action,
    commands: Mapping[str, Command],
) -> Outcome:
    """Carry *action* out on *project*; every failure is an Outcome.

    *commands* are those of orchestrator.yml, by their names.
    """
    try:
        way = remedy(action.name, commands).way
    except UnknownStep as error:  # orchestrator.yml was changed since it was decided
        return Refused(str(error))
    match way:
        case Way.CONTROL:
            return await ask(session, project.control, action)
        case Way.COMMAND:
            return await _run(commands[action.name.removeprefix(PREFIX)], action)


async def ask(session: aiohttp.ClientSession, control: Control, action: Action) -> Outcome:
    """POST `{"action": ...}` with the Idempotency-Key; every failure is an Outcome."""
    try:
        authorization = _authorization(control.token_file)
    except ValueError as error:
        return Refused(f"control.token_file: {error}")
    try:
        async with session.post(
            control.url,
            json={"action": action.name},
            headers={"Idempotency-Key": action.key, **authorization},
            timeout=ANSWER_WITHIN,
            allow_redirects=False,
        ) as response:
            return outcome(response.status, await _bounded(response))
    except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
        return Unanswered(f"{control.url}: {str(error) or type(error).__name__}"[:DETAIL_LIMIT])


def outcome(status: int, body: bytes) -> Outcome:
    """Say what an answer of control means, by docs/endpoint-contract.md."""
    if status >= 500:  # noqa: PLR2004  the server's own trouble: not an answer to the command
        return Unanswered(f"control answered {status}")
    if status != 200:  # noqa: PLR2004
        return Refused(f"control answered {status}: {_line(body)}")
    try:
        answer = json.loads(body)
        state, detail = str(answer["state"]), _line(str(answer.get("detail") or ""))
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return Refused(f"control answered what the contract does not know: {_line(body)}")
    return Done(detail) if state == "completed" else Refused(detail or f"state {_line(state)}")


def ended(end: process.End, command: Command) -> Outcome:
    """Say what the end of a command means: its status 0 is success, and nothing else is."""
    how = f"ended with status {end.status}"
    if end.status is None:
        how = "could not be ended, and may go on"
    elif end.status < 0:
        how = f"was ended by signal {-end.status}"
    if end.overdue:
        how += f" after {duration.text(command.timeout)}, its timeout"
    _, _, last = end.output.rpartition("\n")
    detail = _line(f"{command.argv[0]} {how}: {last or 'no output'}")
    done = end.status == 0 and not end.overdue
    return (Done if done else Refused)(detail, end.output)


async def _run(command: Command, action: Action) -> Outcome:
    try:
        return ended(await process.run(command, action), command)
    except OSError as error:
        return Refused(f"{command.argv[0]} cannot be started: {error.strerror or error}")


async def _bounded(response: aiohttp.ClientResponse) -> bytes:
    """Read to the end: `read` returns after the first segment, and half an answer is no answer."""
    try:
        return await response.content.readexactly(64 * 1024)
    except asyncio.IncompleteReadError as whole:
        return whole.partial


def _authorization(token_file: Path | None) -> dict[str, str]:
    """Read the token anew each time, so that it can be rotated without a restart."""
    if token_file is None:
        return {}
    return {"Authorization": f"Bearer {secret.from_file(token_file)}"}


def _line(text: str | bytes) -> str:
    """Make what a stranger said one line, which no store, terminal or reader can stumble over."""
    shown = text.decode("utf-8", "replace") if isinstance(text, bytes) else text
    return cut(masked(printable(shown[: 4 * DETAIL_LIMIT])), DETAIL_LIMIT)
