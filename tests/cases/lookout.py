"""What a test sees of a whole stack, in the database of its webhook, and waits for."""

import json
import sqlite3
from contextlib import closing

from tests.e2e.conftest import Live, names_of
from tests.waiting import until


async def until_held(live: Live, project: str, why: str) -> None:
    """Wait until its incident is held, and says *why*; the beginning is enough."""

    async def held() -> bool:
        found = rows(live, "SELECT held FROM incidents WHERE project = ?", project)
        return any(str(row["held"]).startswith(why) for row in found)

    await until(held, within=40, what=f"{project} held: {why}")


async def until_ended(live: Live, project: str, count: int) -> None:
    """Wait until Alertmanager has told the end of so many episodes of *project*."""

    async def ended() -> bool:
        told = "SELECT id FROM episodes WHERE project = ? AND how = 'resolved'"
        return len(rows(live, told, project)) == count

    await until(ended, within=30, what=f"resolved of {project}")


async def until_looked_at(live: Live, project: str, times: int) -> None:
    """Wait until the webhook has looked at it so many times more."""
    seen = set()

    async def looked() -> bool:
        [row] = rows(live, "SELECT due_at FROM incidents WHERE project = ?", project)
        seen.add(row["due_at"])
        return len(seen) > times

    await until(looked, within=60, what=f"{times} looks at {project}")


async def until_fires_again(live: Live, project: str) -> None:
    """Wait until an episode of it is open."""

    async def fires() -> bool:
        going = "SELECT id FROM episodes WHERE project = ? AND ended_at IS NULL"
        return bool(rows(live, going, project))

    await until(fires, within=40, what=f"a new episode of {project}")


async def until_told(live: Live, project: str, name: str, *, times: int = 1) -> None:
    """Wait until the event *name* was told of it so often."""

    async def told() -> bool:
        return names_of(await live.events(), project).count(name) == times

    await until(told, within=40, what=f"{name} of {project}")


def incidents(live: Live) -> dict[str, list[str]]:
    """Return the states of all incidents by project, the oldest first."""
    found: dict[str, list[str]] = {}
    for row in rows(live, "SELECT project, state FROM incidents ORDER BY id"):
        found.setdefault(row["project"], []).append(row["state"])
    return found


def rows(live: Live, query: str, *values: str) -> list[sqlite3.Row]:
    """Read the database beside the running webhook."""
    uri = f"file:{live.stack.folder / 'orchestrator.db'}?mode=ro"
    with closing(sqlite3.connect(uri, uri=True, timeout=5)) as db:
        db.row_factory = sqlite3.Row
        return db.execute(query, values).fetchall()


def how_closed(live: Live, project: str) -> list[str]:
    """Return how each of its incidents that was closed came to that, the oldest first."""
    closed = "SELECT data FROM events WHERE project = ? AND name = 'IncidentClosed' ORDER BY id"
    return [str(json.loads(row["data"])["how"]) for row in rows(live, closed, project)]
