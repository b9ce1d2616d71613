"""A question to a stand-in: the pack, a ledger that writes down, and a client that waits little."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from tests.webhook.make import NOW, SECOND
from webhook.analyzer.call import Denied, Ended, Ledger
from webhook.claude.account import Account
from webhook.claude.client import Claude
from webhook.evidence.item import Item, Pack, Source, Subject, Trust

SONNET, HAIKU = "claude-sonnet-5-5", "claude-haiku-5-5"
KEY = "sk-canary-0123456789abcdef"
SUBJECT = Subject(
    project="email-blast",
    alertname="ProjectHighMemory",
    severity="warning",
    started_at=NOW - 90 * SECOND,
    asked_at=NOW,
    allowed=("clear_cache", "restart_service"),
    tried=(),
    depends_on=(),
    critical=False,
)
PACK = Pack(
    subject=SUBJECT,
    items=(
        ("M1", Item(source=Source.METRICS, trust=Trust.MEASURED, content={"last": 0.95})),
        ("L1", Item(source=Source.LOGS, trust=Trust.UNTRUSTED, content={"template": "GET <path>"})),
    ),
)


@dataclass(slots=True)
class Book:
    """A ledger in memory: what was reserved, and what became of it."""

    denials: list[Denied | None] = field(default_factory=list)  # of the next calls, in order
    reserved: list[tuple[str, int]] = field(default_factory=list)
    settled: list[tuple[int, Ended]] = field(default_factory=list)

    async def reserve(self, model: str, amount: int) -> int | Denied:
        """Reserve, unless it is to be denied."""
        denied = self.denials.pop(0) if self.denials else None
        if denied is None:
            self.reserved.append((model, amount))
        return denied or len(self.reserved)

    async def settle(self, number: int, call: Ended) -> None:
        """Settle."""
        self.settled.append((number, call))

    @property
    def ledger(self) -> Ledger:
        """As the client wants it."""
        return Ledger(reserve=self.reserve, settle=self.settle)

    @property
    def outcomes(self) -> list[tuple[str, str]]:
        """What became of each call, in order."""
        return [(call.model, call.outcome.value) for _, call in self.settled]


@dataclass(slots=True)
class Counted:
    """Metrics in memory."""

    calls: list[Ended] = field(default_factory=list)
    fallbacks: list[tuple[str, str, str]] = field(default_factory=list)
    denials: list[Denied] = field(default_factory=list)

    def ended(self, call: Ended) -> None:
        """Count a call."""
        self.calls.append(call)

    def fell_back(self, from_: str, to: str, reason: str) -> None:
        """Count a fallback."""
        self.fallbacks.append((from_, to, reason))

    def denied(self, denied: Denied) -> None:
        """Count a denial."""
        self.denials.append(denied)


@dataclass(slots=True)
class Watch:
    """A clock of the calendar that only a test moves."""

    at: datetime = NOW

    def __call__(self) -> datetime:
        """Read it."""
        return self.at


@dataclass(slots=True)
class Site:
    """A client, and all around it."""

    claude: Claude
    watch: Watch
    counted: Counted


@asynccontextmanager
async def client(url: str, *, within: float = 5.0, **account: Any) -> AsyncIterator[Site]:  # noqa: ANN401  any field of it
    """Open a client of the stand-in at *url*; all calls of a question get *within* seconds."""
    given: dict[str, Any] = {
        "key": KEY,
        "url": url,
        "models": (SONNET, HAIKU),
        "effort": "medium",
        "instance": "i-1",
        **account,
    }
    watch, counted = Watch(), Counted()
    claude = Claude(Account(**given), counted, now=watch, within=within, chance=lambda: 1.0)
    try:
        yield Site(claude, watch, counted)
    finally:
        await claude.close()
