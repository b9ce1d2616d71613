"""Which hosts can only mean this machine."""

import pytest

from orchestrator.host import is_loopback


@pytest.mark.parametrize(
    ("host", "local"),
    [
        ("127.0.0.1", True),
        ("127.255.255.254", True),
        ("::1", True),
        ("localhost", True),
        ("", False),
        ("0.0.0.0", False),  # noqa: S104  a host to refuse
        ("::", False),
        ("192.0.2.1", False),
        ("localhost.example.org", False),
        ("127.0.0.1.example.org", False),
        ("127.1", False),
    ],
)
def test_a_host_is_local_only_when_it_can_mean_nothing_else(host: str, *, local: bool) -> None:
    assert is_loopback(host) is local
