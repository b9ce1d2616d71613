"""What a caller is told when a request is refused, and what it is never told."""

import json
import sqlite3
from http import HTTPStatus

import pytest
from aiohttp import web

from webhook import problem
from webhook.problem import TYPE, Problem


def _told(error: Exception) -> dict[str, object]:
    response = problem.response(error)
    assert response.content_type == "application/problem+json"
    told: dict[str, object] = json.loads(response.text or "")
    assert told["status"] == response.status
    return told


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (
            Problem(HTTPStatus.CONFLICT, "approval 3 was rejected by ann already", decision="no"),
            {
                "type": "about:blank",
                "title": "Conflict",
                "status": 409,
                "detail": "approval 3 was rejected by ann already",
                "decision": "no",
            },
        ),
        (
            web.HTTPBadRequest(text="that is no notification\n"),
            {
                "type": "about:blank",
                "title": "Bad Request",
                "status": 400,
                "detail": "that is no notification",
            },
        ),
        (
            web.HTTPNotFound(),
            {
                "type": "about:blank",
                "title": "Not Found",
                "status": 404,
                "detail": "there is nothing here; /api/docs tells what there is",
            },
        ),
        (
            sqlite3.OperationalError("disk I/O error in /var/lib/secret.db"),
            {
                "type": "about:blank",
                "title": "Service Unavailable",
                "status": 503,
                "detail": "the database cannot be used now; try again",
            },
        ),
        (
            ValueError("token=s3cret"),
            {
                "type": "about:blank",
                "title": "Internal Server Error",
                "status": 500,
                "detail": "something of ours is broken; the log of the webhook has the whole",
            },
        ),
    ],
)
def test_every_refusal_is_a_problem_that_says_what_is_wrong(
    error: Exception, told: dict[str, object]
) -> None:
    assert _told(error) == told


def test_what_a_client_needs_to_go_on_stays() -> None:
    refusal = web.HTTPUnauthorized(headers={"WWW-Authenticate": "Bearer"}, text="none")
    kept = problem.response(refusal).headers
    assert (kept["WWW-Authenticate"], kept["Content-Type"]) == ("Bearer", f"{TYPE}; charset=utf-8")


def test_who_asks_with_the_wrong_method_is_told_the_right_ones() -> None:
    refusal = web.HTTPMethodNotAllowed("PUT", ["GET", "HEAD"])
    assert problem.response(refusal).headers["Allow"] == "GET,HEAD"
