"""Every query of every dashboard, asked of a real Prometheus that has seen everything happen."""

import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import pytest

from orchestrator import clock
from orchestrator.demo import binaries
from orchestrator.demo.stack import Stack
from orchestrator.metrics import METRICS, Kind, Status
from tests.conftest import FreePort
from tests.dashboards import answered
from tests.dashboards.answered import Answer
from tests.dashboards.asked import Source, Values, Where, questions, sources, times
from tests.dashboards.may_be_empty import (
    MAY_BE_EMPTY,
    UNEVEN,
    UNFOUND,
    UNNAMED,
    UNTOLD,
)
from tests.dashboards.written import EVERY
from tests.e2e.conftest import CHECKOUT
from tests.e2e.dashboards_prometheus import Prometheus
from tests.e2e.dashboards_stage import PACE, staged
from tests.e2e.dashboards_story import play

pytestmark = pytest.mark.e2e

APART: Final = 4  # seconds
RATE: Final = 30  # seconds; a scrape comes each second
PATIENCE: Final = 45  # seconds
SERIES: Final = {  # what is to be there: a metric -> its name in Prometheus
    name: f"{name}_bucket" if each.kind is Kind.HISTOGRAM else name
    for name, each in METRICS.items()
    if each.status is not Status.PLANNED
}


async def test_every_query_of_every_dashboard_finds_what_it_shows_and_names_what_it_finds(
    ports: dict[str, int], free_port: FreePort, tmp_path: Path
) -> None:
    """One stack and one story for all of them; all that is wrong is told, not the first of it."""
    found = binaries.find(os.environ, CHECKOUT / ".tools")  # noqa: TID251  as the demo does
    stack = Stack(checkout=CHECKOUT, folder=tmp_path, binaries=found, ports=ports, pace=PACE)
    beside, begin = iter(free_port, 0), clock.now()
    async with staged(stack, beside, now=begin, patience=PATIENCE, apart=f"{APART}s") as cast:
        await play(cast)
        prometheus = Prometheus(cast.live, begin.timestamp())
        names = await prometheus.names()
        choices = {uid: await prometheus.choices(each) for uid, each in EVERY.items()}
        read = [each for uid in EVERY for each in sources(EVERY[uid], choices[uid])]
        there = await prometheus.there(some for each in read for some in each.selectors)
        at = times(interval=APART, whole=prometheus.seconds, rate=RATE)
        answers = await prometheus.answers(
            each
            for uid, dashboard in EVERY.items()
            for each in questions(dashboard, choices[uid], at)
        )
    wrong = [*_unchosen(choices), *_untold(names), *_unfound(read, there), *_wrong(answers)]
    assert not wrong, "\n".join(wrong)


def _unchosen(choices: dict[str, Values]) -> Iterator[str]:
    for uid, values in choices.items():
        yield from (
            f"{uid} / variable {each}: no value" for each, some in values.items() if not some
        )


def _untold(names: Iterable[str]) -> Iterator[str]:
    untold = {name: f"{name}: no series" for name, series in SERIES.items() if series not in names}
    yield from _unless_listed(untold, UNTOLD)


def _unfound(read: Iterable[Source], there: frozenset[str]) -> Iterator[str]:
    unfound = {
        each.written: f"{each.place}: no series: {each.written}"
        for each in read
        if there.isdisjoint(each.selectors)
    }
    yield from _unless_listed(unfound, UNFOUND)


def _wrong(answers: list[Answer]) -> Iterator[str]:
    yield from answered.complaints(answers)
    yield from answered.shared(answers)
    empty = {at.where: f"{at}: nothing: {expr}" for at, expr in answered.nothing(answers).items()}
    yield from _unless_listed(empty, MAY_BE_EMPTY)
    lacks = list(answered.unnamed(answers))
    uneven: dict[Where, str] = {}
    for dashboard in EVERY.values():
        yield from answered.missing_columns(dashboard, answers)
        lacks += answered.unlinked(dashboard, answers)
        uneven |= {at.where: f"{at}: {how}" for at, how in answered.uneven(dashboard, answers)}
    yield from _unless_listed({each.where: str(each) for each in lacks}, UNNAMED)
    yield from _unless_listed(uneven, UNEVEN)


def _unless_listed(found: Mapping[Any, str], reasons: Mapping[Any, str]) -> Iterator[str]:
    """Tell what was found without a reason, and the reasons for what was not found."""
    yield from (said for of, said in found.items() if of not in reasons)
    yield from (f"{of}: listed, and needs no reason" for of in reasons.keys() - found.keys())
