"""A certificate is told of before it ends."""

from datetime import timedelta

import pytest

from orchestrator.doctor.certificate import SOON, judge
from tests.webhook.make import NOW, SECOND

DAY = timedelta(days=1)


@pytest.mark.parametrize(
    ("left", "mark", "said"),
    [
        (SOON, "ok", "the certificate of hub:443 holds until 2026-12-05"),
        (
            SOON - SECOND,
            "warn",
            "the certificate of hub:443 holds until 2026-12-05, 13 days from now",
        ),
        (SECOND, "warn", "the certificate of hub:443 holds until 2026-11-21, 0 days from now"),
        (0 * DAY, "FAIL", "the certificate of hub:443 has ended"),
        (-DAY, "FAIL", "the certificate of hub:443 has ended"),
    ],
)
def test_what_ends_soon_is_warned_of(left: timedelta, mark: str, said: str) -> None:
    found = judge("webhook", "hub:443", NOW + left, NOW)
    assert (found.mark.value, found.said) == (mark, said)
