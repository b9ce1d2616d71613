"""A gauge: a figure of a project's own, its name as a metric, and its way to base units."""

import re

from orchestrator.metrics import METRICS
from orchestrator.project import Gauge

PREFIX = "project_"
SOURCE_LIMIT = 200  # characters
ENDINGS = ("_total", "_count", "_sum", "_bucket", "_info")  # they say another type to Prometheus
UNITS: dict[str, tuple[str, float, float]] = {  # unit -> base unit, times, per
    "percent": ("ratio", 1, 100),
    "us": ("seconds", 1, 1_000_000),
    "ms": ("seconds", 1, 1000),
    "milliseconds": ("seconds", 1, 1000),
    "minutes": ("seconds", 60, 1),
    "hours": ("seconds", 3600, 1),
    "days": ("seconds", 86_400, 1),
    "kb": ("bytes", 1000, 1),
    "mb": ("bytes", 1000**2, 1),
    "gb": ("bytes", 1000**3, 1),
    "kib": ("bytes", 1024, 1),
    "mib": ("bytes", 1024**2, 1),
    "gib": ("bytes", 1024**3, 1),
}


def gauge(name: str, source: str) -> Gauge:
    """Return the gauge *name* that is read from *source*; raise ValueError.

    *source* is a path of keys with dots between them, or the name of a sample in the Prometheus
    text format. Its last word tells its unit, and what is no base unit is converted to one, so
    *name* has to end in that: https://prometheus.io/docs/practices/naming/#base-units
    """
    if not re.fullmatch(r"[a-z][a-z0-9_]{0,59}", name):
        raise ValueError(f"{name!r} is no name of a metric; use a-z, 0-9 and _, 60 at most")
    if name.startswith(PREFIX):
        raise ValueError(f"{PREFIX} is put before it; write {name.removeprefix(PREFIX)}")
    if name.endswith(ENDINGS):
        raise ValueError(f"a gauge does not end in {' or '.join(ENDINGS)}")
    if PREFIX + name in METRICS:
        raise ValueError(f"{PREFIX}{name} is a metric of the orchestrator's own")
    if not re.fullmatch(r"[^\s.]+(\.[^\s.]+)*", source) or len(source) > SOURCE_LIMIT:
        raise ValueError(f"{source!r} is no path like business.response_rate")
    unit = re.split(r"[._]", source.partition("{")[0])[-1].lower()  # of a sample with labels
    base, times, per = UNITS.get(unit, ("", 1, 1))
    if base and not name.endswith(f"_{base}"):
        raise ValueError(f"{source} is in {unit}, which becomes {base}; end the name in _{base}")
    return Gauge(name=name, source=source, times=times, per=per)
