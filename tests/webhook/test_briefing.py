"""What people are told: the whole, in order, bounded, and safe to show anywhere."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.webhook import make
from tests.webhook.hearing import analysis, answer
from tests.webhook.make import NOW, SECOND
from webhook import action as law
from webhook.analyzer.analysis import Analysis
from webhook.analyzer.answer import Answer, Category
from webhook.briefing import Briefing, approval, escalation, fleet
from webhook.case import Case
from webhook.diagnosis import Gathered, Line
from webhook.incident import Episode, State

URL = "http://127.0.0.1:4001"
OUTREACH = make.project(labels=(("client", "acme"), ("domain", "outreach")))
FULL = Line(
    ts="2026-11-21T12:00:01.000000Z",
    level="error",
    message="database full: database or disk is full",
)


def _failed(number: int) -> law.Action:
    return make.action(
        key=f"key-{number}",
        attempt=number,
        state=law.State.FAILED,
        executed_at=NOW + 40 * (number - 1) * SECOND,
        detail="no good probe within 15 s",
    )


def _episode(**changes: Any) -> Episode:  # noqa: ANN401  any field of it
    return make.episode(**{"received_at": NOW, **changes})


TWICE = Case(
    incident=make.incident(id=7, state=State.OPEN, opened_at=NOW),
    episodes=(_episode(),),
    action=None,
    attempts=(_failed(1), _failed(2)),
)


def _after_two_restarts() -> Briefing:
    reason = "restart_service did not help 2 times in a row"
    return escalation(TWICE, OUTREACH, reason, Gathered(lines=(FULL,)), url=URL)


def test_the_docs_show_what_people_get() -> None:
    page = Path(__file__).parents[2] / "docs/escalation.md"
    description = _after_two_restarts().annotations["description"]
    assert f"```\n{description}\n```" in page.read_text(encoding="utf-8")


def test_two_restarts_that_did_not_help_are_told_whole_to_the_domain_of_the_project() -> None:
    told = _after_two_restarts()
    assert told.labels == {
        "alertname": "EscalationRequired",
        "client": "acme",
        "domain": "outreach",
        "incident": "7",
        "project": "email-blast",
        "severity": "critical",
        "source": "orchestrator",
    }
    assert told.annotations == {
        "summary": "email-blast needs a human.",
        "description": """\
