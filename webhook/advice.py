"""Advice: the analyzer's part of a step; it is asked, waited for, and its answer weighed.

Nothing of an answer is done that code has not looked at: the project and Prometheus are asked
anew, every guard and every gate has its say, and what is decided is stored with what comes of it.
"""

from dataclasses import replace
from datetime import datetime, timedelta

from webhook import asking, consult, event, guard, outcome, policy
from webhook.analyzer import gate
from webhook.analyzer.analysis import Analysis, By, Decision, Ruling
from webhook.analyzer.answer import NONE
from webhook.analyzer.gate import Hearing
from webhook.catalogue import CATALOGUE
from webhook.change import Change
from webhook.consult import Turn
from webhook.guard import Block, Scene
from webhook.incident import DOWN
from webhook.matter import Matter, Seen
from webhook.plain import line
from webhook.policy import Ask, Escalate, Step
from webhook.policy import Decision as Planned

PATIENCE = timedelta(minutes=1)  # with an alert that looks as if its end were on the way
CAUSE = 160  # characters of what a model says, in a question to people
ASKED = "the analyzer is asked what is wrong, and what to do about it"


async def consulted(matter: Matter, scene: Scene, planned: Planned) -> Change | None:
    """Take the analyzer's part of the next step; None: it has none, and what is *planned* is."""
    case, now = matter.case, matter.effects.now()
    match consult.turn(matter.config, case, scene.episode.alertname, planned, now):
        case Turn.GO_ON:
            return None
        case Turn.ASK:
            return await _ask(matter, scene)
        case Turn.WAIT:
            return outcome.waiting(case, now, why=ASKED)
        case Turn.REST:
            later = outcome.LOOK_LATER
            return outcome.waiting(case, now, why=_heard(matter, scene).reason, after=later)
        case Turn.PEOPLE:
            return await _people(matter, scene, planned)
        case Turn.WEIGH:
            return await _weigh(matter, scene, planned)


async def _ask(matter: Matter, scene: Scene) -> Change | None:
    """Ask, unless a look speaks against the alert: anybody may post one, and a model costs."""
    seen = await matter.look(scene.episode)
    if seen.why_not is not None:
        return None
    about = consult.situation(matter.case, scene.episode.alertname)
    return outcome.consulted(matter.case, about, ASKED, matter.effects.now())


def _heard(matter: Matter, scene: Scene) -> Analysis:
    found = consult.known(matter.case, scene.episode.alertname)
    assert found is not None  # noqa: S101  the turn says so
    return found


async def _people(matter: Matter, scene: Scene, planned: Planned) -> Change:
    """Ask people: the analyzer has said so, and its word stands."""
    why = _joined(planned, _likely(_heard(matter, scene)))
    return await matter.settle(policy.observed(matter.project, why))


async def _weigh(matter: Matter, scene: Scene, planned: Planned) -> Change:
    heard, now = _heard(matter, scene), matter.effects.now()
    seen = await matter.look(scene.episode)
    if seen.why_not is not None and not _late(heard, planned, seen, now):
        return matter.objected(seen)
    if heard.by is By.RULES and not isinstance(planned, Escalate):
        why = f"no model has answered ({heard.why_rules}); the playbook goes on"
        return _left_to_playbook(matter, heard, why)
    step = _proposed(matter, heard, scene.episode.alertname)
    block = guard.first_block(policy.scene_of(step, scene)) if step else None
    if block is not None and block.guard == guard.DRY_RUN:
        return _left_to_playbook(matter, heard, block.reason)
    if block is not None and block.guard != consult.OBSERVE:
        return await matter.settle(block)
    hearing = await _hearing(matter, scene, seen, step, heard)
    ruling = _restrained(gate.judge(hearing), scene, planned, block)
    if ruling.decision is Decision.PLAYBOOK:
        return _with(matter, heard, _at_once(matter), ruling)
    return _with(matter, heard, await _follow(matter, scene, planned, step, heard, ruling), ruling)


def _late(heard: Analysis, planned: Planned, seen: Seen, now: datetime) -> bool:
    """Tell whether people have to be told now, whatever a look says against the alert.

    They would have been, without the analyzer. Where the alert itself is not so any more, its end
    may be on the way.
    """
    if not isinstance(planned, Escalate):
        return False
    return not seen.contradicted or now >= (heard.answered_at or now) + PATIENCE


def _left_to_playbook(matter: Matter, heard: Analysis, why: str) -> Change:
    """Go on with the playbook, without a word on what was proposed."""
    raw = heard.answer.confidence if heard.answer else 0.0
    ruling = Ruling(
        analysis=heard.id,
        decision=Decision.PLAYBOOK,
        gates=(),
        raw=raw,
        calibrated=raw,
        effective=raw,
        reason=why,
    )
    return _with(matter, heard, _at_once(matter), ruling)


