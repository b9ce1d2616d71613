"""The schedule: every project is asked again and again, and called down only when asked twice."""

import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import partial

from orchestrator import health, probe
from orchestrator.health import Probe, Reason
from orchestrator.project import Project

Ask = Callable[[Project], Awaitable[Probe]]

logger = logging.getLogger(__name__)


@dataclass(slots=True)
class Board:
    """What is known of the fleet: the last verdict on each project, and counts since the start."""

    verdicts: dict[Project, Probe] = field(default_factory=dict)
    reads: Counter[Project] = field(default_factory=Counter)
    failures: Counter[tuple[Project, Reason]] = field(default_factory=Counter)

    def note(self, project: Project, made: Probe) -> Probe:
        """Count a probe and hand it on."""
        if made.reason is None:
            self.reads[project] += 1
        else:
            self.failures[project, made.reason] += 1
        return made


async def watch(project: Project, ask: Ask, board: Board, *, first_after: float = 0.0) -> None:
    """Keep the verdict on *project* fresh until cancelled.

    *first_after* is the wait before the first probe in seconds; it spreads a fleet over its
    interval. A probe never overlaps the next one: a late one delays it instead.
    """
    loop = asyncio.get_running_loop()
    due = loop.time() + first_after
    while True:
        await asyncio.sleep(due - loop.time())
        probes = [board.note(project, p) for p in await probe.confirmed(partial(ask, project))]
        verdict = health.verdict(probes)
        before = board.verdicts.get(project)
        if before is None or before.state is not verdict.state:
            logger.info(
                "project changed",
                extra={"project": project.name, "state": str(verdict.state)}
                | ({"reason": str(verdict.reason)} if verdict.reason else {}),
            )
        board.verdicts[project] = verdict
        due = max(due + project.health_interval.total_seconds(), loop.time())
