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


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """The result: usable when there are no mistakes. Each line begins with the file's name."""

    source: str
    projects: tuple[Project, ...] = ()
    playbooks: int = 0
    mistakes: tuple[str, ...] = ()

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
    )


def unusable_steps(said: Mapping[str, object]) -> Iterator[str]:
    """Name every step of a playbook, and every guard of an action, that there is no action for.

    So with what the analyzer may propose, and no command is for it to propose. *said* is the file
    as it is written. What has another shape is the configuration's to refuse.
    """
    known = [*ACTIONS, *(f"{COMMAND}{name}" for name in _names(said.get("commands")))]
    for path, action in (*_steps(said), *_guarded(said)):
        if action not in known:
            yield f"{path}: {_why_not(action, known)}"
    for path, action in _allowed(said):
        if action not in ACTIONS:
            yield f"{path}: {_why_not(action, [*ACTIONS])}"


def _steps(said: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    return _listed("playbooks", said.get("playbooks"))


def _allowed(said: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    analyzer = said.get("analyzer")
    return _listed("analyzer.allow", analyzer.get("allow") if isinstance(analyzer, dict) else None)


def _listed(path: str, by_alert: object) -> Iterator[tuple[str, str]]:
    for alertname, steps in by_alert.items() if isinstance(by_alert, dict) else ():
        for place, step in enumerate(steps if isinstance(steps, list) else ()):
            if isinstance(step, str):
                yield f"{path}.{alertname}[{place}]", step


def _guarded(said: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    projects = said.get("projects")
    entries = enumerate(projects if isinstance(projects, list) else ())
    for path, inner in (("", said), *((f"projects[{at}].", each) for at, each in entries)):
        guards = inner.get("guards") if isinstance(inner, dict) else None
        for action in _names(guards.get("actions") if isinstance(guards, dict) else None):
            yield f"{path}guards.actions.{action}", action


def _names(mapping: object) -> list[str]:
    return [each for each in mapping if isinstance(each, str)] if isinstance(mapping, dict) else []


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


def _many(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
