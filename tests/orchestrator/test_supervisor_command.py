"""What is a command, and what is not."""

import json

import pytest

from orchestrator.supervisor.command import ACTIONS, BadCommand, Command, Effect, read

KNOWN = "no such action; known: " + ", ".join(ACTIONS)


@pytest.mark.parametrize("action", ACTIONS)
def test_each_action_of_the_catalogue_is_read(action: str) -> None:
    read_ = read(project="chatbot", key="k", body=json.dumps({"action": action, "why": 1}).encode())
    assert read_ == Command(key="k", project="chatbot", action=action)


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("restart", "restart_service"),
        ("start", "start_service"),
        ("stop", "stop_service"),
        ("pause", "pause_service"),
        ("resume", "resume_service"),
        ("rollback", "rollback_deployment"),
    ],
)
def test_a_short_name_is_the_action_that_it_is_short_for(typed: str, meant: str) -> None:
    body = json.dumps({"action": typed}).encode()
    assert read(project="chatbot", key="k", body=body).action == meant


def test_the_supervisor_does_what_a_process_cannot_do_to_itself() -> None:
    own = {action for action, effect in ACTIONS.items() if effect is not Effect.FORWARD}
    assert own == {"restart_service", "start_service", "stop_service"}


@pytest.mark.parametrize(
    "body",
    [b"[]", b"{}", b'"restart_service"', b"null", b'{"action": "reboot"}', b'{"action": ["x"]}'],
)
def test_json_without_a_known_action_is_told_the_known_ones(body: bytes) -> None:
    with pytest.raises(BadCommand) as caught:
        read(project="chatbot", key="k", body=body)
    assert str(caught.value) == KNOWN


@pytest.mark.parametrize("body", [b"", b"{", b"\xff\xfe", b"[" * 60_000, b"9" * 60_000])
def test_what_is_not_json_is_told_so(body: bytes) -> None:
    with pytest.raises(BadCommand, match="the body is not JSON"):
        read(project="chatbot", key="k", body=body)


@pytest.mark.parametrize("key", [None, "", "x" * 201, "a\tb", "schlüssel"])
def test_a_command_needs_a_key(key: str | None) -> None:
    with pytest.raises(BadCommand, match="the header Idempotency-Key is required"):
        read(project="chatbot", key=key, body=b'{"action": "restart_service"}')
