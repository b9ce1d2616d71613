"""The post: what Alertmanager says of an alert, in order or not, and what it shows when asked."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from orchestrator import clock
from tests.webhook import make
from tests.webhook.laws.fleet import ALERTS
from tests.webhook.laws.story import Story
from tests.webhook.make import SECOND
from webhook.alert import SAME, ZERO
from webhook.store import reconciliation
from webhook.store.database import atomic
from webhook.store.intake import receive
from webhook.store.reconciliation import Appeared, Finding, Gone, Known, Silenced, Unsilenced

TICK = timedelta(microseconds=1)  # no two pieces of news come at the same instant


class Word(StrEnum):
    """What is said of an alert, by what was said before."""

    FIRES = "fires, from now on"
    AGAIN = "fires, as told before"
    EARLIER = "fires, and began earlier than told"
    OLD = "fires, as an episode before the last one"
    ENDS = "ended now"
    ENDED = "ended before it began"


class Look(StrEnum):
    """What reconciling finds of an alert."""

    APPEARED = "it is shown, as told before"
    NEW = "it is shown, and began just now"
    GONE = "it is not shown"
    SILENCED = "people silenced it"
    LOUD = "nobody silences it"


@dataclass(slots=True)
class Post:
    """What was said so far. Alerts are named by rule and project, which is their fingerprint."""

    story: Story
    starts: dict[str, list[datetime]] = field(default_factory=dict)
    shown: Sequence[Known] = ()  # what reconciling knew when it last looked

    def send(self, *told: tuple[str, str, Word]) -> None:
        """Deliver one message that says so of each (rule, project)."""
        self.story.elapsed += TICK
        alerts = [self._alert(*each) for each in told]
        with atomic(self.story.db):
            receive(
                self.story.db,
                make.notification(*alerts),
                make.body(*alerts),
                at=self.story.now,
            )

        last = {f"{alertname}-{project}": word for alertname, project, word in told}
        for name, word in last.items():
            self._judge(name, word)

    def _judge(self, name: str, word: Word) -> None:
        """Look that the last word on an alert was heard."""
        query = "SELECT started_at FROM episodes WHERE fingerprint = ? AND ended_at IS NULL"
        going = [clock.read(row["started_at"]) for row in self.story.rows(query, name)]
        *_, before, start = [clock.read(ZERO), *self.starts[name]]
        if word is Word.FIRES and start > before + SAME:
            assert going == [start], f"{name} fires, and its episode is lost"
        if word is Word.ENDS:
            assert going == [], f"{name} has ended, and its episode has not"

    def tell_the_truth(self) -> None:
        """Tell what is so, where the last word was something else."""
        open_ = self.story.rows("SELECT fingerprint FROM episodes WHERE ended_at IS NULL")
        going = {row["fingerprint"] for row in open_}
        for project, service in self.story.fleet.items():
            for alertname in ALERTS:
                ill = service.is_ill(alertname)
                if ill is not (f"{alertname}-{project}" in going):
                    self.send((alertname, project, Word.FIRES if ill else Word.ENDS))

    def hush(self) -> None:
        """End every silence."""
        self.look()
        for each in self.shown:
            alertname, _, project = each.fingerprint.partition("-")
            self.reconcile(alertname, project, Look.LOUD)

    def look(self) -> None:
        """Note what the store knows, as reconciling does before it asks the peers."""
        self.shown = reconciliation.known(self.story.db)

    def reconcile(self, alertname: str, project: str, look: Look) -> None:
        """Bring one finding into the store; what it is about may have changed since the look."""
        self.story.elapsed += TICK
        found = self._finding(alertname, project, look)
        if found is not None:
            with atomic(self.story.db):
                reconciliation.take(self.story.db, [found], at=self.story.now)

    def _finding(self, alertname: str, project: str, look: Look) -> Finding | None:
        name = f"{alertname}-{project}"
        known = next((each for each in self.shown if each.fingerprint == name), None)
        if look in (Look.APPEARED, Look.NEW):
            word = Word.AGAIN if look is Look.APPEARED else Word.FIRES
            (alert,) = make.notification(self._alert(alertname, project, word)).alerts
            return Appeared(
                alert=alert, updated_at=self.story.theirs, silenced=None, beside=known is not None
            )
        if known is None:
            return None
        if look is Look.GONE:
            return Gone(episode=known, ended_at=self.story.theirs)
        if look is Look.SILENCED:
            return Silenced(episode=known, text="silenced until 14:03 UTC by ann")
        return Unsilenced(episode=known)

    def _alert(self, alertname: str, project: str, word: Word) -> dict[str, Any]:
        name, now = f"{alertname}-{project}", self.story.theirs
        starts = self.starts.setdefault(name, [])
        if word is Word.FIRES or not starts:
            starts.append(now)
        started = {
            Word.EARLIER: starts[-1] - 3 * SECOND,
            Word.OLD: starts[max(len(starts) - 2, 0)],
        }.get(word, starts[-1])
        ended = {Word.ENDS: now, Word.ENDED: starts[-1] - SECOND}.get(word)
        return make.alert(
            started=started, ended=ended, fingerprint=name, alertname=alertname, project=project
        )
