"""Why: an analysis as the API shows it, from what was asked to what happened after.

Every sentence of a model, of an alert or of a program is one masked line here, for whoever reads it
next is a terminal, a page or another program.
"""

from collections.abc import Iterable

from pydantic import JsonValue

from orchestrator import clock
from orchestrator.prices import NANO
from webhook.action import Action
from webhook.analyzer import answer as law
from webhook.api.operation import Answer
from webhook.api.piece import LackShown, PieceShown, content, evidence
from webhook.approval import Approval
from webhook.plain import line
from webhook.store import rows
from webhook.store.explained import After, Attempt, Explained

SHOWN = 20  # analyses of an incident, the newest
WORD, SENTENCE = 100, 500  # characters


class ClaimShown(Answer):
    """A reason that was given, and the evidence that it rests on."""

    claim: str
    evidence_ids: list[str]


class AlternativeShown(Answer):
    """Another cause that was thought of."""

    cause: str
    why_not: str


class AnswerShown(Answer):
    """What was answered."""

    rationale: list[ClaimShown]
    alternatives: list[AlternativeShown]
    root_cause_category: str
    root_cause: str
    action: str  # of the catalogue, or `none`, or `escalate`
    target_ref: str
    confidence: float  # as it was said, 0 to 1
    missing_evidence: list[str]
    suspicious_text: bool


class GateShown(Answer):
    """A condition of acting without a human, and whether it held."""

    name: str
    passed: bool
    why: str


class ConfidenceShown(Answer):
    """How sure it was: as it was said, as such words have proved, and with the record."""

    raw: float
    calibrated: float
    effective: float  # the one that counts


class CallShown(Answer):
    """One attempt at a model."""

    at: str
    model: str
    outcome: str | None  # none: nobody knows what came of it
    status: int | None  # of HTTP
    seconds: float | None
    cost_usd: float
    settled: bool  # false: what was reserved counts, for nobody knows the price
    message: str | None
    request_id: str | None
    stop_reason: str | None
    refusal: str | None
    usage: dict[str, JsonValue]


class DoneShown(Answer):
    """The action that was chosen, and what came of it."""

    key: str
    action: str
    state: str
    finished_at: str | None
    detail: str


class SaidShown(Answer):
    """The question to people about it; /api/v1/approvals/{id} has the whole."""

    id: int
    state: str  # waiting, approved, rejected, expired or withdrawn
    decided_by: str | None


class AfterShown(Answer):
    """What happened after it was decided."""

    action: DoneShown | None
    approval: SaidShown | None
    alert_ended_at: str | None  # none: it goes on, or nothing is decided
    alert_again_at: str | None  # when the same alert fired anew
    came: str | None  # what that makes of it: helped, fired again, failed, rejected, ...


class Why(Answer):
    """One analysis: what was asked, what was known, what was answered, and what became of it."""

    id: int
    state: str  # queued, running, answered or aborted
    asked_at: str
    answered_at: str | None
    seconds: float | None  # from the question to the answer
    alertname: str
    attempts: int  # made for the incident until then
    allowed: list[str]  # actions that might be proposed
    tried: list[str]
    analyzer: str | None  # claude or rules
    model: str
    prompt: str  # its version
    why_rules: str  # why no model has answered
    reused: int | None  # the analysis whose answer it took over, for the same evidence
    evidence: list[PieceShown]  # none: it was let go of
    evidence_hash: str
    missing: list[LackShown]
    omitted: int  # pieces for which there was no room
    flags: list[str]  # what was found suspicious in what strangers wrote
    answer: AnswerShown | None
    gates: list[GateShown]
    decision: str | None  # auto, human, escalate, observe or playbook
    decided_at: str | None
    reason: str
    confidence: ConfidenceShown | None
    after: AfterShown
    cost_usd: float
    calls: list[CallShown]


def why(of: Explained) -> Why:
    """Show an analysis."""
    known, about = of.analysis, of.analysis.situation
    pack = evidence(of.pack or {})
    took = None if known.answered_at is None else known.answered_at - known.asked_at
    return Why(
        id=known.id,
        state=known.state,
        asked_at=clock.written(known.asked_at),
        answered_at=rows.text(known.answered_at),
        seconds=None if took is None else took.total_seconds(),
        alertname=line(about.alertname, WORD),
        attempts=about.attempts,
        allowed=pack.allowed,
        tried=pack.tried,
        evidence=pack.items,
        missing=pack.missing,
        omitted=pack.omitted,
        analyzer=known.by,
        model=line(known.model, WORD),
        prompt=line(known.prompt, WORD),
        why_rules=line(known.why_rules, SENTENCE),
        reused=of.reused,
        evidence_hash=known.evidence,
        flags=[line(each, WORD) for each in known.flags],
        answer=None if known.answer is None else _answer(known.answer),
        gates=[
            GateShown(name=each.name, passed=each.passed, why=line(each.why, SENTENCE))
            for each in of.gates
        ],
        decision=known.decision,
        decided_at=rows.text(known.decided_at),
        reason=line(of.reason, SENTENCE),
        confidence=_confidence(of.confidence),
        after=_after(of.after),
        cost_usd=dollars(of.cost),
        calls=[_call(each) for each in of.attempts],
    )


def dollars(nano: int) -> float:
    """Return nano-dollars as dollars."""
    return nano / NANO


def _answer(of: law.Answer) -> AnswerShown:
    return AnswerShown(
        rationale=[
            ClaimShown(claim=line(each.claim, SENTENCE), evidence_ids=_words(each.evidence_ids))
            for each in of.rationale
        ],
        alternatives=[
            AlternativeShown(cause=each.cause, why_not=line(each.why_not, SENTENCE))
            for each in of.alternatives
        ],
        root_cause_category=of.root_cause_category,
        root_cause=line(of.root_cause, SENTENCE),
        action=line(of.action, WORD),
        target_ref=of.target_ref,
        confidence=of.confidence,
        missing_evidence=_words(of.missing_evidence),
        suspicious_text=of.suspicious_text,
    )


def _words(many: Iterable[str]) -> list[str]:
    return [line(each, WORD) for each in many]


def _confidence(sure: tuple[float, float, float] | None) -> ConfidenceShown | None:
    if sure is None:
        return None
    raw, calibrated, effective = sure
    return ConfidenceShown(raw=raw, calibrated=calibrated, effective=effective)


def _call(of: Attempt) -> CallShown:
    return CallShown(
        at=clock.written(of.at),
        model=line(of.model, WORD),
        outcome=of.outcome,
        status=of.status,
        seconds=of.seconds,
        cost_usd=dollars(of.reserved if of.cost is None else of.cost),
        settled=of.cost is not None,
        message=_word(of.message),
        request_id=_word(of.request),
        stop_reason=_word(of.stop_reason),
        refusal=_word(of.refusal),
        usage=content(of.usage),
    )


def _word(text: str | None) -> str | None:
    return None if text is None else line(text, WORD)


def _after(of: After) -> AfterShown:
    return AfterShown(
        action=None if of.action is None else _done(of.action),
        approval=None if of.approval is None else _said(of.approval),
        alert_ended_at=rows.text(of.ended_at),
        alert_again_at=rows.text(of.again_at),
        came=of.came,
    )


def _done(of: Action) -> DoneShown:
    return DoneShown(
        key=of.key,
        action=of.name,
        state=of.state,
        finished_at=rows.text(of.finished_at),
        detail=line(of.detail, SENTENCE),
    )


def _said(of: Approval) -> SaidShown:
    return SaidShown(id=of.id, state=of.decision or "waiting", decided_by=_word(of.decided_by))
