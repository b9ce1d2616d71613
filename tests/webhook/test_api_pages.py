"""Pages: what strangers wrote is shown and does nothing, and errors are pages for people."""

import base64
import hashlib
import re
from collections.abc import AsyncIterator
from html.parser import HTMLParser
from http import HTTPStatus
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web
from jinja2 import UndefinedError

from tests.conftest import FreePort, Serve
from tests.webhook import make
from tests.webhook.make import NOW
from tests.webhook.questions import Hook, Street, config, running
from webhook import app, door, token
from webhook.api import pages
from webhook.api.desk import DESK
from webhook.door import Roll
from webhook.store.database import Store
from webhook.token import Caller, Role

BROWSER = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}
HOSTILE = [
    "<script>alert(1)</script>",
    "\"><img src=x onerror='alert(1)'>",
    "{{ page.as_of }} {% include 'style.css' %}",
    "safe\N{RIGHT-TO-LEFT OVERRIDE}gpj.exe\N{ZERO WIDTH SPACE}\x1b[2J\x00",
    "password=hunter2 and Authorization: Bearer abcdef0123456789",
]
ALLOWED = {"html", "head", "meta", "title", "style", "body", "main", "footer"} | {
    *("p", "a", "h1", "h2", "bdi", "pre", "dl", "dt", "dd", "ul", "ol", "li")
}


