"""A question: one pack, put to one model and perhaps another, within one deadline."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, Protocol

from orchestrator.clock import Clock
from orchestrator.prices import Price
from webhook.analyzer import price, prompt
from webhook.analyzer.call import Denied, Ended, Ledger, Outcome, Window
from webhook.claude import course
from webhook.claude.account import Account
from webhook.claude.attempt import Attempt, aborted, attempt
from webhook.claude.circuits import Circuits
from webhook.claude.connection import Connection
from webhook.claude.course import ELSEWHERE, WORDS, Next
from webhook.claude.heard import Heard
from webhook.evidence.item import Lack, Missing, Pack, Source
from webhook.evidence.pack import wire

# Of the deadline:
FIRST: Final = 2 / 3  # then a model is given up that another can stand in for
PATIENCE: Final = 1 / 4  # the longest wait where another could be asked
LEAST: Final = 1 / 30  # in less no model answers

WITHHELD: Final = "the log is withheld: the model refused to read it"


class Counting(Protocol):
    """What is told to the metrics."""

    def ended(self, call: Ended) -> None:
        """Count a call that is over."""

    def fell_back(self, from_: str, to: str, reason: str) -> None:
        """Count that *to* is asked in the place of *from_*; *reason* is one of a few words."""

    def denied(self, denied: Denied) -> None:
        """Count a call that was not made, as its budget is used up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Around:
    """What every question has in common."""

    account: Account
    circuits: Circuits
    counting: Counting
    now: Clock
    within: float  # seconds for all calls of a question
    chance: Callable[[], float]  # 0..1, each time another


class Question:
    """One question, as far as it has come. Lives until it is answered or given up."""

    def __init__(self, around: Around, to: Connection, pack: Pack, ledger: Ledger) -> None:
        self._around = around
        self._to = to
        self._pack = pack
        self._ledger = ledger
        self._clock = asyncio.get_running_loop().time
        self._began = self._clock()
        self._calls: list[Ended] = []
        self._whys: dict[str, str] = {}  # by model, why it gave no answer, for people
        self._reason = ""  # the last of them, by a bounded name
        self._request = b""
        self._sent: Pack | None = None
        self._reserved = 0  # for the call under way
        self._last: Attempt | None = None

    async def put(self) -> Heard:
        """Ask, and return what was heard."""
        models = self._around.account.models
        for model, other in zip(models, (*models[1:], None), strict=True):
            then = await self._ask(model, further=other is not None)
            if then is not Next.OTHER or other is None:
                break
            self._around.counting.fell_back(model, other, self._reason)
        return self._heard()

    def _heard(self) -> Heard:
        last = self._last
        answer = last.answer if last else None
        return Heard(
            answer=answer,
            why="" if answer else "; ".join(f"{name} {why}" for name, why in self._whys.items()),
            reason="" if answer else self._reason,
            model=last.model if last and answer else "",
            messages=tuple(each.message for each in self._calls if each.message),
            pack=self._sent,
            request=self._request,
            reply=last.body if last else b"",
            calls=len(self._calls),
        )

    async def _ask(self, model: str, *, further: bool) -> Next:
        """Ask one model until there is no point in it; *further*: another stands in for it."""
        ends = self._began + self._around.within * (FIRST if further else 1)
        least = self._around.within * LEAST
        while (left := ends - self._clock()) > least:
            then = await self._call(model, left)
            if then is Next.WITHOUT_LOGS and self._withheld():
                continue
            if then is not Next.AGAIN:
                return Next.STOP if then is Next.WITHOUT_LOGS else then
            seconds = course.wait(self._calls, self._around.chance())
            patience = ends - self._clock() - least
            if further:
                patience = min(patience, self._around.within * PATIENCE)
            if seconds > patience:
                self._around.circuits.leave(self._calls[-1], self._around.now())
                return Next.OTHER if self._calls[-1].outcome in ELSEWHERE else Next.STOP
            await asyncio.sleep(seconds)
        return self._unasked(model, "was not asked: no time was left", "late")

    def _unasked(self, model: str, why: str, reason: str) -> Next:
        """Remember why *model* is not asked; why a call of it brought nothing says more."""
        self._whys.setdefault(model, why)
        self._reason = reason
        return Next.OTHER

    async def _call(self, model: str, left: float) -> Next:
        """Make one call within *left* seconds, if it may be made, and say what follows it."""
        taking = self._around.account.prices.get(model)
        if taking is None:
            return self._unasked(model, "was not asked: nobody knows its price", "no_price")
        if not self._around.circuits.claim(model, self._around.now()):
            return self._unasked(model, "is left alone for a while after it failed", "circuit")
        arguments = self._arguments(model)
        request = prompt.written(arguments)
        amount = price.reserve(len(request), prompt.MAX_TOKENS, taking)
        number = await self._ledger.reserve(model, amount)
        if isinstance(number, Denied):
            self._around.circuits.unclaim(model)
            self._around.counting.denied(number)
            then = self._unasked(model, f"was not asked: {number.why}", number.window)
            return Next.STOP if number.window is Window.HOUR else then
        self._request, self._sent, self._reserved = request, self._pack, amount
        self._last = await self._paid(number, arguments, taking, left)
        return self._noted(self._last)

    def _noted(self, made: Attempt) -> Next:
        """Remember what became of a call, and say what follows it."""
        call, around = made.ended, self._around
        self._calls.append(call)
        self._reason = call.outcome
        around.circuits.note(call, around.now())
        then = course.after(self._calls)
        if then is not Next.AGAIN:
            around.circuits.leave(call, around.now())
        detail = made.wrong or call.refusal or str(call.status or "")
        if call.outcome is not Outcome.OK:
            self._whys[call.model] = WORDS[call.outcome] + (f" ({detail})" if detail else "")
        return then

    def _arguments(self, model: str) -> dict[str, Any]:
        account = self._around.account
        return prompt.body(
            wire(self._pack), model=model, effort=account.effort, instance=account.instance
        )

    async def _paid(
        self, number: int, arguments: Mapping[str, Any], taking: Price, left: float
    ) -> Attempt:
        """Make the call that was reserved by *number*, and settle it whatever happens."""
        model, began = str(arguments["model"]), self._clock()
        try:
            made = await attempt(
                self._to,
                arguments,
                taking=taking,
                within=left,
                now=self._around.now,
            )
        except (asyncio.CancelledError, Exception):  # what was sent may be billed
            await self._settle(number, aborted(model, self._clock() - began))
            raise
        await self._settle(number, made.ended)
        return made

    async def _settle(self, number: int, call: Ended) -> None:
        call = replace(call, reserved=self._reserved)
        self._around.counting.ended(call)
        await asyncio.shield(asyncio.ensure_future(self._ledger.settle(number, call)))

    def _withheld(self) -> bool:
        """Keep what strangers wrote into the log from the model; False: there is none of it."""
        before, self._pack = self._pack, without_logs(self._pack)
        return self._pack != before


def without_logs(pack: Pack) -> Pack:
    """Return *pack* without the lines of its log, which it then says."""
    kept = tuple(each for each in pack.items if each[1].source is not Source.LOGS)
    if kept == pack.items:
        return pack
    withheld = Missing(source=Source.LOGS, lack=Lack.ERROR, why=WITHHELD)
    return replace(pack, items=kept, missing=(*pack.missing, withheld))
