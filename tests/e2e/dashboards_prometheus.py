"""The Prometheus of a stack, asked as Grafana asks it."""

import asyncio
import math
from collections.abc import Iterable
from typing import Final

from orchestrator import clock
from tests.dashboards import answered
from tests.dashboards.answered import Answer
from tests.dashboards.asked import Question, Values, looked_up
from tests.dashboards.written import variables
from tests.e2e.conftest import Json, Live

STEP: Final = 2  # seconds between two points of a curve
# Grafana asks at round times, those of subqueries: else what has just happened is in one of them
# only. Rounded up, to a time that is to come, so that it is in both.
ROUND: Final = 4  # seconds
AT_ONCE: Final = 4


class Prometheus:
    """What it knows of the time from *begin*, in seconds, until now."""

    def __init__(self, live: Live, begin: float) -> None:
        self._live, self._few = live, asyncio.Semaphore(AT_ONCE)
        self._end = ROUND * math.ceil(clock.now().timestamp() / ROUND)
        self.seconds = ROUND * math.ceil((self._end - begin) / ROUND)
        self._begin = self._end - self.seconds  # so that the last point of a curve is now

    async def choices(self, dashboard: Json) -> Values:
        """Return what can be chosen on *dashboard*; of one variable after the other, as by hand."""
        found: dict[str, list[str]] = {}
        for name in variables(dashboard):
            lookup = looked_up(dashboard, name, found)
            if lookup is not None:
                found[name] = await self._values(lookup.label, {"match[]": lookup.selector})
        return found

    async def names(self) -> frozenset[str]:
        """Return the names of all series."""
        return frozenset(await self._values("__name__", {}))

    async def there(self, selectors: Iterable[str]) -> frozenset[str]:
        """Return which of *selectors* any series has been of."""
        every = sorted(set(selectors))
        found = await asyncio.gather(*(self._values("__name__", {"match[]": of}) for of in every))
        return frozenset(of for of, names in zip(every, found, strict=True) if names)

    async def _values(self, label: str, about: Json) -> list[str]:
        url = f"{self._live.stack.url('prometheus')}/api/v1/label/{label}/values"
        params = {**about, "start": self._begin, "end": self._end}
        async with self._few, self._live.session.get(url, params=params) as response:
            body = await response.json()
        assert response.ok, f"{about}: {body}"
        said = [*body.get("warnings", ()), *body.get("infos", ())]
        assert not said, f"{about}: {said}"
        found: list[str] = body["data"]
        return found

    async def answers(self, questions: Iterable[Question]) -> list[Answer]:
        """Ask *questions*, each text once."""
        every = list(questions)
        texts = {(each.is_instant, each.expr): each for each in every}
        bodies = await asyncio.gather(*map(self._body, texts.values()))
        said = dict(zip(texts, bodies, strict=True))
        return [answered.read(each, said[each.is_instant, each.expr]) for each in every]

    async def _body(self, question: Question) -> Json:
        if question.is_instant:
            path, when = "query", {"time": self._end}
        else:
            path, when = "query_range", {"start": self._begin, "end": self._end, "step": STEP}
        url = f"{self._live.stack.url('prometheus')}/api/v1/{path}"
        async with (
            self._few,
            self._live.session.post(url, data={"query": question.expr, **when}) as response,
        ):
            body: Json = await response.json()
        return body
