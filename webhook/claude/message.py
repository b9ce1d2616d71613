"""A message: what stands in the body of an answer with status 200, read by ourselves.

The SDK takes `{}` for a message full of nothing, `[1]` for a list, and a page of HTML for a text.
"""

import json
from dataclasses import dataclass
from typing import Any, Final

from webhook.analyzer import reply
from webhook.analyzer.answer import Answer
from webhook.analyzer.call import Outcome
from webhook.analyzer.price import Usage
from webhook.analyzer.reply import Malformed
from webhook.plain import cut, line, printable

NAME: Final = 100  # characters of an id or a name that are kept
TOKENS: Final = 100_000_000  # no count is larger
CATEGORIES: Final = frozenset(
    {"cyber", "bio", "frontier_llm", "reasoning_extraction", "general_harms"}
)
UNNAMED: Final = "other"  # a category that is not known, or none

_STOPPED: Final = {
    "end_turn": Outcome.OK,
    "refusal": Outcome.REFUSAL,
    "max_tokens": Outcome.TRUNCATED,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """What a model sent. Everything in it is a stranger's text."""

    id: str = ""
    model: str = ""
    texts: tuple[str, ...] = ()
    stop_reason: str = ""
    stopped: Outcome = Outcome.UNEXPECTED_STOP  # what that makes of it
    refusal: str = ""  # the category of a refusal
    usage: Usage | None = None  # None: it tells of none that makes sense

    def answer(self) -> Answer:
        """Return the answer in it; raise Malformed unless one text is all that it says."""
        if len(self.texts) != 1:
            raise Malformed(f"{len(self.texts)} texts instead of one")
        return reply.read(self.texts[0])


def read(body: bytes) -> Message:
    """Read a body; raise Malformed when it is no message at all.

    Blocks of other kinds beside the text, thinking above all, are left out.
    """
    try:
        found = json.loads(body, object_pairs_hook=reply.once)
    except (ValueError, RecursionError):
        raise Malformed("the body is no JSON") from None
    match found:
        case {"id": str(id_), "model": str(model), "content": list(content), **rest}:
            stop = rest.get("stop_reason")
            said = stop if isinstance(stop, str) else ""
            return Message(
                id=_short(id_),
                model=cut(reply.unlinked(line(model[: 4 * NAME], NAME)), NAME),
                texts=tuple(_texts(content)),
                stop_reason=_short(said),
                stopped=_STOPPED.get(said, Outcome.UNEXPECTED_STOP),
                refusal=_category(rest.get("stop_details")) if stop == "refusal" else "",
                usage=_believed(_usage(rest.get("usage")), content),
            )
        case _:
            raise Malformed("the body is no message")


def _short(name: str) -> str:
    return cut(printable(name[: 4 * NAME]), NAME)


def _texts(content: list[Any]) -> list[str]:
    said = [each for each in content if isinstance(each, dict) and each.get("type") == "text"]
    return [text for each in said if isinstance(text := each.get("text"), str)]


def _category(details: object) -> str:
    match details:
        case {"category": str(category)} if category in CATEGORIES:
            return category
        case _:
            return UNNAMED


def _believed(usage: Usage | None, content: list[Any]) -> Usage | None:
    """Return *usage* unless it says that what was said cost nothing to ask, or to say."""
    free = usage is not None and not (usage.prompt and usage.output)
    return None if free and content else usage


def _usage(found: object) -> Usage | None:
    """Read the counts; one that makes no sense makes none of them trustworthy."""
    if not isinstance(found, dict):
        return None
    parts = found.get("cache_creation") or {}
    details = found.get("output_tokens_details") or {}
    try:
        written = _count(found, "cache_creation_input_tokens")
        short = _count(parts, "ephemeral_5m_input_tokens")
        return Usage(
            input=_count(found, "input_tokens"),
            cache_read=_count(found, "cache_read_input_tokens"),
            write_5m=short,
            # what is not told apart is taken for what costs most
            write_1h=max(written - short, _count(parts, "ephemeral_1h_input_tokens")),
            output=_count(found, "output_tokens"),
            thinking=_count(details, "thinking_tokens"),
        )
    except ValueError:
        return None


def _count(found: object, name: str) -> int:
    count = found.get(name) if isinstance(found, dict) else name
    if count is None and name not in {"input_tokens", "output_tokens"}:
        return 0
    if type(count) is not int or not 0 <= count <= TOKENS:
        raise ValueError(name)
    return count
