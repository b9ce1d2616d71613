"""One running demo project: what it holds, what it suffers, and what it says of itself."""

import logging
from collections import deque
from dataclasses import dataclass
from datetime import UTC, datetime

from orchestrator.clock import written
from orchestrator.demo import business
from orchestrator.demo.disk import Disk
from orchestrator.demo.fault import FAULTS, Ongoing

LOG_LIMIT = 200  # lines
DEGRADING = frozenset({"slow", "error_burst"})  # faults with which it serves badly, and says so

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Release:
    """A version of the project, and when it was deployed."""

    version: str
    deployed_at: datetime


RELEASES = (
    Release("1.4.1", datetime(2025, 1, 7, 9, tzinfo=UTC)),
    Release("1.4.2", datetime(2025, 1, 14, 9, tzinfo=UTC)),
)
BROKEN_VERSION = "1.5.0"  # what error_burst deploys


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line of the project's own log."""

    ts: str
    level: str
    message: str


@dataclass(frozen=True, slots=True)
class Health:
    """The answer of `/health`."""

    http_status: int
    body: dict[str, str]


class Instance:
    """A project from the start of its process to its end. The time is told to every method."""

    def __init__(self, name: str, disk: Disk, *, at: datetime) -> None:
        self.name, self.started, self._disk = name, at, disk
        self.paused = False
        self.faults: dict[str, Ongoing] = {}
        self.releases = list(RELEASES)
        self.cache_cleared = at
        self.lines: deque[Line] = deque(maxlen=LOG_LIMIT)
        self.note("info", f"{name} {self.releases[-1].version} started", at=at)
        if disk.full:
            self.faults["disk_full"] = Ongoing(began=at, ends=disk.full_until)
        self._note_problem(at)

    def note(self, level: str, message: str, *, at: datetime) -> None:
        """Add a line to the project's log, and to the program's."""
        self.lines.append(Line(ts=written(at), level=level, message=message))
        log.log(logging.getLevelNamesMapping()[level.upper()], message)

    def beat(self, at: datetime) -> None:
        """Do the work of a second: write to the database, end the faults whose time is over."""
        self.settle(at)
        self._disk.write(at)
        self._note_problem(at)

    def settle(self, at: datetime) -> None:
        """End the faults whose time is over."""
        for name in [name for name, fault in self.faults.items() if fault.over(at)]:
            self.cure(name, at=at)

    def suffer(
        self, name: str, *, at: datetime, until: datetime | None, percent: float | None = None
    ) -> None:
        """Begin the fault *name*, or change its end and its percentage; it shows on return."""
        new = name not in self.faults
        self.faults[name] = Ongoing(began=at, ends=until, percent=percent)
        log.warning("fault %s began: %s", name, FAULTS[name].sentence)  # no service announces it
        if name == "disk_full":
            self._disk.fill(at, until=until)
            self._note_problem(at)
        elif name == "error_burst" and new:
            self.releases.append(Release(BROKEN_VERSION, at))

    def cure(self, name: str, *, at: datetime) -> None:
        """End the fault *name*, if it is on."""
        if self.faults.pop(name, None) is None:
            return
        if name == "disk_full":
            self._disk.free(at)
        elif name == "error_burst":
            self.releases.pop()  # the fault is that release
        log.info("fault %s ended", name)

    def health(self) -> Health:
        """Say how the project is."""
        if "db_lost" in self.faults:
            return Health(503, {"status": "down", "detail": "database connection lost"})
        if self._disk.problem is not None:
            return Health(503, {"status": "down", "detail": self._disk.problem})
        status = "paused" if self.paused else "degraded" if self._degraded else "healthy"
        return Health(200, {"status": status, "version": self.releases[-1].version})

    @property
    def _degraded(self) -> bool:
        """Whether it calls itself so. With a percentage that was chosen, its figures tell alone."""
        return any(
            name in DEGRADING and fault.percent is None for name, fault in self.faults.items()
        )

    def metrics(self, at: datetime) -> dict[str, object]:
        """Say how busy the project is, and how its business goes."""
        suffering = {name: _seconds(fault.began, at) for name, fault in self.faults.items()}
        burst = self.faults.get("error_burst")
        return business.metrics(
            self.name,
            _seconds(self.started, at),
            suffering,
            paused=self.paused,
            error_percent=burst.percent if burst else None,
        )

    def status(self, at: datetime) -> dict[str, object]:
        """Say what the project holds."""
        return {
            "queue_length": business.queue_length(self.name, _seconds(self.started, at)),
            "deployed_at": written(self.releases[-1].deployed_at),
            "cache_bytes": business.cache_bytes(_seconds(self.cache_cleared, at)),
        }

    def clear_cache(self, at: datetime) -> int:
        """Drop the cache, and with it a leak, for that is where it is; return the cache's bytes."""
        dropped = business.cache_bytes(_seconds(self.cache_cleared, at))
        self.cache_cleared = at
        self.cure("memory_leak", at=at)
        return dropped

    def roll_back(self, at: datetime) -> Release | None:
        """Go back to the release before this one; None when there is none."""
        if "error_burst" in self.faults:
            self.cure("error_burst", at=at)
        elif len(self.releases) == 1:
            return None
        else:
            self.releases.pop()
        return self.releases[-1]

    def _note_problem(self, at: datetime) -> None:
        if self._disk.problem is not None:
            self.note("error", self._disk.problem, at=at)


def _seconds(since: datetime, at: datetime) -> float:
    return max(0.0, (at - since).total_seconds())  # clocks are set back, too
