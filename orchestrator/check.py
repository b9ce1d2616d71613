"""A check: what is to be said of orchestrator.yml before a program starts with it."""

import difflib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict

from orchestrator import strict
from orchestrator.config import BadConfig
from orchestrator.project import Mode, Project
from orchestrator.source import Source
from orchestrator.supervisor.command import ACTIONS, SHORT

CARRIED_OUT = frozenset({"restart_service"})  # by the webhook of this release
WITHOUT_EFFECT = frozenset(  # in this release; docs/configuration.md says so of each
    {
        *("guards.fleet_share", "guards.fleet_min"),
        *("analyzer.mode", "analyzer.model", "analyzer.auto_above"),
        *("analyzer.daily_budget_usd", "analyzer.monthly_budget_usd"),
        *("retention.raw", "retention.events"),
        *("projects[].critical", "projects[].depends_on", "projects[].paths.logs"),
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
    """Name every step of a playbook that is no action, or none that is carried out yet.

    *said* is the file as it is written. What has another shape is the configuration's to refuse.
    """
    playbooks = said.get("playbooks")
    for alertname, steps in playbooks.items() if isinstance(playbooks, dict) else ():
        for place, step in enumerate(steps if isinstance(steps, list) else ()):
            if isinstance(step, str) and step not in CARRIED_OUT:
                yield f"playbooks.{alertname}[{place}]: {_why_not(step)}"


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


def _why_not(step: str) -> str:
    if step in ACTIONS:
        able = ", ".join(sorted(CARRIED_OUT))
        return f"{step} is not carried out by this release; it has {able}"
    close = [SHORT[step]] if step in SHORT else difflib.get_close_matches(step, ACTIONS, n=1)
    instead = f", did you mean {close[0]}?" if close else f"; known: {', '.join(ACTIONS)}"
    return f"{step!r} is no action{instead}"


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
