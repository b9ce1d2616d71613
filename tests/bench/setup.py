"""What one measurement is given: how many projects, how long, which programs, which ports."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tests.bench import fleet


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How often a project is asked, in seconds. None: it is not."""

    health: int
    metrics: int
    status: int | None

    @property
    def intervals(self) -> dict[str, int]:
        """The seconds from probe to probe, by the endpoints that are asked."""
        every = {"health": self.health, "metrics": self.metrics, "status": self.status}
        return {name: each for name, each in every.items() if each}


SAME = Pace(health=10, metrics=30, status=None)  # what blackbox exporter and Prometheus can do, too
SHIPPED = Pace(health=5, metrics=30, status=30)  # the defaults of orchestrator.yml


@dataclass(frozen=True, slots=True, kw_only=True)
class Programs:
    """The binaries that are not ours."""

    prometheus: Path
    blackbox: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    """One measurement, before it begins."""

    projects: int
    seconds: int  # of the window that is measured
    warm_up: int  # seconds before it
    programs: Programs
    checkout: Path
    folder: Path  # everything that the programs write
    fleet_port: int
    exporter_port: int
    prometheus_port: int

    @property
    def targets(self) -> list[str]:
        """The address of every project, as host:port."""
        return [f"{fleet.host(place)}:{self.fleet_port}" for place in range(self.projects)]

    @property
    def exporter(self) -> str:
        """Where the exporter listens, ours or the other."""
        return f"127.0.0.1:{self.exporter_port}"

    @property
    def prometheus(self) -> str:
        """Where Prometheus listens."""
        return f"127.0.0.1:{self.prometheus_port}"

    def written(self, name: str, content: dict[str, Any]) -> Path:
        """Write *content* as YAML into the folder; return the file."""
        path = self.folder / name
        path.write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")
        return path
