"""The stream: one look for all who wait, and an end for each of them."""

import asyncio
import sqlite3
from contextlib import ExitStack

import pytest
from aiohttp import WSCloseCode

from tests.waiting import until
from webhook import stream
from webhook.stream import ENDING, SEATS, Farewell, Full, Stream, Tide


class Sea:
    """A table whose newest event is set by hand, and which counts the looks."""

    def __init__(self, newest: int) -> None:
        self.newest, self.looks = newest, 0
        self.looked = asyncio.Condition()

    async def __call__(self) -> int:
        async with self.looked:
            self.looks += 1
            self.looked.notify_all()
        return self.newest

    async def until_looked(self, times: int) -> None:
        """Return after so many looks in all."""
        async with asyncio.timeout(5), self.looked:
            await self.looked.wait_for(lambda: self.looks >= times)


@pytest.fixture(autouse=True)
def _fast(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "LOOK_EVERY", 0.005)


async def test_one_look_serves_everyone_who_waits() -> None:
    sea = Sea(newest=7)
    tide = Tide(sea)
    waiting = [asyncio.create_task(tide.beyond(7)) for _ in range(50)]
    await sea.until_looked(5)
    sea.newest = 8
    await asyncio.gather(*waiting)
    assert sea.looks < 50


async def test_nobody_is_woken_by_what_he_has() -> None:
    sea = Sea(newest=7)
    tide = Tide(sea)
    behind, ahead = (asyncio.create_task(tide.beyond(after)) for after in (6, 7))
    await behind
    await sea.until_looked(sea.looks + 3)
    assert not ahead.done()
    sea.newest = 8
    await ahead


async def test_who_is_behind_what_was_seen_already_does_not_wait() -> None:
    sea = Sea(newest=7)
    tide = Tide(sea)
    await tide.beyond(6)
    looks = sea.looks
    await tide.beyond(3)
    assert sea.looks == looks


async def test_while_nobody_waits_there_is_no_look() -> None:
    sea = Sea(newest=7)
    tide = Tide(sea)
    waiting = asyncio.create_task(tide.beyond(7))
    await sea.until_looked(2)
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)

    async def ended() -> bool:
        return not any(task.get_name() == "tide" for task in asyncio.all_tasks())

    await until(ended, within=5, what="the end of the looks")


@pytest.mark.parametrize("turns", [0, 1, 2, 3])
async def test_who_comes_when_the_last_one_goes_waits_like_any_other(turns: int) -> None:
    sea = Sea(newest=7)
    tide = Tide(sea)
    first = asyncio.create_task(tide.beyond(7))
    await sea.until_looked(1)
    for _ in range(turns):
        await asyncio.sleep(0)
    first.cancel()
    second = asyncio.create_task(tide.beyond(7))
    await asyncio.gather(first, return_exceptions=True)
    sea.newest = 8
    await asyncio.wait_for(second, 5)


async def test_a_look_that_fails_is_told_to_all_and_the_next_one_looks_again() -> None:
    fails = True

    async def newest() -> int:
        if fails:
            raise sqlite3.OperationalError("disk I/O error")
        return 8

    tide = Tide(newest)
    waiting = [asyncio.create_task(tide.beyond(7)) for _ in range(3)]
    errors = await asyncio.gather(*waiting, return_exceptions=True)
    fails = False
    await tide.beyond(7)
    assert [str(each) for each in errors] == ["disk I/O error"] * 3


async def test_there_is_a_seat_for_so_many_and_again_when_one_has_gone() -> None:
    told = Stream(Sea(newest=0))
    with ExitStack() as seats:
        for _ in range(SEATS - 1):
            seats.enter_context(told.seat())
        with told.seat(), pytest.raises(Full), told.seat():
            pass
        with told.seat():
            pass


async def test_at_the_end_every_seat_is_left_also_one_that_was_just_taken() -> None:
    told = Stream(Sea(newest=0))
    with told.seat() as early:
        closing = asyncio.create_task(told.close())
        await asyncio.sleep(0)
        with told.seat() as late:
            farewells = [await early.leaving, await late.leaving]
        open_still = not closing.done()
    await asyncio.wait_for(closing, 5)
    assert (farewells, open_still) == ([ENDING, ENDING], True)


async def test_the_first_word_of_a_farewell_counts() -> None:
    with Stream(Sea(newest=0)).seat() as seat:
        seat.leave(Farewell(WSCloseCode.OK, "first"))
        seat.leave(ENDING)
        assert await seat.leaving == Farewell(WSCloseCode.OK, "first")
