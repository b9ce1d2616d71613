"""The gate: whether an answer is acted on, shown to people, or only noted.

Code decides, and an answer is no more than its subject: all that speaks for acting is asked of
what was measured, of our own tables and files, and of a look at the project just now.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from orchestrator import duration
from webhook.analyzer.analysis import Analysis, By, Decision, Gate, Ruling
from webhook.analyzer.answer import ESCALATE, NONE, Answer, Target
from webhook.analyzer.confidence import Record, effective, proven
from webhook.plain import line

SECOND = timedelta(seconds=1)
FRESH = timedelta(minutes=10)  # as long as the evidence of an answer counts
AGAIN = 2  # times that one action is done to one project by itself, an hour
IN_ALL = 6  # actions that are done by themselves, an hour
SHOWN = 40  # characters of a stranger's word

Verdict = tuple[bool, str]  # whether a gate holds, and why


@dataclass(frozen=True, slots=True, kw_only=True)
class Hearing:
    """All that is asked about an answer, as it is now."""

    analysis: Analysis
    catalogue: frozenset[str]
    allowed: tuple[str, ...]  # for the alert, by its playbook and by orchestrator.yml
    lack: str | None  # why its action may not be done now, by its precondition; None: it may
    objection: str | None  # why the alert is not to be acted on now; None: it is
    spent: str | None  # that its attempts are used up, or its breaker is open; None: neither
    asks: str | None  # why people have to allow its action, by policy; None: they do not
    disruptive: bool
    record: Record  # of its action against this alert
    calibrated: float
    auto_above: float
    lately: tuple[int, int]  # done by itself within an hour: this to this project, and all
    now: datetime
    rejected: str | None = None  # that a person said no to it lately; None: nobody has
    auto_safe: bool = False  # whether a rule has answered that may act by itself

    @property
    def answer(self) -> Answer:
        """The answer, which there has to be."""
        if self.analysis.answer is None:
            raise ValueError(f"analysis {self.analysis.id} has no answer")
        return self.analysis.answer

    @property
    def effective(self) -> float:
        """The confidence that counts."""
        return effective(self.answer.confidence, self.calibrated, self.record)


def judge(hearing: Hearing) -> Ruling:
    """Ask every gate, and decide."""
    analysis, answer = hearing.analysis, hearing.analysis.answer
    if answer is None:
        gates: tuple[Gate, ...] = (_gate("answered", *_answered(hearing)),)
    else:
        names = _ENDS.get(answer.action, NAMES)
        gates = tuple(_gate(name, *_GATES[name](hearing)) for name in names)
    decision = _decided(answer, gates)
    return Ruling(
        analysis=analysis.id,
        decision=decision,
        gates=gates,
        raw=answer.confidence if answer else 0.0,
        calibrated=hearing.calibrated if answer else 0.0,
        effective=hearing.effective if answer else 0.0,
        reason=_reason(decision, answer, gates),
    )


def _gate(name: str, passed: bool, why: str) -> Gate:  # noqa: FBT001  as a verdict has it
    return Gate(name=name, passed=passed, why=why)


def _decided(answer: Answer | None, gates: tuple[Gate, ...]) -> Decision:
    closed = {each.name for each in gates if not each.passed}
    if answer is None or answer.action == ESCALATE or closed & _HOPELESS:
        return Decision.ESCALATE
    if answer.action == NONE:
        return Decision.ESCALATE if closed else Decision.OBSERVE
    return Decision.HUMAN if closed else Decision.AUTO


def _reason(decision: Decision, answer: Answer | None, gates: tuple[Gate, ...]) -> str:
    closed = next((each.why for each in gates if not each.passed), None)
    if answer is None or decision is Decision.AUTO:
        return closed or f"all holds for {_word(answer.action if answer else '')}"
    if decision is Decision.OBSERVE:
        return "nothing is to be done"
    if answer.action == ESCALATE:
        return "the analyzer asks for people"
    if answer.action == NONE:
        return f"it says that nothing is to be done, which is not believed: {closed}"
    return f"{_word(answer.action)} is not done by itself: {closed}"


def _answered(hearing: Hearing) -> Verdict:
    analysis = hearing.analysis
    if analysis.answer is None:
        return False, "nobody has answered"
    if analysis.by is By.CLAUDE:
        return True, f"{_word(analysis.model) or 'a model'} has answered"
    if hearing.auto_safe:
        return True, "a rule has answered that may act by itself"
    why = analysis.why_rules or "no model was asked"
    return False, f"only rules have answered: {why}"


def _action(hearing: Hearing) -> Verdict:
    action = hearing.answer.action
    if action == NONE:
        return True, "it proposes to do nothing"
    if action == ESCALATE:
        return False, "it proposes no action, but to ask people"
    known = action in hearing.catalogue
    return known, f"{_word(action)} is {'' if known else 'not '}in the catalogue"


def _allowed(hearing: Hearing) -> Verdict:
    allowed, action = hearing.answer.action in hearing.allowed, _word(hearing.answer.action)
    alertname = _word(hearing.analysis.situation.alertname)
    return allowed, f"{action} is {'' if allowed else 'not '}allowed for {alertname}"


def _target(hearing: Hearing) -> Verdict:
    if hearing.answer.target_ref is Target.ALERT_TARGET:
        return True, f"it is for {_word(hearing.analysis.project)}, which the alert is about"
    return False, "it does not say that it is for the project of the alert"


def _cited(hearing: Hearing) -> Verdict:
    cited = hearing.answer.cited
    made_up = sorted(cited - hearing.analysis.ids)
    if made_up:
        more = f" and {len(made_up) - 1} more" if len(made_up) > 1 else ""
        return False, f"it cites {_word(made_up[0])}{more}, which is not in the evidence"
    if not cited:
        return False, "it cites nothing"
    return True, f"all that it cites is in the evidence: {', '.join(sorted(cited))}"


def _measured(hearing: Hearing) -> Verdict:
    measured = sorted(hearing.answer.cited & hearing.analysis.measured)
    if measured:
        return True, f"it rests on what was measured: {', '.join(measured)}"
    return False, "it rests on nothing that was measured, only on what was told"


def _precondition(hearing: Hearing) -> Verdict:
    if hearing.lack is None:
        return True, "its precondition holds now"
    return False, f"its precondition does not hold now: it {hearing.lack}"


def _firing(hearing: Hearing) -> Verdict:
    if hearing.objection is None:
        return True, "the alert fires, and nothing seen speaks against it"
    return False, hearing.objection


def _fresh(hearing: Hearing) -> Verdict:
    # A clock that was set back must not make an old answer new, so the future counts as well.
    age = abs(hearing.now - hearing.analysis.asked_at)
    said = f"it was asked {duration.text(timedelta(seconds=age // SECOND))} ago"
    return age < FRESH, said if age < FRESH else f"{said}; much may have changed since"


def _trusted(hearing: Hearing) -> Verdict:
    flags = list(hearing.analysis.flags)
    if hearing.answer.suspicious_text:
        flags.append("suspicious_text")
    if flags:
        return False, f"the evidence holds text that may be meant to steer: {', '.join(flags)}"
    return True, "no text in the evidence looks as if it were meant to steer"


def _attempts(hearing: Hearing) -> Verdict:
    return hearing.spent is None, hearing.spent or "attempts are left"


def _pace(hearing: Hearing) -> Verdict:
    same, every = hearing.lately
    said = f"{same} of {AGAIN} to this project and {every} of {IN_ALL} in all were done this hour"
    return paced(hearing.lately), said


def paced(lately: tuple[int, int]) -> bool:
    """Tell whether one more may be done by itself, after so many of the same and of all."""
    same, every = lately
    return same < AGAIN and every < IN_ALL


def _unrejected(hearing: Hearing) -> Verdict:
    return hearing.rejected is None, hearing.rejected or "nobody has said no to it lately"


def _tier(hearing: Hearing) -> Verdict:
    if hearing.asks is not None:
        return False, f"people have to allow it: {hearing.asks}"
    if not hearing.disruptive:
        return True, "it takes nothing from anybody"
    done = f"{hearing.record.good} of {hearing.record.good + hearing.record.bad} times"
    if proven(hearing.record):
        return True, f"it is disruptive, and has helped {done}"
    return False, f"it is disruptive, and has helped {done}: too few to do it by itself"


def _confidence(hearing: Hearing) -> Verdict:
    # The shortest text that reads back as the same number: 0.7000001 must not be told as 0.70.
    passed = hearing.effective > hearing.auto_above
    said, counts = _figure(hearing.answer.confidence), _figure(hearing.effective)
    of = f"{counts} of {said} that it says" if counts != said else said
    return passed, f"its confidence, {of}, is {'' if passed else 'not '}above {hearing.auto_above}"


def _figure(value: float) -> str:
    return f"{value:.7g}"


def _word(text: str) -> str:
    return line(text, SHOWN)


_GATES: Mapping[str, Callable[[Hearing], Verdict]] = {
    "answered": _answered,
    "action": _action,
    "allowed": _allowed,
    "target": _target,
    "cited": _cited,
    "measured": _measured,
    "precondition": _precondition,
    "firing": _firing,
    "fresh": _fresh,
    "trusted": _trusted,
    "attempts": _attempts,
    "rejected": _unrejected,
    "pace": _pace,
    "tier": _tier,
    "confidence": _confidence,
}
NAMES = tuple(_GATES)  # in the order in which they are asked and told

_ENDS = {
    # To do nothing about an alert that fires is a decision as well: no log, no rule and no doubt
    # must talk us into it.
    NONE: ("answered", "action", "cited", "measured", "trusted", "confidence"),
    ESCALATE: ("answered", "action"),
}
NOTHING = _ENDS[NONE]  # what an answer to do nothing is asked
# Where these are closed, a yes of people would not help.
_HOPELESS = frozenset(
    {"action", "allowed", "target", "precondition", "firing", "fresh", "attempts"}
)
