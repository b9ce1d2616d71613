"""A service: one program that the supervisor runs, and the file that lists them."""

from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from orchestrator import strict
from orchestrator.errors import OrchestratorError


class BadServices(OrchestratorError):
    """The services file cannot be used; every mistake is listed with its path."""

    def __init__(self, source: str, mistakes: list[str]) -> None:
        super().__init__("\n".join(f"{source}: {mistake}" for mistake in mistakes))
        self.mistakes = mistakes


class Restart(StrEnum):
    """What happens when a service's process ends without a command."""

    NEVER = "never"
    BACKOFF = "backoff"


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """One entry of `services`. With a `url` it is a project, and takes commands and faults."""

    name: str
    argv: tuple[str, ...]
    env: dict[str, str] = field(default_factory=dict)  # beside the supervisor's own
    cwd: Path | None = None
    restart: Restart = Restart.NEVER
    url: str | None = None
    ready: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Fleet:
    """The whole services file: what runs, and the folder of the outputs and of the journal."""

    state: Path
    services: dict[str, Service]


def load(path: Path) -> Fleet:
    """Read *path*; raise BadServices, naming every mistake, when it cannot be used."""
    try:
        text = strict.text(path)
    except strict.Mistaken as error:
        raise BadServices(str(path), error.mistakes) from error
    return decode(text, source=str(path), folder=path.parent)


def decode(text: str, *, source: str, folder: Path = Path()) -> Fleet:
    """Decode YAML *text*; *source* names it in errors, *folder* is where its file names begin."""
    try:
        written = strict.parse(text, _File)
    except strict.Mistaken as error:
        raise BadServices(source, error.mistakes) from error
    services = {each.name: each.service(folder) for each in written.services}
    return Fleet(state=folder / written.state, services=services)


def _argument(raw: str) -> str:
    if "\0" in raw:
        raise ValueError("has a NUL character, which no program can be given")
    return raw


def _variable(raw: str) -> str:
    if not raw or "=" in raw or "\0" in raw:
        raise ValueError(f"{raw!r} is not a name of an environment variable")
    return raw


def _each_once(services: list["_Service"]) -> list["_Service"]:
    strict.each_once([service.name for service in services], "service")
    return services


_Argument = Annotated[str, AfterValidator(_argument)]
_Url = Annotated[str, AfterValidator(strict.url)]


class _Written(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _Service(_Written):
    name: Annotated[str, AfterValidator(strict.name)]
    argv: Annotated[tuple[_Argument, ...], AfterValidator(strict.some)]
    env: dict[Annotated[str, AfterValidator(_variable)], _Argument] = {}
    cwd: Path | None = None
    restart: Restart = Restart.NEVER
    url: _Url | None = None
    ready: _Url | None = None

    def service(self, folder: Path) -> Service:
        return Service(
            name=self.name,
            argv=self.argv,
            env=self.env,
            cwd=folder / self.cwd if self.cwd else None,
            restart=self.restart,
            url=self.url,
            ready=self.ready,
        )


class _File(_Written):
    """The file as it is written."""

    state: Path
    services: Annotated[list[_Service], Field(min_length=1), AfterValidator(_each_once)]
