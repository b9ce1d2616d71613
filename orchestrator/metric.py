"""A metric: one family of a program's page, as rules and dashboards may rely on it."""

from dataclasses import dataclass
from enum import StrEnum

EVERY = "every"  # in the place of a program: all of ours


class Kind(StrEnum):
    """The Prometheus type of a metric."""

    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"


class Status(StrEnum):
    """Whether the metric is there today, and by whom."""

    EXPORTED = "exported"
    PLANNED = "planned"
    THEIRS = "theirs"  # another program's, read by our rules and dashboards


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric family. A counter's name ends in `_total`, as it stands on the page."""

    name: str
    kind: Kind
    program: str
    help: str
    labels: tuple[str, ...] = ()
    status: Status = Status.EXPORTED
