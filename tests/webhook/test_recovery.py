"""How long a recovery took: from its own alert to the proof, and the time of people left out."""

from dataclasses import replace
from typing import Any

import pytest

from tests.webhook import asking, make
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


def _proven(at: int, **changed: Any) -> Action:  # noqa: ANN401  any field of an action
    """Make a restart of an earlier outage, proven at this second."""
    began = {"created_at": NOW, "executed_at": NOW, "finished_at": NOW + at * SECOND}
    return make.action(**{"key": "0", "state": law.State.COMPLETED, **began, **changed})


def _twice(*earlier: Action, first_ended: int = 8) -> Recovery | None:
    """Return the recovery of an outage of two hours later, kept together by another alert."""
    again = NOW + 7_200 * SECOND
    episodes = (
        make.episode(alertname=CPU),
        make.episode(id=2, ended_at=NOW + first_ended * SECOND),
        make.episode(id=3, received_at=again, ended_at=again + 8 * SECOND),
    )
    second = make.action(created_at=again + SECOND, executed_at=again + SECOND, attempt=2)
    return _took(_case(*earlier, second, episodes=episodes), 7_210)


def test_a_second_outage_of_an_incident_begins_with_itself() -> None:
    assert _twice(_proven(10)) == _outage(10)


def test_what_people_were_asked_about_the_first_outage_is_none_of_the_second() -> None:
    assert _twice(_proven(600, executed_at=NOW + 590 * SECOND)) == _outage(10)


@pytest.mark.parametrize(
    "other",
    [{"alertname": CPU}, {"state": law.State.FAILED}, {"incident": 7}, {"opened_at": NOW - SECOND}],
)
def test_an_outage_that_none_of_its_own_repairs_has_ended_goes_on(other: dict[str, Any]) -> None:
    assert _twice(_proven(10, **other)) == _outage(7_210)


def test_an_alert_that_was_not_over_although_that_was_proven_counts_from_its_begin() -> None:
    assert _twice(_proven(10), first_ended=60) == _outage(7_210)


def test_where_every_alert_was_over_before_it_takes_from_the_proof_of_that() -> None:
    episodes = (make.episode(ended_at=NOW + 8 * SECOND),)
    again = make.action(created_at=NOW + 30 * SECOND, executed_at=NOW + 30 * SECOND)
    assert _took(_case(_proven(10), again, episodes=episodes), 40) == _outage(30)


def test_what_was_healed_by_hand_is_no_recovery_of_ours() -> None:
    assert _took(replace(_case(make.action()), request=asking.request()), 12) is None


def test_what_people_were_asked_to_repair_is_no_recovery_of_ours_whoever_repaired_it() -> None:
    asked = _case(make.action(), escalated_at=NOW + 300 * SECOND)
    assert _took(asked, 610) is None


def test_what_people_were_asked_before_the_outage_began_does_not_matter() -> None:
    episodes = (make.episode(received_at=NOW + 50 * SECOND),)
    restart = make.action(created_at=NOW + 51 * SECOND, executed_at=NOW + 51 * SECOND)
    asked = _case(restart, episodes=episodes, escalated_at=NOW + 49 * SECOND)
    assert _took(asked, 60) == _outage(10)


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
