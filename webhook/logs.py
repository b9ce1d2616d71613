"""A project's log: its newest lines as `GET /logs` tells them, without what looks like a secret."""

import logging
from typing import Final

import aiohttp

from orchestrator import answer, clock, fetch, tls
from orchestrator.answer import IN_WORDS, Answer
from orchestrator.project import Project
from webhook.diagnosis import Gathered, Line
from webhook.plain import cut, masked, printable

WITHIN: Final = 2.0  # seconds; people wait for the rest of what they are told
NEWEST: Final = 200  # lines that the contract allows
SHOWN: Final = 5
LENGTH: Final = 1_000  # characters of a line that are kept
LEVEL: Final = 20  # characters of a level
BAD: Final = frozenset({"error", "critical"})
NOT_FOUND: Final = 404
NOT_OFFERED: Final = "it offers none"

logger = logging.getLogger(__name__)


async def tail(session: aiohttp.ClientSession, project: Project) -> Gathered:
    """Ask *project* for its last errors, or its last lines when it tells of no error.

    Nothing that goes wrong is raised: a log is wanted most when its project is at its worst.
    """
    if project.paths.logs is None:
        return Gathered(why_none=NOT_OFFERED)
    try:
        asked = fetch.within(fetch.question(project, project.paths.logs), WITHIN)
        given = await fetch.fetch(session, asked)
    except (fetch.OutOfResources, tls.BadTls) as error:
        logger.warning("log not asked", extra={"project": project.name, "error": str(error)})
        return Gathered(why_none="it could not be asked")
    if given.status == NOT_FOUND:
        return Gathered(why_none=NOT_OFFERED)
    return Gathered(why_none=IN_WORDS[given.reason]) if given.reason else read(given)


def read(given: Answer) -> Gathered:
    """Read a whole answer; lines that the contract does not know are left out."""
    try:
        content = answer.decoded(given.body)
    except ValueError:
        content = None
    if not isinstance(content, list):
        return Gathered(why_none=IN_WORDS[answer.Reason.BODY])
    found = [line for each in content[-NEWEST:] if (line := _line(each))]
    worst = [line for line in found if line.level in BAD] or found
    return Gathered(lines=tuple(worst[-SHOWN:]), why_none="" if worst else "it is empty")


def _line(entry: object) -> Line | None:
    match entry:
        case {"level": str(level), "message": str(message), **rest}:
            text = cut(masked(printable(message)), LENGTH)
            return Line(
                ts=_instant(rest.get("ts")), level=printable(level).lower()[:20], message=text
            )
        case _:
            return None


def _instant(ts: object) -> str:
    """Return the instant as we write it; nothing else of a stranger's text is one."""
    try:
        return clock.written(clock.read(str(ts)))
    except (ValueError, OverflowError):
        return ""
