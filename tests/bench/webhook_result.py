"""What the benchmark of the webhook found, and whether it is what should hold."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from tests.bench.result import Verdict
from tests.bench.table import markdown
from tests.bench.webhook_load import Load

STORM = Load(alerts=1, connections=640)  # the shape of a storm with our grouping
GROUPS = Load(alerts=10, connections=32)
RATE_LEAST = 3_000  # messages a second, of these two
P99_MOST = 0.010  # seconds, of the second
BIG = 3_000  # alerts in one body
BIG_MOST = 1.0  # seconds until it is answered
SENDER_MOST = 0.8  # of its core; beyond it the sender may be what is measured
GOOD = "200"


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """What is in the database at the end, the warm-up included."""

    notifications: int
    episodes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One load, sent to one side. Times are in seconds."""

    side: str
    load: Load
    seconds: float  # of the window
    messages: int  # answered in it
    p50: float
    p99: float
    slowest: float
    cpu_seconds: float  # of the receiver in the window
    sender_share: float  # of its core
    flushes: int | None  # of the disk in the window, whoever asked for them; None: not known
    statuses: Mapping[str, int]  # of all answers, the warm-up included, and so the next
    broken: int
    kept: Kept | None  # None: a side that keeps nothing

    @property
    def rate(self) -> float:
        """Messages a second."""
        return self.messages / self.seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Big:
    """One body with very many alerts, sent a few times."""

    side: str
    bytes: int
    slowest: float  # seconds
    statuses: Mapping[str, int]
    kept: Kept | None


def compared(run: Run, runs: Sequence[Run]) -> float | None:
    """Return the run's rate as a multiple of the peer's for the same load; None without a peer."""
    if run.kept is None:
        return None
    of_peer = [
        each.rate
        for each in runs
        if each.kept is None
        and (each.load.alerts, each.load.connections) == (run.load.alerts, run.load.connections)
    ]
    return run.rate / of_peer[0] if of_peer and of_peer[0] else None


def verdicts(runs: Sequence[Run], bodies: Sequence[Big]) -> list[Verdict]:
    """Judge everything that should hold of what was measured."""
    return [
        *(each for run in runs if run.kept for each in _speed(run)),
        *(_big(each) for each in bodies if each.kept),
        *(each for run in runs for each in _sound(run)),
    ]


def _name(run: Run) -> str:
    of = "1 alert" if run.load.alerts == 1 else f"{run.load.alerts} alerts"
    return f"{run.side}, {of} ({run.load.which}) over {run.load.connections} connections"


def _speed(run: Run) -> list[Verdict]:
    judged = []
    if run.load in (STORM, GROUPS):
        what = f"{_name(run)}: {run.rate:,.0f} messages/s, {RATE_LEAST:,} at least"
        judged.append(Verdict(what=what, holds=run.rate >= RATE_LEAST))
    if run.load == GROUPS:
        what = f"{_name(run)}: p99 {run.p99 * 1000:.1f} ms, {P99_MOST * 1000:.0f} ms at most"
        judged.append(Verdict(what=what, holds=run.p99 <= P99_MOST))
    return judged


def _big(big: Big) -> Verdict:
    sent = sum(big.statuses.values())
    complete = Kept(notifications=sent, episodes=sent * BIG)
    holds = big.slowest <= BIG_MOST and set(big.statuses) == {GOOD} and big.kept == complete
    return Verdict(
        what=f"{big.side}, a body of {BIG:,} alerts and {big.bytes / 1e6:.1f} MB:"
        f" stored and answered in {big.slowest:.2f} s, {BIG_MOST:.0f} s at most",
        holds=holds,
    )


def _sound(run: Run) -> list[Verdict]:
    """Judge what has to hold lest the figures mean nothing."""
    answered = sum(run.statuses.values())
    refused = answered - run.statuses.get(GOOD, 0)
    judged = [
        Verdict(
            what=f"{_name(run)}: {refused:,} of {answered:,} messages refused,"
            f" {run.broken} without an answer",
            holds=refused == 0 and run.broken == 0 and run.messages > 0,
        ),
        Verdict(
            what=f"{_name(run)}: the sender took {run.sender_share:.0%} of its core,"
            f" {SENDER_MOST:.0%} at most",
            holds=run.sender_share <= SENDER_MOST,
        ),
    ]
    if run.kept:
        alerts = run.load.distinct or answered * run.load.alerts
        told = Kept(notifications=answered, episodes=min(alerts, answered * run.load.alerts))
        what = (
            f"{_name(run)}: {run.kept.notifications:,} of {told.notifications:,} messages stored,"
            f" {run.kept.episodes:,} of {told.episodes:,} alerts"
        )
        judged.append(Verdict(what=what, holds=run.kept == told))
    return judged


def render(runs: Sequence[Run], bodies: Sequence[Big]) -> str:
    """Return both tables."""
    shown = [("Messages", _loads(runs)), (f"One body of {BIG:,} alerts", _bodies(bodies))]
    return "\n".join(f"{title}:\n\n{markdown(rows)}\n" for title, rows in shown if rows[1:])


def _loads(runs: Sequence[Run]) -> list[list[str]]:
    heading = (
        *("load", "side", "messages/s", "of the peer", "alerts/s", "p50 ms", "p99", "max"),
        *("CPU s", "us a message", "flushes/s", "sender"),
    )
    return [list(heading), *(_row(run, compared(run, runs)) for run in runs)]


def _row(run: Run, multiple: float | None) -> list[str]:
    load = run.load
    return [
        f"{load.alerts} x {load.connections}, {load.which}",
        run.side,
        f"{run.rate:,.0f}",
        "" if multiple is None else f"{multiple:.1f}x",
        f"{run.rate * load.alerts:,.0f}",
        *(f"{each * 1000:.1f}" for each in (run.p50, run.p99, run.slowest)),
        f"{run.cpu_seconds:.2f}",
        f"{run.cpu_seconds / max(run.messages, 1) * 1e6:.0f}",
        "" if run.flushes is None else f"{run.flushes / run.seconds:,.0f}",
        f"{run.sender_share:.0%}",
    ]


def _bodies(bodies: Sequence[Big]) -> list[list[str]]:
    return [
        ["side", "sent", "MB", "slowest ms", "alerts stored"],
        *(
            [
                each.side,
                f"{sum(each.statuses.values())}",
                f"{each.bytes / 1e6:.1f}",
                f"{each.slowest * 1000:.0f}",
                f"{each.kept.episodes:,}" if each.kept else "",
            ]
            for each in bodies
        ),
    ]


def as_json(runs: Sequence[Run], bodies: Sequence[Big], about: Mapping[str, Any]) -> dict[str, Any]:
    """Return everything as one object of JSON."""
    return {
        **about,
        "runs": [asdict(run) | {"of_the_peer": compared(run, runs)} for run in runs],
        "bodies": [asdict(each) for each in bodies],
        "verdicts": [asdict(each) for each in verdicts(runs, bodies)],
    }
