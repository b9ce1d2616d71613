"""A cassette: replies of a model as they were recorded, found again by what was asked.

One JSON object a line. The same request may have been answered several times, for no model says
the same twice; the answers are played in the order in which they were recorded.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from orchestrator.answer import decoded
from orchestrator.errors import OrchestratorError
from webhook.analyzer import prompt


class BadCassette(OrchestratorError):
    """It cannot be played; the text says which line, and why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """One recorded reply."""

    request: str  # its digest
    model: str  # that was asked for
    text: str  # as the model wrote it
    cost: int  # nano-dollars
    by: str  # who answered: the API, or a stand-in, which is to be named


Cassette = Mapping[str, tuple[Reply, ...]]  # by the digest of the request


def digest(body: Mapping[str, Any]) -> str:
    """Return the SHA-256 of a request, in hex; the same for the same request everywhere."""
    return hashlib.sha256(prompt.written(dict(body))).hexdigest()


def read(lines: Iterable[str]) -> Cassette:
    """Read a cassette; raise BadCassette."""
    found: dict[str, tuple[Reply, ...]] = {}
    for number, line in enumerate(lines, start=1):
        if line.strip():
            reply = _reply(line, number)
            found[reply.request] = (*found.get(reply.request, ()), reply)
    return found


def _reply(line: str, number: int) -> Reply:
    try:
        told = decoded(line.encode())
    except ValueError as error:
        raise BadCassette(f"line {number}: no JSON: {error}") from error
    match told:
        case {
            "request": str(request),
            "model": str(model),
            "text": str(text),
            "cost": int(cost),
            "by": str(by),
            **rest,
        } if not rest:
            return Reply(request=request, model=model, text=text, cost=cost, by=by)
        case _:
            raise BadCassette(f"line {number}: no reply; it has request, model, text, cost, by")


def written(replies: Iterable[Reply]) -> Iterator[str]:
    """Return the lines of *replies*."""
    return (json.dumps(asdict(each), sort_keys=True) for each in replies)
