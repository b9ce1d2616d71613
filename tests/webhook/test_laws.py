"""Whatever happens in whatever order, the laws hold, and when all is quiet everything ends."""

import sqlite3
import sys
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from orchestrator import clock
from orchestrator.health import State as Health
from tests.webhook.hearing import answer
from tests.webhook.laws import people
from tests.webhook.laws.fleet import ALERTS, DOWN, PROJECTS, Answer, Prometheus
from tests.webhook.laws.law import must
from tests.webhook.laws.post import Look, Post, Word
from tests.webhook.laws.rules import LIMITS, Mode, Rules
from tests.webhook.laws.story import Story
from tests.webhook.make import SECOND
from webhook import chain
from webhook.analyzer.analysis import By
from webhook.analyzer.answer import ESCALATE, NONE
from webhook.approval import Decision
from webhook.incident import UNCONFIGURED, State
from webhook.request import FORCIBLE
from webhook.restraint import Kind
from webhook.store import restraints, trail
from webhook.store.analyses import Found
from webhook.store.database import atomic

QUICK = settings(
    max_examples=120,
    stateful_step_count=40,
    derandomize=True,
    deadline=None,
    phases=[Phase.generate],  # making a story shorter takes minutes; the long run does that
    suppress_health_check=list(HealthCheck),
)
LONG = settings(
    QUICK, max_examples=2_000, stateful_step_count=60, derandomize=False, phases=list(Phase)
)

PROJECT, ALERT = st.sampled_from(PROJECTS), st.sampled_from(ALERTS)
WORDS = st.lists(st.tuples(ALERT, PROJECT, st.sampled_from(Word)), min_size=1, max_size=5)
CHANGES = st.sampled_from([*Answer, *Prometheus, Health.HEALTHY, Health.DOWN, Health.PAUSED])
GAPS = st.sampled_from([0.5, 2, 2, 16, 31, 61, 301, 1_000, 3_700])
EDITS = ("as it was", "as it was", "as it was", "limits", "limits", "known", "observed", "commands")
MODES: tuple[Mode, ...] = ("always", "always", "on_failure", "off")
ANSWERS = (
    *("restart_service", "restart_service", "restart_service", "clear_cache", "pause_service"),
    *("rollback_deployment", NONE, ESCALATE),
)
BUSY = (State.REPAIRING, State.REPAIRING, State.VERIFYING, State.AWAITING_APPROVAL, State.MITIGATED)
ADVICE = st.none() | st.builds(
    lambda action, confidence, by: Found(
        by=by,
        answer=answer(action=action, confidence=confidence),
        ids=("M1", "L1"),
        measured=("M1",),
    ),
    st.sampled_from(ANSWERS),
    st.sampled_from([0.3, 0.7, 0.71, 1.0]),
    st.sampled_from([By.CLAUDE, By.CLAUDE, By.RULES]),
)
FORCED = st.lists(st.sampled_from(FORCIBLE), max_size=3)
ENDS = ("crash", "spoil", "go on later")
FORGOTTEN = """SELECT episodes.project FROM episodes JOIN incidents ON incidents.id = incident
    WHERE episodes.ended_at IS NULL AND incidents.ended_at IS NOT NULL"""
HOUR = timedelta(hours=1)
QUIET = 120  # rounds of 20 s, in which all has to end, or to wait for people


