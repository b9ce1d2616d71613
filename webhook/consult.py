"""Consulting: when the analyzer is asked about an outage, waited for, and heard."""

from datetime import datetime, timedelta
from enum import StrEnum

from orchestrator.config import Config
from webhook.analyzer.analysis import SLOW, Analysis, Decision, Situation
from webhook.analyzer.answer import NONE
from webhook.case import Case
from webhook.guard import Block
from webhook.policy import Decision as Planned
from webhook.policy import Escalate

MOST = 3  # analyses of one outage; each is about another number of attempts
FRESH = timedelta(minutes=10)  # an answer is about what was measured then
OBSERVE = "observe"  # the guard under which all is decided, and nothing done


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


def known(case: Case, alertname: str) -> Analysis | None:
    """Return the newest analysis of what *case* is about now; None: there is none that counts."""
    about = situation(case, alertname)
    of_it = [each for each in case.analyses if each.situation == about]
    return next((each for each in reversed(of_it) if each.going or each.answer is not None), None)


def turn(config: Config, case: Case, alertname: str, planned: Planned, now: datetime) -> Turn:
    """Say what comes next, where rules and playbook alone have *planned* something.

    `always`: it is heard before anything is done, where there is a model. `on_failure`: it is heard
    where people would be asked, because the playbook has failed or does not know. What a guard
    holds is not asked about: nothing could be done with the answer.
    """
    if not _concerned(config, planned):
        return Turn.GO_ON
    heard = known(case, alertname)
    if heard is None:
        return _ask(case, alertname)
    if heard.going:
        return Turn.WAIT if abs(now - heard.asked_at) < SLOW else Turn.GO_ON
    # Both ways: a clock that was set back must not make an old answer new.
    fresh = abs(now - heard.asked_at) < FRESH
    return _again(heard, planned, fresh=fresh) or _ask(case, alertname)


def _concerned(config: Config, planned: Planned) -> bool:
    match config.analyzer.mode:
        case "always":
            # Without a model rules would answer, and what they say is no better than the playbook.
            model = config.analyzer.key is not None or isinstance(planned, Escalate)
            return model and (not isinstance(planned, Block) or planned.guard == OBSERVE)
        case "on_failure":
            return isinstance(planned, Escalate)
        case "off":
            return False


def _ask(case: Case, alertname: str) -> Turn:
    """Ask, but not without end: also what was cut off has cost, and has made somebody wait."""
    asked = sum(each.situation.alertname == alertname for each in case.analyses)
    return Turn.ASK if asked < MOST else Turn.GO_ON


def _again(heard: Analysis, planned: Planned, *, fresh: bool) -> Turn | None:
    """Say what an answer is good for that may have been decided on before; None: for nothing."""
    observed = isinstance(planned, Block)
    match heard.decision:
        case Decision.PLAYBOOK:
            return Turn.GO_ON
        case Decision.ESCALATE if fresh or observed:
            return Turn.PEOPLE
        case Decision.OBSERVE if observed or _advised_nothing(heard):
            # It was only recorded, or was to be waited for; the playbook is next.
            return Turn.REST if fresh else Turn.GO_ON
        case Decision.ESCALATE:
            return None
        case _:  # not decided on yet, or nothing has come of it: a question that was withdrawn
            return Turn.WEIGH if fresh else None


def _advised_nothing(heard: Analysis) -> bool:
    return heard.answer is not None and heard.answer.action == NONE
