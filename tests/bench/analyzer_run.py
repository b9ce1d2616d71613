"""One analysis after another through the real code, with a model that answers at once."""

import asyncio
import json
import sqlite3
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Concatenate, Final, ParamSpec, TypeVar

import aiohttp

from orchestrator import clock
from orchestrator.project import Project
from tests.bench import analyzer_fill as fill
from tests.bench.analyzer_fill import MODEL
from tests.bench.process import NotReady
from webhook import repair, stages
from webhook.analyst import Ask
from webhook.analyzer import answer, prompt
from webhook.analyzer.analysis import Analysis, Ruling
from webhook.analyzer.call import Ended, Outcome
from webhook.claude.heard import Heard
from webhook.evidence.item import Pack, Subject
from webhook.evidence.pack import wire
from webhook.evidence.raw import Raw
from webhook.inquiry import Inquiry
from webhook.matter import Precedent
from webhook.stage import Bell
from webhook.stages import Ground
from webhook.store import work
from webhook.store.database import Store
from webhook.store.reader import Reader

NANO: Final = 1_000_000  # of a dollar's 10^9: what a call reserves here
WITHIN: Final = 30.0  # seconds; an analysis that takes longer is lost

P = ParamSpec("P")
T = TypeVar("T")


_BEGAN: ContextVar[float] = ContextVar("began")


@dataclass(slots=True)
class Watch:
    """What each part took, in seconds."""

    parts: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))

    @contextmanager
    def part(self, name: str) -> Iterator[None]:
        """Note how long the block takes."""
        began = time.perf_counter()
        yield
        self.parts[name].append(time.perf_counter() - began)

    def begin(self) -> None:
        """Begin a part of the task that runs."""
        _BEGAN.set(time.perf_counter())

    def end(self, name: str) -> None:
        """End the part that the task has begun last."""
        self.parts[name].append(time.perf_counter() - _BEGAN.get())

    def tracing(self, what: str) -> aiohttp.TraceConfig:
        """Note each request of a session, until the head of its answer is there."""
        traced = aiohttp.TraceConfig()

        async def begun(_: object, context: SimpleNamespace, __: object) -> None:
            context.began = time.perf_counter()

        async def ended(
            _: object, context: SimpleNamespace, told: aiohttp.TraceRequestEndParams
        ) -> None:
            took = time.perf_counter() - context.began
            self.parts[f"{what} {told.url.path}"].append(took)

        traced.on_request_start.append(begun)
        traced.on_request_end.append(ended)
        traced.freeze()
        return traced


