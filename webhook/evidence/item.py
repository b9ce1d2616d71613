"""An item of evidence: one piece of what is known, where it is from, and how far to be trusted."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

Json = str | int | float | bool | None | Sequence["Json"] | Mapping[str, "Json"]


class Trust(StrEnum):
    """Who vouches for a piece of evidence."""

    CONFIG = "config"  # people of ours wrote it
    MEASURED = "measured"  # a program of ours measured or did it
    UNTRUSTED = "untrusted"  # a program or a stranger says so


class Source(StrEnum):
    """Where a piece of evidence is from."""

    ALERT = "alert"
    METRICS = "metrics"
    STATUS = "status"
    HISTORY = "history"
    LOGS = "logs"
    RUNBOOK = "runbook"


LETTERS = {  # of the ids, in the order in which the sources stand in a pack
    Source.ALERT: "A",
    Source.METRICS: "M",
    Source.STATUS: "S",
    Source.HISTORY: "H",
    Source.LOGS: "L",
    Source.RUNBOOK: "R",
}


class Lack(StrEnum):
    """Why a source told nothing."""

    NO_DATA = "no_data"  # it was asked, and has nothing
    ERROR = "error"
    TIMEOUT = "timeout"


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One piece. Its content is plain JSON, cleaned and without secrets, figures rounded."""

    source: Source
    trust: Trust
    content: Mapping[str, Json]


@dataclass(frozen=True, slots=True, kw_only=True)
class Missing:
    """A source, or a part of one, that told nothing."""

    source: Source
    lack: Lack
    why: str  # a sentence of ours, never of a stranger


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What the evidence is about: the trusted head of a pack, from our own tables and files."""

    project: str
    alertname: str
    severity: str
    started_at: datetime
    asked_at: datetime
    allowed: tuple[str, ...]  # actions that may be proposed for this alert
    tried: tuple[str, ...]  # actions executed for this incident, oldest first, as "name: outcome"
    depends_on: tuple[str, ...]
    critical: bool
    helped: tuple[str, ...] = ()  # of each allowed action, how often it has helped against it


@dataclass(frozen=True, slots=True, kw_only=True)
class Pack:
    """All evidence on one incident, numbered (A1, M1, M2, ...), in an order that is always same."""

    subject: Subject
    items: tuple[tuple[str, Item], ...]  # by id
    missing: tuple[Missing, ...] = ()
    omitted: int = 0  # items that were dropped because there was no room
    flags: tuple[str, ...] = ()  # what code found suspicious in untrusted text, by a bounded name
    redactions: tuple[tuple[str, int], ...] = ()  # how many of each kind

    @property
    def ids(self) -> frozenset[str]:
        """The ids that may be cited."""
        return frozenset(number for number, _ in self.items)

    @property
    def measured(self) -> frozenset[str]:
        """The ids of what was measured on the project itself; its history is none of that."""
        own = {Source.METRICS, Source.STATUS}
        return frozenset(
            number
            for number, each in self.items
            if each.trust is Trust.MEASURED and each.source in own
        )
