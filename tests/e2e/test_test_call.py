"""AT-3: a test call breaks a project, Claude is asked, and what it is sure of is done."""

import sqlite3
from contextlib import closing
from datetime import timedelta

import pytest

from orchestrator import clock
from orchestrator.demo.messages import evidence
from orchestrator.demo.messages.evidence import Evidence
from tests.conftest import Serve
from tests.e2e.conftest import Json, Live, Start, names_of
from tests.e2e.people import People, people
from tests.messages import Script, saying, stand_in

__all__ = ["people"]  # a fixture

pytestmark = pytest.mark.e2e

SICK = "email-blast"


async def _called(live: Live, kind: str, *ends: str) -> list[Json]:
    """Make the test call, and return what /ws tells of it up to one of *ends*."""
    url, call = live.stack.url("webhook"), {"projectName": SICK, "type": kind}
    async with live.session.ws_connect(f"{url}/ws?after=0") as stream:
        async with live.session.post(f"{url}/api/test/anomaly", json=call) as response:
            assert response.status == 202
            assert (await response.json())["project"] == SICK
        told = [await stream.receive_json(timeout=60)]
        while told[-1]["name"] not in ends:
            told.append(await stream.receive_json(timeout=60))
    return told


async def _done(live: Live) -> list[str]:
    return [each["action"] for each in await live.commands() if each["project"] == SICK]


def _heard(script: Script) -> Evidence:
    """Return the evidence of the one request that the model was sent."""
    [asked] = script.asked
    return evidence.read(asked)


async def test_at_3_a_test_call_is_put_to_claude_and_at_0_71_its_advice_is_taken(
    start: Start, serve: Serve
) -> None:
    url, script = await stand_in(serve, otherwise=saying(confidence=0.71))
    async with start(analyzer={"mode": "always", "url": url}) as live:
        told = await _called(live, "high_memory", "PROBLEM_RESOLVED")
        done = await _done(live)
        counted = await _page(live)
    assert done == ["clear_cache"]
    anomaly = {"kind": "high_memory", "alertname": "ProjectHighMemory"}
    assert [each["data"] for each in told if each["name"] == "AnomalyDetected"] == [anomaly]
    assert names_of(told, SICK) == [
        *("ProjectHighMemory", "AnomalyDetected", "AnalysisRequested", "AIDecision"),
        *("ActionStarted", "ActionExecuted", "RecoveryObserved", "PROBLEM_RESOLVED"),
    ]
    memory = _heard(script).figure("memory")
    assert memory is not None
    assert memory[1] > 0.85
    [decided] = [each["data"] for each in told if each["name"] == "AIDecision"]
    kept = ("action", "confidence", "effective", "decision", "root_cause")
    assert {key: decided[key] for key in kept} == {
        "action": "clear_cache",
        "confidence": 0.71,
        "effective": 0.71,
        "decision": "auto",
        "root_cause": "The cache keeps everything.",
    }
    decisions = (
        'analyzer_decisions_total{action="clear_cache",analyzer="claude",decision="auto",'
        'gate="none"} 1.0'
    )
    assert decisions in counted
    assert _approvals(live) == 0


async def test_at_3_at_0_70_nothing_is_done_and_people_have_it(
    start: Start, serve: Serve, people: People
) -> None:
    url, script = await stand_in(serve, otherwise=saying(confidence=0.70))
    async with start(analyzer={"mode": "always", "url": url}) as live:
        await people.called_by(live)
        told = await _called(live, "high_memory", "ApprovalRequested")
        page = await people.until_heard("ApprovalRequired", "firing")
        assert await _done(live) == []
    assert names_of(told, SICK)[-3:] == ["AnalysisRequested", "AIDecision", "ApprovalRequested"]
    decided = told[-2]["data"]
    assert (decided["effective"], decided["decision"]) == (0.70, "human")
    assert page["annotations"]["summary"] == "email-blast: may clear_cache be done?"
    assert "its confidence, 0.7, is not above 0.7" in page["annotations"]["description"]
    assert len(script.asked) == 1


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
        told = await _called(live, kind, end, "ApprovalRequested")
        done = await _done(live)
    assert (told[-1]["name"], done) == ((end, [action]) if helped else ("ApprovalRequested", []))


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
