"""A project as orchestrator.yml writes it, before its defaults are filled in and files are read."""

import re
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Self

from pydantic import (
    AfterValidator,
    Field,
    StrictBool,
    model_validator,
)

from orchestrator import duration
from orchestrator.guards import WrittenGuards
from orchestrator.project import Mode
from orchestrator.value import Duration, Length, Name, Ratio, Share, Url, Written

SHORTEST = timedelta(milliseconds=200)  # an interval: four slots of the exporter's wheel
RESERVED = frozenset(
    {
        *("project", "instance", "job"),  # who it is, and who scraped it
        *("endpoint", "le", "mode", "quantile", "reason", "resource", "state", "version"),  # ours
        *("alertname", "remediate", "scope", "severity", "source"),  # what the routing goes by
    }
)
LABEL_LIMIT = 200  # characters of a value


def _interval(length: timedelta) -> timedelta:
    if length < SHORTEST:
        raise ValueError(f"must be {duration.text(SHORTEST)} at least")
    return length


def _path(raw: str) -> str:
    if not re.fullmatch(r"/[!-~]*", raw) or "#" in raw:
        raise ValueError(f"{raw!r} is not a path like /health")
    return raw


def _label_names(labels: dict[str, str]) -> dict[str, str]:
    for name, value in labels.items():
        if not re.fullmatch(r"[a-zA-Z_][a-zA-Z0-9_]{0,59}", name) or name.startswith("__"):
            raise ValueError(f"{name!r} is no name of a label")
        if name in RESERVED or name.startswith("exported_"):
            raise ValueError(f"{name!r} is a label of the orchestrator's or of Prometheus' own")
        if not value.isprintable() or not 0 < len(value) <= LABEL_LIMIT:
            raise ValueError(f"{name}: not one line of 1 to {LABEL_LIMIT} printable characters")
    return labels


def _header(raw: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9-]{1,60}", raw) or raw.lower() in _HTTPS_OWN:
        raise ValueError(f"{raw!r} is no header that can be set")
    return raw


_HTTPS_OWN = {"host", "connection", "content-length", "transfer-encoding", "upgrade", "te"}

Interval = Annotated[Duration, AfterValidator(_interval)]
_Path = Annotated[str, AfterValidator(_path)]
_Labels = Annotated[dict[str, str], AfterValidator(_label_names)]


class WrittenControl(Written):
    """`projects[].control`."""

    url: Url
    token_file: Path | None = None


class WrittenThresholds(Written):
    """`thresholds`, and `projects[].thresholds`."""

    cpu: Ratio | None = None
    memory: Ratio | None = None
    errors: Ratio | None = None


class WrittenAuth(Written):
    """`projects[].auth`: one of three ways, and its secret in a file or in the environment."""

    bearer_file: Path | None = None
    bearer_env: str | None = None
    username: Annotated[str, Field(pattern=r"^[ -9;-~]+$")] | None = None  # no colon: RFC 7617
    password_file: Path | None = None
    password_env: str | None = None
    header: Annotated[str, AfterValidator(_header)] | None = None
    value_file: Path | None = None
    value_env: str | None = None

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        said = frozenset(key for key, value in self if value is not None)
        if said not in _WAYS:
            ways = "; ".join(sorted(" and ".join(sorted(way, reverse=True)) for way in _WAYS))
            raise ValueError(f"say one of: {ways}")
        return self


_WAYS = frozenset(
    frozenset(way)
    for where in ("file", "env")
    for way in (
        (f"bearer_{where}",),
        ("username", f"password_{where}"),
        ("header", f"value_{where}"),
    )
)


class WrittenTls(Written):
    """`projects[].tls`."""

    ca_file: Path | None = None
    cert_file: Path | None = None
    key_file: Path | None = None
    server_name: Annotated[str, Field(pattern=r"^[A-Za-z0-9.-]+$")] | None = None
    insecure_skip_verify: StrictBool = False

    @model_validator(mode="after")
    def _key_of_a_certificate(self) -> Self:
        if self.key_file and not self.cert_file:
            raise ValueError("key_file without cert_file")
        return self


class WrittenPaths(Written):
    """`projects[].paths`: null is not asked."""

    health: _Path = "/health"
    metrics: _Path | None = "/metrics"
    status: _Path | None = "/status"
    logs: _Path | None = "/logs"


class WrittenDefaults(Written):
    """`defaults`: what projects have that say nothing else."""

    mode: Mode = Mode.OBSERVE
    health_interval: Interval = timedelta(seconds=5)
    metrics_interval: Interval = timedelta(seconds=30)
    timeout: Length = timedelta(seconds=2)
    slow_after: Length = timedelta(seconds=1)
    labels: _Labels = Field(default_factory=dict)


class WrittenProject(Written):
    """`projects[]`."""

    name: Name
    url: Url
    control: WrittenControl | None = None
    mode: Mode | None = None
    health_interval: Interval | None = None
    metrics_interval: Interval | None = None
    timeout: Length | None = None
    slow_after: Length | None = None
    labels: _Labels = Field(default_factory=dict)
    thresholds: WrittenThresholds = WrittenThresholds()
    metrics: Annotated[dict[str, str], Field(max_length=50)] = Field(default_factory=dict)
    critical: StrictBool = False
    depends_on: tuple[Name, ...] = ()
    slo: Share = 0.99
    auth: WrittenAuth | None = None
    tls: WrittenTls = WrittenTls()
    paths: WrittenPaths = WrittenPaths()
    faults: Url | None = None
    guards: WrittenGuards | None = None
