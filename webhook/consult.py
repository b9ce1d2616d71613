"""Consulting: when the analyzer is asked about an outage, waited for, and heard."""

from datetime import datetime, timedelta
from enum import StrEnum

from orchestrator.config import Config
from webhook.analyzer import analysis
from webhook.analyzer.analysis import Analysis, Decision, Situation
from webhook.case import Case
from webhook.guard import Block
from webhook.policy import Decision as Planned
from webhook.policy import Escalate

MOST = 3  # analyses of one outage; each is about another number of attempts
FRESH = timedelta(minutes=10)  # an answer is about what was measured then
SLOW = analysis.WITHIN + timedelta(seconds=30)  # what is not answered by then is gone on without


class Turn(StrEnum):
    """What comes next between an incident and the analyzer."""

    ASK = "ask"
    WAIT = "wait"  # for its answer
    WEIGH = "weigh"  # the answer that is there
    REST = "rest"  # it advised to do nothing; that has its time
    PEOPLE = "people"  # its word stands, and it was that people are needed
    GO_ON = "go_on"  # without it


def allowed(config: Config, alertname: str) -> tuple[str, ...]:
    """Return what the analyzer may propose against an alert: the playbook's steps, and `allow`."""
    steps = (*config.playbooks.get(alertname, ()), *config.analyzer.allow.get(alertname, ()))
    return tuple(dict.fromkeys(steps))


def situation(case: Case, alertname: str) -> Situation:
    """Return what an analysis that was asked for now would be about."""
    incident = case.incident
    tried = [
        each
        for each in case.attempts
        if (each.incident, each.opened_at) == (incident.id, incident.opened_at)
    ]
    return Situation(
        incident=incident.id,
        opened_at=incident.opened_at,
        alertname=alertname,
        attempts=len(tried),
    )


def turn(config: Config, case: Case, alertname: str, planned: Planned, now: datetime) -> Turn:
    """Say what comes next, where rules and playbook alone have *planned* something.

    `always`: it is heard before anything is done. `on_failure`: it is heard where people would be
    asked, because the playbook has failed or does not know. What a guard holds is not asked about:
    nothing could be done with the answer.
    """
    if not _concerned(config, planned):
        return Turn.GO_ON
    known = case.analysis
    if known is None or known.situation != situation(case, alertname):
        return _ask(case)
    if known.going:
        return Turn.WAIT if now < known.asked_at + SLOW else Turn.GO_ON
    if known.answer is None:  # the program ended while it was asked
        return _ask(case)
    return _again(case, known, now)


def _concerned(config: Config, planned: Planned) -> bool:
    match config.analyzer.mode:
        case "always":
            return not isinstance(planned, Block) or planned.guard == "observe"
        case "on_failure":
            return isinstance(planned, Escalate)
        case "off":
            return False


def _ask(case: Case) -> Turn:
    return Turn.ASK if case.analyses < MOST else Turn.GO_ON


def _again(case: Case, known: Analysis, now: datetime) -> Turn:
    """Say what an answer is good for that may have been decided on before."""
    # Both ways: a clock that was set back must not make an old answer new.
    fresh = abs(now - known.asked_at) < FRESH
    match known.decision:
        case Decision.PLAYBOOK:
            return Turn.GO_ON
        case Decision.ESCALATE:
            return Turn.PEOPLE
        case Decision.OBSERVE:
            return Turn.REST if fresh else Turn.PEOPLE
        case _:  # not decided on yet, or nothing has come of it: a question that was withdrawn
            return Turn.WEIGH if fresh else _ask(case)
