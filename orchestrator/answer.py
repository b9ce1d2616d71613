"""An answer: what came back from one question to a project, or why nothing usable did."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Reason(StrEnum):
    """What was wrong with an answer; bounded, for it becomes a label."""

    REFUSED = "refused"
    TIMEOUT = "timeout"
    NAME = "name"  # the host's name does not resolve
    TLS = "tls"
    CONNECTION = "connection"  # no route, reset, cut off, not HTTP
    REDIRECT = "redirect"
    STATUS = "status"  # answered, and not with 200
    TOO_LARGE = "too_large"
    BODY = "body"  # 200, and not what the endpoint contract says
    CONTENT_TYPE = "content_type"  # right, but labelled as something else
    VALUE = "value"  # a figure that cannot be: not a number, negative, beyond its bounds


IN_WORDS = {
    Reason.REFUSED: "it refuses connections",
    Reason.TIMEOUT: "it does not answer in time",
    Reason.NAME: "its name does not resolve",
    Reason.TLS: "its certificate or its TLS is not to be trusted",
    Reason.CONNECTION: "the connection fails",
    Reason.REDIRECT: "it answers with a redirect, and none is followed",
    Reason.STATUS: "it answers with an error",
    Reason.TOO_LARGE: "its answer is larger than 64 KiB",
    Reason.BODY: "it answers what the contract does not know",
    Reason.CONTENT_TYPE: "its answer has a wrong Content-Type",
    Reason.VALUE: "it reports a figure that cannot be",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One answer; `reason` is None exactly when it is a whole one with status 200."""

    reason: Reason | None
    status: int = 0  # of HTTP; 0 when it did not come to that
    media_type: str = ""  # of Content-Type, in lower case and without parameters
    body: bytes = b""
    seconds: float = 0.0

    @property
    def is_json(self) -> bool:
        """Whether it is labelled as JSON; an answer without a label passes for it."""
        return self.media_type in {"", "application/json"} or self.media_type.endswith("+json")


def decoded(body: bytes) -> object:
    """Decode JSON of one meaning; raise ValueError.

    Python's decoder would take NaN and infinity, and the last of two equal keys; here each is a
    mistake, and so is nesting beyond what it can follow.
    """
    try:
        return _DECODER.decode(body.decode())
    except RecursionError as error:
        raise ValueError("nested too deep") from error


def _once_each(pairs: list[tuple[str, object]]) -> Mapping[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key stands twice")
    return found


def _no_number(name: str) -> object:
    raise ValueError(f"{name} is no number of JSON")


_DECODER = json.JSONDecoder(object_pairs_hook=_once_each, parse_constant=_no_number)
