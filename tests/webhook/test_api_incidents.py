"""Incidents and history over HTTP, of a running webhook with incidents of several kinds."""

from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from yarl import URL

from tests.conftest import Serve
from tests.waiting import until
from tests.webhook import make
from tests.webhook.problems import said
from tests.webhook.repaired import fill
from webhook import app, index
from webhook.store.database import Store, connect

Json = dict[str, Any]


@pytest.fixture
async def url(tmp_path: Path, serve: Serve, monkeypatch: pytest.MonkeyPatch) -> str:
    """Serve a webhook with a database that tells of a repair, a question and a stranger."""
    monkeypatch.setattr(index, "EVERY", 0.02)
    path = tmp_path / "orchestrator.db"
    db = connect(path)
    fill(db)
    db.close()
    return await serve(app.make(make.config(projects={}), Store(path), version="1.2.3"))


async def _get(http: aiohttp.ClientSession, url: str, **query: str) -> Json:
    async with http.get(url, params=query) as response:
        assert response.status == 200, await response.text()
        found: Json = await response.json()
        return found


async def test_a_list_shows_each_incident_in_a_sentence(
    http: aiohttp.ClientSession, url: str
) -> None:
    found = await _get(http, f"{url}/api/v1/incidents", project="a")
    assert found == {
        "incidents": [
            {
                "id": 1,
                "project": "a",
                "state": "resolved",
                "opened_at": "2026-11-21T12:00:00.000000Z",
                "ended_at": "2026-11-21T12:00:11.000000Z",
                "escalated_at": None,
                "acknowledged_at": None,
                "acknowledged_by": None,
                "held": None,
                "held_by": None,
                "downtime_seconds": 8.0,
                "summary": (
                    "a was down from 12:00:00 to 12:00:08 UTC. Restarted once, asked for by ann,"
                    " and it worked. Total downtime 8 seconds."
                ),
                "actions": [
                    {
                        "key": "key-1",
                        "action": "restart_service",
                        "attempt": 1,
                        "state": "completed",
                        "created_at": "2026-11-21T12:00:00.000000Z",
                        "executed_at": "2026-11-21T12:00:01.000000Z",
                        "finished_at": "2026-11-21T12:00:11.000000Z",
                        "detail": "proven",
                    }
                ],
            }
        ],
        "next": None,
    }


async def test_one_incident_is_told_whole(http: aiohttp.ClientSession, url: str) -> None:
    [listed] = (await _get(http, f"{url}/api/v1/incidents", project="a"))["incidents"]
    found = await _get(http, f"{url}/api/v1/incidents/1")
    assert {name: found[name] for name in listed} == listed
    assert {name: value for name, value in found.items() if name not in listed} == {
        "since": "2026-11-21T12:00:11.000000Z",
        "alerts": [
            {
                "id": 1,
                "alertname": "ProjectDown",
                "summary": "a is down.",
                "labels": {"team": "x"},
                "started_at": "2026-11-21T12:00:00.000000Z",
                "received_at": "2026-11-21T12:00:00.000000Z",
                "ended_at": "2026-11-21T12:00:08.000000Z",
                "how": "resolved",
                "silenced": None,
            }
        ],
        "attempts": [
            {
                **listed["actions"][0],
                "alertname": "ProjectDown",
                "asked_by": "ann",
                "output": "done",
            }
        ],
        "approvals": [],
        "pages": [],
        "timeline": [
            _moment(0, None, "ProjectDown began"),
            _moment(1, None, "restart_service begins, attempt 1"),
            _moment(8, 8, "ProjectDown ended"),
            _moment(11, 10, "resolved: well again"),
        ],
    }


def _moment(after: int, took: int | None, what: str) -> Json:
    at = f"2026-11-21T12:00:{after:02}.000000Z"
    return {"at": at, "after_seconds": after, "took_seconds": took, "what": what}


