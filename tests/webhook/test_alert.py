"""What Alertmanager may send, and what becomes of it."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.webhook import make
from webhook.alert import Alert, BadNotification, Notification, Status, parse

PAYLOADS = Path(__file__).parent / "payloads"
LABELS = {
    "alertname": "ProjectDown",
    "project": "email-blast",
    "remediate": "true",
    "severity": "critical",
}


@pytest.mark.parametrize("release", ["0.25", "0.33"])
def test_a_notification_of_either_release_is_read_whole(release: str) -> None:
    read = parse((PAYLOADS / f"alertmanager-{release}.json").read_bytes())
    assert read == Notification(
        version="4",
        status=Status.FIRING,
        receiver="webhook",
        group_key='{}/{remediate="true"}:{alertname="ProjectDown", project="email-blast"}',
        truncated=0,
        alerts=(
            Alert(
                status=Status.FIRING,
                labels=LABELS,
                annotations={
                    "description": "email-blast failed two health probes in a row,"
                    " or never answered one.",
                    "runbook_url": "docs/runbooks/ProjectDown.md",
                    "settle": "2s",
                    "summary": "email-blast is down.",
                },
                started_at=datetime(2026, 11, 21, 8, 56, 57, 352000, tzinfo=UTC),
                ended_at=None,
                fingerprint="4143cc85196c12e8",
            ),
        ),
    )


@pytest.mark.parametrize(
    ("written", "instant"),
    [
        ("2026-11-20T22:50:10Z", datetime(2026, 11, 20, 22, 50, 10, tzinfo=UTC)),
        ("2026-11-20T22:50:10.745736Z", datetime(2026, 11, 20, 22, 50, 10, 745736, tzinfo=UTC)),
        ("2026-11-20T22:50:10.123456789Z", datetime(2026, 11, 20, 22, 50, 10, 123456, tzinfo=UTC)),
        ("2026-11-21T06:50:10+08:00", datetime(2026, 11, 20, 22, 50, 10, tzinfo=UTC)),
        ("2026-11-20T14:50:10-08:00", datetime(2026, 11, 20, 22, 50, 10, tzinfo=UTC)),
    ],
)
def test_an_instant_is_read_with_any_offset_and_fraction(written: str, instant: datetime) -> None:
    sent = make.alert() | {"startsAt": written}
    assert parse(make.body(sent)).alerts[0].started_at == instant


@pytest.mark.parametrize("nothing", ["0001-01-01T00:00:00Z", "", None])
def test_the_zero_time_is_no_end(nothing: str | None) -> None:
    sent = make.alert() | {"endsAt": nothing}
    assert parse(make.body(sent)).alerts[0].ended_at is None


def test_labels_are_kept_as_they_are() -> None:
    hostile = {"a": "\"'\\\n\r\0{}<script>é\u202e", "b": "x" * 10_000}
    sent = make.alert() | {"labels": hostile}
    assert parse(make.body(sent)).alerts[0].labels == hostile


def test_unknown_fields_are_ignored() -> None:
    sent = make.alert() | {"route": {"deep": [1]}}
    assert parse(make.body(sent, shard=3)) == parse(make.body(make.alert()))


def _bad(**changes: Any) -> bytes:  # noqa: ANN401  any field of an alert
    return make.body({**make.alert(), **changes})


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "json"),
        (b"{", "json"),
        (b"\xff\xfe", "json"),
        (b"[" * 100_000, "json"),
        (b"[]", "schema"),
        (b"{}", "version"),
        (make.body(version="3"), "version"),
        (make.body(version=4), "version"),
        (make.body(status="maybe"), "schema"),
        (json.dumps({"version": "4", "status": "firing"}).encode(), "schema"),
        (_bad(startsAt="yesterday"), "schema"),
        (_bad(startsAt="2026-11-20T22:50:10"), "schema"),
        (_bad(startsAt="0001-01-01T00:00:00+14:00"), "schema"),
        (_bad(startsAt=5), "schema"),
        (_bad(labels={"project": 1}), "schema"),
        (_bad(labels=["project"]), "schema"),
        (_bad(fingerprint=""), "schema"),
    ],
)
def test_what_is_no_notification_is_refused_with_a_bounded_reason(body: bytes, reason: str) -> None:
    with pytest.raises(BadNotification) as refused:
        parse(body)
    assert refused.value.reason == reason


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        ({"remediate": "true", "project": "a"}, (True, "a", False)),
        ({"remediate": "True", "project": ""}, (False, None, False)),
        ({"source": "orchestrator"}, (False, None, True)),
        ({}, (False, None, False)),
    ],
)
def test_labels_say_what_an_alert_is_for(
    labels: dict[str, str], expected: tuple[bool, str | None, bool]
) -> None:
    read = parse(make.body({**make.alert(), "labels": labels})).alerts[0]
    assert (read.remediable, read.project, read.ours) == expected
