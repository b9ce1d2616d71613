"""Pieces of evidence as the API shows them: as the model had them, and in a line for people."""

from collections.abc import Iterator, Mapping, Sequence
from typing import cast

from pydantic import JsonValue

from webhook.api.operation import Answer
from webhook.plain import cut, line

WORD, TEXT = 100, 4_000  # characters
SAID = 240  # of a piece, in a line
DEEP = 8  # levels
TITLES = ("question", "template", "text", "opened_at")  # say by themselves what they are
TELLING = ("last", "unit", "min", "max", "mean", "change", "level", "count", "minutes", "ended")


class PieceShown(Answer):
    """A piece of evidence, as the model had it."""

    id: str
    source: str
    trust: str  # config, measured or untrusted
    content: dict[str, JsonValue]
    said: str  # its content in a line for people


class LackShown(Answer):
    """A source that told nothing."""

    source: str
    lack: str  # no_data, error or timeout
    why: str


class Evidence(Answer):
    """All that was known."""

    allowed: list[str]
    tried: list[str]
    items: list[PieceShown]
    missing: list[LackShown]
    omitted: int


def evidence(pack: Mapping[str, object]) -> Evidence:
    """Show a pack as it was kept; of one that was let go of, nothing."""
    head = cast("Mapping[str, object]", pack.get("about") or {})
    return Evidence(
        allowed=_words(head.get("allowed_actions")),
        tried=_words(head.get("tried")),
        items=[_piece(each) for each in _objects(pack.get("evidence"))],
        missing=[
            LackShown(source=_word(each, "source"), lack=_word(each, "status"), why=_why(each))
            for each in _objects(pack.get("missing"))
        ],
        omitted=cast("int", pack.get("omitted") or 0),
    )


def _piece(of: Mapping[str, object]) -> PieceShown:
    shown = content(cast("Mapping[str, object]", of.get("content") or {}))
    parts = (*_titles(shown), ", ".join(_told(_sorted(shown))))
    return PieceShown(
        id=_word(of, "id"),
        source=_word(of, "source"),
        trust=_word(of, "trust"),
        content=shown,
        said=cut(": ".join(filter(None, parts)), SAID),
    )


def _why(of: Mapping[str, object]) -> str:
    return line(str(of.get("why", "")), TEXT)


def _objects(many: object) -> list[Mapping[str, object]]:
    return cast("list[Mapping[str, object]]", many or [])


def _words(many: object) -> list[str]:
    return [line(str(each), WORD) for each in cast("list[object]", many or [])]


def _word(of: Mapping[str, object], name: str) -> str:
    return line(str(of.get(name, "")), WORD)


def content(of: Mapping[str, object], deep: int = DEEP) -> dict[str, JsonValue]:
    """Return plain JSON with every text of it masked and in one line."""
    return {line(str(name), WORD): _shown(each, deep) for name, each in of.items()}


def _shown(value: object, deep: int) -> JsonValue:
    if isinstance(value, str):
        return line(value, TEXT)
    if value is None or isinstance(value, bool | int | float):
        return value
    if deep == 0:
        return "..."
    if isinstance(value, Mapping):
        return content(value, deep - 1)
    return [_shown(each, deep - 1) for each in cast("Sequence[object]", value)]


def _titles(of: Mapping[str, JsonValue]) -> Iterator[str]:
    yield from (_spoken(of[name]) for name in TITLES if of.get(name))


def _sorted(of: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
    """Return the rest of it: what tells most comes first, the others as they are."""
    first = {name: of[name] for name in TELLING if name in of}
    return {name: each for name, each in {**first, **of}.items() if name not in TITLES}


def _told(of: Mapping[str, JsonValue]) -> Iterator[str]:
    """Say each thing that a piece has, by its name; what is nothing is passed over."""
    for name, value in of.items():
        if value is None or value in ("", [], {}):
            continue
        yield f"{name.replace('_', ' ')} {_spoken(value)}"


def _spoken(value: JsonValue) -> str:
    if isinstance(value, dict):
        return f"({', '.join(_told(value))})"
    if isinstance(value, list):
        return "; ".join(_spoken(each) for each in value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:g}" if isinstance(value, float) else str(value)
