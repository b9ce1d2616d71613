"""A project's log: its newest lines as `GET /logs` tells them, without what looks like a secret."""

import logging
from collections.abc import Callable
from dataclasses import replace
from typing import Final

import aiohttp

from orchestrator import answer, clock, fetch, tls
from orchestrator.answer import IN_WORDS, Answer
from orchestrator.project import Project
from webhook.diagnosis import Gathered, Line
from webhook.evidence.redaction import without
from webhook.plain import CUT, HIDDEN, cut, in_key, masked, printable, whole

WITHIN: Final = 2.0  # seconds; people wait for the rest of what they are told
NEWEST: Final = 200  # lines that the contract allows
SHOWN: Final = 5
LENGTH: Final = 1_000  # characters of a line that are kept
LOOKED_AT: Final = 4 * LENGTH  # characters of a line that are searched for secrets
LEVEL: Final = 20  # characters of a level
BAD: Final = frozenset({"error", "critical"})
NOT_FOUND: Final = 404
NOT_OFFERED: Final = "it offers none"
NOT_ASKED: Final = "it could not be asked"
EMPTY: Final = "it is empty"

logger = logging.getLogger(__name__)


async def tail(
    session: aiohttp.ClientSession, project: Project, *, secrets: frozenset[str] = frozenset()
) -> Gathered:
    """Ask *project* for its last errors, or its last lines when it tells of no error.

    Of *secrets*, which are ours, none is shown, in whatever form a project has logged it.
    Nothing that goes wrong is raised: a log is wanted most when its project is at its worst.
    """
    given = await asked(session, project, project.paths.logs, within=WITHIN)
    return Gathered(why_none=given) if isinstance(given, str) else read(given, secrets)


async def asked(
    session: aiohttp.ClientSession, project: Project, path: str | None, *, within: float
) -> Answer | str:
    """Return a whole answer of *path*, or why there is none, as the rest of "its log: ...".

    It takes *within* seconds at most; None as the path is not offered.
    """
    if path is None:
        return NOT_OFFERED
    try:
        given = await fetch.fetch(session, fetch.within(fetch.question(project, path), within))
    except (fetch.OutOfResources, tls.BadTls) as error:
        said = {"project": project.name, "path": path, "error": str(error)}
        logger.warning("project not asked", extra=said)
        return NOT_ASKED
    if given.status == NOT_FOUND:
        return NOT_OFFERED
    return IN_WORDS[given.reason] if given.reason else given


def read(given: Answer, secrets: frozenset[str] = frozenset()) -> Gathered:
    """Read a whole answer; lines that the contract does not know are left out."""
    found = lines(given)
    if found is None:
        return Gathered(why_none=IN_WORDS[answer.Reason.BODY])
    keys = in_key(line.message for line in found)
    found = [replace(e, message=HIDDEN) if k else e for e, k in zip(found, keys, strict=True)]
    worst = [line for line in found if line.level in BAD] or found
    hide = without(secrets)
    shown = tuple(_safe(each, hide) for each in worst[-SHOWN:])
    return Gathered(lines=shown, why_none="" if worst else EMPTY)


def lines(given: Answer) -> list[Line] | None:
    """Return the lines of a whole answer as they are, oldest first; None when it is no log."""
    try:
        content = answer.decoded(given.body)
    except ValueError:
        content = None
    if not isinstance(content, list):
        return None
    return [line for each in content[-NEWEST:] if (line := _line(each))]


def _line(entry: object) -> Line | None:
    match entry:
        case {"level": str(level), "message": str(message), **rest}:
            short = printable(level[:LENGTH]).lower()[:LEVEL]
            return Line(ts=_instant(rest.get("ts")), level=short, message=message)
        case _:
            return None


def _safe(line: Line, hide: Callable[[str], str]) -> Line:
    told = printable(line.message[:LOOKED_AT])
    if len(line.message) > LOOKED_AT:
        told = whole(told, LOOKED_AT) + CUT
    return replace(line, message=cut(masked(hide(told)), LENGTH))


def _instant(ts: object) -> str:
    """Return the instant as we write it; nothing else of a stranger's text is one."""
    try:
        return clock.written(clock.read(str(ts)))
    except (ValueError, OverflowError):
        return ""
