"""The tables, and how a database of an older version becomes one of this version.

Instants are text of fixed width in UTC (orchestrator/clock.py), so they sort and compare as text;
the SQL keeps to what SQLite from 3.35 and PostgreSQL both accept.
"""

from sqlite_utils import Database, Migrations

from orchestrator.errors import OrchestratorError

migrations = Migrations("webhook")

_FIRST = (
    """CREATE TABLE notifications (
        id INTEGER PRIMARY KEY, at TEXT NOT NULL, status TEXT NOT NULL, receiver TEXT NOT NULL,
        alerts INTEGER NOT NULL, body TEXT NOT NULL)""",
    """CREATE TABLE incidents (
        id INTEGER PRIMARY KEY, project TEXT NOT NULL, state TEXT NOT NULL, since TEXT NOT NULL,
        opened_at TEXT NOT NULL, due_at TEXT, held TEXT, recovered_at TEXT, escalated_at TEXT,
        ended_at TEXT, claimed_by INTEGER)""",
    """CREATE UNIQUE INDEX one_open_incident_a_project ON incidents (project)
        WHERE state NOT IN ('resolved', 'closed')""",
    "CREATE INDEX incidents_due ON incidents (due_at)",
    """CREATE TABLE episodes (
        id INTEGER PRIMARY KEY, fingerprint TEXT NOT NULL, alertname TEXT NOT NULL,
        project TEXT, labels TEXT NOT NULL, annotations TEXT NOT NULL,
        first_started_at TEXT NOT NULL, started_at TEXT NOT NULL, ended_at TEXT,
        received_at TEXT NOT NULL, seen_at TEXT NOT NULL,
        incident INTEGER REFERENCES incidents (id),
        UNIQUE (fingerprint, first_started_at))""",
    """CREATE UNIQUE INDEX one_open_episode_an_alert ON episodes (fingerprint)
        WHERE ended_at IS NULL""",
    "CREATE INDEX episodes_of_incident ON episodes (incident)",
    """CREATE TABLE actions (
        key TEXT PRIMARY KEY, incident INTEGER NOT NULL REFERENCES incidents (id),
        project TEXT NOT NULL, name TEXT NOT NULL, alertname TEXT NOT NULL,
        attempt INTEGER NOT NULL, state TEXT NOT NULL, created_at TEXT NOT NULL,
        executed_at TEXT, finished_at TEXT, detail TEXT NOT NULL)""",
    "CREATE INDEX actions_of_project ON actions (project, executed_at)",
    """CREATE UNIQUE INDEX one_running_action_a_project ON actions (project)
        WHERE state IN ('approved', 'executing')""",
    """CREATE TABLE events (
        id INTEGER PRIMARY KEY AUTOINCREMENT, at TEXT NOT NULL, name TEXT NOT NULL,
        project TEXT NOT NULL, incident INTEGER, data TEXT NOT NULL)""",
    """CREATE TABLE escalations (
        id INTEGER PRIMARY KEY, incident INTEGER NOT NULL REFERENCES incidents (id),
        project TEXT NOT NULL, reason TEXT NOT NULL, started_at TEXT NOT NULL, ended_at TEXT,
        post_at TEXT)""",
    """CREATE TABLE audit (
        id INTEGER PRIMARY KEY, at TEXT NOT NULL, actor TEXT NOT NULL, what TEXT NOT NULL,
        data TEXT NOT NULL, previous TEXT NOT NULL, hash TEXT NOT NULL)""",
    """CREATE TRIGGER audit_keeps_rows BEFORE DELETE ON audit
        BEGIN SELECT RAISE(ABORT, 'the audit only appends'); END""",
    """CREATE TRIGGER audit_keeps_text BEFORE UPDATE ON audit
        BEGIN SELECT RAISE(ABORT, 'the audit only appends'); END""",
    "CREATE TABLE boots (epoch INTEGER PRIMARY KEY AUTOINCREMENT, at TEXT NOT NULL)",
)


