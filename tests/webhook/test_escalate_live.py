"""People are told: a real Alertmanager with our routing, and their receivers over HTTP."""

import asyncio
import os
import signal
import sqlite3
import sys
from asyncio.subprocess import DEVNULL, Process
from collections.abc import AsyncIterator
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import yaml
from aiohttp import web

from orchestrator import clock
from orchestrator.demo import binaries
from orchestrator.supervisor.leash import leashed
from tests.conftest import FreePort, Serve
from tests.waiting import until
from tests.webhook import make
from tests.webhook.make import SECOND
from webhook import briefing
from webhook.case import Case
from webhook.diagnosis import Gathered, Line
from webhook.escalate import KEEP_ALIVE, alert, post
from webhook.store import paging
from webhook.store.database import atomic, connect
from webhook.store.paging import Page

CHECKOUT = Path(__file__).parent.parent.parent
SAID = Line(ts="", level="error", message="database full: <!channel>, password=hunter2")

Json = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class People:
    """A real Alertmanager, the people behind it, and the pages that they may get."""

    url: str
    http: aiohttp.ClientSession
    path: Path  # of the database
    db: sqlite3.Connection
    got: dict[str, list[Json]] = field(default_factory=dict)  # alerts by receiver

    async def take(self, request: web.Request) -> web.Response:
        """Take what Alertmanager sends to a receiver."""
        body = await request.json()
        self.got.setdefault(request.match_info["name"], []).extend(body["alerts"])
        return web.Response()

    def ask(self, told: briefing.Briefing) -> None:
        """Escalate."""
        with atomic(self.db):
            at = clock.now()
            paging.raise_once(
                self.db,
                kind="escalation",
                reason="",
                labels=told.labels,
                annotations=told.annotations,
                at=at,
            )

    def settle(self) -> None:
        """End the escalation."""
        with atomic(self.db):
            paging.settle(self.db, kind="escalation", at=clock.now())

    async def alert(self) -> Json | None:
        """Return the one alert that is active; None while there is none."""
        async with self.http.get(f"{self.url}/api/v2/alerts?active=true") as response:
            found = await response.json()
        return found[0] if found else None

    async def until_alert(self) -> Json:
        """Wait for an alert."""
        return await until(self.alert, within=10, what="an alert at Alertmanager")

    def statuses(self, receiver: str) -> list[str]:
        """Return what a receiver was told of, in order."""
        return [each["status"] for each in self.got.get(receiver, [])]

    async def until_told(self, statuses: list[str]) -> None:
        """Wait until the coordinator and the domain were told exactly this."""

        async def told() -> bool:
            return [self.statuses(each) for each in ("people", "outreach")] == [statuses] * 2

        await until(told, within=10, what=f"people told {statuses}")


def _routing(hooks: str) -> str:
    """Return the routing that we ship, with receivers, and news of a group within a second."""
    content = yaml.safe_load((CHECKOUT / "rules/alertmanager.yml").read_text(encoding="utf-8"))
    content["route"]["routes"][0]["group_interval"] = "1s"
    for each in content["receivers"]:
        each["webhook_configs"] = [{"url": f"{hooks}/{each['name']}"}]
    return yaml.safe_dump(content)


async def _start(*argv: str) -> Process:
    return await asyncio.create_subprocess_exec(
        *leashed(argv, os.getpid()), stdout=DEVNULL, stderr=DEVNULL, cwd=CHECKOUT
    )


@pytest.fixture
async def people(
    tmp_path: Path, free_port: FreePort, serve: Serve, http: aiohttp.ClientSession
) -> AsyncIterator[People]:
    """Run a real Alertmanager."""
    url = f"127.0.0.1:{free_port()}"
    db = tmp_path / "webhook.db"
    with closing(connect(db)) as connection:
        found = People(url=f"http://{url}", http=http, path=db, db=connection)
        app = web.Application()
        app.router.add_post("/{name}", found.take)
        config = tmp_path / "alertmanager.yml"
        config.write_text(_routing(await serve(app)), encoding="utf-8")
        tools = binaries.find(os.environ, CHECKOUT / ".tools")  # noqa: TID251  as the demo does
        process = await _start(
            str(tools.alertmanager),
            f"--config.file={config}",
            f"--storage.path={tmp_path / 'data'}",
            f"--web.listen-address={url}",
            "--cluster.listen-address=",
        )
        try:
            await until(lambda: _ready(http, f"http://{url}"), within=20, what="Alertmanager")
            yield found
        finally:
            process.kill()
            await process.wait()


