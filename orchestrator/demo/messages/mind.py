"""A mind: what answers in the place of a model."""

import json
from collections.abc import Callable, Mapping
from typing import Any

from orchestrator.demo.messages import evidence, gullible, reader
from orchestrator.demo.messages.asked import Asked
from orchestrator.demo.messages.step import Play, Step, answered, message

Mind = Callable[[Asked], Mapping[str, Any]]

MINDS: dict[str, Mind] = {
    "reader": lambda asked: reader.answer(evidence.read(asked)),
    "gullible": lambda asked: gullible.answer(asked, evidence.read(asked)),
}
TRIGGER = "ANTHROPIC_MAGIC_STRING_TRIGGER_REFUSAL"  # by which a refusal can be had of a real one


def thinking(mind: Mind, *, confidence: float | None = None, suffix: str = "") -> Play:
    """Answer with what *mind* says, and with its *confidence* when none is given.

    *suffix* is put behind the model's name in the answer.
    """

    def play(asked: Asked) -> Step:
        if TRIGGER in asked.text:
            details = {"type": "refusal", "category": None, "explanation": None}
            refusal = message(asked, blocks=[], stop_reason="refusal", stop_details=details)
            return answered({**refusal, "model": f"{asked.model}{suffix}"})
        said = dict(mind(asked))
        if confidence is not None:
            said["confidence"] = confidence
        content = message(asked, text=json.dumps(said))
        return answered({**content, "model": f"{asked.model}{suffix}"})

    return play
