"""The analyzer over HTTP: why it decided as it did, what it may spend, and how good it is."""

from pathlib import Path
from typing import Any

import aiohttp
import pytest

from orchestrator import clock
from orchestrator.config import Analyzer
from tests.conftest import Serve
from tests.webhook import make
from tests.webhook.make import NOW, SECOND
from tests.webhook.problems import said
from tests.webhook.reasoned import SECRET, analysis, answered, call, decided, fill
from tests.webhook.repaired import HOSTILE
from tests.webhook.store.fill import add
from tests.webhook.test_api_pages import ALLOWED, Seen
from webhook import app
from webhook.plain import line
from webhook.store.database import Store, connect

Json = dict[str, Any]


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """Make a database that tells of three analyses."""
    path = tmp_path / "orchestrator.db"
    db = connect(path)
    fill(db)
    db.close()
    return path


@pytest.fixture
async def url(database: Path, serve: Serve) -> str:
    """Serve a webhook with it."""
    return await serve(app.make(make.config(projects={}), Store(database), version="1.2.3"))


async def _get(http: aiohttp.ClientSession, url: str, **query: str) -> Json:
    async with http.get(url, params=query) as response:
        assert response.status == 200, await response.text()
        found: Json = await response.json()
        return found


async def _why(http: aiohttp.ClientSession, url: str) -> list[Json]:
    found: list[Json] = (await _get(http, f"{url}/api/v1/incidents/1/analyses"))["analyses"]
    return found


CALM = line(HOSTILE, 100)


async def test_an_analysis_is_told_from_its_question_to_what_happened_after(
    http: aiohttp.ClientSession, url: str
) -> None:
    first, _, _ = await _why(http, url)
    assert first == {
        "id": 1,
        "state": "answered",
        "asked_at": "2026-11-21T12:00:00.000000Z",
        "answered_at": "2026-11-21T12:00:04.000000Z",
        "seconds": 4.0,
        "alertname": "ProjectDown",
        "attempts": 1,
        "allowed": ["restart_service", "clear_cache"],
        "tried": ["restart_service: failed"],
        "analyzer": "claude",
        "model": "claude-sonnet-5-5",
        "prompt": "1",
        "why_rules": "",
        "reused": None,
        "evidence": [
            {
                "id": "M1",
                "source": "metrics",
                "trust": "measured",
                "content": {"question": "disk", "unit": "ratio", "last": 0.997, "change": None},
                "said": "disk: last 0.997, unit ratio",
            },
            {
                "id": "L1",
                "source": "logs",
                "trust": "untrusted",
                "content": {"count": 31, "template": f"no space left {CALM} password=***"},
                "said": f"no space left {CALM} password=***: count 31",
            },
        ],
        "evidence_hash": "e" * 64,
        "missing": [{"source": "status", "lack": "timeout", "why": "no answer within 3 s"}],
        "omitted": 2,
        "flags": ["instruction"],
        "answer": {
            "rationale": [{"claim": f"the disk is full {CALM}", "evidence_ids": ["M1", "L1"]}],
            "alternatives": [{"cause": "memory_leak", "why_not": "memory is low"}],
            "root_cause_category": "disk_full",
            "root_cause": "the database has no room left, password=***",
            "action": "restart_service",
            "target_ref": "alert_target",
            "confidence": 0.9,
            "missing_evidence": ["status"],
            "suspicious_text": True,
        },
        "gates": [
            {"name": "answered", "passed": True, "why": "claude-sonnet-5-5 has answered"},
            {"name": "trusted", "passed": False, "why": f"text is suspicious: {CALM}"},
        ],
        "decision": "human",
        "decided_at": "2026-11-21T12:00:05.000000Z",
        "reason": "restart_service is not done by itself: text is suspicious",
        "confidence": {"raw": 0.9, "calibrated": 0.9, "effective": 0.72},
        "after": {
            "action": {
                "key": "key-1",
                "action": "restart_service",
                "state": "rejected",
                "finished_at": "2026-11-21T12:00:09.000000Z",
                "detail": "rejected by bob",
            },
            "approval": {"id": 1, "state": "rejected", "decided_by": "bob"},
            "alert_ended_at": "2026-11-21T12:00:30.000000Z",
            "alert_again_at": "2026-11-21T12:01:00.000000Z",
            "came": "rejected",
        },
        "cost_usd": 0.0541,
        "calls": [
            _call(outcome="overloaded", status=529, seconds=0.4, cost_usd=0.0),
            _call(
                outcome="ok",
                status=200,
                seconds=3.2,
                cost_usd=0.0541,
                message="msg_1",
                request_id="req_1",
                stop_reason="end_turn",
                usage={"input": 12050, "output": 3000},
            ),
        ],
    }


