"""Lately: when each action was last begun on each project, and when it last ended so."""

import sqlite3
from collections.abc import Collection, Iterator, Mapping
from datetime import datetime
from heapq import nlargest
from operator import itemgetter

from orchestrator import clock
from webhook.action import ENDED, State

Lately = Mapping[tuple[str, str, str], datetime]  # by project, action, and result

MOST = 1_000  # results that are told of: each is a series, and 20 microseconds of every page
BEGUN = "begun"
PROVEN = "proven"
ENDS = {each: PROVEN if each is State.COMPLETED else each.value for each in ENDED}

# It goes from each project to the next in the index, so to each name and to each state: so it takes
# as long as there are different ones, however often each has been. One that was long ago takes its
# time as well, and so does a project that has gone: both are left out only then.
_NEWEST = """WITH RECURSIVE whose (project) AS (
    SELECT min(project) FROM actions
    UNION ALL SELECT (SELECT min(project) FROM actions WHERE project > whose.project)
    FROM whose WHERE whose.project IS NOT NULL
), kinds (project, name) AS (
    SELECT project, (SELECT min(name) FROM actions WHERE project = whose.project)
    FROM whose WHERE project IS NOT NULL
    UNION ALL SELECT project, (
        SELECT min(name) FROM actions WHERE project = kinds.project AND name > kinds.name)
    FROM kinds WHERE kinds.name IS NOT NULL
), ends (project, name, state) AS (
    SELECT project, name, (
        SELECT min(state) FROM actions WHERE project = kinds.project AND name = kinds.name)
    FROM kinds WHERE name IS NOT NULL
    UNION ALL SELECT project, name, (
        SELECT min(state) FROM actions
        WHERE project = ends.project AND name = ends.name AND state > ends.state)
    FROM ends WHERE ends.state IS NOT NULL
)
SELECT project, name, state, (
    SELECT max(executed_at) FROM actions
    WHERE project = ends.project AND name = ends.name AND state = ends.state) AS executed_at, (
    SELECT finished_at FROM actions
    WHERE project = ends.project AND name = ends.name AND state = ends.state
    ORDER BY executed_at DESC, finished_at DESC LIMIT 1) AS finished_at
FROM ends WHERE state IS NOT NULL"""


def lately(db: sqlite3.Connection, *, since: datetime, projects: Collection[str]) -> Lately:
    """Return the newest instant of each result after *since*; where there are many, of MOST.

    Of others than *projects* nothing is told, nor do they push out what is.
    """
    earliest = clock.written(since)
    newest: dict[tuple[str, str, str], str] = {}
    for row in db.execute(_NEWEST):
        if row["project"] not in projects:
            continue
        for result, at in _told(row):
            if at is not None and at > earliest:
                key = (row["project"], row["name"], result)
                newest[key] = max(newest.get(key, at), at)
    told = nlargest(MOST, newest.items(), key=itemgetter(1))
    return {key: clock.read(at) for key, at in told}


def _told(row: sqlite3.Row) -> Iterator[tuple[str, str | None]]:
    yield BEGUN, row["executed_at"]
    if (end := ENDS.get(row["state"])) is not None:
        yield end, row["finished_at"]
