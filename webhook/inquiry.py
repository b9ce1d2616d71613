"""The inquiry: the analyst with everything that it works with, as the configuration has it."""

import asyncio
import logging
import sqlite3
import uuid
from collections import Counter
from collections.abc import Callable, Coroutine, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial

import aiohttp

from orchestrator import clock, prices
from orchestrator.config import Analyzer, Config
from orchestrator.prices import NANO
from orchestrator.project import Project
from webhook import analyst, collection
from webhook.analyst import Analyst, Ask
from webhook.analyzer.analysis import WITHIN, Analysis, By
from webhook.analyzer.call import Denied, Ended, Ledger
from webhook.analyzer.confidence import BLANK, Curve
from webhook.case import Case
from webhook.claude.account import Account
from webhook.claude.client import Claude
from webhook.claude.heard import Heard
from webhook.evidence.item import Pack, Subject
from webhook.evidence.pack import flagged
from webhook.evidence.raw import Past, Raw
from webhook.matter import Precedent
from webhook.meters import Meters
from webhook.stage import Bell
from webhook.store import analyses, pasts, spending, verdicts, work
from webhook.store.analyses import Claimed, Found, Similar
from webhook.store.database import Store
from webhook.store.reader import Reader
from webhook.store.spending import Limits

REJECTED_FOR = timedelta(days=1)  # what a person said no to, is not done by itself so soon
CURVES = timedelta(minutes=5)  # an outcome settles after thirty, and a thousand are read for it
SCORED = timedelta(days=90)  # what is older was another fleet, and another model
SCORE_EVERY = 30.0  # seconds; all labelled answers are read for it

logger = logging.getLogger(__name__)


def limits(config: Analyzer) -> Limits:
    """Return what may be spent, in nano-dollars."""
    return Limits(
        calls_per_hour=config.calls_per_hour,
        day=round(config.daily_budget_usd * NANO),
        month=round(config.monthly_budget_usd * NANO),
    )


def _precedent(db: sqlite3.Connection, heard: Analysis, curve: Curve, now: datetime) -> Precedent:
    action = heard.answer.action if heard.answer else ""
    raw = heard.answer.confidence if heard.answer else 0.0
    alertname, project = heard.situation.alertname, heard.project
    return Precedent(
        record=verdicts.record(db, alertname, action, now=now),
        calibrated=curve.at(raw),
        lately=verdicts.lately(db, project, action, now=now),
        rejected=verdicts.rejected(db, project, action, since=now - REJECTED_FOR),
    )


