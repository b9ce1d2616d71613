"""Diagnosis: what a project's own words point to, by rules; at most one suspicion."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from webhook.incident import DOWN


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line of a project's log."""

    ts: str  # an instant as we write it; "" when the project wrote none
    level: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Gathered:
    """What a project's log said, or why it said nothing."""

    lines: tuple[Line, ...] = ()
    why_none: str = ""  # as the rest of "its log: ..."


@dataclass(frozen=True, slots=True, kw_only=True)
class Suspicion:
    """What words of a log point to."""

    name: str
    words: re.Pattern[str]
    told: str  # what it probably is, and what helps
    only: frozenset[str] = frozenset()  # the alerts that it can explain; none: any

    def fits(self, said: str, alertname: str) -> bool:
        """Tell whether *said* has its words, and it can explain the alert."""
        return bool((not self.only or alertname in self.only) and self.words.search(said))


def _suspicion(name: str, words: str, told: str, *only: str) -> Suspicion:
    pattern = re.compile(words, re.IGNORECASE)
    return Suspicion(name=name, words=pattern, told=told, only=frozenset(only))


# The first that fits is told: the cause stands before what usually follows from it.
SUSPICIONS: Final = (
    _suspicion(
        "disk_full",
        r"no space left|disk (?:is )?full|database (?:is |or disk is )?full|disk quota exceeded",
        "The disk or the database is full, and a restart frees nothing."
        " Delete old data or make room, then restart it.",
    ),
    _suspicion(
        "memory",
        r"out of memory|oom-?kill|cannot allocate memory|heap space|MemoryError",
        "It runs out of memory. A restart helps for a while."
        " Look for a leak, or give it more memory.",
    ),
    _suspicion(
        "files",
        r"too many open files|EMFILE",
        "It has too many files or connections open. A restart helps for a while."
        " Look for what is not closed, or raise the limit.",
    ),
    _suspicion(
        "certificate",
        r"certificate (?:has |is )?expired|CERT_HAS_EXPIRED|certificate verify failed",
        "A certificate has expired or is not trusted. Renew it, then restart it.",
    ),
    _suspicion(
        "port",
        r"address already in use|EADDRINUSE|port (?:\d+|<num>) is (?:already )?in use",
        "Its port is taken by another process, perhaps an old one of its own."
        " End that one, then start it.",
        DOWN,
    ),
    _suspicion(
        "rights",
        r"permission denied|EACCES|operation not permitted|read-only file system",
        "It may not read or write something that it needs."
        " Check owners and rights of its files, then restart it.",
    ),
    _suspicion(
        "credentials",
        r"(?:password|authentication) (?:authentication )?failed|access denied for user"
        r"|invalid (?:api.?key|credentials)",
        "Somebody that it depends on refuses its name or password."
        " Check its secrets, then restart it.",
    ),
    _suspicion(
        "unreachable",
        r"(?:connection|connect\w*)\b.{0,80}?\b(?:refused|lost|timed out)|ECONNREFUSED"
        r"|could not connect to|server has gone away",
        "It cannot reach something that it depends on, a database for example."
        " Look at that first; a restart helps only once it answers.",
    ),
    _suspicion(
        "incomplete",
        r"no module named|cannot find module|class not ?found|undefined symbol|ImportError",
        "Its release is not whole: a part of it is missing."
        " Roll back to the release before, or deploy it again.",
    ),
    _suspicion(
        "crash_loop",
        r"crash ?loop|back-?off restarting|restarting too (?:often|fast)|exited with code [1-9]",
        "It ends soon after each start, so another restart will not help."
        " Look at the first error after a start, and at what was changed last.",
        DOWN,
    ),
)


def suspect(lines: Sequence[Line], alertname: str) -> str | None:
    """Say what it probably is, and what helps; None when nothing points anywhere."""
    said = "\n".join(each.message for each in lines)
    return next((each.told for each in SUSPICIONS if each.fits(said, alertname)), None)
