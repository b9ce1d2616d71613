"""A visit: everything is looked at, at the same time, and all that was found comes in one order."""

import asyncio
from collections.abc import Awaitable
from dataclasses import dataclass
from pathlib import Path

import aiohttp

from orchestrator import check
from orchestrator.clock import Clock
from orchestrator.config import BadConfig
from orchestrator.doctor import alertmanager, analyzer, fleet, place, prometheus, webhook
from orchestrator.doctor.finding import Finding, fail, ok
from orchestrator.doctor.question import Asker
from orchestrator.hub import Address
from orchestrator.source import Source

CONFIG = "config"


@dataclass(frozen=True, slots=True, kw_only=True)
class Patient:
    """What is to be looked at."""

    origin: Source
    address: Address  # of the webhook
    database: Path | None = None
    tokens: Path | None = None


async def visit(patient: Patient, now: Clock) -> list[Finding]:
    """Look at all of it. Nothing is changed, and nothing is commanded."""
    found = [*_config(patient.origin), *_files(patient)]
    async with aiohttp.ClientSession() as session:
        ask = Asker(session=session, now=now)
        looks: list[Awaitable[list[Finding]]] = [webhook.examine(ask, patient.address)]
        try:
            config = patient.origin.load()
        except BadConfig:  # it is told already
            pass
        else:
            found += analyzer.examine(config, now())
            looks += [
                prometheus.examine(ask, config),
                alertmanager.examine(ask, config),
                fleet.examine(config, now),
            ]
        for each in await asyncio.gather(*looks):
            found += each
    return found


def _config(origin: Source) -> list[Finding]:
    checked = check.check(origin)
    if checked.mistakes:
        do = "mend it; nothing else that it names was looked at"
        return [fail(CONFIG, each, do) for each in checked.mistakes]
    return [ok(CONFIG, checked.summary)]


def _files(patient: Patient) -> list[Finding]:
    found = place.database(patient.database) if patient.database else []
    return [*found, *(place.tokens(patient.tokens) if patient.tokens else [])]
