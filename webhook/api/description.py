"""The description of the API in OpenAPI 3.1, made of the tables of operations."""

import re
from collections.abc import Iterable, Iterator, Mapping
from http import HTTPStatus
from typing import Any

from aiohttp import web
from pydantic import BaseModel, ConfigDict
from pydantic.json_schema import models_json_schema

from webhook.api.operation import JSON, OTHERWISE, PATTERNS, Answer, Call, Operation, Table
from webhook.problem import TYPE
from webhook.token import ANYBODY, READERS

Json = dict[str, Any]

ABOUT = """What a person on duty asks of orchestrator, and tells it.

Callers show a token as `Authorization: Bearer TOKEN`, or as the password of HTTP Basic. Lists come
in pages: `next` is the cursor of the next one. Every refusal is a problem (RFC 9457) whose `detail`
says what is wrong."""

DESCRIPTION: web.AppKey[Json] = web.AppKey("description", dict)

table = Table("description")


class Refusal(Answer):
    """A problem (RFC 9457)."""

    model_config = ConfigDict(extra="allow", frozen=True)

    type: str
    title: str
    status: int
    detail: str  # what is wrong, and what to do


@table.get("/api/docs", roles=READERS)
async def describe_api(call: Call) -> web.Response:
    """Return this description."""
    return web.json_response(call.request.app[DESCRIPTION])


def describe(tables: Iterable[Table], *, version: str) -> Json:
    """Return the description of all operations of *tables*."""
    operations = [each for table in tables for each in table.operations]
    models: list[type[BaseModel]] = [Refusal]
    for made in operations:
        models += [each for each in (made.body, made.answer, *made.also.values()) if each]
    _, shapes = models_json_schema(
        [(each, _mode(each)) for each in dict.fromkeys(models)],
        ref_template="#/components/schemas/{model}",
    )
    paths: dict[str, Json] = {}
    for each in operations:
        paths.setdefault(each.path, {})[each.method.lower()] = _operation(each)
    return {
        "openapi": "3.1.0",
        "info": {"title": "orchestrator", "version": version, "description": ABOUT},
        "paths": paths,
        "components": {
            "schemas": shapes.get("$defs", {}),
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer"},
                "basic": {"type": "http", "scheme": "basic"},
            },
        },
    }


def _mode(model: type[BaseModel]) -> Any:  # noqa: ANN401  pydantic's own literal
    return "serialization" if issubclass(model, Answer) else "validation"


def _operation(of: Operation) -> Json:
    summary, _, rest = of.said.partition("\n")
    made: Json = {
        "operationId": of.name,
        "tags": [of.tag],
        "summary": summary,
        "parameters": [*_in_path(of.path), *_in_query(of)],
        "responses": _responses(of),
        "x-roles": None if of.roles is ANYBODY else sorted(of.roles),
        "security": [] if of.roles is ANYBODY else [{"bearer": []}, {"basic": []}],
    }
    if rest.strip():
        made["description"] = rest.strip()
    if of.body is not None:
        content = {JSON: {"schema": _named(of.body)}}
        made["requestBody"] = {"required": True, "content": content}
    return made


def _named(model: type[BaseModel]) -> Json:
    return {"$ref": f"#/components/schemas/{model.__name__}"}


def _in_path(path: str) -> Iterator[Json]:
    for name in re.findall(r"{(\w+)}", path):
        number: Json = {"type": "integer", "minimum": 0, "maximum": 10**18 - 1}
        text: Json = {"type": "string", "pattern": f"^{PATTERNS.get(name, OTHERWISE)}$"}
        schema = number if name == "id" else text
        yield {"name": name, "in": "path", "required": True, "schema": schema}


def _in_query(of: Operation) -> Iterator[Json]:
    shape: Json = of.query.model_json_schema(by_alias=True) if of.query else {}
    needed = shape.get("required", ())
    for name, schema in shape.get("properties", {}).items():
        said = {"description": schema.pop("description")} if "description" in schema else {}
        yield {
            "name": name,
            "in": "query",
            "required": name in needed,
            "schema": _present(schema),
            **said,
        }


# A bound behind a validator of ours, in the words of Pydantic; it is narrower than one before it.
_BOUNDS = {"ge": "minimum", "le": "maximum"}


def _present(schema: Json) -> Json:
    """Return the schema of what is written in a query, where nothing stands for null."""
    either = [each for each in schema.get("anyOf", ()) if each != {"type": "null"}]
    if len(either) > 1:
        return schema
    kept = {key: value for key, value in schema.items() if key not in ("anyOf", "title")}
    kept |= either[0] if either else {}
    for ours, proper in _BOUNDS.items():
        if ours in kept:
            kept[proper] = kept.pop(ours)
    if kept.get("default", 0) is None:
        del kept["default"]
    return kept


def _responses(of: Operation) -> Json:
    shown = {"schema": _named(of.answer)} if of.answer else {}
    good = {"description": of.status.phrase, "content": {of.produces: shown}}
    made: Json = {str(int(of.status)): good}
    for status in sorted({*of.refuses, *_refusals(of)}):
        made[str(status)] = _refused(HTTPStatus(status).phrase)
    for other, answer in of.also.items():
        content = {JSON: {"schema": _named(answer)}}
        made[str(int(other))] = {"description": other.phrase, "content": content}
    return made


def _refusals(of: Operation) -> Iterator[int]:
    """Yield what any operation of its kind may answer."""
    yield HTTPStatus.SERVICE_UNAVAILABLE
    if of.roles is not ANYBODY:
        yield from (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN)
    if of.query or of.body:
        yield HTTPStatus.BAD_REQUEST
    if "{" in of.path:
        yield HTTPStatus.NOT_FOUND
    if of.body:
        yield from (HTTPStatus.REQUEST_ENTITY_TOO_LARGE, HTTPStatus.UNSUPPORTED_MEDIA_TYPE)
        yield HTTPStatus.REQUEST_TIMEOUT


def _refused(what: str) -> Mapping[str, object]:
    return {"description": what, "content": {TYPE: {"schema": _named(Refusal)}}}
