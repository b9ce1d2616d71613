"""A problem: why a request was not answered as it was meant, in the form of RFC 9457."""

import sqlite3
from collections.abc import Mapping
from http import HTTPStatus
from typing import Final

from aiohttp import web

from orchestrator.errors import OrchestratorError

TYPE: Final = "application/problem+json"
UNAVAILABLE: Final = "the database cannot be used now; try again"
BROKEN: Final = "something of ours is broken; the log of the webhook has the whole"


class Problem(OrchestratorError):
    """A request that is refused; `detail` says what is wrong and what to do, for people."""

    def __init__(self, status: HTTPStatus, detail: str, **more: object) -> None:
        super().__init__(detail)
        self.status, self.detail, self.more = status, detail, more


def response(error: Exception) -> web.Response:
    """Return what the caller is told of *error*; of a fault of ours, nothing that is inside."""
    if isinstance(error, Problem):
        return _written(error.status, error.detail, error.more)
    if isinstance(error, web.HTTPException):
        status = HTTPStatus(error.status)
        detail = (error.text or "").strip()
        says_it = detail and not detail.startswith(f"{error.status}:")
        told = _written(status, detail if says_it else _SAID.get(status, status.description), {})
        kept = (each for each in error.headers.items() if not each[0].startswith("Content-"))
        told.headers.extend(kept)
        return told
    if isinstance(error, sqlite3.Error):
        return _written(HTTPStatus.SERVICE_UNAVAILABLE, UNAVAILABLE, {})
    return _written(HTTPStatus.INTERNAL_SERVER_ERROR, BROKEN, {})


_SAID = {
    HTTPStatus.NOT_FOUND: "there is nothing here; /api/docs tells what there is",
    HTTPStatus.METHOD_NOT_ALLOWED: "not with this method; /api/docs tells what there is",
}


def _written(status: HTTPStatus, detail: str, more: Mapping[str, object]) -> web.Response:
    about = {"type": "about:blank", "title": status.phrase, "status": int(status)}
    said = about | {"detail": detail or status.description} | dict(more)
    return web.json_response(said, status=status, content_type=TYPE)
