"""The couriers: they bring messages to the webhook, and note what it has answered with 200."""

import asyncio
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import aiohttp

from orchestrator import clock
from tests.chaos.prey import Prey
from tests.chaos.story import Beat, Moment, Sender, Turn

Json = dict[str, Any]

AGAIN = 0.05  # seconds between two tries
ANSWER_WITHIN = aiohttp.ClientTimeout(total=10)
ZERO = "0001-01-01T00:00:00Z"  # the end of what has not ended


@dataclass(frozen=True, slots=True)
class Told:
    """One alert that the webhook has answered with 200."""

    fingerprint: str
    firing: bool
    started: datetime


def told(message: Json) -> list[Told]:
    """Return the alerts of a message."""
    return [
        Told(each["fingerprint"], each["status"] == "firing", clock.read(each["startsAt"]))
        for each in message["alerts"]
    ]


@dataclass(slots=True)
class _Alert:
    labels: dict[str, str]
    started: str = ""
    ended: str = ZERO
    fires: bool = False

    def written(self) -> Json:
        return {
            "status": "firing" if self.fires else "resolved",
            "labels": self.labels,
            "annotations": {},
            "startsAt": self.started,
            "endsAt": ZERO if self.fires else self.ended,
            "fingerprint": _fingerprint(self.labels),
        }


class Courier:
    """Brings the messages of one sender, each until it was answered 200, and their copies."""

    def __init__(
        self, prey: Prey, http: aiohttp.ClientSession, sender: Sender, *, project: str, name: str
    ) -> None:
        self.told: list[Told] = []  # in the order of the answers
        self.last: dict[str, Told] = {}  # by fingerprint, what was last said and is no copy
        self._prey, self._http, self._sender = prey, http, sender
        labels = {"alertname": sender.alertname, "project": project, "sender": name}
        if sender.remediate:
            labels["remediate"] = "true"
        most = max(place for beat in sender.beats for place, _ in beat.turns)
        self._alerts = [_Alert({**labels, "part": str(part)}) for part in range(most + 1)]

    async def carry(self) -> None:
        """Bring everything at its time."""
        began, loop = asyncio.get_running_loop().time(), asyncio.get_running_loop()
        async with asyncio.TaskGroup() as copies:
            for beat in self._sender.beats:
                await asyncio.sleep(began + beat.at - loop.time())
                message = self._message(beat)
                for at in beat.copies:
                    copies.create_task(self._copy(message, began + at - loop.time()))
                await self._bring(message)
                self.last |= {each.fingerprint: each for each in told(message)}

    async def _copy(self, message: Json, wait: float) -> None:
        await asyncio.sleep(wait)
        await self._bring(message)

    async def _bring(self, message: Json) -> None:
        while not await self._post(message):  # noqa: ASYNC110  the other side is a process
            await asyncio.sleep(AGAIN)
        self.told += told(message)
        await self._prey.at(Moment.ANSWERED)

    async def _post(self, message: Json) -> bool:
        try:
            async with self._http.post(
                f"{self._prey.url}/alerts", json=message, timeout=ANSWER_WITHIN
            ) as response:
                assert response.status in (200, 503), await response.text()
                return response.status == 200
        except (aiohttp.ClientError, TimeoutError):
            return False

    def _message(self, beat: Beat) -> Json:
        """Turn the alerts as *beat* says; return what fires then, and what has just ended."""
        now = clock.written(clock.now())
        for place, turn in beat.turns:
            alert = self._alerts[place]
            alert.fires = turn is not Turn.ENDS
            if alert.fires:
                alert.started = now
            else:
                alert.ended = now
        turned = {place for place, _ in beat.turns}
        found = [each for at, each in enumerate(self._alerts) if each.fires or at in turned]
        return message([each.written() for each in found])


def message(alerts: Sequence[Json]) -> Json:
    """Return a message of Alertmanager's format."""
    firing = any(each["status"] == "firing" for each in alerts)
    return {
        "version": "4",
        "receiver": "webhook",
        "status": "firing" if firing else "resolved",
        "groupKey": "{}:{}",
        "truncatedAlerts": 0,
        "groupLabels": {},
        "commonLabels": {},
        "commonAnnotations": {},
        "externalURL": "http://alertmanager.example",
        "alerts": list(alerts),
    }


def _fingerprint(labels: dict[str, str]) -> str:
    text = json.dumps(labels, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]
