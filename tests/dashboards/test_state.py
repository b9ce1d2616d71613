"""Every word for how something is has a color, and short outages are seen."""

from dashboards import state
from webhook.store.lately import BEGUN, ENDS


def test_every_end_of_an_action_has_a_word() -> None:
    assert {each.value for each in state.OF_ACTIONS} == {BEGUN, *ENDS.values()}


def test_a_band_is_red_where_a_project_was_down_between_two_points() -> None:
    down = '(min_over_time(project_up{a="b"}[$__interval]) == 0) + 3'
    assert down in state.over_time('a="b"')
    assert state.worst('a="b"') == state.over_time('a="b"').replace(f" or {down}", "")