async def _ready(http: aiohttp.ClientSession, url: str) -> bool:
    try:
        async with http.get(f"{url}/-/ready") as response:
            return response.ok
    except aiohttp.ClientError:
        return False


async def _poster(people: People) -> Process:
    return await _start(sys.executable, "-m", "tests.webhook.poster", str(people.path), people.url)


def _briefing() -> briefing.Briefing:
    now = clock.now()
    case = Case(
        incident=make.incident(id=7, opened_at=now),
        episodes=(make.episode(started_at=now, received_at=now),),
        action=None,
        attempts=(make.action(executed_at=now, detail="no good probe <b>"),),
    )
    project = make.project(labels=(("domain", "outreach"),))
    said = Gathered(lines=(SAID,) * 5)
    return briefing.escalation(case, project, "two did not help", said, url="http://127.0.0.1:4001")


def _hours_ahead(found: Json) -> bool:
    left = datetime.fromisoformat(found["endsAt"]) - clock.now()
    return left > timedelta(hours=3, minutes=59) > 100 * KEEP_ALIVE


@pytest.mark.e2e
async def test_the_coordinator_and_the_domain_get_the_whole_until_it_is_ended(
    people: People,
) -> None:
    told = _briefing()
    people.ask(told)
    poster = await _poster(people)
    await people.until_told(["firing"])
    for receiver in ("people", "outreach"):
        [got] = people.got[receiver]
        assert got["labels"] == {**told.labels, "escalation": "1"}
        assert got["annotations"] == told.annotations
    assert told.annotations["description"].count("database full: ‹!channel›, password=***") == 5  # noqa: RUF001
    assert sorted(people.got) == ["outreach", "people"]
    people.settle()
    await people.until_told(["firing", "resolved"])
    poster.kill()
    await poster.wait()


@pytest.mark.e2e
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
async def test_a_program_that_is_dead_or_shut_down_gives_no_all_clear_and_goes_on_after_a_start(
    people: People, how: signal.Signals
) -> None:
    people.ask(_briefing())
    poster = await _poster(people)
    await people.until_told(["firing"])
    poster.send_signal(how)
    await poster.wait()
    left = await people.until_alert()
    assert _hours_ahead(left)
    assert people.statuses("people") == ["firing"]

    poster = await _poster(people)

    async def posted_again() -> bool:
        found = await people.alert()
        return found is not None and found["updatedAt"] > left["updatedAt"]

    await until(posted_again, within=10, what="the same alert, posted again")
    people.settle()
    await people.until_told(["firing", "resolved"])
    poster.kill()
    await poster.wait()


@pytest.mark.e2e
async def test_an_end_that_comes_while_nobody_posts_is_told_after_the_next_start(
    people: People,
) -> None:
    people.ask(_briefing())
    poster = await _poster(people)
    await people.until_told(["firing"])
    poster.kill()
    await poster.wait()
    people.settle()
    poster = await _poster(people)
    await people.until_told(["firing", "resolved"])
    poster.kill()
    await poster.wait()


@pytest.mark.e2e
async def test_the_end_is_heard_at_once_although_alertmanager_s_clock_is_behind_ours(
    people: People,
) -> None:
    now = clock.now() + timedelta(minutes=10)
    page = Page(
        id=1,
        kind="escalation",
        incident=None,
        project=None,
        reason="",
        labels=_briefing().labels,
        annotations={"summary": "x"},
        started_at=now,
    )
    await post(people.http, people.url, [alert(page, now=now)])
    await people.until_told(["firing"])
    ended = replace(page, ended_at=now + 2 * SECOND)
    await post(people.http, people.url, [alert(ended, now=now + 2 * SECOND)])
    await people.until_told(["firing", "resolved"])
