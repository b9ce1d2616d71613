"""A page of metrics, as the text that a program serves: what is read from it, and nothing else."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from math import inf, isinf, nan

from orchestrator.errors import OrchestratorError

_LINE = re.compile(r"(?P<name>[a-zA-Z_:][\w:]*)(?:\{(?P<labels>.*)\})? (?P<value>\S+)(?: .*)?")
_LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')

Labels = frozenset[tuple[str, str]]


class Missing(OrchestratorError):
    """The exporter does not serve a metric that the benchmark reads."""

    def __init__(self, name: str) -> None:
        super().__init__(f"the exporter's page has no {name}, which the benchmark has to read")


@dataclass(frozen=True, slots=True)
class Page:
    """The series of a page by name and labels, and the families that it announces."""

    families: frozenset[str]
    series: dict[tuple[str, Labels], float]


@dataclass(frozen=True, slots=True)
class Histogram:
    """How many values are not above each bound; the bounds rise, and the last one is inf."""

    below: tuple[tuple[float, float], ...]
    total: float  # the sum of all values

    @property
    def count(self) -> float:
        """How many values there are."""
        return self.below[-1][1]

    @property
    def mean(self) -> float:
        """The average value; not a number when there is none."""
        return self.total / self.count if self.count else nan

    @property
    def slowest(self) -> float:
        """The bound of the highest bucket that holds a value; no value is above it."""
        return max((high for _, high, held in self._buckets() if held), default=nan)

    def since(self, before: "Histogram") -> "Histogram":
        """Return what came after *before*, which is an earlier reading of the same histogram."""
        earlier = dict(before.below)
        below = tuple((bound, count - earlier.get(bound, 0)) for bound, count in self.below)
        return Histogram(below, self.total - before.total)

    def quantile(self, share: float) -> float:
        """Estimate the value that *share* of all values are not above, as Prometheus does.

        The values of a bucket are taken as spread evenly over it. Above the last bound but inf
        nothing is known, so that bound is returned.
        """
        rest = share * self.count
        for low, high, held in self._buckets():
            if held and held >= rest:
                return low if isinf(high) else low + (high - low) * rest / held
            rest -= held
        return nan

    def _buckets(self) -> Iterator[tuple[float, float, float]]:
        for (low, under), (high, until) in pairwise(((0.0, 0.0), *self.below)):
            yield low, high, until - under


def parse(text: str, *, prefix: str) -> Page:
    """Read every series of the text format whose name begins with *prefix*."""
    lines = text.splitlines()
    types = [line.split(" ") for line in lines if line.startswith(f"# TYPE {prefix}")]
    found = (_LINE.fullmatch(line) for line in lines if line.startswith(prefix))
    return Page(
        families=frozenset(words[2] for words in types),
        series={
            (line["name"], frozenset(_LABEL.findall(line["labels"] or ""))): float(line["value"])
            for line in found
            if line
        },
    )


def gauge(page: Page, name: str) -> float:
    """Return the one value of *name*; raise Missing."""
    try:
        return page.series[name, frozenset()]
    except KeyError:
        raise Missing(name) from None


def counter(page: Page, name: str, label: str) -> dict[str, float]:
    """Return the values of *name* by its one *label*, none while nothing is counted.

    Raises Missing when the page does not even announce the family.
    """
    if name not in page.families:
        raise Missing(name)
    return {dict(labels)[label]: value for labels, value in _of(page, name)}


def histogram(page: Page, name: str, **labels: str) -> Histogram:
    """Return the histogram *name* with exactly *labels*; raise Missing."""
    wanted = frozenset(labels.items())
    below = sorted(
        (inf if dict(found)["le"] == "+Inf" else float(dict(found)["le"]), value)
        for found, value in _of(page, f"{name}_bucket")
        if frozenset(pair for pair in found if pair[0] != "le") == wanted
    )
    total = page.series.get((f"{name}_sum", wanted))
    if not below or total is None:
        raise Missing(" ".join([name, *(f"{key}={value}" for key, value in labels.items())]))
    return Histogram(tuple(below), total)


def _of(page: Page, name: str) -> Iterator[tuple[Labels, float]]:
    return ((labels, value) for (found, labels), value in page.series.items() if found == name)