async def test_the_summary_speaks_of_the_zone_that_is_asked_for(
    http: aiohttp.ClientSession, url: str
) -> None:
    for path in ("incidents/1", "incidents"):
        found = await _get(http, f"{url}/api/v1/{path}", zone="-05:30")
        shown = (found.get("incidents") or [found])[-1]["summary"]
        assert shown.startswith("a was down from 06:30:00 to 06:30:08 UTC-05:30. ")


async def test_they_come_in_pages(http: aiohttp.ClientSession, url: str) -> None:
    first = await _get(http, f"{url}/api/v1/incidents", limit="1")
    last = await _get(http, f"{url}/api/v1/incidents", limit="1", before=str(first["next"]))
    ids = [[each["id"] for each in page["incidents"]] for page in (first, last)]
    assert (ids, first["next"], last["next"]) == ([[2], [1]], 2, None)


async def test_what_was_said_is_found_soon(http: aiohttp.ClientSession, url: str) -> None:
    async def found() -> list[int] | None:
        page = await _get(http, f"{url}/api/v1/incidents", q="well AGAI")
        return [each["id"] for each in page["incidents"]]

    assert await until(found, within=5, what="the incident") == [1]
    [hit] = (await _get(http, f"{url}/api/v1/incidents", q="bob script", state="ended"))[
        "incidents"
    ]
    assert hit["id"] == 2
    assert (await _get(http, f"{url}/api/v1/incidents", q="bob", state="open"))["incidents"] == []


REFUSED = [
    ("incidents?q=%22-", 400, "query.q: there is no word in it"),
    ("incidents?q=", 400, "query.q: String should have at least 1 character"),
    ("incidents?state=gone", 400, "query.state: Input should be 'open', 'ended' or 'all'"),
    ("incidents?zone=Mars", 400, "query.zone: String should match pattern"),
    ("incidents?zone=%2B23:00", 400, "query.zone: String should match pattern"),
    ("incidents?limit=201", 400, "query.limit: Input should be less than or equal to 200"),
    ("incidents/7", 404, "there is no incident 7"),
    ("history?from=yesterday", 400, "query.from: Invalid isoformat string: 'yesterday'"),
    ("history?from=2026-11-21T12:00:00", 400, "has no UTC offset"),
    (
        "history?from=2026-11-21T12:00:00Z&to=2026-11-21T12:00:00Z",
        400,
        "query.from: it has to be before query.to",
    ),
    ("history?to=0001-01-01T00:00:00Z", 400, "query.from: it has to be before query.to"),
    ("history?after=7", 400, "query.after: String should match pattern"),
    (
        "history?after=2026-99-21T12:00:00.000000Z-event-1",
        400,
        "query.after: there is no such instant",
    ),
]


async def test_what_cannot_be_answered_is_a_problem_that_says_why(
    http: aiohttp.ClientSession, url: str
) -> None:
    for query, status, why in REFUSED:
        async with http.get(URL(f"{url}/api/v1/{query}", encoded=True)) as response:
            told = await said(response)
            assert (query, response.status, why in told) == (query, status, True), told


RANGE = {"from": "2026-11-21T12:00:00Z", "to": "2026-11-21T13:00:00Z"}


async def test_the_history_is_what_happened_the_oldest_first(
    http: aiohttp.ClientSession, url: str
) -> None:
    found = await _get(http, f"{url}/api/v1/history", **RANGE, project="a")
    key = {"action": "restart_service", "attempt": 1, "key": "key-1"}
    assert found == {
        "history": [
            _event(1, 1, "ActionStarted", "restart_service begins, attempt 1", **key),
            {
                **_event(8, 1, "ProjectDown", "ProjectDown ended"),
                "kind": "end",
                "took_seconds": 8.0,
            },
            _event(11, 2, "PROBLEM_RESOLVED", "resolved: well again", **key, text="well again"),
            _event(20, 3, "KillSwitchOn", "the kill switch is on")
            | {"project": "", "incident": None},
        ],
        "next": None,
    }


