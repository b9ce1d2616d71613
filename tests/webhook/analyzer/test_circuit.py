"""When a model is left alone, and when it is tried again."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.webhook.make import NOW
from webhook.analyzer.circuit import LONGEST, NAMED, Circuit, State

SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)


def _failed(times: int) -> Circuit:
    """Return a circuit after so many failures at once."""
    circuit = Circuit()
    for _ in range(times):
        circuit = circuit.failed(NOW)
    return circuit


@pytest.mark.parametrize(
    ("times", "state"), [(0, State.CLOSED), (2, State.CLOSED), (3, State.OPEN), (9, State.OPEN)]
)
def test_the_third_failure_in_a_row_opens_it(times: int, state: State) -> None:
    assert _failed(times).state(NOW) is state


def test_an_answer_in_between_begins_the_row_anew() -> None:
    circuit = _failed(2).answered().failed(NOW).failed(NOW)
    assert circuit.state(NOW) is State.CLOSED


@pytest.mark.parametrize("times", [3, 4, 20])
def test_it_is_open_for_a_minute_whoever_else_fails_meanwhile(times: int) -> None:
    circuit = _failed(times)
    states = [circuit.state(NOW + each) for each in (MINUTE - SECOND, MINUTE)]
    assert states == [State.OPEN, State.HALF_OPEN]


def test_no_call_is_made_while_it_is_open() -> None:
    assert _failed(3).asks(NOW + MINUTE - SECOND) is None


def test_one_call_finds_out_and_no_other_goes_with_it() -> None:
    probing = _failed(3).asks(NOW + MINUTE)
    assert probing is not None
    assert probing.asks(NOW + MINUTE) is None


def test_a_call_that_was_not_made_leaves_the_way_free() -> None:
    probing = _failed(3).asks(NOW + MINUTE)
    assert probing is not None
    assert probing.unasked() == _failed(3)


def test_a_call_that_is_never_heard_of_again_does_not_close_the_way_for_ever() -> None:
    probing = _failed(3).asks(NOW + MINUTE)
    assert probing is not None
    assert probing.asks(NOW + 2 * MINUTE) is not None


def test_its_success_closes_the_circuit_and_forgets_all() -> None:
    probing = _failed(3).asks(NOW + MINUTE)
    assert probing is not None
    assert probing.answered() == Circuit()


def test_each_failure_to_find_out_doubles_the_wait_up_to_a_quarter_of_an_hour() -> None:
    circuit, now, waits = _failed(3), NOW, []
    for _ in range(7):
        assert circuit.open_until is not None
        waits.append(circuit.open_until - now)
        now = circuit.open_until
        probing = circuit.asks(now)
        assert probing is not None
        circuit = probing.failed(now)
    assert waits == [MINUTE * each for each in (1, 2, 4, 8, 15, 15, 15)]


def test_who_names_an_instant_is_left_alone_until_then() -> None:
    circuit = Circuit().named(NOW, HOUR)
    states = [circuit.state(NOW + each) for each in (HOUR - SECOND, HOUR)]
    assert states == [State.OPEN, State.HALF_OPEN]


def test_an_instant_beyond_reason_is_taken_for_tomorrow() -> None:
    assert Circuit().named(NOW, timedelta(days=49)).open_until == NOW + NAMED


def test_a_shorter_wait_does_not_end_a_longer_one() -> None:
    circuit = Circuit().refused(NOW).named(NOW, SECOND)
    assert circuit.open_until == NOW + HOUR


def test_who_refuses_our_key_is_left_alone_for_an_hour() -> None:
    assert Circuit().refused(NOW).open_until == NOW + HOUR


@given(st.lists(st.sampled_from(["fails", "answers", "asks"]), max_size=60), st.data())
def test_it_is_never_open_for_longer_than_its_longest_wait(
    steps: list[str], data: st.DataObject
) -> None:
    circuit, now = Circuit(), NOW
    for step in steps:
        now += timedelta(seconds=data.draw(st.integers(0, 1_000)))
        match step:
            case "fails":
                circuit = circuit.failed(now)
            case "answers":
                circuit = circuit.answered()
            case _:
                circuit = circuit.asks(now) or circuit
        assert circuit.state(now + LONGEST) is not State.OPEN
