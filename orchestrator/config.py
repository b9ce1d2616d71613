"""orchestrator.yml: one file for every program, decoded strictly into values."""

import difflib
import re
from collections.abc import Hashable
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, ClassVar, get_args, get_type_hints
from urllib.parse import urlsplit

import yaml
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from pydantic_core import ErrorDetails

from orchestrator import duration
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
    try:
        parts = urlsplit(raw)
        usable = parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0
    except ValueError:
        usable = False
    else:
        usable = usable and not (parts.query or parts.fragment)
    if not usable:
        raise ValueError(f"{raw!r} is not a URL like http://127.0.0.1:3010")
    return raw.rstrip("/")


def _name(raw: str) -> str:
    if not re.fullmatch(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?", raw):
        raise ValueError(f"{raw!r} is not a name; use a-z, 0-9 and inner hyphens, 63 at most")
    return raw


_Duration = Annotated[timedelta, BeforeValidator(_duration)]
_Length = Annotated[timedelta, BeforeValidator(_duration), AfterValidator(_positive)]
_Url = Annotated[str, AfterValidator(_base_url)]
_Name = Annotated[str, AfterValidator(_name)]
_Count = Annotated[int, Field(ge=1, le=100)]

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
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise BadConfig(str(path), [error.strerror or str(error)]) from error
    except UnicodeDecodeError as error:
        raise BadConfig(str(path), [f"not UTF-8: {error.reason} at byte {error.start}"]) from error
    return decode(text, source=str(path), folder=path.parent)


def decode(text: str, *, source: str, folder: Path = Path()) -> Config:
    """Decode YAML *text*; *source* names it in errors, *folder* is where its file names begin."""
    try:
        raw = yaml.load(text, Loader=_OnceEachKey)  # noqa: S506  a SafeLoader
    except yaml.YAMLError as error:
        raise BadConfig(source, [" ".join(str(error).split())]) from error
    try:
        written = _File.model_validate(raw if raw is not None else {})
    except ValidationError as error:
        raise BadConfig(source, [_mistake(found) for found in error.errors()]) from error
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
    names = [project.name for project in projects]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(f"{', '.join(twice)} stands twice; a project's name is its identity")
    return projects


class _File(_Written):
    """The file as it is written, before the defaults are filled in."""

    defaults: _Defaults = _Defaults()
    projects: Annotated[list[_Project], AfterValidator(_each_once)] = []
    playbooks: dict[str, tuple[str, ...]] = {}
    guards: Guards = Guards()
    verification: Verification = Verification()
    alertmanagers: Annotated[tuple[_Url, ...], Field(min_length=1)] = ("http://127.0.0.1:9093",)
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


class _OnceEachKey(yaml.SafeLoader):
    """YAML that refuses a key written twice, where plain YAML would drop the first in silence."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:  # noqa: FBT001, FBT002  yaml's signature
        seen: set[object] = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            if key in seen:
                raise yaml.constructor.ConstructorError(
                    None, None, f"key {key!r} stands twice", key_node.start_mark
                )
            seen.add(key)
        return super().construct_mapping(node, deep)


_SAYINGS = {
    "missing": "is missing",
    "list_type": "must be a list",
    "tuple_type": "must be a list",
    "dict_type": "must be a mapping of keys to values",
    "model_type": "must be a mapping of keys to values",
    "dataclass_type": "must be a mapping of keys to values",
    "too_short": "must not be empty",
}
_UNKNOWN_KEY = {"extra_forbidden", "unexpected_keyword_argument"}


def _mistake(found: ErrorDetails) -> str:
    steps = [f"[{step}]" if isinstance(step, int) else f".{step}" for step in found["loc"]]
    path = "".join(steps).lstrip(".") or "the file"
    if found["type"] in _UNKNOWN_KEY:
        return f"{path}: unknown key{_did_you_mean(found['loc'])}"
    text = _SAYINGS.get(found["type"]) or found["msg"].removeprefix("Value error, ")
    return f"{path}: {text[0].lower()}{text[1:]}"


def _did_you_mean(loc: tuple[int | str, ...]) -> str:
    shape: Any = _File
    for step in loc[:-1]:
        if isinstance(step, str):
            hint = get_type_hints(shape).get(step)
            shape = next(
                (t for t in (*get_args(hint), hint) if hasattr(t, "__annotations__")), None
            )
    known = [name for name in get_type_hints(shape) if not name.endswith(("config", "__"))]
    close = difflib.get_close_matches(str(loc[-1]), known, n=1)
    return f", did you mean {close[0]}?" if close else f"; known here: {', '.join(known)}"