class Models:
    """The model that is asked. A changed configuration makes another one, and closes this."""

    def __init__(self, config: Callable[[], Config], meters: Meters) -> None:
        self._config, self._meters = config, meters
        self._instance = uuid.uuid4().hex  # tells Anthropic that our calls belong together
        self._account: Account | None = None
        self._claude: Claude | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    def current(self) -> Claude | None:
        """Return the model of the configuration in force; None: it has no key, or asks nobody."""
        account = _account(self._config().analyzer, self._instance)
        if account != self._account:
            if self._claude is not None:
                self._keep(self._retire(self._claude))
            self._account = account
            self._claude = Claude(account, self._meters) if account else None
            if self._claude is not None:  # beside all else: it takes seconds
                self._keep(self._claude.warm())
            self._meters.follow(account.models if account else ())
        return self._claude

    async def _retire(self, claude: Claude) -> None:
        """Close *claude* once nobody can be waiting for its answer any more."""
        try:
            await asyncio.sleep(WITHIN.total_seconds())
        finally:
            await claude.close()

    def _keep(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        """Close all connections."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._claude is not None:
            await self._claude.close()


def _account(config: Analyzer, instance: str) -> Account | None:
    if config.key is None or config.mode == "off":
        return None
    models = (config.model, *([config.fallback_model] if config.fallback_model else []))
    return Account(
        key=config.key,
        url=config.url,
        models=models,
        effort=config.effort,
        instance=instance,
        prices=prices.known(config.prices, clock.now().date()),
    )


class Inquiry:
    """What asks, and what is shown of it. Lives as long as the stages."""

    def __init__(
        self,
        config: Callable[[], Config],
        store: Store,
        read: Reader,
        meters: Meters,
        *,
        session: aiohttp.ClientSession,
        ways: aiohttp.ClientSession,
    ) -> None:
        self._config, self._store, self._read, self._meters = config, store, read, meters
        self._session, self._ways = session, ways
        self.models = Models(config, meters)
        self._curves: dict[tuple[str, str], tuple[datetime, Curve]] = {}

    async def begin(self, epoch: int) -> None:
        """Give up what was asked before this start, and let the model get ready."""
        await self._store(analyses.cut_off, epoch=epoch, at=clock.now())
        self.models.current()

    def analyst(
        self, epoch: int, failed: Callable[[], None], news: Callable[[], None], bell: Bell
    ) -> Analyst:
        """Return who takes up what is asked, at once when *bell* rings."""
        store, read = self._store, self._read

        async def claim() -> Claimed | None:
            return await store(analyses.claim, epoch=epoch, at=clock.now())

        async def case(incident: int) -> Case | None:
            return await read(work.look, incident)

        async def helped(alertname: str, actions: Sequence[str]) -> tuple[str, ...]:
            return await read(verdicts.helped, alertname, actions, now=clock.now())

        async def similar(digest: str, prompt: str, since: datetime) -> Similar | None:
            return await read(
                analyses.similar,
                digest=digest,
                prompt=prompt,
                model=self._config().analyzer.model,
                since=since,
                now=clock.now(),
            )

        async def keep(number: int, found: Found) -> None:
            await store(analyses.store, number, found, at=clock.now())

        async def abort(number: int) -> None:
            await store(analyses.abort, number, at=clock.now())

        made = analyst.Effects(
            now=clock.now,
            config=self._config,
            claim=claim,
            case=case,
            collect=self._collect,
            secrets=lambda: collection.secrets(self._config()),
            model=self._model,
            helped=helped,
            similar=similar,
            store=keep,
            abort=abort,
            gathered=self._gathered,
            answered=self._answered,
            failed=failed,
            news=news,
        )
        return Analyst(made, bell)

    async def precedent(self, heard: Analysis, now: datetime) -> Precedent:
        """Return what came before of what an answer proposes.

        Where that cannot be read, the answer counts for nothing, and people are asked.
        """
        try:
            return await self._read(_precedent, heard, await self._curve(heard, now), now)
        except sqlite3.Error:
            logger.exception("precedent not read", extra={"analysis": heard.id})
            return Precedent(record=BLANK, calibrated=0.0, lately=(0, 0))

    async def _curve(self, heard: Analysis, now: datetime) -> Curve:
        """Return how often answers like it were right, as it was some minutes ago at most."""
        of = heard.model, heard.prompt
        at, curve = self._curves.get(of, (now, None))
        if curve is None or abs(now - at) > CURVES:
            curve = await self._read(verdicts.curve, *of, now=now)
            self._curves = {of: (now, curve)}  # another model or prompt comes once a month
        return curve

    async def show(self) -> None:
        """Show what is left of the budgets, and how right the analyzer was."""
        now = clock.now()
        spent = await self._read(spending.spent, limits(self._config().analyzer), at=now)
        self._meters.budget(spent)
        since = now - SCORED
        self._meters.scored(await self._read(verdicts.labelled, now=now, since=since))
        claude = self.models.current()
        for model, state in (claude.circuits.states(now) if claude else {}).items():
            self._meters.circuit(model, state)
        await asyncio.sleep(SCORE_EVERY)

    async def _collect(
        self,
        about: Subject,
        project: Project,
        labels: Mapping[str, str],
        annotations: Mapping[str, str],
    ) -> Raw:
        async def past(name: str, alertname: str) -> tuple[Past, ...]:
            return await self._read(pasts.past, name, alertname)

        sources = collection.Sources(
            session=self._session,
            ways=self._ways,
            prometheus=self._config().prometheus,
            pasts=past,
            runbooks=self._config().analyzer.runbooks,
            now=clock.now,
        )
        return await collection.collect(sources, about, project, labels, annotations)

    def _model(self) -> Ask | None:
        claude = self.models.current()
        return None if claude is None else partial(self._ask, claude)

    async def _ask(self, claude: Claude, pack: Pack, asked: Analysis, critical: bool) -> Heard:  # noqa: FBT001  as Ask has it
        return await claude.ask(pack, self._ledger(asked.id, critical=critical))

    def _ledger(self, number: int, *, critical: bool) -> Ledger:
        async def reserve(model: str, amount: int) -> int | Denied:
            return await self._store(
                spending.reserve,
                analysis=number,
                model=model,
                amount=amount,
                prices=prices.VERSION,
                limits=limits(self._config().analyzer),
                critical=critical,
                at=clock.now(),
            )

        async def settle(call: int, ended: Ended) -> None:
            await self._store(spending.settle, call, ended)

        return Ledger(reserve=reserve, settle=settle)

    def _gathered(self, pack: Pack) -> None:
        for source in flagged(pack):
            self._meters.flagged(source)
        for kind, many in Counter(dict(pack.redactions)).items():
            self._meters.redacted(kind, many)
        for each in pack.missing:
            self._meters.missing(each.source, each.lack)

    def _answered(self, found: Found) -> None:
        if found.by is By.RULES and found.reason:
            self._meters.fell_back("claude", "rules", found.reason)
