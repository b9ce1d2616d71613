"""E49, E50: what people silenced is held for as long as the silence lasts."""

from datetime import timedelta
from uuid import uuid4

import aiohttp
import pytest

from orchestrator import clock
from tests.cases.mesh import Peer
from tests.cases_reconcile.conftest import (
    OpenDesk,
    Prometheus,
    down,
    silenced,
    text_of,
    unsilenced,
)
from webhook.alertmanager import silence
from webhook.store.reconciliation import Kind

pytestmark = pytest.mark.e2e


async def test_e49_a_silence_is_noted_with_its_author_and_forgotten_with_its_end(
    alone: Peer,
    open_desk: OpenDesk,
    prometheus: Prometheus,
    project: str,
    http: aiohttp.ClientSession,
) -> None:
    desk = await open_desk(alone)
    alert = down(project)
    await prometheus.fire(alert, alone)
    await desk.until_arrived(1)
    noted = [desk.rows("SELECT silenced FROM episodes")[0]["silenced"]]

    starts = clock.now()
    identity = await silenced(http, alone, project)
    assert [await desk.compare() for _ in range(2)] == [{Kind.SILENCED: 1}, {}]
    noted.append(desk.rows("SELECT silenced FROM episodes")[0]["silenced"])

    await unsilenced(http, alone, identity)
    assert [await desk.compare() for _ in range(2)] == [{Kind.UNSILENCED: 1}, {}]
    noted.append(desk.rows("SELECT silenced FROM episodes")[0]["silenced"])
    text = text_of(starts + timedelta(hours=1), starts)
    assert (noted, desk.story()) == ([None, text, None], [(alert.began, None)])


async def test_e49_what_fires_under_a_silence_is_known_with_it(
    alone: Peer,
    open_desk: OpenDesk,
    prometheus: Prometheus,
    project: str,
    http: aiohttp.ClientSession,
) -> None:
    desk = await open_desk(alone)
    starts = clock.now()
    identity = await silenced(http, alone, project)
    alert = down(project)
    await prometheus.fire(alert, alone)
    assert await desk.compare() == {Kind.APPEARED: 1}
    [episode] = desk.rows("SELECT silenced FROM episodes")
    await unsilenced(http, alone, identity)
    assert episode["silenced"] == text_of(starts + timedelta(hours=1), starts)


async def test_e50_a_silence_that_is_unknown_or_taken_back_is_gone(
    alone: Peer, http: aiohttp.ClientSession, open_desk: OpenDesk, project: str
) -> None:
    await open_desk(alone)
    identity, unknown = await silenced(http, alone, project), str(uuid4())
    before = await silence(http, alone.url, identity)
    statuses = [await unsilenced(http, alone, each) for each in (identity, identity, unknown)]
    assert before is not None
    assert statuses in ([200, 200, 500], [200, 500, 500], [200, 200, 404], [200, 404, 404])
    gone = [await silence(http, alone.url, each) for each in (identity, unknown)]
    assert gone == [None, None]
