"""What a log points to: one suspicion, the cause before its consequences, or none."""

import pytest

from webhook.diagnosis import Line, suspect


def _lines(*messages: str) -> tuple[Line, ...]:
    return tuple(Line(ts="", level="error", message=each) for each in messages)


@pytest.mark.parametrize(
    ("message", "begins"),
    [
        ("database full: database or disk is full", "The disk or the database is full"),
        ("write failed: No space left on device", "The disk or the database is full"),
        ("java.lang.OutOfMemoryError: Java heap space", "It runs out of memory"),
        ("Out of memory: Killed process 42", "It runs out of memory"),
        ("OSError: [Errno 24] Too many open files", "It has too many files"),
        ("x509: certificate has expired or is not yet valid", "A certificate has expired"),
        ("bind: address already in use", "Its port is taken"),
        ("open /data/app.db: permission denied", "It may not read or write"),
        ("FATAL: password authentication failed for user app", "Somebody that it depends on"),
        ("dial tcp 10.0.0.5:5432: connect: connection refused", "It cannot reach something"),
        ("connection to the database is lost", "It cannot reach something"),
        ("ModuleNotFoundError: No module named 'app'", "Its release is not whole"),
        ("Back-off restarting failed container", "It ends soon after each start"),
    ],
)
def test_words_that_are_known_give_a_suspicion(message: str, begins: str) -> None:
    told = suspect(_lines("something before", message), "ProjectDown")
    assert told is not None
    assert told.startswith(begins)


def test_the_cause_is_told_and_not_what_follows_from_it() -> None:
    lines = _lines("connection refused by the database", "No space left on device")
    told = suspect(lines, "ProjectHighErrorRate")
    assert told == (
        "The disk or the database is full, and a restart frees nothing."
        " Delete old data or make room, then restart it."
    )


@pytest.mark.parametrize("message", ["bind: address already in use", "crash loop"])
def test_what_only_explains_an_outage_is_told_of_nothing_else(message: str) -> None:
    told = [suspect(_lines(message), name) is None for name in ("ProjectDown", "ProjectHighCPU")]
    assert told == [False, True]


@pytest.mark.parametrize("messages", [(), ("chatbot 1.4.2 started",), ("",)])
def test_words_that_point_nowhere_give_none(messages: tuple[str, ...]) -> None:
    assert suspect(_lines(*messages), "ProjectDown") is None
