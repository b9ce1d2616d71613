"""The course of a question: what follows a call that brought no answer."""

from collections import Counter
from collections.abc import Sequence
from enum import StrEnum
from typing import Final

from webhook.analyzer.call import Ended, Outcome

FIRST: Final = 0.5  # seconds before a second try, then 1, 2, ...
LONGEST: Final = 8.0
JITTER: Final = 0.25  # of the wait at most is taken away, so that many do not come back at once

TRIES: Final = {  # at one model, when a call ended so; what is not here is not tried again
    Outcome.RATE_LIMITED: 3,
    Outcome.OVERLOADED: 3,
    Outcome.SERVER_ERROR: 3,
    Outcome.CONNECTION: 2,  # each may be billed
    Outcome.MALFORMED: 2,  # of all calls, for each is billed
}
ELSEWHERE: Final = frozenset({Outcome.RATE_LIMITED, Outcome.OVERLOADED, Outcome.TIMEOUT})
SILENT: Final = frozenset(  # no answer, which is what a circuit counts
    {
        Outcome.RATE_LIMITED,
        Outcome.OVERLOADED,
        Outcome.SERVER_ERROR,
        Outcome.CONNECTION,
        Outcome.TIMEOUT,
    }
)
REFUSES_US: Final = frozenset({Outcome.AUTH, Outcome.QUOTA})  # whatever model is asked
WORDS: Final = {  # what people are told of a call, behind the name of its model
    Outcome.REFUSAL: "refused to answer",
    Outcome.TRUNCATED: "gave an answer that was cut off",
    Outcome.MALFORMED: "gave an answer that is none",
    Outcome.UNEXPECTED_STOP: "ended for a reason that is not known here",
    Outcome.RATE_LIMITED: "limits how often it is asked",
    Outcome.OVERLOADED: "is overloaded",
    Outcome.TIMEOUT: "did not answer in time",
    Outcome.CONNECTION: "could not be reached",
    Outcome.SERVER_ERROR: "failed",
    Outcome.AUTH: "refuses our key",
    Outcome.QUOTA: "says that the limit of what may be spent there is reached",
    Outcome.BAD_REQUEST: "did not accept the request",
}


class Next(StrEnum):
    """What to do after a call."""

    DONE = "done"
    AGAIN = "again"  # the same once more
    WITHOUT_LOGS = "without_logs"  # once more, and the text of strangers stays here
    OTHER = "other"  # ask the fallback model
    STOP = "stop"  # no model will do better


def after(calls: Sequence[Ended]) -> Next:
    """Say what follows the last of *calls*, which are all calls of one question, in order."""
    last = calls[-1]
    if last.outcome is Outcome.OK:
        return Next.DONE
    if last.outcome is Outcome.REFUSAL:
        refusals = Counter(each.outcome for each in calls)[Outcome.REFUSAL]
        return Next.WITHOUT_LOGS if last.refusal == "cyber" and refusals == 1 else Next.STOP
    billed = last.outcome is Outcome.MALFORMED
    alike = [
        each
        for each in calls
        if each.outcome is last.outcome and (billed or each.model == last.model)
    ]
    if len(alike) < TRIES.get(last.outcome, 0):
        return Next.AGAIN
    return Next.OTHER if last.outcome in ELSEWHERE else Next.STOP


def wait(calls: Sequence[Ended], chance: float) -> float:
    """Return how many seconds to wait before the same model is asked again; *chance* is 0..1."""
    last = calls[-1]
    if last.outcome is Outcome.MALFORMED:
        return 0.0
    if last.retry_after is not None:
        return last.retry_after
    failed = sum(1 for each in calls if each.model == last.model and each.outcome in SILENT)
    return min(FIRST * 2.0 ** (failed - 1), LONGEST) * (1 - JITTER * chance)
