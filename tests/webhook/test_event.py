"""What events tell, and how they spell names and lengths of time."""

from datetime import timedelta

import pytest

from tests.webhook import hearing, make
from tests.webhook.make import NOW
from webhook.analyzer.analysis import Decision, Ruling
from webhook.event import Data, decided, fired, slug, spoken


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(8, "8 s"), (1.5, "1.5 s"), (0.04, "0 s"), (119.9, "119.9 s"), (125.4, "2m5s"), (7200, "2h")],
)
def test_a_length_of_time_is_said_as_people_would(seconds: float, text: str) -> None:
    assert spoken(timedelta(seconds=seconds)) == text


def test_a_name_is_spelt_as_event_names_are() -> None:
    assert slug("email-blast-2") == "EMAIL_BLAST_2"


BEGAN = {"summary": "email-blast is down.", "startsAt": "2026-11-21T12:00:00.000000Z"}


@pytest.mark.parametrize(
    ("alertname", "beside"),
    [
        ("ProjectDown", [("EMAIL_BLAST_STATUS_CHANGED", {"from": "healthy", "to": "down"})]),
        (
            "ProjectHighCPU",
            [("AnomalyDetected", {"kind": "high_cpu", "alertname": "ProjectHighCPU"})],
        ),
        (
            "ProjectHighMemory",
            [("AnomalyDetected", {"kind": "high_memory", "alertname": "ProjectHighMemory"})],
        ),
        (
            "ProjectHighErrorRate",
            [("AnomalyDetected", {"kind": "high_error", "alertname": "ProjectHighErrorRate"})],
        ),
        ("ProjectSlow", []),
    ],
)
def test_an_alert_that_begins_tells_what_it_finds_wrong(
    alertname: str, beside: list[tuple[str, Data]]
) -> None:
    [alert] = make.notification(make.alert(alertname=alertname)).alerts
    told = fired(make.incident(), alert, at=NOW)
    assert [(each.name, each.data) for each in told] == [(alertname, BEGAN), *beside]


def test_what_a_rule_quotes_of_a_stranger_is_told_without_secrets_on_one_line() -> None:
    sent = make.alert()
    sent["annotations"]["summary"] = "login failed:\npassword=hunter2 <!channel>"
    [alert] = make.notification(sent).alerts
    [told, _] = fired(make.incident(), alert, at=NOW)
    assert told.data["summary"] == "login failed: password=*** \u2039!channel\u203a"


def test_what_a_model_calls_itself_is_told_without_calling_anybody() -> None:
    heard = hearing.analysis(model="sonnet\n<!channel> @here")
    ruling = Ruling(
        analysis=1,
        decision=Decision.HUMAN,
        gates=(),
        raw=0.9,
        calibrated=0.9,
        effective=0.8,
        reason="ask",
    )
    told = decided(make.incident(), heard, ruling, at=NOW)
    assert told.data["model"] == "sonnet \u2039!channel\u203a (at)here"
