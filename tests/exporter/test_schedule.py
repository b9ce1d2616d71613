"""The wheel turns slot by slot, makes up for a little lateness, and for a stop does not."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest

from exporter.instruments import Instruments
from exporter.pulse import Pulse
from exporter.schedule import keep_turning
from tests.waiting import until

WITHIN = 10.0
SLOT = 0.05  # seconds


@dataclass
class Turned:
    """What the schedule did, and how it kept time."""

    slots: list[int] = field(default_factory=list)
    at: list[float] = field(default_factory=list)
    swept: list[float] = field(default_factory=list)
    beats: Pulse = field(default_factory=lambda: Pulse(asyncio.get_running_loop().time()))
    instruments: Instruments = field(default_factory=lambda: Instruments(version="1", shard="1/1"))
    fails_in: int = -1
    slot: float = SLOT

    def due(self, since: float, until: float) -> Iterable[Callable[[], None]]:
        """Note the slot."""
        slot = round(since / SLOT)
        assert until - since == pytest.approx(SLOT)
        self.slots.append(slot)
        self.at.append(asyncio.get_running_loop().time())
        if slot == self.fails_in:
            raise ValueError("a slot of no use")
        return ()

    def sweep(self, now: float) -> None:
        """Note the instant."""
        self.swept.append(now)

    def value(self, metric: str) -> float | None:
        """Return one of the exporter's own metrics."""
        return self.instruments.registry.get_sample_value(metric)


@asynccontextmanager
async def _turning(turned: Turned) -> AsyncIterator[None]:
    task = asyncio.create_task(keep_turning(turned, turned.beats, turned.instruments))
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait({task})
    assert task.cancelled()


async def _reached(turned: Turned, slot: int) -> None:
    async def there() -> bool:
        return slot in turned.slots

    await until(there, within=WITHIN, what=f"slot {slot}")


async def test_every_slot_comes_once_and_in_its_order() -> None:
    turned = Turned()
    async with _turning(turned):
        await _reached(turned, 12)
    assert turned.slots == list(range(len(turned.slots)))


async def test_readings_are_swept_once_a_second() -> None:
    turned = Turned()
    async with _turning(turned):
        await _reached(turned, 50)
    assert len(turned.swept) == 2


async def test_slots_that_were_missed_by_less_than_a_second_are_made_up_for() -> None:
    turned = Turned()
    async with _turning(turned):
        await _reached(turned, 2)
        time.sleep(0.4)  # noqa: ASYNC251  the loop is to be late
        await _reached(turned, 14)
    late = turned.at[10] - turned.at[0] - 10 * SLOT
    assert (turned.slots, late < SLOT * 6) == (list(range(len(turned.slots))), True)


async def test_after_a_stop_the_wheel_goes_on_where_it_stood() -> None:
    turned = Turned()
    async with _turning(turned):
        await _reached(turned, 2)
        time.sleep(1.5)  # noqa: ASYNC251  the loop is to stop
        resumed = asyncio.get_running_loop().time()
        await _reached(turned, 12)
    after = [at for at in turned.at if at >= resumed]
    assert after[5] - after[0] > 4 * SLOT  # no burst
    assert turned.slots == list(range(len(turned.slots)))  # and nobody's turn is left out


async def test_how_late_it_was_is_told() -> None:
    turned = Turned()
    async with _turning(turned):
        await _reached(turned, 2)
        time.sleep(0.4)  # noqa: ASYNC251  the loop is to be late
        await _reached(turned, 12)
    worst = turned.value("exporter_tick_lag_max_seconds")
    assert worst == pytest.approx(turned.beats.worst)
    assert worst is not None
    assert 0.3 < worst < WITHIN


async def test_a_slot_that_fails_is_counted_and_the_next_one_comes() -> None:
    turned = Turned(fails_in=3)
    async with _turning(turned):
        await _reached(turned, 5)
    assert turned.value("exporter_failures_total") == 1.0
