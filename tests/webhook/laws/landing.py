"""A landing: what a step has come to is stored, and judged by what the step could have known."""

import sqlite3
from datetime import datetime

from orchestrator.guards import Guards
from orchestrator.health import State as Health
from orchestrator.project import Mode
from tests.webhook.laws.fleet import SETTLE
from tests.webhook.laws.flight import Flight
from tests.webhook.laws.law import must
from webhook import consult, policy
from webhook.action import Action
from webhook.action import State as ActionState
from webhook.analyzer.analysis import By, Decision, Ruling
from webhook.approval import bound
from webhook.catalogue import remedy
from webhook.change import Change
from webhook.incident import State
from webhook.policy import Step
from webhook.remedies.command import PREFIX
from webhook.remedy import Goal
from webhook.request import FORCIBLE, Request
from webhook.store import rows, work
from webhook.store.database import atomic
from webhook.store.work import Overtaken

_ELSEWHERE = """SELECT count(*) FROM incidents WHERE project <> ? AND (state = 'repairing'
    OR (state = 'verifying' AND recovered_at IS NULL))"""
_TABLES = (
    *("incidents", "episodes", "actions", "approvals", "pages", "restraints", "requests"),
    "analyses",
)


class Landing:
    """One change at the moment it is stored."""

    def __init__(
        self, db: sqlite3.Connection, flight: Flight, change: Change, at: datetime
    ) -> None:
        self._db, self._flight, self._change, self._at = db, flight, change, at

    def store(self) -> bool:
        """Store it, and judge it; False: it was overtaken, and nothing has changed."""
        before, ours = self._everything(), self._is_ours()
        change, number = self._change, self._change.before.id
        forgiven = self._forgiven()
        try:
            with atomic(self._db):
                work.apply(self._db, change, epoch=self._flight.epoch, at=self._at)
        except Overtaken:
            assert self._everything() == before, "overtaken, and yet something has changed"
            return False
        assert ours, f"incident {number} had gone on without this step"
        if change.forgive is not None and self._forgiven() != forgiven:
            assert forgiven is None or forgiven <= rows.text(change.forgive), "forgiven twice"  # type: ignore[operator]  # an instant is there
        self._judge_action()
        self._judge_end()
        return True

    def _everything(self) -> list[list[tuple[object, ...]]]:
        told = [f"SELECT * FROM {each}" for each in _TABLES]  # noqa: S608  names of ours
        counted = [f"SELECT count(*) FROM {each}" for each in ("audit", "events")]  # noqa: S608
        return [[tuple(row) for row in self._db.execute(each)] for each in (*told, *counted)]

    def _is_ours(self) -> bool:
        before = self._change.before
        row = self._db.execute(
            "SELECT state, claimed_by FROM incidents WHERE id = ?", (before.id,)
        ).fetchone()
        return (row["state"], row["claimed_by"]) == (before.state, self._flight.epoch)

    def _forgiven(self) -> str | None:
        found: str | None = self._db.execute(
            "SELECT max(forgiven_at) FROM actions WHERE project = ?",
            (self._change.before.project,),
        ).fetchone()[0]
        return found

    def _judge_action(self) -> None:
        change = self._change
        if not change.action_became:
            return
        action, was = change.action_became[-1], change.action_was
        if action.state is ActionState.EXECUTING and (was is None or was.state != action.state):
            self._judge_begin(action)
        if action.state is ActionState.COMPLETED:
            self._judge_proof(action)

    def _judge_begin(self, action: Action) -> None:
        config, change = self._flight.config, self._change
        project = config.projects[action.project]
        guards = config.guards.of(action.project, action.name)
        asked = change.request
        overrode = asked.overrode if asked else ()
        undoes = change.before.state is State.MITIGATED and asked is None
        undo = " by an undo" if undoes else ""
        must(project.mode is Mode.ACT, f"begun{undo} where only observing is wanted")
        if not undo:  # what was paused is resumed however often: the pause itself was counted
            self._judge_pace(action, guards, overrode)
        elsewhere = self._db.execute(_ELSEWHERE, (action.project,)).fetchone()[0]
        assert elsewhere < guards.concurrency or "concurrency" in overrode, "too many at once"
        if asked is not None:
            self._judge_asked(asked, action)
            return
        step = Step(remedy=remedy(action.name, config.commands), guards=guards)
        if change.ruling is not None:
            self._judge_ruling(change.ruling, action)
        if change.before.state is State.AWAITING_APPROVAL:
            self._judge_approval(action)
        else:
            why = policy.asks(step, project, action.alertname)
            must(why is None, f"done{undo}, and nobody was asked", why)

    def _judge_ruling(self, ruling: Ruling, action: Action) -> None:
        analyses = self._flight.case.analyses
        heard = next((each for each in analyses if each.id == ruling.analysis), None)
        assert heard is not None, "decided on an answer that is not there"
        assert heard.by is By.CLAUDE, "done on the word of rules"
        assert (ruling.decision, heard.answer and heard.answer.action) == (
            Decision.AUTO,
            action.name,
        ), "done by itself, and nobody has said so"
        assert ruling.effective > self._flight.config.analyzer.auto_above, "done, and not sure"
        allowed = consult.allowed(self._flight.config, action.alertname)
        assert action.name in allowed, "done, and not allowed for the alert"

    def _judge_asked(self, asked: Request, action: Action) -> None:
        assert action.executed_at is not None
        named = (asked.project, asked.action, asked.incident, asked.key)
        assert named == (action.project, action.name, action.incident, action.key), "another"
        assert action.executed_at < asked.expires_at, "done late"
        assert set(asked.overrode) <= set(asked.forced) <= set(FORCIBLE), "talked around"

    def _judge_pace(self, action: Action, guards: Guards, overrode: tuple[str, ...]) -> None:
        assert action.executed_at is not None
        since = rows.text(action.executed_at - guards.window)
        attempts = self._count(
            "project = ? AND name = ? AND forgiven_at IS NULL AND executed_at > ?",
            (action.project, action.name, since),
        )
        many = attempts > guards.attempts and "attempts" not in overrode
        assert not many, f"attempt {attempts} of {guards.attempts}"
        since = rows.text(action.executed_at - guards.cooldown)
        lately = self._count(
            "project = ? AND key <> ? AND forgiven_at IS NULL AND executed_at > ?"
            " AND executed_at <= ?",
            (action.project, action.key, since, rows.text(action.executed_at)),
        )
        assert not lately or "cooldown" in overrode, "sooner than the cooldown"

    def _count(self, condition: str, given: tuple[object, ...]) -> int:
        query = f"SELECT count(*) FROM actions WHERE {condition}"  # noqa: S608  ours
        return int(self._db.execute(query, given).fetchone()[0])

    def _judge_approval(self, action: Action) -> None:
        asked = rows.approval(
            self._db.execute("SELECT * FROM approvals WHERE action = ?", (action.key,)).fetchone()
        )
        assert (asked.decision, asked.decided_by) == ("approved", "ann"), "nobody has allowed it"
        assert asked.bound == self._bound(action), "something else was allowed"

    def _bound(self, action: Action) -> str:
        config, case = self._flight.config, self._flight.case
        episode = policy.worst(case.episodes, config.playbooks)
        assert episode is not None, "allowed for an alert that has ended"
        known = remedy(action.name, config.commands)
        guards = config.guards.of(action.project, action.name)
        command = config.commands.get(action.name.removeprefix(PREFIX))
        return bound(known, config.projects[action.project], guards, episode, command)

    def _judge_proof(self, action: Action) -> None:
        goal = remedy(action.name, self._flight.config.commands).goal
        seen = self._flight.probes[-1].state
        wanted = {Goal.PAUSED: {Health.PAUSED}, Goal.STOPPED: {Health.DOWN}}
        assert seen in wanted.get(goal, {Health.HEALTHY}), f"{seen}, and called completed"
        if goal is not Goal.HEALED:
            return
        since = self._change.before.recovered_at
        assert since is not None, "proven without a recovery"
        if not action.alertname:  # a person asked for it, and Prometheus has nothing to say
            return
        standing = self._flight.standings[-1]
        assert standing is not None, "proven without Prometheus"
        assert not standing.holds, "proven while its expression is true"
        assert self._at >= since + SETTLE, "proven before its rule could see it"

    def _judge_end(self) -> None:
        change = self._change
        told = [event for event in change.events if event.name == "PROBLEM_RESOLVED"]
        assert bool(told) is (change.after.state is State.RESOLVED)
        if told:
            became = [each.state for each in change.action_became]
            assert became == [ActionState.COMPLETED], "resolved without a proven action"
        if change.after.ended_at is None or change.reason == REMOVED:
            return
        going = self._db.execute(
            "SELECT count(*) FROM episodes WHERE incident = ? AND ended_at IS NULL",
            (change.after.id,),
        ).fetchone()[0]
        assert not going, "ended while its alert goes on"


REMOVED = "removed from orchestrator.yml"
