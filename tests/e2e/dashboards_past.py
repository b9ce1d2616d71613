"""The past of a fleet that the demo has just started: what Prometheus and the webhook remember.

Without it nothing could be said of budgets, which look back for hours, nor of how right the
analyzer was, of which a healing tells only after half an hour.
"""

import asyncio
import sqlite3
from asyncio.subprocess import PIPE, STDOUT
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from sqlite_utils import Database

from orchestrator import clock
from orchestrator.demo.stack import PROJECTS
from webhook.store import schema

CLIENT: Final = {"email-blast": "acme"}  # the label `client` of the projects that have one
LONGEST: Final = 20  # seconds that promtool may take; it takes one
STEP: Final = timedelta(minutes=1)
FIVE: Final = timedelta(minutes=5)
RIGHT: Final = 9  # answers of the analyzer that turned out to be so
WRONG: Final = 3
MODEL: Final = "claude-sonnet-5-5"


async def remembered(promtool: Path, folder: Path, *, length: timedelta, end: datetime) -> None:
    """Write into the *folder* of a Prometheus how its rules saw the fleet up, for a *length*.

    That Prometheus must not run. Raises OSError when promtool or *folder* is not there; an
    AssertionError says what promtool printed when it did not write, and TimeoutError is raised
    when it takes too long.
    """
    text = folder.with_suffix(".om")
    text.write_text("".join([*_lines(end - length, end), "# EOF\n"]), encoding="utf-8")
    await _run(promtool, "tsdb", "create-blocks-from", "openmetrics", "--quiet", text, folder)
    text.unlink()


async def _run(*command: str | Path) -> None:
    running = await asyncio.create_subprocess_exec(*command, stdout=PIPE, stderr=STDOUT)
    try:
        async with asyncio.timeout(LONGEST):
            printed, _ = await running.communicate()
    finally:
        if running.returncode is None:
            running.kill()
            await running.wait()
    assert running.returncode == 0, printed.decode(errors="replace")


def _lines(begin: datetime, end: datetime) -> Iterator[str]:
    for place, project in enumerate(PROJECTS):
        client = f'client="{CLIENT[project]}",' if project in CLIENT else ""
        for name, step in (("project:project_up:max", STEP), ("project:project_up:mean5m", FIVE)):
            series = f'{name}{{{client}project="{project}"}}'
            yield from (
                f"{series} {_up(place, at)} {at.timestamp():.0f}\n"
                for at in _instants(begin, end, step)
            )


def _instants(begin: datetime, end: datetime, step: timedelta) -> Iterator[datetime]:
    while begin < end:
        yield begin
        begin += step


def _up(place: int, at: datetime) -> float:
    """Return how much of five minutes a project was up: each is down a little, now and then."""
    return 0.95 if (at.hour, at.minute // 5) == (3 + place, 7) else 1.0


def judged(database: Path, *, now: datetime) -> None:
    """Make the *database* of a webhook: what the analyzer said yesterday, and what came of it."""
    then = now - timedelta(hours=20)
    with closing(sqlite3.connect(database)) as db, db:
        schema.migrate(Database(db))
        for number in range(RIGHT + WRONG):
            state = "completed" if number < RIGHT else "failed"
            _answer(db, number, clock.written(then + number * FIVE), state)


def _answer(db: sqlite3.Connection, number: int, at: str, state: str) -> None:
    about = ("chatbot", "ProjectHighMemory")
    [incident] = db.execute(
        "INSERT INTO incidents (project, state, since, opened_at, ended_at)"
        " VALUES ('chatbot', 'resolved', ?, ?, ?) RETURNING id",
        (at, at, at),
    ).fetchone()
    db.execute(
        "INSERT INTO actions (key, incident, project, name, alertname, attempt, state,"
        " created_at, executed_at, finished_at, detail, opened_at)"
        " VALUES (?, ?, ?, 'clear_cache', ?, 1, ?, ?, ?, ?, '', ?)",
        (f"past-{number}", incident, *about, state, at, at, at, at),
    )
    sure = 0.95 if state == "completed" else 0.72
    db.execute(
        "INSERT INTO analyses (incident, project, alertname, opened_at, attempts, state, asked_at,"
        " answered_at, analyzer, model, decision, decided_at, raw, calibrated, effective, action,"
        " key) VALUES (?, ?, ?, ?, 0, 'answered', ?, ?, 'claude', ?, 'auto', ?, ?, ?, ?,"
        " 'clear_cache', ?)",
        (incident, *about, at, at, at, MODEL, at, sure, sure, sure, f"past-{number}"),
    )
