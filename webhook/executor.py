"""The executor: sends one command to a project's control, under the key of its action."""

import asyncio
import json
import logging
from dataclasses import dataclass
from pathlib import Path

import aiohttp

from orchestrator.project import Control
from webhook.action import Action

ANSWER_WITHIN = aiohttp.ClientTimeout(total=30, connect=5)  # a restart takes seconds
DETAIL_LIMIT = 500  # characters of a stranger's text that we keep

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Done:
    """The command was carried out. Whether it helped is for the verification to say."""

    detail: str


@dataclass(frozen=True, slots=True)
class Refused:
    """The command was answered, and it failed or will never be accepted."""

    detail: str


@dataclass(frozen=True, slots=True)
class Unanswered:
    """No answer: it may or may not have been carried out. The same key can be sent again."""

    detail: str


Outcome = Done | Refused | Unanswered


async def command(session: aiohttp.ClientSession, control: Control, action: Action) -> Outcome:
    """POST `{"action": ...}` with the Idempotency-Key; every failure is an Outcome."""
    try:
        async with session.post(
            control.url,
            json={"action": action.name},
            headers={"Idempotency-Key": action.key, **_authorization(control.token_file)},
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
        return Refused(f"control answered {status}: {_printable(body)}")
    try:
        answer = json.loads(body)
        state, detail = answer["state"], str(answer.get("detail", ""))[:DETAIL_LIMIT]
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return Refused(f"control answered what the contract does not know: {_printable(body)}")
    return Done(detail) if state == "completed" else Refused(detail or f"state {state}")


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
    return {"Authorization": f"Bearer {token_file.read_text(encoding='utf-8').strip()}"}


def _printable(body: bytes) -> str:
    return body.decode("utf-8", "replace")[:DETAIL_LIMIT].strip()
