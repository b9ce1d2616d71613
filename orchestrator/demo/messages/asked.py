"""What was asked: one request to the stand-in, as it came over the wire."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

MESSAGES, COUNT = "/v1/messages", "/v1/messages/count_tokens"
BYTES_PER_TOKEN = 3  # about what English and JSON have; the real count is a secret of the model


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One request. What is not there, or is of another type, is empty here."""

    id: str  # of this request alone; answers are numbered by it
    path: str
    headers: Mapping[str, str]  # as they came; the names in any case
    raw: bytes
    body: Mapping[str, Any] = field(default_factory=dict)  # {} when it is no JSON object

    @property
    def model(self) -> str:
        """The model that is to answer."""
        model = self.body.get("model")
        return model if isinstance(model, str) else ""

    @property
    def system(self) -> str:
        """The text of the system prompt."""
        return "\n".join(_texts(self.body.get("system")))

    @property
    def text(self) -> str:
        """The text of all turns, in their order."""
        turns = self.body.get("messages")
        contents = [turn.get("content") for turn in _objects(turns)]
        return "\n".join(text for content in contents for text in _texts(content))

    @property
    def tokens(self) -> int:
        """About how many tokens it has."""
        return tokens(self.raw)


def tokens(raw: bytes) -> int:
    """Return about how many tokens *raw* has, at least one."""
    return max(1, -(-len(raw) // BYTES_PER_TOKEN))


def _texts(content: object) -> Iterator[str]:
    """Tell the texts of a content, which is a text or a list of blocks."""
    if isinstance(content, str):
        yield content
    for block in _objects(content):
        text = block.get("text")
        if isinstance(text, str):
            yield text


def _objects(content: object) -> list[Mapping[str, Any]]:
    entries = content if isinstance(content, list) else []
    return [each for each in entries if isinstance(each, dict)]
