"""Spending: the ledger of the calls to models, and the budgets that nothing may overshoot.

What is reserved counts until it is settled, and for ever where nobody knows what a call did cost:
it was cut off, or the program ended. Windows are of the UTC calendar, so a restart frees nothing.
"""

import json
import sqlite3
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from orchestrator import clock
from orchestrator.prices import NANO
from webhook.analyzer.call import Denied, Ended, Window

HOUR: Final = timedelta(hours=1)
KEPT: Final = 5  # one part in so many of the dollars is kept for what is critical


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What may be spent; money in nano-dollars."""

    calls_per_hour: int
    day: int
    month: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """What is spent or reserved of the budgets at one instant; money in nano-dollars."""

    limits: Limits
    calls: int  # within the last hour
    day: int
    month: int

    @property
    def left(self) -> Limits:
        """What may still be spent, by what is critical."""
        return Limits(
            calls_per_hour=max(self.limits.calls_per_hour - self.calls, 0),
            day=max(self.limits.day - self.day, 0),
            month=max(self.limits.month - self.month, 0),
        )

    def denial(self, amount: int, *, critical: bool) -> Denied | None:
        """Say why a call that may cost *amount* must not be made; None: it may."""
        if self.calls >= self.limits.calls_per_hour:
            return Denied(
                window=Window.HOUR,
                why=f"{self.calls} calls within the last hour, and no more are allowed",
            )
        budgets = (
            (Window.DAY, "today", self.day, self.limits.day),
            (Window.MONTH, "this month", self.month, self.limits.month),
        )
        for window, when, used, limit in budgets:
            open_to = limit if critical else limit - limit // KEPT
            if used + amount > open_to:
                return Denied(window=window, why=_why(when, used, amount, limit, open_to))
        return None


def _why(when: str, used: int, amount: int, limit: int, open_to: int) -> str:
    rest = "" if open_to == limit else f", of which {_dollars(limit - open_to)} are for what is"
    return (
        f"a call may cost {_dollars(amount)}, and {when} {_dollars(used)} of {_dollars(limit)}"
        f" are spent{rest and rest + ' critical'}"
    )


def _dollars(nano: int) -> str:
    return f"${nano / NANO:.4f}"


def spent(db: sqlite3.Connection, limits: Limits, *, at: datetime) -> Spent:
    """Return what is spent of *limits*; what lies ahead, as the clock was set back, counts, too."""
    day = at.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    row = db.execute(
        "SELECT count(*) FILTER (WHERE at > :hour) AS calls,"
        " coalesce(sum(coalesce(cost, reserved)) FILTER (WHERE at >= :day), 0) AS day,"
        " coalesce(sum(coalesce(cost, reserved)) FILTER (WHERE at >= :month), 0) AS month"
        " FROM calls WHERE at >= :since",
        {
            "hour": clock.written(at - HOUR),
            "day": clock.written(day),
            "month": clock.written(day.replace(day=1)),
            "since": clock.written(min(day.replace(day=1), at - HOUR)),
        },
    ).fetchone()
    return Spent(limits=limits, calls=row["calls"], day=row["day"], month=row["month"])


def reserve(
    db: sqlite3.Connection,
    *,
    analysis: int,
    model: str,
    amount: int,
    prices: str,
    limits: Limits,
    critical: bool,
    at: datetime,
) -> int | Denied:
    """Reserve *amount* (nano-dollars) for a call of *analysis*; return its number, or why not.

    *prices* is the version of the table that it was reckoned by.
    """
    denied = spent(db, limits, at=at).denial(amount, critical=critical)
    if denied is not None:
        return denied
    made = db.execute(
        "INSERT INTO calls (analysis, at, model, reserved, prices) VALUES (?, ?, ?, ?, ?)"
        " RETURNING id",
        (analysis, clock.written(at), model, amount, prices),
    ).fetchone()
    return int(made["id"])


def settle(db: sqlite3.Connection, call: int, ended: Ended) -> bool:
    """Write down what became of a call; False: that is written already, and stays as it is."""
    usage = {} if ended.usage is None else asdict(ended.usage)
    found = db.execute(
        "UPDATE calls SET cost = ?, outcome = ?, status = ?, retry_after = ?, milliseconds = ?,"
        " message = ?, request_id = ?, stop_reason = ?, refusal = ?, usage = ?"
        " WHERE id = ? AND outcome IS NULL",
        (
            ended.cost,
            ended.outcome,
            ended.status,
            ended.retry_after,
            round(ended.seconds * 1000),
            ended.message,
            ended.request_id,
            ended.stop_reason,
            ended.refusal,
            json.dumps(usage),
            call,
        ),
    )
    return found.rowcount == 1
