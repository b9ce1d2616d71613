"""A rerun: a recorded analysis once more, from what was stored of it, and what is different.

The evidence, the request, the answer and the decision are made anew by the code as it is now. What
only that hour knew, whether the alert fired or an attempt was left, is taken as the gates noted it.
"""

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final

from webhook.analyzer import gate, prompt
from webhook.analyzer.analysis import Analysis, By, Decision, Gate
from webhook.analyzer.answer import Answer
from webhook.analyzer.confidence import BLANK
from webhook.analyzer.gate import AGAIN, FRESH, Hearing
from webhook.catalogue import CATALOGUE
from webhook.evaluation.unpacked import unpacked
from webhook.evidence.item import Pack
from webhook.evidence.pack import digest, wire

AS_THEN: Final = "it was so then"
LATER: Final = timedelta(seconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """What was stored of an analysis."""

    analysis: Analysis
    evidence: str
    request: bytes  # of the last call; empty where none was made
    gates: tuple[Gate, ...]
    effective: float | None  # None: nothing was decided


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One part of it, then and now."""

    name: str
    then: str
    now: str

    @property
    def same(self) -> bool:
        """Whether nothing has changed."""
        return self.then == self.now


Variant = Callable[[Pack], Pack]  # a form in which a pack may have been sent, too


def rerun(
    recorded: Recorded, answer: Answer | None, *, variants: Sequence[Variant] = ()
) -> list[Part]:
    """Make every part anew, and set it beside what it was; *answer* is the one of now."""
    pack = unpacked(recorded.evidence)
    parts = [Part(name="evidence", then=recorded.analysis.evidence, now=digest(pack))]
    if recorded.request:
        forms = [pack, *(each(pack) for each in variants)]
        parts.append(_request(recorded.request, forms))
    was = told(recorded.analysis.answer)
    parts.append(Part(name="answer", then=was, now=told(answer)))
    if recorded.analysis.decision is not None:
        then, now = recorded.analysis.decision, decided(recorded, pack, answer)
        parts.append(Part(name="decision", then=str(then), now=str(now)))
    return parts


def told(answer: Answer | None) -> str:
    """Say in short what an answer is."""
    if answer is None:
        return "none"
    return f"{answer.action} against {answer.root_cause_category}, {answer.confidence:g} sure"


def _request(then: bytes, forms: Sequence[Pack]) -> Part:
    """Compare what was sent with what would be sent now, in any form that it may have had."""
    was = json.loads(then)
    made = [
        prompt.written(
            prompt.body(
                wire(each),
                model=was["model"],
                effort=was["output_config"]["effort"],
                instance=was["metadata"]["user_id"],
                max_tokens=was["max_tokens"],
            )
        )
        for each in forms
    ]
    now = then if then in made else made[0]
    return Part(name="request", then=_hash(then), now=_hash(now))


def _hash(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()


def decided(recorded: Recorded, pack: Pack, answer: Answer | None) -> Decision:
    """Return what would be decided on *answer*."""
    if recorded.analysis.decision is Decision.PLAYBOOK and recorded.analysis.by is By.RULES:
        return Decision.PLAYBOOK
    return gate.judge(_hearing(recorded, pack, answer)).decision


def _hearing(recorded: Recorded, pack: Pack, answer: Answer | None) -> Hearing:
    held = {each.name: each.passed for each in recorded.gates}
    analysis = replace(recorded.analysis, answer=answer)
    late, same = FRESH + LATER, answer == recorded.analysis.answer

    def unless(name: str) -> str | None:
        return None if held.get(name, True) else AS_THEN

    return Hearing(
        analysis=analysis,
        catalogue=frozenset(CATALOGUE),
        allowed=pack.subject.allowed,
        lack=unless("precondition"),
        objection=unless("firing"),
        spent=unless("attempts"),
        asks=unless("tier"),
        disruptive=False,  # what that took then, the gate of the tier has noted
        record=BLANK,
        calibrated=_calibrated(recorded, answer, same=same),
        auto_above=_above(held, same=same),
        lately=(0, 0) if held.get("pace", True) else (AGAIN, AGAIN),
        now=analysis.asked_at + (timedelta(0) if held.get("fresh", True) else late),
    )


def _calibrated(recorded: Recorded, answer: Answer | None, *, same: bool) -> float:
    if same and recorded.effective is not None:
        return recorded.effective
    return answer.confidence if answer else 0.0


def _above(held: dict[str, bool], *, same: bool) -> float:
    """Return a limit on the side of which the confidence was; for another answer, the usual one."""
    if same and "confidence" in held:
        return -1.0 if held["confidence"] else 1.0
    return 0.7
