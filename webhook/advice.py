"""Advice: the analyzer's part of a step; it is asked, waited for, and its answer weighed.

Nothing of an answer is done that code has not looked at: the project and Prometheus are asked
anew, every guard and every gate has its say, and what is decided is stored with what comes of it.
"""

from dataclasses import replace

from webhook import asking, consult, event, guard, outcome, policy
from webhook.analyzer import gate
from webhook.analyzer.analysis import Analysis, By, Decision, Ruling
from webhook.analyzer.answer import NONE
from webhook.analyzer.gate import Hearing
from webhook.catalogue import CATALOGUE
from webhook.change import Change
from webhook.consult import Turn
from webhook.guard import Block, Scene
from webhook.matter import Matter, Seen
from webhook.policy import Ask, Escalate, Step
from webhook.policy import Decision as Planned

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
            return outcome.waiting(case, now, why=case.incident.held, after=later)
        case Turn.PEOPLE:
            return await _people(matter, planned)
        case Turn.WEIGH:
            return await _weigh(matter, scene, planned)


async def _ask(matter: Matter, scene: Scene) -> Change | None:
    """Ask, unless a look speaks against the alert: anybody may post one, and a model costs."""
    seen = await matter.look(scene.episode)
    if seen.why_not is not None:
        return None
    about = consult.situation(matter.case, scene.episode.alertname)
    return outcome.consulted(matter.case, about, ASKED, matter.effects.now())


async def _people(matter: Matter, planned: Planned) -> Change:
    """Ask people: the analyzer has said so, or its advice to do nothing has had its time."""
    heard = matter.case.analysis
    why = _likely(heard)
    if heard and heard.answer and (heard.decision, heard.answer.action) == _NOTHING:
        why = "the analyzer advised to do nothing, and it goes on"
    return await matter.settle(policy.observed(matter.project, _joined(planned, why)))


_NOTHING = (Decision.OBSERVE, NONE)


async def _weigh(matter: Matter, scene: Scene, planned: Planned) -> Change:
    heard = matter.case.analysis
    assert heard is not None  # noqa: S101  the turn says so
    assert heard.answer is not None  # noqa: S101  as well
    seen = await matter.look(scene.episode)
    if seen.why_not is not None:
        return matter.objected(seen)
    if heard.by is By.RULES and not isinstance(planned, Escalate):
        return _left_to_playbook(matter, heard)
    step = _proposed(matter, heard, scene.episode.alertname)
    block = guard.first_block(policy.scene_of(step, scene)) if step else None
    if block is not None and block.guard not in _RECORDED:
        return await matter.settle(block)
    hearing = await _hearing(matter, scene, seen, step, heard)
    ruling = _restrained(matter, gate.judge(hearing), planned, block)
    return await _follow(matter, scene, planned, step, ruling)


_RECORDED = frozenset({"observe", guard.DRY_RUN})  # what is decided under them, and not done


def _left_to_playbook(matter: Matter, heard: Analysis) -> Change:
    """Go on with the playbook: an answer of rules is no better than it."""
    answer = heard.answer
    raw = answer.confidence if answer else 0.0
    ruling = Ruling(
        analysis=heard.id,
        decision=Decision.PLAYBOOK,
        gates=(),
        raw=raw,
        calibrated=raw,
        effective=raw,
        reason=f"no model has answered ({heard.why_rules}); the playbook goes on",
    )
    now = matter.effects.now()
    return _with(matter, outcome.waiting(matter.case, now, why=None, after=_AT_ONCE), ruling)


_AT_ONCE = outcome.LOOK_AGAIN * 0


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


def _restrained(matter: Matter, ruling: Ruling, planned: Planned, block: Block | None) -> Ruling:
    """Let what only observes decide, and do nothing; and let nobody wait after we have tried."""
    if block is not None and ruling.decision in (Decision.AUTO, Decision.HUMAN):
        return replace(ruling, decision=Decision.OBSERVE, reason=block.reason)
    if ruling.decision is Decision.OBSERVE and isinstance(planned, Escalate) and matter.own:
        why = "the analyzer advises to do nothing, and what was tried has not helped"
        return replace(ruling, decision=Decision.ESCALATE, reason=why)
    return ruling


async def _follow(
    matter: Matter, scene: Scene, planned: Planned, step: Step | None, ruling: Ruling
) -> Change:
    """Do what was decided."""
    alertname, now = scene.episode.alertname, matter.effects.now()
    match ruling.decision:
        case Decision.AUTO if step is not None:
            left = matter.begin(step, alertname, detail=f"by the analyzer: {ruling.reason}")
        case Decision.HUMAN if step is not None:
            asks = Ask(step=step, why=f"the analyzer proposes it, and {ruling.reason}")
            left = asking.ask(matter, asks, scene.episode)
        case Decision.OBSERVE:
            left = outcome.advised(matter.case, ruling.reason, now)
        case _:
            why = _joined(planned, _likely(matter.case.analysis, ruling))
            left = await matter.settle(policy.observed(matter.project, why))
    return _with(matter, left, ruling)


def _with(matter: Matter, left: Change, ruling: Ruling) -> Change:
    heard = matter.case.analysis
    assert heard is not None  # noqa: S101  there is no ruling without one
    told = event.decided(matter.case.incident, heard, ruling, at=matter.effects.now())
    return replace(left, ruling=ruling, events=(told, *left.events))


def _joined(planned: Planned, why: str) -> Escalate:
    """Return why people are asked: what we tried, then what the analyzer makes of it."""
    tried = planned.reason if isinstance(planned, Escalate) else ""
    return Escalate(reason="; ".join(part for part in (tried, why) if part))


def _likely(heard: Analysis | None, ruling: Ruling | None = None) -> str:
    answer = heard.answer if heard else None
    if answer is None:
        return "nobody knows the cause"
    likely = f"likely {answer.root_cause_category.replace('_', ' ')}"
    return f"{likely}; {ruling.reason}" if ruling else likely
