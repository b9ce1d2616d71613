"""orchestrator.yml: one file for every program, decoded strictly into values."""

import difflib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator, ConfigDict, Field

from orchestrator import analyzing, clock, entry, strict
from orchestrator.commands import Command
from orchestrator.errors import OrchestratorError
from orchestrator.guards import Guarding, WrittenGuards
from orchestrator.prices import Price
from orchestrator.project import Project
from orchestrator.stamp import Stamps, stamp
from orchestrator.value import STRICT, Length, Name, Url, Written
from orchestrator.written import (
    WrittenDefaults,
    WrittenProject,
    WrittenThresholds,
)

DEFAULT = Path("orchestrator.yml")


class BadConfig(OrchestratorError):
    """The configuration cannot be used; every mistake is listed with its path."""

    def __init__(self, source: str, mistakes: list[str], read: Stamps | None = None) -> None:
        super().__init__("\n".join(f"{source}: {mistake}" for mistake in mistakes))
        self.mistakes = mistakes
        self.read = read or {}  # the files to look at for a mended one


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """How long a repair may take to show, and how often we look."""

    __pydantic_config__: ClassVar[ConfigDict] = STRICT

    recover_within: Length = timedelta(seconds=15)  # until the first good probe
    prove_within: Length = timedelta(seconds=60)  # from there until the alert has ended
    every: Length = timedelta(milliseconds=500)


@dataclass(frozen=True, slots=True, kw_only=True)
class Analyzer:
    """When a model is asked, which, for how much, and what may be done on its word."""

    mode: Literal["always", "on_failure", "off"] = "on_failure"
    model: str = "claude-sonnet-5-5"
    fallback_model: str | None = "claude-haiku-5-5"  # asked where the other one cannot be had
    effort: Literal["low", "medium", "high"] = "medium"
    auto_above: float = 0.70  # the effective confidence above which nobody is asked
    daily_budget_usd: float = 1.0  # of the day in UTC
    monthly_budget_usd: float = 10.0
    calls_per_hour: int = 30
    allow: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # beside the playbooks
    url: str = "https://api.anthropic.com"
    prices: Mapping[str, Price] = field(default_factory=dict)  # before those of prices.py
    runbooks: Path = analyzing.RUNBOOKS  # the folder of <alert>.md
    key: str | None = field(default=None, repr=False)  # None: rules answer, and nothing is asked


@dataclass(frozen=True, slots=True, kw_only=True)
class Retention:
    """How long the webhook keeps what it stored."""

    __pydantic_config__: ClassVar[ConfigDict] = STRICT

    raw: Length = timedelta(days=30)  # notifications as they came
    events: Length = timedelta(days=365)
    audit: Length | None = None  # for good


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """The whole of orchestrator.yml, with every default filled in."""

    projects: dict[str, Project]
    playbooks: dict[str, tuple[str, ...]] = field(default_factory=dict)
    guards: Guarding = field(default_factory=Guarding)
    commands: dict[str, Command] = field(default_factory=dict)
    verification: Verification = field(default_factory=Verification)
    analyzer: Analyzer = field(default_factory=Analyzer)
    retention: Retention = field(default_factory=Retention)
    alertmanagers: tuple[str, ...] = ("http://127.0.0.1:9093",)
    receiver: str = "webhook"
    prometheus: str = "http://127.0.0.1:9090"
    url: str = "http://127.0.0.1:4001"
    dry_run: bool = False  # of the whole webhook, by its command line and not by this file
    read: Stamps = field(default_factory=dict, compare=False)  # the files that it was made of

    def rehearsed(self) -> "Config":
        """Return this configuration with every project only observed, as --dry-run wants it."""
        projects = {name: replace(each, dry_run=True) for name, each in self.projects.items()}
        return replace(self, projects=projects, dry_run=True)

    def ancestors(self, project: str) -> frozenset[str]:
        """Return everything that *project* depends on, directly or not."""
        found: set[str] = set()
        left = [project]
        while left:
            known = self.projects.get(left.pop())
            new = set(known.depends_on) - found if known else set()
            found |= new
            left += new
        return frozenset(found)


def load(path: Path, *, projects: str = "", environment: Mapping[str, str] | None = None) -> Config:
    """Read *path*; raise BadConfig, naming every mistake, when it cannot be used.

    *projects* adds some, as `name:url,name:url`; with them, orchestrator.yml need not exist.
    *environment* holds the secrets that the file names.
    """
    around = entry.Surroundings(path.parent, environment or {})
    around.read[path] = stamp(path)
    try:
        needless = projects and path == DEFAULT and not path.exists()
        text = "" if needless else strict.text(path)
    except strict.Mistaken as error:
        gone = isinstance(error.__cause__, FileNotFoundError)
        hint = "; --config names another" if gone else ""
        mistakes = [f"{each}{hint}" for each in error.mistakes]
        raise BadConfig(str(path), mistakes, around.read) from error
    return _decoded(text, str(path), projects, around)