class Seen(HTMLParser):
    """What a browser makes of a page: its elements, their attributes, its text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.links: list[str] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}
        self.links += [value or "" for name, value in attrs if name == "href"]

    def handle_data(self, data: str) -> None:
        self.text += data


def _error(detail: str) -> str:
    page = {"as_of": NOW, "caller": None}
    made = pages.answer(
        "error.html", HTTPStatus.NOT_FOUND, title="Not Found", detail=detail, page=page
    )
    assert made.text is not None
    return made.text


@pytest.mark.parametrize("said", HOSTILE)
def test_what_strangers_wrote_is_text_and_nothing_else(said: str) -> None:
    seen = Seen(_error(said))
    assert seen.tags == {*("html", "head", "meta", "title", "style", "body", "main")} | {
        *("h1", "p", "footer")
    }
    assert seen.attributes <= {"lang", "charset", "name", "content", "class"}


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("<b>'\"&</b>", "<b>'\"&</b>"),
        ("safe\N{RIGHT-TO-LEFT OVERRIDE}gpj\x1b[2J\x00.", "safe gpj [2J ."),
        ("password=hunter2", "password=***"),
        ("first\nsecond", "first\nsecond"),
        ("שלום", "שלום"),
    ],
)
def test_it_is_shown_as_it_is_but_for_secrets_and_what_turns_text(said: str, shown: str) -> None:
    assert shown in Seen(_error(said)).text


def test_a_long_text_is_cut() -> None:
    page = _error("<" * 100_000)
    assert page.count("&lt;") == pages.LONGEST - 1
    assert "\N{HORIZONTAL ELLIPSIS}" in page


def test_a_name_that_a_page_was_not_given_is_a_mistake_of_ours() -> None:
    with pytest.raises(UndefinedError):
        pages.answer("error.html", HTTPStatus.OK, title="x", page={"as_of": NOW, "caller": None})


@pytest.fixture
async def hook(
    http: aiohttp.ClientSession, serve: Serve, free_port: FreePort, tmp_path: Path
) -> AsyncIterator[Hook]:
    set_up = config(await serve(Street().app()))
    async with running(set_up, tmp_path / "x.db", free_port, http) as made:
        yield made


async def _page(hook: Hook, path: str) -> tuple[aiohttp.ClientResponse, str]:
    async with hook.http.get(f"{hook.url}{path}", headers=BROWSER) as response:
        return response, await response.text()


async def test_a_page_may_do_nothing_but_be_read(hook: Hook) -> None:
    [asked] = await hook.ask("p1")
    response, page = await _page(hook, f"/approvals/{asked['id']}")
    [style] = re.findall(r"<style>(.*?)</style>", page, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    kept = ("Content-Security-Policy", "Content-Type", "X-Frame-Options", "Cache-Control")
    assert [response.headers[each] for each in kept] == [
        (
            f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none';"
            " form-action 'none'; frame-ancestors 'none'"
        ),
        "text/html; charset=utf-8",
        "DENY",
        "no-store",
    ]
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.headers["Referrer-Policy"] == "no-referrer"


async def test_a_question_that_waits_is_shown_with_how_to_answer_it(hook: Hook) -> None:
    [asked] = await hook.ask("p1")
    response, page = await _page(hook, f"/approvals/{asked['id']}")
    seen = Seen(page)
    number, incident = asked["id"], asked["incident"]
    assert (response.status, seen.links) == (200, [f"/incidents/{incident}"])
    assert seen.tags <= ALLOWED
    for said in (
        "May restart_service be done to p1?",
        f'orchestrator approve {number} --reason "WHY"',
        f'orchestrator reject {number} --reason "WHY"',
        asked["question"],
        "ProjectDown since 2026-11-21 12:00:00 UTC",
        "Waits for an answer, for 1",
        "for local (operator)",
    ):
        assert said in seen.text


async def test_a_question_that_was_answered_says_by_whom_and_why(hook: Hook) -> None:
    [asked] = await hook.ask("p1")
    await hook.decide(asked["id"], "reject", reason=HOSTILE[0])
    _, page = await _page(hook, f"/approvals/{asked['id']}")
    seen = Seen(page)
    assert "Rejected by local." in seen.text
    assert HOSTILE[0] in seen.text
    assert "orchestrator approve" not in seen.text
    assert seen.tags <= ALLOWED


async def test_a_text_of_strangers_on_a_whole_page_stays_text(hook: Hook) -> None:
    [asked] = await hook.ask("p1")
    said = "".join(HOSTILE) * 1_000
    await hook.app[DESK].store(
        lambda db: db.execute("UPDATE approvals SET question = ?, reason = ?", (said, said))
    )
    response, page = await _page(hook, f"/approvals/{asked['id']}")
    seen = Seen(page)
    assert (response.status, seen.tags <= ALLOWED, len(page) < 100_000) == (200, True, True)
    assert "hunter2" not in page


async def test_the_list_of_questions_has_those_that_wait_with_the_way_to_each(hook: Hook) -> None:
    [first, second] = await hook.ask("p1", "p2")
    await hook.decide(first["id"], "reject", reason=HOSTILE[0])
    _, page = await _page(hook, "/approvals")
    seen = Seen(page)
    number, incident = second["id"], second["incident"]
    assert seen.links == [
        *("/approvals?state=all", "/incidents"),
        *(f"/approvals/{number}", f"/incidents/{incident}"),
    ]
    assert (seen.tags <= ALLOWED, 'http-equiv="refresh"' in page) == (True, True)
    for said in (
        f"{number}: restart_service on p2",
        "Waits for an answer until 20",
        "ago, at 20",
        f"against ProjectDown, attempt 1, in incident {incident}.",
        "for local (operator)",
    ):
        assert said in seen.text


async def test_the_list_of_all_questions_says_what_came_of_each_and_stands_still(
    hook: Hook,
) -> None:
    [first, second] = await hook.ask("p1", "p2")
    await hook.decide(first["id"], "reject", reason="so")
    _, page = await _page(hook, "/approvals?state=all&limit=1")
    older = f"/approvals?limit=1&state=all&before={second['id']}"
    assert Seen(page).links[-1] == older
    _, page = await _page(hook, older.replace("limit=1&", ""))
    assert "Rejected by local." in Seen(page).text
    assert 'http-equiv="refresh"' not in page


async def test_where_nobody_is_asked_the_list_says_so(hook: Hook) -> None:
    response, page = await _page(hook, "/approvals")
    assert (response.status, "Nobody is asked anything." in page) == (200, True)
    assert response.headers["Content-Security-Policy"].startswith("default-src 'none'")


async def test_a_list_is_asked_for_in_words_that_are_known(hook: Hook) -> None:
    response, page = await _page(hook, "/approvals?state=sometime")
    assert (response.status, response.content_type) == (400, "text/html")
    assert "query.state" in Seen(page).text


@pytest.mark.parametrize(
    ("path", "status"),
    [("/approvals/999", HTTPStatus.NOT_FOUND), ("/approvals/x", HTTPStatus.FORBIDDEN)],
)
async def test_what_is_refused_is_a_page_for_people(
    hook: Hook, path: str, status: HTTPStatus
) -> None:
    response, page = await _page(hook, path)
    assert (response.status, response.content_type) == (status, "text/html")
    assert status.phrase in Seen(page).text
    assert "Content-Security-Policy" in response.headers


@pytest.mark.parametrize(
    ("path", "accept"), [("/approvals/999", "*/*"), ("/api/v1/approvals/999", BROWSER["Accept"])]
)
async def test_programs_get_a_problem(hook: Hook, path: str, accept: str) -> None:
    async with hook.http.get(f"{hook.url}{path}", headers={"Accept": accept}) as response:
        assert (response.status, response.content_type) == (404, "application/problem+json")


async def test_a_browser_is_asked_for_a_token_where_there_are_any(
    http: aiohttp.ClientSession, serve: Serve, tmp_path: Path
) -> None:
    (tmp_path / "tokens").write_text(
        token.line(Caller(name="eve", role=Role.VIEWER), "t0"), encoding="utf-8"
    )
    made: web.Application = app.make(
        make.config(),
        Store(tmp_path / "x.db"),
        version="1",
        admitting=door.admitting(Roll(tmp_path / "tokens")),
    )
    url = f"{await serve(made)}/approvals/1"
    async with http.get(url, headers=BROWSER) as response:
        assert (response.status, response.content_type) == (401, "text/html")
        assert 'Basic realm="orchestrator"' in response.headers.getall("WWW-Authenticate")
    signed = {"Authorization": f"Basic {base64.b64encode(b'eve:t0').decode()}"}
    async with http.get(url, headers=BROWSER | signed) as response:
        assert (response.status, response.content_type) == (404, "text/html")