def _call(**given: object) -> Json:
    return {
        "at": "2026-11-21T12:00:00.000000Z",
        "model": "claude-sonnet-5-5",
        "settled": True,
        "message": None,
        "request_id": None,
        "stop_reason": None,
        "refusal": None,
        "usage": {},
        **given,
    }


async def test_one_of_rules_says_why_no_model_has_answered_and_one_that_was_given_up_says_nothing(
    http: aiohttp.ClientSession, url: str
) -> None:
    _, rules, given_up = await _why(http, url)
    names = ("state", "analyzer", "model", "why_rules", "decision", "evidence", "cost_usd", "calls")
    assert [rules[name] for name in names] == [
        *("answered", "rules", "", "today's budget is spent", "playbook", [], 0.0, []),
    ]
    assert [given_up[name] for name in names] == ["aborted", None, "", "", None, [], 0.0, []]
    nothing = dict.fromkeys(("action", "approval", "alert_ended_at", "alert_again_at", "came"))
    assert (given_up["answer"], given_up["confidence"], given_up["after"]) == (None, None, nothing)


async def test_what_nobody_knows_the_price_of_counts_as_it_was_reserved(
    http: aiohttp.ClientSession, database: Path, serve: Serve
) -> None:
    db = connect(database)
    call(db, analysis=3, outcome="timeout")
    db.close()
    url = await serve(app.make(make.config(projects={}), Store(database), version="1.2.3"))
    *_, last = await _why(http, url)
    [made] = last["calls"]
    assert (last["cost_usd"], made["cost_usd"], made["settled"]) == (0.05, 0.05, False)


async def test_an_incident_that_was_never_analyzed_has_no_analyses_and_an_unknown_one_is_none(
    http: aiohttp.ClientSession, url: str
) -> None:
    assert await _get(http, f"{url}/api/v1/incidents/2/analyses") == {"analyses": []}
    async with http.get(f"{url}/api/v1/incidents/9/analyses") as response:
        assert (response.status, await said(response)) == (404, "there is no incident 9")


async def _page(http: aiohttp.ClientSession, url: str) -> tuple[Seen, str]:
    async with http.get(url) as response:
        assert response.status == 200
        page = await response.text()
        return Seen(page), page


async def test_the_page_of_an_incident_says_why(http: aiohttp.ClientSession, url: str) -> None:
    seen, _ = await _page(http, f"{url}/incidents/1")
    told = " ".join(seen.text.split())
    for part in (
        "Analysis 1, 2026-11-21 12:00:00 UTC People are asked whether restart_service may be done.",
        "ProjectDown, after 1 attempt ",
        "restart_service, clear_cache",
        "claude-sonnet-5-5, prompt 1, in 4 s",
        "the database has no room left, password=*** (disk full)",
        "0.9 as it was said, 0.72 with the record",
        "instruction Action",
        "[M1, L1]",
        "Not memory leak: memory is low",
        "answeredyesclaude-sonnet-5-5 has answered",
        "trustednotext is suspicious",
        "approval 1: rejected by bob",
        "ended 2026-11-21 12:00:30 UTC, fired again 2026-11-21 12:01:00 UTC",
        "$0.054100 in 2 calls",
        "Evidence: 2 pieces, 2 more without room",
        "M1, metrics, measured: disk: last 0.997, unit ratio",
        "status is missing: no answer within 3 s",
        "Analysis 2, 2026-11-21 12:00:00 UTC The playbook goes on.",
        "today's budget is spent",
        f"Its evidence was let go of; its SHA-256 was {'e' * 64}.",
        "Analysis 3, 2026-11-21 12:00:40 UTC Given up before there was an answer;",
    ):
        assert part in told, part


async def test_on_the_page_what_strangers_and_models_wrote_does_nothing(
    http: aiohttp.ClientSession, url: str
) -> None:
    seen, page = await _page(http, f"{url}/incidents/1")
    table = {"table", "thead", "tbody", "tr", "th", "td", "div"}
    assert seen.tags - ALLOWED - table == {"h3", "span", "details", "summary"}
    assert SECRET not in page
    assert set(seen.links) == {"/approvals/1"}


