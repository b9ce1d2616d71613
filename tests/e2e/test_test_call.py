"""AT-3: a test call breaks a project, Claude is asked, and what it is sure of is done."""

import sqlite3
from contextlib import closing
from datetime import timedelta

import pytest

from orchestrator import clock
from orchestrator.demo.messages import evidence
from tests.conftest import Serve
from tests.e2e.conftest import Json, Live, Start, names_of
from tests.e2e.people import People, people
from tests.messages import saying, stand_in

__all__ = ["people"]  # a fixture

pytestmark = pytest.mark.e2e

DOUBTED, BELIEVED = "chatbot", "email-blast"


async def _called(live: Live, project: str, kind: str, *ends: str) -> list[Json]:
    """Make the test call, and return what /ws tells of the project up to one of *ends*."""
    url, call = live.stack.url("webhook"), {"projectName": project, "type": kind}
    async with live.session.ws_connect(f"{url}/ws?after=0") as stream:
        async with live.session.post(f"{url}/api/test/anomaly", json=call) as response:
            assert response.status == 202
            assert (await response.json())["project"] == project
        told: list[Json] = []
        while not told or told[-1]["name"] not in ends:
            event = await stream.receive_json(timeout=60)
            told += [event] if event["project"] == project else []
    return told


async def _done(live: Live) -> list[tuple[str, str]]:
    return [(each["project"], each["action"]) for each in await live.commands()]


async def test_at_3_a_test_call_is_put_to_claude_and_its_advice_is_taken_above_0_70(
    start: Start, serve: Serve, people: People
) -> None:
    """At 0.70 nothing is done, and people have it; at 0.71 it is done, in the same stack."""
    url, script = await stand_in(serve, saying(confidence=0.70), saying(confidence=0.71))
    async with start(analyzer={"mode": "always", "url": url}) as live:
        await people.called_by(live)
        doubted = await _called(live, DOUBTED, "high_memory", "ApprovalRequested")
        page = await people.until_heard("ApprovalRequired", "firing")
        assert await _done(live) == []
        believed = await _called(live, BELIEVED, "high_memory", "PROBLEM_RESOLVED")
        assert await _done(live) == [(BELIEVED, "clear_cache")]
        counted = await _page(live)
        assert _approvals(live) == 1
    assert names_of(doubted, DOUBTED)[-3:] == [
        *("AnalysisRequested", "AIDecision", "ApprovalRequested")
    ]
    assert page["annotations"]["summary"] == "chatbot: may clear_cache be done?"
    assert "its confidence, 0.7, is not above 0.7" in page["annotations"]["description"]
    anomaly = {"kind": "high_memory", "alertname": "ProjectHighMemory"}
    assert [each["data"] for each in believed if each["name"] == "AnomalyDetected"] == [anomaly]
    assert names_of(believed, BELIEVED) == [
        *("ProjectHighMemory", "AnomalyDetected", "AnalysisRequested", "AIDecision"),
        *("ActionStarted", "ActionExecuted", "RecoveryObserved", "PROBLEM_RESOLVED"),
    ]
    assert [_decided(each) for each in (doubted, believed)] == [
        ("clear_cache", 0.70, 0.70, "human", "The cache keeps everything."),
        ("clear_cache", 0.71, 0.71, "auto", "The cache keeps everything."),
    ]
    assert len(script.asked) == 2  # one call each
    memory = [evidence.read(asked).figure("memory") for asked in script.asked]
    assert [figure is not None and figure[1] > 0.85 for figure in memory] == [True, True]
    assert (
        'analyzer_decisions_total{action="clear_cache",analyzer="claude",decision="auto",'
        'gate="none"} 1.0'
    ) in counted


def _decided(told: list[Json]) -> tuple[object, ...]:
    [data] = [each["data"] for each in told if each["name"] == "AIDecision"]
    kept = ("action", "confidence", "effective", "decision", "root_cause")
    return tuple(data[key] for key in kept)


@pytest.mark.long
@pytest.mark.parametrize(
    ("kind", "alertname", "action", "end"),
    [
        ("high_cpu", "ProjectHighCPU", "pause_service", "Mitigated"),
        ("high_error", "ProjectHighErrorRate", "restart_service", "ActionExecuted"),
    ],
)
@pytest.mark.parametrize("helped", [6, 0])
async def test_at_3_what_disrupts_is_done_once_it_has_helped_often_enough(
    start: Start, serve: Serve, *, kind: str, alertname: str, action: str, end: str, helped: int
) -> None:
    url, _ = await stand_in(serve, otherwise=saying(action=action, confidence=0.95))
    async with start(analyzer={"mode": "always", "url": url}) as live:
        _seed(live, alertname, action, helped)
        told = await _called(live, BELIEVED, kind, end, "ApprovalRequested")
        done = await _done(live)
    expected = (end, [(BELIEVED, action)]) if helped else ("ApprovalRequested", [])
    assert (told[-1]["name"], done) == expected


def _seed(live: Live, alertname: str, action: str, many: int) -> None:
    """Let *action* have helped so often against an alert, some hours ago, on another project."""
    then = clock.now() - timedelta(hours=5)
    with closing(sqlite3.connect(live.stack.folder / "orchestrator.db", timeout=5)) as db, db:
        for number in range(many):
            at = clock.written(then + number * timedelta(minutes=35))
            [incident] = db.execute(
                "INSERT INTO incidents (project, state, since, opened_at, ended_at)"
                " VALUES ('chatbot', 'resolved', ?, ?, ?) RETURNING id",
                (at, at, at),
            ).fetchone()
            db.execute(
                "INSERT INTO actions (key, incident, project, name, alertname, attempt, state,"
                " created_at, executed_at, finished_at, detail, opened_at)"
                " VALUES (?, ?, 'chatbot', ?, ?, 1, 'completed', ?, ?, ?, 'proven', ?)",
                (f"seed-{number}", incident, action, alertname, at, at, at, at),
            )


async def _page(live: Live) -> str:
    async with live.session.get(f"{live.stack.url('webhook')}/metrics") as response:
        return await response.text()


def _approvals(live: Live) -> int:
    uri = f"file:{live.stack.folder / 'orchestrator.db'}?mode=ro"
    with closing(sqlite3.connect(uri, uri=True, timeout=5)) as db:
        [row] = db.execute("SELECT count(*) FROM approvals")
        return int(row[0])
