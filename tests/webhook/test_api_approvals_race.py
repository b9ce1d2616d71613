"""A yes comes just as its question falls: it counts or it does not, and all say the same."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import aiohttp
import pytest

from orchestrator import clock
from tests.conftest import FreePort, Serve
from tests.waiting import until
from tests.webhook import make
from tests.webhook.make import NOW, SECOND
from tests.webhook.questions import NAMES, Hook, Json, Street, config, running
from webhook import app
from webhook.api.desk import DESK

MOMENT, SPREAD = 0.1, 0.01  # seconds until the questions fall, and between two answers
Falls = Callable[[Hook, Json], Awaitable[None]]


async def _ends(hook: Hook, asked: Json) -> None:
    """Let its alert end."""
    await hook.alert(asked["project"], ended=NOW + 8 * SECOND)


async def _changes(hook: Hook, _: Json) -> None:
    """Let the configuration be another one."""
    current = hook.app[DESK].config
    assert isinstance(current, app.Current)
    changed = make.guarding(approval="always", attempts=1, fleet_min=100, concurrency=100)
    current.take(replace(current(), guards=changed))


async def _expires(_: Hook, __: Json) -> None:
    """Let it expire, which it does by itself."""


async def _outcome(hook: Hook, asked: Json) -> tuple[object, ...]:
    """Return what the row, the stream and the audit say of one question."""
    [row] = await hook.rows("SELECT decision, decided_by FROM approvals WHERE id = ?", asked["id"])
    told = "SELECT count(*) FROM events WHERE name = 'ApprovalDecided' AND data LIKE ?"
    kept = "SELECT count(*) FROM audit WHERE what = 'approval decided' AND data LIKE ?"
    [(events,)] = await hook.rows(told, f'%"approval": {asked["id"]},%')
    [(entries,)] = await hook.rows(kept, f'%"approval":{asked["id"]},%')
    return *row, events, entries


async def _settled(hook: Hook, asked: list[Json]) -> None:
    """Wait until none of these questions waits any more."""
    waits = "SELECT count(*) FROM actions WHERE state = 'pending' AND key IN ({})"
    keys = [each["key"] for each in asked]

    async def settled() -> bool:
        query = waits.format(", ".join("?" * len(keys)))
        return await hook.rows(query, *keys) == [(0,)]

    await until(settled, within=20, what="the end of all questions")


@pytest.mark.parametrize(
    ("falls", "within", "otherwise"),
    [
        (_ends, "15m", "withdrawn"),
        pytest.param(_changes, "15m", "withdrawn", marks=pytest.mark.long),
        pytest.param(_expires, "3s", "expired", marks=pytest.mark.long),
    ],
)
async def test_a_yes_at_the_moment_of_the_end_has_one_outcome(
    falls: Falls,
    within: str,
    otherwise: str,
    http: aiohttp.ClientSession,
    serve: Serve,
    free_port: FreePort,
    tmp_path: Path,
) -> None:
    street = Street()
    set_up = config(await serve(street.app()), within=within)
    async with running(set_up, tmp_path / "x.db", free_port, http) as hook:
        asked = await hook.ask(*NAMES)
        said = await asyncio.gather(
            *(_race(hook, each, falls, place) for place, each in enumerate(asked))
        )
        await _settled(hook, asked)
        yes, no = ("approved", "local", 1, 1), (otherwise, None, 0, 0)
        for status, each in zip(said, asked, strict=True):
            assert await _outcome(hook, each) == (yes if status == 200 else no)
    keys = [(each["project"], each["key"]) for each in asked]
    allowed = {key for status, key in zip(said, keys, strict=True) if status == 200}
    assert set(said) == {200, 409}
    assert len(street.commands) == len(set(street.commands))
    assert set(street.commands) <= allowed


async def _race(hook: Hook, asked: Json, falls: Falls, place: int) -> int:
    """Let somebody say yes a little before or after the question falls; return the answer."""
    early = (len(NAMES) / 2 - place) * SPREAD

    async def say() -> int:
        await asyncio.sleep(MOMENT - early)
        return (await hook.decide(asked["id"], "approve"))[0]

    async def fall() -> None:
        await asyncio.sleep(MOMENT)
        await falls(hook, asked)

    left = clock.read(asked["expires_at"]) - clock.now() - timedelta(seconds=MOMENT)
    if falls is _expires:
        await asyncio.sleep(max(left.total_seconds(), 0))
    status, _ = await asyncio.gather(say(), fall())
    return status
