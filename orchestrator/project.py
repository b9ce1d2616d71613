"""A project: one service of the fleet, where it is asked, and who may touch it."""

from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from pathlib import Path

Labels = tuple[tuple[str, str], ...]  # names and values, sorted by name


class Mode(StrEnum):
    """What may be done to a project without a human."""

    OBSERVE = "observe"  # decide and record, do nothing
    ACT = "act"


@dataclass(frozen=True, slots=True, kw_only=True)
class Control:
    """Where a project takes commands: itself, or the supervisor that can restart it."""

    url: str
    token_file: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Paths:
    """Where the endpoints are, below the project's URL; None is not asked."""

    health: str = "/health"
    metrics: str | None = "/metrics"
    status: str | None = "/status"
    logs: str | None = "/logs"


@dataclass(frozen=True, slots=True, kw_only=True)
class Thresholds:
    """The ratios, 0 to 1, above which the rules call a project's usage too high."""

    cpu: float = 0.80
    memory: float = 0.85
    errors: float = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Gauge:
    """A figure of the project's own that becomes a metric: value x times / per."""

    name: str  # of the metric, without the prefix `project_`
    source: str  # dotted path into the JSON, or the name of a sample in the text format
    times: float = 1.0
    per: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Auth:
    """The header that tells the project who we are. Its value is a secret and never shown."""

    header: str
    value: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tls:
    """How a project's certificate is checked, and the certificate that we show."""

    ca_file: Path | None = None  # None: what this system trusts
    cert_file: Path | None = None
    key_file: Path | None = None  # None: in cert_file, too
    server_name: str | None = None  # None: the host of the URL
    verify: bool = True
    stamp: tuple[int, ...] = ()  # when the files were written: a new one is a new setting


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """One entry of `projects` in orchestrator.yml, with the defaults filled in."""

    name: str
    url: str
    control: Control
    mode: Mode = Mode.OBSERVE
    health_interval: timedelta = timedelta(seconds=5)
    metrics_interval: timedelta = timedelta(seconds=30)  # of /metrics and of /status
    timeout: timedelta = timedelta(seconds=2)
    slow_after: timedelta = timedelta(seconds=1)
    labels: Labels = ()
    thresholds: Thresholds = Thresholds()
    metrics: tuple[Gauge, ...] = ()
    critical: bool = False
    depends_on: tuple[str, ...] = ()
    slo: float = 0.99  # the share of the time that it has to be up
    auth: Auth | None = None
    tls: Tls = Tls()
    paths: Paths = Paths()
    dry_run: bool = False  # the webhook was started with --dry-run, which is over its mode
    faults: str | None = None  # where it can be broken on purpose: POST <faults>/<name>

    @property
    def observed(self) -> str | None:
        """Say what keeps it from being touched, as orchestrator.yml or the command line says it."""
        if self.dry_run:
            return "--dry-run"
        return f"mode: {self.mode}" if self.mode is Mode.OBSERVE else None
