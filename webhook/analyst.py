"""The analyst: takes up what the analyzer is asked, and has it answered by a model or by rules.

A model that cannot be asked, or does not answer, is made up for by the rules, and nobody is made
surer by that. Whatever happens, each analysis that was taken up comes to its end.
"""

import asyncio
import gzip
import logging
import sqlite3
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from orchestrator.clock import Clock
from orchestrator.config import Config
from orchestrator.project import Project
from webhook import consult
from webhook.analyzer import prompt, rules
from webhook.analyzer.analysis import WITHIN, Analysis, By
from webhook.analyzer.answer import ESCALATE, Answer, Category, Target
from webhook.case import Case
from webhook.catalogue import CATALOGUE
from webhook.claude.heard import Heard
from webhook.evidence.item import Pack, Subject
from webhook.evidence.pack import assemble, digest, wire
from webhook.evidence.raw import Raw
from webhook.stage import Bell
from webhook.store.analyses import Claimed, Found, Similar

IDLE = 0.25  # seconds between two looks for what is asked; a step that asks rings the bell
WITH_MODEL = 2  # analyses at once: a storm must not spend a day's budget before anybody looks
BY_RULES = 8
REUSE = timedelta(minutes=5)  # in which the same evidence need not be paid for twice
PROMPT = f"{prompt.VERSION}-{prompt.DIGEST[:12]}"  # of what an answer was given to

Ask = Callable[[Pack, Analysis, bool], Awaitable[Heard]]  # whether its alert is critical

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Effects:
    """What an analyst needs from the world."""

    now: Clock
    config: Callable[[], Config]
    claim: Callable[[], Awaitable[Claimed | None]]
    case: Callable[[int], Awaitable[Case | None]]
    collect: Callable[
        [Subject, Project, Mapping[str, str], Mapping[str, str]],
        Awaitable[Raw],
    ]
    secrets: Callable[[], frozenset[str]]  # of ours; asked in a thread, for it reads files
    model: Callable[[], Ask | None]  # None: there is no key
    helped: Callable[[str, Sequence[str]], Awaitable[Sequence[str]]]  # an alert, actions
    similar: Callable[[str, str, datetime], Awaitable[Similar | None]]
    store: Callable[[int, Found], Awaitable[None]]
    abort: Callable[[int], Awaitable[None]]
    gathered: Callable[[Pack], None]  # for the metrics
    answered: Callable[[Found], None]
    failed: Callable[[], None]
    news: Callable[[], None]  # an incident may go on


