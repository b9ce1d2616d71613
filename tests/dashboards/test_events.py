"""What happens seldom is counted, one for each time."""

import promql_parser

from dashboards.events import count, events, risen
from dashboards.look import About
from tests.rules.promql import selectors

CALLS = "calls_total"


def test_a_bar_is_as_high_as_what_was_added_since_the_bar_before() -> None:
    expr = (
        "clamp_min(sum by (kind) (calls_total) - (sum by (kind) (calls_total offset $__interval)"
        " or sum by (kind) (calls_total) * 0), 0)"
    )
    assert risen(CALLS, "kind") == expr


def test_the_query_can_be_read_without_a_label_too() -> None:
    tree = promql_parser.parse(risen(CALLS, "").replace("$__interval", "1m"))
    assert {each.name for each in selectors(tree)} == {CALLS}


def test_what_did_not_happen_in_the_time_that_is_shown_has_no_bars(about: About) -> None:
    (asked,) = events(about, [count(CALLS, "kind", "{{kind}}")]).to_json_data()["targets"]
    each, _, ever = asked.expr.partition(" and ")
    assert each == risen(CALLS, "kind")
    assert ever == f"max_over_time({each}[$__range:$__interval] @ end()) > 0"


def test_a_bar_stands_for_a_minute_at_least(about: About) -> None:
    (asked,) = events(about, [count(CALLS, "kind")]).to_json_data()["targets"]
    assert asked.interval == "1m"


def test_bars_are_whole_numbers_above_each_other(about: About) -> None:
    look = events(about, [count(CALLS, "kind")]).to_json_data()["fieldConfig"]["defaults"]
    stacking = {"group": "A", "mode": "normal"}
    assert (look["decimals"], look["min"]) == (0, 0)
    assert (look["custom"]["drawStyle"], look["custom"]["stacking"]) == ("bars", stacking)
