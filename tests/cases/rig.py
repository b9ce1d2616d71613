"""One case: a fleet, a webhook, real Alertmanagers, and a Prometheus' part in posting alerts."""

import asyncio
import itertools
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import aiohttp

from orchestrator import clock
from tests.cases.doorway import Doorway
from tests.cases.fleet import Fleet, Project
from tests.cases.hook import Episode, Webhook
from tests.cases.mesh import Peer
from tests.waiting import until

Json = dict[str, Any]

RESEND = 0.5  # seconds between two posts of an alert that fires; Prometheus takes a minute
GOOD_FOR = timedelta(minutes=4)  # how long Alertmanager believes a post: 4 x resend-delay

APART = timedelta(milliseconds=5)  # two instants of one alert, so that they are not the same


@dataclass(frozen=True, slots=True)
class Alert:
    """An alert as Prometheus posts it."""

    labels: Mapping[str, str]
    started: str
    annotations: Mapping[str, str] = field(default_factory=lambda: {"summary": "It is down."})

    def post(self, *, ends: str) -> Json:
        """Return what is posted."""
        return {
            "labels": dict(self.labels),
            "annotations": dict(self.annotations),
            "startsAt": self.started,
            "endsAt": ends,
            "generatorURL": "http://prometheus.example/graph",
        }


def down(project: str, since: datetime | None = None, **labels: str) -> Alert:
    """Return the alert ProjectDown of a project."""
    named = {"alertname": "ProjectDown", "project": project, "remediate": "true"}
    since = since or clock.now()
    return Alert({**named, "severity": "critical", **labels}, clock.written(since))


@dataclass(slots=True)
class Case:
    """What a test works with. The projects have names that no other test has."""

    peers: tuple[Peer, ...]
    doorway: Doorway
    fleet: Fleet
    webhook: Webhook
    http: aiohttp.ClientSession
    firing: list[tuple[Alert, tuple[Peer, ...]]] = field(default_factory=list)
    posting: asyncio.Lock = field(default_factory=asyncio.Lock)  # one post at a time

    @property
    def projects(self) -> list[Project]:
        """The projects of this case."""
        return list(self.fleet.projects.values())

    @property
    def first(self) -> Project:
        """The one that most cases are about."""
        return self.projects[0]

    def posted(self) -> Iterator[str]:
        """Name the projects whose alert is being posted: Prometheus says that they are down."""
        return (alert.labels.get("project", "") for alert, _ in self.firing)

    async def fire(self, *alerts: Alert, to: Sequence[Peer] = ()) -> None:
        """Post alerts, in one request a peer, and again and again from now on."""
        peers = tuple(to) or self.peers
        self.firing += [(alert, peers) for alert in alerts]
        bodies = [alert.post(ends=self._good_until()) for alert in alerts]
        async with self.posting:
            await asyncio.gather(*(peer.post(self.http, bodies) for peer in peers))

    async def end(self, *alerts: Alert) -> datetime:
        """Post the end of alerts, and return when that is."""
        ended = await _past(*alerts)
        ending = {id(each) for each in alerts}  # comparing 3,000 with 3,000 takes seconds
        over = [(each, peers) for each, peers in self.firing if id(each) in ending]
        self.firing = [(each, peers) for each, peers in self.firing if id(each) not in ending]
        async with self.posting:
            for peer in self.peers:
                told = [each for each, peers in over if peer in peers]
                await peer.post(self.http, [each.post(ends=clock.written(ended)) for each in told])
        return ended

    async def flap(self, was: Alert) -> Alert:
        """End an alert and let it fire anew in one request, so that nothing comes in between."""
        ended = await _past(was)
        again = Alert(was.labels, clock.written(ended + APART))
        [(_, peers)] = [(each, peers) for each, peers in self.firing if each == was]
        self.firing = [(each, peers) for each, peers in self.firing if each != was]
        bodies = [was.post(ends=clock.written(ended)), again.post(ends=self._good_until())]
        async with self.posting:
            await asyncio.gather(*(peer.post(self.http, bodies) for peer in peers))
        self.firing.append((again, peers))
        return again

    async def go_on_posting(self) -> None:
        """Post what fires, as long as it fires; a peer that is not there is tried again."""
        while True:
            await asyncio.sleep(RESEND)
            async with self.posting:  # a copy that overtakes the end of its alert would undo it
                for peer in self.peers:
                    fires = [alert for alert, peers in self.firing if peer in peers]
                    with suppress(aiohttp.ClientError):
                        ends = self._good_until()
                        await peer.post(self.http, [alert.post(ends=ends) for alert in fires])

    async def until_restarted(self, project: Project) -> None:
        """Wait until a command was carried out by *project*."""

        async def restarted() -> bool:
            return bool(project.carried_out)

        await until(restarted, within=30, what=f"restart of {project.name}")

    async def heal(self, project: Project, *alerts: Alert) -> None:
        """Wait until *project* was restarted, then end its alerts and wait for the proof."""
        await self.until_restarted(project)
        await self.end(*alerts)
        await self.until_states(project, ["resolved"])

    async def until_states(
        self, project: Project, states: list[str], *, within: float = 30
    ) -> None:
        """Wait until the incidents of *project* are in exactly these states."""
        seen: list[str] = []

        async def reached() -> bool:
            seen[:] = self.webhook.incidents(project.name)
            return seen == states

        await until(reached, within=within, what=f"incidents {states} of {project.name}")

    async def until_arrived(
        self, count: int, *, within: float = 30, status: str = ""
    ) -> list[Json]:
        """Wait for *count* messages (of a status) to be sent to the webhook; return them."""
        return await self._until(self.doorway.arrived, count, within, status)

    async def until_stored(self, count: int, *, within: float = 30, status: str = "") -> list[Json]:
        """Wait for *count* messages (of a status) to be stored by the webhook; return them."""
        return await self._until(self.doorway.stored, count, within, status)

    async def until_episodes(self, project: Project, count: int) -> list[Episode]:
        """Wait for *count* episodes of a project; return them."""

        async def found() -> list[Episode] | None:
            episodes = self.webhook.episodes(project.name)
            return episodes if len(episodes) >= count else None

        return await until(found, within=30, what=f"{count} episodes of {project.name}")

    @staticmethod
    async def _until(messages: list[Json], count: int, within: float, status: str) -> list[Json]:
        async def come() -> list[Json] | None:
            found = [told for told in messages if status in ("", told["status"])]
            return found if len(found) >= count else None

        return await until(come, within=within, what=f"{count} {status} messages")

    @staticmethod
    def _good_until() -> str:
        return clock.written(clock.now() + GOOD_FOR)


async def _past(*alerts: Alert) -> datetime:
    """Return an instant after the start of *alerts*; Alertmanager ignores an end in the future."""
    soonest = max((clock.read(each.started) + APART for each in alerts), default=clock.now())

    async def now() -> datetime | None:
        instant = clock.now()
        return instant if instant >= soonest else None

    return await until(now, within=5, what="the start of the alerts")


def told(message: Json) -> list[tuple[str, str]]:
    """Return of each alert in a message its status and its label `part`."""
    return [(each["status"], each["labels"].get("part", "")) for each in message["alerts"]]


numbers = itertools.count(1)
