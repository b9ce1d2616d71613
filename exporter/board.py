"""The board: what is known of each project, and the lines on the page that say so."""

import logging
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from exporter.page import Page, labels, line
from exporter.reading import Reading
from orchestrator.answer import Reason
from orchestrator.health import Probe, State, verdict
from orchestrator.project import Project

VERSIONS = 16  # that a project may go through; each is a new series in Prometheus, for ever
SAME = 1000  # tuples
TOO_MANY = "changes too often"

logger = logging.getLogger(__name__)


class Endpoint(StrEnum):
    """What a project is asked for on a schedule."""

    HEALTH = "health"
    METRICS = "metrics"
    STATUS = "status"


PLACE = {endpoint: place for place, endpoint in enumerate(Endpoint)}


@dataclass(slots=True)
class Known:
    """All that is known of one project since it was configured."""

    project: Project
    labels: str  # as they are written on its lines
    verdict: Probe | None = None
    versions: tuple[str, ...] = ()
    failures: Counter[Reason] = field(default_factory=Counter)  # of /health
    wrong: Counter[tuple[Endpoint, Reason]] = field(default_factory=Counter)  # of the others
    # by Endpoint, as lists: a dict takes three times the memory, and a fleet has thousands
    reads: list[int] = field(default_factory=lambda: [0, 0, 0])  # good answers
    shown: list[tuple[str, ...]] = field(default_factory=lambda: [(), (), ()])  # metrics
    until: list[float] = field(default_factory=lambda: [0.0, 0.0, 0.0])  # fresh; loop's time


