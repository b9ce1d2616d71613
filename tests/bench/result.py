"""What a benchmark found, and whether it is what should hold."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil

from tests.bench.setup import Pace

RATIO_MOST = 0.25  # of the peer's CPU time, exporter and Prometheus together, at 500 projects
LAG_P99_MOST = 0.050  # seconds, at 5,000 projects, like the next two
PEAK_MOST = 120_000_000  # bytes
SCRAPE_MOST = 0.015  # seconds of the loop, on average, for each of the two parts
FLEET_MOST = 0.5  # of one core; beyond it the targets may be what is measured
TARGET_P99_MOST = 0.020  # seconds; the same
WORK_SLACK = 0.02  # of the probes that the intervals make
EDGE = 2  # probes more or less, that begin on one side of the window and end on the other


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What one program took: CPU in the window, memory at its highest since its start."""

    cpu_seconds: float
    peak_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Targets:
    """How the targets did, as seen from outside of what is measured."""

    cpu_share: float  # of one core
    p50: float  # seconds for a whole answer on a new connection
    p99: float
    slowest: float
    samples: int
    answered: Mapping[str, float]  # requests of the measured programs, by endpoint


@dataclass(frozen=True, slots=True, kw_only=True)
class Scrape:
    """What it takes to serve one part of our page, in seconds of the loop."""

    mean: float
    slowest: float  # no scrape was above it: the bound of its bucket


@dataclass(frozen=True, slots=True, kw_only=True)
class Loop:
    """What our exporter says of itself; the peer has nothing like it. All in seconds."""

    lag_p50: float
    lag_p99: float
    lag_max: float  # since the start, the warm-up included
    due: Mapping[str, float]
    skipped: Mapping[str, float]
    void: Mapping[str, float]
    health: Scrape
    resources: Scrape
    wall: float  # both parts in one request, seen from outside; the median of a few
    page_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What a side did in the window."""

    made: Mapping[str, float]  # probes, by endpoint
    up: int  # projects that it calls up at the end
    loop: Loop | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One side, measured once."""

    side: str
    projects: int
    seconds: int
    pace: Pace
    exporter: Cost
    prometheus: Cost
    targets: Targets
    seen: Seen

    @property
    def cpu_seconds(self) -> float:
        """What exporter and Prometheus took together."""
        return self.exporter.cpu_seconds + self.prometheus.cpu_seconds


@dataclass(frozen=True, slots=True)
class Verdict:
    """Something that should hold, and whether it does."""

    holds: bool
    what: str


def ratio(run: Run, runs: Sequence[Run]) -> float | None:
    """Return the CPU time of *run* by that of the peer that did the same; None without one."""
    peers = [
        peer
        for peer in runs
        if peer.seen.loop is None and (peer.projects, peer.pace) == (run.projects, run.pace)
    ]
    if run.seen.loop is None or not peers or not peers[0].cpu_seconds:
        return None
    return run.cpu_seconds / peers[0].cpu_seconds


def verdicts(runs: Sequence[Run]) -> list[Verdict]:
    """Judge every run: whether it counts at all, and what should hold at 500 and at 5,000."""
    found = []
    for run in runs:
        found += [_targets(run), _work(run)]
        share = ratio(run, runs)
        if run.projects == 500 and share is not None:
            found.append(_at_most(run, "of the peer's CPU time", share, RATIO_MOST))
        if run.projects == 5000 and run.seen.loop:
            found += _timely(run, run.seen.loop)
    return found


def _timely(run: Run, loop: Loop) -> list[Verdict]:
    peak = run.exporter.peak_bytes / 1e6
    return [
        _at_most(run, "probes skipped", sum(loop.skipped.values()), 0),
        _at_most(run, "ms of tick lag at p99", loop.lag_p99 * 1000, LAG_P99_MOST * 1000),
        _at_most(run, "MB at the peak of the exporter", peak, PEAK_MOST / 1e6),
        _at_most(run, "ms for a scrape of health", loop.health.mean * 1000, SCRAPE_MOST * 1000),
        _at_most(
            run, "ms for a scrape of resources", loop.resources.mean * 1000, SCRAPE_MOST * 1000
        ),
    ]


def _targets(run: Run) -> Verdict:
    seen = run.targets
    what = (
        f"{_title(run)}: the targets take {seen.cpu_share:.0%} of a core (at most"
        f" {FLEET_MOST:.0%}) and answer in {seen.p99 * 1000:.1f} ms at p99"
        f" (at most {TARGET_P99_MOST * 1000:.0f})"
    )
    return Verdict(seen.cpu_share <= FLEET_MOST and seen.p99 <= TARGET_P99_MOST, what)


def _work(run: Run) -> Verdict:
    """Judge whether *run* did its work: else its cost says nothing."""
    counted = {"probes made": run.seen.made, "requests answered": run.targets.answered}
    lacking = [
        f"{by.get(name, 0):.0f} {what} of {name}"
        f" instead of {run.projects * run.seconds / every:.0f}"
        for what, by in counted.items()
        for name, every in run.pace.intervals.items()
        if not _is_due(run, by.get(name, 0), every)
    ]
    if run.seen.up != run.projects:
        lacking.append(f"{run.seen.up} projects up")
    return Verdict(not lacking, f"{_title(run)}: {', '.join(lacking) or 'did all its work'}")


def _is_due(run: Run, count: float, every: int) -> bool:
    """Tell whether *count* probes are what an interval makes in the window.

    Where the window holds no whole number of intervals, one probe more or less of each project
    is what it makes, too.
    """
    fewest = run.projects * (run.seconds // every)
    most = run.projects * ceil(run.seconds / every)
    return fewest * (1 - WORK_SLACK) - EDGE <= count <= most * (1 + WORK_SLACK) + EDGE


def _at_most(run: Run, what: str, value: float, most: float) -> Verdict:
    return Verdict(value <= most, f"{_title(run)}: {value:.3g} {what} (at most {most:g})")


def _title(run: Run) -> str:
    return f"{run.projects} projects, {run.side}"