class WatchedStore(Store):
    """A store of which each transaction is timed, its way to the disk included."""

    def __init__(self, path: Path, watch: Watch) -> None:
        """Open *path* as any store does."""
        super().__init__(path)
        self._watch = watch

    async def __call__(
        self,
        work: Callable[Concatenate[sqlite3.Connection, P], T],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        """Run *work*, and note how long it took."""
        with self._watch.part(_named("store", work)):
            return await super().__call__(work, *args, **kwargs)


class WatchedReader(Reader):
    """A reader of which each look is timed."""

    def __init__(self, path: Path, watch: Watch) -> None:
        """Read *path* as any reader does."""
        super().__init__(path)
        self._watch = watch

    async def __call__(
        self,
        look: Callable[Concatenate[sqlite3.Connection, P], T],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        """Return what *look* finds, and note how long it took."""
        with self._watch.part(_named("read", look)):
            return await super().__call__(look, *args, **kwargs)


def _named(how: str, what: Callable[..., object]) -> str:
    return f"{how} {what.__module__.rpartition('.')[2]}.{what.__name__}"


class Instant(Inquiry):
    """An inquiry with a model that takes no time; all that is ours around it is done."""

    def __init__(self, ground: Ground, watch: Watch) -> None:
        """Work on *ground* as the stages do."""
        super().__init__(
            ground.config,
            ground.store,
            ground.read,
            ground.instruments.analyzer,
            session=ground.session,
            ways=ground.ways,
        )
        self._watch = watch

    def _model(self) -> Ask:
        async def ask(pack: Pack, asked: Analysis, critical: bool) -> Heard:  # noqa: FBT001  as Ask has it
            return await self._answered_at_once(pack, asked, critical=critical)

        return ask

    async def _answered_at_once(self, pack: Pack, asked: Analysis, *, critical: bool) -> Heard:
        ledger = self._ledger(asked.id, critical=critical)
        body = prompt.body(wire(pack), model=MODEL, effort="medium", instance="bench")
        request = prompt.written(body)
        number = await ledger.reserve(MODEL, NANO)
        if not isinstance(number, int):
            return Heard(why=number.why, reason=number.window, request=request)
        ended = Ended(model=MODEL, outcome=Outcome.OK, cost=NANO, seconds=0.0, status=200)
        await ledger.settle(number, ended)
        told = fill.said(asked.situation.alertname)
        reply = json.dumps({"text": answer.dump(told)}).encode()
        return Heard(answer=told, model=MODEL, request=request, reply=reply, calls=1)

    async def collected(
        self,
        about: Subject,
        project: Project,
        labels: Mapping[str, str],
        annotations: Mapping[str, str],
    ) -> Raw:
        """Gather the evidence about one subject."""
        return await super()._collect(about, project, labels, annotations)

    async def _collect(
        self,
        about: Subject,
        project: Project,
        labels: Mapping[str, str],
        annotations: Mapping[str, str],
    ) -> Raw:
        with self._watch.part("collection.collect"):
            raw = await self.collected(about, project, labels, annotations)
        self._watch.begin()
        return raw

    def _gathered(self, pack: Pack) -> None:
        self._watch.end("pack.assemble, with the secrets")
        super()._gathered(pack)

    async def precedent(self, heard: Analysis, now: datetime) -> Precedent:
        """Return what came before, and note when it was there."""
        with self._watch.part("inquiry.precedent"):
            found = await super().precedent(heard, now)
        self._watch.begin()
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """What came of one analysis."""

    seconds: float  # from the question, as it is on disk, to the decision, as it is
    ruling: Ruling | None  # None: something else was decided before any gate was asked


class Bench:
    """Asks, and waits for the decision. Lives for one run."""

    def __init__(self, ground: Ground, inquiry: Inquiry, watch: Watch, epoch: int) -> None:
        self._ground, self._watch, self._epoch, self._bell = ground, watch, epoch, Bell()
        self._effects = stages.effects(ground, inquiry)
        self._analyst = inquiry.analyst(epoch, self._fail, self._news, self._bell)
        self._waiting: dict[int, asyncio.Future[Ruling | None]] = {}
        self._steps: set[asyncio.Task[None]] = set()

    @asynccontextmanager
    async def going(self) -> AsyncIterator[None]:
        """Let the analyst go round, as its stage does, until the block ends."""

        async def rounds() -> None:
            while True:
                await self._analyst.once()

        task = asyncio.create_task(rounds())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            await self._analyst.end()

    async def one(self, number: int) -> Decided:
        """Have incident *number* analysed and decided on; raise NotReady when it never is."""
        store = self._ground.store
        await store(fill.ask, number, at=clock.now())
        waiting = self._waiting[number] = asyncio.get_running_loop().create_future()
        began = time.perf_counter()
        self._bell.ring()
        try:
            async with asyncio.timeout(WITHIN):
                ruling = await waiting
        except TimeoutError:
            raise NotReady(f"analysis of incident {number}: no decision comes") from None
        seconds = time.perf_counter() - began
        await store(fill.forget, number, at=clock.now())
        return Decided(seconds=seconds, ruling=ruling)

    def _fail(self, error: BaseException | None = None) -> None:
        """Let nobody wait for what does not come."""
        for each in self._waiting.values():
            if not each.done():
                each.set_exception(error or NotReady("an analysis failed, see above"))

    def _news(self) -> None:
        task = asyncio.create_task(self._step())
        self._steps.add(task)
        task.add_done_callback(self._stepped)

    def _stepped(self, task: asyncio.Task[None]) -> None:
        self._steps.discard(task)
        error = None if task.cancelled() else task.exception()
        if error is not None:
            self._fail(error)

    async def _step(self) -> None:
        """Take the step that the worker takes when it is rung."""
        store = self._ground.store
        case = await store(work.claim, epoch=self._epoch, at=clock.now())
        while case is not None and case.incident.id not in self._waiting:  # decided on already
            case = await store(work.claim, epoch=self._epoch, at=clock.now())
        if case is None:
            return
        waiting = self._waiting.pop(case.incident.id)
        change = await repair.step(case, self._ground.config(), self._effects)
        if change.ruling is not None:
            self._watch.end("gate.judge, and what follows")
        await store(work.apply, change, epoch=self._epoch, at=clock.now())
        waiting.set_result(change.ruling)
