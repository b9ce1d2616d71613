"""What no description allows: broken bytes, broken JSON, wrong methods, paths of another kind."""

import http.client
from itertools import product
from urllib.parse import urlsplit

import pytest
import requests

from tests.webhook.fuzz.site import Site, is_sound
from webhook.api import TABLES, anomaly

OPERATIONS = [each for table in (*TABLES, anomaly.table) for each in table.operations]
JSON = {"Content-Type": "application/json"}
BODIES: dict[str, bytes] = {
    "nothing": b"",
    "no JSON": b"{",
    "no UTF-8": b'{"reason": "\xff"}',
    "half a character": rb'{"reason": "\ud800", "projectName": "\udfff", "type": "high_cpu"}',
    "the end of a string": rb'{"reason": "\u0000", "bound": null}',
    "not a number": b'{"reason": NaN, "minutes": Infinity}',
    "a number without end": b'{"reason": 1' + b"0" * 5_000 + b"}",
    "nested deep": b"[" * 20_000,
    "a list": b'[{"reason": "x"}]',
    "a key twice": b'{"reason": "x", "reason": 1}',
    "too much": b'{"reason": "' + b"x" * 70_000 + b'"}',
    "controls": rb'{"reason": "\u001b[2J\u0007\u202e", "kind": "hold", "project": "email-blast"}',
}
QUERIES = (
    *("after=-1", "after=%2B1", "after=1_0", "after=%D9%A3", "after=1e9", "after=" + "9" * 19),
    *("limit=0", "limit=501", "limit=", "limit", "limit=1&limit=2", "limit[]=1", "%ff=%fe"),
    *("before=0", "q=%22", "q=%00", "q=NEAR(", "q=*", "q=%ff", "q=" + "a" * 5_000),
    *("from=x", "from=9999-99-99", "to=%00", "project=%00", "state=%27%20OR%201%3D1--"),
    "from=0001-01-01T00:00:00%2B23:59&to=9999-12-31T23:59:59-23:59",
)
PATHS = (
    *("/api/v1/incidents/-1", "/api/v1/incidents/1e3", "/api/v1/incidents/%D9%A3", "/%00"),
    *("/api/v1/incidents/" + "9" * 18, "/api/v1/incidents/" + "9" * 30, "/incidents/%3Cscript%3E"),
    *("/api/v1/approvals/1%2fapprove", "/..%2f..%2fetc%2fpasswd", "/%ff", "//api/v1/events"),
    *("/api/v1/projects/%00/actions", "/api/v1/projects/..%2f/actions", "/api", "/api/v2/events"),
    *(
        "/api/v1/events/",
        "/api/v1//events",
        "/" + "a" * 7_000,
        "/api/docs;x=1",
        "/ws/",
        "/%E2%80%AE",
    ),
)
METHODS = ("PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND", "X" * 30)


@pytest.fixture(scope="module")
def session(site: Site) -> requests.Session:
    """Open one connection for all of it, as an admin."""
    session = requests.Session()
    session.headers.update(site.admin)
    return session


def _filled(path: str) -> str:
    return path.replace("{id}", "1").replace("{project}", "email-blast")


@pytest.mark.parametrize("body", BODIES)
def test_a_body_that_is_none_is_refused_and_breaks_nothing(
    site: Site, session: requests.Session, body: str
) -> None:
    for each, kind in product(OPERATIONS, (JSON, {"Content-Type": "text/plain"}, {})):
        if each.method == "POST":
            at = f"{site.url}{_filled(each.path)}"
            answer = session.post(at, data=BODIES[body], headers=kind, timeout=20)
            is_sound(answer, f"POST {each.path}", site)


def test_a_query_that_is_none_is_refused_and_breaks_nothing(
    site: Site, session: requests.Session
) -> None:
    for each, query in product(OPERATIONS, QUERIES):
        if each.method == "GET":
            at = f"{site.url}{_filled(each.path)}?{query}"
            is_sound(session.get(at, timeout=20), f"GET {each.path}", site)


@pytest.mark.parametrize("path", PATHS)
def test_a_path_that_leads_nowhere_is_refused_and_breaks_nothing(site: Site, path: str) -> None:
    """They go out as they are: requests would tidy them."""
    parts = urlsplit(site.url)
    for method in ("GET", "POST"):
        way = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=20)
        way.request(method, path, headers=site.admin)
        response = way.getresponse()
        told = response.read().decode("utf-8", "replace")
        way.close()
        assert 400 <= response.status < 500, (method, told)
        assert [each for each in site.secrets if each in told] == []


@pytest.mark.parametrize("method", METHODS)
def test_a_method_that_there_is_not_is_refused(
    site: Site, session: requests.Session, method: str
) -> None:
    for each in OPERATIONS:
        answer = session.request(method, f"{site.url}{_filled(each.path)}", timeout=20)
        assert answer.status_code in (400, 404, 405), (method, each.path, answer.text)
