"""The analyst: whatever happens to a question, it comes to an end, and to an answer if it can."""

import asyncio
import gzip
import json
import sqlite3
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from orchestrator.config import Config
from orchestrator.project import Project
from tests.waiting import until
from tests.webhook import make
from tests.webhook.hearing import analysis, answer
from tests.webhook.make import NOW
from tests.webhook.world import case
from webhook.analyst import PROMPT, REUSE, WITH_MODEL, Analyst, Ask, Effects
from webhook.analyzer.analysis import Analysis, By, State
from webhook.analyzer.answer import ESCALATE, Answer
from webhook.case import Case
from webhook.claude.heard import Heard
from webhook.diagnosis import Line
from webhook.evidence.item import Pack, Subject
from webhook.evidence.pack import wire
from webhook.evidence.raw import Raw
from webhook.stage import Bell
from webhook.store.analyses import Claimed, Found, Similar

OWN = "orchestrator-own-control-token"
FULL = Line(ts="", level="error", message="database full: database or disk is full")
MODEL = "claude-sonnet-5-5"


@dataclass(slots=True)
class Bureau:
    """What an analyst works with here, and what it made of it."""

    waiting: list[Claimed]
    model: Ask | None = None
    known: Similar | None = None
    raw: Raw = field(default_factory=lambda: Raw(lines=(FULL,)))
    broken: Exception | None = None  # what collecting raises
    unstored: int = 0  # how often storing fails
    stored: dict[int, Found] = field(default_factory=dict)
    aborted: list[int] = field(default_factory=list)
    failures: int = 0
    since: datetime | None = None
    subject: Subject | None = None
    own: str = "another-secret-of-ours"

    def analyst(self) -> Analyst:
        made = Effects(
            now=lambda: NOW,
            config=_config,
            claim=self._claim,
            case=_look,
            collect=self._collect,
            secrets=lambda: frozenset({self.own}),
            model=lambda: self.model,
            helped=_helped,
            similar=self._similar,
            store=self._store,
            abort=self._abort,
            gathered=lambda _: None,
            answered=lambda _: None,
            failed=self._failed,
            news=lambda: None,
        )
        return Analyst(made, Bell())

    async def _claim(self) -> Claimed | None:
        return self.waiting.pop(0) if self.waiting else None

    async def _collect(
        self, about: Subject, _: Project, __: Mapping[str, str], ___: Mapping[str, str]
    ) -> Raw:
        self.subject = about
        if self.broken:
            raise self.broken
        return self.raw

    async def _similar(self, _: str, prompt: str, since: datetime) -> Similar | None:
        assert prompt == PROMPT
        self.since = since
        return self.known

    async def _store(self, number: int, found: Found) -> None:
        if self.unstored:
            self.unstored -= 1
            raise sqlite3.OperationalError("disk I/O error")
        self.stored[number] = found

    async def _abort(self, number: int) -> None:
        self.aborted.append(number)

    def _failed(self) -> None:
        self.failures += 1


async def _helped(alertname: str, actions: Sequence[str]) -> list[str]:
    return [f"{each}: 5 of 7 times" for each in actions if alertname == "ProjectDown"]


async def _look(_: int) -> Case | None:
    return case()


def _config() -> Config:
    return make.config()


def _claimed(number: int = 1, *, severity: str = "critical", crowded: bool = False) -> Claimed:
    return Claimed(
        analysis=analysis(id=number, state=State.RUNNING, answer=None, answered_at=None, by=None),
        severity=severity,
        labels={},
        annotations={},
        crowded=crowded,
    )


def _answering(heard: Heard, asked: list[bool] | None = None) -> Ask:
    async def ask(_: Pack, __: Analysis, critical: bool) -> Heard:  # noqa: FBT001  as Ask has it
        if asked is not None:
            asked.append(critical)
        return heard

    return ask


SAID: Answer = answer()
HEARD = Heard(answer=SAID, model=MODEL, request=b"request", reply=b"reply", calls=1)


async def _made(bureau: Bureau) -> Found:
    """Let the one analysis that waits be made."""
    analyst = bureau.analyst()

    async def made() -> bool:
        await analyst.once()
        return bool(bureau.stored)

    await until(made, within=10, what="an answer")
    [found] = bureau.stored.values()
    return found


async def test_a_model_is_asked_and_all_that_explains_its_answer_is_kept() -> None:
    asked: list[bool] = []
    found = await _made(Bureau([_claimed()], model=_answering(HEARD, asked)))
    assert (found.by, found.answer, found.model, found.prompt) == (By.CLAUDE, SAID, MODEL, PROMPT)
    assert asked == [True]  # its alert is critical
    assert (found.request, found.reply) == (
        gzip.compress(b"request", mtime=0),
        gzip.compress(b"reply", mtime=0),
    )
    assert found.evidence is not None
    kept = json.loads(gzip.decompress(found.evidence))
    assert {each["id"] for each in kept["evidence"]} == set(found.ids)


