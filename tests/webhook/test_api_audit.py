"""The audit over HTTP: rows as they were hashed, and the head."""

from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from orchestrator import clock
from orchestrator.config import Retention
from tests.conftest import Serve
from tests.waiting import until
from tests.webhook import forgery, make
from tests.webhook.forgery import forged
from tests.webhook.make import NOW
from webhook import app, audit, chain, stages
from webhook.audit import Entry, Head, Row
from webhook.store import reader, rows, trail
from webhook.store.database import Store

DAY = timedelta(days=1)


@pytest.fixture
async def url(tmp_path: Path, serve: Serve) -> str:
    """Serve a webhook whose audit has three rows."""
    store = Store(tmp_path / "orchestrator.db")
    told = [("action moved", "chatbot"), ("said", "chatbot"), ("action moved", "email-blast")]
    entries = [audit.entry(what, {"project": project}, at=NOW) for what, project in told]
    await store(rows.record, *entries)
    return await serve(app.make(make.config(projects={}), store, version="1"))


async def _get(http: aiohttp.ClientSession, url: str) -> tuple[int, Any]:
    async with http.get(url) as response:
        return response.status, await response.json(content_type=None)


def _row(said: dict[str, Any]) -> Row:
    own = {name: said.pop(name) for name in ("id", "previous", "hash")}
    return Row(entry=Entry(**said), **own)


async def test_what_is_shown_is_what_was_hashed(http: aiohttp.ClientSession, url: str) -> None:
    _, page = await _get(http, f"{url}/api/v1/audit")
    _, head = await _get(http, f"{url}/api/v1/audit/head")
    verdict = chain.verify([_row(each) for each in page["audit"]])
    assert (verdict.broken, page["next"]) == (None, None)
    assert verdict.head == Head(rows=3, hash=head["hash"])
    assert head == {
        "rows": 3,
        "hash": verdict.head.hash,
        "head": str(verdict.head),
        "begins_behind": 0,
    }


@pytest.mark.parametrize(
    ("query", "ids", "following"),
    [
        ("limit=2", [1, 2], 2),
        ("after=2", [3], None),
        ("after=999999999999999999", [], None),
        ("what=action+moved", [1, 3], None),
        ("project=chatbot", [1, 2], None),
        ("what=action+moved&project=chatbot", [1], None),
    ],
)
async def test_rows_come_page_by_page_and_of_one_kind_or_project(
    http: aiohttp.ClientSession, url: str, query: str, ids: list[int], following: int | None
) -> None:
    _, page = await _get(http, f"{url}/api/v1/audit?{query}")
    assert ([each["id"] for each in page["audit"]], page["next"]) == (ids, following)


@pytest.mark.parametrize("query", ["after=-1", "limit=0", "project=%25", "project=A", "x=1"])
async def test_a_question_that_makes_no_sense_is_refused(
    http: aiohttp.ClientSession, url: str, query: str
) -> None:
    status, said = await _get(http, f"{url}/api/v1/audit?{query}")
    assert (status, query.partition("=")[0] in said["detail"]) == (400, True)


def _aged() -> list[Entry]:
    """Make entries of the last nine days."""
    return [
        audit.entry("said", {"ago": day}, at=clock.now() - day * DAY) for day in range(9, 0, -1)
    ]


async def test_a_running_webhook_lets_go_of_what_is_old_and_stays_whole(
    tmp_path: Path, serve: Serve, http: aiohttp.ClientSession
) -> None:
    store = Store(tmp_path / "orchestrator.db")
    await store(rows.record, *_aged())
    kept = Retention(audit=5 * DAY)
    url = await serve(app.make(make.config(projects={}, retention=kept), store, version="1"))

    async def pruned() -> bool:
        _, head = await _get(http, f"{url}/api/v1/audit/head")
        return bool(head["begins_behind"])

    await until(pruned, within=20, what="the oldest part to go")
    _, page = await _get(http, f"{url}/api/v1/audit?limit=5")
    with closing(reader.connect(tmp_path / "orchestrator.db")) as db:
        assert trail.verified(db).broken is None
    assert [each["id"] for each in page["audit"]] == [6, 7, 8, 9, 10]
    assert page["audit"][-1]["what"] == "audit pruned"


async def test_what_is_old_and_was_changed_stays_and_fails_each_round_of_housekeeping(
    tmp_path: Path, serve: Serve, http: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stages, "TIDY_EVERY", 0.1)
    store = Store(tmp_path / "orchestrator.db")
    await store(rows.record, *_aged())
    forged(store.path, forgery.change, 4)
    kept = Retention(audit=5 * DAY)
    url = await serve(app.make(make.config(projects={}, retention=kept), store, version="1"))

    async def failed() -> bool:
        async with http.get(f"{url}/metrics") as response:
            page = await response.text()
        return 'webhook_stage_failures_total{stage="housekeeping"} 2.0' in page

    await until(failed, within=20, what="two failures")
    _, head = await _get(http, f"{url}/api/v1/audit/head")
    assert (head["rows"], head["begins_behind"]) == (9, 0)
