"""A check: what is to be said of orchestrator.yml before a program starts with it."""

import difflib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict

from orchestrator import strict
from orchestrator.config import BadConfig
from orchestrator.project import Mode, Project
from orchestrator.source import Source
from orchestrator.supervisor.command import ACTIONS, SHORT

COMMAND = "command:"  # a step that runs one of `commands`
WITHOUT_EFFECT = frozenset(  # in this release; docs/configuration.md says so of each
    {
        *("analyzer.mode", "analyzer.model", "analyzer.auto_above"),
        *("analyzer.daily_budget_usd", "analyzer.monthly_budget_usd"),
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """The result: usable when there are no mistakes. Each line begins with the file's name."""

    source: str
    projects: tuple[Project, ...] = ()
    playbooks: int = 0
    mistakes: tuple[str, ...] = ()
    notices: tuple[str, ...] = ()

    @property
    def summary(self) -> str:
        """Say in one line what there is, of a file without mistakes."""
        act = sum(project.mode is Mode.ACT for project in self.projects)
        projects, playbooks = (
            _many(len(self.projects), "project"),
            _many(self.playbooks, "playbook"),
        )
        return f"{self.source}: {projects}, {act} in mode act, {playbooks}; it can be used"

    def json(self) -> dict[str, object]:
        """Return it for a program."""
        return {
            "ok": not self.mistakes,
            "projects": [
                {"name": each.name, "url": each.url, "mode": str(each.mode)}
                for each in self.projects
            ],
            "mistakes": list(self.mistakes),
            "notices": list(self.notices),
        }


def check(origin: Source) -> Checked:
    """Read *origin* as the programs do; nothing is raised for a file that cannot be used."""
    said, named = _said(origin), str(origin.path)
    steps = [f"{named}: {each}" for each in unusable_steps(said)]
    try:
        config = origin.load()
    except BadConfig as error:
        return Checked(
            source=named, mistakes=(*(f"{named}: {each}" for each in error.mistakes), *steps)
        )
    return Checked(
        source=named,
        projects=tuple(config.projects.values()),
        playbooks=len(config.playbooks),
        mistakes=tuple(steps),
        notices=tuple(f"{named}: {each}" for each in notices(said)),
    )


def unusable_steps(said: Mapping[str, object]) -> Iterator[str]:
    """Name every step of a playbook, and every guard of an action, that there is no action for.

    *said* is the file as it is written. What has another shape is the configuration's to refuse.
    """
    known = [*ACTIONS, *(f"{COMMAND}{name}" for name in _names(said.get("commands")))]
    for path, action in (*_steps(said), *_guarded(said)):
        if action not in known:
            yield f"{path}: {_why_not(action, known)}"


def _steps(said: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    playbooks = said.get("playbooks")
    for alertname, steps in playbooks.items() if isinstance(playbooks, dict) else ():
        for place, step in enumerate(steps if isinstance(steps, list) else ()):
            if isinstance(step, str):
                yield f"playbooks.{alertname}[{place}]", step


def _guarded(said: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    projects = said.get("projects")
    entries = enumerate(projects if isinstance(projects, list) else ())
    for path, inner in (("", said), *((f"projects[{at}].", each) for at, each in entries)):
        guards = inner.get("guards") if isinstance(inner, dict) else None
        for action in _names(guards.get("actions") if isinstance(guards, dict) else None):
            yield f"{path}guards.actions.{action}", action


def _names(mapping: object) -> list[str]:
    return [each for each in mapping if isinstance(each, str)] if isinstance(mapping, dict) else []


def notices(said: Mapping[str, object]) -> Iterator[str]:
    """Name every key that *said*, a file without mistakes, sets in vain."""
    for path, key in _keys(said, "", ""):
        if key in WITHOUT_EFFECT:
            yield f"{path}: has no effect in this release"


class _Anything(BaseModel):
    model_config = ConfigDict(extra="allow")


def _said(origin: Source) -> Mapping[str, object]:
    """Return the file as it is written; nothing where the programs could not read it either."""
    try:
        return strict.parse(strict.text(origin.path), _Anything).model_extra or {}
    except strict.Mistaken:
        return {}


def _why_not(action: str, known: Sequence[str]) -> str:
    close = [SHORT[action]] if action in SHORT else difflib.get_close_matches(action, known, n=1)
    instead = f", did you mean {close[0]}?" if close else f"; known: {', '.join(known)}"
    return f"{action!r} is no action{instead}"


def _keys(said: object, path: str, key: str) -> Iterator[tuple[str, str]]:
    """Yield the path of everything in *said*, and the key that it stands for: `a[2].b`, `a[].b`."""
    if path:
        yield path, key
    if isinstance(said, Mapping):
        for name, inner in said.items():
            yield from _keys(inner, f"{path}.{name}".lstrip("."), f"{key}.{name}".lstrip("."))
    elif isinstance(said, list):
        for place, inner in enumerate(said):
            yield from _keys(inner, f"{path}[{place}]", f"{key}[]")


def _many(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
