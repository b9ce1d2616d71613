"""What is seen is not misread: no color, name or cell says what is not so."""

import pytest

from dashboards.limits import GRAY, NO_COLOR
from tests.dashboards.written import EVERY, Json, looks, marks, panels, urls

EACH = pytest.mark.parametrize("dashboard", EVERY.values(), ids=list(EVERY))
SWITCHES = 4  # with more of them, and the variables, there is a second line at 1600 pixels


def _of_nothing(look: Json) -> list[tuple[str, str]]:
    """Return the text and the color of what has no value."""
    return [
        (each["options"]["result"]["text"], each["options"]["result"]["color"])
        for each in look.get("mappings", [])
        if each["type"] == "special"
    ]


@EACH
def test_no_figure_is_green_where_nothing_answers(dashboard: Json) -> None:
    for panel in panels(dashboard):
        if panel["type"] in {"stat", "bargauge"}:
            look = panel["fieldConfig"]["defaults"]
            assert _of_nothing(look) == [(look["noValue"], GRAY)], panel["title"]


@EACH
def test_no_cell_is_green_where_nothing_is_known(dashboard: Json) -> None:
    for panel in panels(dashboard):
        if panel["type"] == "table":
            _, *columns = looks(panel)
            colored = [
                _of_nothing(each)
                for each in columns
                if each["custom.cellOptions"]["type"] == "color-background"
            ]
            assert {text for each in colored for text, _ in each} <= {"-", "nobody looks"}
            assert {color for each in colored for _, color in each} <= {NO_COLOR, GRAY}
            assert all(colored), panel["title"]
            assert {each["noValue"] for each in columns} == {"-"}, panel["title"]


@EACH
def test_no_band_is_merged_by_its_threshold(dashboard: Json) -> None:
    bands = [each for each in panels(dashboard) if each["type"] == "state-timeline"]
    colors = [each["fieldConfig"]["defaults"]["color"] for each in bands]
    assert all(color == {"mode": "fixed", "fixedColor": "text"} for color in colors)


@EACH
def test_no_two_of_twenty_curves_have_the_same_color(dashboard: Json) -> None:
    curves = [each for each in panels(dashboard) if each["type"] == "timeseries"]
    modes = [each["fieldConfig"]["defaults"]["color"]["mode"] for each in curves]
    assert set(modes) <= {"palette-classic"}


@EACH
def test_the_switches_of_the_marks_are_one_line(dashboard: Json) -> None:
    assert len([each for each in marks(dashboard) if not each["hide"]]) <= SWITCHES


@EACH
def test_who_is_chosen_goes_along_with_every_link(dashboard: Json) -> None:
    inside = [url for url in urls(dashboard) if url.startswith("/d/")]
    assert [url for url in inside if "${client:queryparam}" not in url] == []