class Analyst:
    """Makes analyses, each in a task of its own. Lives as long as its stage."""

    def __init__(self, effects: Effects, bell: Bell) -> None:
        self._effects, self._bell = effects, bell
        self.running: set[asyncio.Task[None]] = set()

    async def once(self) -> None:
        """Begin as many analyses as may be made at once, then wait for news."""
        most = BY_RULES if self._effects.model() is None else WITH_MODEL
        while len(self.running) < most:
            claimed = await self._effects.claim()
            if claimed is None:
                break
            task = asyncio.create_task(self._make(claimed), name=f"analysis {claimed.analysis.id}")
            self.running.add(task)
            task.add_done_callback(self._done)
        await self._bell.wait(IDLE)

    async def end(self) -> None:
        """Cut off what is being asked: its answer would come too late for anybody."""
        for task in self.running:
            task.cancel()
        await asyncio.gather(*self.running, return_exceptions=True)

    def _done(self, task: asyncio.Task[None]) -> None:
        self.running.discard(task)
        self._bell.ring()

    async def _make(self, claimed: Claimed) -> None:
        number, effects = claimed.analysis.id, self._effects
        try:
            async with asyncio.timeout(WITHIN.total_seconds()):
                await self._answer(claimed)
        except asyncio.CancelledError:
            await effects.abort(number)
            raise
        except sqlite3.Error:  # it cannot be stored; the row is aborted as soon as it can be
            logger.exception("analysis not stored", extra={"analysis": number})
            effects.failed()
            await self._give_up(number)
        except Exception:  # an incident must not wait for what nobody foresaw, nor without end
            logger.exception("analysis failed", extra={"analysis": number})
            effects.failed()
            await self._say_nothing(number)

    async def _say_nothing(self, number: int) -> None:
        try:
            await self._store(number, _nothing("the analyzer itself has failed"))
        except sqlite3.Error:
            logger.exception("analysis not stored", extra={"analysis": number})
            await self._give_up(number)

    async def _give_up(self, number: int) -> None:
        try:
            await self._effects.abort(number)
        except sqlite3.Error:  # it is waited for no longer than any other
            logger.exception("analysis not given up", extra={"analysis": number})

    async def _answer(self, claimed: Claimed) -> None:
        asked, effects = claimed.analysis, self._effects
        case = await effects.case(asked.situation.incident)
        project = effects.config().projects.get(asked.project)
        if case is None or project is None:
            await effects.abort(asked.id)
            return
        about = subject(claimed, case, project, effects.config(), effects.now())
        helped = await effects.helped(about.alertname, about.allowed)
        about = replace(about, helped=tuple(helped))
        raw = await effects.collect(about, project, claimed.labels, claimed.annotations)
        pack = await asyncio.to_thread(self._packed, about, raw)
        effects.gathered(pack)
        await self._store(asked.id, await self._found(claimed, pack))

    def _packed(self, about: Subject, raw: Raw) -> Pack:
        """Make the pack; of a long log that takes tenths of a second, which the loop has not."""
        return assemble(about, raw, secrets=self._effects.secrets())

    async def _store(self, number: int, found: Found) -> None:
        await self._effects.store(number, found)
        self._effects.answered(found)
        self._effects.news()

    async def _found(self, claimed: Claimed, pack: Pack) -> Found:
        ask = self._effects.model()
        if ask is None:
            return _by_rules(pack, "there is no key for a model", "no_key")
        if claimed.crowded:
            return _by_rules(pack, "too many analyses wait for a model", "queue")
        since = self._effects.now() - REUSE
        known = await self._effects.similar(digest(pack), PROMPT, since)
        if known is not None:
            return _by_model(pack, known.answer, known.model, reused=known.id)
        try:
            heard = await ask(pack, claimed.analysis, claimed.severity == "critical")
        except sqlite3.Error:  # nothing can be stored, so nothing can be paid for either
            raise
        except Exception:  # of the client, or of what it stands on: rules need neither
            logger.exception("model not asked", extra={"analysis": claimed.analysis.id})
            self._effects.failed()
            return _by_rules(pack, "the client of the model has failed", "failed")
        sent = heard.pack or pack  # it may have been asked again without the log
        if heard.answer is None:
            return _by_rules(pack, heard.why, heard.reason, heard)
        return _by_model(sent, heard.answer, heard.model, heard)


def subject(
    claimed: Claimed, case: Case, project: Project, config: Config, now: datetime
) -> Subject:
    """Return what the evidence is about: the head of it, which is ours alone."""
    about = claimed.analysis.situation
    began = [each.started_at for each in case.episodes if each.alertname == about.alertname]
    tried = [each for each in case.attempts if each.incident == about.incident]
    return Subject(
        project=project.name,
        alertname=about.alertname,
        severity=claimed.severity,
        started_at=min(began, default=about.opened_at),
        asked_at=now,
        allowed=tuple(
            each for each in consult.allowed(config, about.alertname) if each in CATALOGUE
        ),
        tried=tuple(f"{each.name}: {each.state}" for each in tried),
        depends_on=tuple(sorted(project.depends_on)),
        critical=project.critical,
    )


def _by_model(
    pack: Pack, answer: Answer, model: str, heard: Heard | None = None, reused: int | None = None
) -> Found:
    return _found(pack, By.CLAUDE, answer, heard, model=model, prompt=PROMPT, reused=reused)


def _by_rules(pack: Pack, why: str, reason: str, heard: Heard | None = None) -> Found:
    found = _found(pack, By.RULES, rules.answer(pack), heard, why_rules=why)
    return replace(found, reason=reason)


def _found(
    pack: Pack,
    by: By,
    answer: Answer,
    heard: Heard | None,
    *,
    model: str = "",
    prompt: str = "",
    why_rules: str = "",
    reused: int | None = None,
) -> Found:
    return Found(
        by=by,
        answer=answer,
        model=model,
        prompt=prompt,
        why_rules=why_rules,
        ids=pack.ids,
        measured=pack.measured,
        flags=pack.flags,
        digest=digest(pack),
        reused=reused,
        evidence=gzip.compress(wire(pack).encode(), mtime=0),
        request=gzip.compress(heard.request, mtime=0) if heard else None,
        reply=gzip.compress(heard.reply, mtime=0) if heard else None,
    )


def _nothing(why: str) -> Found:
    """Return the answer where none could be made: people are needed."""
    answer = Answer(
        rationale=(),
        alternatives=(),
        root_cause_category=Category.UNKNOWN,
        root_cause=f"Nobody knows: {why}.",
        action=ESCALATE,
        target_ref=Target.NONE,
        confidence=0.0,
        missing_evidence=(),
        suspicious_text=False,
    )
    return Found(by=By.RULES, answer=answer, why_rules=why)
