"""orchestrator.yml: one file for every program, decoded strictly into values."""

from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Annotated, ClassVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from orchestrator import duration, strict
from orchestrator.errors import OrchestratorError
from orchestrator.project import Control, Mode, Project


class BadConfig(OrchestratorError):
    """The configuration cannot be used; every mistake is listed with its path."""

    def __init__(self, source: str, mistakes: list[str]) -> None:
        super().__init__("\n".join(f"{source}: {mistake}" for mistake in mistakes))
        self.mistakes = mistakes


def _duration(raw: object) -> timedelta:
    if not isinstance(raw, str):
        raise ValueError(f"{raw!r} is not a duration; {duration.FORM}")  # noqa: TRY004  pydantic's
    return duration.parse(raw)


def _positive(length: timedelta) -> timedelta:
    if length <= timedelta(0):
        raise ValueError("must be longer than 0s")
    return length


def _base_url(raw: str) -> str:
    if {"?", "#"} & set(raw):
        raise ValueError(f"{raw!r} is not a URL like http://127.0.0.1:3010")
    return strict.url(raw)


_Duration = Annotated[timedelta, BeforeValidator(_duration)]
_Length = Annotated[timedelta, BeforeValidator(_duration), AfterValidator(_positive)]
_Url = Annotated[str, AfterValidator(_base_url)]
_Name = Annotated[str, AfterValidator(strict.name)]
_Count = Annotated[int, Field(strict=True, ge=1, le=100)]  # else `true` would be 1

_STRICT = ConfigDict(extra="forbid", frozen=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Guards:
    """What keeps repairs from doing harm. Every key here is enforced."""

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT

    attempts: _Count = 3  # executions per project and action within `window`
    window: _Length = timedelta(hours=1)
    breaker: _Count = 2  # ineffective attempts in a row after which the action is not tried again
    cooldown: _Duration = timedelta(seconds=30)  # between two attempts on a project


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """How long a repair may take to show, and how often we look."""

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT

    recover_within: _Length = timedelta(seconds=15)  # until the first good probe
    prove_within: _Length = timedelta(seconds=60)  # from there until the alert has ended
    every: _Length = timedelta(milliseconds=500)


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """The whole of orchestrator.yml, with every default filled in."""

    projects: dict[str, Project]
    playbooks: dict[str, tuple[str, ...]] = field(default_factory=dict)
    guards: Guards = field(default_factory=Guards)
    verification: Verification = field(default_factory=Verification)
    alertmanagers: tuple[str, ...] = ("http://127.0.0.1:9093",)
    prometheus: str = "http://127.0.0.1:9090"


def load(path: Path) -> Config:
    """Read *path*; raise BadConfig, naming every mistake, when it cannot be used."""
    try:
        text = strict.text(path)
    except strict.Mistaken as error:
        raise BadConfig(str(path), error.mistakes) from error
    return decode(text, source=str(path), folder=path.parent)


def decode(text: str, *, source: str, folder: Path = Path()) -> Config:
    """Decode YAML *text*; *source* names it in errors, *folder* is where its file names begin."""
    try:
        written = strict.parse(text, _File)
    except strict.Mistaken as error:
        raise BadConfig(source, error.mistakes) from error
    return written.config(folder)


class _Written(BaseModel):
    model_config = _STRICT


class _Control(_Written):
    url: _Url
    token_file: Path | None = None


class _Defaults(_Written):
    mode: Mode = Mode.OBSERVE
    health_interval: _Length = timedelta(seconds=5)
    timeout: _Length = timedelta(seconds=2)


class _Project(_Written):
    name: _Name
    url: _Url
    control: _Control | None = None
    mode: Mode | None = None
    health_interval: _Length | None = None
    timeout: _Length | None = None

    def project(self, defaults: _Defaults, folder: Path) -> Project:
        control = self.control or _Control(url=f"{self.url}/control")
        token = control.token_file
        return Project(
            name=self.name,
            url=self.url,
            control=Control(url=control.url, token_file=folder / token if token else None),
            mode=self.mode or defaults.mode,
            health_interval=self.health_interval or defaults.health_interval,
            timeout=self.timeout or defaults.timeout,
        )


def _each_once(projects: list[_Project]) -> list[_Project]:
    strict.each_once([project.name for project in projects], "project")
    return projects


class _File(_Written):
    """The file as it is written, before the defaults are filled in."""

    defaults: _Defaults = _Defaults()
    projects: Annotated[list[_Project], AfterValidator(_each_once)] = []
    playbooks: dict[str, tuple[str, ...]] = {}
    guards: Guards = Guards()
    verification: Verification = Verification()
    alertmanagers: Annotated[tuple[_Url, ...], AfterValidator(strict.some)] = (
        "http://127.0.0.1:9093",
    )
    prometheus: _Url = "http://127.0.0.1:9090"

    def config(self, folder: Path) -> Config:
        return Config(
            projects={each.name: each.project(self.defaults, folder) for each in self.projects},
            playbooks=self.playbooks,
            guards=self.guards,
            verification=self.verification,
            alertmanagers=self.alertmanagers,
            prometheus=self.prometheus,
        )
