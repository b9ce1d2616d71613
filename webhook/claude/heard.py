"""What was heard: the end of one question to Claude, with all that it takes to replay it."""

from dataclasses import dataclass

from webhook.analyzer.answer import Answer
from webhook.evidence.item import Pack


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """An answer, or why there is none."""

    answer: Answer | None = None
    why: str = ""  # why there is none, for people; "" when there is one
    reason: str = ""  # the same as one of a few words, for the metrics
    model: str = ""  # as the answer names itself; "" without one
    messages: tuple[str, ...] = ()  # the ids of all that was answered, in order
    pack: Pack | None = None  # the last one that was sent; it may be without the log
    request: bytes = b""  # the last one that was sent, as webhook/analyzer/prompt.py writes it
    reply: bytes = b""  # the body of the last answer, as it came
    calls: int = 0  # made, whatever became of them
