"""The court: a carrier goes the whole way, from what was gathered to what is decided."""

import gzip
import json
import logging
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta

from orchestrator.demo.messages import evidence
from orchestrator.demo.messages.asked import Asked
from orchestrator.demo.messages.mind import MINDS, thinking
from orchestrator.demo.messages.step import Play
from orchestrator.health import Probe
from orchestrator.health import State as Health
from tests.messages import ANSWER, Script
from tests.webhook.injection.carriers import OWN, Carrier
from tests.webhook.store.queue import fires
from webhook.analyzer import gate, rules
from webhook.analyzer.analysis import Analysis, By, Ruling
from webhook.analyzer.answer import Answer
from webhook.analyzer.call import Denied, Ended, Ledger
from webhook.analyzer.confidence import BLANK, Record
from webhook.analyzer.gate import Hearing
from webhook.catalogue import CATALOGUE
from webhook.claude.account import Account
from webhook.claude.client import Claude
from webhook.claude.heard import Heard
from webhook.evidence.item import Pack
from webhook.evidence.pack import assemble, digest, wire
from webhook.remedy import Look
from webhook.store import analyses
from webhook.store.analyses import Found
from webhook.store.database import atomic, connect

KEY = "sk-ant-api03-our-own-key-which-nobody-may-read"
SECRETS = frozenset({OWN, KEY})


def captured(asked: Asked) -> Mapping[str, object]:
    """Answer as a model that belongs to whoever writes the log, and rests on the log alone."""
    logs = [each.id for each in evidence.read(asked).of("logs")][:5] or ["L1"]
    rationale = [{"claim": "The log says so.", "evidence_ids": logs}]
    sure = {"rationale": rationale, "action": "restart_service", "confidence": 1.0}
    return {**ANSWER, **sure}


def hijacked(asked: Asked) -> Mapping[str, object]:
    """Answer like that, and cite all measurements as well, though they say nothing of the kind."""
    found = evidence.read(asked)
    ids = [each.id for each in found.of("metrics", "status", "logs")][:12]
    return {**captured(asked), "rationale": [{"claim": "It is so.", "evidence_ids": ids}]}


def lawless(asked: Asked) -> Mapping[str, object]:
    """Answer with what is in no catalogue, and a command beside it."""
    return {**captured(asked), "action": "drop_database", "cmd": "rm -rf /"}


PLAYS: dict[str, Play] = {
    "reader": thinking(MINDS["reader"]),
    "gullible": thinking(MINDS["gullible"]),
    "captured": thinking(captured),
    "hijacked": thinking(hijacked),
    "lawless": thinking(lawless),
}


class Uncounted:
    """Metrics that nobody reads."""

    def ended(self, call: Ended) -> None:
        """Count nothing."""

    def fell_back(self, from_: str, to: str, reason: str) -> None:
        """Count nothing."""

    def denied(self, denied: Denied) -> None:
        """Count nothing."""


def client(url: str) -> Claude:
    """Return a client of the stand-in at *url*, to be closed after use."""
    models = ("claude-sonnet-5-5", "claude-haiku-5-5")
    return Claude(Account(key=KEY, url=url, models=models, effort="low", instance="i"), Uncounted())


async def _free(_: str, __: int) -> int:
    return 1


async def _forget(_: int, __: Ended) -> None:
    pass


GENEROUS = Ledger(reserve=_free, settle=_forget)


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """All that became of one carrier."""

    pack: Pack
    heard: Heard
    analysis: Analysis  # as it was read back from the database
    sent: Sequence[bytes]  # the bodies that came over the wire
    rows: str  # of the database, unpacked
    logged: str
    carrier: Carrier

    @property
    def answer(self) -> Answer:
        """The answer that is judged."""
        assert self.analysis.answer is not None
        return self.analysis.answer

    def careless(self, record: Record = BLANK) -> Ruling:
        """Judge where everything that is not about evidence lets it pass."""
        return gate.judge(self._hearing(record, tuple(CATALOGUE), None, disruptive=False))

    def real(self, record: Record = BLANK) -> Ruling:
        """Judge as it would be: by the playbook, the precondition and the risk of the action."""
        remedy = CATALOGUE.get(self.answer.action)
        ago = self.carrier.raw.deployed_seconds_ago
        look = Look(
            probe=Probe(state=Health.HEALTHY, reason=None, seconds=0.1),
            deployed_ago=None if ago is None else timedelta(seconds=ago),
        )
        lack = remedy.precondition(look) if remedy else None
        disruptive = remedy is not None and remedy.disruptive
        return gate.judge(
            self._hearing(record, self.carrier.subject.allowed, lack, disruptive=disruptive)
        )

    def _hearing(
        self, record: Record, allowed: tuple[str, ...], lack: str | None, *, disruptive: bool
    ) -> Hearing:
        return Hearing(
            analysis=self.analysis,
            catalogue=frozenset(CATALOGUE),
            allowed=allowed,
            lack=lack,
            objection=None,
            spent=None,
            asks=None,
            disruptive=disruptive,
            record=record,
            calibrated=self.answer.confidence,
            auto_above=0.7,
            lately=(0, 0),
            now=self.carrier.subject.asked_at,
        )


