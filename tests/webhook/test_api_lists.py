"""The two lists for people: they say what is so, and what strangers wrote does nothing there."""

import sqlite3
from datetime import timedelta
from pathlib import Path

import aiohttp
import pytest

from tests.conftest import Serve
from tests.webhook import make
from tests.webhook.make import NOW
from tests.webhook.store.fill import add
from tests.webhook.test_api_pages import ALLOWED, HOSTILE, Seen
from webhook import app
from webhook.store.database import Store, connect

SAID = "".join(HOSTILE)
REFRESH = 'http-equiv="refresh"'
STRANGER = "R&amp;D <b>"  # of a summary all brackets are taken: what is left to be escaped is the &
LATER = NOW + timedelta(days=36_500)


def _fill(db: sqlite3.Connection) -> None:
    """Add two incidents that go on, taken and held, each with a question that waits; an old one."""
    for number in (1, 2):
        mine = {"incident": number, "project": f"p{number}"}
        add(
            db,
            "incidents",
            project=f"p{number}",
            state="escalated",
            acknowledged_at=NOW,
            acknowledged_by=f"ann {SAID}",
            held=f"for it is {SAID}",
        )
        add(db, "episodes", alertname=SAID, fingerprint=f"{number}", **mine)
        add(db, "actions", key=f"key-{number}", state="pending", alertname=SAID, **mine)
        add(db, "approvals", action=f"key-{number}", expires_at=LATER, **mine)
    add(db, "incidents", project=STRANGER, state="closed", ended_at=NOW)
    add(db, "episodes", alertname="x", fingerprint="3", incident=3, project=STRANGER, ended_at=NOW)
    add(db, "actions", key="key-0", state="rejected", alertname=SAID)
    given = {"decision": "rejected", "decided_by": f"bob {SAID}", "reason": SAID, "question": SAID}
    add(db, "approvals", action="key-0", id=9, **given)


@pytest.fixture
async def url(tmp_path: Path, serve: Serve) -> str:
    """Serve a webhook with such a database. Nothing in it is ever due."""
    path = tmp_path / "orchestrator.db"
    db = connect(path)
    _fill(db)
    db.close()
    return await serve(app.make(make.config(projects={}), Store(path), version="1.2.3"))


async def _page(http: aiohttp.ClientSession, url: str) -> str:
    async with http.get(url) as response:
        assert (response.status, response.content_type) == (200, "text/html")
        return await response.text()


@pytest.mark.parametrize("path", ["incidents", "approvals?state=all"])
async def test_what_strangers_wrote_is_text_on_a_list(
    http: aiohttp.ClientSession, url: str, path: str
) -> None:
    page = await _page(http, f"{url}/{path}")
    seen = Seen(page)
    assert seen.tags <= ALLOWED
    assert seen.attributes <= {*("lang", "charset", "name", "content", "class", "href")} | {
        "http-equiv"
    }
    assert "hunter2" not in page


async def test_a_name_of_strangers_is_spelled_as_it_is_in_the_heading_and_in_the_sentence(
    http: aiohttp.ClientSession, url: str
) -> None:
    seen = Seen(await _page(http, f"{url}/incidents?state=ended"))
    assert "3: R&amp;D <b>" in seen.text
    assert "R&amp;D \N{SINGLE LEFT-POINTING ANGLE QUOTATION MARK}b" in seen.text


async def test_an_incident_of_the_list_says_who_has_taken_it_and_what_holds_it(
    http: aiohttp.ClientSession, url: str
) -> None:
    text = Seen(await _page(http, f"{url}/incidents")).text
    assert f"; taken by ann {HOSTILE[0]}" in text
    assert f"; held: for it is {HOSTILE[0]}" in text


async def test_a_question_of_the_list_says_whose_answer_it_got(
    http: aiohttp.ClientSession, url: str
) -> None:
    text = Seen(await _page(http, f"{url}/approvals?state=all")).text
    assert f"Rejected by bob {HOSTILE[0]}" in text


@pytest.mark.parametrize(
    ("path", "anew"),
    [
        ("incidents", True),
        ("incidents?project=p1&q=ann", True),
        ("incidents?before=2", False),
        ("incidents?state=all", False),
        ("approvals", True),
        ("approvals?before=2", False),
        ("approvals?state=all", False),
    ],
)
async def test_a_list_is_asked_for_anew_where_it_is_of_what_goes_on_now(
    http: aiohttp.ClientSession, url: str, path: str, *, anew: bool
) -> None:
    assert (REFRESH in await _page(http, f"{url}/{path}")) is anew


@pytest.mark.parametrize(
    "path",
    [
        "incidents?before=1",
        "incidents?project=typo",
        "incidents?q=zzz",
        "incidents?state=ended&q=zzz",
        "approvals?before=1",
        "approvals?state=all&before=1",
    ],
)
async def test_where_something_is_left_out_no_list_says_that_there_is_nothing(
    http: aiohttp.ClientSession, url: str, path: str
) -> None:
    text = Seen(await _page(http, f"{url}/{path}")).text
    said = ("None here.", "goes on.", "There is none.", "Nobody")
    assert [each in text for each in said] == [True, False, False, False]


@pytest.mark.parametrize("path", ["incidents", "approvals"])
async def test_where_there_are_no_older_ones_no_list_leads_to_any(
    http: aiohttp.ClientSession, url: str, path: str
) -> None:
    first = Seen(await _page(http, f"{url}/{path}?limit=1"))
    last = Seen(await _page(http, f"{url}{first.links[-1]}"))
    whole = Seen(await _page(http, f"{url}/{path}?limit=2"))
    told = [each.text.count("Older ones") for each in (first, last, whole)]
    assert (told, first.links[-1]) == ([1, 0, 0], f"/{path}?limit=1&before=2")


async def test_the_words_that_are_looked_for_stand_in_the_heading_and_in_each_view(
    http: aiohttp.ClientSession, url: str
) -> None:
    seen = Seen(await _page(http, f"{url}/incidents?q=%3Cb%3Ezzz"))
    assert "Incidents with the words <b>zzz" in seen.text
    assert seen.links == [
        *("/incidents?state=ended&q=%3Cb%3Ezzz", "/incidents?state=all&q=%3Cb%3Ezzz"),
        "/approvals",
    ]
    assert seen.tags <= ALLOWED


async def test_a_link_keeps_the_words_that_are_looked_for_where_the_page_masks_them(
    http: aiohttp.ClientSession, url: str
) -> None:
    page = await _page(http, f"{url}/incidents?q=Bearer%20abcdef0123456789&project=%22%26")
    seen = Seen(page)
    asked = "project=%22%26&q=Bearer+abcdef0123456789"
    assert seen.links[:2] == [f"/incidents?state={each}&{asked}" for each in ("ended", "all")]
    assert "abcdef" not in seen.text