async def test_an_incident_that_was_never_analyzed_has_no_such_part(
    http: aiohttp.ClientSession, url: str
) -> None:
    seen, _ = await _page(http, f"{url}/incidents/2")
    assert "Why" not in seen.text


async def test_what_may_be_spent_is_told_with_what_is_under_way(
    http: aiohttp.ClientSession, database: Path, serve: Serve
) -> None:
    now = clock.now()
    db = connect(database)
    analysis(db, 4, **{**answered(answered_at=now), **decided("auto")})
    call(db, analysis=4, at=now, cost=250_000_000, outcome="ok")
    call(db, analysis=4, at=now)
    db.close()
    settings = Analyzer(mode="always", calls_per_hour=5, daily_budget_usd=0.2, key="k")
    config = make.config(projects={}, analyzer=settings)
    url = await serve(app.make(config, Store(database), version="1.2.3"))
    found = await _get(http, f"{url}/api/v1/analyzer")
    assert found.pop("month")["spent_usd"] >= 0.3  # with those of NOW, if that is of this month
    assert clock.read(found.pop("at")) >= now
    circuits = found.pop("circuits")
    assert set(circuits.values()) <= {"closed"}
    assert found == {
        "mode": "always",
        "model": "claude-sonnet-5-5",
        "fallback_model": "claude-haiku-5-5",
        "key": True,
        "day": {"limit_usd": 0.2, "spent_usd": 0.3, "left_usd": 0.0},
        "hour": {"limit": 5, "made": 2, "left": 3},
        "waiting": 0,
        "running": 0,
        "answered": _lately({"claude": 1}, {"claude": 2, "rules": 1}),
        "decided": _lately({"auto": 1}, {"auto": 1, "human": 1, "playbook": 1}),
    }


def _lately(alone: Json, with_now: Json) -> Json:
    """Return what was done within a day: NOW may lie within it, or not."""
    return with_now if clock.now() - NOW < 86_400 * SECOND else alone


async def test_the_report_tells_how_often_answers_were_right(
    http: aiohttp.ClientSession, database: Path, serve: Serve
) -> None:
    db = connect(database)
    for number, state in ((4, "completed"), (5, "completed"), (6, "failed")):
        key, over = f"key-{number}", NOW + 300 * SECOND
        times = {"executed_at": over, "finished_at": over}
        add(db, "actions", key=key, incident=2, project="b", state=state, **times)
        analysis(db, number, incident=2, **answered(), **decided("auto", key=key))
    db.close()
    url = await serve(app.make(make.config(projects={}), Store(database), version="1.2.3"))
    found = await _get(http, f"{url}/api/v1/analyzer/report", since="2026-11-21T00:00:00Z")
    whole = found["whole"]
    assert (found["since"], whole["decided"]) == ("2026-11-21T00:00:00.000000Z", 5)
    assert whole["decisions"] == {"auto": 3, "human": 1, "playbook": 1}
    assert (whole["accuracy"]["many"], whole["accuracy"]["of"]) == (2, 4)  # and bob's no
    assert (whole["auto"]["many"], whole["auto"]["of"]) == (2, 3)
    assert whole["brier"] == pytest.approx((2 * 0.1**2 + 2 * 0.9**2) / 4)
    by = {name: list(found[name]) for name in ("alerts", "actions", "models", "prompts")}
    assert by == {
        "alerts": ["ProjectDown"],
        "actions": ["restart_service"],
        "models": ["claude-sonnet-5-5", "rules"],
        "prompts": ["1", "rules"],
    }
    last = found["calibration"][-1]
    assert last == {"low": 0.9, "high": 1.0, "n": 4, "said": pytest.approx(0.9), "right": 0.5}
    later = await _get(http, f"{url}/api/v1/analyzer/report", since="2026-11-21T13:00:00Z")
    assert (later["whole"]["decided"], later["whole"]["accuracy"]["rate"]) == (0, None)


@pytest.mark.parametrize(
    ("since", "why"),
    [
        ("9999-01-01T00:00:00Z", "query.since: it has to lie in the past"),
        ("teatime", "query.since: Invalid isoformat string: 'teatime'"),
    ],
)
async def test_a_report_from_no_time_that_has_passed_is_refused(
    http: aiohttp.ClientSession, url: str, since: str, why: str
) -> None:
    asked = {"since": since}
    async with http.get(f"{url}/api/v1/analyzer/report", params=asked) as response:
        assert (response.status, await said(response)) == (400, why)
