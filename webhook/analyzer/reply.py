"""A reply of a model, read strictly: it is an answer in every detail, or it is none."""

import json
import re
from typing import Annotated, Final, Never

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from orchestrator.errors import OrchestratorError
from webhook.analyzer.answer import ESCALATE, NONE, Alternative, Answer, Category, Claim, Target
from webhook.catalogue import CATALOGUE
from webhook.plain import cut

ACTIONS: Final = (*CATALOGUE, NONE, ESCALATE)  # commands of orchestrator.yml are never offered
LACKING: Final = (  # what a model may say that it would have needed
    "metrics",
    "status",
    "history",
    "logs",
    "runbook",
    "deployments",
    "dependencies",
    "configuration",
)
BYTES: Final = 20 * 1024
CLAIMS, IDS, ALTERNATIVES = 12, 20, 8  # at most
SENTENCE: Final = 1_000  # characters
_LINK: Final = re.compile(r"(?i)(?P<name>www)\.|://")  # what programs make a link of by themselves


class Malformed(OrchestratorError):
    """A reply that is no answer; its text never repeats what stands in it."""


_Sentence = Annotated[str, Field(min_length=1, max_length=SENTENCE)]
_Id = Annotated[str, Field(pattern=r"^[A-Z][0-9]{1,3}$")]
_Action = Annotated[str, Field(pattern=f"^(?:{'|'.join(ACTIONS)})$")]
_Lacking = Annotated[str, Field(pattern=f"^(?:{'|'.join(LACKING)})$")]


class _Written(BaseModel):
    """No key that is not known, and nothing turned into what it should have been."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, hide_input_in_errors=True)


class _Claim(_Written):
    claim: _Sentence
    evidence_ids: Annotated[tuple[_Id, ...], Field(max_length=IDS)]


class _Alternative(_Written):
    cause: Category
    why_not: _Sentence


class _Answer(_Written):
    rationale: Annotated[tuple[_Claim, ...], Field(min_length=1, max_length=CLAIMS)]
    alternatives: Annotated[tuple[_Alternative, ...], Field(max_length=ALTERNATIVES)]
    root_cause_category: Category
    root_cause: _Sentence
    action: _Action
    target_ref: Target
    confidence: Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
    missing_evidence: Annotated[tuple[_Lacking, ...], Field(max_length=len(LACKING))]
    suspicious_text: bool


def read(text: str) -> Answer:
    """Read the text of a reply; raise Malformed for all that is not exactly an answer.

    Nothing is mended: a confidence of 1.7 is not cut to 1, for who writes it did not mean 1. But no
    sentence links anywhere any more: people are to read it, and not to follow it.
    """
    try:
        if len(text.encode()) > BYTES:
            raise Malformed(f"longer than {BYTES} bytes")
        json.loads(text, object_pairs_hook=once, parse_constant=_no_number)
        return _answer(_Answer.model_validate_json(text))
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        raise Malformed(f"{_place(first['loc'])}: {first['type']}") from None
    except RecursionError:
        raise Malformed("nested too deep") from None
    except ValueError as error:
        raise Malformed(f"no JSON: {type(error).__name__}") from None


def unlinked(text: str) -> str:
    """Return *text* with its addresses written so that nothing makes links of them."""
    return _LINK.sub(lambda found: f"{found['name']}[.]" if found["name"] else "[:]//", text)


def _sentence(written: str) -> str:
    return cut(unlinked(written), SENTENCE)


def _answer(written: _Answer) -> Answer:
    return Answer(
        rationale=tuple(
            Claim(claim=_sentence(each.claim), evidence_ids=each.evidence_ids)
            for each in written.rationale
        ),
        alternatives=tuple(
            Alternative(cause=each.cause, why_not=_sentence(each.why_not))
            for each in written.alternatives
        ),
        root_cause_category=written.root_cause_category,
        root_cause=_sentence(written.root_cause),
        action=written.action,
        target_ref=written.target_ref,
        confidence=written.confidence,
        missing_evidence=written.missing_evidence,
        suspicious_text=written.suspicious_text,
    )


def once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """Make an object of JSON; raise Malformed where a key stands twice: readers would differ."""
    if len({key for key, _ in pairs}) < len(pairs):
        raise Malformed("a key stands twice")
    return dict(pairs)


def _no_number(_: str) -> Never:
    raise Malformed("NaN or an infinity")


def _place(loc: tuple[int | str, ...]) -> str:
    """Name the place by what we know of it: an unknown key is a stranger's text."""
    known = set(_Answer.model_fields) | set(_Claim.model_fields) | set(_Alternative.model_fields)
    steps = [str(each) if isinstance(each, int) or each in known else "?" for each in loc]
    return ".".join(steps) or "the whole"
