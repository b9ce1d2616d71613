"""Collection: everything that can be known of an incident, asked for at once."""

import asyncio
import logging
import math
import re
import sqlite3
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from statistics import fmean
from typing import Final, TypeVar

import aiohttp

from orchestrator import answer, probe, secret
from orchestrator.answer import IN_WORDS, Answer, Reason
from orchestrator.clock import Clock
from orchestrator.config import Config
from orchestrator.errors import OrchestratorError
from orchestrator.project import Project
from webhook import logs, prometheus
from webhook.diagnosis import Line
from webhook.evidence import questions
from webhook.evidence.item import Json, Lack, Missing, Source, Subject
from webhook.evidence.questions import Question
from webhook.evidence.raw import Past, Raw, Series
from webhook.prometheus import Stretch

EACH: Final = 3.0  # seconds for one source; all are asked at once, so it is the time for all, too

LONGEST: Final = 16 * 1024  # characters of a runbook
NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,99}")  # of an alert that can have a runbook
NO_RUNBOOK: Final = "there is no runbook for this alert"
LACKS: Final = {logs.NOT_OFFERED: Lack.NO_DATA, IN_WORDS[Reason.TIMEOUT]: Lack.TIMEOUT}
TROUBLE: Final = (  # what may be wrong outside, in any of the sources
    OrchestratorError,
    aiohttp.ClientError,
    sqlite3.Error,
    OSError,
    ValueError,
)

logger = logging.getLogger(__name__)

T = TypeVar("T")
Pasts = Callable[[str, str], Awaitable[Sequence[Past]]]  # a project and an alert


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """Whom we ask."""

    session: aiohttp.ClientSession  # to Prometheus
    ways: aiohttp.ClientSession  # to projects
    prometheus: str  # its URL
    pasts: Pasts
    runbooks: Path  # the folder
    now: Clock


async def collect(
    sources: Sources,
    subject: Subject,
    project: Project,
    labels: Mapping[str, str],
    annotations: Mapping[str, str],
) -> Raw:
    """Ask everybody about *subject*; who does not answer within three seconds is told as missing.

    *labels* and *annotations* are those of the alert. Nothing that goes wrong outside is raised.
    """
    asking = _Asking(sources, subject, project)
    found = _Found()
    async with asyncio.TaskGroup() as group:
        series = group.create_task(asking.series(found))
        status = group.create_task(found.of(Source.STATUS, asking.status(), None))
        probed = group.create_task(found.of(Source.STATUS, asking.probe(), ""))
        deployed = group.create_task(found.of(Source.STATUS, asking.deployed(), None))
        lines = group.create_task(found.of(Source.LOGS, asking.lines(), ()))
        pasts = group.create_task(found.of(Source.HISTORY, asking.pasts(), ()))
        runbook = group.create_task(found.of(Source.RUNBOOK, asking.runbook(), ""))
    return Raw(
        labels=labels,
        annotations=annotations,
        series=series.result(),
        status=status.result(),
        probe=probed.result(),
        deployed_seconds_ago=deployed.result(),
        lines=lines.result(),
        pasts=pasts.result(),
        runbook=runbook.result(),
        missing=found.missing,
    )


def secrets(config: Config) -> frozenset[str]:
    """Return all secrets that *config* leads to, so that none of them is told to anybody.

    A file that cannot be read has no secret that could be told.
    """
    analyzer = {config.analyzer.key} if config.analyzer.key else set[str]()
    return frozenset(analyzer.union(*map(_of_project, config.projects.values())))


def _of_project(project: Project) -> set[str]:
    own = {project.auth.value} if project.auth else set[str]()
    if project.control.token_file is not None:
        with suppress(ValueError):
            own.add(secret.from_file(project.control.token_file))
    return own


class _Nothing(Exception):
    """A source has told nothing; carries which way, and a sentence of ours."""

    def __init__(self, lack: Lack, why: str) -> None:
        super().__init__(why)
        self.lack, self.why = lack, why


@dataclass(slots=True)
class _Found:
    """What was asked for and is not there. Lives for one collection."""

    lacking: list[Missing] = field(default_factory=list)

    @property
    def missing(self) -> tuple[Missing, ...]:
        """What is missing, in an order that does not depend on who was slower."""
        order = list(Source)
        return tuple(sorted(self.lacking, key=lambda each: (order.index(each.source), each.why)))

    async def of(self, source: Source, telling: Awaitable[T], otherwise: T) -> T:
        """Return what *telling* tells within its time, and note it when that is nothing."""
        try:
            async with asyncio.timeout(EACH):
                return await telling
        except _Nothing as nothing:
            self.note(source, nothing.lack, nothing.why)
        except TimeoutError:
            self.note(source, Lack.TIMEOUT, f"no answer within {EACH:g} s")
        except TROUBLE as error:
            logger.warning("evidence missing", extra={"source": source, "error": repr(error)})
            self.note(source, Lack.ERROR, "it could not be asked")
        return otherwise

    def note(self, source: Source, lack: Lack, why: str) -> None:
        """Note that *source* lacks something."""
        self.lacking.append(Missing(source=source, lack=lack, why=why))