def _event(second: int, number: int, name: str, what: str, **data: object) -> Json:
    return {
        "at": f"2026-11-21T12:00:{second:02}.000000Z",
        "kind": "event",
        "id": number,
        "name": name,
        "project": "a",
        "incident": 1,
        "what": what,
        "took_seconds": None,
        "data": data,
    }


async def test_the_history_comes_in_pages(http: aiohttp.ClientSession, url: str) -> None:
    whole = (await _get(http, f"{url}/api/v1/history", **RANGE))["history"]
    seen: list[Json] = []
    query = RANGE | {"limit": "2"}
    while True:
        page = await _get(http, f"{url}/api/v1/history", **query)
        seen += page["history"]
        if page["next"] is None:
            break
        query = query | {"after": page["next"]}
    assert (seen, len(whole)) == (whole, 6)


async def test_without_a_begin_the_history_is_that_of_a_day(
    http: aiohttp.ClientSession, url: str
) -> None:
    one = await _get(http, f"{url}/api/v1/history", to="2026-11-22T12:00:08.5Z")
    assert [each["what"] for each in one["history"]] == [
        "resolved: well again",
        "the kill switch is on",
    ]


class _Page(HTMLParser):
    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.links: list[str] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.links += [value or "" for name, value in attrs if name == "href"]

    def handle_data(self, data: str) -> None:
        self.text += data


async def _page(http: aiohttp.ClientSession, url: str) -> _Page:
    async with http.get(url) as response:
        assert (response.status, response.content_type) == (200, "text/html")
        return _Page(await response.text())


async def test_the_page_tells_all_of_it(http: aiohttp.ClientSession, url: str) -> None:
    page = await _page(http, f"{url}/incidents/1")
    for told in (
        "Resolved.",
        "Restarted once, asked for by ann, and it worked. Total downtime 8 seconds.",
        "resolved: well again",
        "a is down.",
        "restart_service at 2026-11-21 12:00:01 UTC, asked for by ann: completed: proven",
    ):
        assert told in page.text


async def test_on_the_page_what_strangers_wrote_does_nothing(
    http: aiohttp.ClientSession, url: str
) -> None:
    page = await _page(http, f"{url}/incidents/2")
    hostile = {"script", "img"} & page.tags
    assert (hostile, page.links) == (set(), ["/approvals/1"])
    assert "alert(1)" in page.text
    assert not any(each in page.text for each in "\x1b\N{RIGHT-TO-LEFT OVERRIDE}")


async def test_the_list_for_people_has_each_incident_in_a_sentence_with_the_way_to_it(
    http: aiohttp.ClientSession, url: str
) -> None:
    page = await _page(http, f"{url}/incidents?state=all")
    assert page.links == [
        *("/incidents?state=open", "/incidents?state=ended", "/approvals"),
        *("/incidents/2", "/incidents/1"),
    ]
    for told in (
        "1: a",
        "Resolved.",
        "Restarted once, asked for by ann, and it worked. Total downtime 8 seconds.",
        "at 2026-11-21 12:00:00 UTC.",
        "Closed.",
    ):
        assert told in page.text
    assert ({"script", "img"} & page.tags, "\x1b" in page.text) == (set(), False)


async def test_the_list_for_people_is_of_what_goes_on_unless_they_ask_for_more(
    http: aiohttp.ClientSession, url: str
) -> None:
    page = await _page(http, f"{url}/incidents")
    assert "No incident goes on." in page.text
    assert page.links == ["/incidents?state=ended", "/incidents?state=all", "/approvals"]


async def test_the_list_for_people_goes_on_with_the_same_choice(
    http: aiohttp.ClientSession, url: str
) -> None:
    page = await _page(http, f"{url}/incidents?state=all&limit=1")
    assert page.links[-1] == "/incidents?limit=1&state=all&before=2"
    last = await _page(http, f"{url}/incidents?state=all&project=a&before=2")
    assert last.links == [
        *("/incidents?state=open&project=a", "/incidents?state=ended&project=a"),
        *("/approvals", "/incidents/1"),
    ]
    assert "Incidents of a" in last.text
