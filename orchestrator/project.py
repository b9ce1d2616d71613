"""A project: one service of the fleet, where it is asked, and who may touch it."""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from pathlib import Path


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
class Project:
    """One entry of `projects` in orchestrator.yml, with the defaults filled in."""

    name: str
    url: str
    control: Control
    mode: Mode = Mode.OBSERVE
    health_interval: timedelta = timedelta(seconds=5)
    timeout: timedelta = timedelta(seconds=2)
