"""A story: a store, a fleet, a clock, and everything that can happen between them."""

import sqlite3
from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import count

from orchestrator.project import Mode, Project
from tests.webhook.laws.fleet import PROJECTS, Service
from tests.webhook.laws.flight import Flight, Outside
from tests.webhook.laws.landing import Landing
from tests.webhook.laws.law import Book, must
from tests.webhook.laws.rules import Rules
from tests.webhook.make import NOW
from webhook.action import Action
from webhook.action import State as ActionState
from webhook.catalogue import remedy
from webhook.executor import Outcome
from webhook.guard import Surroundings
from webhook.incident import Episode, State
from webhook.remedy import Way
from webhook.repair import RESEND_FOR
from webhook.store import analyses, leftover, rows, surroundings, work
from webhook.store.analyses import Found
from webhook.store.database import atomic, connect

AT_ONCE = 80  # steps without the time going on; more is a step that begins itself again


class Story:
    """What one run has. Lives for one example; `close` frees its database."""

    def __init__(self) -> None:
        self.db = connect(":memory:")
        self.elapsed = timedelta(0)  # by the clock of Alertmanager, which nobody sets
        self.skew = timedelta(0)  # of our clock
        self.backs = 0  # how often our clock was set back
        self.rules = Rules()
        self.fleet = {name: Service() for name in PROJECTS}
        self.flights: list[Flight] = []
        self.lost: list[Flight] = []  # of an earlier life, and ready to land
        self.intents: dict[str, tuple[timedelta, int]] = {}  # by key: when, and how many backs
        self.advice: Found | None = None  # what the analyzer says to whatever it is asked
        self.book = Book()
        self.epoch = work.boot(self.db, at=self.now)
        self._keys = count(1)

    @property
    def now(self) -> datetime:
        """Return this instant by our clock."""
        return NOW + self.elapsed + self.skew

    @property
    def theirs(self) -> datetime:
        """Return this instant by the clock of Alertmanager."""
        return NOW + self.elapsed

    def close(self) -> None:
        """End everything."""
        for flight in (*self.flights, *self.lost):
            flight.crash()
        self.db.close()

    def claim(self) -> Flight | None:
        """Claim what is due, and begin a step of it; None when nothing is."""
        with atomic(self.db):
            case = work.claim(self.db, epoch=self.epoch, at=self.now)
        if case is None:
            return None
        flight = Flight(case, self.epoch, self.rules.config(), self.elapsed)
        self.flights.append(flight)
        flight.take_off(self._outside())
        return flight

    def land(self, flight: Flight) -> None:
        """Store what a step has come to; when it is overtaken, give its incident back."""
        self.flights.remove(flight)
        landing = Landing(self.db, flight, flight.arrive(), self.now)
        if landing.store():
            self._note(flight)
        else:
            self.release(flight)

    def land_late(self, flight: Flight) -> None:
        """Store what a step of an earlier life has come to, unless the incident has gone on."""
        self.lost.remove(flight)
        Landing(self.db, flight, flight.arrive(), self.now).store()
        self._note(flight)

    def release(self, flight: Flight) -> None:
        """Give an incident back undone, as the worker does."""
        with atomic(self.db):
            work.release(self.db, flight.case.incident, epoch=flight.epoch, due=self.now)

    def spoil(self, flight: Flight) -> None:
        """Come to the end of a step, find that it cannot be stored, and give its incident back."""
        self.flights.remove(flight)
        flight.arrive()
        self.release(flight)

    def crash(self, *, keeping: bool) -> None:
        """End in the middle of everything, and begin a new life; *keeping* what was to land."""
        for flight in self.flights:
            if keeping and flight.change is not None:
                self.lost.append(flight)
            else:
                flight.crash()
        self.flights = []
        with atomic(self.db):
            self.epoch = work.boot(self.db, at=self.now)
            analyses.cut_off(self.db, epoch=self.epoch, at=self.now)

    def _analyze(self) -> bool:
        """Let the analyzer answer what has waited for longest; False: it does not answer now."""
        if self.advice is None:
            return False
        with atomic(self.db):
            claimed = analyses.claim(self.db, epoch=self.epoch, at=self.now)
            if claimed is not None:
                analyses.store(self.db, claimed.analysis.id, self.advice, at=self.now)
        return claimed is not None

    def work_off(self, *, stop: State | None = None) -> Flight | None:
        """Take every step that is due now; return the first that begins in the state *stop*."""
        undoes = False
        for _ in range(AT_ONCE):
            flight = self.claim()
            if flight is None and self._analyze():
                continue
            if flight is None or flight.case.incident.state is stop:
                return flight
            self.land(flight)
            undoes = flight.case.incident.state is State.MITIGATED
        what = "an undo" if undoes else "a step"
        must(holds=False, law=f"{what} begins itself again without end")
        return None

    def follow(self, rules: Rules) -> None:
        """Go by other rules from now on, as after a reload."""
        self.rules = rules
        self.book.check(self.db)
        with atomic(self.db):
            leftover.take_up(self.db, rules.config().projects.keys(), at=self.now)
            work.wake_all(self.db, at=self.now)

    def rows(self, query: str, *given: object) -> Sequence[sqlite3.Row]:
        """Ask the store."""
        return self.db.execute(query, given).fetchall()

    def _note(self, flight: Flight) -> None:
        change = flight.change
        for each in change.action_became if change else ():
            if each.state is ActionState.EXECUTING and each.key not in self.intents:
                self.intents[each.key] = (self.elapsed, self.backs)

    def _outside(self) -> Outside:
        return Outside(
            now=lambda: self.now,
            new_key=lambda: f"key-{next(self._keys)}",
            probe=lambda project: self.fleet[project.name].probe(),
            standing=lambda alertname, project: self.fleet[project].standing(alertname),
            read_within=lambda project: self.fleet[project].read(),
            around=self._around,
            execute=self._execute,
        )

    def _around(self, project: Project, episode: Episode, within: timedelta) -> Surroundings:
        config = self.rules.config()
        return surroundings.around(
            self.db,
            project,
            episode,
            within=within,
            fleet=config.projects.keys(),
            parents=config.ancestors(project.name),
        )

    def _execute(self, project: Project, action: Action, flight: Flight) -> Outcome:
        self._judge_sending(project, action, flight)
        service = self.fleet[project.name]
        known = remedy(action.name, Rules().config().commands)
        if known.way is Way.CONTROL:
            return service.ask(action)
        outcome = service.run(action)
        must(known.repeatable or service.runs[action.key] == 1, "done twice", action.name)
        return outcome

    def _judge_sending(self, project: Project, action: Action, flight: Flight) -> None:
        stored = self.rows("SELECT state FROM actions WHERE key = ?", action.key)
        must([row["state"] for row in stored] == ["executing"], "sent without an intent")
        since, backs = self.intents[action.key]
        if backs == self.backs:
            must(flight.began < since + RESEND_FOR, "sent long after its intent")
        must(project.mode is Mode.ACT, "sent where only observing is wanted")
        asked = self.rows("SELECT * FROM requests WHERE key = ?", action.key)
        forced = {name for row in asked for name in rows.request(row).forced}
        for row in self.rows("SELECT * FROM restraints WHERE lifted_at IS NULL"):
            said = rows.restraint(row)
            binds = said.binds(project.name, at=self.now) and said.kind not in forced
            must(not binds, "sent in spite of what people said", said.kind)
