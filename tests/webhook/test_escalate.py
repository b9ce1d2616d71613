"""Telling people: every peer at its own pace, until each knows of the end."""

import asyncio
import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from tests.webhook.make import NOW, SECOND
from tests.webhook.telling import ASKED, LABELS, MINUTE, Telling
from webhook.escalate import Effects, Json, Switchboard, alert
from webhook.store.database import connect
from webhook.store.paging import Page

OVER = replace(ASKED, ended_at=NOW + 60 * SECOND)


def test_the_alert_outlives_a_dead_webhook_by_hours() -> None:
    assert alert(ASKED, now=NOW + 30 * SECOND) == {
        "labels": {**LABELS, "escalation": "1"},
        "annotations": {"summary": "email-blast needs a human.", "description": "everything"},
        "startsAt": "2026-11-21T12:00:00.000000Z",
        "endsAt": "2026-11-21T16:00:30.000000Z",
    }


def test_its_end_is_told_as_one_of_long_ago_and_changes_no_label() -> None:
    going, over = alert(ASKED, now=NOW), alert(OVER, now=NOW + 70 * SECOND)
    hour_before = "2026-11-21T11:00:00.000000Z"
    assert over == {**going, "startsAt": hour_before, "endsAt": hour_before}


def test_what_began_under_the_first_schema_is_still_the_same_alert() -> None:
    first = replace(ASKED, labels={}, annotations={})
    assert alert(first, now=NOW) == {
        "labels": {
            "alertname": "EscalationRequired",
            "escalation": "1",
            "incident": "3",
            "project": "email-blast",
            "severity": "critical",
            "source": "orchestrator",
        },
        "annotations": {
            "summary": "email-blast needs a human.",
            "description": "ProjectDown goes on",
        },
        "startsAt": "2026-11-21T12:00:00.000000Z",
        "endsAt": "2026-11-21T16:00:00.000000Z",
    }


@pytest.mark.parametrize(
    ("page", "begun", "ends"),
    [
        (ASKED, "2026-11-21T11:00:00.000000Z", "2026-11-21T15:00:00.000000Z"),
        (OVER, "2026-11-21T10:00:00.000000Z", "2026-11-21T10:00:00.000000Z"),
    ],
)
def test_after_the_clock_was_set_back_no_end_lies_in_the_future(
    page: Page, begun: str, ends: str
) -> None:
    body = alert(page, now=NOW - timedelta(hours=1))
    assert (body["startsAt"], body["endsAt"]) == (begun, ends)


@pytest.fixture
def telling() -> Iterator[Telling]:
    connection = connect(":memory:")
    yield Telling(db=connection)
    connection.close()


async def _round(telling: Telling, board: Switchboard, *, after: timedelta = timedelta()) -> None:
    """Let time pass, and let the calls of one round end."""
    telling.now += after
    await board.once()
    await asyncio.gather(*board.running, return_exceptions=True)


GOING, ENDED = [("1", False)], [("1", True)]


async def test_it_is_posted_at_once_and_kept_alive_every_thirty_seconds(telling: Telling) -> None:
    board = telling.board("a", "b")
    telling.ask()
    for after in (0, 29, 1, 29, 1):
        await _round(telling, board, after=after * SECOND)
    assert telling.told() == [("a", GOING), ("b", GOING)] * 3


async def test_a_peer_that_is_away_is_tried_again_every_two_seconds_and_alone(
    telling: Telling,
) -> None:
    board = telling.board("a", "b")
    telling.away = {"a"}
    telling.ask()
    for after in (0, 1, 1, 1, 1):
        await _round(telling, board, after=after * SECOND)
    assert telling.told() == [("a", GOING), ("b", GOING), ("a", GOING), ("a", GOING)]
    telling.away = set()
    for after in (2, 2, 2):
        await _round(telling, board, after=after * SECOND)
    assert telling.told() == [("a", GOING)]


async def test_an_end_goes_out_at_once_and_for_a_minute_and_then_it_is_settled(
    telling: Telling,
) -> None:
    board = telling.board("a", "b")
    telling.ask()
    await _round(telling, board)
    telling.now += 5 * SECOND
    telling.end()
    for _ in range(8):
        await _round(telling, board)
        telling.now += 15 * SECOND
    assert telling.told() == [("a", GOING), ("b", GOING), *[("a", ENDED), ("b", ENDED)] * 3]
    assert telling.planned == [None]
    await _round(telling, board, after=timedelta(days=1))
    assert telling.told() == []