_REPAIRS = (
    "ALTER TABLE incidents ADD COLUMN held_by TEXT",
    "ALTER TABLE incidents ADD COLUMN first_episode INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE incidents ADD COLUMN asked_about TEXT NOT NULL DEFAULT '[]'",
    "ALTER TABLE incidents ADD COLUMN storm INTEGER NOT NULL DEFAULT 0",
    "DROP INDEX incidents_due",
    "CREATE INDEX incidents_due ON incidents (due_at) WHERE due_at IS NOT NULL",
    "CREATE INDEX incidents_of_project ON incidents (project, opened_at)",
    "ALTER TABLE episodes ADD COLUMN silenced TEXT",
    "ALTER TABLE episodes ADD COLUMN how TEXT",
    """CREATE INDEX open_episodes ON episodes (alertname, received_at, project)
        WHERE ended_at IS NULL""",
    """CREATE INDEX open_incidents ON incidents (state, held_by)
        WHERE state NOT IN ('resolved', 'closed')""",
    "CREATE INDEX actions_executed ON actions (executed_at)",
    """CREATE INDEX incidents_of_a_storm ON incidents (storm)
        WHERE storm = 1 AND ended_at IS NULL""",
    "ALTER TABLE actions ADD COLUMN forgiven_at TEXT",
    "ALTER TABLE actions ADD COLUMN opened_at TEXT",
    "ALTER TABLE actions ADD COLUMN output TEXT NOT NULL DEFAULT ''",
    "CREATE INDEX events_of_project ON events (project, at)",
    """CREATE TABLE approvals (
        id INTEGER PRIMARY KEY, action TEXT NOT NULL UNIQUE REFERENCES actions (key),
        incident INTEGER NOT NULL REFERENCES incidents (id), project TEXT NOT NULL,
        bound TEXT NOT NULL, question TEXT NOT NULL, asked_at TEXT NOT NULL,
        expires_at TEXT NOT NULL, decided_at TEXT, decision TEXT, decided_by TEXT, reason TEXT)""",
    "CREATE INDEX approvals_waiting ON approvals (asked_at) WHERE decision IS NULL",
    """CREATE TABLE restraints (
        id INTEGER PRIMARY KEY, kind TEXT NOT NULL, project TEXT, reason TEXT NOT NULL,
        set_by TEXT NOT NULL, starts_at TEXT, ends_at TEXT, lifted_at TEXT,
        lifted_by TEXT)""",
    "CREATE INDEX restraints_in_force ON restraints (project) WHERE lifted_at IS NULL",
    """CREATE TABLE pages (
        id INTEGER PRIMARY KEY, kind TEXT NOT NULL, incident INTEGER REFERENCES incidents (id),
        project TEXT, reason TEXT NOT NULL, labels TEXT NOT NULL, annotations TEXT NOT NULL,
        started_at TEXT NOT NULL, ended_at TEXT, post_at TEXT)""",
    """INSERT INTO pages (id, kind, incident, project, reason, labels, annotations, started_at,
        ended_at, post_at) SELECT id, 'escalation', incident, project, reason, '{}', '{}',
        started_at, ended_at, post_at FROM escalations""",
    "DROP TABLE escalations",
    "CREATE INDEX pages_due ON pages (post_at)",
    "CREATE INDEX pages_that_last ON pages (kind, incident) WHERE ended_at IS NULL",
    """CREATE TABLE system_health (
        id INTEGER PRIMARY KEY, at TEXT NOT NULL, figures TEXT NOT NULL)""",
    """CREATE VIEW project_status_history AS SELECT project, at, name, data FROM events
        WHERE name LIKE '%_STATUS_CHANGED'""",
    """CREATE VIEW action_history AS SELECT id, at, actor, data FROM audit
        WHERE what = 'action moved'""",
    """CREATE VIEW state_history AS SELECT id, at, actor, data FROM audit
        WHERE what = 'incident moved'""",
)