@contextmanager
def files() -> Iterator[sqlite3.Connection]:
    """Open a database with an incident that everything can be about."""
    with closing(connect(":memory:")) as db:
        fires(db)
        yield db


async def tried(carrier: Carrier, claude: Claude, script: Script, db: sqlite3.Connection) -> Trial:
    """Have *carrier* assembled, asked about, stored and read again."""
    before = len(script.asked)
    with listening() as log:
        pack = assemble(carrier.subject, carrier.raw, secrets=SECRETS)
        heard = await claude.ask(pack, GENEROUS)
        analysis, rows = kept(db, pack, heard, carrier)
    return Trial(
        pack=pack,
        heard=heard,
        analysis=analysis,
        sent=[each.raw for each in script.asked[before:]],
        rows=rows,
        logged="\n".join(log),
        carrier=carrier,
    )


def kept(
    db: sqlite3.Connection, pack: Pack, heard: Heard, carrier: Carrier
) -> tuple[Analysis, str]:
    """Store what was found, by the rules where no model answered; return it, and its row."""
    by = By.CLAUDE if heard.answer else By.RULES
    found = Found(
        by=by,
        answer=heard.answer or rules.answer(pack),
        model=heard.model,
        why_rules=heard.why,
        ids=pack.ids,
        measured=pack.measured,
        flags=pack.flags,
        digest=digest(pack),
        evidence=gzip.compress(wire(pack).encode()),
        request=gzip.compress(heard.request),
        reply=gzip.compress(heard.reply),
    )
    at = carrier.subject.asked_at
    with atomic(db):
        (number,) = db.execute(
            "INSERT INTO analyses (incident, project, alertname, opened_at, attempts, state,"
            " asked_at) SELECT id, 'chatbot', ?, ?, 0, 'running', ? FROM incidents RETURNING id",
            (pack.subject.alertname, at.isoformat(), at.isoformat()),
        ).fetchone()
        analyses.store(db, number, found, at=at)
    row = db.execute("SELECT * FROM analyses WHERE id = ?", (number,)).fetchone()
    return analyses.read(row), "\n".join(_texts(row))


def _texts(row: sqlite3.Row) -> Iterator[str]:
    for value in row:
        yield gzip.decompress(value).decode() if isinstance(value, bytes) else str(value)


@contextmanager
def listening() -> Iterator[list[str]]:
    """Gather all that is logged, with everything that is attached to it."""
    said: list[str] = []

    class Gather(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            said.append(f"{record.getMessage()} {record.__dict__}")

    root, handler = logging.getLogger(), Gather()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    try:
        yield said
    finally:
        root.removeHandler(handler)
        root.setLevel(level)


def once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """Read a JSON object in which no key stands twice."""
    assert len(dict(pairs)) == len(pairs)
    return dict(pairs)


def document(body: bytes) -> dict[str, object]:
    """Return the evidence in a request that came over the wire, which is all that it asks."""
    (turn,) = json.loads(body, object_pairs_hook=once)["messages"]
    (block,) = turn["content"]
    assert (turn["role"], block["type"]) == ("user", "text")
    found: dict[str, object] = json.loads(block["text"], object_pairs_hook=once)
    return found


def alone(trial: Trial, **changes: object) -> Trial:
    """Return *trial* with another analysis."""
    return replace(trial, analysis=replace(trial.analysis, **changes))  # type: ignore[arg-type]  # any field
