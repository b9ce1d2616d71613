"""An attempt: one call, from its arguments to what became of it."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from time import monotonic
from typing import Any

from orchestrator.clock import Clock
from orchestrator.prices import Price
from webhook.analyzer import price
from webhook.analyzer.answer import Answer
from webhook.analyzer.call import Ended, Outcome
from webhook.analyzer.reply import Malformed
from webhook.claude import fault, message
from webhook.claude.connection import Connection, Lost, Received, TooLarge
from webhook.claude.message import Message
from webhook.plain import cut, printable

OK = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """What one call came to."""

    ended: Ended
    answer: Answer | None = None
    model: str = ""  # as the answer names it
    body: bytes = b""  # of the answer, as it came
    wrong: str = ""  # what was malformed; never a stranger's text


async def attempt(
    connection: Connection,
    arguments: Mapping[str, Any],
    *,
    taking: Price,
    within: float,
    now: Clock,
) -> Attempt:
    """Ask once, and have all of the answer *within* so many seconds; every failure is an Attempt.

    *taking* is the price of the model.
    """
    began = monotonic()
    model = str(arguments["model"])

    try:
        async with asyncio.timeout(within):  # the SDK would wait so long for each piece
            received = await connection.send(arguments, within)
    except TimeoutError:
        outcome, cost, wrong = Outcome.TIMEOUT, None, ""
    except TooLarge as error:
        outcome, cost, wrong = Outcome.MALFORMED, None, str(error)
    except Lost as error:
        outcome, cost, wrong = Outcome.CONNECTION, None if error.sent else 0, ""
    else:
        return read(received, model=model, taking=taking, seconds=monotonic() - began, now=now)
    ended = Ended(model=model, outcome=outcome, cost=cost, seconds=monotonic() - began)
    return Attempt(ended=ended, wrong=wrong)


def aborted(model: str, seconds: float) -> Ended:
    """Return the end of a call that we have given up ourselves; it may be billed."""
    return Ended(model=model, outcome=Outcome.ABORTED, cost=None, seconds=seconds)


def read(received: Received, *, model: str, taking: Price, seconds: float, now: Clock) -> Attempt:
    """Say what an answer to a call of *model* means."""
    request = cut(printable(received.headers.get("request-id", "")), message.NAME)
    if received.status != OK:
        ended = Ended(
            model=model,
            outcome=fault.outcome(received.status, received.body),
            cost=fault.cost(received.status),
            seconds=seconds,
            status=received.status,
            retry_after=fault.retry_after(received.headers, now()),
            request_id=request,
        )
        return Attempt(ended=ended, body=received.body)
    found, outcome, answer, wrong = _understood(received.body)
    ended = Ended(
        model=model,
        outcome=outcome,
        cost=None if found.usage is None else price.cost(found.usage, taking),
        seconds=seconds,
        status=received.status,
        message=found.id,
        request_id=request,
        stop_reason=found.stop_reason,
        refusal=found.refusal,
        usage=found.usage,
    )
    return Attempt(ended=ended, answer=answer, model=found.model, body=received.body, wrong=wrong)


def _understood(body: bytes) -> tuple[Message, Outcome, Answer | None, str]:
    """Read a body: its message, what that is, its answer, and what is malformed in it."""
    found = Message()
    try:
        found = message.read(body)
        # First how it ended: what is cut short, or refused, may look like an answer.
        answer = found.answer() if found.stopped is Outcome.OK else None
    except Malformed as error:
        return found, Outcome.MALFORMED, None, str(error)
    return found, found.stopped, answer, ""