class Laws(RuleBasedStateMachine):
    """One fleet, one store, and everything that can happen to them."""

    @initialize(limits=st.sampled_from(LIMITS), mode=st.sampled_from(MODES), advice=ADVICE)
    def begin(self, limits: dict[str, object], mode: Mode, advice: Found | None) -> None:
        self.story = Story()
        self.story.advice = advice
        self.post = Post(self.story)
        self.story.rules = replace(self.story.rules, limits=limits, mode=mode)

    # The world

    @rule(project=PROJECT, alertname=ALERT, rounds=st.integers(0, 3))
    def falls_ill(self, project: str, alertname: str, rounds: int) -> None:
        service = self.story.fleet[project]
        if alertname == DOWN:
            service.become(Health.DOWN)
        else:
            service.become(Health.HEALTHY)
            service.ill.add(alertname)
        self._go_on(rounds, 2 * SECOND)

    @rule(project=PROJECT, change=CHANGES)
    def is_otherwise(self, project: str, change: Answer | Prometheus | Health) -> None:
        service = self.story.fleet[project]
        match change:
            case Answer():
                service.answer = change
            case Prometheus():
                service.prometheus = change
            case Health():  # people did that
                service.become(change)
                service.ill.clear()

    @rule(words=WORDS)
    def is_told(self, words: list[tuple[str, str, Word]]) -> None:
        self.post.send(*words)

    @rule(project=PROJECT)
    def heals(self, project: str) -> None:
        self.story.fleet[project].heal()
        for alertname in ALERTS:
            self.post.send((alertname, project, Word.ENDS))

    @rule(project=PROJECT, alertname=ALERT, look=st.sampled_from(Look), late=st.booleans())
    def reconciles(self, project: str, alertname: str, look: Look, late: bool) -> None:  # noqa: FBT001  hypothesis names it
        if not late:
            self.post.look()
        self.post.reconcile(alertname, project, look)

    @rule(seconds=GAPS, back=st.booleans())
    def time_goes_by(self, seconds: float, back: bool) -> None:  # noqa: FBT001  hypothesis names it
        self.story.elapsed += seconds * SECOND
        if back and not self.story.flights and not self.story.lost:
            self.story.skew -= HOUR
            self.story.backs += 1

    # The webhook

    @rule(gaps=st.lists(st.sampled_from([0.5, 2, 3, 16]), min_size=1, max_size=8))
    def works(self, gaps: list[float]) -> None:
        for seconds in gaps:
            self.story.work_off()
            self.story.elapsed += seconds * SECOND
        self.story.work_off()

    @rule(rounds=st.integers(1, 12), seconds=st.sampled_from([1, 2, 16, 31]))
    def works_on_what_is_so(self, rounds: int, seconds: float) -> None:
        self._go_on(rounds, seconds * SECOND)

    @rule(looks=st.integers(0, 4))
    def begins_a_step(self, looks: int) -> None:
        flight = self.story.claim()
        for _ in range(looks):
            if flight is not None and flight.change is None:
                flight.go_on()

    @rule(state=st.sampled_from(BUSY), looks=st.integers(0, 3), end=st.sampled_from(ENDS))
    def is_disturbed(self, state: State, looks: int, end: str) -> None:
        flight = self.story.work_off(stop=state)
        if flight is None:
            return
        for _ in range(looks):
            if flight.change is None:
                flight.go_on()
        if end == "crash":
            self.story.crash(keeping=looks % 2 == 0)
        elif end == "spoil":
            self.story.spoil(flight)

    @precondition(lambda self: self.story.flights)
    @rule(which=st.integers(0, 2))
    def goes_on_with_a_step(self, which: int) -> None:
        flight = self.story.flights[which % len(self.story.flights)]
        if flight.change is None:
            flight.go_on()

    @precondition(lambda self: self.story.flights)
    @rule(which=st.integers(0, 2))
    def ends_a_step(self, which: int) -> None:
        self.story.land(self.story.flights[which % len(self.story.flights)])

    @precondition(lambda self: self.story.flights)
    @rule(which=st.integers(0, 2))
    def cannot_store_a_step(self, which: int) -> None:
        self.story.spoil(self.story.flights[which % len(self.story.flights)])

    @rule(keeping=st.booleans())
    def crashes(self, keeping: bool) -> None:  # noqa: FBT001  hypothesis names it
        self.story.crash(keeping=keeping)

    @precondition(lambda self: self.story.lost)
    @rule()
    def an_earlier_life_ends_a_step(self) -> None:
        self.story.land_late(self.story.lost[0])

    @rule(advice=ADVICE)
    def is_advised(self, advice: Found | None) -> None:
        self.story.advice = advice

    # People

    @rule(yes=st.booleans(), older=st.integers(0, 2))
    def people_answer(self, yes: bool, older: int) -> None:  # noqa: FBT001  hypothesis names it
        people.answer(self.story, Decision.APPROVED if yes else Decision.REJECTED, older)

    @rule(
        project=PROJECT,
        action=st.sampled_from(people.WISHES),
        force=FORCED,
        rounds=st.integers(0, 2),
    )
    def people_ask(self, project: str, action: str, force: list[str], rounds: int) -> None:
        people.ask(self.story, project, action, force)
        self._go_on(rounds, 2 * SECOND)

    @rule(kind=st.sampled_from(Kind), project=st.sampled_from([*PROJECTS, None]))
    def people_hold(self, kind: Kind, project: str | None) -> None:
        now = self.story.now
        with atomic(self.story.db):
            restraints.add(
                self.story.db,
                kind,
                None if kind is Kind.KILL_SWITCH else project,
                reason="work",
                by="ann",
                starts_at=now,
                ends_at=now + 30 * SECOND,
                at=now,
            )

    @rule()
    def people_let_go(self) -> None:
        for row in self.story.rows("SELECT id FROM restraints WHERE lifted_at IS NULL"):
            with atomic(self.story.db):
                restraints.lift(self.story.db, row["id"], by="ann", at=self.story.now)

    @rule(limits=st.sampled_from(LIMITS), project=PROJECT, what=st.sampled_from(EDITS))
    def rules_change(self, limits: dict[str, object], project: str, what: str) -> None:
        rules = self.story.rules
        edited = {
            "as it was": Rules(mode=rules.mode),
            "limits": replace(rules, limits=limits),
            "known": replace(rules, known=rules.known ^ {project}),
            "observed": replace(rules, observed=rules.observed ^ {project}),
            "commands": replace(rules, commands=not rules.commands),
        }
        self.story.follow(edited[what])

    def _go_on(self, rounds: int, gap: timedelta) -> None:
        for _ in range(rounds):
            self.post.tell_the_truth()
            self.story.work_off()
            self.story.elapsed += gap

    @invariant()
    def the_laws_hold(self) -> None:
        if hasattr(self, "story"):
            self.story.book.check(self.story.db)

    def teardown(self) -> None:
        """Let it become quiet: then everything has to end."""
        try:
            if sys.exc_info()[0] is None:  # else it ends by what was found
                self._grow_quiet()
        finally:
            self.story.close()

    def _grow_quiet(self) -> None:
        story = self.story
        story.crash(keeping=False)
        story.work_off()
        forgotten = {row["project"] for row in story.rows(FORGOTTEN)} & story.rules.known
        must(not forgotten, "an alert goes on, and its incident does not", forgotten)
        for service in story.fleet.values():
            service.heal()
        self.people_let_go()
        self.post.hush()
        self.post.tell_the_truth()
        for _ in range(QUIET):
            story.work_off()
            story.elapsed += 20 * SECOND
        story.book.check(story.db)
        assert chain.first_broken(trail.stream(story.db)) is None
        left = story.rows("SELECT * FROM requests WHERE outcome IS NULL")
        must(
            not left, "nobody has taken up what a person asked for", [tuple(each) for each in left]
        )
        for row in story.rows("SELECT * FROM incidents WHERE ended_at IS NULL"):
            self._judge_left(row)
        for project, service in story.fleet.items():
            self._judge_paused(project, service.ours)

    def _judge_left(self, row: sqlite3.Row) -> None:
        """Look that what has not ended waits for people, who have to start what we stopped.

        Of what ended while it was paused by us they are asked an hour later; and of what was
        removed while it was, they are told for an hour, for nobody can look at it any more.
        """
        well = self.story.fleet[row["project"]].health is Health.HEALTHY
        observed = (row["state"], row["held_by"]) == (State.MITIGATED, "observe")
        pages = self.story.rows(
            "SELECT 1 FROM pages WHERE incident = ? AND ended_at IS NULL", row["id"]
        )
        ended = row["recovered_at"] and clock.read(row["recovered_at"])
        asked_later = row["state"] == State.OPEN and ended and self.story.now < ended + HOUR
        waits = bool(pages) or bool(asked_later)
        removed = (row["state"], row["held_by"]) == (State.ESCALATED, UNCONFIGURED)
        if removed and self.story.now < clock.read(row["since"]) + HOUR:
            return
        must(observed or (waits and not well), "it is quiet, and it does not end", tuple(row))

    def _judge_paused(self, project: str, key: str | None) -> None:
        """Look that what we paused, and know that we did, is not left to itself."""
        done = self.story.rows(  # what a person paused while no alert was open, is left so
            "SELECT state FROM actions WHERE key = ? AND alertname <> ''", key
        )
        going = self.story.rows(
            "SELECT 1 FROM incidents WHERE project = ? AND ended_at IS NULL", project
        )
        completed = [row["state"] for row in done] == ["completed"]
        must(bool(going) or not completed, "paused by us, and left so", project)


def test_the_laws_hold_whatever_happens() -> None:
    run_state_machine_as_test(Laws, settings=QUICK)


@pytest.mark.long
@pytest.mark.timeout(3_600)
def test_the_laws_hold_whatever_happens_in_many_runs() -> None:
    run_state_machine_as_test(Laws, settings=LONG)