_OPERATING = (
    """CREATE TABLE requests (
        id INTEGER PRIMARY KEY, project TEXT NOT NULL, action TEXT NOT NULL, reason TEXT NOT NULL,
        forced TEXT NOT NULL, asked_by TEXT NOT NULL, asked_at TEXT NOT NULL,
        expires_at TEXT NOT NULL, incident INTEGER NOT NULL REFERENCES incidents (id),
        ended_at TEXT, outcome TEXT, why TEXT, key TEXT REFERENCES actions (key),
        guard TEXT, until TEXT, overrode TEXT NOT NULL DEFAULT '[]')""",
    "CREATE INDEX requests_of_action ON requests (key)",
    """CREATE UNIQUE INDEX one_open_request_a_project ON requests (project)
        WHERE outcome IS NULL""",
    "ALTER TABLE incidents ADD COLUMN acknowledged_at TEXT",
    "ALTER TABLE incidents ADD COLUMN acknowledged_by TEXT",
    "ALTER TABLE restraints ADD COLUMN set_at TEXT",
    # What is older than an anchor may go: the chain begins behind it, and row `told` of it says so.
    """CREATE TABLE audit_anchors (
        through INTEGER PRIMARY KEY, hash TEXT NOT NULL, at TEXT NOT NULL,
        told INTEGER NOT NULL)""",
    """CREATE TRIGGER audit_keeps_anchors BEFORE DELETE ON audit_anchors
        BEGIN SELECT RAISE(ABORT, 'the audit only appends'); END""",
    """CREATE TRIGGER audit_keeps_anchors_text BEFORE UPDATE ON audit_anchors
        BEGIN SELECT RAISE(ABORT, 'the audit only appends'); END""",
    "DROP TRIGGER audit_keeps_rows",
    """CREATE TRIGGER audit_keeps_rows BEFORE DELETE ON audit
        WHEN OLD.id > (SELECT coalesce(max(through), 0) FROM audit_anchors)
        BEGIN SELECT RAISE(ABORT, 'the audit only appends'); END""",
    # For readers. None of them costs a notification more than an entry at the end of an index.
    "CREATE INDEX events_by_time ON events (at)",
    """CREATE INDEX ends_of_alerts ON episodes (ended_at)
        WHERE ended_at IS NOT NULL AND incident IS NOT NULL""",
    """CREATE INDEX ends_of_alerts_of_project ON episodes (project, ended_at)
        WHERE ended_at IS NOT NULL AND incident IS NOT NULL""",
    "CREATE INDEX actions_of_incident ON actions (incident)",
    "CREATE INDEX approvals_of_incident ON approvals (incident)",
    "CREATE INDEX requests_of_incident ON requests (incident)",
    "CREATE INDEX pages_of_incident ON pages (incident)",
    # SQLite's own, and all that knows of it is in webhook/store/search.py
    "CREATE VIRTUAL TABLE sayings USING fts5 (text)",
    "CREATE TABLE searched (through INTEGER NOT NULL)",
    "INSERT INTO searched (through) VALUES (0)",
)

