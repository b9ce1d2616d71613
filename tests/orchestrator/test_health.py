"""What a project says of itself on `/health`, and what is made of it."""

from dataclasses import replace

import pytest

from orchestrator.answer import Answer, Reason
from orchestrator.health import Probe, State, judge, verdict

SLOW = 1.0  # seconds after which a healthy project is degraded

JSON = Answer(reason=None, status=200, media_type="application/json", seconds=0.25)
HEALTHY = b'{"status": "healthy"}'
BODIES: dict[str, tuple[bytes, State, Reason | None]] = {
    "healthy": (HEALTHY, State.HEALTHY, None),
    "degraded": (b'{"status": "degraded"}', State.DEGRADED, None),
    "paused": (b'{"status": "paused"}', State.PAUSED, None),
    "more than the contract asks for": (b'{"status": "healthy", "x": [1]}', State.HEALTHY, None),
    "no version": (b'{"status": "healthy", "version": null}', State.HEALTHY, None),
    "down": (b'{"status": "down"}', State.DOWN, Reason.BODY),
    "an unknown word": (b'{"status": "splendid"}', State.DOWN, Reason.BODY),
    "the word in capitals": (b'{"status": "HEALTHY"}', State.DOWN, Reason.BODY),
    "a word with a blank": (b'{"status": "healthy "}', State.DOWN, Reason.BODY),
    "two words": (b'{"status": "healthy", "status": "healthy"}', State.DOWN, Reason.BODY),
    "a list as status": (b'{"status": ["healthy"]}', State.DOWN, Reason.BODY),
    "a mapping as status": (b'{"status": {"healthy": 1}}', State.DOWN, Reason.BODY),
    "a number as status": (b'{"status": 1}', State.DOWN, Reason.BODY),
    "no status": (b"{}", State.DOWN, Reason.BODY),
    "a status of null": (b'{"status": null}', State.DOWN, Reason.BODY),
    "a list": (b'["healthy"]', State.DOWN, Reason.BODY),
    "a string": (b'"healthy"', State.DOWN, Reason.BODY),
    "the string status": (b'"status"', State.DOWN, Reason.BODY),
    "a number": (b"1", State.DOWN, Reason.BODY),
    "null": (b"null", State.DOWN, Reason.BODY),
    "empty": (b"", State.DOWN, Reason.BODY),
    "HTML": (b"<html>Welcome to nginx!</html>", State.DOWN, Reason.BODY),
    "broken JSON": (b'{"status": "healthy"', State.DOWN, Reason.BODY),
    "not a number": (b'{"status": "healthy", "x": NaN}', State.DOWN, Reason.BODY),
    "not UTF-8": (b'{"status": "\xff"}', State.DOWN, Reason.BODY),
    "deep": (b"[" * 100_000 + b"]" * 100_000, State.DOWN, Reason.BODY),
}


@pytest.mark.parametrize(("body", "state", "reason"), BODIES.values(), ids=BODIES)
def test_a_body_means_what_the_contract_says(
    body: bytes, state: State, reason: Reason | None
) -> None:
    assert judge(replace(JSON, body=body), slow_after=SLOW) == Probe(
        state=state, reason=reason, seconds=0.25
    )


@pytest.mark.parametrize("reason", list(Reason))
def test_what_went_wrong_with_the_answer_is_down_whatever_the_body_says(reason: Reason) -> None:
    answer = replace(JSON, reason=reason, status=503, body=HEALTHY)
    assert judge(answer, slow_after=SLOW) == Probe(state=State.DOWN, reason=reason, seconds=0.25)


@pytest.mark.parametrize(
    ("media_type", "reason"),
    [
        ("", None),
        ("application/health+json", None),
        ("text/plain", Reason.CONTENT_TYPE),
        ("text/html", Reason.CONTENT_TYPE),
    ],
)
@pytest.mark.parametrize("state", [State.HEALTHY, State.DEGRADED, State.PAUSED])
def test_a_wrong_label_is_told_of_a_project_that_is_up(
    media_type: str, reason: Reason | None, state: State
) -> None:
    answer = replace(JSON, media_type=media_type, body=f'{{"status": "{state}"}}'.encode())
    assert judge(answer, slow_after=SLOW) == Probe(state=state, reason=reason, seconds=0.25)


@pytest.mark.parametrize(
    ("said", "seconds", "state"),
    [
        (State.HEALTHY, SLOW, State.HEALTHY),
        (State.HEALTHY, SLOW + 0.001, State.DEGRADED),
        (State.DEGRADED, SLOW + 0.001, State.DEGRADED),
        (State.PAUSED, SLOW + 0.001, State.PAUSED),
    ],
)
def test_only_a_healthy_project_that_is_slow_becomes_degraded(
    said: State, seconds: float, state: State
) -> None:
    answer = replace(JSON, seconds=seconds, body=f'{{"status": "{said}"}}'.encode())
    assert judge(answer, slow_after=SLOW) == Probe(state=state, reason=None, seconds=seconds)


@pytest.mark.parametrize(
    ("version", "label"),
    [
        ('"1.2.3"', "1.2.3"),
        ('"2024-05-01_a+b"', "2024-05-01_a+b"),
        (f'"{"a" * 64}"', "a" * 64),
        (f'"{"a" * 65}"', ""),
        ('""', ""),
        ('"-1"', ""),
        ('"1 2"', ""),
        ('"1\\n"', ""),
        ('"\u00e9"', ""),
        ("7", ""),
        ("[1]", ""),
        ("null", ""),
    ],
)
def test_a_version_is_told_when_it_can_be_a_label(version: str, label: str) -> None:
    body = f'{{"status": "healthy", "version": {version}}}'.encode()
    assert judge(replace(JSON, body=body), slow_after=SLOW) == Probe(
        state=State.HEALTHY,
        reason=None if label or version in {"null", '""'} else Reason.VALUE,
        seconds=0.25,
        version=label,
    )


@pytest.mark.parametrize(
    ("state", "up"),
    [
        (State.HEALTHY, True),
        (State.DEGRADED, True),
        (State.PAUSED, True),
        (State.DOWN, False),
    ],
)
def test_only_what_is_down_is_not_up(state: State, *, up: bool) -> None:
    assert Probe(state=state, reason=None, seconds=0.0).up is up


GOOD = Probe(state=State.PAUSED, reason=None, seconds=0.1)
LOST = Probe(state=State.DOWN, reason=Reason.TIMEOUT, seconds=2.0)
GONE = Probe(state=State.DOWN, reason=Reason.REFUSED, seconds=0.1)


@pytest.mark.parametrize(
    ("probes", "counts"),
    [
        ((GOOD,), GOOD),
        ((LOST,), LOST),
        ((GOOD, LOST), GOOD),
        ((LOST, GOOD), GOOD),
        ((LOST, GONE), GONE),
    ],
)
def test_a_good_probe_counts_else_the_last(probes: tuple[Probe, ...], counts: Probe) -> None:
    assert verdict(probes) is counts