async def test_a_peer_that_is_gone_for_good_keeps_no_end_from_being_settled(
    telling: Telling,
) -> None:
    board = telling.board("a", "b")
    telling.away = {"b"}
    telling.ask()
    await _round(telling, board, after=timedelta(hours=1))
    telling.end()
    ended = telling.now
    while telling.planned != [None]:
        await _round(telling, board, after=5 * SECOND)
    assert timedelta(minutes=15) <= telling.now - ended <= timedelta(minutes=16)
    posts = [peer for peer, _ in telling.told()]
    assert posts.count("a") == 1 + 3  # the page, then its end for a minute
    for _ in range(9):
        await _round(telling, board, after=MINUTE)
    assert telling.told() == []


async def test_a_peer_that_comes_back_within_fifteen_minutes_gets_the_end(telling: Telling) -> None:
    board = telling.board("a")
    telling.ask()
    await _round(telling, board)
    telling.away = {"a"}
    telling.end()
    await _round(telling, board)
    await _round(telling, board, after=14 * MINUTE)
    telling.told()
    telling.away = set()
    await _round(telling, board, after=2 * SECOND)
    await _round(telling, board, after=MINUTE)
    assert (telling.told(), telling.planned) == ([("a", ENDED)], [None])


async def test_after_a_start_all_that_is_not_settled_goes_out_at_once(telling: Telling) -> None:
    telling.ask(1)
    telling.ask(2)
    await _round(telling, telling.board())
    telling.end(2)
    telling.told()
    board = telling.board()
    await _round(telling, board, after=SECOND)
    await _round(telling, board, after=SECOND)
    assert telling.told() == [("a", [("1", False), ("2", True)])]


async def test_what_ended_while_it_was_posted_is_posted_again_as_ended(telling: Telling) -> None:
    board = telling.board()
    telling.ask()
    await board.once()
    await asyncio.sleep(0)  # the call has begun
    telling.end()
    await board.once()
    await asyncio.gather(*board.running)
    assert telling.told() == [("a", GOING), ("a", ENDED)]


async def test_a_clock_that_is_set_back_an_hour_holds_up_nothing(telling: Telling) -> None:
    board = telling.board("a", "b")
    telling.away = {"b"}
    telling.ask()
    await _round(telling, board)
    telling.told()
    await _round(telling, board, after=-timedelta(hours=1))
    assert telling.told() == [("a", GOING), ("b", GOING)]
    telling.away = set()
    await _round(telling, board, after=2 * SECOND)
    telling.end()
    telling.told()
    await _round(telling, board, after=SECOND)
    assert telling.told() == [("a", ENDED), ("b", ENDED)]


async def test_while_nothing_can_be_stored_people_are_told_all_the_same(telling: Telling) -> None:
    board = telling.board()
    telling.ask()
    telling.full = True
    for _ in range(2):
        with pytest.raises(sqlite3.OperationalError):
            await _round(telling, board)
        await asyncio.gather(*board.running)
    assert telling.told() == [("a", GOING)] * 2
    telling.full = False
    await _round(telling, board)
    assert telling.planned == ["2026-11-21T12:00:30.000000Z"]


async def test_an_error_that_nobody_foresaw_is_raised_once_and_the_page_goes_out(
    telling: Telling,
) -> None:
    posts: list[Sequence[Json]] = []

    async def send(_: str, body: Sequence[Json]) -> list[bool]:
        posts.append(body)
        if len(posts) == 1:
            raise RuntimeError("unforeseen")
        return [True]

    async def due(_: datetime) -> list[Page]:
        return [] if posts else [ASKED]

    async def posted(_: Page, __: datetime | None) -> None: ...

    board = Switchboard(Effects(due=due, posted=posted, post=send, now=lambda: NOW), ["a"])
    await _round(telling, board)
    with pytest.raises(RuntimeError, match="unforeseen"):
        await _round(telling, board)
    await _round(telling, board)
    await _round(telling, board)
    assert (len(posts), board.running) == (2, [])


async def test_a_fleet_of_pages_goes_out_a_hundred_at_a_time(telling: Telling) -> None:
    board = telling.board()
    for each in range(250):
        telling.ask(each)
    await _round(telling, board)
    assert [len(pages) for _, pages in telling.told()] == [100, 100, 50]


async def test_a_peer_that_is_new_hears_all_that_goes_on_and_one_that_left_hears_no_more(
    telling: Telling,
) -> None:
    board = telling.board("a", "b")
    telling.ask()
    await _round(telling, board)
    telling.told()
    board.reach(["b", "c"])
    await _round(telling, board, after=SECOND)
    assert telling.told() == [("b", GOING), ("c", GOING)]
    board.reach(["b", "c"])
    await _round(telling, board, after=SECOND)
    assert telling.told() == []


async def test_the_call_to_a_peer_that_left_is_cancelled(telling: Telling) -> None:
    board = telling.board("a")
    telling.ask()
    await board.once()
    [call] = board.running
    board.reach(["b"])
    await asyncio.gather(call, return_exceptions=True)
    assert (call.cancelled(), board.running) == (True, [])
