"""The page: what Prometheus reads, kept as finished lines and joined when it is asked for."""

from collections.abc import Iterable, Iterator
from enum import StrEnum

from orchestrator.metrics import Kind, exported

STEADY = {"project_up", "project_threshold_ratio"}  # worth keeping joined, at twice the memory
CHUNK = 256 * 1024  # bytes that are handed out at once; a page of 5,000 projects has 8 MB


class Part(StrEnum):
    """What `collect[]` names. No series is in both."""

    HEALTH = "health"  # project_up alone: a scrape a second costs Prometheus next to nothing
    RESOURCES = "resources"


class Family:
    """One metric of all projects: its header, and the lines of each project."""

    def __init__(self, name: str, kind: Kind, about: str) -> None:
        self._is_steady = name in STEADY
        plain = name.removesuffix("_total") if kind is Kind.COUNTER else name
        about = _escaped_help(about)
        self._headers = {
            False: f"# HELP {name} {about}\n# TYPE {name} {kind}\n".encode(),
            True: f"# HELP {plain} {about}\n# TYPE {plain} {kind}\n".encode(),  # OpenMetrics
        }
        self._lines: dict[str, bytes] = {}
        self._joined: bytes | None = None  # as long as nothing changes

    def put(self, project: str, lines: str) -> None:
        """Set the lines of *project*, each with its end; none takes it off."""
        written = lines.encode()
        if self._lines.get(project, b"") == written:
            return
        self._joined = None
        if written:
            self._lines[project] = written
        else:
            del self._lines[project]

    def text(self, *, openmetrics: bool) -> bytes:
        """Return header and lines."""
        joined = b"".join(self._lines.values()) if self._joined is None else self._joined
        if self._is_steady:
            self._joined = joined
        return self._headers[openmetrics] + joined

    @property
    def is_empty(self) -> bool:
        """Whether no project has a line."""
        return not self._lines


class Page:
    """Every family, in an order that does not change. One writer, the event loop."""

    def __init__(self) -> None:
        self._families = {
            metric.name: Family(metric.name, metric.kind, metric.help)
            for metric in exported("exporter").values()
            if metric.name.startswith("project_")
        }
        self._own: dict[str, Family] = {}  # the gauges of configurations

    def put(self, metric: str, project: str, lines: str) -> None:
        """Set the lines of *project* in *metric*; a metric not known yet is a gauge."""
        self._family(metric).put(project, lines)
        if metric in self._own and self._own[metric].is_empty:
            del self._own[metric]

    def drop(self, project: str) -> None:
        """Take every line of *project* off."""
        for metric in [*self._families, *self._own]:
            self.put(metric, project, "")

    def chunks(self, parts: Iterable[Part], *, openmetrics: bool) -> Iterator[bytes]:
        """Hand out the page in pieces, so that a page of megabytes is in memory once."""
        piece: list[bytes] = []
        length = 0
        for family in self._of(frozenset(parts)):
            text = family.text(openmetrics=openmetrics)
            piece.append(text)
            length += len(text)
            if length >= CHUNK:
                yield b"".join(piece)
                piece, length = [], 0
        if piece:
            yield b"".join(piece)

    def _of(self, parts: frozenset[Part]) -> Iterator[Family]:
        for name, family in [*self._families.items(), *self._own.items()]:
            if (Part.HEALTH if name == "project_up" else Part.RESOURCES) in parts:
                yield family

    def _family(self, metric: str) -> Family:
        known = self._families.get(metric) or self._own.get(metric)
        if known is None:
            about = "A figure of the project's own; see `metrics` in orchestrator.yml."
            known = self._own[metric] = Family(metric, Kind.GAUGE, about)
        return known


def labels(pairs: Iterable[tuple[str, str]]) -> str:
    """Write label pairs as they stand between the braces, whatever their values hold."""
    return ",".join(f'{name}="{_escaped(value)}"' for name, value in pairs)


def line(metric: str, written: str, value: float) -> str:
    """Write one sample with its *written* labels; the shortest form of *value* is exact."""
    return f"{metric}{{{written}}} {value!r}\n"


def _escaped(value: str) -> str:
    return value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")


def _escaped_help(text: str) -> str:
    return text.replace("\\", r"\\").replace("\n", r"\n")
