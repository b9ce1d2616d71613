"""What the commands about hands off have in common: how times are said, and what is in force."""

from collections.abc import Iterable
from datetime import datetime, time, timedelta
from typing import Any

import click

from orchestrator import clock, duration
from orchestrator.cli.online import Hub, local, plain, zone
from orchestrator.hub import Json

RESTRAINTS = "/api/v1/restraints"


class _Length(click.ParamType[str]):
    name = "duration"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        try:
            duration.parse(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)
        return value


class _When(click.ParamType[str]):
    """An instant to come, as people write it; what names no zone is meant in this machine's."""

    name = "time"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        try:
            return clock.written(to_come(value, now=clock.now().astimezone()))
        except (ValueError, OverflowError):
            self.fail(
                f"{value!r} is no time; write it like 22:00, '2026-11-21 22:00' or"
                " 2026-11-21T22:00:00+01:00",
                param,
                ctx,
            )


def to_come(text: str, *, now: datetime) -> datetime:
    """Read `22:00`, which is today or else tomorrow, or a day with a time; raise ValueError."""
    try:
        of_day = time.fromisoformat(text)
    except ValueError:
        return datetime.fromisoformat(text).astimezone()
    if of_day.tzinfo is not None:
        raise ValueError("a zone without a day")
    today = datetime.combine(now.date(), of_day).astimezone()
    if today > now:
        return today
    return datetime.combine(now.date() + timedelta(days=1), of_day).astimezone()


LENGTH, WHEN = _Length(), _When()
REASON = click.option("--reason", required=True, help="Why; shown to everybody who asks.")


def in_force(hub: Hub, *, kind: str) -> list[Json]:
    """Return all of a *kind* that bind somebody now, or will."""
    found: list[Json] = []
    before: Any = None
    while True:
        page = hub.get(RESTRAINTS, kind=kind, limit=500, before=before)
        found += page["restraints"]
        before = page["next"]
        if before is None:
            return found


def lift(hub: Hub, found: Iterable[Json]) -> list[Json]:
    """End each of *found* now."""
    return [hub.post(f"{RESTRAINTS}/{each['id']}/lift") for each in found]


def whom(of: Json) -> str:
    """Say who is left alone."""
    return plain(of["project"] or "every project")


def line(of: Json) -> str:
    """Say all of one in a line."""
    begins = f" from {local(of['starts_at'], day=True)}" if of["starts_at"] else ""
    when = f"{begins} until {local(of['ends_at'], day=True)} {zone()}"
    said = f"{of['kind'].replace('_', ' ')} {of['id']}: {whom(of)} is left alone{when}"
    return plain(f"{said}, by {of['set_by']}: {of['reason']}")
