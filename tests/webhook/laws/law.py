"""The law: what holds of the store at every moment, and of its two append-only tables."""

import json
import sqlite3
from collections import Counter
from dataclasses import dataclass, field

from tests.webhook.laws.fleet import ALERTS
from webhook import action as actions
from webhook import audit
from webhook import incident as incidents
from webhook.action import State as ActionState
from webhook.incident import State
from webhook.store import history

# What is told of a move of an incident, by where it goes to. What is told of a failed attempt is
# asked of the action; and a move back to `open` is told by what comes next.
_TOLD = {
    State.REPAIRING: "ActionStarted",
    State.VERIFYING: "ActionExecuted",
    State.MITIGATED: "Mitigated",
    State.AWAITING_APPROVAL: "ApprovalRequested",
    State.ESCALATED: "ESCALATION_REQUIRED",
    State.RESOLVED: "PROBLEM_RESOLVED",
    State.CLOSED: "IncidentClosed",
}
_PROOFS = {"PROBLEM_RESOLVED", "Mitigated", "ActionProven"}  # one of them for each proven action
_COUNTED = {*_TOLD.values(), "ActionFailed", "ApprovalWithdrawn"}

# Each finds rows that must not be there.
_NEVER = {
    "two open incidents of a project": """SELECT project FROM incidents
        WHERE state NOT IN ('resolved', 'closed') GROUP BY project HAVING count(*) > 1""",
    "two open episodes of an alert": """SELECT fingerprint FROM episodes
        WHERE ended_at IS NULL GROUP BY fingerprint HAVING count(*) > 1""",
    "two actions under way on a project": """SELECT project FROM actions
        WHERE state IN ('pending', 'approved', 'executing') GROUP BY project HAVING count(*) > 1""",
    "an incident goes on, and nobody will look at it": """SELECT id FROM incidents
        WHERE (state IN ('resolved', 'closed')) <> (due_at IS NULL)
        OR (state IN ('resolved', 'closed')) <> (ended_at IS NOT NULL)""",
    "an incident is ended, and still claimed": """SELECT id FROM incidents
        WHERE ended_at IS NOT NULL AND claimed_by IS NOT NULL""",
    "an action goes on without its incident": """SELECT key FROM actions JOIN incidents
        ON incidents.id = incident WHERE actions.state IN ('pending', 'approved', 'executing')
        AND incidents.state NOT IN ('awaiting_approval', 'repairing', 'verifying')""",
    "an incident waits for an action that is not there": """SELECT id FROM incidents
        WHERE state IN ('awaiting_approval', 'repairing', 'verifying') AND NOT EXISTS
        (SELECT 1 FROM actions WHERE incident = incidents.id
        AND state IN ('pending', 'executing'))""",
    "people are asked, and no page says so": """SELECT id, state FROM incidents
        WHERE state = 'escalated' AND 1 <> (SELECT count(*) FROM pages
        WHERE incident = incidents.id AND kind = 'escalation' AND ended_at IS NULL)""",
    "a question, and no page says so": """SELECT id, state FROM incidents
        WHERE (state = 'awaiting_approval') <> (SELECT count(*) FROM pages
        WHERE incident = incidents.id AND kind = 'approval' AND ended_at IS NULL)""",
    "people are told of what has ended": """SELECT pages.id FROM pages JOIN incidents
        ON incidents.id = incident WHERE pages.ended_at IS NULL AND incidents.ended_at IS NOT NULL
        """,
    "a question is open, and its action is not": """SELECT approvals.id FROM approvals
        JOIN actions ON key = action WHERE decision IS NULL AND actions.state <> 'pending'""",
    "a request is open, and nobody will take it up": """SELECT requests.id, state FROM requests
        JOIN incidents ON incidents.id = incident WHERE outcome IS NULL
        AND state NOT IN ('open', 'escalated', 'mitigated')""",
    "a request has not ended whole": """SELECT id, outcome FROM requests
        WHERE (outcome IS NULL) <> (ended_at IS NULL)
        OR (coalesce(outcome, '') = 'taken') <> (key IS NOT NULL)
        OR (coalesce(outcome, 'taken') = 'taken') <> (why IS NULL)""",
    "an episode ends before it begins": """SELECT id FROM episodes
        WHERE ended_at < started_at""",
}


def must(holds: bool, law: str, detail: object = "") -> None:  # noqa: FBT001  as assert has it
    """Raise AssertionError when a law does not hold that has to."""
    assert holds, f"{law}: {detail}"