@dataclass(frozen=True, slots=True)
class _Asking:
    """The questions about one subject."""

    _sources: Sources
    _subject: Subject
    _project: Project

    async def series(self, found: _Found) -> tuple[Series, ...]:
        """Return what Prometheus answered; one note is enough when it answers nothing at all."""
        about = self._subject
        asked = questions.asked(about.alertname, self._project.name, about.depends_on)
        own = _Found()
        told = await asyncio.gather(
            *(own.of(Source.METRICS, self._one(each), None) for each in asked)
        )
        there = tuple(each for each in told if each is not None)
        lacks = {each.lack for each in own.lacking}
        if there or len(lacks) > 1:
            found.lacking += own.lacking
        elif lacks == {Lack.NO_DATA}:
            found.note(Source.METRICS, Lack.NO_DATA, "Prometheus has no figures of it")
        else:
            found.lacking += own.lacking[:1]
        return there

    async def _one(self, question: Question) -> Series:
        now = self._sources.now()
        begin = now - question.window
        stretch = Stretch(begin=begin - question.window, end=now, step=question.step)
        session, url = self._sources.session, self._sources.prometheus
        try:
            points = await prometheus.over_time(session, url, question.query, over=stretch)
        except TimeoutError:
            raise _Nothing(Lack.TIMEOUT, "Prometheus does not answer in time") from None
        except prometheus.NO_ANSWER as error:
            logger.warning("prometheus gave no answer", extra={"url": url, "error": repr(error)})
            raise _Nothing(Lack.ERROR, "Prometheus does not answer") from error
        within = tuple(each for each in points if each[0] > begin.timestamp())
        if not within:
            raise _Nothing(Lack.NO_DATA, f"Prometheus has no {question.name} of it")
        before = [value for at, value in points if at <= begin.timestamp()]
        return Series(
            question=question.name,
            unit=question.unit,
            points=within[-questions.POINTS :],
            before=_mean(before),
        )

    async def status(self) -> Mapping[str, Json]:
        """Return what the project says that it holds."""
        given = await self._answer(self._project.paths.status, "its status")
        try:
            said = answer.decoded(given.body)
        except ValueError:
            said = None
        if not isinstance(said, dict):
            raise _Nothing(Lack.ERROR, f"its status: {IN_WORDS[Reason.BODY]}")
        return said

    async def probe(self) -> str:
        """Return the state that a probe finds just now, with what was wrong.

        It is asked once: a second look, half a second later, is taken before anything is done.
        """
        seen = await probe.ask(self._sources.ways, self._project)
        return f"{seen.state}: {seen.reason}" if seen.reason else f"{seen.state}"

    async def deployed(self) -> float:
        """Return how many seconds ago it was deployed."""
        session, url = self._sources.session, self._sources.prometheus
        ago = await prometheus.deployed_ago(session, url, self._project.name)
        if ago is None:
            raise _Nothing(Lack.NO_DATA, "Prometheus does not know when it was deployed")
        return ago.total_seconds()

    async def lines(self) -> tuple[Line, ...]:
        """Return the newest lines of its log."""
        given = await self._answer(self._project.paths.logs, "its log")
        found = logs.lines(given)
        if found is None:
            raise _Nothing(Lack.ERROR, f"its log: {IN_WORDS[Reason.BODY]}")
        if not found:
            raise _Nothing(Lack.NO_DATA, f"its log: {logs.EMPTY}")
        return tuple(found)

    async def pasts(self) -> tuple[Past, ...]:
        """Return its incidents of the same alert which have ended."""
        return tuple(await self._sources.pasts(self._project.name, self._subject.alertname))

    async def runbook(self) -> str:
        """Return what people wrote about the alert."""
        name = self._subject.alertname
        if not NAME.fullmatch(name):
            raise _Nothing(Lack.NO_DATA, NO_RUNBOOK)
        try:
            return await asyncio.to_thread(_text, self._sources.runbooks / f"{name}.md")
        except FileNotFoundError:
            raise _Nothing(Lack.NO_DATA, NO_RUNBOOK) from None

    async def _answer(self, path: str | None, what: str) -> Answer:
        given = await logs.asked(self._sources.ways, self._project, path, within=EACH)
        if isinstance(given, str):
            raise _Nothing(LACKS.get(given, Lack.ERROR), f"{what}: {given}")
        return given


def _mean(values: Sequence[float]) -> float | None:
    """Return the mean, unless that is of less than half a window: then it would mislead."""
    known = [each for each in values if math.isfinite(each)]
    return fmean(known) if len(known) >= questions.POINTS // 2 else None


def _text(path: Path) -> str:
    with path.open(encoding="utf-8") as file:
        return file.read(LONGEST)