async def test_secrets_of_ours_are_in_nothing_that_is_sent_or_kept() -> None:
    asked: list[Pack] = []

    async def ask(pack: Pack, _: Analysis, __: bool) -> Heard:  # noqa: FBT001  as Ask has it
        asked.append(pack)
        return HEARD

    leak = Line(ts="", level="error", message=f"control said no to {OWN}")
    found = await _made(Bureau([_claimed()], model=ask, raw=Raw(lines=(leak,)), own=OWN))
    assert found.evidence is not None
    assert OWN not in wire(asked[0]) + gzip.decompress(found.evidence).decode()
    assert "control said no to" in wire(asked[0])


async def test_without_a_key_rules_answer_and_say_why() -> None:
    found = await _made(Bureau([_claimed()]))
    assert (found.by, found.answer.root_cause_category, found.why_rules, found.reason) == (
        *(By.RULES, "disk_full"),
        *("there is no key for a model", "no_key"),
    )


async def test_where_many_wait_rules_answer_and_no_model_is_asked() -> None:
    asked: list[bool] = []
    bureau = Bureau([_claimed(crowded=True)], model=_answering(HEARD, asked))
    found = await _made(bureau)
    assert (found.by, found.reason, asked) == (By.RULES, "queue", [])


async def test_a_model_that_does_not_answer_is_made_up_for_by_rules() -> None:
    silent = Heard(why=f"{MODEL} did not answer in time", reason="timeout", calls=2)
    found = await _made(Bureau([_claimed()], model=_answering(silent)))
    assert (found.by, found.why_rules, found.reason) == (
        *(By.RULES, f"{MODEL} did not answer in time", "timeout"),
    )
    assert found.answer.confidence < 0.7


async def test_the_same_evidence_is_not_paid_for_twice() -> None:
    asked: list[bool] = []
    known = Similar(id=9, model=MODEL, answer=SAID)
    bureau = Bureau([_claimed()], model=_answering(HEARD, asked), known=known)
    found = await _made(bureau)
    assert (found.by, found.answer, found.reused, asked) == (By.CLAUDE, SAID, 9, [])
    assert bureau.since == NOW - REUSE


async def test_a_client_that_fails_in_a_way_that_nobody_foresaw_is_made_up_for_by_rules() -> None:
    async def broken(_: Pack, __: Analysis, ___: bool) -> Heard:  # noqa: FBT001  as Ask has it
        raise OSError(24, "too many open files")

    bureau = Bureau([_claimed()], model=broken)
    found = await _made(bureau)
    assert (found.by, found.answer.root_cause_category, found.reason, bureau.failures) == (
        *(By.RULES, "disk_full"),
        *("failed", 1),
    )


async def test_what_nobody_foresaw_ends_as_a_call_for_people() -> None:
    bureau = Bureau([_claimed()], broken=ValueError("a mistake of ours"))
    found = await _made(bureau)
    assert (found.by, found.answer.action, found.answer.confidence, bureau.failures) == (
        *(By.RULES, ESCALATE, 0.0, 1),
    )


async def test_what_cannot_be_stored_is_given_up_and_asked_again() -> None:
    bureau = Bureau([_claimed()], unstored=1)
    analyst = bureau.analyst()

    async def given_up() -> bool:
        await analyst.once()
        return bool(bureau.aborted)

    await until(given_up, within=10, what="the end of it")
    assert (bureau.aborted, bureau.stored, bureau.failures) == ([1], {}, 1)


async def test_what_is_being_asked_when_the_program_ends_is_cut_off() -> None:
    begun = asyncio.Event()
    bureau = Bureau([_claimed()], model=_hanging(begun))
    analyst = bureau.analyst()
    await analyst.once()
    await begun.wait()
    await analyst.end()
    assert (bureau.aborted, bureau.stored) == ([1], {})


async def test_of_a_storm_only_so_many_ask_a_model_at_once() -> None:
    begun = asyncio.Event()
    bureau = Bureau([_claimed(number) for number in range(5)], model=_hanging(begun))
    analyst = bureau.analyst()
    for _ in range(3):
        await analyst.once()
    left = len(bureau.waiting)
    await analyst.end()
    assert left == 5 - WITH_MODEL


async def test_the_head_of_the_evidence_is_ours_alone() -> None:
    bureau = Bureau([_claimed()])
    await _made(bureau)
    assert bureau.subject is not None
    assert (bureau.subject.project, bureau.subject.allowed, bureau.subject.severity) == (
        *("email-blast", ("restart_service",), "critical"),
    )
    assert bureau.subject.helped == ("restart_service: 5 of 7 times",)


def _hanging(begun: asyncio.Event) -> Callable[[Pack, Analysis, bool], Awaitable[Heard]]:
    async def ask(_: Pack, __: Analysis, ___: bool) -> Heard:  # noqa: FBT001  as Ask has it
        begun.set()
        await asyncio.Event().wait()
        raise AssertionError

    return ask
