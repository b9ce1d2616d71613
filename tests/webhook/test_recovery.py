"""How long a recovery took: from its own alert to the proof, and the time of people left out."""

from dataclasses import replace
from typing import Any

import pytest

from tests.webhook import make
from tests.webhook.make import NOW, SECOND
from webhook import action as law
from webhook.action import Action
from webhook.case import Case
from webhook.change import Change
from webhook.incident import Episode, State
from webhook.recovery import Recovery, Trouble, recovery

CPU = "ProjectHighCPU"


def _case(*attempts: Action, episodes: tuple[Episode, ...] = (), **of: Any) -> Case:  # noqa: ANN401  any field of an incident
    incident = make.incident(**{"state": State.VERIFYING, **of})
    return Case(
        incident=incident,
        episodes=episodes or (make.episode(),),
        action=attempts[-1],
        attempts=attempts,
    )


def _ends(case: Case, to: State, after: int) -> Change:
    assert case.action is not None
    at = NOW + after * SECOND
    return Change(
        before=case.incident,
        after=case.incident.move(to, at=at),
        action_was=case.action,
        action_became=(case.action.move(law.State.COMPLETED, at=at),),
    )


def _took(case: Case, after: int) -> Recovery | None:
    return recovery(case, _ends(case, State.RESOLVED, after))


def _outage(seconds: int) -> Recovery:
    return Recovery(trouble=Trouble.OUTAGE, took=seconds * SECOND)


def test_an_outage_takes_from_the_alert_to_the_proof() -> None:
    restart = make.action(created_at=NOW + SECOND, executed_at=NOW + SECOND)
    assert _took(_case(restart), 12) == _outage(12)


def test_of_anything_but_an_outage_it_is_told_apart() -> None:
    hot = _case(make.action(alertname=CPU), episodes=(make.episode(alertname=CPU),))
    assert _took(hot, 61) == Recovery(trouble=Trouble.OTHER, took=61 * SECOND)


def test_an_outage_begins_with_its_own_alert_and_not_with_what_was_there_before() -> None:
    episodes = (
        make.episode(alertname=CPU),
        make.episode(id=2, received_at=NOW + 50 * SECOND),
        make.episode(id=3, received_at=NOW + 55 * SECOND),
    )
    began = NOW + 51 * SECOND
    restart = make.action(created_at=began, executed_at=began)
    assert _took(_case(restart, episodes=episodes), 60) == _outage(10)


def test_an_alert_that_was_there_before_the_incident_was_opened_again_begins_with_it() -> None:
    opened = NOW + 5 * SECOND
    restart = make.action(opened_at=opened, created_at=opened, executed_at=opened)
    assert _took(_case(restart, opened_at=opened), 12) == _outage(7)


def test_what_every_attempt_waited_for_people_does_not_count() -> None:
    first = make.action(state=law.State.FAILED, executed_at=NOW + 300 * SECOND)
    second = make.action(
        key="2", created_at=NOW + 310 * SECOND, executed_at=NOW + 400 * SECOND, attempt=2
    )
    assert _took(_case(first, second), 410) == _outage(410 - 300 - 90)


def test_a_wait_for_people_before_the_outage_began_is_none_of_it() -> None:
    episodes = (make.episode(received_at=NOW + 50 * SECOND),)
    asked = make.action(created_at=NOW, executed_at=NOW + 55 * SECOND)
    assert _took(_case(asked, episodes=episodes), 60) == _outage(5)


@pytest.mark.parametrize("changed", [{"incident": 7}, {"opened_at": NOW - SECOND}])
def test_what_was_waited_for_at_another_time_is_none_of_it(changed: dict[str, Any]) -> None:
    other = make.action(key="0", executed_at=NOW + 9 * SECOND, **changed)
    assert _took(_case(other, make.action()), 12) == _outage(12)


def test_a_clock_that_was_set_back_makes_no_time_negative() -> None:
    later = NOW + 3600 * SECOND
    case = _case(make.action(created_at=later), opened_at=later)
    assert _took(case, 0) == _outage(0)


@pytest.mark.parametrize("to", [State.MITIGATED, State.ESCALATED, State.CLOSED])
def test_nothing_but_a_proof_is_a_recovery(to: State) -> None:
    case = _case(make.action())
    assert recovery(case, _ends(case, to, 12)) is None


def test_a_change_without_an_action_has_healed_nothing() -> None:
    case = _case(make.action())
    assert recovery(case, replace(_ends(case, State.RESOLVED, 9), action_was=None)) is None