@dataclass(slots=True)
class Book:
    """What was read of audit and events so far; it goes on from there."""

    incidents: dict[int, State] = field(default_factory=dict)
    actions: dict[str, ActionState] = field(default_factory=dict)
    decisions: dict[int, tuple[object, ...]] = field(default_factory=dict)
    audited: int = 0
    head: str = audit.GENESIS
    told: int = 0
    _owed: Counter[tuple[int, str]] = field(default_factory=Counter)  # events, by incident
    _opened: set[int] = field(default_factory=set)  # incidents whose alert is to be told of

    def check(self, db: sqlite3.Connection) -> None:
        """Raise AssertionError, with a sentence, when something does not hold."""
        for said, query in _NEVER.items():
            found = [tuple(row) for row in db.execute(query)]
            assert not found, f"{said}: {found}"
        self._read_audit(db)
        self._read_events(db)
        self._compare(db)

    def _read_audit(self, db: sqlite3.Connection) -> None:
        for row in db.execute("SELECT * FROM audit WHERE id > ? ORDER BY id", (self.audited,)):
            said = audit.Entry(at=row["at"], actor=row["actor"], what=row["what"], data=row["data"])
            assert (row["id"], row["previous"]) == (self.audited + 1, self.head), "a broken chain"
            assert row["hash"] == audit.digest(said, id=row["id"], previous=self.head)
            self.audited, self.head = row["id"], row["hash"]
            self._follow(row["what"], json.loads(row["data"]))

    def _follow(self, what: str, data: dict[str, str]) -> None:
        match what:
            case "incident opened":
                self.incidents[int(data["incident"])] = State.OPEN
                self._opened.add(int(data["incident"]))
            case "incident moved":
                self._move_incident(int(data["incident"]), State(data["from"]), State(data["to"]))
            case "action moved":
                self._move_action(data)
            case _:
                pass

    def _move_incident(self, number: int, before: State, after: State) -> None:
        assert self.incidents[number] is before, f"incident {number} was not {before}"
        assert after in incidents.NEXT[before], f"incident {number}: from {before} to {after}"
        self.incidents[number] = after
        if (before, after) == (State.AWAITING_APPROVAL, State.OPEN):
            self._owed[number, "ApprovalWithdrawn"] += 1
        if before in incidents.ENDED:
            self._opened.add(number)
        if after in _TOLD:
            self._owed[number, _TOLD[after]] += 1

    def _move_action(self, data: dict[str, str]) -> None:
        key, after = data["key"], ActionState(data["to"])
        before = self.actions.get(key)
        assert data["from"] == before, f"action {key} was {before}"
        right = actions.NEXT[before] | {before} if before else {ActionState.PENDING}
        assert after in right, f"action {key}: from {before} to {after}"
        self.actions[key] = after
        if after is ActionState.FAILED:
            self._owed[int(data["incident"]), "ActionFailed"] += 1
        if after is ActionState.COMPLETED:
            self._owed[int(data["incident"]), "proof"] += 1

    def _read_events(self, db: sqlite3.Connection) -> None:
        told: Counter[tuple[int, str]] = Counter()
        fired: set[int] = set()
        for event in history.events(db, after=self.told, limit=1_000):
            number, name = event["id"], str(event["name"])
            assert isinstance(number, int)
            self.told = number
            if name in _PROOFS:
                told[int(str(event["incident"])), "proof"] += 1
            if name in _COUNTED:
                told[int(str(event["incident"])), name] += 1
            elif name in ALERTS or name == "ActionRequested":
                fired.add(int(str(event["incident"])))
        lacks, more = self._owed - told, told - self._owed
        must(not lacks, "a move that no event tells of", dict(lacks))
        must(not more, "an event of a move that is not there", dict(more))
        must(fired >= self._opened, "opened, and no alert is told of", self._opened - fired)
        self._owed.clear()
        self._opened.clear()

    def _compare(self, db: sqlite3.Connection) -> None:
        stood = {row["id"]: State(row["state"]) for row in db.execute("SELECT * FROM incidents")}
        assert stood == self.incidents, "an incident moved, and the audit does not know"
        states = {
            row["key"]: ActionState(row["state"]) for row in db.execute("SELECT * FROM actions")
        }
        assert states == self.actions, "an action moved, and the audit does not know"
        for row in db.execute("SELECT * FROM approvals WHERE decision IS NOT NULL"):
            said = (row["decision"], row["decided_by"], row["reason"], row["decided_at"])
            assert self.decisions.setdefault(row["id"], said) == said, "an answer was changed"
