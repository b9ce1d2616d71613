"""An inquiry on a database of its own: questions are put into it, and answered by stand-ins."""

import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
from prometheus_client import CollectorRegistry

from orchestrator import clock, fetch
from orchestrator.config import Analyzer, Config
from tests.waiting import until
from tests.webhook import make
from tests.webhook.store.fill import add
from webhook.analyst import Analyst
from webhook.inquiry import Inquiry
from webhook.meters import Meters
from webhook.stage import Bell
from webhook.store.database import Store
from webhook.store.reader import Reader

EPOCH = 1
ASKED = {  # an analysis that waits
    **dict.fromkeys(("answered_at", "analyzer", "decision", "decided_at", "raw", "calibrated")),
    **dict.fromkeys(("model", "prompt", "action"), ""),
    "effective": None,
    "state": "queued",
}


@dataclass(slots=True)
class Office:
    """An inquiry, and all around it; `config` may be changed at any time."""

    config: Config
    store: Store
    inquiry: Inquiry
    registry: CollectorRegistry
    analyst: Analyst = field(init=False)

    def __post_init__(self) -> None:
        """Open for work."""
        self.analyst = self.inquiry.analyst(EPOCH, lambda: None, lambda: None, Bell())

    async def put(self, alertname: str = "ProjectDown", *, severity: str = "warning") -> None:
        """Put a question of email-blast, and let it be taken up."""
        await self.store(_queue, alertname, severity)
        await self.analyst.once()

    async def answered(self, many: int) -> list[sqlite3.Row]:
        """Wait until so many questions are answered; return all of them, in their order."""

        async def there() -> list[sqlite3.Row] | None:
            await self.analyst.once()
            found = await self.rows("SELECT * FROM analyses ORDER BY id")
            done = [each for each in found if each["state"] == "answered"]
            return found if len(done) >= many else None

        return await until(there, within=30, what=f"{many} answers")

    async def rows(self, query: str) -> list[sqlite3.Row]:
        """Ask the database."""
        return await self.store(lambda db: db.execute(query).fetchall())

    def metric(self, name: str, **labels: str) -> float | None:
        """Return a sample of the metrics."""
        return self.registry.get_sample_value(name, labels)


def _queue(db: sqlite3.Connection, alertname: str, severity: str) -> None:
    now = clock.now()
    known: dict[str, object] = {"project": "email-blast", "opened_at": now}
    [many] = db.execute("SELECT count(*) FROM incidents").fetchone()
    if not many:
        add(db, "incidents", since=now, **known)
    opened = db.execute("SELECT opened_at FROM incidents").fetchone()[0]
    labels = {"alertname": alertname, "severity": severity}
    about = {"project": "email-blast", "alertname": alertname}
    add(db, "episodes", fingerprint=alertname, labels=labels, **about)
    add(db, "analyses", **{**ASKED, **about, "opened_at": opened, "asked_at": now})


@asynccontextmanager
async def opened(folder: Path, **analyzer: object) -> AsyncIterator[Office]:
    """Open an office with these settings of the analyzer."""
    registry = CollectorRegistry()
    store = Store(folder / "x.db")
    read = Reader(store.path)
    current: list[Office] = []

    def config() -> Config:
        return current[0].config if current else made

    made = settings(**analyzer)
    async with aiohttp.ClientSession() as session, fetch.connections(keep=False) as ways:
        inquiry = Inquiry(config, store, read, Meters(registry), session=session, ways=ways)
        office = Office(made, store, inquiry, registry)
        current.append(office)
        try:
            await inquiry.begin(EPOCH)
            yield office
        finally:
            await office.analyst.end()
            await inquiry.models.close()
            read.close()
            store.close()


def settings(**analyzer: object) -> Config:
    """Make a configuration with these settings of the analyzer."""
    made: Callable[..., Analyzer] = Analyzer
    return make.config(
        projects={"email-blast": make.project(url="http://127.0.0.1:1")}, analyzer=made(**analyzer)
    )