class Board:
    """Facts in, lines out. Only what changed is written anew."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self._known: dict[str, Known] = {}
        self._same: dict[tuple[str, ...], tuple[str, ...]] = {}

    def take(self, projects: Iterable[Project]) -> None:
        """Know these projects and no others.

        Who left vanishes at once. Who is asked in the same way as before keeps what is known;
        who is now asked elsewhere is a stranger until it has answered.
        """
        wanted = {project.name: project for project in projects}
        for name in self._known.keys() - wanted.keys():
            self._forget(name)
        for name, project in wanted.items():
            known = self._known.get(name)
            if known and known.project == project:
                continue
            if known and _asked(known.project) != _asked(project):
                self._forget(name)
                known = None
            if known and _shown(known.project) != _shown(project):
                for endpoint in Endpoint:  # they would be other series: until they are read anew
                    self._show(known, endpoint, {})
            known = known or Known(project, "")
            known.project = project
            known.labels = labels([("project", name), *project.labels])
            self._known[name] = known
            self._write_all(known)

    def probed(self, name: str, probes: tuple[Probe, ...]) -> None:
        """Take in the probes of one turn, of which the best counts."""
        known = self._known[name]
        for made in probes:
            if made.up:
                known.reads[PLACE[Endpoint.HEALTH]] += 1
            if made.reason:
                known.failures[made.reason] += 1
        before, known.verdict = known.verdict, verdict(probes)
        if (
            before is None
            or before.state is not known.verdict.state
            or before.version != known.verdict.version
        ):
            self._changed(known, before, known.verdict)
        self._write_duration(known)
        self._write_reads(known)
        if any(made.reason for made in probes):
            self._write_failures(known)

    def read(self, name: str, endpoint: Endpoint, reading: Reading, *, until: float) -> None:
        """Take in a reading that is fresh *until* then; if not good, the last one stands."""
        known = self._known[name]
        for reason in reading.wrong:
            known.wrong[endpoint, reason] += 1
        if reading.wrong:
            self._write_wrong(known)
        if reading.good:
            known.reads[PLACE[endpoint]] += 1
            known.until[PLACE[endpoint]] = until
            self._write_reads(known)
            self._show(known, endpoint, reading.values)

    def sweep(self, now: float) -> None:
        """End the series of every reading that is no longer fresh."""
        for known in self._known.values():
            for endpoint, place in PLACE.items():
                if known.shown[place] and known.until[place] < now:
                    self._show(known, endpoint, {})

    def _one(self, names: tuple[str, ...]) -> tuple[str, ...]:
        """Return one object for equal *names*: thousands of projects show the same."""
        if len(self._same) > SAME:
            self._same.clear()  # somebody shows something else each time
        return self._same.setdefault(names, names)

    def _forget(self, name: str) -> None:
        del self._known[name]
        self._page.drop(name)

    def _show(self, known: Known, endpoint: Endpoint, values: Mapping[str, float]) -> None:
        names = tuple(values)
        for metric in known.shown[PLACE[endpoint]]:
            if metric not in values:
                self._page.put(metric, known.project.name, "")
        known.shown[PLACE[endpoint]] = self._one(names)
        for metric, value in values.items():
            self._page.put(metric, known.project.name, line(metric, known.labels, value))

    def _write_all(self, known: Known) -> None:
        limits = known.project.thresholds
        of = {"cpu": limits.cpu, "memory": limits.memory, "errors": limits.errors}
        self._write(known, "project_threshold_ratio", "resource", of)
        self._write_aims(known)
        self._write_info(known)
        self._write_state(known)
        self._write_duration(known)
        self._write_reads(known)
        self._write_failures(known)
        self._write_wrong(known)

    def _write_aims(self, known: Known) -> None:
        project = known.project
        for metric, value in (
            ("project_slow_after_seconds", project.slow_after.total_seconds()),
            ("project_slo_objective_ratio", project.slo),
        ):
            self._page.put(metric, project.name, line(metric, known.labels, value))

    def _changed(self, known: Known, before: Probe | None, now: Probe) -> None:
        if now.up and now.version not in known.versions and len(known.versions) <= VERSIONS:
            known.versions = self._one((*known.versions, now.version))
        self._write_info(known)
        self._write_state(known)
        if before is None or before.state is not now.state:
            why = {"reason": str(now.reason)} if now.reason else {}
            told = {"project": known.project.name, "state": str(now.state), **why}
            logger.info("project changed", extra=told)

    def _write_state(self, known: Known) -> None:
        if known.verdict:
            name, now = known.project.name, known.verdict
            self._page.put("project_up", name, line("project_up", known.labels, float(now.up)))
            states = {str(state): float(state is now.state) for state in State}
            self._write(known, "project_state", "state", states)

    def _write_duration(self, known: Known) -> None:
        if known.verdict:
            metric, took = "project_probe_duration_seconds", round(known.verdict.seconds, 6)
            self._page.put(metric, known.project.name, line(metric, known.labels, took))

    def _write_info(self, known: Known) -> None:
        version = known.verdict.version if known.verdict else ""
        if len(known.versions) > VERSIONS:
            version = TOO_MANY
        pairs = labels([("version", version), ("mode", str(known.project.mode))])
        written = line("project_info", f"{known.labels},{pairs}", 1.0)
        self._page.put("project_info", known.project.name, written)

    def _write_reads(self, known: Known) -> None:
        counts = zip(Endpoint, known.reads, strict=True)
        of = {str(endpoint): float(count) for endpoint, count in counts if count}
        self._write(known, "project_reads_total", "endpoint", of)

    def _write_failures(self, known: Known) -> None:
        of = {str(reason): float(count) for reason, count in known.failures.items()}
        self._write(known, "project_probe_failures_total", "reason", of)

    def _write_wrong(self, known: Known) -> None:
        lines = [
            line(
                "project_read_failures_total",
                f"{known.labels},{labels([('endpoint', endpoint), ('reason', reason)])}",
                float(count),
            )
            for (endpoint, reason), count in known.wrong.items()
        ]
        self._page.put("project_read_failures_total", known.project.name, "".join(lines))

    def _write(self, known: Known, metric: str, label: str, values: Mapping[str, float]) -> None:
        lines = [
            f'{metric}{{{known.labels},{label}="{value}"}} {number!r}\n'
            for value, number in values.items()
        ]
        self._page.put(metric, known.project.name, "".join(lines))


def _asked(project: Project) -> tuple[object, ...]:
    return project.url, project.auth, project.tls, project.paths.health


def _shown(project: Project) -> tuple[object, ...]:
    return project.labels, project.metrics, project.paths
