"""What is most in need stands first, and what a rule compares is what is drawn."""

import pytest

from tests.dashboards.written import EVERY, panels

PANELS = {each["id"]: each for each in panels(EVERY["orchestrator-slo"])}


def test_the_least_budget_comes_first() -> None:
    assert PANELS[5]["options"]["sortBy"] == [{"desc": False, "displayName": "Budget left"}]


@pytest.mark.parametrize("number", [11, 12, 13, 14])
def test_of_two_windows_nothing_is_drawn_while_one_of_them_says_nothing(number: int) -> None:
    (target,) = PANELS[number]["targets"]
    either, other = target["expr"].split(" or ")
    assert ("<" in either, "<=" in other) == (True, True)


def test_the_lowest_and_the_highest_objective_are_lines() -> None:
    lines = {
        override["matcher"]["options"]
        for override in PANELS[7]["fieldConfig"]["overrides"]
        for each in override["properties"]
        if each["id"] == "custom.lineStyle"
    }
    assert lines == {"lowest objective", "highest objective"}