def decode(
    text: str,
    *,
    source: str,
    folder: Path = Path(),
    projects: str = "",
    environment: Mapping[str, str] | None = None,
) -> Config:
    """Decode YAML *text*; *source* names it in errors, *folder* is where its file names begin."""
    return _decoded(text, source, projects, entry.Surroundings(folder, environment or {}))


def _decoded(text: str, source: str, projects: str, around: entry.Surroundings) -> Config:
    try:
        written = strict.parse(text, _File)
        more = strict.shaped({"PROJECTS": _listed(projects)}, _More).PROJECTS
    except strict.Mistaken as error:
        raise BadConfig(source, error.mistakes, around.read) from error
    known = {each.name for each in written.projects}
    entries = [*written.projects, *(each for each in more if each.name not in known)]
    made = written.config(entries, around)
    mistakes = [*around.mistakes, *_dangling(entries)]
    if mistakes:
        raise BadConfig(source, mistakes, around.read)
    return made


def _each_once(projects: list[WrittenProject]) -> list[WrittenProject]:
    strict.each_once([project.name for project in projects], "project")
    return projects


_Projects = Annotated[list[WrittenProject], AfterValidator(_each_once)]


class _More(Written):
    """What the environment variable PROJECTS adds."""

    PROJECTS: _Projects


class _File(Written):
    """The file as it is written, before the defaults are filled in."""

    defaults: WrittenDefaults = WrittenDefaults()
    thresholds: WrittenThresholds = WrittenThresholds()
    projects: _Projects = Field(default_factory=list)
    playbooks: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    guards: WrittenGuards = WrittenGuards()
    commands: dict[Name, Command] = Field(default_factory=dict)
    verification: Verification = Verification()
    analyzer: analyzing.WrittenAnalyzer = analyzing.WrittenAnalyzer()
    retention: Retention = Retention()
    alertmanagers: Annotated[tuple[Url, ...], AfterValidator(strict.some)] = (
        "http://127.0.0.1:9093",
    )
    receiver: Annotated[str, Field(min_length=1, max_length=200)] = "webhook"
    prometheus: Url = "http://127.0.0.1:9090"
    url: Url = "http://127.0.0.1:4001"

    def config(self, entries: list[WrittenProject], around: entry.Surroundings) -> Config:
        projects = [
            entry.project(
                each,
                f"projects[{place}]",
                around,
                defaults=self.defaults,
                thresholds=self.thresholds,
            )
            for place, each in enumerate(entries)
        ]
        same = ("playbooks", "commands", "verification", "retention")
        own = {each.name: each.guards for each in entries if each.guards is not None}
        return Config(
            projects={each.name: each for each in projects},
            **{key: getattr(self, key) for key in same},
            guards=Guarding(general=self.guards, projects=own),
            analyzer=_analyzer(self.analyzer, around),
            alertmanagers=self.alertmanagers,
            receiver=self.receiver,
            prometheus=self.prometheus,
            url=self.url,
            read=around.read,
        )


def _analyzer(written: analyzing.WrittenAnalyzer, around: entry.Surroundings) -> Analyzer:
    key = analyzing.key(written, around)
    around.mistakes += analyzing.unpriced(written, clock.now().date())
    around.mistakes += analyzing.readable(written, key)
    return Analyzer(
        mode=written.mode,
        model=written.model,
        fallback_model=None if written.fallback_model == written.model else written.fallback_model,
        effort=written.effort,
        auto_above=written.auto_above,
        daily_budget_usd=written.daily_budget_usd,
        monthly_budget_usd=written.monthly_budget_usd,
        calls_per_hour=written.calls_per_hour,
        allow=written.allow,
        url=written.url,
        prices={model: each.price for model, each in written.prices.items()},
        runbooks=analyzing.runbooks(written, around),
        key=key,
    )


def _listed(projects: str) -> list[dict[str, str]]:
    """Read `name:url,name:url`; a URL has colons of its own, so the first one parts them."""
    pairs = [each.strip().partition(":") for each in projects.split(",") if each.strip()]
    return [{"name": name, "url": url} for name, _, url in pairs]


def _dangling(projects: list[WrittenProject]) -> Iterator[str]:
    """Name every dependency that leads nowhere, or in a circle."""
    names = dict.fromkeys(each.name for each in projects)
    for place, each in enumerate(projects):
        for at, parent in enumerate(each.depends_on):
            if parent not in names:
                close = difflib.get_close_matches(parent, names, n=1)
                instead = f", did you mean {close[0]}?" if close else ""
                yield f"projects[{place}].depends_on[{at}]: no project {parent}{instead}"
    try:
        TopologicalSorter({each.name: each.depends_on for each in projects}).prepare()
    except CycleError as error:
        yield f"projects: depends_on goes in a circle: {' -> '.join(error.args[1])}"
