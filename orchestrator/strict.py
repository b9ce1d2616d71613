"""Strict YAML: a file is what its shape says, or every mistake in it is named by its path."""

import difflib
import re
from collections import Counter
from collections.abc import Hashable
from pathlib import Path
from typing import Any, TypeVar, get_args, get_origin, get_type_hints
from urllib.parse import urlsplit

import yaml
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails
from yarl import URL

from orchestrator.errors import OrchestratorError

HAS_LOGIN = "holds a user name or password; keep those out of URLs"

Shape = TypeVar("Shape", bound=BaseModel)
Item = TypeVar("Item")


class Mistaken(OrchestratorError):
    """The file cannot be used; `mistakes` has a line each."""

    def __init__(self, mistakes: list[str]) -> None:
        super().__init__("\n".join(mistakes))
        self.mistakes = mistakes


def text(path: Path) -> str:
    """Read a file as UTF-8; raise Mistaken, saying why it cannot be read."""
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise Mistaken([error.strerror or str(error)]) from error
    except UnicodeDecodeError as error:
        raise Mistaken([f"not UTF-8: {error.reason} at byte {error.start}"]) from error


def parse(written: str, shape: type[Shape]) -> Shape:
    """Decode YAML; an empty file is an empty mapping. Raises Mistaken with all that is wrong."""
    try:
        raw = yaml.load(written, Loader=_OnceEachKey)  # noqa: S506  a SafeLoader
    except (yaml.YAMLError, *_CONSTRUCTORS_RAISE) as error:
        said = " ".join(str(error).split()).replace('in "<unicode string>",', "at")
        raise Mistaken([said]) from error
    return shaped({} if raw is None else raw, shape)


def shaped(raw: object, shape: type[Shape]) -> Shape:
    """Give *raw* its shape; raise Mistaken with all that is wrong."""
    try:
        return shape.model_validate(raw)
    except ValidationError as error:
        raise Mistaken([_mistake(found, shape) for found in error.errors()]) from error
    except RecursionError as error:
        raise Mistaken(["nested too deep"]) from error


def name(raw: str) -> str:
    """Return *raw* when it can be a label, a path segment and a file name; raise ValueError."""
    if not re.fullmatch(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?", raw):
        raise ValueError(f"{raw!r} is not a name; use a-z, 0-9 and inner hyphens, 63 at most")
    return raw


def url(raw: str) -> str:
    """Return *raw* as it is asked, without a slash at its end; raise ValueError for no HTTP URL."""
    asked = URL()
    try:
        parts = urlsplit(raw)
        usable = parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0
        asked = URL(raw)  # what will be asked in the end
        usable = usable and bool(asked.host)
        secret = parts.username is not None
    except ValueError:
        usable = secret = False
    if secret or ("@" in raw and not usable):
        raise ValueError(HAS_LOGIN)  # which does not repeat it
    if not usable:
        raise ValueError(f"{raw!r} is not a URL like http://127.0.0.1:3010")
    return str(asked).rstrip("/")


def some(items: tuple[Item, ...]) -> tuple[Item, ...]:
    """Return *items* when there are any; raise ValueError."""
    if not items:
        raise ValueError("must not be empty")
    return items


def each_once(names: list[str], what: str) -> None:
    """Raise ValueError when a name stands twice; *what* says whose identity it is."""
    twice = sorted(name for name, times in Counter(names).items() if times > 1)
    if twice:
        raise ValueError(f"{', '.join(twice)} stands twice; a {what}'s name is its identity")


# libyaml reads 5,000 projects in half a second, Python alone in two and with twice the memory
_Safe = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


# by what stands after a tag: `!!int x`, `!!bool x`, `!!timestamp x`; and nesting without end
_CONSTRUCTORS_RAISE = (ValueError, LookupError, AttributeError, TypeError, RecursionError)


class _OnceEachKey(_Safe):  # type: ignore[misc, valid-type]  # either of the two
    """YAML that refuses a key written twice, where plain YAML would drop the first in silence."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:  # noqa: FBT001, FBT002  yaml's signature
        seen: set[str] = set()
        for key in (key for key, _ in node.value if isinstance(key, yaml.ScalarNode)):
            if key.value in seen:
                raise yaml.constructor.ConstructorError(
                    None, None, f"key {key.value!r} stands twice", key.start_mark
                )
            seen.add(key.value)
        made: dict[Hashable, Any] = super().construct_mapping(node, deep)
        return made


_SAYINGS = {
    "missing": "is missing",
    "list_type": "must be a list",
    "tuple_type": "must be a list",
    "dict_type": "must be a mapping of keys to values",
    "model_type": "must be a mapping of keys to values",
    "dataclass_type": "must be a mapping of keys to values",
    "string_type": "must be text; put it in quotes",
    "too_short": "must not be empty",
}
_UNKNOWN_KEY = {"extra_forbidden", "unexpected_keyword_argument"}


def _mistake(found: ErrorDetails, shape: type[BaseModel]) -> str:
    steps = [f"[{step}]" if isinstance(step, int) else f".{step}" for step in found["loc"]]
    path = "".join(steps).lstrip(".") or "the file"
    if found["type"] in _UNKNOWN_KEY:
        return f"{path}: unknown key{_known_instead(found['loc'], shape)}"
    said = _SAYINGS.get(found["type"]) or found["msg"].removeprefix("Value error, ")
    return f"{path}: {said[0].lower()}{said[1:]}"


def _known_instead(loc: tuple[int | str, ...], shape: Any) -> str:  # noqa: ANN401  a type hint of any kind
    keyed = False  # whether the next step is a key of the user's own
    for step in loc[:-1]:
        if keyed or isinstance(step, int):
            keyed = False
            continue
        hint = get_type_hints(shape)[step]
        keyed = get_origin(hint) is dict
        shape = next(each for each in (*get_args(hint), hint) if hasattr(each, "__annotations__"))
    known = [name for name in get_type_hints(shape) if not name.endswith(("model_config", "__"))]
    close = difflib.get_close_matches(str(loc[-1]), known, n=1)
    return f", did you mean {close[0]}?" if close else f"; known here: {', '.join(known)}"