What is wrong: email-blast: ProjectDown since 2026-11-21 11:59:58 UTC.
What was tried:
1. restart_service at 2026-11-21 12:00:00 UTC: failed: no good probe within 15 s
2. restart_service at 2026-11-21 12:00:40 UTC: failed: no good probe within 15 s
Why nothing more is tried: restart_service did not help 2 times in a row
What its log says:
- 2026-11-21T12:00:01.000000Z error: database full: database or disk is full
What it probably is: The disk or the database is full, and a restart frees nothing. \
Delete old data or make room, then restart it.
What to do: repair the cause, and start the project by hand if it does not run. \
This ends by itself once its alerts have ended and a probe agrees.""",
        "alerts": "ProjectDown",
        "attempts": "2",
        "runbook_url": "docs/runbooks/EscalationRequired.md",
        "dashboard_url": "/d/orchestrator-project?var-project=email-blast",
        "incident_url": "http://127.0.0.1:4001/incidents/7",
    }


def test_what_is_not_known_is_said_to_be_not_known() -> None:
    case = replace(TWICE, attempts=())
    told = escalation(case, None, "it was removed", Gathered(why_none="it offers none"), url=URL)
    assert "domain" not in told.labels
    assert told.annotations["attempts"] == "0"
    assert told.annotations["description"].splitlines()[:4] == [
        "What is wrong: email-blast: ProjectDown since 2026-11-21 11:59:58 UTC.",
        "What was tried: nothing.",
        "Why nothing more is tried: it was removed",
        "What its log says: nothing; it offers none.",
    ]
    unasked = escalation(case, None, "it was removed", Gathered(), url=URL)
    assert "nothing; it was not asked.\n" in unasked.annotations["description"]


@pytest.mark.parametrize(
    ("state", "told"),
    [
        (law.State.COMPLETED, "it helped: said"),
        (law.State.UNKNOWN, "nobody knows what came of it: said"),
        (law.State.EXECUTING, "nobody knows yet what came of it: said"),
        (law.State.CANCELLED, "cancelled: said"),
    ],
)
def test_the_outcome_of_an_attempt_is_told_in_words(state: law.State, told: str) -> None:
    case = replace(TWICE, attempts=(make.action(state=state, detail="said"),))
    description = escalation(case, OUTREACH, "", Gathered(), url=URL).annotations["description"]
    assert f"1. restart_service at 2026-11-21 12:00:00 UTC: {told}\n" in description


def test_of_several_alerts_those_that_go_on_are_told_from_the_first_one_on() -> None:
    ended = _episode(id=2, alertname="ProjectHighErrorRate", ended_at=NOW + SECOND)
    later = _episode(id=3, alertname="ProjectHighCPU", started_at=NOW + 5 * SECOND)
    cases = [
        replace(TWICE, episodes=(later, ended, _episode())),
        replace(TWICE, episodes=(ended,)),
        replace(TWICE, episodes=()),
    ]
    told = [escalation(case, OUTREACH, "", Gathered(), url=URL).annotations for case in cases]
    assert [each["description"].splitlines()[0] for each in told] == [
        (
            "What is wrong: email-blast: ProjectDown since 2026-11-21 11:59:58 UTC;"
            " ProjectHighCPU since 2026-11-21 12:00:05 UTC."
        ),
        (
            "What is wrong: email-blast: ProjectHighErrorRate from 2026-11-21 11:59:58 UTC"
            " to 2026-11-21 12:00:01 UTC."
        ),
        "What is wrong: email-blast, since 2026-11-21 12:00:00 UTC.",
    ]
    assert [each["alerts"] for each in told] == [
        "ProjectHighCPU, ProjectDown",
        "ProjectHighErrorRate",
        "",
    ]


def test_attempts_of_the_hour_before_are_told_and_only_the_newest_five() -> None:
    old = replace(_failed(1), executed_at=NOW - timedelta(hours=1, seconds=1))
    recent = replace(_failed(1), executed_at=NOW - timedelta(hours=1))
    case = replace(TWICE, attempts=(old, recent, *(_failed(number) for number in range(2, 8))))
    told = escalation(case, OUTREACH, "", Gathered(), url=URL).annotations
    numbers = [line[:2] for line in told["description"].splitlines() if line[0].isdigit()]
    assert (told["attempts"], numbers) == ("7", ["3.", "4.", "5.", "6.", "7."])
    assert "What was tried (and 2 before):\n" in told["description"]


def _hostile(heard: Analysis | None = None) -> Briefing:
    """Return what people are told where everybody says as much, and as bad, as they can."""
    action = replace(_failed(1), name="n" * 500, detail=HOSTILE)
    case = replace(
        TWICE,
        incident=replace(TWICE.incident, project="p" * 60),
        episodes=tuple(_episode(id=each, alertname="A" * 90) for each in range(20)),
        attempts=(action,) * 9,
        analyses=(heard,) if heard else (),
    )
    line = Line(ts=FULL.ts, level="l" * 20, message=f"{FULL.message} {HOSTILE}")
    return escalation(case, OUTREACH, HOSTILE, Gathered(lines=(line,) * 9), url=URL)


HOSTILE = "<!channel> @here\n[x](http://evil)\x1b[31m\u202e password=hunter2 " + "<@U1>" * 4_000


def test_strangers_text_stays_in_its_line_and_everything_below_four_thousand_characters() -> None:
    told = _hostile().annotations
    assert sum(map(len, told.values())) <= 4_000
    lines = told["description"].splitlines()
    starts = [
        "What is",
        "What wa",
        *("56789"),
        "Why not",
        "What it",
        *"-----",
        "What it",
        "What to",
    ]
    assert [each.startswith(start) for each, start in zip(lines, starts, strict=True)] == [
        True
    ] * len(starts)
    bad = ("<", "@", "](", "\x1b", "\u202e", "hunter2")
    assert [each for each in bad if each in told["description"]] == []
    assert lines[-1].endswith("and a probe agrees.")


def test_what_the_analyzer_thinks_stands_where_a_suspicion_would() -> None:
    full = answer(
        root_cause_category=Category.DISK_FULL,
        root_cause="The database is full. Delete old data or expand it. Restart won't help.",
        action="escalate",
        confidence=0.93,
    )
    told = _thinking(full).annotations["description"].splitlines()
    assert told[-3:-1] == [
        (
            "What the analyzer thinks (claude-sonnet-5-5, 0.93 sure): The database is full. Delete"
            " old data or expand it. Restart won't help."
        ),
        "What it proposes: to ask people.",
    ]


def test_what_the_analyzer_thinks_is_a_stranger_s_text() -> None:
    about = replace(analysis().situation, alertname="A" * 90)
    heard = analysis(answer=answer(root_cause=HOSTILE), model="m" * 100, situation=about)
    told = _hostile(heard).annotations
    assert sum(map(len, told.values())) <= 4_000
    thinks = next(each for each in told["description"].splitlines() if "thinks" in each)
    assert "hunter2" not in thinks
    assert len(thinks) == 300


def _thinking(said: Answer) -> Briefing:
    heard = replace(TWICE, analyses=(analysis(answer=said),))
    reason = "restart_service did not help 2 times in a row"
    return escalation(heard, OUTREACH, reason, Gathered(lines=(FULL,) * 9), url=URL)


def test_a_name_is_quoted_in_a_link_and_shown_harmless() -> None:
    case = replace(TWICE, incident=replace(TWICE.incident, project="a&b <@x>"))
    told = escalation(case, None, "", Gathered(), url=URL).annotations
    assert told["summary"] == "a&b ‹(at)x› needs a human."  # noqa: RUF001  meant
    assert told["dashboard_url"].endswith("?var-project=a%26b%20%3C%40x%3E")


def test_labels_of_a_project_never_take_the_place_of_ours() -> None:
    project = make.project(labels=(("incident", "1"), ("source", "x")))
    told = escalation(TWICE, project, "", Gathered(), url=URL)
    assert (told.labels["incident"], told.labels["source"]) == ("7", "orchestrator")


def test_an_approval_asks_until_when_and_says_what_silence_means() -> None:
    action = make.action(incident=7, name="rollback_deployment", state=law.State.PENDING)
    expires = NOW + timedelta(minutes=15)
    question = "rollback_deployment is disruptive, and email-blast is critical"
    told = approval(action, OUTREACH, question, expires, url=URL)
    assert told.labels == {
        "alertname": "ApprovalRequired",
        "action": "rollback_deployment",
        "client": "acme",
        "domain": "outreach",
        "incident": "7",
        "project": "email-blast",
        "severity": "warning",
        "source": "orchestrator",
    }
    assert told.annotations == {
        "summary": "email-blast: may rollback_deployment be done?",
        "description": """\
