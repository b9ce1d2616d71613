"""Telling people: through every Alertmanager, until they were told."""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from tests.conftest import FreePort, Serve
from tests.webhook.make import NOW, SECOND
from webhook.escalate import Effects, Json, alert, post, tell
from webhook.store.paging import Escalation

ASKED = Escalation(
    id=1,
    incident=3,
    project="email-blast",
    reason="ProjectDown goes on",
    started_at=NOW,
    ended_at=None,
)
OVER = replace(ASKED, ended_at=NOW + 60 * SECOND)


def test_the_alert_outlives_a_dead_webhook_by_hours() -> None:
    assert alert(ASKED, now=NOW + 30 * SECOND) == {
        "labels": {
            "alertname": "EscalationRequired",
            "project": "email-blast",
            "incident": "3",
            "escalation": "1",
            "severity": "critical",
            "source": "orchestrator",
        },
        "annotations": {
            "summary": "email-blast needs a human.",
            "description": "ProjectDown goes on",
        },
        "startsAt": "2026-11-21T12:00:00.000000Z",
        "endsAt": "2026-11-21T16:00:30.000000Z",
    }


def test_its_end_is_said_and_changes_neither_labels_nor_start() -> None:
    going, over = alert(ASKED, now=NOW), alert(OVER, now=NOW + 70 * SECOND)
    assert over == {**going, "endsAt": "2026-11-21T12:01:00.000000Z"}


@dataclass(slots=True)
class Desk:
    """Escalations that are due, whether Alertmanager takes them, and what was noted."""

    due: list[Escalation]
    taken: bool
    noted: list[datetime | None] = field(default_factory=list)

    def effects(self) -> Effects:
        async def due(_: datetime) -> list[Escalation]:
            return self.due

        async def posted(_: Escalation, again: datetime | None) -> None:
            self.noted.append(again)

        async def send(_: Json) -> bool:
            return self.taken

        return Effects(due=due, posted=posted, post=send, now=lambda: NOW)


@pytest.mark.parametrize(
    ("escalation", "taken", "again"),
    [
        (ASKED, True, timedelta(seconds=30)),
        (ASKED, False, timedelta(seconds=2)),
        (OVER, False, timedelta(seconds=2)),
        (OVER, True, None),
    ],
)
async def test_it_is_posted_again_until_its_end_was_taken(
    escalation: Escalation,
    taken: bool,  # noqa: FBT001  a column of the table
    again: timedelta | None,
) -> None:
    desk = Desk(due=[escalation], taken=taken)
    await tell(desk.effects())
    assert desk.noted == [None if again is None else NOW + again]


async def test_every_peer_gets_it_and_one_that_is_away_is_not_a_success(
    serve: Serve, http: aiohttp.ClientSession, free_port: FreePort
) -> None:
    seen: list[Any] = []

    async def take(request: web.Request) -> web.Response:
        seen.append(await request.json())
        return web.Response()

    def peer() -> web.Application:
        app = web.Application()
        app.router.add_post("/api/v2/alerts", take)
        return app

    here = [await serve(peer()), await serve(peer())]
    away, refusing = f"http://127.0.0.1:{free_port()}", await serve(web.Application())
    body = alert(ASKED, now=NOW)
    taken = [await post(http, peers, body) for peers in (here, [away, here[0]], [refusing])]
    assert (taken, seen) == ([True, False, False], [[body], [body], [body]])
