"""A decision: what a person says to a question, kept if the question still stands."""

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from webhook.approval import Approval, Word
from webhook.case import Case
from webhook.store import approvals, work
from webhook.store.approvals import Undecidable

Moot = Callable[[Case], str | None]  # why a question need not be answered any more; None: it stands


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """What was said does not count, and nothing of it is kept."""

    reason: str
    unknown: bool = False  # there is no such question


def decide(
    db: sqlite3.Connection, number: int, word: Word, *, moot: Moot, at: datetime
) -> Refused | None:
    """Keep the *word* on question *number*, and wake its incident; None: it is kept.

    It is refused when somebody was faster, when the question has expired or does not stand any
    more, and when it is another one than the person saw. What is refused without having been
    decided wakes its incident, too: the next step withdraws it, and nobody goes on being asked.
    """
    asked = approvals.numbered(db, number)
    if asked is None:
        return Refused(reason=f"there is no approval {number}", unknown=True)
    why_not = _why_not(db, asked, word, moot, at)
    if why_not is None:
        try:
            approvals.decide(db, number, word.decision, by=word.by, why=word.reason, at=at)
        except Undecidable as error:
            why_not = str(error)
    if why_not is None:
        return None
    if asked.decision is None:
        approvals.wake(db, asked, at=at)
    return Refused(reason=why_not)


def _why_not(
    db: sqlite3.Connection, asked: Approval, word: Word, moot: Moot, at: datetime
) -> str | None:
    """Say what its own row does not know of why a question cannot be answered any more."""
    if asked.decision is not None or asked.expires_at <= at:
        return None
    if word.bound not in (None, asked.bound):
        return f"approval {asked.id} is not what you looked at; look again"
    case = work.look(db, asked.incident)
    if case is None or case.approval != asked:
        return f"approval {asked.id} is off: its action does not wait any more"
    off = moot(case)
    return None if off is None else f"approval {asked.id} is off: {off}"
