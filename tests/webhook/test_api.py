"""The receiver and the reading routes, over real sockets."""

import asyncio
import io
import sqlite3
from pathlib import Path

import aiohttp
import pytest
from prometheus_client.parser import text_string_to_metric_families

from orchestrator.metrics import exported
from tests.conftest import Serve
from tests.waiting import until
from tests.webhook import make
from tests.webhook.make import NOW, SECOND
from tests.webhook.store.fill import add
from webhook import app
from webhook.store.database import Store, connect
from webhook.store.particulars import SINGLE


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "orchestrator.db"


@pytest.fixture
async def url(path: Path, serve: Serve) -> str:
    """Serve a webhook that has no project to touch."""
    store = Store(path)
    return await serve(app.make(make.config(projects={}), store, version="1.2.3"))


async def _post(http: aiohttp.ClientSession, url: str, body: bytes) -> int:
    async with http.post(f"{url}/alerts", data=io.BytesIO(body)) as response:
        return response.status


async def _metrics(http: aiohttp.ClientSession, url: str) -> dict[str, float]:
    async with http.get(f"{url}/metrics") as response:
        page = await response.text()
    return {
        sample.name + "".join(f"{{{name}={value}}}" for name, value in sample.labels.items()): (
            sample.value
        )
        for family in text_string_to_metric_families(page)
        for sample in family.samples
    }


async def test_what_was_answered_with_200_is_on_disk(
    http: aiohttp.ClientSession, url: str, path: Path
) -> None:
    sent = make.body(make.alert())
    assert await _post(http, url, sent) == 200
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as reader:
        assert reader.execute("SELECT body FROM notifications").fetchall() == [(sent.decode(),)]
    reader.close()


@pytest.mark.parametrize(
    ("body", "reason"),
    [(b"{", "json"), (b"{}", "version"), (b'{"version": "4"}', "schema")],
)
async def test_what_is_no_notification_is_refused_for_good_and_counted(
    http: aiohttp.ClientSession, url: str, body: bytes, reason: str
) -> None:
    assert await _post(http, url, body) == 400
    assert (await _metrics(http, url))[f"webhook_invalid_total{{reason={reason}}}"] == 1


async def test_a_body_of_megabytes_is_taken(http: aiohttp.ClientSession, url: str) -> None:
    alerts = [
        make.alert(fingerprint=f"{number:016x}", project=f"p-{number}", remediate="")
        | {"annotations": {"description": "x" * 800}}
        for number in range(3_000)
    ]
    body = make.body(*alerts)
    assert (len(body) > 2_300_000, await _post(http, url, body)) == (True, 200)


async def test_text_that_no_database_can_hold_is_refused_and_not_a_fault_of_ours(
    http: aiohttp.ClientSession, url: str
) -> None:
    lone = make.body(make.alert()).replace(b"is down", b"\\ud800")
    assert await _post(http, url, lone) == 400


async def test_what_cannot_be_stored_is_not_answered_with_200(
    http: aiohttp.ClientSession, url: str, path: Path
) -> None:
    with sqlite3.connect(path, isolation_level=None) as other:
        other.execute("BEGIN IMMEDIATE")
        refused = await _post(http, url, make.body(make.alert()))
        other.execute("ROLLBACK")
    other.close()
    assert (refused, await _post(http, url, make.body(make.alert()))) == (503, 200)


async def test_copies_from_two_peers_at_once_are_one_episode(
    http: aiohttp.ClientSession, url: str
) -> None:
    sent = make.body(make.alert())
    answers = await asyncio.gather(*(_post(http, url, sent) for _ in range(20)))
    shown = await _metrics(http, url)
    assert (set(answers), shown["webhook_alerts_total{meaning=opened}"]) == ({200}, 1)
    assert shown["webhook_alerts_total{meaning=repeated}"] == 19


async def test_events_come_in_pages_and_none_comes_twice(
    http: aiohttp.ClientSession, url: str
) -> None:
    await _post(http, url, make.body(make.alert()))
    seen, after = list[str](), 0

    async def three() -> bool:
        nonlocal after
        query = {"after": str(after), "limit": "1"}
        async with http.get(f"{url}/api/v1/events", params=query) as response:
            page = await response.json()
        seen.extend(event["name"] for event in page["events"])
        after = page["next"]
        return len(seen) >= 3

    await until(three, within=5, what="three events")
    assert seen == ["ProjectDown", "EMAIL_BLAST_STATUS_CHANGED", "ESCALATION_REQUIRED"]


@pytest.mark.parametrize("query", ["after=x", "after=-1", "limit=1e9", "after=" + "9" * 40])
async def test_a_query_that_is_no_number_is_refused(
    http: aiohttp.ClientSession, url: str, query: str
) -> None:
    async with http.get(f"{url}/api/v1/events?{query}") as response:
        assert (response.status, "not a whole number" in await response.text()) == (400, True)


@pytest.mark.parametrize(
    "headers",
    [{"Host": "evil.example"}, {"Origin": "http://evil.example"}, {"Origin": "null"}],
)
async def test_a_page_elsewhere_cannot_make_a_browser_post_alerts(
    http: aiohttp.ClientSession, url: str, headers: dict[str, str]
) -> None:
    async with http.post(f"{url}/alerts", data=make.body(), headers=headers) as response:
        assert response.status == 403


async def test_every_metric_that_is_called_exported_is_on_the_page(
    http: aiohttp.ClientSession, url: str
) -> None:
    async with http.get(f"{url}/metrics") as response:
        page = await response.text()
    declared = {name: metric.help for name, metric in exported("webhook").items()}
    lines = [line.split(maxsplit=3) for line in page.splitlines() if line.startswith("# HELP")]
    shown = {
        name if name in declared else f"{name}_total": text
        for _, _, name, text in lines
        if not name.endswith("_created")
    }
    assert shown == declared


async def test_our_own_incident_is_on_the_page_however_many_strangers_have_one_since(
    http: aiohttp.ClientSession, path: Path, serve: Serve
) -> None:
    db = connect(path)
    for number in range(SINGLE + 1):
        project = f"p{number}" if number else "email-blast"
        add(db, "incidents", project=project, opened_at=NOW + number * SECOND)
    db.close()
    shown = await _metrics(http, await serve(app.make(make.config(), Store(path), version="1")))
    name = "webhook_incident_opened_timestamp_seconds"
    labels = "{incident=1}{project=email-blast}{state=open}"
    told = {each: value for each, value in shown.items() if each.startswith(name)}
    assert told == {f"{name}{labels}": NOW.timestamp()}


async def test_the_page_tells_that_every_stage_lives(http: aiohttp.ClientSession, url: str) -> None:
    shown = await _metrics(http, url)
    stages = sorted(name for name in shown if "heartbeat" in name)
    every = [
        "analyze",
        "escalate",
        "health",
        "housekeeping",
        "index",
        "lag",
        "reconcile",
        "repair",
        "score",
        "watchdog",
    ]
    assert stages == [
        f"webhook_stage_heartbeat_timestamp_seconds{{stage={each}}}" for each in every
    ]
