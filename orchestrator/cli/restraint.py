"""What the commands about hands off have in common: how times are said, and what is in force."""

from collections.abc import Iterable
from datetime import datetime, time, timedelta
from typing import Any

import click

from orchestrator import clock
from orchestrator.cli.online import Hub, local, plain, zone
from orchestrator.hub import Json
from orchestrator.length import Length

RESTRAINTS = "/api/v1/restraints"
LATE = timedelta(hours=1)  # who says 22:00 at 22:05 does not mean tomorrow


class _When(click.ParamType[str]):
    """An instant as people write it; what it means is for `spanned` to say."""

    name = "time"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        try:
            to_come(value, now=clock.now().astimezone())
        except (ValueError, OverflowError):
            self.fail(
                f"{value!r} is no time; write it like 22:00, '2026-11-21 22:00' or"
                " 2026-11-21T22:00:00+01:00",
                param,
                ctx,
            )
        return value


def to_come(text: str, *, now: datetime) -> datetime:
    """Read `22:00`, which is the first after *now*, or a day with a time; raise ValueError.

    What names no zone is meant in that of this machine.
    """
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


def spanned(
    starts: str | None, ends: str | None, *, now: datetime
) -> tuple[str | None, str | None]:
    """Return the instants that a begin and an end mean, as the API has them; None for none.

    A begin without a day is the next one, or that of less than an hour ago; an end without a day
    is the first after the begin. An end that is not after the begin is a wrong option.
    """
    try:
        begin = to_come(starts, now=now - LATE) if starts else None
        end = to_come(ends, now=begin or now) if ends else None
        begins = clock.written(begin) if begin else None
        over = clock.written(end) if end else None
        latest = clock.written(max(begin or now, now))
    except (ValueError, OverflowError) as error:
        raise click.UsageError("it lies at the end of the calendar, or beyond") from error
    if over is not None and over <= latest:
        shown = [f"{local(each, day=True)} {zone(each)}" for each in (latest, over)]
        raise click.UsageError("it would begin at {} and end at {}: not later".format(*shown))
    return begins, over


LENGTH, WHEN = Length(), _When()
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
    """End each of *found* now; what another has just ended keeps no other in force."""
    lifted = (hub.once(f"{RESTRAINTS}/{each['id']}/lift") for each in found)
    return [each for each in lifted if each is not None]


def whom(of: Json) -> str:
    """Say who is left alone."""
    return plain(of["project"] or "every project")


def line(of: Json) -> str:
    """Say all of one in a line."""
    begins = f" from {local(of['starts_at'], day=True)}" if of["starts_at"] else ""
    named = zone(of["starts_at"], of["ends_at"])
    when = f"{begins} until {local(of['ends_at'], day=True)} {named}"
    said = f"{of['kind'].replace('_', ' ')} {of['id']}: {whom(of)} is left alone{when}"
    return plain(f"{said}, by {of['set_by']}: {of['reason']}")
