"""The schema of an answer: what structured output can be held to, and what it cannot."""

import json
from collections.abc import Iterator
from typing import Any

SIZE_LIMIT = 16 * 1024  # bytes; beyond about that, the real one says that it is too complex
DEPTH_LIMIT = 10  # objects and lists within each other
UNSUPPORTED = (  # the real one refuses these; an SDK's transform moves them into the description
    *("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"),
    *("minLength", "maxLength", "pattern", "maxItems", "uniqueItems", "oneOf", "not"),
)


def mistakes(schema: object, *, where: str) -> Iterator[str]:
    """Tell what the real API refuses in *schema*, each with its place."""
    if not isinstance(schema, dict):
        yield f"{where}: Field required"
        return
    if len(json.dumps(schema)) > SIZE_LIMIT:
        yield f"{where}: Schema is too complex"
        return
    yield from _within(schema, where, 0)


def _within(schema: dict[str, Any], where: str, depth: int) -> Iterator[str]:
    if depth > DEPTH_LIMIT:
        yield f"{where}: Schema is too complex"
        return
    yield from _own(schema, where)
    for name, inner in _inner(schema):
        if isinstance(inner, dict):
            yield from _within(inner, f"{where}.{name}", depth + 1)


def _own(schema: dict[str, Any], where: str) -> Iterator[str]:
    for keyword in UNSUPPORTED:
        if keyword in schema:
            yield f"{where}: property '{keyword}' is not supported"
    if schema.get("minItems", 0) not in {0, 1}:
        yield f"{where}: 'minItems' values other than 0 or 1 are not supported"
    if schema.get("type") == "object" and schema.get("additionalProperties") is not False:
        yield f"{where}: For 'object' type, 'additionalProperties' must be explicitly set to false"


def _inner(schema: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    for keyword in ("properties", "$defs"):
        part = schema.get(keyword)
        if isinstance(part, dict):
            yield from ((f"{keyword}.{name}", each) for name, each in part.items())
    yield "items", schema.get("items")
    for keyword in ("anyOf", "allOf"):
        part = schema.get(keyword)
        if isinstance(part, list):
            yield from ((f"{keyword}.{number}", each) for number, each in enumerate(part))