_ANALYZING = (
    """CREATE TABLE analyses (
        id INTEGER PRIMARY KEY, incident INTEGER NOT NULL REFERENCES incidents (id),
        project TEXT NOT NULL, alertname TEXT NOT NULL, opened_at TEXT NOT NULL,
        attempts INTEGER NOT NULL, state TEXT NOT NULL, asked_at TEXT NOT NULL, claimed_by INTEGER,
        answered_at TEXT, analyzer TEXT, model TEXT NOT NULL DEFAULT '',
        prompt TEXT NOT NULL DEFAULT '', evidence_hash TEXT NOT NULL DEFAULT '',
        answer TEXT, why_rules TEXT NOT NULL DEFAULT '', ids TEXT NOT NULL DEFAULT '[]',
        measured TEXT NOT NULL DEFAULT '[]', flags TEXT NOT NULL DEFAULT '[]',
        reused INTEGER REFERENCES analyses (id),
        decision TEXT, decided_at TEXT, reason TEXT NOT NULL DEFAULT '',
        gates TEXT NOT NULL DEFAULT '[]', raw REAL, calibrated REAL, effective REAL,
        action TEXT NOT NULL DEFAULT '', key TEXT REFERENCES actions (key),
        evidence BLOB, request BLOB, reply BLOB)""",
    "CREATE INDEX analyses_of_incident ON analyses (incident)",
    "CREATE INDEX analyses_to_do ON analyses (asked_at) WHERE state IN ('queued', 'running')",
    "CREATE INDEX analyses_with_bodies ON analyses (answered_at) WHERE evidence IS NOT NULL",
    "CREATE INDEX analyses_like ON analyses (evidence_hash, answered_at)",
    "CREATE INDEX analyses_by_time ON analyses (answered_at)",
    "CREATE INDEX analyses_of_action ON analyses (key) WHERE key IS NOT NULL",
    # One row an attempt at a model: the ledger. `cost` is NULL until it is settled; until then, and
    # for ever where nobody knows, it counts as what was reserved. Both in nano-dollars.
    """CREATE TABLE calls (
        id INTEGER PRIMARY KEY, analysis INTEGER NOT NULL REFERENCES analyses (id),
        at TEXT NOT NULL, model TEXT NOT NULL, reserved INTEGER NOT NULL, cost INTEGER,
        prices TEXT NOT NULL, outcome TEXT, status INTEGER, retry_after REAL, milliseconds INTEGER,
        message TEXT, request_id TEXT, stop_reason TEXT, refusal TEXT,
        usage TEXT NOT NULL DEFAULT '{}')""",
    "CREATE INDEX calls_by_time ON calls (at)",
    "CREATE INDEX calls_of_analysis ON calls (analysis)",
    # What came of an action, of an answer, and whether people were at work meanwhile.
    """CREATE INDEX actions_of_name ON actions (name, finished_at)
        WHERE state IN ('completed', 'failed')""",
    """CREATE INDEX actions_against ON actions (name, alertname, finished_at)
        WHERE state IN ('completed', 'failed')""",
    """CREATE INDEX analyses_of_model ON analyses (model, prompt, answered_at)
        WHERE decision IS NOT NULL""",
    "CREATE INDEX maintenances ON restraints (ends_at) WHERE kind = 'maintenance'",
)

_SHOWING = (
    # What was last done, by project, name and result: the newest of each stands at its end.
    """CREATE INDEX actions_by_result
        ON actions (project, name, state, executed_at, finished_at)""",
)


class NewerSchema(OrchestratorError):
    """The database was written by a newer version, which this one would damage."""


@migrations()
def first_tables(db: Database) -> None:
    """Create everything that the first version keeps."""
    for statement in _FIRST:
        db.execute(statement)


@migrations()
def repairs(db: Database) -> None:
    """Add what guards, approvals and several steps of a playbook need."""
    for statement in _REPAIRS:
        db.execute(statement)


@migrations()
def operating(db: Database) -> None:
    """Add what people do by hand, what they search, and where the audit may begin."""
    for statement in _OPERATING:
        db.execute(statement)


@migrations()
def analyzing(db: Database) -> None:
    """Add what the analyzer is asked, what it answers, and what that costs."""
    for statement in _ANALYZING:
        db.execute(statement)


@migrations()
def showing(db: Database) -> None:
    """Add what dashboards are told of."""
    for statement in _SHOWING:
        db.execute(statement)


def migrate(db: Database) -> None:
    """Bring *db* to this version; raise NewerSchema when it is already beyond."""
    known = {migration.name for migration in migrations.pending(Database(memory=True))}
    unknown = [done.name for done in migrations.applied(db) if done.name not in known]
    if unknown:
        raise NewerSchema(f"the database has changes of a newer version: {', '.join(unknown)}")
    migrations.apply(db)