def _at_once(matter: Matter) -> Change:
    """Return the change that leaves everything as it is, and has it looked at now."""
    case = matter.case
    return outcome.waiting(case, matter.effects.now(), why=case.incident.held, after=timedelta(0))


def _proposed(matter: Matter, heard: Analysis, alertname: str) -> Step | None:
    """Return the step that is proposed; None when it is none that may be taken."""
    name = heard.answer.action if heard.answer else NONE
    known = name in consult.allowed(matter.config, alertname) and name in CATALOGUE
    return matter.step(name) if known else None


async def _hearing(
    matter: Matter, scene: Scene, seen: Seen, step: Step | None, heard: Analysis
) -> Hearing:
    alertname, now = scene.episode.alertname, matter.effects.now()
    precedent = await matter.effects.precedent(heard, now)
    look = replace(seen.look, recent=step.guards.recent_deployment) if step else seen.look
    return Hearing(
        analysis=heard,
        catalogue=frozenset(CATALOGUE),
        allowed=consult.allowed(matter.config, alertname),
        lack=step.remedy.precondition(look) if step else None,
        objection=seen.why_not,
        spent=_spent(matter, scene, step) if step else None,
        asks=policy.asks(step, matter.project, alertname) if step else None,
        disruptive=step is not None and policy.takes(step, alertname),
        record=precedent.record,
        calibrated=precedent.calibrated,
        auto_above=matter.config.analyzer.auto_above,
        lately=precedent.lately,
        rejected=precedent.rejected,
        now=now,
    )


def _spent(matter: Matter, scene: Scene, step: Step) -> str | None:
    """Say that *step* has been tried as often as it may be."""
    now, alertname = matter.effects.now(), scene.episode.alertname
    tried = matter.case.attempts
    if policy.remaining([step], tried, alertname=alertname, now=now):
        return None
    many = len(policy.recent(step, tried, now=now))
    return f"{step.remedy.name} was tried {many} times lately, and did not help, or not for long"


def _restrained(ruling: Ruling, scene: Scene, planned: Planned, block: Block | None) -> Ruling:
    """Let what is observed be recorded; and let no advice to do nothing keep people waiting."""
    if block is not None and ruling.decision in (Decision.AUTO, Decision.HUMAN):
        return replace(ruling, decision=Decision.OBSERVE, reason=block.reason)
    if isinstance(planned, Block) or not _advises_nothing(ruling):
        return ruling
    if isinstance(planned, Escalate):
        why = f"{ruling.reason}; people were to be asked without it"
        return replace(ruling, decision=Decision.ESCALATE, reason=why)
    if ruling.decision is Decision.ESCALATE or scene.episode.alertname == DOWN:
        why = f"{ruling.reason}; the playbook goes on"
        return replace(ruling, decision=Decision.PLAYBOOK, reason=why)
    return ruling


def _advises_nothing(ruling: Ruling) -> bool:
    """Tell whether the answer was to do nothing: it has gates of its own."""
    return tuple(each.name for each in ruling.gates) == gate.NOTHING


async def _follow(
    matter: Matter,
    scene: Scene,
    planned: Planned,
    step: Step | None,
    heard: Analysis,
    ruling: Ruling,
) -> Change:
    """Do what was decided."""
    alertname, now = scene.episode.alertname, matter.effects.now()
    match ruling.decision:
        case Decision.AUTO if step is not None:
            return matter.begin(step, alertname, detail=f"by the analyzer: {ruling.reason}")
        case Decision.HUMAN if step is not None:
            urgent = isinstance(planned, Escalate)
            asks = Ask(step=step, why=_card(heard, ruling))
            return asking.ask(matter, asks, scene.episode, urgent=urgent)
        case Decision.OBSERVE:
            return outcome.advised(matter.case, ruling.reason, now)
        case _:
            why = _joined(planned, f"{_likely(heard)}; {ruling.reason}")
            return await matter.settle(policy.observed(matter.project, why))


def _card(heard: Analysis, ruling: Ruling) -> str:
    """Say what people need for a yes or a no: who proposes it and why, and what speaks against."""
    cause = line(heard.answer.root_cause, CAUSE) if heard.answer else ""
    who = heard.model or "rules"
    against = "; ".join(each.why for each in ruling.closed)
    return f"the analyzer ({who}) proposes it: {cause} Not done by itself: {against}"


def _with(matter: Matter, heard: Analysis, left: Change, ruling: Ruling) -> Change:
    told = event.decided(matter.case.incident, heard, ruling, at=matter.effects.now())
    return replace(left, ruling=ruling, events=(told, *left.events))


def _joined(planned: Planned, why: str) -> Escalate:
    """Return why people are asked: what we tried, then what the analyzer makes of it."""
    tried = planned.reason if isinstance(planned, Escalate) else ""
    return Escalate(reason="; ".join(part for part in (tried, why) if part))


def _likely(heard: Analysis) -> str:
    answer = heard.answer
    return f"likely {answer.root_cause_category.replace('_', ' ')}" if answer else "cause not known"
