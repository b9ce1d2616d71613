"""A test call: breaks a project on purpose, so that all that stands behind it can be seen to work.

The fault is a real one. So the alert comes from Prometheus, and takes as long as it ever does.
"""

import asyncio
import json
from enum import StrEnum
from http import HTTPStatus
from typing import Annotated, Final

import aiohttp
from pydantic import Field

from webhook import audit
from webhook.api import known
from webhook.api.operation import Answer, Body, Call, Table
from webhook.plain import cut, masked, printable
from webhook.problem import Problem
from webhook.store import rows
from webhook.token import OPERATORS

ANSWER_WITHIN: Final = aiohttp.ClientTimeout(total=10, connect=2)  # it answers when it shows
BODY_LIMIT: Final = 4 * 1024  # bytes of its answer that are read
TOLD: Final = 200  # characters of it that are told

table = Table("test")  # not among TABLES: its route is there only where it is asked for


class Kind(StrEnum):
    """What can be tried, by the names that the event AnomalyDetected has for it."""

    HIGH_CPU = "high_cpu"
    HIGH_MEMORY = "high_memory"
    HIGH_ERROR = "high_error"


FAULTS: Final = {  # of orchestrator/demo/fault.py
    Kind.HIGH_CPU: "cpu_load",
    Kind.HIGH_MEMORY: "memory_leak",
    Kind.HIGH_ERROR: "error_burst",
}


class Anomaly(Body):
    """What to break, and how."""

    project: Annotated[str, Field(alias="projectName", min_length=1, max_length=63)]
    type: Annotated[Kind, Field(strict=False)]


class Begun(Answer):
    """The fault is there; the events tell what comes of it."""

    project: str
    type: Kind
    fault: str  # as the project's supervisor knows it


@table.post(
    "/api/test/anomaly",
    roles=OPERATORS,
    body=Anomaly,
    answer=Begun,
    status=HTTPStatus.ACCEPTED,
    refuses=(
        HTTPStatus.NOT_FOUND,
        HTTPStatus.CONFLICT,
        HTTPStatus.BAD_GATEWAY,
        HTTPStatus.GATEWAY_TIMEOUT,
    ),
)
async def begin_anomaly(call: Call) -> Begun:
    """Break a project that is there for tests.

    Only where the webhook runs with --enable-test-endpoints, and only for a project with the key
    `faults`. It is recorded who did it.
    """
    asked = call.said(Anomaly)
    config = call.desk.config()
    project = known.project(config, asked.project)
    if config.dry_run:
        raise Problem(HTTPStatus.CONFLICT, "--dry-run: nothing is done to any project")
    if project.faults is None:
        said = f"{project.name} offers no faults; projects[].faults says where they are"
        raise Problem(HTTPStatus.CONFLICT, said)
    fault = FAULTS[asked.type]
    await _record(call, project.name, fault)
    await _begin(call.desk.session, f"{project.faults}/{fault}")
    return Begun(project=project.name, type=asked.type, fault=fault)


async def _record(call: Call, project: str, fault: str) -> None:
    """Write down who asked, before anything is done."""
    entry = audit.entry(
        "fault asked for",
        {"project": project, "fault": fault},
        at=call.desk.now(),
        actor=call.caller.name,
    )
    await call.desk.store(rows.record, entry)


async def _begin(session: aiohttp.ClientSession, url: str) -> None:
    """POST the fault; raise Problem when it is not there afterwards, or nobody knows."""
    try:
        async with session.post(url, timeout=ANSWER_WITHIN, allow_redirects=False) as response:
            status, body = response.status, await _bounded(response)
    except TimeoutError:
        said = "who makes the faults gave no answer in time; the fault may be there or not"
        raise Problem(HTTPStatus.GATEWAY_TIMEOUT, said) from None
    except (aiohttp.ClientError, OSError, ValueError):
        said = "who makes the faults cannot be reached; see projects[].faults"
        raise Problem(HTTPStatus.BAD_GATEWAY, said) from None
    if status != HTTPStatus.OK:
        conflict = status == HTTPStatus.CONFLICT
        said = f"the fault was refused with {status}: {_reason(body)}"
        raise Problem(HTTPStatus.CONFLICT if conflict else HTTPStatus.BAD_GATEWAY, said)


async def _bounded(response: aiohttp.ClientResponse) -> bytes:
    try:
        return await response.content.readexactly(BODY_LIMIT)
    except asyncio.IncompleteReadError as whole:
        return whole.partial


def _reason(body: bytes) -> str:
    """Return the sentence of a refusal, which a stranger wrote; else its beginning."""
    try:
        said = str(json.loads(body)["error"])
    except (ValueError, LookupError, TypeError, RecursionError):
        said = body.decode("utf-8", "replace")
    return cut(masked(printable(said)), TOLD)
