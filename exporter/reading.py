"""A reading: the figures in one answer of `/metrics` or `/status`, in base units."""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from exporter.samples import samples
from orchestrator import clock
from orchestrator.answer import Answer, Reason, decoded
from orchestrator.gauge import PREFIX
from orchestrator.project import Gauge

Find = Callable[[str], object]  # a source -> what stands there, None for nothing
Open = Callable[[Answer], tuple[Find, tuple[Reason, ...]]]
Part = Callable[[Find], Iterable[tuple[str, float | None]]]  # metrics; None is no figure
NOT_OFFERED = 404


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What an answer gave: values by the name of their metric, and what was wrong, if anything."""

    good: bool  # an answer of the contract, though single figures of it may be wrong
    values: Mapping[str, float] = field(default_factory=dict)
    wrong: tuple[Reason, ...] = ()


@dataclass(frozen=True, slots=True)
class _Figure:
    """Where a metric is read from, and the bounds of what can be: low <= value <= high."""

    metric: str
    source: str
    high: float
    per: float = 1.0


_METRICS = (
    _Figure("project_cpu_usage_ratio", "cpu_percent", 100, 100),
    _Figure("project_cpu_usage_ratio", "cpu_usage_ratio", 1),
    _Figure("project_memory_usage_ratio", "memory_percent", 100, 100),
    _Figure("project_memory_usage_ratio", "memory_usage_ratio", 1),
    _Figure("project_error_ratio", "error_percent", 100, 100),
    _Figure("project_error_ratio", "error_ratio", 1),
    _Figure("project_requests_per_second", "requests_per_second", 1e9),
)
_STATUS = (
    _Figure("project_queue_length", "queue_length", 1e12),
    _Figure("project_cache_bytes", "cache_bytes", 2.0**60),
)


def of_metrics(answer: Answer, gauges: Iterable[Gauge] = ()) -> Reading:
    """Read an answer of `/metrics`, in JSON or in either text format of Prometheus."""
    return _read(answer, _opened, (_standard(_METRICS), _own(gauges)))


def of_status(answer: Answer) -> Reading:
    """Read an answer of `/status`, in JSON."""
    return _read(answer, _labelled, (_standard(_STATUS), _deployed))


def _read(answer: Answer, opened: Open, parts: Iterable[Part]) -> Reading:
    if answer.reason:
        offered = answer.status != NOT_OFFERED
        return Reading(good=False, wrong=(answer.reason,) if offered else ())
    try:
        find, label = opened(answer)
    except ValueError:
        known = answer.is_json or answer.media_type in _ENDS
        return Reading(good=False, wrong=(Reason.BODY if known else Reason.CONTENT_TYPE,))
    values, wrong = {}, set(label)
    for metric, value in (each for part in parts for each in part(find)):
        if value is None:
            wrong.add(Reason.VALUE)
        else:
            values[metric] = value
    return Reading(good=True, values=values, wrong=tuple(sorted(wrong)))


def _opened(answer: Answer) -> tuple[Find, tuple[Reason, ...]]:
    """Return how to find things in the answer, and whether its label is wrong; or ValueError."""
    end = _ENDS.get(answer.media_type)
    if end is None or answer.body.lstrip().startswith(b"{"):  # many label JSON as text
        return _labelled(answer)
    return samples(answer.body.decode(), end=end).get, ()


_ENDS = {"text/plain": "", "application/openmetrics-text": "# EOF\n"}


def _labelled(answer: Answer) -> tuple[Find, tuple[Reason, ...]]:
    return _json(answer.body), () if answer.is_json else (Reason.CONTENT_TYPE,)


def _json(body: bytes) -> Find:
    whole = decoded(body)
    if not isinstance(whole, dict):
        raise ValueError("not an object")  # noqa: TRY004  all that is wrong with a body is one

    def find(source: str) -> object:
        at: object = whole
        for step in source.split("."):
            at = at.get(step) if isinstance(at, dict) else None
        return at

    return find


def _standard(figures: Iterable[_Figure]) -> Part:
    def read(find: Find) -> Iterator[tuple[str, float | None]]:
        for figure in figures:
            said = find(figure.source)
            if said is not None:
                value = _number(said)
                fits = value is not None and 0 <= value <= figure.high
                yield figure.metric, _scaled(value, 1, figure.per) if fits else None

    return read


def _own(gauges: Iterable[Gauge]) -> Part:
    def read(find: Find) -> Iterator[tuple[str, float | None]]:
        for gauge in gauges:
            said = find(gauge.source)
            if said is not None:
                yield PREFIX + gauge.name, _scaled(_number(said), gauge.times, gauge.per)

    return read


def _deployed(find: Find) -> Iterator[tuple[str, float | None]]:
    said = find("deployed_at")
    if said is not None:
        try:
            at = clock.read(str(said)).timestamp()
        except ValueError:
            at = -1.0
        yield "project_deployed_timestamp_seconds", at if at >= 0 else None


def _number(said: object) -> float | None:
    if isinstance(said, bool) or not isinstance(said, int | float):
        return None
    try:
        return _finite(float(said))
    except OverflowError:
        return None


def _scaled(value: float | None, times: float, per: float) -> float | None:
    """Convert to a base unit, cut to 12 digits: 27.4 percent are 0.274 and not 0.27399999999."""
    if value is None or times == per:
        return value
    return _finite(float(f"{value * times / per:.12g}"))


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
