"""Asking: an action waits for people, who allow exactly that or do not."""

from dataclasses import replace

from orchestrator.config import Config
from webhook import action as law
from webhook import briefing, consult, guard, outcome, policy
from webhook.analyzer import analysis
from webhook.approval import Approval, Decision, Question, binding
from webhook.case import Case
from webhook.change import Change
from webhook.guard import Block
from webhook.incident import Episode
from webhook.matter import Matter
from webhook.policy import Ask, Step
from webhook.request import TAKE_WITHIN


def ask(matter: Matter, ask: Ask, episode: Episode, *, urgent: bool = False) -> Change:
    """Ask people whether a step may be taken; *urgent*: nothing else is left to be tried."""
    now, project = matter.effects.now(), matter.project
    action = matter.pending(ask.step, episode.alertname, now)
    question = Question(
        bound=matter.bound(ask.step, episode),
        text=f"{action.name} on {project.name} waits for a human: {ask.why}",
        expires_at=now + ask.step.guards.approval_within,
    )
    page = briefing.approval(
        action, project, question.text, question.expires_at, url=matter.config.url, urgent=urgent
    )
    return outcome.asked(matter.case, action, question, page, now=now)


async def awaiting(matter: Matter) -> Change:
    """Wait for people to allow the action; look at everything again before it is taken."""
    case, action, asked = matter.case, matter.action, matter.case.approval
    now = matter.effects.now()
    worst = policy.worst(case.episodes, matter.config.playbooks)
    why_not = moot(case, matter.config)
    if why_not is not None or worst is None or asked is None:
        return outcome.withdrawn(case, action, why_not or "nobody was asked", now)
    if asked.decision is Decision.REJECTED:
        what = f"{asked.decided_by} rejected {action.name}: {asked.reason}"
        return await matter.escalate(what, leaves=law.State.REJECTED)
    if asked.decision is Decision.APPROVED:
        return await _allowed(matter, asked, worst)
    latest = case.incident.since + matter.step(action.name).guards.approval_within
    if now >= min(asked.expires_at, latest):  # the latter after the clock was set back
        what = f"nobody said yes or no to {action.name} in time"
        return await matter.escalate(what, leaves=law.State.EXPIRED)
    return outcome.waiting(case, now, why=asked.question)


def moot(case: Case, config: Config) -> str | None:
    """Say why the question of *case* need not be answered any more; None: it stands."""
    action, asked = case.action, case.approval
    if action is None or asked is None:
        return "its action does not wait any more"
    project = config.projects.get(case.incident.project)
    worst = policy.worst(case.episodes, config.playbooks)
    if project is None or worst is None:
        gone = f"{case.incident.project} is not configured any more"
        return gone if project is None else "the alert has ended"
    if worst.alertname != action.alertname:
        return f"{worst.alertname} fires now"
    if action.name not in _asked_for(case, config, action.alertname):
        return f"{action.name} is not in the playbook any more"
    if asked.bound != binding(config, project, action.name, worst):
        return "what it was asked about has changed: the project, the outage, or the configuration"
    return None


def _asked_for(case: Case, config: Config, alertname: str) -> tuple[str, ...]:
    """Return the steps that people may be asked about: more, where the analyzer proposed it."""
    heard = consult.known(case, alertname)
    proposed = heard is not None and heard.decision is analysis.Decision.HUMAN
    return consult.allowed(config, alertname) if proposed else config.playbooks.get(alertname, ())


async def _allowed(matter: Matter, asked: Approval, episode: Episode) -> Change:
    """Take what was allowed, if nothing has come in between; it is tried once at least.

    But not long after it has expired, when we were away: who said yes looked at another hour.
    """
    action = matter.action
    step = matter.step(action.name)
    why_not = await _why_not(matter, step, episode)
    now = matter.effects.now()
    if why_not is None and now < asked.expires_at + TAKE_WITHIN:
        detail = f"allowed by {asked.decided_by}"
        return matter.begin(step, action.alertname, detail=detail)
    if why_not is None or now >= asked.expires_at:
        what = f"{asked.decided_by} allowed {action.name}, and {_in_vain(why_not)}"
        return await matter.escalate(what, leaves=law.State.EXPIRED)
    if isinstance(why_not, Block):
        return outcome.blocked(matter.case, why_not, now)
    return outcome.objected(matter.case, why_not, now)


def _in_vain(why_not: Block | str | None) -> str:
    if why_not is None:
        return "nobody took it up in time"
    return f"until it expired: {why_not.reason if isinstance(why_not, Block) else why_not}"


async def _why_not(matter: Matter, step: Step, episode: Episode) -> Block | str | None:
    scene = await matter.scene(episode, step)
    seen = await matter.look(episode)
    if seen.why_not is not None:
        return seen.why_not
    lack = step.remedy.precondition(replace(seen.look, recent=step.guards.recent_deployment))
    if lack is not None:
        return f"no {step.remedy.name}: it {lack}"
    return guard.first_block(replace(scene, now=matter.effects.now()))
