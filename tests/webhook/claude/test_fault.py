"""What an answer that is no message means."""

import json
from datetime import timedelta
from email.utils import format_datetime

import pytest

from tests.webhook.make import NOW
from webhook.analyzer.call import Outcome
from webhook.claude.fault import cost, outcome, retry_after


def _body(message: str = "x", **details: object) -> bytes:
    return json.dumps({"error": {"message": message, "details": details}}).encode()


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (301, Outcome.BAD_REQUEST),
        (400, Outcome.BAD_REQUEST),
        (401, Outcome.AUTH),
        (402, Outcome.QUOTA),
        (403, Outcome.AUTH),
        (404, Outcome.BAD_REQUEST),
        (408, Outcome.SERVER_ERROR),
        (413, Outcome.BAD_REQUEST),
        (429, Outcome.RATE_LIMITED),
        (500, Outcome.SERVER_ERROR),
        (502, Outcome.SERVER_ERROR),
        (503, Outcome.OVERLOADED),
        (504, Outcome.SERVER_ERROR),
        (529, Outcome.OVERLOADED),
        (599, Outcome.SERVER_ERROR),
    ],
)
def test_a_status_has_one_meaning(status: int, expected: Outcome) -> None:
    assert outcome(status, _body()) is expected


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (429, _body(error_code="enforced_spend_limit_reached")),
        (429, _body(error_code="contract_spend_limit_reached")),
        (400, _body("You have reached your specified API usage limits. You will regain access")),
    ],
)
def test_a_spent_limit_is_found_behind_another_status(status: int, body: bytes) -> None:
    assert outcome(status, body) is Outcome.QUOTA


@pytest.mark.parametrize(
    "body",
    [
        *(b"", b"<html>", b"[]", b"{}", b'{"error": 1}', b'{"error": {"message": 1}}', b"\xff"),
        *(_body(), _body(error_code=7), b'{"error":{"message":"x","details":[]}}', b"[" * 50_000),
    ],
)
def test_an_error_of_any_shape_is_what_its_status_says(body: bytes) -> None:
    assert outcome(429, body) is Outcome.RATE_LIMITED


def test_only_who_surely_asked_no_model_is_taken_to_cost_nothing() -> None:
    free = {status for status in range(100, 600) if cost(status) == 0}
    assert free == {*range(300, 500), 500, 503, 529} - {408}
    assert {cost(status) for status in set(range(100, 600)) - free} == {None}


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": "3"}, 3.0),
        ({"retry-after": "0.3"}, 0.3),
        ({"retry-after-ms": "250"}, 0.25),
        ({"retry-after-ms": "250", "retry-after": "3"}, 0.25),
        ({"retry-after-ms": "soon", "retry-after": "3"}, 3.0),
        ({"retry-after": format_datetime(NOW + timedelta(seconds=90), usegmt=True)}, 90.0),
        ({"retry-after": "Sat, 21 Nov 2026 12:01:00 -0000"}, 60.0),
        ({"retry-after": "4294967"}, 4_294_967.0),
        *(
            ({"retry-after": each}, None)
            for each in (
                *("NaN", "nan", "-1", "0", "inf", "-inf", "1e999", "", " ", "soon", "9" * 400),
                "Wed, 21 Oct 2015 07:28:00 GMT",
                "Wed, 99 Oct 2015 07:28:00 GMT",
            )
        ),
    ],
)
def test_a_wait_is_read_in_each_of_its_forms(
    headers: dict[str, str], seconds: float | None
) -> None:
    assert retry_after(headers, NOW) == seconds
