"""What the database holds, as gauges: set anew for each page, and right from the start."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta

from prometheus_client import Gauge

from webhook.action import Action
from webhook.catalogue import CATALOGUE
from webhook.guard import GUARDS
from webhook.incident import ENDED, State
from webhook.meters import OTHER
from webhook.remedies.command import PREFIX
from webhook.restraint import Kind
from webhook.store.history import Figures
from webhook.store.lately import Lately
from webhook.store.particulars import Particulars, Single

# project, action, its attempts (oldest first), now: whether it is not tried any more
Tripped = Callable[[str, str, Sequence[Action], datetime], bool]

Labels = tuple[str, ...]

PAGES = ("escalation", "approval", "fleet", "watchdog")  # the kinds that there are from the start


class Gauges:
    """What the database holds, as gauges. No project has one that the configuration has not."""

    def __init__(self, gauge: Callable[[str], Gauge]) -> None:
        self.window = timedelta(0)
        self._tripped: Tripped = lambda _project, _action, _attempts, _now: False
        self.projects: frozenset[str] = frozenset()
        self._in_maintenance: frozenset[str] = frozenset()
        self._tried: set[tuple[str, str]] = set()
        self._incidents = Tally(
            gauge("webhook_incidents_open"), [each for each in State if each not in ENDED]
        )
        self._holding = Tally(gauge("webhook_guard_holding"), GUARDS)
        self._pages = Tally(gauge("webhook_pages_open"), PAGES)
        self._episodes = gauge("webhook_episodes_open")
        self._queue = gauge("webhook_queue_length")
        self._queue_age = gauge("webhook_queue_age_seconds")
        self._approvals = gauge("webhook_approvals_waiting")
        self._approval_age = gauge("webhook_approval_age_seconds")
        self._questions = Instants(gauge("webhook_approval_asked_timestamp_seconds"))
        self._troubles = Instants(gauge("webhook_incident_opened_timestamp_seconds"))
        self._lately = Instants(gauge("webhook_action_timestamp_seconds"))
        self._restraints = Tally(gauge("webhook_restraint_active"), Kind)
        self._breaker = gauge("webhook_breaker_open")
        self._maintenance = gauge("orchestrator_project_maintenance")
        self._audit_rows = gauge("webhook_audit_rows")
        self._audit_head = gauge("webhook_audit_head")

    def follow(self, projects: frozenset[str], window: timedelta, tripped: Tripped) -> None:
        """Show these projects from now on, and no others."""
        self.window, self._tripped = window, tripped
        for project in self.projects - projects:
            self._maintenance.remove(project)
        for project in projects - self.projects:
            self._maintenance.labels(project).set(0)
        for pair in [each for each in self._tried if each[0] not in projects]:
            self._tried.remove(pair)
            self._breaker.remove(*pair)
        self.projects = projects
        self._in_maintenance &= projects

    def show(self, figures: Figures) -> None:
        """Set all of them but those that tell of single things."""
        self._incidents.show(figures.incidents)
        self._holding.show(figures.holding)
        self._pages.show(figures.pages)
        self._episodes.set(figures.episodes)
        self._queue.set(figures.queue.many)
        self._queue_age.set(figures.queue.age(figures.at).total_seconds())
        self._approvals.set(figures.approvals.many)
        self._approval_age.set(figures.approvals.age(figures.at).total_seconds())
        self._restraints.show(figures.restraints)
        self._audit_rows.set(figures.audit_rows)
        self._audit_head.set(_number(figures.audit_head))
        self._show_maintenance(figures.maintenance)
        self._show_breakers(figures.attempts, figures.at)

    def tell(self, particulars: Particulars) -> None:
        """Set those that tell of single things."""
        self._questions.show(dict(self._single(particulars.questions, _action)))
        self._troubles.show(dict(self._single(particulars.troubles, str)))
        self._lately.show(self._acted(particulars.lately))

    def _single(
        self, singles: Iterable[Single], word: Callable[[str], str]
    ) -> Iterator[tuple[Labels, datetime]]:
        for each in singles:
            if each.project in self.projects:
                yield (str(each.id), each.project, word(each.told)), each.since

    def _acted(self, lately: Lately) -> dict[Labels, datetime]:
        """Return the newest of each: several actions that are known no more are one."""
        newest: dict[Labels, datetime] = {}
        for (project, name, result), at in lately.items():
            if project in self.projects:
                labels = (project, _action(name), result)
                newest[labels] = max(newest.get(labels, at), at)
        return newest

    def _show_maintenance(self, names: Collection[str | None]) -> None:
        """Set only what has changed: of thousands of projects few do."""
        now = self.projects if None in names else self.projects.intersection(names)
        for project in now ^ self._in_maintenance:
            self._maintenance.labels(project).set(project in now)
        self._in_maintenance = now

    def _show_breakers(self, attempts: Iterable[Action], now: datetime) -> None:
        mine: dict[tuple[str, str], list[Action]] = defaultdict(list)
        for each in attempts:
            if each.project in self.projects:
                mine[each.project, each.name].append(each)
        self._tried |= mine.keys()
        for project, action in self._tried:
            tried = mine.get((project, action), [])
            shown = bool(tried) and self._tripped(project, action, tried, now)
            self._breaker.labels(project, action).set(shown)


class Tally:
    """A gauge by one label, which goes back to 0 where there is nothing any more."""

    def __init__(self, gauge: Gauge, known: Iterable[str]) -> None:
        self._gauge = gauge
        self._known = dict.fromkeys(known)  # not a set: a page in the same order each time

    def show(self, many: Mapping[str, int]) -> None:
        """Set it for everything that is there, or ever was."""
        self._known |= dict.fromkeys(many)
        for each in self._known:
            self._gauge.labels(each).set(many.get(each, 0))


class Instants:
    """A gauge of when something was, by its labels, each of which goes with the thing itself."""

    def __init__(self, gauge: Gauge) -> None:
        self._gauge = gauge
        self._shown: Mapping[Labels, datetime] = {}

    def show(self, instants: Mapping[Labels, datetime]) -> None:
        """Show these from now on, and no others. Set only what has changed: few do."""
        for gone in self._shown.keys() - instants.keys():
            self._gauge.remove(*gone)
        for labels, at in instants.items():
            if self._shown.get(labels) != at:
                self._gauge.labels(*labels).set(at.timestamp())
        self._shown = instants


def _action(name: str) -> str:
    """Return *name* if a playbook may have it, so that no other word can become a label."""
    return name if name in CATALOGUE or name.startswith(PREFIX) else OTHER


def _number(digest: str) -> int:
    """Return the first 48 bits of *digest*; -1 where somebody has put something else there."""
    try:
        return int(digest[:12], 16)
    except ValueError:
        return -1