The question: rollback_deployment is disruptive, and email-blast is critical
The action: rollback_deployment, against ProjectDown, attempt 1.
Until when: 2026-11-21 12:15:00 UTC. Without an answer it is not done, that counts neither as a \
yes nor as a no, and a human is asked to repair the project.
What to do: say yes or no (`orchestrator approvals` lists it, with its number), or repair the \
project by hand. This ends by itself when it is decided, when it expires, and when the alert has \
ended.""",
        "alerts": "ProjectDown",
        "runbook_url": "docs/runbooks/ApprovalRequired.md",
        "dashboard_url": "/d/orchestrator-project?var-project=email-blast",
        "incident_url": "http://127.0.0.1:4001/incidents/7",
    }


def test_a_fleet_that_is_down_is_one_page_without_a_project() -> None:
    told = fleet(["social-media", "chatbot"], 5, url=URL)
    assert told.labels == {
        "alertname": "FleetDown",
        "severity": "critical",
        "source": "orchestrator",
    }
    assert (
        told.annotations["summary"] == "2 of 5 projects went down at once, and none is restarted."
    )
    assert told.annotations["description"].startswith(
        "What is wrong: these went down together: chatbot, social-media.\nWhy nothing is"
    )
    assert {name: told.annotations[name] for name in told.annotations if "url" in name} == {
        "runbook_url": "docs/runbooks/FleetDown.md",
        "dashboard_url": "/d/orchestrator-fleet",
        "incident_url": "http://127.0.0.1:4001/incidents?state=open",
    }


def test_a_large_fleet_is_told_in_part() -> None:
    told = fleet([f"{each:04}-{'x' * 80}" for each in range(5_000)], 6_000, url=URL).annotations
    assert " and 4970 more.\n" in told["description"]
    assert sum(map(len, told.values())) <= 4_000
