"""AT-2: a project that no restart heals is handed over to people, with everything they need."""

import re
import sqlite3
from collections.abc import Iterable
from contextlib import closing

import pytest

from tests.e2e.conftest import Json, Live, Start, names_of
from tests.e2e.people import People, people, reconfigure, tell
from tests.e2e.test_healing import HEALED
from tests.waiting import until

__all__ = ["people"]  # a fixture

pytestmark = pytest.mark.e2e

SICK, OTHERS = "email-blast", {"chatbot": "hang", "social-media": "db_lost"}
LABELS = {"client": "acme", "domain": "outreach"}
INSTANT = r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC"
TRIED = rf"restart_service at {INSTANT}: failed: email-blast is still down: .+"
SAID = r"- \S+ error: database full: database or disk is full"
TOLD = [
    rf"What is wrong: email-blast: ProjectDown since {INSTANT}\.",
    "What was tried:",
    rf"1\. {TRIED}",
    rf"2\. {TRIED}",
    r"Why nothing more is tried: ProjectDown of email-blast goes on after 2 of our attempts .+",
    "What its log says:",
    SAID,
    (
        r"What the analyzer thinks \(claude-sonnet-5-5\+stand-in, 0\.93 sure\): The database is"
        r" full\. Delete old data or expand the database; a restart won't help\."
    ),
    r"What it proposes: to ask people\.",
    r"What to do: .+",
]


async def test_at_2_a_full_disk_is_restarted_twice_and_then_people_have_it_until_they_healed_it(
    start: Start, people: People
) -> None:
    """AT-2, with the stand-in for Claude: it reads the log, and advises against a third restart.

    Meanwhile the other projects have faults that a restart cures, and each is healed with one.
    """
    async with start() as live:
        await people.called_by(live)
        await reconfigure(live, _labelled)
        await live.inject(SICK, "disk_full")
        for project, fault in OTHERS.items():  # one at a time: three at once would be a fleet
            await live.inject(project, fault)
            await _until_healed_with_one_restart(live, [project])
        page = await people.until_heard("EscalationRequired", "firing")
        _has_everything(live, page)
        sick = [each for each in await live.events() if each["project"] == SICK]
        assert names_of(sick, SICK).count("RESTART_FAILED") == 2
        assert names_of(sick, SICK)[-3:] == [
            *("AnalysisRequested", "AIDecision", "ESCALATION_REQUIRED")
        ]
        said = {key: sick[-2]["data"][key] for key in ("category", "action", "decision")}
        assert said == {"category": "disk_full", "action": "escalate", "decision": "escalate"}
        assert sick[-1]["data"]["reason"].endswith(
            "; likely disk full; the analyzer asks for people"
        )
        assert await _tried(live) == ["restart_service"] * 2

        await live.mend(SICK, "disk_full")
        await tell(live, SICK, "restart_service")
        await people.until_heard("EscalationRequired", "firing", "resolved")
        events = [each for each in await live.events() if each["project"] == SICK]
        assert events[-1]["name"] == "IncidentClosed"
        assert events[-1]["data"]["how"] == "recovered after people were asked"
        assert _forgiven(live) == 1
        assert "PROBLEM_RESOLVED" not in names_of(events, SICK)

        await live.inject(SICK, "db_lost")  # a third restart within the hour, and it is allowed
        await live.until_event("PROBLEM_RESOLVED", after=events[-1]["id"])
        assert await _tried(live) == ["restart_service"] * 4  # one of them by hand
    assert [each["labels"]["alertname"] for each in people.told].count("EscalationRequired") == 2


def _labelled(config: Json) -> None:
    next(each for each in config["projects"] if each["name"] == SICK)["labels"] = dict(LABELS)


def _has_everything(live: Live, page: Json) -> None:
    labels, notes = page["labels"], page["annotations"]
    assert labels == {
        "alertname": "EscalationRequired",
        "project": SICK,
        "severity": "critical",
        "source": "orchestrator",
        "incident": labels["incident"],
        "escalation": labels["escalation"],
        **LABELS,
    }
    lines = notes["description"].splitlines()
    said = [line for line in lines if re.fullmatch(SAID, line)]
    assert 3 <= len(said) <= 5, lines  # one a second, of the process that came up last
    lines = [line for line in lines if line not in said[1:]]
    assert len(lines) == len(TOLD), lines
    for line, pattern in zip(lines, TOLD, strict=True):
        assert re.fullmatch(pattern, line), line
    assert {name: text for name, text in notes.items() if name != "description"} == {
        "summary": "email-blast needs a human.",
        "alerts": "ProjectDown",
        "attempts": "2",
        "runbook_url": "docs/runbooks/EscalationRequired.md",
        "dashboard_url": "/d/orchestrator-project?var-project=email-blast",
        "incident_url": f"{live.stack.url('webhook')}/incidents/{labels['incident']}",
    }


async def _until_healed_with_one_restart(live: Live, projects: Iterable[str]) -> None:
    async def healed() -> bool:
        events = await live.events()
        return all(names_of(events, each)[-1:] == ["PROBLEM_RESOLVED"] for each in projects)

    await until(healed, within=20, what=f"{', '.join(projects)} healed")
    events, commands = await live.events(), await live.commands()
    for project in projects:
        done = [each["action"] for each in commands if each["project"] == project]
        assert (names_of(events, project), done) == (HEALED, ["restart_service"])


async def _tried(live: Live) -> list[str]:
    return [each["action"] for each in await live.commands() if each["project"] == SICK]


def _forgiven(live: Live) -> int:
    """Return how often attempts were forgiven, by the audit."""
    uri = f"file:{live.stack.folder / 'orchestrator.db'}?mode=ro"
    with closing(sqlite3.connect(uri, uri=True, timeout=5)) as db:
        [row] = db.execute("SELECT count(*) FROM audit WHERE what = 'attempts forgiven'")
        return int(row[0])
